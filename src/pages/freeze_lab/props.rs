//! The data and the state of the page.

use std::collections::BTreeMap;

use eframe::egui::Ui;

use super::LabCommand;
use crate::lab::{FrameLine, LabReport, PatternId, Variant};
use crate::pages::commands::{UiCommand, Unavailable};
use crate::ui::code_view::Code;
use crate::ui::status_style::{Mark, StatusStyle};
use crate::ui::tokens::Tokens;

pub(super) const NOTHING_RUNS: &str = "Nothing is running.";

/// The data that the page shows.
pub struct LabProps<'a> {
    pub report: &'a LabReport,
    pub running: Option<(PatternId, Variant)>,
    /// The number of runs that wait.
    pub waiting: usize,
    /// Whether a run is in progress or waits.
    pub is_busy: bool,
    /// Whether this program can start twins.
    pub can_run: bool,
    pub unavailable: Unavailable,
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
    /// The frames of the last run of each variant.
    pub(super) lines: BTreeMap<(PatternId, Variant), FrameLine>,
    pub(super) code: Code,
}

impl Default for LabState {
    fn default() -> Self {
        let first = PatternId::all().next();
        Self {
            selected: first.expect("there are patterns"),
            shows_report: false,
            lines: BTreeMap::new(),
            code: Code::default(),
        }
    }
}

impl LabState {
    /// The frames of the last run of this variant.
    pub fn line_mut(&mut self, pattern: PatternId, variant: Variant) -> &mut FrameLine {
        let line = self.lines.entry((pattern, variant));
        line.or_insert_with(|| FrameLine::new(pattern.entry().scenario))
    }
}

/// The status of a pattern: not run, running, or its verdict.
pub(super) fn pattern_status(
    props: &LabProps<'_>,
    pattern: PatternId,
    tokens: &Tokens,
) -> StatusStyle {
    let metric = pattern.entry().metric;
    let is_running = props.running.is_some_and(|(running, _)| running == pattern);
    let (mark, color, word) = match props.report.verdict(pattern) {
        _ if is_running => (Mark::Play, tokens.running, "running".to_owned()),
        Some(verdict) if verdict.reproduced => (Mark::Warning, tokens.failed, verdict.text(metric)),
        Some(verdict) => (Mark::Bar, tokens.neutral, verdict.text(metric)),
        None => {
            let text = props.report.variants_text(pattern);
            (Mark::Ring, tokens.neutral, text)
        }
    };
    let word = word.into();
    StatusStyle { mark, color, word }
}
