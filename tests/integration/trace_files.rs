//! Traces of other programs: what is read of them, what is left out and said, and what no file can do.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::Command;

use meanwhile::trace::{
    Frame, ReadTrace, ReadTraceError, Row, SpanOutcome, Statistics, Trace, compare, read_chrome,
    write_chrome,
};

/// Small files in the form in which these programs write theirs.
const CHROMIUM: &str = include_str!("traces/chromium.json");
const CLANG: &str = include_str!("traces/clang.json");
const CROX: &str = include_str!("traces/crox.json");
const NEXTEST: &str = include_str!("traces/nextest.json");
const TRACING_CHROME: &str = include_str!("traces/tracing-chrome.json");
const TRACING_CHROME_ASYNC: &str = include_str!("traces/tracing-chrome-async.json");

fn read(text: &str) -> ReadTrace {
    read_chrome(text.as_bytes()).expect("it is a trace")
}

/// Each lane with its group, and the spans of it as `row:name`.
fn lanes(trace: &Trace) -> Vec<(String, String)> {
    let lanes = trace.lanes().map(|(id, lane)| {
        let group = trace.group(id.group).map_or("", |group| &group.name);
        let rows = lane.rows().iter().enumerate();
        let spans = rows.flat_map(|(row, spans)| {
            let names = spans.iter().map(|span| trace.name(id.group, span.name));
            names
                .map(move |name| format!("{row}:{name}"))
                .collect::<Vec<_>>()
        });
        let spans = spans.collect::<Vec<_>>().join(" ");
        (format!("{group}/{}", lane.name), spans)
    });
    lanes.filter(|(_, spans)| !spans.is_empty()).collect()
}

fn assert_lanes(trace: &Trace, expected: &[(&str, &str)]) {
    let expected = expected.iter();
    let expected: Vec<_> = expected
        .map(|(lane, spans)| ((*lane).to_owned(), (*spans).to_owned()))
        .collect();
    assert_eq!(lanes(trace), expected);
}

#[test]
fn trace_of_chromium_is_read() {
    let ReadTrace { trace, notes } = read(CHROMIUM);
    assert_lanes(
        &trace,
        &[
            (
                "Browser/CrBrowserMain",
                "0:ThreadControllerImpl::RunTask 1:SimpleWatcher::OnHandleReady",
            ),
            ("Browser/URL_REQUEST", "0:URL_REQUEST"),
            ("Renderer/CrRendererMain", "0:ParseHTML 1:UpdateLayoutTree"),
        ],
    );
    assert_eq!((trace.flows().len(), trace.marks().len()), (1, 2));
    assert_eq!(
        notes,
        [
            "Left out: 1 counters.",
            "Left out: 2 events about objects, memory and clocks.",
            "Left out: 1 flows that are a part of a span.",
            "Left out: 1 samples.",
        ]
    );
}

#[test]
fn trace_of_clang_has_no_sums_in_it() {
    let ReadTrace { trace, notes } = read(CLANG);
    let spans = "0:ExecuteCompiler 1:Frontend 2:Source 3:Source";
    assert_lanes(&trace, &[("clang/clang++", spans)]);
    assert_eq!(notes, ["Left out: 2 sums of times, which are no spans."]);
}

#[test]
fn self_profile_of_rustc_has_no_second_lane() {
    let ReadTrace { trace, notes } = read(CROX);
    assert_lanes(
        &trace,
        &[
            (
                "Process 24140/Thread 3",
                "0:parse_crate 0:registered_lint_tools 0:lookup_stability \
                 1:metadata_decode_entry_stability",
            ),
            ("Process 24140/Thread 5", "0:codegen_module"),
        ],
    );
    let note =
        "Times are rounded, so 1 spans were changed by up to 1 µs to lie in others or follow them.";
    assert_eq!(notes, [note]);
}

#[test]
fn trace_of_nextest_says_which_test_failed() {
    let ReadTrace { trace, notes } = read(NEXTEST);
    assert_lanes(
        &trace,
        &[
            ("nextest run (default)/run", "0:test run 0:test run"),
            ("crate::bin/test/slot-0", "0:flaky 0:flaky 0:flaky"),
        ],
    );
    let rows = trace.lanes().flat_map(|(_, lane)| lane.rows());
    let outcomes: Vec<_> = rows.flat_map(Row::iter).map(|span| span.outcome).collect();
    let none = SpanOutcome::None;
    let expected = [none, none, SpanOutcome::Failed, none, SpanOutcome::Returned];
    assert_eq!(outcomes, expected);
    assert_eq!((trace.flows().len(), trace.marks().len()), (1, 2));
    assert_eq!(notes, ["Left out: 2 counters."]);
}

#[test]
#[ignore = "needs the example `spans` of the library; tests/all.sh runs it"]
fn spans_of_the_example_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("spans.trace.json");
    let program = Path::new(env!("CARGO_BIN_EXE_meanwhile"));
    let example = program.with_file_name("examples").join("spans");
    let status = Command::new(example).arg(&file).status();
    assert!(status.expect("the example starts").success());
    let ReadTrace { trace, notes } =
        read_chrome(File::open(&file).expect("a file")).expect("it is a trace");
    let seen: BTreeMap<_, _> = lanes(&trace).into_iter().collect();
    for name in ["apples", "cherries", "pears", "plums"] {
        let lane = seen
            .iter()
            .find(|(lane, _)| lane.ends_with(&format!("/{name}")));
        let spans = lane.map(|(_, spans)| spans.as_str());
        // The library has a span for each task, and the instrumented code is in it.
        assert_eq!(spans, Some("0:task 1:bake 2:cut 2:heat"), "{name}");
    }
    assert_eq!(notes, Vec::<String>::new());
}

#[test]
fn traces_of_tracing_chrome_are_read() {
    // A program that was killed has not written the end.
    let ReadTrace { trace, notes } = read(TRACING_CHROME);
    assert_lanes(
        &trace,
        &[
            ("Process 1/main", "0:outer 1:inner"),
            ("Process 1/1", "0:on thread"),
        ],
    );
    assert_eq!((notes, trace.marks().len()), (vec![], 1));
    let ReadTrace { trace, notes } = read(TRACING_CHROME_ASYNC);
    assert_lanes(
        &trace,
        &[
            ("Process 1/outer", "0:outer"),
            ("Process 1/inner", "0:inner"),
        ],
    );
    assert!(notes.is_empty(), "{notes:?}");
}

/// An input without an end, which counts what is read of it.
struct Endless<'a> {
    begin: &'a [u8],
    read: u64,
}

impl Read for Endless<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = match self.begin.read(buffer)? {
            0 => {
                buffer.fill(b'a');
                buffer.len()
            }
            read => read,
        };
        self.read += read as u64;
        Ok(read)
    }
}

#[test]
fn event_without_end_is_not_read_into_memory() {
    for begin in [
        r#"[{"ph":"X","name":""#,
        r#"{"traceEvents":[{"ph":"X","args":{"x":""#,
        r#"{"a field with a name"#,
    ] {
        let mut input = Endless {
            begin: begin.as_bytes(),
            read: 0,
        };
        let refused = read_chrome(&mut input);
        assert!(
            matches!(refused, Err(ReadTraceError::TooLong)),
            "{begin}: {refused:?}"
        );
        assert!(input.read < 20 << 20, "{begin}: {} bytes", input.read);
    }
}

#[test]
fn what_comes_before_an_endless_event_is_kept() {
    let begin = br#"[{"ph":"X","ts":1,"dur":1,"pid":1,"tid":1,"name":"a"},{"name":""#;
    let read = read_chrome(Endless { begin, read: 0 }).expect("it has a span");
    assert_eq!(read.trace.len(), 1);
    let note =
        "What follows is left out, for something in it is longer than 16 MiB, which no event is.";
    assert_eq!(read.notes, [note]);
}

#[test]
fn what_is_passed_over_may_be_long() {
    let long = "a".repeat(17 << 20);
    let text = format!(r#"{{"metadata":"{long}","traceEvents":[{{"ph":"X","ts":1,"name":"a"}}]}}"#);
    assert_eq!(read(&text).trace.len(), 1);
}

#[test]
fn compressed_trace_that_is_cut_off_is_read_so_far() {
    use std::io::Write as _;
    let event = r#"{"ph":"X","ts":1,"dur":1,"pid":1,"tid":1,"name":"a"},"#;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    write!(gzip, "[{}", event.repeat(10_000)).expect("memory takes it");
    let bytes = gzip.finish().expect("memory takes it");
    let read = read_chrome(&bytes[..bytes.len() / 2]).expect("it has spans");
    assert!(read.trace.len() > 4_000, "{}", read.trace.len());
    assert!(
        read.notes[0].contains("could not be read to its end"),
        "{:?}",
        read.notes
    );
}

#[test]
fn long_names_are_kept_only_as_far_as_there_is_room() {
    // Each is read into memory on its own, and all together would fill it.
    let long = "a".repeat(12 << 20);
    let events = (0..4).map(|number| {
        format!(r#"{{"ph":"X","ts":{number},"dur":1,"pid":1,"tid":1,"name":"{number}{long}"}}"#)
    });
    let text = format!("[{}]", events.collect::<Vec<_>>().join(","));
    let ReadTrace { trace, notes } = read(&text);
    assert_eq!(trace.len(), 2);
    assert!(
        notes[0].contains("long names that there is no room for"),
        "{notes:?}"
    );
}

/// The next number of a sequence that is the same in every run (xorshift, G. Marsaglia 2003).
fn next(seed: &mut u64) -> usize {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    usize::try_from(*seed >> 33).unwrap_or(0)
}

/// Pieces that mean something in such files.
const PIECES: [&str; 16] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    "\"",
    "null",
    "-1",
    "1e308",
    "\"ph\":\"B\"",
    "\"ph\":\"E\"",
    "\"ts\":\"x\"",
    "\"dur\":-5",
    "\"args\":{\"item\":4294967295}",
    "\"pid\":[]",
    "\\ud800",
];

fn mutated(file: &[u8], seed: &mut u64) -> Vec<u8> {
    let mut bytes = file.to_vec();
    for _ in 0..=next(seed) % 4 {
        let at = next(seed) % bytes.len().max(1);
        let end = (at + next(seed) % 60).min(bytes.len());
        match next(seed) % 6 {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let copy = bytes[at..end].to_vec();
                let to = next(seed) % (bytes.len() + 1);
                drop(bytes.splice(to..to, copy));
            }
            3 => drop(bytes.splice(at..at, PIECES[next(seed) % PIECES.len()].bytes())),
            4 => drop(bytes.splice(at..end, PIECES[next(seed) % PIECES.len()].bytes())),
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = next(seed).to_le_bytes()[0];
                }
            }
        }
    }
    bytes
}

#[test]
fn ten_thousand_damaged_files_are_read_or_refused() {
    let mut own = Vec::new();
    write_chrome(&read(NEXTEST).trace, &mut own).expect("memory takes it");
    let own = String::from_utf8(own).expect("it is text");
    let files = [
        CHROMIUM,
        CLANG,
        CROX,
        NEXTEST,
        TRACING_CHROME,
        TRACING_CHROME_ASYNC,
        &own,
    ];
    let mut seed = 0x9E37_79B9_7F4A_7C15;
    let (mut read, mut refused) = (0, 0);
    for round in 0..10_000 {
        let bytes = mutated(files[round % files.len()].as_bytes(), &mut seed);
        match read_chrome(bytes.as_slice()) {
            Ok(found) => {
                read += 1;
                // What was read can be written, and is read again as it is.
                let mut written = Vec::new();
                write_chrome(&found.trace, &mut written).expect("memory takes it");
                let again = read_chrome(written.as_slice());
                assert_eq!(
                    again.map(|again| (again.trace.len(), again.notes)).ok(),
                    Some((found.trace.len(), vec![])),
                    "round {round}: {}",
                    String::from_utf8_lossy(&bytes)
                );
            }
            Err(error) => {
                refused += 1;
                assert!(!error.to_string().is_empty());
            }
        }
    }
    assert!(
        read > 5_000 && refused > 500,
        "{read} read, {refused} refused"
    );
}

#[test]
fn spans_within_spans_by_the_thousand_are_read() {
    // Each lies in the one before it, by three kinds of events.
    let depth = 100_000;
    let all = |event: fn(usize) -> String| (0..depth).map(event).collect::<Vec<_>>().join(",");
    for events in [
        all(|at| format!(r#"{{"ph":"B","ts":{at},"name":"a"}}"#)),
        all(|at| {
            format!(
                r#"{{"ph":"X","ts":{at},"dur":{},"name":"a"}}"#,
                300_000 - 2 * at
            )
        }),
        all(|at| format!(r#"{{"ph":"b","ts":{at},"id":1,"name":"a"}}"#)),
    ] {
        let found = read(&format!("[{events}]"));
        assert_eq!((found.trace.len(), found.notes), (depth, vec![]));
    }
}

#[test]
fn numbers_of_items_take_no_memory_of_their_own() {
    // Each process would have two million items.
    let events = (0..200).map(|pid| {
        format!(r#"{{"ph":"X","ts":1,"dur":1,"pid":{pid},"name":"a","args":{{"item":1999999}}}}"#)
    });
    let events = events.collect::<Vec<_>>().join(",");
    let found = read(&format!(
        r#"{{"meanwhile":{{"version":1}},"traceEvents":[{events}]}}"#
    ));
    assert_eq!((found.trace.len(), lanes(&found.trace).len()), (200, 200));
}

#[test]
fn one_long_name_is_not_kept_for_each_that_has_it() {
    // A compressed file of this is small.
    let long = "a".repeat(23 << 19);
    for event in [
        r#""ph":"i","name":"LONG""#,
        r#""ph":"M","name":"process_name","args":{"name":"LONG"}"#,
        r#""ph":"b","id":1,"name":"LONG""#,
    ] {
        let text = event.replace("LONG", &long);
        let events = (0..3).map(|pid| format!(r#"{{{text},"ts":1,"pid":{pid}}}"#));
        let events = events.collect::<Vec<_>>().join(",");
        let found = read(&format!(r#"[{{"ph":"X","ts":1,"name":"b"}},{events}]"#));
        let note = "events with long names that there is no room for";
        let said = found.notes.iter().any(|it| it.contains(note));
        assert!(said, "{event}: {:?}", found.notes);
    }
}

#[test]
fn times_after_a_hundred_days_come_back_exactly() {
    // No floating-point number has these nanoseconds.
    let begin = 20_000_000_000_000.001_f64;
    let events = format!(
        r#"{{"ph":"X","ts":{begin:.3},"dur":1,"pid":1,"tid":1,"name":"a"}},
        {{"ph":"X","ts":"20000000000001.123","dur":"0.0016","pid":1,"tid":1,"name":"b"}},
        {{"ph":"X","ts":0,"dur":1,"pid":1,"tid":2,"name":"c"}},
        {{"ph":"i","ts":9e300,"pid":1,"tid":2,"name":"d"}}"#
    );
    let found = read(&format!("[{events}]")).trace;
    let spans: Vec<_> = found
        .lanes()
        .flat_map(|(_, lane)| lane.rows())
        .flat_map(Row::iter)
        .map(|span| (span.began(), span.ended()))
        .collect();
    assert_eq!(
        spans[1],
        (20_000_000_000_001_123, Some(20_000_000_000_001_125))
    );
    let mut written = Vec::new();
    write_chrome(&found, &mut written).expect("memory takes it");
    let again = read_chrome(written.as_slice())
        .expect("it is a trace")
        .trace;
    assert_eq!((again.len(), again.marks()), (found.len(), found.marks()));
    let rows = again.lanes().flat_map(|(_, lane)| lane.rows());
    let again: Vec<_> = rows
        .flat_map(Row::iter)
        .map(|span| (span.began(), span.ended()))
        .collect();
    assert_eq!(spans, again);
}

#[test]
fn flows_that_lead_nowhere_are_counted() {
    let flow = |ph: &str, id: u8, ts: u8| {
        format!(r#"{{"ph":"{ph}","id":{id},"ts":{ts},"pid":1,"tid":1,"name":"a"}}"#)
    };
    let events = [
        flow("s", 1, 0),
        flow("s", 1, 1),
        flow("t", 1, 2),
        flow("f", 2, 3),
        flow("s", 3, 4),
    ];
    let found = read(&format!("[{}]", events.join(",")));
    assert_eq!(found.trace.flows().len(), 1);
    assert_eq!(
        found.notes,
        [
            "Left out: 1 flows without a begin.",
            "Left out: 2 flows without an end."
        ]
    );
}

#[test]
fn endless_spans_and_frames_overflow_no_sum() {
    let far = 3_900_000_000_000_000_u64;
    let spans = (0..9)
        .map(|tid| format!(r#"{{"ph":"X","ts":1,"dur":{far},"pid":1,"tid":{tid},"name":"a"}}"#));
    let mut events: Vec<_> = spans.collect();
    events.push(r#"{"ph":"C","ts":5,"name":"frame time (ms)","args":{"took":1e300}}"#.to_owned());
    let found = read(&format!("[{}]", events.join(","))).trace;
    let (group, _) = found.groups().next().expect("there is one");
    let figures = Statistics::of(&found, group, found.last_at()).expect("it has spans");
    assert_eq!(figures.items, 9);
    let none = compare(&Trace::default(), &found);
    assert_eq!(none.differences[0].count, 9);
    assert_eq!(found.frames().between(6, u64::MAX).count(), 1);
}

#[test]
fn span_that_goes_on_comes_back_as_long_as_it_was() {
    // The last event is a counter that never changes, which is not written.
    let found = read(
        r#"[{"ph":"X","ts":0,"pid":1,"tid":1,"name":"a"},
        {"ph":"C","ts":500,"pid":1,"name":"b","args":{"value":0}}]"#,
    );
    let mut written = Vec::new();
    write_chrome(&found.trace, &mut written).expect("memory takes it");
    let again = read_chrome(written.as_slice()).expect("it is a trace");
    assert_eq!(
        (found.trace.last_at(), again.trace.last_at()),
        (500_000, 500_000)
    );
}

#[test]
fn processes_with_odd_numbers_are_no_single_group() {
    let event = |pid: &str| format!(r#"{{"ph":"X","ts":1,"dur":1,"pid":"{pid}","name":"a"}}"#);
    let events = ["", "0", "00", "1", "x"].map(event).join(",");
    let found = read(&format!(
        r#"{{"meanwhile":{{"version":1}},"traceEvents":[{events}]}}"#
    ));
    let groups = found.trace.groups();
    let lens: Vec<_> = groups.map(|(_, group)| group.len()).collect();
    assert_eq!(lens, [1; 5]);
}

#[test]
fn frames_of_one_time_come_back_in_their_order() {
    let mut trace = Trace::default();
    let cause = trace.add_frame_cause("a key");
    for (took, cause) in [(3, cause), (2, None), (3, None)] {
        trace.add_frame(Frame { at: 1, took, cause });
    }
    let mut written = Vec::new();
    write_chrome(&trace, &mut written).expect("memory takes it");
    let again = read_chrome(written.as_slice())
        .expect("it is a trace")
        .trace;
    let seen = |trace: &Trace| -> Vec<_> {
        let frames = trace.frames().iter();
        let seen = frames.map(|frame| (frame.took, trace.frames().cause(frame).is_some()));
        seen.collect()
    };
    assert_eq!(seen(&again), seen(&trace));
}
