use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::output_log::{Find, Log};
use crate::record::{ItemId, JobId, RateWindow};

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
    /// What is shown of the output of its processes.
    pub output: OutputView,
    /// What the last wait on the UI thread cost.
    pub blocked_for: Option<BlockedFor>,
    /// Whether a file dialog is open.
    pub dialog_open: bool,
    /// Puts the keyboard into the `Filter` field in the next frame, or into `Find`.
    pub focus_filter: bool,
}

/// The pages of the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Page {
    /// Jobs, and what came back.
    #[default]
    Workbench,
    /// Ways to join, run for real and explained.
    Lessons,
    /// Ways to wait, measured in windows of their own.
    FreezeLab,
    /// Look and behaviour.
    Settings,
}

impl Page {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 4] = [
        Self::Workbench,
        Self::Lessons,
        Self::FreezeLab,
        Self::Settings,
    ];

    /// The name on screen.
    pub fn title(self) -> &'static str {
        match self {
            Self::Workbench => "Workbench",
            Self::Lessons => "Lessons",
            Self::FreezeLab => "Freeze Lab",
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
    /// What a process prints.
    Output,
    /// The captured panics.
    Panic,
    /// Who waits for whom.
    Waits,
}

impl Pane {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 4] = [Self::Results, Self::Output, Self::Panic, Self::Waits];

    /// The name on screen.
    pub fn title(self) -> &'static str {
        match self {
            Self::Results => "Results",
            Self::Output => "Output",
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
    ///
    /// ```
    /// use meanwhile::record::JobId;
    /// use meanwhile::ui::BlockedFor;
    /// use std::time::Duration;
    ///
    /// let cost = BlockedFor { job: JobId(1), blocked: Duration::from_secs(2) };
    /// assert_eq!(cost.frames_missed(), 120);
    /// ```
    pub fn frames_missed(&self) -> u128 {
        self.blocked.as_micros() * 60 / 1_000_000
    }
}

/// The columns of the results table.
///
/// ```
/// use meanwhile::ui::Column;
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
/// use meanwhile::ui::Order;
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
    /// use meanwhile::ui::{Column, ResultsView};
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

/// The two streams of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    #[default]
    Stdout,
    /// Standard error.
    Stderr,
}

impl Stream {
    /// Both, in the order in which they are offered.
    pub const ALL: [Self; 2] = [Self::Stdout, Self::Stderr];

    /// The name on screen.
    pub fn title(self) -> &'static str {
        match self {
            Self::Stdout => "Stdout",
            Self::Stderr => "Stderr",
        }
    }

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Stdout => Self::Stderr,
            Self::Stderr => Self::Stdout,
        }
    }
}

/// The output pane: what was asked for, and what was read for it so far.
#[derive(Debug, Default)]
pub struct OutputView {
    /// Which stream.
    pub stream: Stream,
    /// The text that is looked for, whatever its case.
    pub find: String,
    /// The stream of one process; `None` where there is no process.
    pub(crate) shown: Option<ShownOutput>,
}

/// What was read of one stream of one process.
#[derive(Debug)]
pub(crate) struct ShownOutput {
    pub(crate) job: JobId,
    pub(crate) item: ItemId,
    pub(crate) stream: Stream,
    /// Its last lines.
    pub(crate) log: Log,
    /// Those that contain [`OutputView::find`].
    pub(crate) found: Find,
    /// Whether there is more to search.
    pub(crate) is_searching: bool,
    /// How many bytes came in all.
    pub(crate) total: u64,
    /// How many of them nobody keeps any more.
    pub(crate) dropped: u64,
    /// How many came on the other stream.
    pub(crate) other_total: u64,
    /// Whether something still holds the stream although the process has ended.
    pub(crate) is_held_open: bool,
    /// Whether less was read than is kept.
    pub(crate) has_gap: bool,
    /// A flood is not read in every frame; on the board's clock.
    pub(crate) next_read_at: Duration,
    pub(crate) pace: RateWindow,
    /// Over the last seconds while the process runs.
    pub(crate) bytes_per_sec: f64,
    pub(crate) scroll: LogScroll,
}

/// Where the lines are scrolled to.
#[derive(Debug)]
pub(crate) struct LogScroll {
    /// Of the first line of [`ShownOutput::log`] in the last frame.
    pub(crate) first_line: u64,
    /// In points.
    pub(crate) offset: f32,
    /// How high the part in sight was in the last frame, in points; 0 before there was one.
    pub(crate) height: f32,
    /// Whether it follows what comes.
    pub(crate) follows: bool,
    /// Whether what is new is left out, because somebody reads lines that would go for it.
    pub(crate) stands_still: bool,
    /// The line to bring into sight.
    pub(crate) to: Option<u64>,
}

impl ShownOutput {
    pub(crate) fn new(job: JobId, item: ItemId, stream: Stream) -> Self {
        Self {
            job,
            item,
            stream,
            log: Log::default(),
            found: Find::default(),
            is_searching: false,
            total: 0,
            dropped: 0,
            other_total: 0,
            is_held_open: false,
            has_gap: false,
            next_read_at: Duration::ZERO,
            pace: RateWindow::default(),
            bytes_per_sec: 0.0,
            scroll: LogScroll {
                first_line: 0,
                offset: 0.0,
                height: 0.0,
                follows: true,
                stands_still: false,
                to: None,
            },
        }
    }
}
