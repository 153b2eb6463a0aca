#!/usr/bin/env bash
# loom 0.7.2: a model loses an unpark that std keeps, and panics at one that std ignores.
#
# `unpark` makes a token available, and the next `park` of that thread takes it and returns at once.
# With std, nothing else that the thread does takes the token. So a thread may be unparked while it
# waits for a mutex or in `JoinHandle::join`. In a model of loom the unpark ends the other wait instead:
#
# 1. A thread waits for a mutex and is unparked, before that wait or during it. Its next `park` never
#    returns. loom reports a deadlock that no program has.
# 2. A thread is unparked while it is in `JoinHandle::join`. The model panics. This one is known:
#    https://github.com/tokio-rs/loom/issues/249
#
# A model that parks on a condition variable of its own has neither fault: src/join/loom_park.rs.
#
# Seen with Rust 1.95 on x86_64 Linux:
#
#     std mutex: the park returned
#     std join: the join returned
#     loom mutex, unpark before the wait: deadlock
#     loom mutex, unpark during the wait: deadlock
#     loom join: assertion failed: state.notified
#
# Prints these lines and exits with 0; exits with 1 when loom does something else. Needs cargo and a
# network.
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
loom = "=0.7.2"

[workspace]
EOF

cat >"$folder/src/main.rs" <<'EOF'
/// What the programs do, once for std and once for loom.
macro_rules! programs {
    ($threads:ident) => {
        use $threads::sync::{Arc, Mutex};
        use $threads::thread;

        pub fn mutex(before_unpark: fn(), after_unpark: fn()) {
            let mutex = Arc::new(Mutex::new(()));
            let held = mutex.lock().unwrap();
            let waiting = mutex.clone();
            let waiter = thread::spawn(move || {
                drop(waiting.lock().unwrap());
                thread::park();
            });
            before_unpark();
            waiter.thread().unpark();
            after_unpark();
            drop(held);
            waiter.join().unwrap();
        }

        pub fn join(before_unpark: fn()) {
            let joiner = thread::current();
            let child = thread::spawn(move || {
                before_unpark();
                joiner.unpark();
            });
            child.join().unwrap();
        }
    };
}

mod with_std {
    programs!(std);
}

mod with_loom {
    programs!(loom);
}

/// Lets the other thread begin to wait.
fn pause() {
    std::thread::sleep(std::time::Duration::from_millis(200));
}

fn main() {
    let program = std::env::args().nth(1).unwrap();
    let switch: fn() = loom::thread::yield_now;
    match program.as_str() {
        "std-mutex" => with_std::mutex(pause, || ()),
        "std-join" => with_std::join(pause),
        "before" => loom::model(move || with_loom::mutex(|| (), switch)),
        "during" => loom::model(move || with_loom::mutex(switch, || ())),
        "join" => loom::model(|| with_loom::join(|| ())),
        _ => unreachable!(),
    }
    println!("returned");
}
EOF

cargo build --quiet --manifest-path "$folder/Cargo.toml" --target-dir "$folder/target"

# expect LABEL TEXT PROGRAM: runs the program, whose output must contain the text.
changed=0
expect() {
    local output
    # A program that fails is what is looked for, and one that hangs is a change.
    output=$(RUST_BACKTRACE=0 timeout 60 "$folder/target/debug/finding" "$3" 2>&1) || true
    if grep --quiet --fixed-strings "$2" <<<"$output"; then
        echo "$1: ${4:-$2}"
    else
        printf '%s: CHANGED. Expected "%s", but the output is:\n%s\n' "$1" "$2" "$output"
        changed=1
    fi
}

expect "std mutex" returned std-mutex "the park returned"
expect "std join" returned std-join "the join returned"
expect "loom mutex, unpark before the wait" deadlock before
expect "loom mutex, unpark during the wait" deadlock during
expect "loom join" "assertion failed: state.notified" join
exit $changed
