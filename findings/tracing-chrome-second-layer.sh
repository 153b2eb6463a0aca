#!/usr/bin/env bash
# tracing-chrome 0.7.2: in the trace of the second layer that a program makes, two threads may have one number.
#
# A layer counts its threads from 0, but a thread keeps its number in a thread-local variable, for all layers. A thread
# that was in a span of the first layer has that number in the trace of the second one, too, and no name there. The
# first new thread of the second layer gets 0 again. If both are the same, spans of two threads, which may overlap, are
# begins and ends of one thread in the file, and no reader can tell which end belongs to which begin.
#
# A program that makes a trace of each request, or tests in one process that each make a layer, have that.
#
# `SpanRecorder` of Meanwhile notes the thread by its std::thread::ThreadId at each span: src/join/span_recorder.rs.
#
# Seen with Rust 1.95 on x86_64 Linux 6.18:
#
#     first trace: main in thread 0, other in thread 1; names main 1
#     second trace: main in thread 0, other in thread 0; names 0
#
# Prints these lines and exits with 0; exits with 1 when tracing-chrome does something else. Needs a network, cargo and
# python3.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat >Cargo.toml <<'END'
[package]
name = "second-layer"
version = "0.1.0"
edition = "2021"

[dependencies]
tracing = { version = "0.1", default-features = false, features = ["std"] }
tracing-chrome = "=0.7.2"
tracing-subscriber = { version = "0.3", default-features = false, features = ["registry", "std"] }
END
cat >src/main.rs <<'END'
use tracing_chrome::ChromeLayerBuilder;
use tracing_subscriber::prelude::*;

fn trace(file: &str) {
    let (layer, guard) = ChromeLayerBuilder::new().file(file).build();
    let dispatch = tracing::Dispatch::new(tracing_subscriber::registry().with(layer));
    tracing::dispatcher::with_default(&dispatch, || tracing::info_span!("main").in_scope(|| ()));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            tracing::dispatcher::with_default(&dispatch, || tracing::info_span!("other").in_scope(|| ()));
        });
    });
    drop(guard);
}

fn main() {
    trace("first.json");
    trace("second.json");
}
END
cargo run --quiet
cat >show.py <<'END'
import json

for which in ("first", "second"):
    with open(f"{which}.json") as file:
        events = json.load(file)
    threads = {event["name"]: event["tid"] for event in events if event["ph"] == "B"}
    names = [event["args"]["name"] for event in events if event["ph"] == "M"]
    threads = ", ".join(f"{name} in thread {number}" for name, number in threads.items())
    print(f"{which} trace: {threads}; names {' '.join(names)}")
END

expected="first trace: main in thread 0, other in thread 1; names main 1
second trace: main in thread 0, other in thread 0; names 0"
seen=$(python3 show.py)
echo "$seen"
[[ "$seen" == "$expected" ]]
