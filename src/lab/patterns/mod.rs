//! The patterns: one file each, both halves of it, and here the list.
//!
//! A line that ends in `// ← …` is the one that makes the difference; the page marks it.

mod join_in_click;
mod no_wake;

use super::pattern::{Entry, Judged, Pattern, Script, Variant};

/// A pattern's source and its two halves.
macro_rules! halves {
    ($module:ident) => {
        (
            include_str!(concat!(stringify!($module), ".rs")),
            |variant| -> Box<dyn Pattern> {
                match variant {
                    Variant::Bad => Box::new($module::Bad::default()),
                    Variant::Fixed => Box::new($module::Fixed::default()),
                }
            },
        )
    };
}

/// All patterns, in the order of the list.
pub(super) static ALL: &[Entry] = &[
    entry(
        "join-in-click",
        "`join()` in the click handler",
        "the window is frozen as long as the work takes",
        "ask once a frame, and be woken at the end",
        Script::Probed,
        Judged::Frozen,
        halves!(join_in_click),
    ),
    entry(
        "no-wake",
        "the worker ends and wakes nobody",
        "the result appears when the mouse moves",
        "wake at the end",
        Script::Untouched,
        Judged::TimeToResult,
        halves!(no_wake),
    ),
];

const fn entry(
    id: &'static str,
    bad: &'static str,
    symptom: &'static str,
    fix: &'static str,
    script: Script,
    judged: Judged,
    (source, make): (&'static str, fn(Variant) -> Box<dyn Pattern>),
) -> Entry {
    Entry {
        id,
        bad,
        symptom,
        fix,
        source,
        script,
        judged,
        make,
    }
}
