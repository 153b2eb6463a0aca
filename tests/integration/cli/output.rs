//! What a job prints, and its exit code.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::Stdio;

use meanwhile::trace::{Row, SpanOutcome, SpanState, read_chrome};

use super::{Running, code, err, json, meanwhile, out, run, states};

#[test]
fn successful_job_prints_results_and_exits_0() {
    for place in ["pool", "thread", "process"] {
        // A busy machine makes background work wait, and then progress is printed.
        let soon = ["--priority", "normal"];
        let output = run(&[&["run", "misbehave", "--on", place], &soon[..], &["a", "b"]].concat());
        assert_eq!(code(&output), 0);
        assert_eq!(out(&output), "a is done\nb is done\n");
        assert_eq!(err(&output), "");
    }
}

#[test]
fn failed_item_prints_error_and_exits_1() {
    let output = run(&[
        "run",
        "misbehave",
        "--end",
        "error",
        "--item",
        "1",
        "a",
        "b",
    ]);
    assert_eq!(code(&output), 1);
    assert_eq!(out(&output), "b is done\n");
    assert!(
        err(&output).starts_with("meanwhile: a: simulated failure\n"),
        "{}",
        err(&output)
    );
}

#[test]
fn panicked_item_prints_message_and_location() {
    let output = run(&[
        "run",
        "misbehave",
        "--end",
        "panic-string",
        "--item",
        "2",
        "a",
        "b",
    ]);
    assert_eq!(code(&output), 1);
    assert_eq!(out(&output), "a is done\n");
    let lines: Vec<&str> = err(&output).lines().collect();
    assert!(
        lines[0].starts_with("meanwhile: b panicked at "),
        "{lines:?}"
    );
    assert!(
        lines[0].ends_with(": b misbehaved: a simulated panic"),
        "{lines:?}"
    );
    assert_eq!(lines[1..], ["meanwhile: 2 items: 1 returned, 1 panicked"]);
}

#[test]
fn json_is_one_document_with_all_items() {
    for end in ["panic-str", "panic-string", "panic-other", "panic-in-drop"] {
        let output = run(&[
            "run",
            "misbehave",
            "--format",
            "json",
            "--end",
            end,
            "--item",
            "2",
        ]);
        assert_eq!(code(&output), 1);
        assert_eq!(err(&output), "");
        let json = json(&output);
        assert_eq!(json["job"], "misbehave");
        assert_eq!(json["state"], "failed");
        assert!(json["elapsed_secs"].as_f64().unwrap() >= 0.0);
        assert_eq!(states(&json), ["returned", "panicked", "returned"]);
        let panic = &json["items"][1]["panic"];
        assert!(
            panic["location"]
                .as_str()
                .unwrap()
                .contains("misbehave/mod.rs:")
        );
        assert!(!panic["message"].as_str().unwrap().is_empty());
    }
}

#[test]
fn details_of_a_panic_are_printed_on_demand() {
    let panic = ["run", "misbehave", "--end", "panic-string", "a"];
    let output = run(&panic);
    assert!(!err(&output).contains("thread: "), "{}", err(&output));
    let output = run(&[&panic[..], &["-v"]].concat());
    let mut lines = err(&output).lines();
    let sentence = lines.next().unwrap_or_default();
    assert!(sentence.starts_with("meanwhile: a panicked at src/"));
    let details: Vec<_> = lines.by_ref().take(2).collect();
    assert!(details[0].starts_with("    thread: "), "{details:?}");
    assert!(details[1].starts_with("    task: "), "{details:?}");
}

#[test]
fn panic_while_planning_is_printed_and_exits_1() {
    let output = run(&["run", "misbehave", "--end", "panic-in-plan", "--item", "2"]);
    assert_eq!(code(&output), 1);
    assert_eq!(out(&output), "item 1 is done\n");
    assert!(
        err(&output).contains("the job itself panicked at "),
        "{}",
        err(&output)
    );
}

#[test]
fn wrong_usage_exits_2_and_help_0() {
    for args in [
        &["run"][..],
        &["run", "nothing"],
        &["run", "checksum"],
        &["run", "misbehave", "--workers", "0"],
        &["run", "misbehave", "--priority", "high"],
        &["run", "misbehave", "--join-timeout", "-1"],
        &["run", "misbehave", "--join-timeout", "soon"],
        &["run", "misbehave", "--end", "well"],
    ] {
        let output = run(args);
        assert_eq!(code(&output), 2, "{args:?}");
        assert_eq!(out(&output), "");
        assert!(err(&output).contains("--help"), "{}", err(&output));
    }
    assert_eq!(code(&run(&["--help"])), 0);
    assert_eq!(code(&run(&["--version"])), 0);
}

#[test]
fn closed_stdout_cancels_the_job_without_a_message() {
    let args = ["run", "misbehave", "--count", "50000"];
    let child = meanwhile(&args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut running = Running(child.unwrap());
    drop(running.0.stdout.take());
    let mut err = String::new();
    running
        .0
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut err)
        .unwrap();
    assert_eq!(running.0.wait().unwrap().code(), Some(141));
    let is_progress = |line: &str| line.contains(" of ") && line.contains(" items");
    assert!(err.lines().all(is_progress), "{err}");
}

#[test]
fn full_disk_on_stdout_prints_error_and_exits_1() {
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let output = meanwhile(&["run", "misbehave", "a"])
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(code(&output), 1);
    assert!(
        err(&output).starts_with("meanwhile: the result could not be written"),
        "{}",
        err(&output)
    );
}

/// The spans of a trace file whose name begins with this, as outcome and state.
fn spans_in(trace: &Path, name: &str) -> Vec<(SpanOutcome, SpanState)> {
    let file = fs::File::open(trace).expect("it was written");
    let trace = read_chrome(file).expect("it is a trace").trace;
    let mut found = Vec::new();
    for (id, lane) in trace.lanes() {
        let spans = lane.rows().iter().flat_map(Row::iter);
        let spans = spans.filter(|span| trace.name(id.group, span.name).starts_with(name));
        found.extend(spans.map(|span| (span.outcome, span.state)));
    }
    found
}

/// Runs a job whose third item never ends, until its join times out. Writes its trace.
fn run_traced(place: &str, timeout: &str, trace: &Path) {
    let trace = trace.to_str().expect("plain text");
    let never_ends = ["--end", "sleep", "--item", "3", "--after", "600"];
    let waits = ["--join-timeout", timeout, "--trace", trace];
    let output = run(&[
        &["run", "misbehave", "--on", place, "--workers", "2"],
        &never_ends[..],
        &waits[..],
        &["a1", "a2", "a3"],
    ]
    .concat());
    assert_eq!(code(&output), 3, "{place}: {}", err(&output));
}

#[test]
fn trace_has_items_and_the_join_that_timed_out() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let trace = folder.path().join("job.trace.json");
    let runs = |outcome| (outcome, SpanState::Runs);
    for place in ["pool", "thread", "process"] {
        let expected = [
            SpanOutcome::Returned,
            SpanOutcome::Returned,
            SpanOutcome::Cancelled,
        ];
        let mut items = Vec::new();
        // A busy machine may start the items late.
        for timeout in ["1", "5", "25", "60"] {
            run_traced(place, timeout, &trace);
            items = spans_in(&trace, "a");
            items.sort();
            if items == expected.map(runs) {
                break;
            }
        }
        assert_eq!(items, expected.map(runs), "{place}");
        let join = (SpanOutcome::TimedOut, SpanState::WaitsUntilDeadline);
        assert_eq!(spans_in(&trace, "join"), [join], "{place}");
        let job = spans_in(&trace, "#1 Misbehave");
        assert_eq!(job, [runs(SpanOutcome::TimedOut)], "{place}");
    }
}

#[test]
fn trace_is_not_written_over_an_input() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let input = folder.path().join("input");
    fs::write(&input, "content").expect("the folder is ours");
    let path = input.to_str().expect("plain text");
    let output = run(&["run", "checksum", "--trace", path, path]);
    assert_eq!(code(&output), 1);
    assert!(
        err(&output).contains("was not replaced"),
        "{}",
        err(&output)
    );
    let kept = fs::read_to_string(&input).expect("it is there");
    assert_eq!(kept, "content");
}

#[test]
fn trace_does_not_cost_the_result() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let path = |name: &str| folder.path().join(name).to_str().map(str::to_owned);
    let [input, list, trace] =
        ["input", "list", "none/trace"].map(|name| path(name).expect("plain text"));
    fs::write(&input, "content").expect("the folder is ours");
    let job = ["run", "checksum", "--output", &list, &input, "--trace"];
    let output = run(&[&job[..], &[&trace]].concat());
    assert_eq!(code(&output), 1, "{}", err(&output));
    let saved = fs::read_to_string(&list).expect("the list was saved");
    assert!(saved.contains("input"), "{saved}");
    let output = run(&[&job[..], &[&list]].concat());
    assert_eq!(code(&output), 2, "{}", err(&output));
    assert!(
        err(&output).contains("both the result and the trace"),
        "{}",
        err(&output)
    );
    assert_eq!(fs::read_to_string(&list).expect("it is there"), saved);
}
