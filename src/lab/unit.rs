//! The units of figures.

use crate::format;

/// The unit of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Millis,
    Micros,
    PerSec,
    Count,
    /// 1 or 0.
    YesNo,
}

impl Unit {
    /// A value with its unit, such as `2.00 s`.
    pub fn text(self, value: f64) -> String {
        match self {
            Self::Millis => format::millis(value),
            Self::Micros => format::millis(value / 1e3),
            Self::PerSec => format::per_sec(value),
            Self::Count => format::rounded_count(value),
            Self::YesNo if value > 0.0 => "yes".to_owned(),
            Self::YesNo => "no".to_owned(),
        }
    }
}
