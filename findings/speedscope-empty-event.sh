#!/usr/bin/env bash
# speedscope 1.25.0 (npm): a complete event (`X`) that takes no time and begins with another one of its thread spoils all
# that follows.
#
# At the same time, speedscope takes ends before begins. So it looks for the end of the empty event before it has begun
# it, drops that end with a warning on the console, and never closes the event: what follows lies in it, and their ends
# are dropped, too. Events that take the smallest part of a nanosecond are read as they should. So is an empty event with
# which none begins, although no call of it is shown.
#
# Meanwhile writes spans that take no time with a fraction of a nanosecond: src/trace/chrome/write.rs.
#
# Seen with Node.js 20 on x86_64 Linux 6.18:
#
#     empty event of 0 µs: 4 warnings, calls of 2000 ns
#     empty event of 0.0002 µs: 0 warnings, calls of 2000, 0, 2000 ns
#
# Prints these lines and exits with 0; exits with 1 when speedscope does something else. Needs a network, npm, node, and
# the script of this project that starts the importer of speedscope without a window.
set -euo pipefail

script=$(realpath "$(dirname "$0")/../tests/trace_readers/speedscope.js")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm pack --silent speedscope@1.25.0 >/dev/null
sha256sum --check --quiet <<<"2831f1e0d26df914b477e522d78b8485511495a6af81a0b88158f8b48f9e0d03  speedscope-1.25.0.tgz"
tar -xzf speedscope-1.25.0.tgz

event() {
    printf '{"ph":"X","pid":1,"tid":1,"name":"%s","ts":%s,"dur":%s}' "$1" "$2" "$3"
}

show() {
    echo "[$(event a 1 2),$(event empty 3 "$1"),$(event b 3 2)]" >trace.json
    node "$script" package trace.json >answer
    echo "empty event of $1 µs: $(node -p '
        const { profiles, warnings } = JSON.parse(fs.readFileSync("answer", "utf8"));
        `${warnings.length} warnings, calls of ${profiles[0].nanos.join(", ")} ns`')"
}

expected="empty event of 0 µs: 4 warnings, calls of 2000 ns
empty event of 0.0002 µs: 0 warnings, calls of 2000, 0, 2000 ns"
seen=$(show 0 && show 0.0002)
echo "$seen"
[[ "$seen" == "$expected" ]]
