//! The figures of a group as text for people and as JSON for programs.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use super::{Bin, Statistics, Step};
use crate::format;
use crate::trace::{GroupId, Trace};

/// The longest steps of a critical path that the text has.
const TEXT_STEPS: usize = 10;
/// The widest bar of a histogram.
const BAR_WIDTH: usize = 40;

impl Step {
    /// What it is called: the name of its span.
    pub fn name<'a>(&self, trace: &'a Trace) -> Cow<'a, str> {
        match self.span.and_then(|id| Some((id, trace.span(id)?))) {
            Some((id, span)) => trace.name(id.lane.group, span.name),
            None => "nothing runs here".into(),
        }
    }

    /// The name of its lane, or of the one that has its span.
    pub fn lane_name<'a>(&self, trace: &'a Trace) -> &'a str {
        let lane = self.span.map_or(self.lane, |span| span.lane);
        trace.lane(lane).map_or("", |lane| &lane.name)
    }
}

impl Bin {
    /// Such as `1 ms – 2 ms`.
    pub fn title(&self) -> String {
        format!("{} – {}", duration(self.from), duration(self.until))
    }
}

/// The figures of a group as text, with the longest steps of its critical path.
pub fn statistics_text(trace: &Trace, group: GroupId, statistics: &Statistics) -> String {
    let mut text = trace.group(group).map_or_else(String::new, |group| {
        format::one_line(&group.name).into_owned()
    });
    text.push('\n');
    for (name, value) in figures(statistics) {
        line(&mut text, name, &value);
    }
    if !statistics.histogram.is_empty() {
        text.push_str("  how long items took\n");
    }
    let most = statistics.histogram.iter().map(|bin| bin.count).max();
    for bin in &statistics.histogram {
        let width = (bin.count * BAR_WIDTH).div_ceil(most.unwrap_or(1).max(1));
        let bar = "#".repeat(width);
        let count = format::count(bin.count as u64);
        line(&mut text, &bin.title(), &format!("{bar} {count}"));
    }
    text.push_str("  the longest steps that the end hung on\n");
    let steps = statistics.critical_path.longest_first();
    for step in steps.iter().take(TEXT_STEPS) {
        let value = format!(
            "{}, {}, from {}",
            format::one_line(&step.name(trace)),
            format::one_line(step.lane_name(trace)),
            duration(step.began - statistics.began)
        );
        line(&mut text, &duration(step.took), &value);
    }
    text
}

/// The figures as names and values, for a table.
pub fn figures(statistics: &Statistics) -> Vec<(&'static str, String)> {
    let count = |count: usize| format::count(count as u64);
    let mut figures = vec![("elapsed", duration(statistics.elapsed()))];
    let more = [(statistics.failed, "failed"), (statistics.running, "go on")];
    let more = more.into_iter().filter(|(number, _)| *number > 0);
    let more = more.map(|(number, what)| format!("{} {what}", count(number)));
    let items: Vec<_> = std::iter::once(count(statistics.items))
        .chain(more)
        .collect();
    figures.push(("items", items.join(", ")));
    if statistics.items > 0 {
        figures.push(("rate", format::per_sec(statistics.items_per_sec())));
    }
    if let Some(times) = statistics.times {
        let [p50, p90, p99, max] = [times.p50, times.p90, times.p99, times.max].map(duration);
        figures.push(("half within", p50));
        figures.push(("90 % within", p90));
        figures.push(("99 % within", p99));
        figures.push(("longest", max));
    }
    let at_once = &statistics.parallelism;
    figures.push((
        "at once",
        format!("{:.1} on average, {} at most", at_once.mean, at_once.max),
    ));
    let shares = &statistics.shares;
    let parts = [
        (shares.busy, "busy"),
        (shares.waiting, "waiting"),
        (shares.queued, "queued"),
        (shares.unknown, "unknown"),
        (shares.idle, "idle"),
    ];
    let parts = parts.into_iter().filter(|(time, _)| *time > 0);
    let parts = parts.map(|(time, name)| format!("{name} {:.0} %", shares.share(time) * 100.0));
    figures.push(("lanes", parts.collect::<Vec<_>>().join(", ")));
    let path = &statistics.critical_path;
    let steps = path.steps.len() + path.left_out;
    figures.push((
        "end hung on",
        format!(
            "{} that ran {} and waited {}",
            format::plural(steps, "step", "steps"),
            duration(path.busy),
            duration(path.waiting)
        ),
    ));
    figures
}

/// The figures of groups as one JSON array and a line end.
///
/// Each group has these fields; times are seconds:
///
/// | field | value |
/// |---|---|
/// | `group` | its name |
/// | `elapsed_secs` | from its first begin to its last end |
/// | `items`, `failed`, `running` | how many have ended, of them went wrong, and go on |
/// | `items_per_sec` | `items` divided by `elapsed_secs` |
/// | `p50_secs`, `p90_secs`, `p99_secs`, `max_secs` | times of the items, by nearest rank; absent without any |
/// | `histogram` | `from_secs`, `until_secs`, `count` |
/// | `shares` | `busy`, `queued`, `waiting`, `unknown`, `idle`: parts of the time of all lanes, from 0 to 1 |
/// | `parallelism` | `mean`, `max`, and a `curve`: the mean over each `step_secs` |
/// | `critical_path` | `busy_secs`, `waiting_secs`, `left_out`, and `steps` with `name`, `lane`, `began_secs` since the begin of the group, `took_secs`, `waits` |
///
/// # Errors
/// Those of `out`.
pub fn statistics_json(
    trace: &Trace,
    groups: &[(GroupId, Statistics)],
    out: &mut impl std::io::Write,
) -> std::io::Result<()> {
    let documents: Vec<_> = groups
        .iter()
        .map(|(group, statistics)| GroupDocument::new(trace, *group, statistics))
        .collect();
    serde_json::to_writer_pretty(&mut *out, &documents)?;
    out.write_all(b"\n")
}

#[derive(Serialize)]
struct GroupDocument<'a> {
    group: &'a str,
    elapsed_secs: f64,
    items: usize,
    failed: usize,
    running: usize,
    items_per_sec: f64,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    times: Option<TimesDocument>,
    histogram: Vec<BinDocument>,
    shares: SharesDocument,
    parallelism: ParallelismDocument<'a>,
    critical_path: PathDocument<'a>,
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the names in the file")]
struct TimesDocument {
    p50_secs: f64,
    p90_secs: f64,
    p99_secs: f64,
    max_secs: f64,
}

#[derive(Serialize)]
struct BinDocument {
    from_secs: f64,
    until_secs: f64,
    count: usize,
}

#[derive(Serialize)]
struct SharesDocument {
    busy: f64,
    queued: f64,
    waiting: f64,
    unknown: f64,
    idle: f64,
}

#[derive(Serialize)]
struct ParallelismDocument<'a> {
    mean: f64,
    max: usize,
    step_secs: f64,
    curve: &'a [f64],
}

#[derive(Serialize)]
struct PathDocument<'a> {
    busy_secs: f64,
    waiting_secs: f64,
    left_out: usize,
    steps: Vec<StepDocument<'a>>,
}

#[derive(Serialize)]
struct StepDocument<'a> {
    name: Cow<'a, str>,
    lane: &'a str,
    began_secs: f64,
    took_secs: f64,
    waits: bool,
}

impl<'a> GroupDocument<'a> {
    fn new(trace: &'a Trace, group: GroupId, statistics: &'a Statistics) -> Self {
        let Statistics {
            shares,
            parallelism,
            critical_path: path,
            ..
        } = statistics;
        let bins = statistics.histogram.iter().map(|bin| BinDocument {
            from_secs: secs(bin.from),
            until_secs: secs(bin.until),
            count: bin.count,
        });
        let steps = path.steps.iter().map(|step| StepDocument {
            name: step.name(trace),
            lane: step.lane_name(trace),
            began_secs: secs(step.began - statistics.began),
            took_secs: secs(step.took),
            waits: step.waits,
        });
        Self {
            group: trace.group(group).map_or("", |group| &group.name),
            elapsed_secs: secs(statistics.elapsed()),
            items: statistics.items,
            failed: statistics.failed,
            running: statistics.running,
            items_per_sec: statistics.items_per_sec(),
            times: statistics.times.map(|times| TimesDocument {
                p50_secs: secs(times.p50),
                p90_secs: secs(times.p90),
                p99_secs: secs(times.p99),
                max_secs: secs(times.max),
            }),
            histogram: bins.collect(),
            shares: SharesDocument {
                busy: shares.share(shares.busy),
                queued: shares.share(shares.queued),
                waiting: shares.share(shares.waiting),
                unknown: shares.share(shares.unknown),
                idle: shares.share(shares.idle),
            },
            parallelism: ParallelismDocument {
                mean: parallelism.mean,
                max: parallelism.max,
                step_secs: secs(parallelism.step),
                curve: &parallelism.curve,
            },
            critical_path: PathDocument {
                busy_secs: secs(path.busy),
                waiting_secs: secs(path.waiting),
                left_out: path.left_out,
                steps: steps.collect(),
            },
        }
    }
}

fn secs(nanos: u64) -> f64 {
    nanos as f64 / 1e9
}

fn duration(nanos: u64) -> String {
    format::duration(Duration::from_nanos(nanos))
}

fn line(text: &mut String, name: &str, value: &str) {
    // Writing to a string never fails.
    writeln!(text, "  {name:>18}  {value}").ok();
}
