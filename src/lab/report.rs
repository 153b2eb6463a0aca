//! The report: one row for each variant of each pattern, and the machine.

use serde::{Deserialize, Serialize};

use super::fact::Display;
use super::figures::{Figures, TwinOutcome};
use super::metric::Verdict;
use super::pattern::Variant;
use super::patterns::PatternId;
use super::run_queue::{RunQueue, RunRecord};
use crate::desktop;
use crate::format;
use crate::jobs::cores;
use crate::record::statistics::Centre;

/// The measured machine. Figures compare within one report, not across reports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    pub cores: usize,
    /// Operating system and processor architecture.
    pub system: String,
    /// The kernel's graphics driver; `None` if the system names none, as where the program draws in software.
    pub graphics_driver: Option<String>,
    /// The renderer's own name.
    pub renderer: String,
    /// The screen's refresh rate in Hz, if the window system reports it.
    pub refresh_hz: Option<f64>,
    /// The display server and who manages its windows, such as `Wayland (sway)`.
    #[serde(default)]
    pub display: Option<String>,
}

/// What the renderers of Mesa, and of browsers, that use no graphics card have in their names.
const SOFTWARE_RENDERERS: [&str; 4] = ["llvmpipe", "softpipe", "swrast", "SwiftShader"];

impl Machine {
    /// The machine of this program, with the display that a twin has reported.
    pub fn current(display: Option<&Display>) -> Self {
        let display = display.cloned().unwrap_or_default();
        Self {
            cores: cores(),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            graphics_driver: desktop::graphics_driver(),
            renderer: display.renderer.unwrap_or_else(|| "OpenGL".to_owned()),
            refresh_hz: display.refresh_millihertz.map(|rate| f64::from(rate) / 1e3),
            display: display.server,
        }
    }

    /// The machine in one sentence.
    pub fn text(&self) -> String {
        let is_software = SOFTWARE_RENDERERS
            .iter()
            .any(|name| self.renderer.contains(name));
        let driver = match &self.graphics_driver {
            _ if is_software => ", software rendering".to_owned(),
            Some(name) => format!(", driver {name}"),
            None => String::new(),
        };
        let rate = self.refresh_hz.map(|rate| format!(", {rate:.0} Hz"));
        let display = self.display.as_ref().map(|name| format!("{name}, "));
        format!(
            "Measured on {} cores, {}, {}{}{driver}{}.",
            self.cores,
            self.system,
            display.unwrap_or_default(),
            self.renderer,
            rate.unwrap_or_default()
        )
    }
}

/// One variant of a pattern over all its runs.
#[derive(Clone, Debug)]
pub struct Row {
    pub pattern: PatternId,
    pub variant: Variant,
    /// The number of runs with figures.
    pub runs: usize,
    /// The pattern's metric over all runs.
    pub value: Option<Centre>,
    /// The figures of the median run; `None` if no run has figures.
    pub figures: Option<Figures>,
    /// The end of the last run.
    pub ending: TwinOutcome,
    measured: Vec<Figures>,
}

impl Row {
    /// The median and the spread of one figure; `None` if no run measured it.
    pub fn centre(&self, figure: impl Fn(&Figures) -> Option<f64>) -> Option<Centre> {
        Centre::of(self.measured.iter().filter_map(figure))
    }

    /// Why the window misbehaved in the median run, if it did and the cause is known.
    pub fn because(&self) -> Option<&str> {
        self.figures.as_ref()?.because.as_deref()
    }

    /// The metric in words, or the reason for its absence.
    pub fn text(&self) -> String {
        let metric = self.pattern.entry().metric;
        match (self.value, &self.ending) {
            (Some(value), _) if self.runs > 1 => {
                let median = metric.text(value.median);
                format!("{median} (median of {})", format::count(self.runs))
            }
            (Some(value), _) => metric.text(value.median),
            (None, ending) => format!("no figures, {ending}"),
        }
    }

    fn of(pattern: PatternId, variant: Variant, done: &[RunRecord]) -> Option<Self> {
        let runs = done
            .iter()
            .filter(|run| run.pattern == pattern && run.variant == variant);
        let ending = runs.clone().next_back()?.ending.clone();
        let value = |figures: &Figures| pattern.entry().metric.value(figures);
        let mut measured: Vec<Figures> = runs.filter_map(|run| run.figures.clone()).collect();
        measured.sort_by(|a, b| value(a).unwrap_or(0.0).total_cmp(&value(b).unwrap_or(0.0)));
        Some(Self {
            pattern,
            variant,
            runs: measured.len(),
            value: Centre::of(measured.iter().filter_map(value)),
            figures: measured.get(measured.len() / 2).cloned(),
            ending,
            measured,
        })
    }
}

/// All measurements, and the machine.
#[derive(Clone, Debug)]
pub struct LabReport {
    pub machine: Machine,
    /// In the order of the list of patterns, the bad variant first.
    pub rows: Vec<Row>,
}

impl LabReport {
    pub fn of(queue: &RunQueue) -> Self {
        let machine = Machine::current(queue.display());
        Self::from_runs(machine, queue.done())
    }

    pub fn from_runs(machine: Machine, runs: &[RunRecord]) -> Self {
        let all = PatternId::all().flat_map(|id| Variant::ALL.map(|variant| (id, variant)));
        let rows = all.filter_map(|(id, variant)| Row::of(id, variant, runs));
        Self {
            machine,
            rows: rows.collect(),
        }
    }

    /// One variant of a pattern, if it was run.
    pub fn row(&self, pattern: PatternId, variant: Variant) -> Option<&Row> {
        let mut rows = self.rows.iter();
        rows.find(|row| row.pattern == pattern && row.variant == variant)
    }

    /// Why the bad variant of a pattern misbehaved, if it did and the cause is known.
    pub fn because(&self, pattern: PatternId) -> Option<&str> {
        let because = self.row(pattern, Variant::Bad)?.because();
        because.filter(|_| self.missing(pattern).is_none())
    }

    /// The comparison of both variants, once both have figures.
    pub fn verdict(&self, pattern: PatternId) -> Option<Verdict> {
        let value = |variant| Some(self.row(pattern, variant)?.value?.median);
        let (bad, fixed) = (value(Variant::Bad)?, value(Variant::Fixed)?);
        let verdict = Verdict::of(pattern.entry().metric, bad, fixed);
        Some(match self.missing_for(pattern, verdict) {
            Some(_) => verdict.without_need(),
            None => verdict,
        })
    }

    /// The comparison in words, with what was missing if the bad variant could not misbehave here.
    pub fn verdict_text(&self, pattern: PatternId) -> Option<String> {
        let text = self.verdict(pattern)?.text(pattern.entry().metric);
        Some(match self.missing(pattern) {
            Some(missing) => format!("{text} ({missing})"),
            None => text,
        })
    }

    /// What the desktop does not have that the bad variant needs to misbehave.
    pub fn missing(&self, pattern: PatternId) -> Option<&'static str> {
        self.missing_for(pattern, self.verdict(pattern)?)
    }

    fn missing_for(&self, pattern: PatternId, verdict: Verdict) -> Option<&'static str> {
        let bad = self.row(pattern, Variant::Bad)?.figures.as_ref()?;
        pattern.entry().need?.missing(bad, verdict.reproduced)
    }

    /// The variants that were run, each in words: `bad: 2.00 s frozen`.
    pub fn variants_text(&self, pattern: PatternId) -> String {
        let rows = Variant::ALL
            .into_iter()
            .filter_map(|variant| self.row(pattern, variant));
        let texts = rows.map(|row| format!("{}: {}", row.variant, row.text()));
        texts.collect::<Vec<_>>().join("; ")
    }

    /// The patterns that were run.
    pub(super) fn patterns(&self) -> impl Iterator<Item = PatternId> {
        let was_run = |id: &PatternId| self.rows.iter().any(|row| row.pattern == *id);
        PatternId::all().filter(was_run)
    }
}
