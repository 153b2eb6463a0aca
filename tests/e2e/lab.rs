//! The Freeze Lab's patterns in real windows. Nothing else may run beside these tests, because they
//! measure times. A pattern disturbed by another program is measured again.

use meanwhile::lab::PatternId;
use serde_json::Value;

use crate::session::Session;
use crate::window::program;

const TRIES: usize = 3;

/// Runs these patterns, or all, and returns the report's entry of each variant.
fn run(session: &Session, patterns: &[&str]) -> Vec<Value> {
    let args = ["lab", "run", "--secs", "1", "--format", "json"];
    let program = session.readable(&program());
    let json = session.tool(&program, &[&args[..], patterns].concat());
    let json = json.expect("the patterns have figures");
    let json: Value = serde_json::from_str(&json).expect("stdout is JSON");
    json["patterns"].as_array().expect("a list").clone()
}

fn number(entry: &Value, path: &str) -> f64 {
    let value = entry.pointer(path).and_then(Value::as_f64);
    value.unwrap_or_else(|| panic!("no {path} in {entry}"))
}

#[test]
#[ignore = "needs a screen, and the machine to itself; tests/all.sh runs it"]
fn join_in_click_freezes_only_the_bad_variant() {
    let session = Session::start("lab-join");
    let mut failures = Vec::new();
    for _ in 0..TRIES {
        let variants = run(&session, &["join-in-click"]);
        let [bad, fixed] = &variants[..] else {
            panic!("not two variants: {variants:?}");
        };
        assert!(number(bad, "/frozen_ms") >= 0.9 * 1_000.0, "{bad}");
        assert!(number(bad, "/clicks/lost") > 0.0, "{bad}");
        let threads = bad["threads"].as_array().expect("a list");
        let has_name = threads.iter().any(|thread| thread["name"] == "work");
        assert!(has_name, "the joined thread: {threads:?}");
        let because = bad["because"].as_str().unwrap_or_default();
        assert!(
            because.starts_with("waits for thread `work` to end, which "),
            "{bad}"
        );
        let gap = number(fixed, "/frame_gap_ms/p99");
        let result = number(fixed, "/time_to_result_ms");
        if gap <= 20.0 && result <= 50.0 {
            return;
        }
        failures.push((gap, result));
    }
    panic!("p99 of the frame gaps and time to result, in ms: {failures:?}");
}

/// What is wrong with a variant, by the metric of its pattern.
pub(crate) fn fault(entry: &Value) -> Option<String> {
    let id = entry["id"].as_str().expect("a name");
    let id: PatternId = id.parse().expect("a pattern");
    let variant = &entry["variant"];
    if variant == "bad" {
        let reproduced = entry["verdict"]["reproduced"] == true;
        return (!reproduced).then(|| format!("{id} bad: not reproduced, {}", entry["verdict"]));
    }
    let (metric, max) = (id.entry().metric, id.entry().fixed_max);
    // JSON has no infinity, the value of a result that was never shown.
    let value = entry.pointer("/value/median").and_then(Value::as_f64);
    let value = value.unwrap_or(f64::INFINITY);
    let (text, max_text) = (metric.text(value), metric.short_text(max));
    (value > max).then(|| format!("{id} fixed: {text}, above {max_text}"))
}

#[test]
#[ignore = "needs a screen, and the machine to itself; tests/all.sh runs it"]
fn bad_variants_misbehave_and_fixed_ones_do_not() {
    let session = Session::start("lab-all");
    assert_patterns(&session, &[], fault);
}

/// Fails if one of these patterns, or of all, has a fault each time that it is measured.
pub(crate) fn assert_patterns(
    session: &Session,
    patterns: &[&str],
    fault: impl Fn(&Value) -> Option<String>,
) {
    let mut left: Vec<String> = patterns.iter().map(|id| (*id).to_owned()).collect();
    let mut faults = Vec::new();
    for _ in 0..TRIES {
        let patterns: Vec<&str> = left.iter().map(String::as_str).collect();
        let variants = run(session, &patterns);
        faults = variants.iter().filter_map(&fault).collect();
        let failed = variants.iter().filter(|entry| fault(entry).is_some());
        left = failed
            .map(|entry| entry["id"].as_str().expect("a name").to_owned())
            .collect();
        left.dedup();
        if left.is_empty() {
            return;
        }
    }
    panic!("{faults:#?}");
}
