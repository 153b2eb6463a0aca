//! What a trace has as comma-separated values.

use std::io::{self, Write};

use super::statistics::{items_of, waits_of};
use super::{Frame, GroupId, Lane, Span, Trace};
use crate::format::{csv_line, csv_text};

/// What a line of the values is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CsvKind {
    Items,
    Waits,
    Frames,
}

impl CsvKind {
    pub const ALL: [Self; 3] = [Self::Items, Self::Waits, Self::Frames];

    fn label(self) -> &'static str {
        match self {
            Self::Items => "item",
            Self::Waits => "wait",
            Self::Frames => "frame",
        }
    }
}

/// Writes the items, waits or frames of a trace as comma-separated values (RFC 4180), with one line for the names of the
/// columns:
///
/// | column | value |
/// |---|---|
/// | `kind` | `item`, `wait` or `frame` |
/// | `group`, `lane` | names; empty of a frame |
/// | `name` | the name; of a frame, what asked for it, if that is known |
/// | `state` | what it does, such as `waits_in_join`; empty of a frame |
/// | `outcome` | how it ended, such as `returned`; empty if that is not known |
/// | `began_secs`, `ended_secs`, `took_secs` | seconds since the trace began, with nine decimals; the last two are empty while it goes on |
///
/// Items are those of [`Statistics`](super::Statistics). Waits are spans that wait, sleep, are queued, paused or frozen. A name
/// that begins like a formula has an apostrophe before it, so that no spreadsheet calculates what is in a file.
///
/// # Errors
/// Those of `out`.
pub fn write_csv(trace: &Trace, kinds: &[CsvKind], mut out: impl Write) -> io::Result<()> {
    let columns = [
        "kind",
        "group",
        "lane",
        "name",
        "state",
        "outcome",
        "began_secs",
        "ended_secs",
        "took_secs",
    ];
    out.write_all(csv_line(columns.map(Into::into)).as_bytes())?;
    for kind in kinds {
        if *kind == CsvKind::Frames {
            for frame in trace.frames().iter() {
                let cause = trace.frames().cause(frame).unwrap_or("");
                out.write_all(frame_line(*frame, cause).as_bytes())?;
            }
            continue;
        }
        for (id, group) in trace.groups() {
            let mut write = |(lane, span): (&Lane, &Span)| {
                out.write_all(span_line(trace, id, *kind, lane, span).as_bytes())
            };
            match kind {
                CsvKind::Waits => waits_of(group, id).try_for_each(&mut write)?,
                _ => items_of(group, id).try_for_each(&mut write)?,
            }
        }
    }
    Ok(())
}

fn span_line(trace: &Trace, id: GroupId, kind: CsvKind, lane: &Lane, span: &Span) -> String {
    let group = trace.group(id).map_or("", |group| &group.name);
    let length = span.ended().map(|_| span.length());
    csv_line([
        kind.label().into(),
        csv_text(group),
        csv_text(&lane.name),
        csv_text(&trace.name(id, span.name)).into_owned().into(),
        span.state.label().into(),
        span.outcome.label().into(),
        secs(span.began()).into(),
        span.ended().map_or_else(String::new, secs).into(),
        length.map_or_else(String::new, secs).into(),
    ])
}

fn frame_line(frame: Frame, cause: &str) -> String {
    csv_line([
        CsvKind::Frames.label().into(),
        "".into(),
        "".into(),
        csv_text(cause),
        "".into(),
        "".into(),
        secs(frame.at).into(),
        secs(frame.at.saturating_add(frame.took)).into(),
        secs(frame.took).into(),
    ])
}

/// Exactly, in seconds.
fn secs(nanos: u64) -> String {
    format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000)
}
