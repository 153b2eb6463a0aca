//! The data and the state of the page.

use std::collections::BTreeMap;
use std::time::Duration;

use eframe::egui::{Rect, Ui};

use super::LabCommand;
use crate::choice::choices;
use crate::lab::{FrameLine, LabReport, PatternId, SavedReport, Variant};
use crate::pages::commands::{UiCommand, Unavailable};
use crate::ui::code_view::Code;
use crate::ui::status_style::{Mark, StatusStyle};
use crate::ui::tokens::Tokens;

pub(super) const NOTHING_RUNS: &str = "Nothing is running.";

/// The data that the page shows.
pub struct LabProps<'a> {
    pub report: &'a LabReport,
    /// Those of other machines.
    pub others: &'a [SavedReport],
    pub runs: Runs,
    pub unavailable: Unavailable,
}

/// What runs, and how long it takes.
#[derive(Clone, Debug, Default)]
pub struct Runs {
    pub running: Option<(PatternId, Variant)>,
    /// Whether the user operates it.
    pub is_by_hand: bool,
    /// The number of runs that wait.
    pub waiting: usize,
    /// Whether a run is in progress or waits.
    pub is_busy: bool,
    /// Whether this program can start twins.
    pub can_run: bool,
    /// The time until all runs have ended, roughly.
    pub time_left: Duration,
    /// The time that a run of all patterns takes, roughly.
    pub all_take: Duration,
}

/// Whose frames are plotted, and whose figures are below.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    #[default]
    Measured,
    ByHand,
}

choices!(pub Source {
    Measured => "Measured",
    ByHand => "By hand",
});

/// The runs of one pattern.
#[derive(Default)]
pub(super) struct PatternRuns {
    /// Whose plots and figures are shown.
    pub(super) source: Source,
    /// The frames of the last run of each variant.
    lines: BTreeMap<(Variant, Source), FrameLine>,
}

impl PatternRuns {
    /// The lines that the plots show.
    pub(super) fn shown(&self) -> [Option<&FrameLine>; 2] {
        Variant::ALL.map(|variant| self.lines.get(&(variant, self.source)))
    }
}

impl LabProps<'_> {
    pub(super) fn button_ui(
        &self,
        command: UiCommand,
        ui: &mut Ui,
        commands: &mut Vec<LabCommand>,
    ) {
        if self.unavailable.button(command, ui).clicked() {
            commands.push(LabCommand::Ui(command));
        }
    }
}

/// The state of the page.
pub struct LabState {
    pub selected: PatternId,
    /// Whether the report is shown instead.
    pub shows_report: bool,
    pub(super) patterns: BTreeMap<PatternId, PatternRuns>,
    pub(super) codes: [Code; 2],
    /// The place of the plots in the last frame, which no other window may cover.
    pub(super) plots: Option<Rect>,
}

impl Default for LabState {
    fn default() -> Self {
        let first = PatternId::all().next();
        Self {
            selected: first.expect("there are patterns"),
            shows_report: false,
            patterns: BTreeMap::new(),
            codes: [Code::default(), Code::default()],
            plots: None,
        }
    }
}

impl LabState {
    /// The frames of the last measured run of this variant.
    pub fn line_mut(&mut self, pattern: PatternId, variant: Variant) -> &mut FrameLine {
        self.line_of(pattern, variant, Source::Measured)
    }

    /// The frames of the last run of this variant.
    pub fn line_of(
        &mut self,
        pattern: PatternId,
        variant: Variant,
        source: Source,
    ) -> &mut FrameLine {
        let runs = self.patterns.entry(pattern).or_default();
        let line = runs.lines.entry((variant, source));
        line.or_insert_with(|| FrameLine::new(pattern.entry().scenario))
    }

    /// Shows the plots and the figures of these runs.
    pub fn show_source(&mut self, pattern: PatternId, source: Source) {
        self.patterns.entry(pattern).or_default().source = source;
    }
}

/// The status of a pattern: not run, running, or its verdict.
pub(super) fn pattern_status(
    props: &LabProps<'_>,
    pattern: PatternId,
    tokens: &Tokens,
) -> StatusStyle {
    let report = props.report;
    let is_running = props
        .runs
        .running
        .is_some_and(|(running, _)| running == pattern);
    let (mark, color) = match report.verdict(pattern) {
        _ if is_running => (Mark::Play, tokens.running),
        Some(verdict) if verdict.reproduced => (Mark::Warning, tokens.failed),
        Some(_) => (Mark::Bar, tokens.neutral),
        None => (Mark::Ring, tokens.neutral),
    };
    let word = match report.verdict_text(pattern) {
        _ if is_running => "running".into(),
        verdict => verdict
            .unwrap_or_else(|| report.variants_text(pattern))
            .into(),
    };
    StatusStyle { mark, color, word }
}
