//! All that was measured, in one table, and how it is written down.

use std::fmt::Write as _;
use std::io;

use serde::{Deserialize, Serialize};

use super::fact::Display;
use super::figures::{Ending, Figures};
use super::pattern::{Judged, PatternId, Variant};
use super::session::{RunRecord, Session};
use crate::jobs::cores;
use crate::record::statistics::Centre;

/// Where it was measured: figures compare within one report, not across.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// Processors.
    pub cores: usize,
    /// The operating system and the processor's family.
    pub system: String,
    /// The kernel's driver of the graphics card; `None` where pictures are drawn in software.
    pub graphics_driver: Option<String>,
    /// What draws, as it calls itself.
    pub renderer: String,
    /// How often the screen shows a new picture, in Hz, where the window system says so.
    pub refresh_hz: Option<f64>,
}

impl Machine {
    /// This one, as far as a window has told what it is drawn with.
    pub fn this(display: Option<&Display>) -> Self {
        let display = display.cloned().unwrap_or_default();
        Self {
            cores: cores(),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            graphics_driver: graphics_driver(),
            renderer: display.renderer.unwrap_or_else(|| "OpenGL".to_owned()),
            refresh_hz: display.refresh_millihertz.map(|rate| f64::from(rate) / 1e3),
        }
    }
}

fn graphics_driver() -> Option<String> {
    let link = std::fs::read_link("/sys/class/drm/card0/device/driver").ok()?;
    Some(link.file_name()?.to_string_lossy().into_owned())
}

/// One half of a pattern, over all its runs.
#[derive(Clone, Debug)]
pub struct Row {
    /// Which pattern.
    pub pattern: PatternId,
    /// Which half.
    pub variant: Variant,
    /// How many runs there were with figures.
    pub runs: usize,
    /// The figure that the pattern is about, over all runs.
    pub judged: Option<Centre>,
    /// The run whose figure is the median one; `None` where no run had figures.
    pub figures: Option<Figures>,
    /// How the last run ended.
    pub ending: Ending,
    /// The figures of every run that has some.
    measured: Vec<Figures>,
}

impl Row {
    /// One figure over all runs, as its middle and its spread; `None` where no run has it.
    pub fn centre(&self, figure: impl Fn(&Figures) -> Option<f64>) -> Option<Centre> {
        Centre::of(self.measured.iter().filter_map(figure))
    }

    fn of(pattern: PatternId, variant: Variant, done: &[RunRecord]) -> Option<Self> {
        let runs = done
            .iter()
            .filter(|run| run.pattern == pattern && run.variant == variant);
        let ending = runs.clone().next_back()?.ending.clone();
        let value = |figures: &Figures| figures.judged_by(pattern.entry().judged);
        let mut figures: Vec<&Figures> = runs.filter_map(|run| run.figures.as_ref()).collect();
        figures.sort_by(|a, b| value(a).unwrap_or(0.0).total_cmp(&value(b).unwrap_or(0.0)));
        Some(Self {
            pattern,
            variant,
            runs: figures.len(),
            judged: Centre::of(figures.iter().filter_map(|figures| value(figures))),
            figures: figures
                .get(figures.len() / 2)
                .map(|run| Figures::clone(run)),
            ending,
            measured: figures.into_iter().cloned().collect(),
        })
    }
}

/// What the two halves of a pattern say together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// The bad half's figure.
    pub bad: f64,
    /// The fixed one's.
    pub fixed: f64,
    /// How many times worse the bad half is; `None` where the fixed one's figure is nothing.
    pub ratio: Option<f64>,
    /// Whether the bad half misbehaves on this machine.
    pub reproduced: bool,
}

impl Verdict {
    fn of(judged: Judged, bad: f64, fixed: f64) -> Self {
        let (least, times) = judged.least();
        Self {
            bad,
            fixed,
            ratio: (fixed > 0.0).then_some(bad / fixed),
            reproduced: bad >= least && bad >= times * fixed,
        }
    }

    /// In a few words.
    pub fn text(&self, judged: Judged) -> String {
        let (bad, fixed) = (judged.show(self.bad), judged.show(self.fixed));
        if self.reproduced {
            format!("{bad}; fixed: {fixed}")
        } else {
            format!("not reproduced here: {bad}; fixed: {fixed}")
        }
    }
}

impl Judged {
    /// What the bad half's figure has to be at least, and how many times the fixed one's.
    fn least(self) -> (f64, f64) {
        match self {
            Self::Frozen => (100.0, 3.0),
            Self::FrameGaps => (1000.0 / 60.0, 1.5),
            Self::TimeToResult => (200.0, 3.0),
            Self::IdleRepaints => (5.0, 3.0),
            Self::StepTime => (0.0, 1.5),
            Self::TimeToClose => (200.0, 2.0),
            Self::Survival => (1.0, 0.0),
        }
    }

    /// The name of the figure.
    pub fn title(self) -> &'static str {
        match self {
            Self::Frozen => "frozen time",
            Self::FrameGaps => "frame gaps, 95th percentile",
            Self::TimeToResult => "time to result",
            Self::IdleRepaints => "repaints without a change",
            Self::StepTime => "cost of an update to the worker",
            Self::TimeToClose => "time to close",
            Self::Survival => "whether the window lives on",
        }
    }

    /// A figure with its unit.
    pub fn show(self, figure: f64) -> String {
        match self {
            Self::Frozen if figure <= 0.0 => "never frozen".to_owned(),
            Self::Frozen => format!("{} frozen", time(figure)),
            Self::FrameGaps => format!("frame gaps of {}", time(figure)),
            Self::TimeToResult if figure.is_infinite() => "result never shown".to_owned(),
            Self::TimeToResult => format!("result after {}", time(figure)),
            Self::IdleRepaints => format!("{figure:.0} idle repaints/s"),
            Self::StepTime => format!("{figure:.2} µs for each step of the work"),
            Self::TimeToClose => format!("closed after {}", time(figure)),
            Self::Survival if figure > 0.0 => "window gone".to_owned(),
            Self::Survival => "window lives on".to_owned(),
        }
    }
}

/// Milliseconds, as one says them.
fn time(millis: f64) -> String {
    if millis == 0.0 {
        "0 ms".to_owned()
    } else if millis >= 1000.0 {
        format!("{:.2} s", millis / 1e3)
    } else if millis >= 10.0 {
        format!("{millis:.0} ms")
    } else if millis < 1.0 {
        format!("{millis:.2} ms")
    } else {
        format!("{millis:.1} ms")
    }
}

/// All that was measured.
#[derive(Clone, Debug)]
pub struct Report {
    /// Where.
    pub machine: Machine,
    /// What, in the order of the list, the bad half first.
    pub rows: Vec<Row>,
}

impl Report {
    /// What a session has measured so far.
    pub fn of(session: &Session) -> Self {
        let machine = Machine::this(session.display());
        Self::from_runs(machine, session.done())
    }

    /// What these runs say, on the machine on which they were.
    ///
    /// ```
    /// use meanwhile::lab::{Ending, Machine, PatternId, Report, RunRecord, Variant};
    ///
    /// let pattern = PatternId::all().next().unwrap();
    /// let run = RunRecord {
    ///     pattern,
    ///     variant: Variant::Bad,
    ///     ending: Ending::Died("it exited with code 1".to_owned()),
    ///     figures: None,
    /// };
    /// let report = Report::from_runs(Machine::this(None), &[run]);
    /// assert_eq!(report.row(pattern, Variant::Bad).unwrap().runs, 0);
    /// assert_eq!(report.verdict(pattern), None);
    /// ```
    pub fn from_runs(machine: Machine, runs: &[RunRecord]) -> Self {
        let halves = PatternId::all().flat_map(|id| Variant::ALL.map(|variant| (id, variant)));
        let rows = halves.filter_map(|(id, variant)| Row::of(id, variant, runs));
        Self {
            machine,
            rows: rows.collect(),
        }
    }

    /// One half of a pattern, if it was run.
    pub fn row(&self, pattern: PatternId, variant: Variant) -> Option<&Row> {
        let mut rows = self.rows.iter();
        rows.find(|row| row.pattern == pattern && row.variant == variant)
    }

    /// What both halves of a pattern say together, once both have figures.
    pub fn verdict(&self, pattern: PatternId) -> Option<Verdict> {
        let figure = |variant| Some(self.row(pattern, variant)?.judged?.median);
        let (bad, fixed) = (figure(Variant::Bad)?, figure(Variant::Fixed)?);
        Some(Verdict::of(pattern.entry().judged, bad, fixed))
    }

    /// The patterns that were run.
    fn patterns(&self) -> impl Iterator<Item = PatternId> {
        let was_run = |id: &PatternId| self.rows.iter().any(|row| row.pattern == *id);
        PatternId::all().filter(was_run)
    }

    /// Writes it as one JSON document: the machine, and each half with its figures.
    ///
    /// # Errors
    /// What `out` says.
    pub fn write_json(&self, out: impl io::Write) -> io::Result<()> {
        let patterns = self.rows.iter().map(|row| RowDocument::of(self, row));
        let document = Document {
            machine: &self.machine,
            patterns: patterns.collect(),
        };
        Ok(serde_json::to_writer_pretty(out, &document)?)
    }

    /// A table for people: a line for each pattern.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for id in self.patterns() {
            let _never_fails = writeln!(text, "{:<24} {}", id.to_string(), self.line(id));
        }
        text
    }

    /// A Markdown table: both halves side by side, with the ratio, and the machine below.
    pub fn markdown(&self) -> String {
        let mut text = String::from("| pattern | bad | fixed | ratio |\n|---|---|---|---|\n");
        for id in self.patterns() {
            let judged = id.entry().judged;
            let cell = |variant| match self.row(id, variant) {
                Some(row) => row_text(judged, row),
                None => "–".to_owned(),
            };
            let verdict = self.verdict(id);
            let ratio = verdict.and_then(|verdict| verdict.ratio);
            let ratio = ratio.map_or("–".to_owned(), |ratio| format!("{ratio:.1}"));
            let (bad, fixed) = (cell(Variant::Bad), cell(Variant::Fixed));
            let _never_fails = writeln!(text, "| {id} | {bad} | {fixed} | {ratio} |");
        }
        let _never_fails = writeln!(text, "\n{}", self.machine_text());
        text
    }

    /// Every figure as comma-separated values: a line for each half, medians where it was repeated.
    pub fn csv(&self) -> String {
        let names = CSV_COLUMNS.iter().map(|(name, _)| *name);
        let names = ["id", "variant", "runs"].into_iter().chain(names);
        let names = names.chain(["ending", "machine"]).map(str::to_owned);
        let mut text = csv_line(names);
        for row in &self.rows {
            let head = [
                row.pattern.to_string(),
                row.variant.to_string(),
                row.runs.to_string(),
            ];
            let figures = CSV_COLUMNS.iter().map(|(_, figure)| {
                let centre = row.centre(figure);
                centre.map_or_else(String::new, |centre| csv_number(centre.median))
            });
            let tail = [row.ending.to_string(), self.machine_text()];
            text += &csv_line(head.into_iter().chain(figures).chain(tail));
        }
        text
    }

    /// The machine in a sentence.
    pub fn machine_text(&self) -> String {
        let machine = &self.machine;
        let driver = machine.graphics_driver.as_deref();
        let driver = driver.map_or("drawn in software".to_owned(), |name| {
            format!("driver {name}")
        });
        let rate = machine.refresh_hz.map(|rate| format!(", {rate:.0} Hz"));
        format!(
            "Measured on {} cores, {}, {}, {}{}.",
            machine.cores,
            machine.system,
            machine.renderer,
            driver,
            rate.unwrap_or_default()
        )
    }

    fn line(&self, id: PatternId) -> String {
        let judged = id.entry().judged;
        if let Some(verdict) = self.verdict(id) {
            return verdict.text(judged);
        }
        let halves = Variant::ALL.into_iter().filter_map(|variant| {
            let row = self.row(id, variant)?;
            Some(format!("{variant}: {}", row_text(judged, row)))
        });
        halves.collect::<Vec<_>>().join("; ")
    }
}

fn row_text(judged: Judged, row: &Row) -> String {
    match (&row.judged, &row.ending) {
        (Some(centre), _) if row.runs > 1 => {
            let (median, runs) = (judged.show(centre.median), row.runs);
            format!("{median} (median of {runs})")
        }
        (Some(centre), _) => judged.show(centre.median),
        (None, Ending::Died(why)) => why.clone(),
        (None, _) => "no figures".to_owned(),
    }
}

type Column = (&'static str, fn(&Figures) -> Option<f64>);

/// The figures of a line, each the median of all runs.
const CSV_COLUMNS: [Column; 20] = [
    ("frame_gap_p50_ms", |run| Some(run.frame_gap_ms?.p50)),
    ("frame_gap_p95_ms", |run| Some(run.frame_gap_ms?.p95)),
    ("frame_gap_p99_ms", |run| Some(run.frame_gap_ms?.p99)),
    ("frame_gap_max_ms", |run| Some(run.frame_gap_ms?.max)),
    ("input_latency_p50_ms", |run| {
        Some(run.input_latency_ms?.p50)
    }),
    ("input_latency_p95_ms", |run| {
        Some(run.input_latency_ms?.p95)
    }),
    ("input_latency_max_ms", |run| {
        Some(run.input_latency_ms?.max)
    }),
    ("frozen_ms", |run| Some(run.frozen_ms)),
    ("time_to_result_ms", |run| run.time_to_result_ms),
    ("needed_a_hand", |run| {
        Some(f64::from(u8::from(run.needed_a_hand)))
    }),
    ("time_to_close_ms", |run| run.time_to_close_ms),
    ("ui_cpu_ms", |run| Some(run.ui_cpu_ms)),
    ("process_cpu_ms", |run| Some(run.process_cpu_ms)),
    ("watched_ms", |run| Some(run.watched_ms)),
    ("repaints_per_sec", |run| Some(run.repaints_per_sec)),
    ("idle_repaints_per_sec", |run| {
        Some(run.idle_repaints_per_sec)
    }),
    ("clicks_made", |run| Some(run.clicks.made as f64)),
    ("clicks_in_time", |run| Some(run.clicks.in_time as f64)),
    ("clicks_late", |run| Some(run.clicks.late as f64)),
    ("clicks_lost", |run| Some(run.clicks.lost as f64)),
];

/// In thousandths at most, without zeros at the end.
fn csv_number(value: f64) -> String {
    ((value * 1e3).round() / 1e3).to_string()
}

/// Quoted where it has to be, as RFC 4180 says.
fn csv_line(fields: impl Iterator<Item = String>) -> String {
    let quoted = fields.map(|field| {
        if field.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", field.replace('"', "\"\""))
        } else {
            field
        }
    });
    quoted.collect::<Vec<_>>().join(",") + "\r\n"
}

#[derive(Serialize)]
struct Document<'a> {
    machine: &'a Machine,
    patterns: Vec<RowDocument<'a>>,
}

#[derive(Serialize)]
struct RowDocument<'a> {
    id: &'static str,
    variant: Variant,
    runs: usize,
    judged_by: &'static str,
    judged: Option<Centre>,
    verdict: Option<Verdict>,
    ending: &'a Ending,
    #[serde(flatten)]
    figures: Option<&'a Figures>,
}

impl<'a> RowDocument<'a> {
    fn of(report: &Report, row: &'a Row) -> Self {
        Self {
            id: row.pattern.entry().id,
            variant: row.variant,
            runs: row.runs,
            judged_by: row.pattern.entry().judged.title(),
            judged: row.judged,
            verdict: report.verdict(row.pattern),
            ending: &row.ending,
            figures: row.figures.as_ref(),
        }
    }
}
