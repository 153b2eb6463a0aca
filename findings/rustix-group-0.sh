#!/usr/bin/env bash
# rustix 1.1.6: `getpgrp`, `getpgid` and `getsid` return a `Pid` of 0, or panic, in a container.
#
# A process whose group has its leader in an outer pid namespace has the group 0, as the manual page
# pid_namespaces(7) says for all such ids. The first process of a container is one, unless its runtime
# calls `setsid`. rustix assumes that no group and no session is 0: its `Pid` is a `NonZeroI32`, which it
# makes unchecked. So
#
# - a debug build panics,
# - a release build returns `Pid(0)`, a value that the type can't have, although the functions are
#   safe: `Some(getpgrp())` is `None`.
#
# `getppid` has the same case and returns an `Option`. Meanwhile reads groups with procfs, and with nix
# where there is none: src/join/process/system.
#
# Seen with Rust 1.95 on x86_64 Linux 6:
#
#     outside, debug: Some(Pid(N)) is_some
#     outside, release: Some(Pid(N)) is_some
#     in a pid namespace, debug: assertion failed: pgid > 0
#     in a pid namespace, release: None is_none
#
# Prints these lines and exits with 0; exits with 1 when rustix does something else. Needs cargo, a
# network and `unshare` of util-linux, as root or where users may make namespaces.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"

cat >"$folder/Cargo.toml" <<'EOF'
[package]
name = "finding"
version = "0.0.0"
edition = "2021"

[dependencies]
rustix = { version = "=1.1.6", features = ["process"] }

[workspace]
EOF

cat >"$folder/src/main.rs" <<'EOF'
fn main() {
    let group = std::hint::black_box(Some(rustix::process::getpgrp()));
    let is = if group.is_some() { "is_some" } else { "is_none" };
    println!("{group:?} {is}");
}
EOF

for profile in dev release; do
    cargo build --quiet --profile $profile --manifest-path "$folder/Cargo.toml" --target-dir "$folder/target"
done

# expect LABEL PATTERN COMMAND...: runs the command, whose output must match the pattern.
changed=0
expect() {
    local label=$1 pattern=$2 output found
    shift 2
    # The debug build fails; that is what is looked for.
    output=$(RUST_BACKTRACE=0 "$@" 2>&1) || true
    if found=$(grep --only-matching --extended-regexp "$pattern" <<<"$output"); then
        echo "$label: $found"
    else
        printf '%s: CHANGED. Expected "%s", but the output is:\n%s\n' "$label" "$pattern" "$output"
        changed=1
    fi
}

namespace=(unshare --user --map-root-user --pid --fork)
expect "outside, debug" 'Some\(Pid\([0-9]+\)\) is_some' "$folder/target/debug/finding"
expect "outside, release" 'Some\(Pid\([0-9]+\)\) is_some' "$folder/target/release/finding"
expect "in a pid namespace, debug" 'assertion failed: pgid > 0' "${namespace[@]}" "$folder/target/debug/finding"
expect "in a pid namespace, release" 'None is_none' "${namespace[@]}" "$folder/target/release/finding"
exit $changed
