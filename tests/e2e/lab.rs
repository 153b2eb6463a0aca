//! The Freeze Lab's patterns in real windows. Times are measured here, so nothing else runs beside
//! these tests, and what other programs of the machine may have spoilt is tried again.

use serde_json::Value;

use crate::session::Session;

/// Other programs delay a frame now and then; of some tries the best one tells what ours do.
const TRIES: usize = 3;

/// Runs these patterns, or all, and gives back the report's patterns.
fn run(session: &Session, patterns: &[&str]) -> Vec<Value> {
    let args = ["lab", "run", "--secs", "1", "--format", "json"];
    let program = env!("CARGO_BIN_EXE_meanwhile");
    let json = session.tool(program, &[&args[..], patterns].concat());
    let json = json.expect("the patterns give figures");
    let json: Value = serde_json::from_str(&json).expect("stdout is JSON");
    json["patterns"]
        .as_array()
        .expect("they are a list")
        .clone()
}

fn number(half: &Value, path: &str) -> f64 {
    let value = half.pointer(path).and_then(Value::as_f64);
    value.unwrap_or_else(|| panic!("no {path} in {half}"))
}

#[test]
#[ignore = "needs a screen, and the machine to itself; tests/all.sh runs it"]
fn a_join_in_the_click_handler_freezes_the_window_for_the_work_and_its_fix_does_not() {
    let session = Session::start("lab-join");
    let mut seen = Vec::new();
    for _ in 0..TRIES {
        let halves = run(&session, &["join-in-click"]);
        let [bad, fixed] = &halves[..] else {
            panic!("not two halves: {halves:?}");
        };
        assert!(number(bad, "/frozen_ms") >= 0.9 * 1_000.0, "{bad}");
        assert!(number(bad, "/clicks/lost") > 0.0, "{bad}");
        let gap = number(fixed, "/frame_gap_ms/p99");
        let result = number(fixed, "/time_to_result_ms");
        if gap <= 20.0 && result <= 50.0 {
            return;
        }
        seen.push((gap, result));
    }
    panic!("99th percentile of the frame gaps and time to result, in ms: {seen:?}");
}

#[test]
#[ignore = "needs a screen, and the machine to itself; tests/all.sh runs it"]
fn every_bad_half_misbehaves_and_every_fixed_one_does_not() {
    let session = Session::start("lab-all");
    let mut left: Vec<String> = Vec::new();
    for _ in 0..TRIES {
        let patterns: Vec<&str> = left.iter().map(String::as_str).collect();
        let halves = run(&session, &patterns);
        let bad = halves.iter().filter(|half| half["variant"] == "bad");
        left = bad
            .filter(|half| half["verdict"]["reproduced"] != true)
            .map(|half| half["id"].as_str().unwrap().to_owned())
            .collect();
        if left.is_empty() {
            return;
        }
    }
    panic!("not reproduced: {left:?}");
}
