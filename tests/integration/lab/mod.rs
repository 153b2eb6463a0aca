//! The Freeze Lab without a window: figures of given facts, the report, and twins that fail.
//! `tests/e2e.rs` runs the patterns in real windows.

mod because;
mod command_line;
mod figures;
mod report;
mod run_trace;
mod twins;

use meanwhile::lab::{Fact, Figures, PatternId, Stamped, TwinOutcome};

const FRAME: Fact = Fact::DidBegin { hidden: false };

/// Stamps facts, whose times are given in milliseconds.
fn stamped(facts: &[(u64, Fact)]) -> Vec<Stamped> {
    let stamped = facts.iter().map(|(at, fact)| Stamped {
        at_ns: at * 1_000_000,
        fact: fact.clone(),
    });
    stamped.collect()
}

fn figures(facts: &[(u64, Fact)]) -> Figures {
    Figures::of(&stamped(facts), TwinOutcome::Finished).expect("Start was clicked")
}

/// `join-in-click`.
fn first() -> PatternId {
    PatternId::all().next().expect("there are patterns")
}
