//! A number that changes with the time, such as that of the items which wait.

use std::sync::Arc;

use super::{GroupId, MAX_LANES, Trace};

/// The points that a counter keeps: more than a screen has pixels.
const MAX_POINTS: usize = 4_096;
/// A counter that never got this high says nothing that the lanes do not show.
const LEAST_PEAK: u64 = 10;

/// Names a counter of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CounterId {
    pub group: GroupId,
    /// The place of the counter in its group.
    pub index: usize,
}

/// The values of a number, each from its time on. A clone shares them.
#[derive(Clone, Debug)]
pub struct Counter {
    pub name: String,
    points: Arc<Vec<Point>>,
    last: Point,
    /// The time between two points at least.
    step: u64,
    peak: u64,
}

/// A value, and the time from which the number has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Point {
    pub at: u64,
    pub value: u64,
}

impl Counter {
    fn new(name: String) -> Self {
        Self {
            name,
            points: Arc::default(),
            last: Point::default(),
            step: 0,
            peak: 0,
        }
    }

    /// The highest value.
    pub fn peak(&self) -> u64 {
        self.peak
    }

    /// Whether it is worth a look.
    pub fn is_shown(&self) -> bool {
        self.peak >= LEAST_PEAK
    }

    /// The value now.
    pub fn value(&self) -> u64 {
        self.last.value
    }

    /// The points, in the order of their times. Of very many, some are left out; each that is there is exact.
    pub fn points(&self) -> impl Iterator<Item = Point> {
        self.points.iter().copied().chain([self.last])
    }

    /// The value at a time.
    pub fn value_at(&self, at: u64) -> u64 {
        if at >= self.last.at {
            return self.last.value;
        }
        let next = self.points.partition_point(|point| point.at <= at);
        next.checked_sub(1)
            .map_or(0, |place| self.points[place].value)
    }

    /// Calls `draw` for the times between two others, each with its highest value. Times shorter than `step` are one.
    pub fn steps(&self, from: u64, until: u64, step: u64, mut draw: impl FnMut(u64, u64, u64)) {
        let first = self.points.partition_point(|point| point.at <= from);
        let points = self.points.iter().skip(first).copied().chain([self.last]);
        let points = points.filter(|point| point.at > from);
        // The value since `at`, and the highest one from `began` until then.
        let (mut at, mut value) = (from, self.value_at(from));
        let (mut began, mut highest) = (from, 0);
        for point in points.take_while(|point| point.at < until) {
            if point.at - at >= step {
                if at > began {
                    draw(began, at, highest);
                }
                draw(at, point.at, value);
                (began, highest) = (point.at, 0);
            } else {
                highest = highest.max(value);
                if point.at - began >= step {
                    draw(began, point.at, highest);
                    (began, highest) = (point.at, 0);
                }
            }
            (at, value) = (point.at, point.value);
        }
        if at > began {
            draw(began, at, highest);
        }
        draw(at, until.max(at), value);
    }

    fn set(&mut self, at: u64, value: u64) {
        if value == self.last.value {
            return;
        }
        let at = at.max(self.last.at);
        let before = std::mem::replace(&mut self.last, Point { at, value });
        self.peak = self.peak.max(value);
        let is_due = self
            .points
            .last()
            .is_none_or(|last| before.at >= last.at.saturating_add(self.step) && before.at < at);
        if !is_due || before == Point::default() {
            return;
        }
        let points = Arc::make_mut(&mut self.points);
        points.push(before);
        if points.len() == MAX_POINTS {
            let mut is_kept = false;
            points.retain(|_| {
                is_kept = !is_kept;
                is_kept
            });
            let length = before.at - points.first().map_or(0, |first| first.at);
            self.step = length / (MAX_POINTS as u64 / 2);
        }
    }
}

impl Trace {
    /// Adds a counter to a group. Returns `None` if there is no such group, or no room.
    pub fn add_counter(&mut self, group: GroupId, name: impl Into<String>) -> Option<CounterId> {
        let counters = &mut self.groups.get_mut(&group)?.counters;
        if self.lanes == MAX_LANES {
            self.dropped += 1;
            return None;
        }
        self.lanes += 1;
        counters.push(Counter::new(name.into()));
        let index = counters.len() - 1;
        Some(CounterId { group, index })
    }

    /// Gives a counter a value from this time on. Does nothing if there is no such counter.
    pub fn set_counter(&mut self, id: CounterId, at: u64, value: u64) {
        self.last_at = self.last_at.max(at);
        let group = self.groups.get_mut(&id.group);
        if let Some(counter) = group.and_then(|group| group.counters.get_mut(id.index)) {
            let was_shown = counter.is_shown();
            counter.set(at, value);
            if counter.is_shown() != was_shown {
                self.change_shape();
            }
        }
    }

    pub fn counter(&self, id: CounterId) -> Option<&Counter> {
        self.group(id.group)?.counters.get(id.index)
    }
}
