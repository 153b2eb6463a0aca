//! What a pattern is, and the list of them.

use std::fmt;

use eframe::egui::{Context, Ui};
use serde::{Deserialize, Serialize};

use super::patterns;
use super::work::Work;
use crate::catalog::{CatalogEntry, CatalogId};

/// A way to wait for background work, as a window has it: the part of an egui program that a pattern
/// is about. The twin brings the button, and the work.
pub trait Pattern {
    /// `Start` was clicked. Runs on the UI thread, as every click handler does.
    fn start(&mut self, work: Work, ctx: &Context);

    /// Runs once a frame before [`ui`](Self::ui), and also while the window is hidden.
    fn logic(&mut self, _ctx: &Context) {}

    /// Draws what there is to see.
    fn ui(&mut self, ui: &mut Ui);

    /// The window is about to close.
    fn on_exit(&mut self) {}
}

/// Which half of a pair.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "snake_case")]
pub enum Variant {
    /// As it is often done.
    Bad,
    /// As it should be.
    Fixed,
}

impl Variant {
    /// Both, the bad one first.
    pub const ALL: [Self; 2] = [Self::Bad, Self::Fixed];

    /// The name on screen.
    pub fn title(self) -> &'static str {
        match self {
            Self::Bad => "Bad",
            Self::Fixed => "Fixed",
        }
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bad => "bad",
            Self::Fixed => "fixed",
        })
    }
}

/// What is done to a twin while it is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    /// Start, then a probe at 60 Hz and clicks on the counter until the result is there.
    Probed,
    /// Start, and then nobody touches the window: a probe would wake it. When the result does not
    /// appear by itself, the mouse is moved at last.
    Untouched,
    /// Like `Untouched`, with the window minimised meanwhile.
    Minimised,
    /// Start, and soon after that the window is closed.
    Closed,
}

/// The figure that a pattern is about. Of each, less is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judged {
    /// The time in gaps above 100 ms.
    Frozen,
    /// The 95th percentile of the frame gaps.
    FrameGaps,
    /// From the end of the work to the frame that shows it.
    TimeToResult,
    /// Frames in which nothing changed, per second.
    IdleRepaints,
    /// What a small step of the work costs the thread that does it.
    StepTime,
    /// From the wish to close the window until it is closed.
    TimeToClose,
    /// Whether the window lives on.
    Survival,
}

/// A pattern as it stands in the list.
pub struct Entry {
    /// By which it is called for.
    pub id: &'static str,
    /// What is done wrong.
    pub bad: &'static str,
    /// What one sees then.
    pub symptom: &'static str,
    /// What is done instead.
    pub fix: &'static str,
    /// The very file that runs, both halves.
    pub source: &'static str,
    /// What is done to it.
    pub script: Script,
    /// What tells the halves apart.
    pub judged: Judged,
    /// Makes the pattern.
    pub make: fn(Variant) -> Box<dyn Pattern>,
}

/// A pattern of the list.
pub type PatternId = CatalogId<Entry>;

impl CatalogEntry for Entry {
    const NOUN: &'static str = "pattern";
    const LIST_COMMAND: &'static str = "meanwhile lab list";

    fn all() -> impl Iterator<Item = &'static Self> {
        patterns::ALL.iter()
    }

    fn id(&self) -> &'static str {
        self.id
    }
}
