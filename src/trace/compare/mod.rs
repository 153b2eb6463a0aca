//! What differs between two traces.

mod align;
mod counterpart;
mod rank;

use self::align::pair_groups;
pub use self::counterpart::counterpart;
use self::rank::Found;
use super::span::{SpanOutcome, SpanState};
use super::{SpanId, Trace};
use crate::format;

/// The number of differences that are kept: those that matter most.
pub const MAX_DIFFERENCES: usize = 1_000;

/// What differs between two traces: the first one is before, the second one after.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// What matters most comes first: what failed in one of the two alone, then by time, of which that of waits counts
    /// twice, and at last what only begins at another time.
    pub differences: Vec<Difference>,
    /// The number of differences that there was no room for.
    pub left_out: usize,
    /// The number of spans in both.
    pub common: usize,
}

/// Spans of one name, in one state and in one group, that differ in the same way.
#[derive(Clone, Debug)]
pub struct Difference {
    pub change: Change,
    pub name: String,
    pub state: SpanState,
    /// The name of the group and of the lane of that which differs most.
    pub group: String,
    pub lane: String,
    /// The number of spans.
    pub count: usize,
    /// The sum of their times before and after, in nanoseconds; 0 where they are not.
    pub before: u64,
    pub after: u64,
    /// By how much that which differs most is later, from the begin of its group, in nanoseconds.
    pub moved: i64,
    /// How that one ended before and after.
    pub outcomes: (SpanOutcome, SpanOutcome),
    /// That which differs most, before and after.
    pub spans: (Option<SpanId>, Option<SpanId>),
}

/// How spans differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Change {
    /// They are in the first trace alone.
    Vanished,
    /// They are in the second trace alone.
    New,
    /// They end in another way, such as `failed`.
    EndsOtherwise,
    Longer,
    Shorter,
    /// They begin later, as seen from the begin of their group.
    Later,
    Earlier,
}

impl Change {
    pub const ALL: [Self; 7] = [
        Self::Vanished,
        Self::New,
        Self::EndsOtherwise,
        Self::Longer,
        Self::Shorter,
        Self::Later,
        Self::Earlier,
    ];

    /// The words on screen.
    pub fn title(self) -> &'static str {
        match self {
            Self::EndsOtherwise => "ends otherwise",
            _ => self.label(),
        }
    }

    /// The word in files.
    pub fn label(self) -> &'static str {
        match self {
            Self::Vanished => "vanished",
            Self::New => "new",
            Self::EndsOtherwise => "ends_otherwise",
            Self::Longer => "longer",
            Self::Shorter => "shorter",
            Self::Later => "later",
            Self::Earlier => "earlier",
        }
    }
}

impl Difference {
    /// It in a line, such as `shorter: work, from 2.0 s to 20 ms`.
    pub fn text(&self) -> String {
        let time = |nanos| format::duration(std::time::Duration::from_nanos(nanos));
        let name = match self.count {
            1 => self.name.clone(),
            count => format!("{} × {}", format::count(count), self.name),
        };
        let how = match self.change {
            Change::Vanished => time(self.before),
            Change::New => time(self.after),
            Change::Longer | Change::Shorter => {
                format!("from {} to {}", time(self.before), time(self.after))
            }
            Change::EndsOtherwise => {
                let title = |outcome: SpanOutcome| match outcome.title() {
                    "" => "no outcome",
                    title => title,
                };
                let (before, after) = self.outcomes;
                format!("from {} to {}", title(before), title(after))
            }
            Change::Later | Change::Earlier => format!("by {}", time(self.moved.unsigned_abs())),
        };
        format!("{}: {name}, {how}", self.change.title())
    }

    /// Where it is: lane and group.
    pub fn place(&self) -> String {
        format!("{}, {}", self.lane, self.group)
    }
}

/// Compares two traces: what vanished, what is new, and what ends otherwise, takes longer or shorter, or begins at
/// another time.
///
/// The traces are aligned in steps, each in linear time but for a sort:
///
/// 1. Groups by their names, and several of one name in their order; those left by their names without the number that
///    a job has, as in `#3 Checksums`. If each trace has only one group, these two are compared whatever their names.
/// 2. Lanes of two groups by their names and kinds, and those left in the order of their kind.
/// 3. Spans of two lanes by their names and states, in their order; that of a whole job without its number. If one lane
///    has more of them, those stay alone whose begins, as seen from the begins of the groups, are farther from the next
///    one than that of the following span.
/// 4. Spans that stayed alone by the same rules in all lanes of a kind, so an item that another thread took has not
///    vanished.
///
/// What then stays alone has vanished or is new. Lengths are the same up to a millisecond or a twentieth of them, and
/// begins up to a twentieth of the whole time. A span that goes on ends with its trace. Swapping the traces swaps
/// `Vanished` and `New`, `Longer` and `Shorter`, `Later` and `Earlier`. Of a million spans it takes longer
/// than a frame, so a window does it in a task.
pub fn compare(before: &Trace, after: &Trace) -> Comparison {
    let mut found = Found::new(before, after);
    for (place, pair) in pair_groups(before, after).into_iter().enumerate() {
        found.compare_groups(place, pair);
    }
    found.finish()
}
