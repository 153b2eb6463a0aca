#!/usr/bin/env bash
# clang 18.1.6 (in ziglang 0.13.0): `-ftime-trace` writes its sums as events, each in a thread that there never was.
#
# The compiler has one thread. After its events the file has one more complete event (`X`) for each kind of event, called
# `Total …`. That begins at 0, has the sum of their times as its length, and a thread number of its own: that of the
# process and 1, 2, 3 and so on, which other processes may have. Only the name tells such a sum from an event. So a
# program that adds times, or counts threads, finds a compiler that keeps many threads busy. clang 14.0.6 of Debian does
# the same.
#
# Meanwhile leaves these events out, and says so: src/trace/chrome/collect.rs.
#
# Seen with Python 3.11 on x86_64 Linux 6.18:
#
#     clang version 18.1.6
#     threads with events of the compiler: 1
#     threads with a sum and nothing else: 23
#     begins of the sums: 0
#
# Prints these lines and exits with 0; exits with 1 when clang does something else. Needs a network and python3 with venv.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv tools
tools/bin/pip install --quiet --disable-pip-version-check ziglang==0.13.0
export ZIG_GLOBAL_CACHE_DIR="$folder/cache" ZIG_LOCAL_CACHE_DIR="$folder/cache"
echo 'template <class T> T twice(T n) { return n + n; } int four() { return twice(2); }' >four.cc
zig=(tools/bin/python -m ziglang c++)
"${zig[@]}" -c -ftime-trace -ftime-trace-granularity=0 four.cc -o four.o

cat >show.py <<'END'
import glob
import json

[name] = glob.glob("cache/tmp/*-four.json")
with open(name) as file:
    events = [event for event in json.load(file)["traceEvents"] if event["ph"] == "X"]
sums = [event for event in events if event["name"].startswith("Total ")]
rest = [event for event in events if event not in sums]
threads = lambda events: {event["tid"] for event in events}
print("threads with events of the compiler:", len(threads(rest)))
print("threads with a sum and nothing else:", len(threads(sums) - threads(rest)))
print("begins of the sums:", *{event["ts"] for event in sums})
END

expected="clang version 18.1.6
threads with events of the compiler: 1
threads with a sum and nothing else: 23
begins of the sums: 0"
seen=$("${zig[@]}" --version | grep --only-matching '^clang version [0-9.]*'; python3 show.py)
echo "$seen"
[[ "$seen" == "$expected" ]]
