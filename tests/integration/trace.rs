//! Traces: rows of spans, what is drawn of them, and files in the format of Chrome.

use meanwhile::trace::{
    CsvKind, Flow, FlowKind, Frame, GroupId, Lane, LaneId, LaneKind, Mark, Piece, ReadTraceError,
    Row, Search, SearchStep, Span, SpanId, SpanOutcome, SpanState, Trace, read_chrome,
    write_chrome, write_csv,
};
use proptest::prelude::*;

const GROUP: GroupId = GroupId::new(1);

fn lane(trace: &mut Trace, name: &str) -> LaneId {
    trace.add_group(GROUP, "group");
    let lane = trace.add_lane(GROUP, name, LaneKind::Thread);
    lane.expect("there is room")
}

/// A trace with one row of spans with these gaps before them and lengths.
fn row_of(spans: &[(u64, u64)]) -> Trace {
    let mut trace = Trace::default();
    let lane = lane(&mut trace, "lane");
    let name = trace.add_text("span");
    let mut at = 0;
    for (gap, length) in spans {
        let began = at + gap;
        at = began + length;
        let span = Span::open(began, name, SpanState::Runs).until(at, SpanOutcome::Returned);
        trace.add(lane, span).expect("it follows the one before");
    }
    trace
}

fn only_row(trace: &Trace) -> &Row {
    let (_, lane) = trace.lanes().next().expect("the one lane");
    &lane.rows()[0]
}

fn pieces(row: &Row, from: u64, until: u64, step: u64) -> Vec<Piece> {
    let mut pieces = Vec::new();
    row.pieces(from, until, step, |piece| pieces.push(piece));
    pieces
}

/// All that there is to see of a span.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    group: String,
    lane: String,
    row: usize,
    name: String,
    times: (u64, Option<u64>),
    state: SpanState,
    outcome: SpanOutcome,
}

fn contents(trace: &Trace) -> Vec<Seen> {
    let mut all = Vec::new();
    for (id, lane) in trace.lanes() {
        let group = trace.group(id.group).expect("it has the lane");
        for (row, spans) in lane.rows().iter().enumerate() {
            all.extend(spans.iter().map(|span| Seen {
                group: group.name.clone(),
                lane: lane.name.clone(),
                row,
                name: trace.name(id.group, span.name).into_owned(),
                times: (span.began(), span.ended()),
                state: span.state,
                outcome: span.outcome,
            }));
        }
    }
    all
}

fn written(trace: &Trace) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_chrome(trace, &mut bytes).expect("memory takes it");
    bytes
}

#[test]
fn spans_within_spans_are_in_lower_rows() {
    let mut trace = Trace::default();
    let lane = lane(&mut trace, "lane");
    let name = trace.add_text("span");
    let outer = trace
        .begin(lane, 10, name, SpanState::Runs)
        .expect("a span");
    let inner = trace
        .begin(lane, 20, name, SpanState::Sleeps)
        .expect("a span");
    trace.end(lane, 30, SpanOutcome::None);
    trace.end(lane, 40, SpanOutcome::Failed);
    let after = trace
        .begin(lane, 40, name, SpanState::Runs)
        .expect("a span");
    assert_eq!([outer.row, inner.row, after.row], [0, 1, 0]);
    let ended = trace.span(outer).and_then(Span::ended);
    assert_eq!(ended, Some(40));
    assert_eq!(trace.span(after).and_then(Span::ended), None);
}

#[test]
fn clock_that_jumps_back_makes_no_overlap() {
    let mut trace = Trace::default();
    let lane = lane(&mut trace, "lane");
    let name = trace.add_text("span");
    trace.begin(lane, 100, name, SpanState::Runs);
    trace.end(lane, 50, SpanOutcome::Returned);
    trace.begin(lane, 20, name, SpanState::Runs);
    trace.end(lane, 30, SpanOutcome::Returned);
    let times = only_row(&trace)
        .iter()
        .map(|span| (span.began(), span.ended()));
    assert_eq!(
        times.collect::<Vec<_>>(),
        [(100, Some(100)), (100, Some(100))]
    );
}

#[test]
fn end_that_comes_late_shortens_its_span() {
    let mut trace = Trace::default();
    let lane = lane(&mut trace, "lane");
    let name = trace.add_text("span");
    let first = trace.begin(lane, 0, name, SpanState::Runs).expect("a span");
    trace.end(lane, 50, SpanOutcome::None);
    trace.begin(lane, 50, name, SpanState::Runs);
    trace.conclude(first, 40, SpanOutcome::Panicked);
    let first = trace.span(first).expect("it is there");
    assert_eq!(
        (first.ended(), first.outcome),
        (Some(40), SpanOutcome::Panicked)
    );
}

#[test]
fn span_that_ended_earlier_keeps_what_lies_in_it() {
    let mut trace = Trace::default();
    let lane = lane(&mut trace, "lane");
    let name = trace.add_text("span");
    let begin = |trace: &mut Trace, at| trace.begin(lane, at, name, SpanState::Runs);
    let outer = begin(&mut trace, 10).expect("there is room");
    begin(&mut trace, 20);
    trace.end(lane, 30, SpanOutcome::Returned);
    trace.end(lane, 40, SpanOutcome::Returned);
    // The next one has something in it, too.
    begin(&mut trace, 50);
    begin(&mut trace, 60);
    trace.conclude(outer, 0, SpanOutcome::Returned);
    assert_eq!(trace.span(outer).and_then(Span::ended), Some(30));
}

#[test]
fn overlapping_span_is_refused_and_nested_one_is_not() {
    let mut trace = Trace::default();
    let lane = lane(&mut trace, "lane");
    let name = trace.add_text("span");
    let span =
        |began, ended| Span::open(began, name, SpanState::Runs).until(ended, SpanOutcome::None);
    assert!(trace.add(lane, span(0, 100)).is_some());
    assert_eq!(trace.add(lane, span(50, 150)), None);
    assert_eq!(trace.add(lane, span(60, 90)).map(|id| id.row), Some(1));
    assert_eq!(trace.len(), 2);
}

#[test]
fn groups_come_in_the_order_that_is_asked_for() {
    let mut trace = Trace::default();
    let ids = [4, 7, 9].map(GroupId::new);
    let lanes = ids.map(|id| {
        trace.add_group(id, format!("group {}", id.get()));
        let lane = trace.add_lane(id, "lane", LaneKind::Thread);
        let lane = lane.expect("there is room");
        let name = trace.add_text("span");
        let span = Span::open(id.get(), name, SpanState::Runs);
        trace.add(lane, span.until(20, SpanOutcome::Returned));
        let text = format!("mark {}", id.get());
        trace.add_mark(Mark { at: 20, lane, text });
        lane
    });
    trace.add_flow(Flow {
        kind: FlowKind::Join,
        from: (lanes[0], 4),
        to: (lanes[2], 20),
    });
    let trace = trace.in_order(&[ids[2], ids[0]]);
    let names: Vec<_> = trace
        .groups()
        .map(|(id, group)| (id.get(), group.name.as_str()))
        .collect();
    assert_eq!(names, [(1, "group 9"), (2, "group 4")]);
    let of = |lane: LaneId| trace.lane(lane).and_then(Lane::began);
    let flows: Vec<_> = trace
        .flows()
        .iter()
        .map(|flow| (of(flow.from.0), of(flow.to.0)))
        .collect();
    assert_eq!(flows, [(Some(4), Some(9))]);
    let marks: Vec<_> = trace
        .marks()
        .iter()
        .map(|mark| (of(mark.lane), mark.text.as_str()))
        .collect();
    assert_eq!(marks, [(Some(4), "mark 4"), (Some(9), "mark 9")]);
    assert_eq!(trace.len(), 2);
}

#[test]
fn removed_group_leaves_nothing_of_it() {
    let mut trace = row_of(&[(1, 2), (3, 4)]);
    let (from, _) = trace.lanes().next().expect("the one lane");
    trace.add_flow(Flow {
        kind: FlowKind::Join,
        from: (from, 1),
        to: (from, 2),
    });
    trace.add_mark(Mark {
        at: 1,
        lane: from,
        text: "mark".to_owned(),
    });
    assert!(trace.remove_group(GROUP).is_some());
    assert!(trace.is_empty() && trace.flows().is_empty() && trace.marks().is_empty());
    assert_eq!(trace.len(), 0);
}

#[test]
fn time_of_a_removed_group_is_not_shown() {
    let mut trace = row_of(&[(1, 2)]);
    let second = GroupId::new(2);
    trace.add_group(second, "second");
    let lane = trace.add_lane(second, "lane", LaneKind::Whole);
    let name = trace.add_text("span");
    trace.begin(lane.expect("there is room"), 100, name, SpanState::Runs);
    assert_eq!(trace.last_at(), 100);
    trace.remove_group(second);
    assert_eq!(trace.last_at(), 3);
}

#[test]
fn snapshot_does_not_change_with_the_trace() {
    let mut trace = row_of(&vec![(0, 10); 3_000]);
    let before = contents(&trace);
    let snapshot = trace.clone();
    let (id, _) = trace.lanes().next().expect("the one lane");
    let name = trace.add_text("another");
    trace.begin(id, 100_000, name, SpanState::Waits);
    trace.end(id, 200_000, SpanOutcome::TimedOut);
    assert_eq!(contents(&snapshot), before);
    assert_eq!(trace.len(), snapshot.len() + 1);
}

#[test]
fn one_failure_among_a_million_spans_is_drawn() {
    let mut trace = Trace::default();
    let lane = lane(&mut trace, "lane");
    let name = trace.add_text("span");
    for number in 0..1_000_000_u64 {
        let outcome = match number {
            654_321 => SpanOutcome::Failed,
            _ => SpanOutcome::Returned,
        };
        let span = Span::open(number * 10, name, SpanState::Runs);
        trace.add(lane, span.until(number * 10 + 9, outcome));
    }
    let row = only_row(&trace);
    let drawn = pieces(row, 0, 10_000_000, 10_000);
    assert!(drawn.len() <= 2_000, "{} pieces", drawn.len());
    let failures = drawn.iter().filter(|piece| piece.span == 654_321);
    assert_eq!(failures.count(), 1);
    assert_eq!(
        drawn.iter().map(|piece| piece.count).sum::<usize>(),
        1_000_000
    );
}

proptest! {
    /// The pieces cover all spans in the range, each once, with their sums.
    #[test]
    fn pieces_are_all_spans_of_a_range(
        spans in prop::collection::vec((0_u64..50, 0_u64..50), 1..3_000),
        from in 0_u64..60_000,
        length in 1_u64..60_000,
        step in 1_u64..2_000,
    ) {
        let trace = row_of(&spans);
        let row = only_row(&trace);
        let drawn = pieces(row, from, from + length, step);
        let first = row.iter().take_while(|span| span.ended().is_some_and(|ended| ended <= from)).count();
        let mut next = first;
        for piece in &drawn {
            let covered: Vec<_> = (next..next + piece.count).filter_map(|index| row.get(index)).collect();
            prop_assert_eq!(covered.len(), piece.count);
            prop_assert_eq!(piece.began, covered[0].began());
            prop_assert_eq!(piece.ended, covered[covered.len() - 1].ended());
            prop_assert_eq!(piece.busy, covered.iter().map(|span| span.length()).sum::<u64>());
            prop_assert!((next..next + piece.count).contains(&piece.span));
            let longest = covered.iter().map(|span| span.length()).max();
            prop_assert_eq!(row.get(piece.span).map(Span::length), longest);
            prop_assert!(piece.count == 1 || piece.ended.is_some_and(|ended| ended - piece.began <= 2 * step));
            next += piece.count;
        }
        // The next one begins after the range.
        prop_assert!(row.get(next).is_none_or(|span| span.began() >= from + length));
    }

    /// What begins and ends in any order comes back from a file as it was.
    #[test]
    fn written_trace_is_read_as_it_was(
        steps in prop::collection::vec((0_usize..3, any::<bool>(), 0_u64..5_000_000, 0..SpanState::ALL.len(), 0..SpanOutcome::ALL.len()), 0..200),
    ) {
        let mut trace = Trace::default();
        trace.add_group(GROUP, "a \"group\"");
        trace.add_group(GroupId::new(7), "another\n");
        let lanes = [(GROUP, "one"), (GROUP, "two"), (GroupId::new(7), "three")].map(|(group, name)| {
            trace.add_lane(group, name, LaneKind::Process).expect("there is room")
        });
        let mut at = 0;
        for (number, (lane, begins, later, state, outcome)) in steps.into_iter().enumerate() {
            at += later;
            if begins {
                let name = trace.add_text(&format!("span {}", number % 10));
                trace.begin(lanes[lane], at, name, SpanState::ALL[state]);
            } else {
                trace.end(lanes[lane], at, SpanOutcome::ALL[outcome]);
            }
        }
        let read = read_chrome(written(&trace).as_slice());
        let read = read.map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(read.notes, Vec::<String>::new());
        prop_assert_eq!(contents(&read.trace), contents(&trace));
    }

    /// Whatever is in a file, it is read or refused.
    #[test]
    fn any_bytes_are_read_or_refused(cut in 0_usize..2_000, at in 0_usize..2_000, byte in any::<u8>()) {
        let mut bytes = written(&row_of(&[(1, 2); 10]));
        let place = at % bytes.len();
        bytes[place] = byte;
        bytes.truncate(cut.max(1));
        let read = read_chrome(bytes.as_slice());
        prop_assert!(read.is_err() || read.is_ok_and(|read| read.trace.len() <= 10));
    }
}

#[test]
fn flows_marks_and_frames_come_back_from_a_file() {
    let mut trace = row_of(&[(1_001, 2)]);
    let (from, _) = trace.lanes().next().expect("the one lane");
    let to = trace
        .add_lane(GROUP, "second", LaneKind::Joins)
        .expect("there is room");
    let flow = Flow {
        kind: FlowKind::Join,
        from: (from, 1_001),
        to: (to, 1_003),
    };
    let mark = Mark {
        at: 5,
        lane: to,
        text: "asked to cancel".to_owned(),
    };
    trace.add_flow(flow);
    trace.add_mark(mark.clone());
    add_frame(&mut trace, 7, 3_000_000, Some("src/app/frame.rs:90"));
    add_frame(&mut trace, 8, 1_000_000, None);
    let read = read_chrome(written(&trace).as_slice())
        .expect("it is a trace")
        .trace;
    assert_eq!((read.flows(), read.marks()), (&[flow][..], &[mark][..]));
    assert!(read.frames().iter().eq(trace.frames().iter()));
    let causes: Vec<_> = read
        .frames()
        .iter()
        .map(|frame| read.frames().cause(frame))
        .collect();
    assert_eq!(causes, [Some("src/app/frame.rs:90"), None]);
}

fn add_frame(trace: &mut Trace, at: u64, took: u64, cause: Option<&str>) {
    let cause = cause.and_then(|cause| trace.add_frame_cause(cause));
    trace.add_frame(Frame { at, took, cause });
}

#[test]
fn causes_of_frames_are_bounded() {
    let mut trace = Trace::default();
    assert_eq!(trace.add_frame_cause(&"long".repeat(1_000)), None);
    for number in 0..2_000 {
        trace.add_frame_cause(&format!("src/lib.rs:{number}"));
    }
    assert!(trace.add_frame_cause("src/lib.rs:7").is_some());
    assert_eq!(trace.add_frame_cause("src/lib.rs:1999"), None);
}

#[test]
fn span_of_no_time_ends_after_its_begin_in_a_file() {
    let mut trace = Trace::default();
    let lane = lane(&mut trace, "lane");
    for name in ["outer", "inner"] {
        let name = trace.add_text(name);
        trace.begin(lane, 1_000, name, SpanState::Runs);
    }
    for _ in 0..2 {
        trace.end(lane, 1_000, SpanOutcome::None);
    }
    let bytes = written(&trace);
    let file: serde_json::Value = serde_json::from_slice(&bytes).expect("it is JSON");
    let events = file["traceEvents"].as_array().expect("a list");
    let lengths: Vec<_> = events.iter().filter_map(|it| it["dur"].as_f64()).collect();
    // The outer one is around the inner one, and both are read as taking no time.
    assert!(
        0.000_5 > lengths[0] && lengths[0] > lengths[1] && lengths[1] > 0.0,
        "{lengths:?}"
    );
    let read = read_chrome(bytes.as_slice()).expect("it is a trace").trace;
    let times: Vec<_> = contents(&read).iter().map(|span| span.times).collect();
    assert_eq!(times, [(1_000, Some(1_000)); 2]);
}

#[test]
fn values_of_waits_and_frames_are_exact() {
    let mut trace = Trace::default();
    let lane = lane(&mut trace, "lane");
    let name = trace.add_text("join");
    trace.begin(lane, 1_000_000_001, name, SpanState::WaitsInJoin);
    trace.end(lane, 3_000_000_004, SpanOutcome::TimedOut);
    trace.begin(lane, 4_000_000_000, name, SpanState::Waits);
    add_frame(&mut trace, 5, 7, Some("=src/lib.rs:1"));
    let mut bytes = Vec::new();
    let kinds = [CsvKind::Waits, CsvKind::Frames];
    write_csv(&trace, &kinds, &mut bytes).expect("memory takes it");
    let text = String::from_utf8(bytes).expect("it is text");
    let lines: Vec<_> = text.split_terminator("\r\n").skip(1).collect();
    assert_eq!(
        lines,
        [
            "wait,group,lane,join,waits_in_join,timed_out,1.000000001,3.000000004,2.000000003",
            "wait,group,lane,join,waits,,4.000000000,,",
            "frame,,,'=src/lib.rs:1,,,0.000000005,0.000000012,0.000000007",
        ]
    );
}

fn read(text: &str) -> (Trace, Vec<String>) {
    let read = read_chrome(text.as_bytes()).expect("it is a trace");
    (read.trace, read.notes)
}

fn names(trace: &Trace) -> Vec<String> {
    contents(trace).into_iter().map(|span| span.name).collect()
}

#[test]
fn trace_of_chrome_that_ends_early_is_read() {
    let (trace, notes) = read(
        r#"[{"ph":"X","ts":10,"dur":5,"pid":1,"tid":2,"name":"a"},{"ph":"X","ts":"20.5","dur":"1","pid":1,"tid":2,"name":"b"},"#,
    );
    assert_eq!(
        (names(&trace), notes),
        (vec!["a".to_owned(), "b".to_owned()], vec![])
    );
    let times = only_row(&trace)
        .iter()
        .map(|span| (span.began(), span.ended()));
    assert_eq!(
        times.collect::<Vec<_>>(),
        [(0, Some(5_000)), (10_500, Some(11_500))]
    );
}

#[test]
fn begins_and_ends_make_nested_spans() {
    let (trace, notes) = read(
        r#"{"traceEvents":[
            {"ph":"M","name":"process_name","pid":"p","args":{"name":"browser"}},
            {"ph":"B","ts":1,"pid":"p","tid":"t","name":"outer"},{"ph":"B","ts":2,"pid":"p","tid":"t","name":"inner"},
            {"ph":"E","ts":3,"pid":"p","tid":"t"},{"ph":"E","ts":4,"pid":"p","tid":"t"},{"ph":"E","ts":5,"pid":"p","tid":"t"},
            {"ph":"C","ts":1,"pid":"p","name":"memory","args":{"v":1}}]}"#,
    );
    let rows: Vec<_> = contents(&trace)
        .into_iter()
        .map(|span| (span.group, span.name, span.row))
        .collect();
    let row = |name: &str, row| ("browser".to_owned(), name.to_owned(), row);
    assert_eq!(rows, [row("outer", 0), row("inner", 1)]);
    assert_eq!(
        notes,
        ["Left out: 1 counters.", "Left out: 1 ends without a begin."]
    );
}

#[test]
fn overlapping_and_asynchronous_spans_are_all_there() {
    let (trace, notes) = read(
        r#"[{"ph":"X","ts":0,"dur":10,"pid":1,"tid":1,"name":"a"},{"ph":"X","ts":5,"dur":10,"pid":1,"tid":1,"name":"b"},
            {"ph":"b","ts":0,"pid":1,"cat":"net","id":"0x1","name":"get"},{"ph":"b","ts":1,"pid":1,"cat":"net","id":"0x2","name":"get"},
            {"ph":"e","ts":2,"pid":1,"cat":"net","id":"0x1","name":"get"},{"ph":"e","ts":3,"pid":1,"cat":"net","id":"0x2","name":"get"}]"#,
    );
    let mut lanes: Vec<_> = trace
        .lanes()
        .map(|(_, lane)| (lane.name.clone(), lane.len()))
        .collect();
    lanes.sort();
    let lane = |name: &str| (name.to_owned(), 1);
    assert_eq!(
        lanes,
        [
            lane("Thread 1"),
            lane("Thread 1 (2)"),
            lane("get"),
            lane("get (2)")
        ]
    );
    assert!(notes.is_empty(), "{notes:?}");
}

#[test]
fn what_is_no_trace_is_refused_with_a_reason() {
    for text in [
        "",
        "{}",
        "[",
        "17",
        "{\"traceEvents\":7}",
        "no JSON",
        "[1,2,3]",
    ] {
        let refused = read_chrome(text.as_bytes());
        let is_reason = |error: &ReadTraceError| error.to_string().starts_with("it is no trace: ");
        assert!(
            refused.as_ref().is_err_and(is_reason),
            "{text}: {refused:?}"
        );
    }
}

#[test]
fn newer_and_compressed_traces_say_what_they_are() {
    use std::io::Write as _;
    let text = r#"{"meanwhile":{"version":99},"dropped":3,"traceEvents":[{"ph":"X","ts":1,"dur":1,"pid":1,"tid":1,"name":"a"}]}"#;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).expect("memory takes it");
    let bytes = gzip.finish().expect("memory takes it");
    let read = read_chrome(bytes.as_slice()).expect("it is a trace");
    assert_eq!((read.trace.len(), read.trace.dropped()), (1, 3));
    assert!(read.notes[0].contains("newer version"), "{:?}", read.notes);
}

#[test]
fn counter_of_many_changes_is_bounded_and_exact() {
    let mut trace = Trace::default();
    trace.add_group(GROUP, "group");
    let id = trace.add_counter(GROUP, "counter").expect("there is room");
    // It is low for long at times.
    let value = |at: u64| {
        if at % 10_000 > 5_000 {
            1
        } else {
            at * 7_919 % 1_000
        }
    };
    for at in 1..=100_000 {
        trace.set_counter(id, at * 10, value(at));
    }
    let counter = trace.counter(id).expect("it is there");
    let points: Vec<_> = counter.points().collect();
    assert!((1_000..=4_096).contains(&points.len()), "{}", points.len());
    assert!(
        points
            .iter()
            .all(|point| point.value == value(point.at / 10))
    );
    assert!(points.is_sorted_by_key(|point| point.at));
    assert_eq!(counter.value(), value(100_000));
    let mut next = 0;
    counter.steps(0, 1_000_000, 1_000, |began, ended, highest| {
        assert!(began == next && ended > began, "{began} {ended}");
        assert!(highest >= counter.value_at(began));
        // What lasts long is no higher because of what came just before.
        assert!(ended - began <= 2_000 || highest == counter.value_at(ended - 1));
        next = ended;
    });
    assert_eq!(next, 1_000_000);
}

/// Each name that a search finds from the begin on, until it comes to the first one again.
fn all_found(trace: &Trace, text: &str, back: bool, per_step: usize) -> Vec<SpanId> {
    let mut found: Vec<SpanId> = Vec::new();
    loop {
        let mut search = Search::new(text, found.last().copied(), back);
        let next = loop {
            match search.go_on(trace, per_step) {
                SearchStep::Found(span) => break Some(span),
                SearchStep::Nothing => break None,
                SearchStep::GoesOn => {}
            }
        };
        match next {
            Some(next) if found.first() != Some(&next) => found.push(next),
            _ => return found,
        }
    }
}

#[test]
fn search_goes_once_around_in_both_directions() {
    let mut trace = Trace::default();
    for group in [3, 1, 2].map(GroupId::new) {
        trace.add_group(group, "group");
        let [first, empty, last] = [1, 2, 3].map(|number| {
            let lane = trace.add_lane(group, format!("lane {number}"), LaneKind::Thread);
            lane.expect("there is room")
        });
        assert!(trace.lane(empty).is_some_and(Lane::is_empty));
        for at in 0..3_000 {
            let name = trace.add_text(if at % 1_000 == 7 {
                "Ölbild.JPG"
            } else {
                "other"
            });
            trace.begin(first, at * 10, name, SpanState::Runs);
            trace.end(first, at * 10 + 5, SpanOutcome::Returned);
        }
        let (name, inner) = (
            trace.add_text("other"),
            trace.add_text("an ölbild.jpg within"),
        );
        trace.begin(last, 0, name, SpanState::Runs);
        trace.begin(last, 1, inner, SpanState::Runs);
    }
    let forwards = all_found(&trace, "ölbild.jpg", false, 100);
    assert_eq!(forwards.len(), 12);
    assert!(forwards.is_sorted(), "{forwards:?}");
    let mut backwards = all_found(&trace, "ÖLBILD.JPG", true, 1_000_000);
    backwards.reverse();
    assert_eq!(backwards, forwards);
    assert_eq!(all_found(&trace, "nowhere", false, 7), []);
    assert_eq!(all_found(&Trace::default(), "nowhere", true, 7), []);
}

#[test]
fn counter_comes_back_from_a_file() {
    let mut trace = row_of(&[(1, 2)]);
    let id = trace
        .add_counter(GROUP, "Waiting items")
        .expect("there is room");
    trace.add_counter(GROUP, "never used");
    for (at, value) in [(1_000, 20), (2_001, 5), (3_000, 0)] {
        trace.set_counter(id, at, value);
    }
    let read = read_chrome(written(&trace).as_slice()).expect("it is a trace");
    assert_eq!(read.notes, Vec::<String>::new());
    let points = |trace: &Trace| {
        let counter = trace.counter(id).expect("a counter");
        counter
            .points()
            .map(|point| (point.at, point.value))
            .collect::<Vec<_>>()
    };
    assert_eq!(points(&read.trace), points(&trace));
    assert_eq!(points(&trace), [(1_000, 20), (2_001, 5), (3_000, 0)]);
}
