//! What pointer, wheel and keys do to the view.

use eframe::egui::{Key, Rangef, Response, Ui};

use super::bars::Scale;
use super::places::{Entry, Place};
use super::range::TimeRange;
use crate::trace::{SpanId, Trace};

/// How much shorter the range gets with a key.
const KEY_ZOOM: f64 = 0.7;
/// The part of the range by which a key moves it.
const KEY_MOVE: f64 = 0.15;

/// The range after what the user does with pointer, wheel and keys; `None` if nothing is done.
pub(super) fn moved(range: TimeRange, axis: Rangef, plot: &Response, ui: &Ui) -> Option<TimeRange> {
    let scale = Scale::new(range, axis);
    let mut moved = range;
    if plot.dragged() {
        moved = moved.moved(-f64::from(plot.drag_delta().x / axis.span()));
    }
    let pointer = plot.hover_pos();
    if pointer.is_some() {
        let (zoom, wheel) = ui.input(|input| (input.zoom_delta(), input.smooth_scroll_delta().x));
        moved = moved.moved(-f64::from(wheel / axis.span()));
        if let Some(at) = pointer.filter(|_| (zoom - 1.0).abs() > f32::EPSILON) {
            moved = moved.zoomed(scale.time_at(at.x), 1.0 / f64::from(zoom));
        }
    }
    if plot.has_focus() {
        let middle = pointer.map_or(axis.center(), |at| at.x);
        let presses = |key| ui.input(|input| input.num_presses(key));
        let times = |key| i32::try_from(presses(key)).unwrap_or(0);
        let (closer, further) = (times(Key::W), times(Key::S));
        if closer != further {
            let factor = KEY_ZOOM.powi(closer - further);
            moved = moved.zoomed(scale.time_at(middle), factor);
        }
        let right = times(Key::D) - times(Key::A);
        moved = moved.moved(KEY_MOVE * f64::from(right));
    }
    (moved != range).then_some(moved)
}

/// The span to which the arrow keys go from the selected one.
pub(super) fn walked(
    trace: &Trace,
    selected: Option<SpanId>,
    places: &[Place],
    plot: &Response,
    ui: &Ui,
) -> Option<SpanId> {
    if !plot.has_focus() {
        return None;
    }
    // Else the arrows would go to another widget.
    let keys = [
        Key::ArrowLeft,
        Key::ArrowRight,
        Key::ArrowUp,
        Key::ArrowDown,
    ];
    ui.memory_mut(|memory| {
        let filter = eframe::egui::EventFilter {
            horizontal_arrows: true,
            vertical_arrows: true,
            ..Default::default()
        };
        memory.set_focus_lock_filter(plot.id, filter);
    });
    let key = keys
        .into_iter()
        .find(|key| ui.input(|input| input.key_pressed(*key)))?;
    let Some(from) = selected.filter(|selected| trace.span(*selected).is_some()) else {
        return first_span(trace, places);
    };
    let next = match key {
        Key::ArrowLeft => from
            .index
            .checked_sub(1)
            .map(|index| SpanId { index, ..from }),
        Key::ArrowRight => Some(SpanId {
            index: from.index + 1,
            ..from
        }),
        _ => beside(trace, from, places, key == Key::ArrowDown),
    };
    next.filter(|next| trace.span(*next).is_some())
}

fn first_span(trace: &Trace, places: &[Place]) -> Option<SpanId> {
    let lane = places.iter().find_map(|place| match place.entry {
        Entry::Lane(lane) => Some(lane),
        Entry::Group(_) | Entry::Counter(_) => None,
    })?;
    let first = SpanId {
        lane,
        row: 0,
        index: 0,
    };
    trace.span(first).map(|_| first)
}

/// The span at the same time in the row below or above.
fn beside(trace: &Trace, from: SpanId, places: &[Place], below: bool) -> Option<SpanId> {
    let lanes = places.iter().filter_map(|place| match place.entry {
        Entry::Lane(lane) => Some(lane),
        Entry::Group(_) | Entry::Counter(_) => None,
    });
    let rows: Vec<_> = lanes
        .flat_map(|lane| {
            let rows = trace.lane(lane).map_or(0, |lane| lane.rows().len());
            (0..rows).map(move |row| (lane, row))
        })
        .collect();
    let place = rows.iter().position(|row| *row == (from.lane, from.row))?;
    let next = if below {
        place + 1
    } else {
        place.checked_sub(1)?
    };
    let (lane, row) = *rows.get(next)?;
    let at = trace.span(from)?.began();
    let spans = trace.lane(lane)?.rows().get(row)?;
    let index = spans
        .first_ending_after(at)
        .min(spans.len().checked_sub(1)?);
    Some(SpanId { lane, row, index })
}
