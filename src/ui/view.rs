use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::record::{ItemId, JobId};

/// What the window shows right now. Nothing in here runs or is saved with the results.
#[derive(Debug, Default)]
pub struct View {
    /// The page.
    pub page: Page,
    /// The pane below the selected job.
    pub pane: Pane,
    /// The job that is shown.
    pub selected: Option<JobId>,
    /// What is typed and picked for the next job.
    pub draft: Draft,
    /// The results table of the selected job.
    pub results: ResultsView,
    /// What the last wait on the UI thread cost.
    pub blocked_for: Option<BlockedFor>,
    /// Whether a file dialog is open.
    pub dialog_open: bool,
    /// Puts the keyboard into the `Filter` field in the next frame.
    pub focus_filter: bool,
}

/// The pages of the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Page {
    /// Jobs, and what came back.
    #[default]
    Workbench,
    /// Look and behaviour.
    Settings,
}

impl Page {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 2] = [Self::Workbench, Self::Settings];

    /// The name on screen.
    pub fn title(self) -> &'static str {
        match self {
            Self::Workbench => "Workbench",
            Self::Settings => "Settings",
        }
    }
}

/// The panes of the selected job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pane {
    /// Every item and what it came back with.
    #[default]
    Results,
    /// The captured panics.
    Panic,
    /// Who waits for whom.
    Waits,
}

impl Pane {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::Results, Self::Panic, Self::Waits];

    /// The name on screen.
    pub fn title(self) -> &'static str {
        match self {
            Self::Results => "Results",
            Self::Panic => "Panic",
            Self::Waits => "Waits",
        }
    }
}

/// The next job's inputs, until `Start`.
#[derive(Debug, Default)]
pub struct Draft {
    /// What was picked, dropped, typed or given on the command line.
    pub inputs: Vec<PathBuf>,
    /// The text of the `Path` field.
    pub path_text: String,
}

/// What a wait on the UI thread cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockedFor {
    /// Whose wait.
    pub job: JobId,
    /// How long the window stood still.
    pub blocked: Duration,
}

impl BlockedFor {
    /// How many frames of a 60 Hz display were not drawn.
    pub fn frames_missed(&self) -> u128 {
        self.blocked.as_micros() * 60 / 1_000_000
    }
}

/// The columns of the results table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Column {
    /// Where the item stands.
    State,
    /// Its path. Sorting by it in the order of planning needs no work, so it is the default.
    #[default]
    Name,
    /// Bytes.
    Size,
    /// What came back.
    Result,
    /// How long it ran.
    Time,
}

impl Column {
    /// All of them, from left to right.
    pub const ALL: [Self; 5] = [
        Self::State,
        Self::Name,
        Self::Size,
        Self::Result,
        Self::Time,
    ];

    /// The header on screen.
    pub fn title(self) -> &'static str {
        match self {
            Self::State => "State",
            Self::Name => "Name",
            Self::Size => "Size",
            Self::Result => "Result",
            Self::Time => "Time",
        }
    }
}

/// By which column, and which way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// The column.
    pub column: Column,
    /// Largest first.
    pub descending: bool,
}

/// Which items are shown, in which order.
#[derive(Clone, Debug, Default)]
pub enum Order {
    /// All, as planning found them.
    #[default]
    AsFound,
    /// These, as indices into the job's items.
    Rows(Arc<[u32]>),
}

impl Order {
    /// How many rows there are for a job of `items` items.
    pub fn len(&self, items: usize) -> usize {
        match self {
            Self::AsFound => items,
            Self::Rows(rows) => rows.len(),
        }
    }

    /// The item shown in a row.
    pub fn item(&self, row: usize) -> Option<usize> {
        match self {
            Self::AsFound => Some(row),
            Self::Rows(rows) => rows.get(row).map(|&item| item as usize),
        }
    }
}

/// The results table: what was asked for, and the order computed for it so far.
#[derive(Debug, Default)]
pub struct ResultsView {
    /// Only rows that contain this text, whatever its case.
    pub filter: String,
    /// `None`: as planning found them.
    pub sort: Option<Sort>,
    /// The rows to show. It may lag behind [`ResultsView::filter`] while it is computed.
    pub order: Order,
    /// Whether a newer order is being computed.
    pub computing: bool,
    /// The row whose details are shown.
    pub selected: Option<ItemId>,
    /// Which part of a very long table is shown.
    pub part: usize,
    /// The row of that part to bring into sight in the next frame.
    pub scroll_to: Option<usize>,
}

impl ResultsView {
    /// Sorts by a column; the same column again turns the order round, then back to as found.
    pub fn sort_by(&mut self, column: Column) {
        self.sort = match self.sort {
            Some(sort) if sort.column == column && sort.descending => None,
            Some(sort) if sort.column == column => Some(Sort {
                column,
                descending: true,
            }),
            _ => Some(Sort {
                column,
                descending: false,
            }),
        };
    }
}
