use std::sync::Arc;

use eframe::egui::Pos2;
use fixedbitset::FixedBitSet;

use super::compare::Comparison;
use super::{Selection, command};
use crate::choice::choices;
use crate::jobs::Verdict;
use crate::pages::commands::UiCommand;
use crate::record::{ItemId, ItemRecord, ItemState};

/// Scroll offsets are `f32`, which can't address single rows beyond this many.
pub(super) const MAX_PAGE_ROWS: usize = 500_000;

/// The columns of the results table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Column {
    State,
    #[default]
    Name,
    Size,
    Result,
    Time,
}

choices!(pub Column {
    State => "State",
    Name => "Name",
    Size => "Size",
    Result => "Result",
    Time => "Time",
});

/// The column to sort by, and the direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    pub column: Column,
    /// Largest first.
    pub descending: bool,
}

/// A verdict, or a way to end, to which the table is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Only {
    /// Items that returned.
    Returned,
    /// Items that failed with an error of this kind.
    Failed(&'static str),
    /// Items that failed with an error that is none of these verdicts.
    FailedOtherwise(&'static [Verdict]),
    Panicked,
    Crashed,
    Cancelled,
}

impl Only {
    /// Whether an item has this verdict.
    pub(super) fn shows(self, item: &ItemRecord) -> bool {
        match (self, &item.state) {
            (Self::Failed(kind), ItemState::Failed(error)) => error.kind == kind,
            (Self::FailedOtherwise(verdicts), ItemState::Failed(error)) => {
                verdicts.iter().all(|verdict| error.kind != verdict.kind)
            }
            (Self::Returned, ItemState::Returned(_))
            | (Self::Panicked, ItemState::Panicked(_))
            | (Self::Crashed, ItemState::Crashed(_))
            | (Self::Cancelled, ItemState::Cancelled) => true,
            _ => false,
        }
    }
}

/// The shown items and their order.
#[derive(Clone, Debug, Default)]
pub enum Order {
    /// All, as planning found them.
    #[default]
    AsFound,
    /// These alone.
    Rows(Arc<ShownRows>),
}

impl Order {
    /// The number of rows of a job with `items` items.
    pub fn len(&self, items: usize) -> usize {
        match self {
            Self::AsFound => items,
            Self::Rows(shown) => shown.rows.len(),
        }
    }

    /// The item shown in a row.
    pub fn item(&self, row: usize) -> Option<usize> {
        match self {
            Self::AsFound => Some(row),
            Self::Rows(shown) => shown.rows.get(row).map(|&item| item as usize),
        }
    }

    /// The row that shows an item, if any.
    pub fn row(&self, item: usize) -> Option<usize> {
        match self {
            Self::AsFound => Some(item),
            Self::Rows(shown) => {
                let mut rows = shown.rows.iter();
                rows.position(|&shown| shown as usize == item)
            }
        }
    }
}

/// Some items of a job, and the row of each.
#[derive(Debug)]
pub struct ShownRows {
    /// For each row, the place of its item among those of the job.
    rows: Vec<u32>,
    /// The same places. A frame has time to look at all at once, but not at one after the other.
    places: FixedBitSet,
}

impl ShownRows {
    /// Takes the time of a task.
    pub fn new(rows: Vec<u32>) -> Self {
        let places = rows.iter().map(|&row| row as usize).collect();
        Self { rows, places }
    }

    pub(super) fn rows(&self) -> &[u32] {
        &self.rows
    }

    pub(super) fn places(&self) -> &FixedBitSet {
        &self.places
    }
}

/// The number of rows as it was drawn last.
#[derive(Debug, Default)]
pub(super) struct Count {
    text: String,
    pass: u64,
    is_said: bool,
}

impl Count {
    /// Whether a screen reader says the number that is drawn in this pass: the user has asked for it, so it is not how
    /// it grows while a job plans, and it has changed since the table is shown, so it is not said again on the way back
    /// from another page.
    pub(super) fn is_said(&mut self, text: String, is_asked_for: bool, pass: u64) -> bool {
        let was_shown = self.pass + 1 >= pass;
        let is_news = self.is_said || self.text != text;
        *self = Self {
            text,
            pass,
            is_said: is_asked_for && was_shown && is_news,
        };
        self.is_said
    }
}

/// The results table: its filter and sorting, and the order computed for them so far.
#[derive(Debug, Default)]
pub struct ResultsState {
    /// Only rows that contain this text are shown, ignoring case.
    pub filter: String,
    /// Only rows with this verdict are shown.
    pub only: Option<Only>,
    /// `None`: as planning found them.
    pub sort: Option<Sort>,
    /// The rows to show. Lags behind [`ResultsState::filter`] while it is computed.
    pub order: Order,
    /// Whether a newer order is being computed.
    pub computing: bool,
    pub selection: Selection,
    /// Whether the details of the row that was selected last are shown.
    pub shows_details: bool,
    /// The shown page of a very long table.
    pub page: usize,
    /// The item whose details were shown last, from their top on.
    pub(super) details_of: Option<ItemId>,
    /// The place of the menu of the selected rows while it is open.
    pub(super) menu_at: Option<Pos2>,
    pub(super) comparison: Option<Comparison>,
    pub(super) count: Count,
    /// The width to which the columns were fitted.
    pub table_width: f32,
    /// The row of that page to scroll to in the next frame.
    pub scroll_to: Option<usize>,
    /// The row that was scrolled to in the last frame.
    pub(super) revealed: Option<usize>,
}

impl ResultsState {
    /// Sorts by a column: ascending, then descending, then not at all.
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

    /// The item whose details are shown.
    pub(super) fn shown_item(&self) -> Option<ItemId> {
        let lead = self.selection.lead().filter(|_| self.shows_details);
        lead.filter(|item| self.selection.contains(*item))
    }

    /// The number of pages of so many rows.
    pub(super) fn pages(rows: usize) -> usize {
        rows.div_ceil(MAX_PAGE_ROWS).max(1)
    }

    /// The reason why the table can't be turned to the next or the previous page.
    pub(super) fn why_not_turn(&self, command: UiCommand, rows: usize) -> Option<&'static str> {
        if command == command::PREVIOUS_PAGE {
            return (self.page == 0).then_some("This is the first page.");
        }
        (self.page + 1 >= Self::pages(rows)).then_some("This is the last page.")
    }

    pub(super) fn turn(&mut self, command: UiCommand) {
        (self.page, self.scroll_to) = if command == command::PREVIOUS_PAGE {
            (self.page.saturating_sub(1), Some(MAX_PAGE_ROWS - 1))
        } else {
            (self.page + 1, Some(0))
        };
    }
}
