//! A horizontal time axis: where a time is on screen, and the ticks with their labels.

use std::time::Duration;

use eframe::egui::{Align2, Color32, FontId, Painter, Pos2, Rangef};

use super::tokens::Tokens;
use crate::format;

/// The room that an axis needs below its plot.
pub(super) const AXIS_HEIGHT: f32 = 20.0;
/// The minimum distance between two ticks, and the most that a character of a label takes, with the room beside it.
const MIN_SPACING: f32 = 52.0;
const CHARACTER_WIDTH: f32 = 6.5;
const LABEL_MARGIN: f32 = 8.0;
/// The minimum distance of a label from the right end.
const MIN_TO_END: f32 = 8.0;
const FONT_SIZE: f32 = 11.5;

/// Maps times to places from the left to the right end of a plot, and back.
pub(super) struct TimeAxis {
    pub(super) x: Rangef,
    /// The times at both ends, in seconds. The first may be negative.
    from: f64,
    until: f64,
    /// The time that the labels call 0.
    origin: f64,
}

pub(super) struct Tick {
    pub(super) x: f32,
    text: String,
}

impl TimeAxis {
    pub(super) fn new(from: Duration, until: Duration, x: Rangef) -> Self {
        let from = from.as_secs_f64();
        Self {
            x,
            from,
            until: until.as_secs_f64().max(from + 1e-6),
            origin: 0.0,
        }
    }

    /// The last `length` before `until`, even if that begins before time 0.
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "only the Freeze Lab needs it")
    )]
    pub(super) fn last(length: Duration, until: Duration, x: Rangef) -> Self {
        let from = until.as_secs_f64() - length.as_secs_f64().max(1e-6);
        Self {
            from,
            ..Self::new(Duration::ZERO, until, x)
        }
    }

    /// Labels count from this time, and nothing before it gets one.
    #[must_use]
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "only the Freeze Lab needs it")
    )]
    pub(super) fn counting_from(mut self, origin: Duration) -> Self {
        self.origin = origin.as_secs_f64();
        self
    }

    fn length(&self) -> f64 {
        self.until - self.from
    }

    /// The position of a time. One far outside the axis ends up somewhere beyond its end.
    #[expect(clippy::cast_possible_truncation, reason = "a place on the screen")]
    pub(super) fn x_of(&self, at: Duration) -> f32 {
        let share = (at.as_secs_f64() - self.from) / self.length();
        self.x.min + share.clamp(-1.0, 2.0) as f32 * self.x.span()
    }

    pub(super) fn range_of(&self, began: Duration, ended: Duration) -> Rangef {
        Rangef::new(self.x_of(began), self.x_of(ended))
    }

    /// The time at a position; 0 for what lies before it.
    pub(super) fn time_at(&self, x: f32) -> Duration {
        let share = f64::from((x - self.x.min) / self.x.span());
        Duration::try_from_secs_f64(self.from + share * self.length()).unwrap_or_default()
    }

    /// The ticks, as many as there is room for their labels.
    pub(super) fn ticks(&self) -> Vec<Tick> {
        let step = self.step();
        let first = ((self.from - self.origin) / step).ceil().max(0.0);
        let seconds = (0..).map(|index| (first + f64::from(index)) * step);
        let last = self.until - self.origin;
        let ticks = seconds.take_while(|at| *at <= last).map(|at| Tick {
            x: self.x_of(Duration::try_from_secs_f64(self.origin + at).unwrap_or_default()),
            text: format::axis_time(at, step),
        });
        ticks
            .filter(|tick| tick.x <= self.x.max - MIN_TO_END)
            .collect()
    }

    /// The time between two ticks: the shortest one whose labels have room.
    fn step(&self) -> f64 {
        let step_of = |spacing: f32| {
            let room = f64::from((self.x.span() / spacing).max(1.0));
            next_step(self.length() / room)
        };
        let mut step = step_of(MIN_SPACING);
        // A longer step has labels that are as long or shorter.
        let label = format::axis_time(self.until - self.origin, step);
        let width = label.chars().count() as f32 * CHARACTER_WIDTH + LABEL_MARGIN;
        if width > MIN_SPACING {
            step = step_of(width);
        }
        step
    }

    /// Writes the labels of ticks below `y`, the bottom of the plot.
    pub(super) fn paint_labels(ticks: Vec<Tick>, y: f32, painter: &Painter, tokens: &Tokens) {
        let color: Color32 = tokens.text_weak;
        for Tick { x, text } in ticks {
            let at = Pos2::new(x, y + 3.0);
            let font = FontId::proportional(FONT_SIZE);
            painter.text(at, Align2::CENTER_TOP, text, font, color);
        }
    }
}

/// The smallest of 1, 2 and 5 times a power of ten that is at least `min`.
pub(crate) fn next_step(min: f64) -> f64 {
    let power = 10_f64.powf(min.log10().floor());
    let steps = [1.0, 2.0, 5.0].map(|factor| factor * power);
    let step = steps.into_iter().find(|step| *step >= min);
    step.unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(axis: &TimeAxis) -> Vec<String> {
        axis.ticks().into_iter().map(|tick| tick.text).collect()
    }

    #[test]
    fn ticks_stand_on_round_times() {
        let ms = Duration::from_millis;
        let x = Rangef::new(100.0, 360.0);
        let axis = TimeAxis::new(ms(900), ms(3_100), x);
        assert_eq!(texts(&axis), ["1.0 s", "1.5 s", "2.0 s", "2.5 s", "3.0 s"]);
        assert!((axis.x_of(axis.time_at(200.0)) - 200.0).abs() < 0.01);
    }

    #[test]
    fn long_labels_are_farther_from_each_other() {
        let x = Rangef::new(0.0, 600.0);
        let begin = Duration::from_secs(1_000);
        let axis = TimeAxis::new(begin, begin + Duration::from_micros(10), x);
        let ticks = axis.ticks();
        assert!(ticks.len() > 2);
        for pair in ticks.windows(2) {
            let room = pair[1].x - pair[0].x;
            assert!(
                room > 6.5 * pair[0].text.len() as f32,
                "{room}: {}",
                pair[0].text
            );
        }
    }

    #[test]
    fn labels_count_from_the_origin() {
        let ms = Duration::from_millis;
        let x = Rangef::new(0.0, 400.0);
        let axis = TimeAxis::last(ms(5_000), ms(4_700), x).counting_from(ms(200));
        assert_eq!(texts(&axis), ["0 s", "1 s", "2 s", "3 s", "4 s"]);
        assert!((axis.x_of(ms(200)) - 40.0).abs() < 0.01);
    }
}
