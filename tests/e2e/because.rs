//! Why each bad twin of the Freeze Lab misbehaves, with each kind of work. It takes minutes, and nothing else may
//! run beside it; the step `because` of tests/all.sh runs it.

use std::fs::File;

use meanwhile::lab::PatternId;
use meanwhile::trace::{Change, Difference, compare, read_chrome};
use serde_json::Value;

use crate::session::Session;

/// The bad twins of which at least so many are explained with all kinds of work, of 18.
const LEAST: usize = 16;

/// How a right sentence begins. Nothing if the twin behaves well with this work.
fn right(pattern: &str, work: &str) -> Option<&'static str> {
    let joined = match work {
        "sleep" => "waits for thread `work` to end, which sleeps",
        _ => "waits for thread `work` to end, which ",
    };
    Some(match pattern {
        "join-in-click" | "join-on-close" => joined,
        "join-timeout-in-click" | "join-timeout-per-frame" => "waits for task `work` to end",
        // The messages and the lock are those of std.
        "recv-per-frame" | "lock-held-by-worker" => {
            "waits to be woken by another thread, which one is not recorded"
        }
        "work-in-ui" if work == "sleep" => "sleeps",
        "work-in-ui" | "unbounded-drain" | "unvirtualised-log" => "computed for ",
        // The bus by which the desktop shows the dialog.
        "dialog-in-ui" => "waits for the socket `",
        "thread-starvation" if work == "sleep" => return None,
        "thread-starvation" => "starved by ",
        "repaint-every-frame" => "draws frame after frame while the work runs",
        "no-wake" => "waits for input: nothing woke it",
        "wake-before-publish" => "was woken before the result was there",
        "poll-in-ui-only" => "ran while it was hidden",
        "panic-unwrapped" => "the UI thread panicked: called `Result::unwrap()`",
        "wake-per-update" => "wakes the window ",
        "endless-spinner" => "each frame asks for the next one",
        other => panic!("{other} has no sentence here"),
    })
}

/// Whether a sentence is right; `None` if there is none.
fn judge(entry: &Value, work: &str) -> Option<bool> {
    let pattern = entry["id"].as_str().expect("a name");
    let said = entry["because"].as_str();
    match (said, right(pattern, work)) {
        (Some(said), Some(right)) => {
            let other = "waits for another thread, while too many threads";
            let starves = pattern == "thread-starvation" && said.starts_with(other);
            Some(said.starts_with(right) || starves)
        }
        (Some(_), None) => Some(false),
        (None, Some(_)) => None,
        (None, None) => Some(true),
    }
}

#[test]
#[ignore = "needs a screen, and the machine to itself; tests/all.sh runs it"]
fn bad_twins_say_why_with_every_kind_of_work() {
    let session = Session::start("lab-because");
    let mut lines = Vec::new();
    let mut wrong = 0;
    let mut unknown = std::collections::BTreeSet::new();
    let mut patterns = 0;
    for work in ["hash", "sleep", "file"] {
        let program = env!("CARGO_BIN_EXE_meanwhile");
        let args = [
            "lab",
            "run",
            "--variant",
            "bad",
            "--secs",
            "1",
            "--format",
            "json",
            "--work",
            work,
        ];
        let json = session.tool(program, &args).expect("they have figures");
        let json: Value = serde_json::from_str(&json).expect("stdout is JSON");
        let entries = json["patterns"].as_array().expect("a list");
        patterns = entries.len();
        for entry in entries {
            let judged = judge(entry, work);
            lines.push(format!(
                "{work} {}: {} {judged:?}",
                entry["id"], entry["because"]
            ));
            wrong += usize::from(judged == Some(false));
            if judged.is_none() {
                unknown.insert(entry["id"].to_string());
            }
        }
    }
    println!("{}", lines.join("\n"));
    assert_eq!((wrong, patterns), (0, 18), "{lines:#?}");
    assert!(patterns - unknown.len() >= LEAST, "{lines:#?}");
}

/// The pairs of twins of which at least so many have the cured wait among the first differences, of 18.
const LEAST_CURED: usize = 16;
/// The differences that a user sees first.
const FIRST: usize = 3;

/// Whether a name of a trace is that of the cause. A trace has the same name for the same cause, so no time and
/// nothing that changes.
fn is_cause(pattern: &str, name: &str) -> bool {
    match right(pattern, "hash") {
        Some("computed for ") => name.starts_with("computes"),
        Some("starved by ") => {
            let other = "waits for another thread, while too many threads";
            name == "waits for a processor" || name.starts_with(other)
        }
        Some(right) => right.starts_with(name) || name.starts_with(right),
        None => false,
    }
}

#[test]
#[ignore = "needs a screen, and the machine to itself; tests/all.sh runs it"]
fn comparing_both_twins_names_the_cured_wait() {
    let session = Session::start("lab-cured");
    let file = session.home().join("lab.trace.json");
    let path = file.to_str().expect("plain text");
    let args = ["lab", "run", "--secs", "1", "--trace", path];
    session
        .tool(env!("CARGO_BIN_EXE_meanwhile"), &args)
        .expect("they have figures");
    let trace = File::open(&file).expect("it was written");
    let trace = read_chrome(trace).expect("it is a trace").trace;
    let (mut cured, mut lines) = (0, Vec::new());
    for pattern in PatternId::all().map(|id| id.to_string()) {
        let [bad, fixed] = ["bad", "fixed"].map(|variant| {
            let name = format!("{pattern}, {variant}");
            let mut groups = trace.groups();
            let group = groups.find(|(_, group)| group.name == name);
            let (id, _) = group.expect("each variant has run");
            trace.only(&[id])
        });
        let differences = compare(&bad, &fixed).differences;
        let first = &differences[..FIRST.min(differences.len())];
        let named = first.iter().find(|it| {
            matches!(it.change, Change::Vanished | Change::Shorter) && is_cause(&pattern, &it.name)
        });
        cured += usize::from(named.is_some());
        let said = match named {
            Some(named) => named.text(),
            None => format!(
                "not named: {:#?}",
                first.iter().map(Difference::text).collect::<Vec<_>>()
            ),
        };
        lines.push(format!("{pattern}: {said}"));
    }
    println!("{cured} of {} named\n{}", lines.len(), lines.join("\n"));
    assert_eq!(lines.len(), 18);
    assert!(cured >= LEAST_CURED, "{lines:#?}");
}
