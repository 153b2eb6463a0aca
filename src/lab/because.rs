//! Why a window misbehaved, from the facts of its run. What is not clear is not said.

use std::collections::BTreeMap;

use super::fact::{Fact, LateCause, Stamped};
use super::figures::Figures;
use super::metric::Metric;
use crate::format;

/// A frame that was asked for less often costs the work nothing.
const MANY_WAKE_UPS: usize = 20;

/// Says why the window has a bad value of this metric. `None` if it has a good one, or the cause is not known.
///
/// `errors` is what the twin has written to standard error.
pub fn because(
    metric: Metric,
    facts: &[Stamped],
    figures: &Figures,
    errors: &str,
) -> Option<String> {
    let (min, _) = metric.bad_min();
    if metric.value(figures).is_none_or(|value| value < min) {
        return None;
    }
    let started = facts.iter().position(|fact| fact.fact == Fact::DidStart)?;
    match metric {
        Metric::Frozen | Metric::FrameGaps | Metric::TimeToClose => late(&facts[started..]),
        Metric::TimeToResult => result(facts),
        Metric::IdleRepaints => idle(facts),
        Metric::StepTime => woken(&facts[started..]),
        Metric::Survival => panic_of(errors),
    }
}

/// What the UI thread did for most of the time of its late frames, until the result was shown.
fn late(facts: &[Stamped]) -> Option<String> {
    let shown = facts.iter().find(|fact| fact.fact == Fact::DidShow);
    let until = shown.map_or(u64::MAX, |fact| fact.at_ns);
    let mut frames: BTreeMap<u64, (u64, Option<&LateCause>)> = BTreeMap::new();
    let last = facts.last()?.at_ns;
    for stamped in facts {
        if let Fact::IsLate {
            number,
            lasted_ns,
            has_ended,
            cause,
        } = &stamped.fact
        {
            if stamped.at_ns.saturating_sub(*lasted_ns) >= until {
                continue;
            }
            // One that is late lasts until it says otherwise.
            let since = if *has_ended { 0 } else { last - stamped.at_ns };
            frames.insert(*number, (lasted_ns.saturating_add(since), cause.as_ref()));
        }
    }
    let whole: u64 = frames.values().map(|(lasted, _)| lasted).sum();
    let mut kinds: BTreeMap<&str, (u64, (u64, &str))> = BTreeMap::new();
    for (lasted, cause) in frames.into_values() {
        if let Some(cause) = cause {
            let (sum, longest) = kinds.entry(&cause.kind).or_default();
            *sum += lasted;
            *longest = (*longest).max((lasted, &cause.because));
        }
    }
    let known: u64 = kinds.values().map(|(sum, _)| sum).sum();
    let (sum, (_, because)) = kinds.into_values().max()?;
    // A frame that is late by little ends before its cause is known.
    (sum >= known / 2 && sum >= whole / 3).then(|| because.to_owned())
}

/// What happened between the end of the work and its result.
fn result(facts: &[Stamped]) -> Option<String> {
    let ended = facts.iter().position(|fact| fact.fact == Fact::DidEnd)?;
    let waits = facts[ended..]
        .iter()
        .take_while(|fact| !matches!(fact.fact, Fact::DidShow | Fact::DidMoveMouse));
    let frames = waits.filter_map(|fact| match fact.fact {
        Fact::DidBegin { hidden } => Some(hidden),
        _ => None,
    });
    let (hidden, shown): (Vec<bool>, Vec<bool>) = frames.partition(|hidden| *hidden);
    let needed_input = facts[ended..]
        .iter()
        .any(|fact| fact.fact == Fact::DidMoveMouse);
    let text = match (shown.len(), hidden.len(), needed_input) {
        (0, 0, true) => "waits for input: nothing woke it when the work had ended",
        (1.., 0, true) => "was woken before the result was there, and not again",
        (_, 1.., _) => "ran while it was hidden, and looks for the result only when it draws",
        _ => return None,
    };
    Some(text.to_owned())
}

/// What a window without input draws again and again.
fn idle(facts: &[Stamped]) -> Option<String> {
    let shown = facts.iter().position(|fact| fact.fact == Fact::DidShow)?;
    let over = facts.iter().position(|fact| fact.fact == Fact::Over)?;
    let after = facts.get(shown..over)?;
    let frames = after
        .iter()
        .filter(|fact| matches!(fact.fact, Fact::DidBegin { .. }));
    let watched = after.last()?.at().saturating_sub(after.first()?.at());
    let per_sec = frames.count() as f64 / watched.as_secs_f64().max(f64::EPSILON);
    let (min, _) = Metric::IdleRepaints.bad_min();
    let text = if per_sec >= min {
        // No worker is left that could ask for them.
        "each frame asks for the next one, though the work has ended"
    } else {
        "draws frame after frame while the work runs, though they show nothing new"
    };
    Some(text.to_owned())
}

/// Each wake-up of the window takes time from the work.
fn woken(facts: &[Stamped]) -> Option<String> {
    let working = facts.iter().take_while(|fact| fact.fact != Fact::DidEnd);
    let mut asked: Vec<usize> = working
        .filter_map(|fact| match fact.fact {
            Fact::WasAskedFor { times } => Some(times),
            _ => None,
        })
        .collect();
    asked.sort_unstable();
    let times = *asked.get(asked.len() / 2)?;
    let count = format::count(times);
    (times >= MANY_WAKE_UPS).then(|| format!("wakes the window {count} times for each frame"))
}

/// The message of the last panic in the output of a twin, which has ended it.
fn panic_of(errors: &str) -> Option<String> {
    let (_, panic) = errors.rsplit_once("panicked at ")?;
    let message = panic.lines().nth(1)?.trim();
    Some(format!("the UI thread panicked: {message}"))
}
