//! The spans of instrumented code by task, as a trace that Meanwhile, Perfetto and speedscope open.
//!
//! `cargo run -p meanwhile-join --features tracing-layer --example spans -- spans.trace.json`

use std::fs::File;
use std::io::{BufWriter, Write};
use std::time::Duration;

use anyhow::Context as _;
use meanwhile_join::{self as join, RecordedSpans, SpanRecorder};
use tracing_subscriber::prelude::*;

fn main() -> anyhow::Result<()> {
    let path = std::env::args_os().nth(1);
    let path = path.context("name the file for the trace")?;
    let recorder = SpanRecorder::new(100_000);
    tracing_subscriber::registry().with(recorder.layer()).init();

    let pool = join::Pool::builder().threads(2).build()?;
    let names = ["apples", "pears", "plums", "cherries"];
    let tasks = names.map(|name| join::Builder::new(name).spawn_on(&pool, move |_| bake(name)));
    for task in tasks {
        task?.join()?;
    }

    let recorded = recorder.take();
    let spans: usize = recorded.lanes.iter().map(|lane| lane.spans.len()).sum();
    let file = File::create(&path).with_context(|| path.display().to_string())?;
    write(&recorded, BufWriter::new(file))?;
    writeln!(
        std::io::stdout(),
        "{spans} spans, {} dropped",
        recorded.dropped
    )?;
    Ok(())
}

/// Code that knows nothing of tasks.
#[tracing::instrument]
fn bake(what: &str) -> usize {
    let slices = tracing::info_span!("cut").in_scope(|| what.len() * 10_000);
    tracing::info_span!("heat").in_scope(|| (0..slices).fold(0, |heat, slice| heat ^ slice))
}

/// Writes a lane for each task, in the format of Chrome: times are microseconds.
fn write(recorded: &RecordedSpans, mut out: impl Write) -> std::io::Result<()> {
    writeln!(out, "[")?;
    for (tid, lane) in (1..).zip(&recorded.lanes) {
        let name = &lane.name;
        writeln!(
            out,
            r#"{{"ph":"M","name":"thread_name","pid":1,"tid":{tid},"args":{{"name":{name:?}}}}},"#
        )?;
        for span in &lane.spans {
            let name = span.name;
            let [ts, dur] = [span.began, span.ended - span.began].map(micros);
            writeln!(
                out,
                r#"{{"ph":"X","name":"{name}","pid":1,"tid":{tid},"ts":{ts},"dur":{dur}}},"#
            )?;
        }
    }
    // Readers of the format do without the end, and without the last comma.
    out.flush()
}

fn micros(time: Duration) -> String {
    format!("{}.{:03}", time.as_micros(), time.subsec_nanos() % 1_000)
}
