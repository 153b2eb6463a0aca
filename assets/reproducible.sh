#!/usr/bin/env bash
# Builds the programs for others twice, in two folders, and fails if a byte of them differs. Arguments go to
# assets/release.sh, such as `-p meanwhile-supervise`. Programs that differ are kept in target/reproducible.
#
# Both builds are of one machine and one Rust. Who compares with a build of another machine first installs the Rust
# that this prints.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
kept=${CARGO_TARGET_DIR:-$PWD/target}/reproducible
# Each copy has a target folder of its own.
unset CARGO_TARGET_DIR
folder=$(mktemp --directory --tmpdir meanwhile-reproducible-XXXX)
trap 'rm --recursive --force --one-file-system "$folder"' EXIT

# Paths of two lengths: what a path leaves in a program often depends on its length alone.
copies=(first "the second one")
for copy in "${copies[@]}"; do
    mkdir "$folder/$copy"
    git ls-files -z --cached --others --exclude-standard | tar --create --null --files-from=- |
        tar --extract --directory "$folder/$copy"
    "$folder/$copy/assets/release.sh" "$@"
done

# The sections of a program with the sums of what is in them.
sections() {
    local name
    readelf --section-headers --wide "$1" | sed -n 's/^ *\[ *[0-9]*\] \(\.[^ ]*\) .*/\1/p' | while read -r name; do
        printf '%s %s\n' "$name" "$(objcopy --dump-section "$name=/dev/stdout" "$1" /dev/null 2>/dev/null | cksum)"
    done
}

rm -rf "$kept"
differs=0 built=0
for name in meanwhile meanwhile-supervise; do
    programs=()
    for copy in "${copies[@]}"; do
        [[ ! -e "$folder/$copy/target/dist/$name" ]] || programs+=("$folder/$copy/target/dist/$name")
    done
    ((${#programs[@]})) || continue
    built=1
    if cmp --silent "${programs[@]}"; then
        echo "$name is the same, byte for byte, in both builds: $(sha256sum <"${programs[0]}")"
        continue
    fi
    differs=1
    mkdir -p "$kept"
    for index in 0 1; do cp "${programs[index]}" "$kept/$name.$index"; done
    echo "$name differs, in this many bytes: $(cmp --verbose "${programs[@]}" 2>/dev/null | wc -l). Both are in $kept." \
        "These sections differ:"
    { diff <(sections "$kept/$name.0") <(sections "$kept/$name.1") || true; } | sed -n 's/^[<>] \([^ ]*\) .*/    \1/p' | sort --unique
done
rustc --version --verbose
((built)) || echo "No program was built: the arguments name none."
((built && !differs))
