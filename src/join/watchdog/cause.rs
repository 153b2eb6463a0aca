//! Why a frame is late.

use std::fmt;

/// What the UI thread did while a frame was late.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// It computed.
    Computes,
    /// It could run, and got no processor most of the time. The text says who had them: "33 threads `work`".
    Starved(String),
    /// It waited.
    Waits {
        /// For what, in words: "waits for task `decode` to end".
        what: String,
        /// What that does or waits for in turn, if it is known: "reads from a pipe".
        because: Option<String>,
    },
}

impl Cause {
    /// Whether it is the same, though whom the thread waits for may do something else by now.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Waits { what, .. }, Self::Waits { what: others, .. }) => what == others,
            // The number of threads changes all the time.
            (Self::Starved(_), Self::Starved(_)) | (Self::Computes, Self::Computes) => true,
            _ => false,
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Computes => f.write_str("computes"),
            Self::Starved(by) => write!(f, "starved by {by}"),
            Self::Waits {
                what,
                because: Some(because),
            } => write!(f, "{what}, which {because}"),
            Self::Waits {
                what,
                because: None,
            } => f.write_str(what),
        }
    }
}

/// A look at the UI thread while a frame is late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Look {
    /// The system's id of the thread that draws. `None` where that is not known: elsewhere than on Linux.
    pub thread: Option<u32>,
    /// Whether it is the first look at this frame, of which none came before.
    pub is_first: bool,
}
