//! What must hold of every trace.

use std::collections::BTreeMap;

use crate::trace::{
    CsvKind, GroupId, Lane, ReadTrace, Row, Search, SearchStep, Span, SpanName, Statistics, Trace,
    compare, figures, read_chrome, statistics_json, statistics_text, write_chrome, write_csv,
};

/// Reads a trace. A file that is none must have a reason.
pub fn read(bytes: &[u8]) -> Option<ReadTrace> {
    match read_chrome(bytes) {
        Ok(found) => Some(found),
        Err(error) => {
            assert!(!error.to_string().is_empty());
            None
        }
    }
}

/// The file of a trace.
pub fn written(trace: &Trace) -> String {
    let mut bytes = Vec::new();
    write_chrome(trace, &mut bytes).expect("memory takes it");
    String::from_utf8(bytes).expect("it is text")
}

/// Checks what was read.
pub fn check_read(found: &ReadTrace) {
    for note in &found.notes {
        assert!(note.ends_with('.'), "a sentence: {note}");
    }
    check_trace(&found.trace);
    // The first reading has put all in order, so the second one changes nothing.
    let file = written(&found.trace);
    let again = read_chrome(file.as_bytes()).expect("it is a trace");
    assert_eq!(file, written(&again.trace), "it comes back as it was");
}

/// Checks a trace, also after it was written and read again.
pub fn check_trace(trace: &Trace) {
    let mut spans = 0;
    for (_, lane) in trace.lanes() {
        check_lane(lane);
        spans += lane.len();
    }
    assert_eq!(spans, trace.len());
    check_figures(trace);
    check_search(trace);
    check_counters(trace);
    for frame in trace.frames().iter() {
        assert!(trace.frames().between(frame.at, u64::MAX).count() > 0);
    }
    for kind in CsvKind::ALL {
        write_csv(trace, &[kind], std::io::sink()).expect("a sink takes it");
    }
    let same = compare(trace, trace);
    assert_eq!((same.differences.len(), same.common), (0, trace.len()));
    check_round_trip(trace);
}

fn check_lane(lane: &Lane) {
    let end = |span: &Span| span.ended().unwrap_or(u64::MAX);
    let mut outer: Option<&Row> = None;
    for row in lane.rows() {
        let mut free_from = 0;
        for span in row.iter() {
            assert!(span.began() >= free_from, "spans of a row overlap");
            free_from = end(span);
            if let Some(outer) = outer {
                let is_around =
                    |around: &Span| around.began() <= span.began() && end(around) >= end(span);
                // One without a length may be at the end of any of those that meet there.
                let place = outer.first_ending_after(span.began().saturating_sub(1));
                let near = (place..outer.len()).filter_map(|at| outer.get(at));
                let mut near = near.take_while(|around| around.began() <= span.began());
                assert!(near.any(is_around), "a span lies in one of the row above");
            }
        }
        check_pieces(row);
        outer = Some(row);
    }
}

/// The pieces of a row have all its spans, however it is drawn.
fn check_pieces(row: &Row) {
    let first = row.first_ending_after(0);
    let rest = || row.iter().skip(first);
    for step in [1, 1_000, 1_000_000_000, u64::MAX] {
        let (mut count, mut busy) = (0, 0);
        row.pieces(0, u64::MAX, step, |piece| {
            count += piece.count;
            busy += piece.busy;
            assert!(row.get(piece.span).is_some());
        });
        assert_eq!(count, rest().count(), "step {step}");
        assert_eq!(busy, rest().map(Span::length).sum::<u64>(), "step {step}");
    }
}

fn check_figures(trace: &Trace) {
    let mut all = Vec::new();
    for (id, group) in trace.groups() {
        let Some(statistics) = Statistics::of(trace, id, trace.last_at()) else {
            assert!(group.is_empty());
            continue;
        };
        assert!(statistics.failed <= statistics.items);
        let path = &statistics.critical_path;
        let sum = path.busy + path.waiting;
        assert_eq!(sum, statistics.elapsed(), "the steps add up");
        let bins = statistics.histogram.iter().map(|bin| bin.count);
        assert_eq!(bins.sum::<usize>(), statistics.items);
        assert!(!figures(&statistics).is_empty());
        assert!(!statistics_text(trace, id, &statistics).is_empty());
        all.push((id, statistics));
    }
    statistics_json(trace, &all, &mut std::io::sink()).expect("a sink takes it");
    let groups: Vec<GroupId> = all.iter().map(|(id, _)| *id).collect();
    assert_eq!(trace.only(&groups).len(), trace.len());
}

/// A search for nothing finds every span, forth and back, and one for a name those that have it.
fn check_search(trace: &Trace) {
    for goes_back in [false, true] {
        let (mut at, mut first) = (None, None);
        for _ in 0..trace.len() {
            let mut search = Search::new("", at, goes_back);
            let SearchStep::Found(found) = search.go_on(trace, 1) else {
                panic!("there is a next one");
            };
            assert!(first != Some(found), "it comes back too early");
            first = first.or(Some(found));
            at = Some(found);
        }
    }
    let first = trace
        .lanes()
        .find_map(|(_, lane)| lane.rows().first()?.get(0));
    if let Some(span) = first {
        let group = trace.groups().find(|(_, group)| !group.is_empty());
        let name = group.map(|(id, _)| trace.name(id, span.name));
        let mut search = Search::new(&name.expect("it has a group"), None, false);
        assert!(matches!(
            search.go_on(trace, usize::MAX),
            SearchStep::Found(_)
        ));
    }
}

fn check_counters(trace: &Trace) {
    for (id, group) in trace.groups() {
        for (_, counter) in group.counters(id) {
            let mut last = 0;
            for point in counter.points() {
                assert!(point.at >= last && point.value <= counter.peak());
                last = point.at;
                assert!(counter.value_at(point.at) <= counter.peak());
            }
            assert_eq!(counter.value_at(u64::MAX), counter.value());
            for step in [1, 1_000, u64::MAX] {
                let mut at = 0;
                counter.steps(0, last, step, |from, until, highest| {
                    assert!(from == at && until >= from && highest <= counter.peak());
                    at = until;
                });
            }
        }
    }
}

/// What a trace has, to be the same after a round trip.
#[derive(Debug, PartialEq)]
struct Contents {
    groups: BTreeMap<u64, (String, usize)>,
    /// Of all lanes their names, and the names, states and outcomes of their spans with how often they are.
    lanes: Vec<(String, BTreeMap<String, usize>)>,
    flows: usize,
    marks: Vec<(u64, String)>,
    /// With what asked for them.
    frames: Vec<(u64, Option<String>)>,
    /// The changes of each counter that has one.
    counters: Vec<(String, Vec<(u64, u64)>)>,
    dropped: u64,
}

fn contents(trace: &Trace) -> Contents {
    let lanes = trace.lanes().map(|(id, lane)| {
        let mut spans = BTreeMap::new();
        for span in lane.rows().iter().flat_map(Row::iter) {
            let name = trace.name(id.group, span.name);
            let is_item = matches!(span.name, SpanName::Item(_));
            let (began, ended) = (span.began(), span.ended());
            let (state, outcome) = (span.state, span.outcome);
            let what = format!("{name} {is_item} {began} {ended:?} {state:?} {outcome:?}");
            *spans.entry(what).or_default() += 1;
        }
        (lane.name.clone(), spans)
    });
    let groups = trace.groups();
    let counters = trace.groups().flat_map(|(id, group)| {
        group.counters(id).filter_map(|(_, counter)| {
            // What follows an equal one says nothing.
            let mut value = 0;
            let points = counter.points().map(|point| (point.at, point.value));
            let changes = points.filter(|point| std::mem::replace(&mut value, point.1) != point.1);
            let changes: Vec<_> = changes.collect();
            (!changes.is_empty()).then(|| (counter.name.clone(), changes))
        })
    });
    let mut counters: Vec<_> = counters.collect();
    counters.sort();
    let marks = trace.marks().iter();
    let frames = trace.frames();
    let cause = |frame| frames.cause(frame).map(str::to_owned);
    let frames = frames.iter().map(|frame| (frame.at, cause(frame)));
    Contents {
        groups: groups
            .map(|(id, group)| (id.get(), (group.name.clone(), group.len())))
            .collect(),
        lanes: lanes.collect(),
        flows: trace.flows().len(),
        marks: marks.map(|mark| (mark.at, mark.text.clone())).collect(),
        frames: frames.collect(),
        counters,
        dropped: trace.dropped(),
    }
}

fn check_round_trip(trace: &Trace) {
    let file = written(trace);
    match read_chrome(file.as_bytes()) {
        Ok(again) => {
            assert_eq!(contents(trace), contents(&again.trace), "{file}");
            assert!(again.notes.is_empty(), "{:?}", again.notes);
        }
        Err(error) => panic!("what is written can be read: {error}: {file}"),
    }
}
