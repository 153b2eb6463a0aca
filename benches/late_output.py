#!/usr/bin/env python3
"""How long after the end of a command its helpers print: from its end until they have closed its output.

late_output.py RUNS BUSY NICE: so many runs of each script at this niceness, beside so many busy loops.
"""

import os
import select
import subprocess
import sys
import time

SCRIPTS = {
    "echo > >(sed)": "echo a > >(sed s/a/b/)",
    "exec > >(sed)": "exec > >(sed s/a/b/); echo a",
    "tee >(cat)": "echo a | tee >(cat >&2) >/dev/null",
    "exec > >(tee)": "exec > >(tee /dev/null) 2>&1; echo a; echo b >&2",
    "| sed &": "{ sleep 0; echo a; } | sed s/a/b/ &",
}


def late(script, nice):
    """Returns the milliseconds of one run."""
    output, theirs = os.pipe()
    command = ["nice", "-n", nice, "bash", "-c", script]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs)
    os.close(theirs)
    end = os.pidfd_open(process.pid)
    times = {}
    while len(times) < 2:
        waited = [fd for fd in (end, output) if fd not in times]
        ready = select.select(waited, [], [])[0]
        now = time.monotonic()
        if end in ready:
            times[end] = now
        if output in ready and not os.read(output, 65536):
            times[output] = now
    process.wait()
    os.close(end)
    os.close(output)
    return max(0, times[output] - times[end]) * 1000


def main():
    runs, busy, nice = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    loops = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(busy)]
    try:
        for name, script in SCRIPTS.items():
            times = sorted(late(script, nice) for _ in range(runs))
            median, most = times[runs // 2], times[min(runs - 1, runs * 95 // 100)]
            over = sum(time > 100 for time in times) / runs
            print(f"{name}: median {median:.1f} ms, 95 % {most:.1f} ms, all {times[-1]:.1f} ms; "
                  f"over 100 ms {over:.0%}", flush=True)
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


main()
