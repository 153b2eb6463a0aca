#!/usr/bin/env bash
# procfs 0.18.0: `locks` does not tell who holds a lock from who waits for it, and `syscall` fails for a thread
# that is in none.
#
# In /proc/locks a line of who waits has the number of the lock that is held and an arrow, `1: -> FLOCK …`. The
# crate reads both lines to the same `Lock`: it drops the arrow and has no field for the number. Thus `locks`
# shows two exclusive locks of the same file.
#
# For a thread that is in the kernel and in no system call, such as a zombie, /proc/PID/syscall has three words:
# -1 and two registers. `Syscall::Blocked` is documented to have the number -1 then, but the crate wants nine words
# and returns an error.
#
# Meanwhile reads these files itself: src/explain/linux/locks.rs and thread.rs.
#
# Seen with Rust 1.95 on x86_64 Linux 6.18:
#
#     lines of the file, with an arrow: 2, 1
#     locks of the file, different ones: 2, 1
#     words of a zombie's syscall: 3
#     syscall of a zombie: is_err
#
# Prints these lines and exits with 0; exits with 1 when procfs does something else. Needs cargo, a network and
# flock of util-linux.
set -euo pipefail

folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$folder"' EXIT
mkdir "$folder/src"

cat >"$folder/Cargo.toml" <<'EOT'
[package]
name = "finding"
version = "0.0.0"
edition = "2021"

[dependencies]
procfs = { version = "=0.18.0", default-features = false }

[workspace]
EOT

cat >"$folder/src/main.rs" <<'EOT'
use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use procfs::process::Process;
use procfs::Current as _;

fn main() {
    let inode: u64 = std::env::args().nth(1).unwrap().parse().unwrap();
    let text = std::fs::read_to_string("/proc/locks").unwrap();
    let end = format!(":{inode}");
    let of_file = |line: &&str| line.split_whitespace().any(|word| word.ends_with(&end));
    let lines: Vec<&str> = text.lines().filter(of_file).collect();
    let arrows = lines.iter().filter(|line| line.contains(" -> ")).count();
    println!("lines of the file, with an arrow: {}, {arrows}", lines.len());

    let locks = procfs::Locks::current().unwrap().0;
    let locks: Vec<_> = locks.into_iter().filter(|lock| lock.inode == inode).collect();
    // But for the pid, which says who it is and not what it does.
    let kinds = locks.iter().map(|lock| format!("{:?} {:?} {:?}", lock.lock_type, lock.mode, lock.kind));
    println!("locks of the file, different ones: {}, {}", locks.len(), kinds.collect::<BTreeSet<_>>().len());

    let mut child = Command::new("true").spawn().unwrap();
    let process = Process::new(child.id() as i32).unwrap();
    while process.stat().unwrap().state != 'Z' {
        std::thread::sleep(Duration::from_millis(10));
    }
    let words = std::fs::read_to_string(format!("/proc/{}/syscall", child.id())).unwrap();
    println!("words of a zombie's syscall: {}", words.split_whitespace().count());
    println!("syscall of a zombie: {}", if process.syscall().is_err() { "is_err" } else { "is_ok" });
    child.wait().unwrap();
}
EOT

cargo build --quiet --manifest-path "$folder/Cargo.toml" --target-dir "$folder/target"
touch "$folder/lock"
inode=$(stat --format %i "$folder/lock")
# Each of these two has the lock or waits for it; the second line comes once the second one waits.
flock "$folder/lock" sleep 60 &
flock "$folder/lock" sleep 60 &
until (($(grep -c ":$inode " /proc/locks) == 2)); do sleep 0.1; done
output=$("$folder/target/debug/finding" "$inode")
expected='lines of the file, with an arrow: 2, 1
locks of the file, different ones: 2, 1
words of a zombie'\''s syscall: 3
syscall of a zombie: is_err'
echo "$output"
if [[ "$output" != "$expected" ]]; then
    printf 'CHANGED. Expected:\n%s\n' "$expected"
    exit 1
fi
