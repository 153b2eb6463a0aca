//! The part of a time axis that is shown: zoomed, moved, and brought back into what there is.

/// A time from one nanosecond of a trace to another, which may be between two.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimeRange {
    pub from: f64,
    pub until: f64,
}

/// The shortest time that can be shown, in nanoseconds.
const MIN_LENGTH: f64 = 100.0;
/// The room beside all that there is, as a share of its time.
const MARGIN: f64 = 0.02;

impl TimeRange {
    pub fn new(from: u64, until: u64) -> Self {
        let range = Self {
            from: from as f64,
            until: until as f64,
        };
        range.with_length(range.length().max(MIN_LENGTH))
    }

    pub fn length(self) -> f64 {
        self.until - self.from
    }

    /// The range with room at both ends.
    #[must_use]
    pub fn with_margin(self) -> Self {
        let margin = self.length() * MARGIN;
        Self {
            from: self.from - margin,
            until: self.until + margin,
        }
    }

    /// A range that is `factor` times as long, in which `at` has the same place.
    #[must_use]
    pub fn zoomed(self, at: f64, factor: f64) -> Self {
        let factor = factor.max(MIN_LENGTH / self.length());
        Self {
            from: at - (at - self.from) * factor,
            until: at + (self.until - at) * factor,
        }
    }

    /// The range later by this share of its length; earlier if that is negative.
    #[must_use]
    pub fn moved(self, share: f64) -> Self {
        let by = self.length() * share;
        Self {
            from: self.from + by,
            until: self.until + by,
        }
    }

    /// The range moved, and if need be shortened, so that no more than a margin is outside of `whole`.
    #[must_use]
    pub fn within(self, whole: Self) -> Self {
        let most = whole.with_margin();
        if self.length() >= most.length() {
            return most;
        }
        let from = self.from.clamp(most.from, most.until - self.length());
        Self {
            from,
            until: from + self.length(),
        }
    }

    /// The range moved so that a span is in sight, and lengthened if that is longer.
    #[must_use]
    pub fn showing(self, began: f64, ended: f64) -> Self {
        if ended - began > self.length() {
            return Self {
                from: began,
                until: ended,
            }
            .with_margin();
        }
        let from = self.from.clamp(ended - self.length(), began);
        Self {
            from,
            until: from + self.length(),
        }
    }

    fn with_length(self, length: f64) -> Self {
        Self {
            until: self.from + length,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-6
    }

    #[test]
    fn zoom_keeps_the_place_of_the_pointer() {
        let range = TimeRange::new(1_000, 3_000);
        let zoomed = range.zoomed(1_500.0, 0.5);
        assert!(is_near(zoomed.length(), 1_000.0));
        let place = |range: TimeRange| (1_500.0 - range.from) / range.length();
        assert!(is_near(place(zoomed), place(range)));
    }

    #[test]
    fn zoom_ends_at_the_shortest_time() {
        let range = TimeRange::new(0, 1_000).zoomed(0.0, 1e-12);
        assert!(is_near(range.length(), MIN_LENGTH));
    }

    #[test]
    fn move_beyond_the_end_comes_back() {
        let whole = TimeRange::new(0, 1_000);
        let moved = TimeRange::new(100, 600).moved(9.0).within(whole);
        assert!(is_near(moved.until, 1_020.0) && is_near(moved.length(), 500.0));
        assert_eq!(TimeRange::new(0, 9_000).within(whole), whole.with_margin());
    }

    #[test]
    fn what_is_selected_comes_into_sight() {
        let range = TimeRange::new(0, 1_000);
        assert_eq!(range.showing(100.0, 300.0), range);
        assert!(is_near(range.showing(1_500.0, 1_600.0).until, 1_600.0));
        assert!(range.showing(0.0, 5_000.0).until > 5_000.0);
    }
}
