//! The fields in which a time is typed that is to be shown.

use eframe::egui::{Key, TextEdit, Ui};

use crate::format;
use crate::ui::trace_view::TimeRange;
use crate::ui::widgets::keep_together;

const WIDTH: f32 = 62.0;
/// The room for both fields with their names.
const ALL_WIDTH: f32 = 2.0 * WIDTH + 70.0;
const NANOS: f64 = 1e9;

/// What is typed.
#[derive(Debug, Default)]
pub(super) struct RangeFields {
    /// What the fields have while one of them has the keyboard.
    typed: Option<[String; 2]>,
    /// Why what was typed last is no range.
    pub(super) problem: Option<String>,
}

impl RangeFields {
    /// Draws the fields for a range of a trace. Returns the range that was typed.
    pub(super) fn ui(
        &mut self,
        shown: TimeRange,
        whole: TimeRange,
        ui: &mut Ui,
    ) -> Option<TimeRange> {
        keep_together(ALL_WIDTH, ui);
        let texts = || texts(shown, whole);
        let mut fields = self.typed.clone().unwrap_or_else(texts);
        let before = fields.clone();
        let mut has_keyboard = false;
        let mut is_entered = false;
        for (name, text) in ["From (s)", "to (s)"].into_iter().zip(&mut fields) {
            let label = ui.label(name);
            let field = TextEdit::singleline(text).desired_width(WIDTH);
            let field = ui.add(field).labelled_by(label.id);
            has_keyboard |= field.has_focus();
            is_entered |= field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        }
        let is_changed = fields != before;
        if is_changed {
            self.problem = None;
        }
        let has_typed = self.typed.is_some() || is_changed;
        let typed = has_typed.then_some(fields);
        if !is_entered {
            // Without Enter, they have what is shown again.
            self.typed = typed.filter(|_| has_keyboard);
            return None;
        }
        self.typed = None;
        let range = typed.map(|typed| range(&typed, whole))?;
        self.problem = range.as_ref().err().cloned();
        range.ok()
    }
}

/// The ends of a range in seconds, as exact as its length needs.
fn texts(shown: TimeRange, whole: TimeRange) -> [String; 2] {
    let step = shown.length() / NANOS / 100.0;
    [shown.from, shown.until].map(|at| {
        let secs = (at - whole.from).max(0.0) / NANOS;
        let text = format::axis_time(secs, step.max(1e-9));
        text.trim_end_matches(" s").to_owned()
    })
}

/// The range between two typed times, or a sentence why there is none.
fn range(typed: &[String; 2], whole: TimeRange) -> Result<TimeRange, String> {
    let secs = |text: &String| {
        let number = text
            .trim()
            .trim_end_matches('s')
            .trim_end()
            .replace(',', ".");
        let number: Option<f64> = number.parse().ok();
        let number = number.filter(|number| number.is_finite() && *number >= 0.0);
        number.ok_or_else(|| format!("“{text}” is no time: type seconds, such as 1.5."))
    };
    let (from, until) = (secs(&typed[0])?, secs(&typed[1])?);
    if until <= from {
        return Err(format!(
            "The end, {until} s, is not after the begin, {from} s: type a later end."
        ));
    }
    let length = whole.length() / NANOS;
    if from >= length {
        return Err(format!(
            "Nothing is there after {length:.3} s: type an earlier begin."
        ));
    }
    let at = |secs: f64| whole.from + secs * NANOS;
    Ok(TimeRange {
        from: at(from),
        until: at(until),
    })
}
