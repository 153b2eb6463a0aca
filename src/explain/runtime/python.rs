//! Reads what `py-spy dump --json` prints.

use serde::Deserialize;

use super::{Frame, Parts, place};

#[derive(Deserialize)]
struct Thread {
    os_thread_id: Option<u32>,
    frames: Vec<Call>,
}

#[derive(Deserialize)]
struct Call {
    name: String,
    filename: String,
    short_filename: Option<String>,
    line: i64,
}

/// Returns where each thread is, the newest call first.
pub(super) fn read(output: &str) -> Option<Parts> {
    let threads: Vec<Thread> = serde_json::from_str(output).ok()?;
    let places = threads.iter().filter_map(|thread| {
        let frames: Vec<Frame<'_>> = thread.frames.iter().map(frame).collect();
        Some((thread.os_thread_id?, place(&frames)?))
    });
    Some(Parts {
        places: places.collect(),
        ..Parts::default()
    })
}

fn frame(call: &Call) -> Frame<'_> {
    let file = call.short_filename.as_ref().unwrap_or(&call.filename);
    Frame {
        function: &call.name,
        line: format!("{file}:{}", call.line),
        is_library: call.filename.contains("/lib/python") || call.filename.starts_with('<'),
    }
}
