use std::sync::Arc;

use crate::record::ItemId;

/// The columns of the results table.
///
/// ```
/// use meanwhile::pages::workbench::Column;
///
/// assert_eq!(Column::ALL.map(Column::title), ["State", "Name", "Size", "Result", "Time"]);
/// ```
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
///
/// ```
/// use meanwhile::pages::workbench::Order;
///
/// let filtered = Order::Rows([7, 2].into());
/// assert_eq!((filtered.len(1_000), Order::AsFound.len(1_000)), (2, 1_000));
/// assert_eq!((filtered.item(0), filtered.item(2)), (Some(7), None));
/// assert_eq!((filtered.row(2), filtered.row(3)), (Some(1), None));
/// ```
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

    /// The row that shows an item, if one does.
    pub fn row(&self, item: usize) -> Option<usize> {
        match self {
            Self::AsFound => Some(item),
            Self::Rows(rows) => rows.iter().position(|&shown| shown as usize == item),
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
    ///
    /// ```
    /// use meanwhile::pages::workbench::{Column, ResultsView};
    ///
    /// let mut view = ResultsView::default();
    /// view.sort_by(Column::Size);
    /// assert!(view.sort.is_some_and(|sort| !sort.descending));
    /// view.sort_by(Column::Size);
    /// assert!(view.sort.is_some_and(|sort| sort.descending));
    /// view.sort_by(Column::Size);
    /// assert_eq!(view.sort, None);
    /// ```
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
