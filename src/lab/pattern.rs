//! A pattern: its code, its description in the list, and its measurement.

use std::fmt;

use eframe::egui::{Context, Ui};
use serde::{Deserialize, Serialize};

use super::figures::{Figures, TwinOutcome};
use super::metric::Metric;
use super::work::Work;
use crate::choice::choices;

/// A way to wait for background work: the part of an egui program that a pattern is about. The twin
/// supplies the window, the `Start` button and the work.
pub trait Pattern {
    /// Runs when `Start` is clicked, on the UI thread like every click handler.
    fn start(&mut self, work: Work, ctx: &Context);

    /// Runs once a frame before [`ui`](Self::ui), also while the window is hidden.
    fn logic(&mut self, _ctx: &Context) {}

    /// Draws the state of the work.
    fn ui(&mut self, ui: &mut Ui);

    /// Runs when the window is about to close.
    fn on_exit(&mut self) {}
}

/// The variants of a pattern.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "snake_case")]
pub enum Variant {
    Bad,
    Fixed,
}

choices!(pub Variant {
    Bad => "Bad",
    Fixed => "Fixed",
});

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bad => "bad",
            Self::Fixed => "fixed",
        })
    }
}

/// The input that the Lab gives a twin while it measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// Click `Start`, then send input at 60 Hz and click the counter until the result is shown.
    Probed,
    /// Click `Start` and send no input, because input would wake the window. If the result does not
    /// appear, move the mouse at last.
    Untouched,
    /// Like `Untouched`, with the window minimised.
    Minimised,
    /// Click `Start`, and close the window soon after.
    Closed,
}

impl Scenario {
    /// What a user does by hand once the work runs.
    pub(super) fn by_hand(self) -> &'static str {
        match self {
            Self::Probed => "While it works, click the counter and type.",
            Self::Untouched => "While it works, touch nothing: neither mouse nor keyboard.",
            Self::Minimised => "While it works, minimise this window, and open it again later.",
            Self::Closed => "While it works, close this window.",
        }
    }
}

/// A pattern in the list.
pub struct PatternEntry {
    /// The name on the command line.
    pub id: &'static str,
    pub bad: &'static str,
    /// The effect that the user sees.
    pub symptom: &'static str,
    pub fix: &'static str,
    /// The source file of both variants.
    pub source: &'static str,
    pub scenario: Scenario,
    /// The figure that tells the variants apart.
    pub metric: Metric,
    /// The highest value of the metric, in its unit, that the fixed variant may reach.
    pub fixed_max: f64,
    /// What the bad variant needs of the desktop to misbehave.
    pub need: Option<Need>,
    pub make: fn(Variant) -> Box<dyn Pattern>,
}

/// Something that not every desktop has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    Minimise,
    FileDialog,
}

impl Need {
    /// What is missing here, by a run of the bad variant.
    pub(super) fn missing(self, bad: &Figures, is_reproduced: bool) -> Option<&'static str> {
        match self {
            // Not every desktop tells that a window is hidden.
            Self::Minimise => (!is_reproduced && !bad.was_hidden)
                .then_some("the window was not hidden; this desktop does not minimise windows"),
            // Nobody answers the dialog, so it is open to the end. Looking for one in vain may take long, too.
            Self::FileDialog => (bad.ending != TwinOutcome::Killed).then_some(
                "no file dialog was shown; the desktop has neither a portal for it nor zenity",
            ),
        }
    }
}

impl PatternEntry {
    /// The code of one variant: the source file without the other one.
    pub fn code(&self, variant: Variant) -> String {
        let of_bad = self.source.find(BAD_BEGINS).unwrap_or(0);
        let of_fixed = self.source.find(FIXED_BEGINS).unwrap_or(of_bad);
        let shared = &self.source[..of_bad];
        let own = match variant {
            Variant::Bad => self.source[of_bad..of_fixed].trim_end(),
            Variant::Fixed => self.source[of_fixed..].trim_end(),
        };
        format!("{shared}{own}\n")
    }
}

/// The begins of the variants in a source file.
const BAD_BEGINS: &str = "#[derive(Default)]\npub(super) struct Bad";
const FIXED_BEGINS: &str = "#[derive(Default)]\npub(super) struct Fixed";
