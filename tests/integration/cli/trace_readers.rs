//! The trace of a run, as programs of others read it: speedscope, the trace processor of Perfetto, and the Firefox
//! Profiler.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use meanwhile::lessons::LessonId;
use meanwhile::trace::{
    Flow, FlowKind, Frame, GroupId, Lane, LaneId, LaneKind, Mark, Row, SpanName, SpanOutcome,
    SpanState, Trace, read_chrome, write_chrome,
};
use serde_json::{Value, json};

use super::{NORMAL, code, err, run};
use crate::util::files::{folder, write};

/// The answer of Perfetto to a query.
type Rows = Vec<Vec<Value>>;

const SLICES: &str = "SELECT thread.tid, slice.ts, slice.dur, slice.name FROM slice
    JOIN thread_track ON slice.track_id = thread_track.id JOIN thread USING (utid)";
const ALL_SLICES: &str = "SELECT count(*) FROM slice";
const LANES: &str =
    "SELECT process.name, thread.tid, thread.name FROM thread JOIN process USING (upid)
    WHERE thread.name IS NOT NULL";
const FLOWS: &str = "SELECT args.string_value, min(begun.tid, ended.tid), max(begun.tid, ended.tid) FROM flow
    JOIN slice AS source ON source.id = flow.slice_out JOIN slice AS target ON target.id = flow.slice_in
    JOIN thread_track AS source_track ON source_track.id = source.track_id
    JOIN thread_track AS target_track ON target_track.id = target.track_id
    JOIN thread AS begun ON begun.utid = source_track.utid JOIN thread AS ended ON ended.utid = target_track.utid
    JOIN args ON args.arg_set_id = flow.arg_set_id AND args.key = 'name'";
const COUNTERS: &str = "SELECT process.pid, track.name, counter.ts, CAST(round(counter.value * 1000000) AS INT) FROM counter
    JOIN process_counter_track AS track ON counter.track_id = track.id JOIN process USING (upid)";
const ALL_COUNTERS: &str = "SELECT count(*) FROM counter";
const ERRORS: &str = "SELECT name, idx, value FROM stats
    WHERE severity IN ('error', 'data_loss') AND value > 0";

fn readers() -> PathBuf {
    let readers = std::env::var_os("MEANWHILE_TEST_TRACE_READERS");
    PathBuf::from(readers.expect("MEANWHILE_TEST_TRACE_READERS is a folder"))
}

/// What a script of `tests/trace_readers` prints about a trace.
fn read_with(script: &str, reader: &str, trace: &Path, args: &[&str]) -> Value {
    let readers = readers();
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/trace_readers");
    // The newest one that is needed, not that of the system.
    let output = Command::new(readers.join("node/bin/node"))
        .arg(scripts.join(script))
        .arg(readers.join(reader))
        .arg(trace)
        .args(args)
        .output()
        .expect("node starts");
    assert_eq!(code(&output), 0, "{script}: {}", err(&output));
    serde_json::from_slice(&output.stdout).expect("it prints JSON")
}

fn sorted<T: Ord>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut values: Vec<_> = values.collect();
    values.sort();
    values
}

/// The lanes, each with the number that it has in the file.
fn numbered(trace: &Trace) -> impl Iterator<Item = (usize, LaneId, &Lane)> {
    (1..)
        .zip(trace.lanes())
        .map(|(number, (id, lane))| (number, id, lane))
}

/// Perfetto has just what is in the trace, and no error.
fn assert_perfetto_takes_all(file: &Path, trace: &Trace) {
    let queries = [
        SLICES,
        ALL_SLICES,
        LANES,
        FLOWS,
        COUNTERS,
        ALL_COUNTERS,
        ERRORS,
    ];
    let answers = read_with("perfetto.js", "perfetto", file, &queries);
    let answers: Vec<Rows> = serde_json::from_value(answers).expect("rows of cells");
    let texts = |rows: &Rows| {
        sorted(
            rows.iter()
                .map(|row| serde_json::to_string(row).expect("it is JSON")),
        )
    };
    let [
        slices,
        all_slices,
        lanes,
        flows,
        counters,
        all_counters,
        errors,
    ] = &answers[..]
    else {
        panic!("one answer for each query");
    };
    let text = |value: Value| value.to_string();
    assert_eq!(texts(errors), Vec::<String>::new());

    let numbers: BTreeMap<LaneId, usize> = numbered(trace)
        .map(|(number, id, _)| (id, number))
        .collect();
    let spans = numbered(trace).flat_map(|(number, id, lane)| {
        let spans = lane.rows().iter().flat_map(Row::iter);
        spans.map(move |span| {
            let name = trace.name(id.group, span.name);
            let length = span.ended_by(trace.last_at()) - span.began();
            json!([number, span.began(), length, name]).to_string()
        })
    });
    let marks = trace
        .marks()
        .iter()
        .map(|mark| text(json!([numbers[&mark.lane], mark.at, 0, mark.text])));
    assert_same("slices", &texts(slices), &sorted(spans.chain(marks)));
    assert_eq!(all_slices[0][0], trace.len() + trace.marks().len());

    let expected = numbered(trace).map(|(number, id, lane)| {
        let group = trace.group(id.group).expect("it has this lane");
        text(json!([group.name, number, lane.name]))
    });
    assert_same("lanes", &texts(lanes), &sorted(expected));

    // Perfetto turns a flow round that ends in a slice which began before the other one.
    let expected = trace.flows().iter().map(|flow| {
        let kind = match flow.kind {
            FlowKind::Start => "start",
            FlowKind::Join => "join",
        };
        let (one, other) = (numbers[&flow.from.0], numbers[&flow.to.0]);
        text(json!([kind, one.min(other), one.max(other)]))
    });
    assert_same("flows", &texts(flows), &sorted(expected));

    let written = counters_in(file);
    assert_same("counters", &texts(counters), &written);
    assert_eq!(all_counters[0][0], counters.len());
}

/// A number times another one, as a whole number.
fn whole(number: &Value, by: f64) -> u64 {
    let number = number.as_f64().expect("a number") * by;
    format!("{number:.0}").parse().expect("it fits")
}

/// The values of counters in a file. Perfetto names each after its counter and its value; it has millionths here. A trace
/// that is read again may have fewer.
fn counters_in(file: &Path) -> Vec<String> {
    let file: Value =
        serde_json::from_reader(File::open(file).expect("it was written")).expect("it is JSON");
    let events = file["traceEvents"].as_array().expect("a list").iter();
    let values = events.filter(|event| event["ph"] == "C").flat_map(|event| {
        let args = event["args"].as_object().expect("values").iter();
        args.map(|(key, value)| {
            let name = format!("{} {key}", event["name"].as_str().expect("a text"));
            json!([
                event["pid"],
                name,
                whole(&event["ts"], 1e3),
                whole(value, 1e6)
            ])
            .to_string()
        })
    });
    sorted(values)
}

/// Fails with what differs alone: there are many. Both are sorted.
fn assert_same(what: &str, read: &[String], written: &[String]) {
    let differing = read
        .iter()
        .zip(written)
        .position(|(read, written)| read != written);
    let place = differing.unwrap_or(read.len().min(written.len()));
    assert!(
        read == written,
        "{what}: {} for {}, the first that differs is {:?} for {:?}",
        read.len(),
        written.len(),
        read.get(place),
        written.get(place)
    );
}

/// speedscope has each span with its length, and no warning.
fn assert_speedscope_takes_all(file: &Path, trace: &Trace) {
    let read = read_with("speedscope.js", "speedscope", file, &[]);
    assert_eq!(read["warnings"], json!([]));
    let profiles = read["profiles"].as_array().expect("a list");
    let nanos = |value: &Value| sorted(value.as_array().expect("a list").iter().map(Value::as_u64));
    let read = profiles.iter().map(|profile| {
        (
            profile["name"].as_str().expect("a text").to_owned(),
            nanos(&profile["nanos"]),
        )
    });
    let read: BTreeMap<_, _> = read.filter(|(_, nanos)| !nanos.is_empty()).collect();
    let written = numbered(trace).map(|(number, id, lane)| {
        let group = &trace.group(id.group).expect("it has this lane").name;
        let name = format!(
            "{group} (pid {}), {} (tid {number})",
            id.group.get(),
            lane.name
        );
        let spans = lane.rows().iter().flat_map(Row::iter);
        let lengths = spans.map(|span| span.ended_by(trace.last_at()) - span.began());
        (name, sorted(lengths.map(Some)))
    });
    let written: BTreeMap<_, _> = written.filter(|(_, nanos)| !nanos.is_empty()).collect();
    assert!(
        read == written,
        "{:?} for {:?}",
        read.keys(),
        written.keys()
    );
}

/// The Firefox Profiler has each span and each mark. It counts times from the first one.
fn assert_firefox_takes_all(file: &Path, trace: &Trace) {
    let read = read_with("firefox.js", "firefox", file, &[]);
    let read: Rows = serde_json::from_value(read).expect("markers");
    let read = read
        .into_iter()
        .map(|marker| Value::from(marker).to_string());
    let lanes = numbered(trace).map(|(number, id, _)| (id, number));
    let numbers: BTreeMap<LaneId, usize> = lanes.collect();
    let spans = numbered(trace).flat_map(|(number, id, lane)| {
        let spans = lane.rows().iter().flat_map(Row::iter);
        spans.map(move |span| {
            let length = span.ended_by(trace.last_at()) - span.began();
            let name = trace.name(id.group, span.name).into_owned();
            (number, span.began(), Some(length), name)
        })
    });
    let marks = trace.marks().iter();
    let marks = marks.map(|mark| (numbers[&mark.lane], mark.at, None, mark.text.clone()));
    let written: Vec<_> = spans.chain(marks).collect();
    let first = written.iter().map(|(_, at, ..)| *at).min().unwrap_or(0);
    let written = written
        .into_iter()
        .map(|(number, at, length, name)| json!([number, at - first, length, name]).to_string());
    assert_same("markers", &sorted(read), &sorted(written));
}

/// Reads the trace that the program wrote, and has the others read it.
fn assert_readers_take_all(file: &Path) -> Trace {
    let read = read_chrome(File::open(file).expect("it was written")).expect("it is a trace");
    assert!(read.notes.is_empty(), "{:?}", read.notes);
    assert_perfetto_takes_all(file, &read.trace);
    assert_speedscope_takes_all(file, &read.trace);
    assert_firefox_takes_all(file, &read.trace);
    read.trace
}

fn items_in(trace: &Trace) -> usize {
    let rows = trace.lanes().flat_map(|(_, lane)| lane.rows());
    let names = rows.flat_map(Row::iter).map(|span| span.name);
    names
        .filter(|name| matches!(name, SpanName::Item(_)))
        .count()
}

#[test]
#[ignore = "needs the readers of others; tests/all.sh runs it"]
fn readers_take_ten_thousand_items() {
    let folder = folder();
    let files = folder.path().join("files");
    for number in 0..10_000 {
        write(&files, format!("{number}"), number.to_string());
    }
    let files = files.to_str().expect("plain text");
    for place in ["pool", "process"] {
        let file = folder.path().join(format!("{place}.json"));
        let to = ["--trace", file.to_str().expect("plain text")];
        let on = ["--on", place, "--workers", "4"];
        let output = run(&[&["run", "checksum"], &NORMAL[..], &on, &to, &[files]].concat());
        assert_eq!(code(&output), 0, "{}", err(&output));
        let trace = assert_readers_take_all(&file);
        assert_eq!(items_in(&trace), 10_000, "{place}");
        assert!(!trace.flows().is_empty());
    }
}

#[test]
#[ignore = "needs the readers of others; tests/all.sh runs it"]
fn readers_take_odd_names_and_outcomes() {
    let folder = folder();
    let file = folder.path().join("job.json");
    let to = ["--trace", file.to_str().expect("plain text")];
    // Perfetto v52.0 leaves other escapes than those of quotation marks as they are, unless there is one
    // (findings/perfetto-backslash-at-end.sh).
    let names = [
        "\"quoted\"",
        "\"two\"\nlines\t\u{1b}\\x",
        "日本語 🦀 e\u{301}",
        "</script>",
        "a",
        " ",
        "%s",
        "never",
    ];
    let never_ends = [
        "--on", "thread", "--end", "sleep", "--item", "8", "--after", "600",
    ];
    let waits = ["--workers", "8", "--join-timeout", "5"];
    let args = [
        &["run", "misbehave"],
        &NORMAL[..],
        &never_ends,
        &waits,
        &to,
        &["--"],
        &names,
    ];
    let output = run(&args.concat());
    assert_eq!(code(&output), 3, "{}", err(&output));
    let trace = assert_readers_take_all(&file);
    assert_eq!(items_in(&trace), names.len());
    for end in ["error", "panic-str"] {
        let args = [
            "--end",
            end,
            "--item",
            "0",
            "--on",
            "process",
            "--workers",
            "2",
        ];
        let output = run(&[&["run", "misbehave"], &NORMAL[..], &args, &to, &names].concat());
        assert_eq!(code(&output), 1, "{}", err(&output));
        let trace = assert_readers_take_all(&file);
        assert_eq!(items_in(&trace), names.len(), "{end}");
    }
}

#[test]
#[ignore = "needs the readers of others; tests/all.sh runs it"]
fn readers_take_every_lesson() {
    let folder = folder();
    let file = folder.path().join("lesson.json");
    let to = file.to_str().expect("plain text");
    let mut marks = 0;
    for lesson in LessonId::all() {
        let id = lesson.lesson().id;
        let output = run(&["lesson", "run", id, "--speed", "20", "--trace", to]);
        assert_eq!(code(&output), 0, "{id}: {}", err(&output));
        marks += assert_readers_take_all(&file).marks().len();
    }
    assert!(marks > 100, "{marks}");
}

/// The next number of a sequence that is the same in every run (xorshift, G. Marsaglia 2003).
fn next(seed: &mut u64) -> usize {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    usize::try_from(*seed >> 33).unwrap_or(0)
}

/// Begins and ends spans in a lane until this time, some of which take no time or touch others.
fn fill(trace: &mut Trace, lane: LaneId, mut at: u64, until: u64, seed: &mut u64) {
    let mut open = 0;
    while at < until {
        if open < 4 && next(seed).is_multiple_of(2) {
            let name = trace.add_text(&format!("span {}", next(seed) % 100));
            trace.begin(lane, at, name, SpanState::Runs);
            open += 1;
        } else if open > 0 {
            trace.end(lane, at, SpanOutcome::Returned);
            open -= 1;
        }
        let gaps = [0, 0, 1, 2, 100, 12_345];
        at += gaps[next(seed) % gaps.len()];
    }
}

/// Lanes of several groups, with all that a trace can have.
fn made_up(start: u64, seed: &mut u64) -> Trace {
    let mut trace = Trace::default();
    let mut lanes = Vec::new();
    for group in (0..4).map(GroupId::new) {
        trace.add_group(group, format!("group {}", group.get()));
        for number in 0..3 {
            let lane = trace
                .add_lane(group, format!("lane {number}"), LaneKind::Thread)
                .expect("there is room");
            let whole = trace.add_text("whole");
            trace.begin(lane, start, whole, SpanState::Runs);
            fill(&mut trace, lane, start, start + 2_000_000, seed);
            lanes.push(lane);
        }
        let counter = trace
            .add_counter(group, "Waiting items")
            .expect("there is room");
        for step in 1..100 {
            trace.set_counter(counter, start + step * 1_000, (next(seed) % 1_000) as u64);
        }
    }
    for _ in 0..1_000 {
        let mut end = || {
            (
                lanes[next(seed) % lanes.len()],
                start + (next(seed) % 2_000_000) as u64,
            )
        };
        let (one, other) = (end(), end());
        let (from, to) = if one.1 < other.1 {
            (one, other)
        } else {
            (other, one)
        };
        let kind = FlowKind::Join;
        trace.add_flow(Flow { kind, from, to });
        let (lane, at) = from;
        trace.add_mark(Mark {
            at,
            lane,
            text: "a mark".to_owned(),
        });
    }
    for number in 1..100 {
        let cause = trace.add_frame_cause("src/app/frame.rs:1");
        trace.add_frame(Frame {
            at: start + number * 10_000,
            took: number * 1_001,
            cause,
        });
    }
    trace
}

#[test]
#[ignore = "needs the readers of others; tests/all.sh runs it"]
fn readers_take_spans_that_touch_and_take_no_time() {
    let folder = folder();
    let mut seed = 0x9E37_79B9_7F4A_7C15;
    for start in [0, 100_000_000_000_000] {
        let trace = made_up(start, &mut seed);
        let empty = trace
            .lanes()
            .flat_map(|(_, lane)| lane.rows())
            .flat_map(Row::iter);
        let empty = empty
            .filter(|span| span.ended() == Some(span.began()))
            .count();
        assert!(empty > 100, "{empty} of {}", trace.len());
        let file = folder.path().join("made-up.json");
        write_chrome(&trace, File::create(&file).expect("the folder is ours"))
            .expect("it is written");
        assert_perfetto_takes_all(&file, &trace);
        assert_speedscope_takes_all(&file, &trace);
    }
}
