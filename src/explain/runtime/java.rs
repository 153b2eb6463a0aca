//! Reads what `jcmd PID Thread.print -l` prints.

use std::collections::BTreeMap;

use super::{Frame, LockWait, Parts, place};

/// A thread of the dump.
#[derive(Default)]
struct Thread<'a> {
    id: u32,
    frames: Vec<Frame<'a>>,
    /// The object whose lock it waits for.
    wanted: Option<&'a str>,
    /// An object in whose `wait` it is. It has given up its lock, which the dump calls locked all the same.
    given_up: Option<&'a str>,
    held: Vec<&'a str>,
    has_limit: bool,
}

/// Returns where each thread is, and which lock it waits for, if the holder is known.
pub(super) fn read(output: &str) -> Option<Parts> {
    if !output.contains("Full thread dump") {
        return None;
    }
    let threads = threads(output);
    let mut holders = BTreeMap::new();
    for thread in &threads {
        let held = thread
            .held
            .iter()
            .filter(|lock| Some(**lock) != thread.given_up);
        holders.extend(held.map(|lock| (*lock, thread.id)));
    }
    let mut parts = Parts::default();
    for thread in &threads {
        let holder = thread.wanted.and_then(|lock| holders.get(lock));
        if let Some(holder) = holder.filter(|holder| **holder != thread.id) {
            let wait = LockWait {
                holders: vec![*holder],
                has_limit: thread.has_limit,
            };
            parts.waits.insert(thread.id, wait);
        }
        parts
            .places
            .extend(place(&thread.frames).map(|place| (thread.id, place)));
    }
    Some(parts)
}

fn threads(output: &str) -> Vec<Thread<'_>> {
    let mut threads: Vec<Thread<'_>> = Vec::new();
    let mut is_in_thread = false;
    for line in output.lines() {
        if line.starts_with('"') {
            // The summary of deadlocks repeats the names, without ids.
            let id = native_id(line);
            is_in_thread = id.is_some();
            threads.extend(id.map(|id| Thread {
                id,
                ..Thread::default()
            }));
        } else if let Some(thread) = threads.last_mut().filter(|_| is_in_thread) {
            add(thread, line.trim_start());
        }
    }
    threads
}

/// The id that the system has for the thread, in hexadecimal or, since JDK 22, decimal. Only what comes before
/// it may be chosen by the program.
fn native_id(header: &str) -> Option<u32> {
    let (_, rest) = header.rsplit_once(" nid=")?;
    let word = rest.split_whitespace().next()?;
    match word.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => word.parse().ok(),
    }
}

fn add<'a>(thread: &mut Thread<'a>, line: &'a str) {
    if let Some(call) = line.strip_prefix("at ") {
        thread.frames.extend(frame(call));
    }
    thread.has_limit |= line.starts_with("java.lang.Thread.State: TIMED_WAITING");
    let Some(note) = line.strip_prefix("- ") else {
        return;
    };
    let Some(object) = address(note) else { return };
    if note.starts_with("waiting to lock") || note.starts_with("parking to wait for") {
        thread.wanted = Some(object);
    } else if note.starts_with("waiting to re-lock in wait()") {
        thread.wanted = Some(object);
        thread.given_up = Some(object);
    } else if note.starts_with("waiting on") {
        thread.given_up = Some(object);
    } else if note.starts_with("locked") || note.starts_with('<') {
        thread.held.push(object);
    }
}

fn address(note: &str) -> Option<&str> {
    let (_, rest) = note.split_once('<')?;
    Some(rest.split_once('>')?.0)
}

/// A call is `package.Class.method(module@version/File.java:12)`; what has a module belongs to the JDK.
fn frame(call: &str) -> Option<Frame<'_>> {
    let (function, place) = call.strip_suffix(')')?.split_once('(')?;
    let (module, line) = place.rsplit_once('/').unwrap_or(("", place));
    Some(Frame {
        function,
        line: line.to_owned(),
        is_library: module.contains('@'),
    })
}
