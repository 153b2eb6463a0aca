//! `meanwhile lab` without a display.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use meanwhile::lab::PatternId;
use serde_json::{Value, json};

fn meanwhile(args: &[&str], display: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meanwhile"));
    command.args(args).stdin(Stdio::null());
    for name in ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"] {
        command.env_remove(name);
    }
    command.envs(display.map(|display| ("DISPLAY", display)));
    command.output().expect("the program starts")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("plain text")
}

#[test]
fn lab_list_needs_no_display() {
    let listed = meanwhile(&["lab", "list"], None);
    assert_eq!(listed.status.code(), Some(0));
    let ids: Vec<_> = PatternId::all().map(|id| id.to_string()).collect();
    let lines = text(&listed.stdout).lines();
    let firsts = lines.map(|line| line.split(' ').next().unwrap());
    assert_eq!(firsts.collect::<Vec<_>>(), ids);
}

#[test]
fn lab_run_without_a_display_fails() {
    let refused = meanwhile(&["lab", "run"], None);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("The Freeze Lab needs one"));
    assert!(refused.stdout.is_empty());
}

#[test]
fn unknown_pattern_is_a_usage_error() {
    let refused = meanwhile(&["lab", "run", "join-in-clock"], None);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("join-in-clock"));
}

#[test]
fn endless_work_is_a_usage_error() {
    for args in [
        &["lab", "run", "join-in-click", "--secs", "1e19"][..],
        &["twin", "join-in-click", "bad", "--secs", "1e19"],
    ] {
        let refused = meanwhile(args, None);
        assert_eq!(refused.status.code(), Some(2), "{args:?}");
        assert!(text(&refused.stderr).contains("86400 seconds"), "{args:?}");
    }
}

#[test]
fn unreachable_display_fails_each_run() {
    let nowhere = PathBuf::from("unix:/nowhere/display:0");
    let args = ["lab", "run", "join-in-click", "--format", "json"];
    let failed = meanwhile(&args, nowhere.to_str());
    assert_eq!(failed.status.code(), Some(1));
    let json: Value = serde_json::from_slice(&failed.stdout).unwrap();
    let patterns = json["patterns"].as_array().unwrap();
    assert_eq!(patterns.len(), 2);
    for pattern in patterns {
        let why = pattern["ending"]["died"].as_str().unwrap();
        assert!(why.contains("could not open the measured window"), "{why}");
    }
}

#[test]
fn saved_reports_are_compared() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let report = |name: &str, cores: u8, bad: f64| {
        let value = |variant: &str, median: f64| json!({"id": "join-in-click", "variant": variant, "value": {"median": median}});
        let report = json!({
            "machine": {"cores": cores, "system": "a system", "renderer": "a renderer"},
            "patterns": [value("bad", bad), value("fixed", 100.0)],
        });
        let file = folder.path().join(name);
        std::fs::write(&file, report.to_string()).expect("the folder is ours");
        file.to_string_lossy().into_owned()
    };
    let (small, large) = (
        report("small.json", 2, 2000.0),
        report("a|b.json", 16, 200.0),
    );
    let compared = meanwhile(&["lab", "compare", &small, &large], None);
    assert_eq!(compared.status.code(), Some(0));
    let table = text(&compared.stdout);
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines[0], "| pattern | metric | small | a\\|b |");
    assert_eq!(lines[1], "|---|---|---|---|");
    let row = "| join-in-click | frozen time | 2.00 s / 100 ms (20×) | 200 ms / 100 ms (not reproduced) |";
    assert_eq!(lines[2], row);
    assert!(
        table.contains("\nsmall: Measured on 2 cores, a system, a renderer.\n"),
        "{table}"
    );

    let missing = meanwhile(&["lab", "compare", &small, "missing.json"], None);
    assert_eq!(missing.status.code(), Some(1));
    assert_eq!(text(&missing.stdout), "");
    let says = "missing.json can't be read: No such file or directory (os error 2).";
    assert!(
        text(&missing.stderr).contains(says),
        "{}",
        text(&missing.stderr)
    );
}
