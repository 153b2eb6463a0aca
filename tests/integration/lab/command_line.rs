//! `meanwhile lab` without a display.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use meanwhile::lab::PatternId;
use serde_json::Value;

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
