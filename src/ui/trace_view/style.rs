//! How spans look: colour alone never tells two apart.

use eframe::egui::Color32;

use crate::trace::{SpanOutcome, SpanState};
use crate::ui::hatching::Hatch;
use crate::ui::legend::Swatch;
use crate::ui::tokens::Tokens;

/// How much of the ground shows through the stripes on a bar: less would hide its name.
const STRIPES: f32 = 0.45;

/// The look of a bar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Look {
    pub(super) color: Color32,
    /// The part of the row's height that it takes.
    pub(super) share: f32,
    /// Whether it is only an outline.
    pub(super) is_hollow: bool,
    pub(super) hatch: Option<Hatch>,
}

/// The look of a span. What went wrong has the colour of that, whatever it did before.
pub(super) fn look(state: SpanState, outcome: SpanOutcome, is_open: bool, tokens: &Tokens) -> Look {
    let (color, share, is_hollow) = match state {
        SpanState::Runs if is_open => (tokens.running, 1.0, false),
        SpanState::Runs if outcome == SpanOutcome::Returned => (tokens.returned, 1.0, false),
        SpanState::Runs => (tokens.running, 1.0, false),
        SpanState::Queued => (tokens.neutral, 0.4, true),
        SpanState::WaitsInJoin => (tokens.timed_out, 0.6, false),
        SpanState::WaitsUntilDeadline => (tokens.timed_out, 0.6, true),
        SpanState::Waits => (tokens.timed_out, 0.35, false),
        SpanState::Sleeps => (tokens.neutral, 0.22, false),
        SpanState::Stopped => (tokens.neutral, 0.6, false),
        SpanState::Frozen => (tokens.failed, 1.0, false),
        SpanState::Unknown => (tokens.neutral, 1.0, true),
    };
    let color = match outcome {
        SpanOutcome::None | SpanOutcome::Returned => color,
        SpanOutcome::Cancelled => tokens.neutral,
        SpanOutcome::TimedOut => tokens.timed_out,
        SpanOutcome::Failed => tokens.failed,
        SpanOutcome::Panicked => tokens.panicked,
        SpanOutcome::Crashed => tokens.crashed,
    };
    Look {
        color,
        share,
        is_hollow,
        hatch: hatch(outcome),
    }
}

/// The pattern of what did not end well.
fn hatch(outcome: SpanOutcome) -> Option<Hatch> {
    match outcome {
        SpanOutcome::None | SpanOutcome::Returned => None,
        SpanOutcome::Cancelled => Some(Hatch::Middle),
        SpanOutcome::Failed | SpanOutcome::TimedOut => Some(Hatch::Rising),
        SpanOutcome::Panicked => Some(Hatch::Falling),
        SpanOutcome::Crashed => Some(Hatch::Crossed),
    }
}

/// The colour of the pattern on a bar.
pub(super) fn stripe_color(look: Look, tokens: &Tokens) -> Color32 {
    if look.is_hollow {
        look.color
    } else {
        tokens.field.gamma_multiply(STRIPES)
    }
}

/// The legend of the states and outcomes.
pub(super) fn legend(tokens: &Tokens) -> Vec<(Swatch, &'static str)> {
    let swatch = |state, outcome, is_open| {
        let look = look(state, outcome, is_open, tokens);
        if let Some(hatch) = look.hatch {
            let stripes = stripe_color(look, tokens);
            Swatch::Hatched(look.color, hatch, stripes)
        } else if look.is_hollow {
            Swatch::Outline(look.color)
        } else {
            Swatch::Thin(look.color, look.share)
        }
    };
    let (none, runs) = (SpanOutcome::None, SpanState::Runs);
    vec![
        (swatch(runs, none, true), "runs"),
        (swatch(runs, SpanOutcome::Returned, false), "done"),
        (swatch(runs, SpanOutcome::Failed, false), "failed"),
        (swatch(runs, SpanOutcome::Panicked, false), "panicked"),
        (swatch(runs, SpanOutcome::Crashed, false), "crashed"),
        (swatch(runs, SpanOutcome::Cancelled, false), "cancelled"),
        (swatch(SpanState::WaitsInJoin, none, false), "join"),
        (
            swatch(SpanState::WaitsUntilDeadline, none, false),
            "join with a timeout",
        ),
        (
            swatch(SpanState::WaitsUntilDeadline, SpanOutcome::TimedOut, false),
            "timed out",
        ),
        (swatch(SpanState::Waits, none, false), "waits"),
        (swatch(SpanState::Sleeps, none, false), "sleeps"),
        (swatch(SpanState::Stopped, none, false), "paused"),
        (swatch(SpanState::Frozen, none, false), "window frozen"),
        (swatch(SpanState::Unknown, none, false), "unknown"),
    ]
}
