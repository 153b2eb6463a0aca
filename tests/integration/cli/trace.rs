//! `meanwhile trace`: the figures and the values of the trace of a run.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{NORMAL, code, err, out, run};

/// The trace of a job with these items, of which the second fails.
fn traced(folder: &Path, items: &[&str]) -> PathBuf {
    let trace = folder.join("job.trace.json");
    let file = trace.to_str().expect("plain text");
    let fails = ["--end", "error", "--item", "2", "--trace", file];
    let args = [&["run", "misbehave"], &NORMAL[..], &fails, items].concat();
    let output = run(&args);
    assert_eq!(code(&output), 1, "{}", err(&output));
    trace
}

/// The output of `meanwhile trace`.
fn printed(command: &str, trace: &Path, options: &[&str]) -> String {
    let file = trace.to_str().expect("plain text");
    let output = run(&[&["trace", command, file], options].concat());
    assert_eq!((code(&output), err(&output)), (0, ""));
    out(&output).to_owned()
}

#[test]
fn statistics_of_a_trace_count_its_items() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let trace = traced(folder.path(), &["a", "b", "c"]);
    let text = printed("statistics", &trace, &[]);
    assert!(text.starts_with("#1 Misbehave\n"), "{text}");
    assert!(text.contains("items  3, 1 failed\n"), "{text}");
    let json: Value =
        serde_json::from_str(&printed("statistics", &trace, &["--json"])).expect("it is JSON");
    assert_eq!(
        (&json[0]["items"], &json[0]["failed"]),
        (&3.into(), &1.into())
    );
    let path = &json[0]["critical_path"];
    let part = |name| path[name].as_f64().expect("a number");
    let elapsed = json[0]["elapsed_secs"].as_f64().expect("a number");
    assert!((part("busy_secs") + part("waiting_secs") - elapsed).abs() < 1e-6);
}

#[test]
fn values_of_a_trace_hold_no_formula() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let trace = traced(folder.path(), &["=1+1", "with, \"comma\"", "c"]);
    let all = printed("csv", &trace, &[]);
    let mut lines = all.split_terminator("\r\n");
    assert_eq!(
        lines.next(),
        Some("kind,group,lane,name,state,outcome,began_secs,ended_secs,took_secs")
    );
    let lines: Vec<_> = lines.collect();
    assert_eq!(lines.len(), 3, "{all}");
    assert!(all.contains(",'=1+1,runs,returned,"), "{all}");
    assert!(
        all.contains(",\"with, \"\"comma\"\"\",runs,failed,"),
        "{all}"
    );
    assert_eq!(printed("csv", &trace, &["--items"]), all);
    assert_eq!(
        printed("csv", &trace, &["--waits", "--frames"])
            .lines()
            .count(),
        1
    );
}

#[test]
fn file_without_a_trace_is_refused_in_a_sentence() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let file = folder.path().join("notes.txt");
    fs::write(&file, "no trace").expect("it is written");
    for command in ["statistics", "csv"] {
        let output = run(&["trace", command, file.to_str().expect("plain text")]);
        assert_eq!((code(&output), out(&output)), (1, ""));
        assert!(
            err(&output).contains("can't be read as a trace: it is no trace"),
            "{}",
            err(&output)
        );
    }
}
