use std::str::FromStr;

use image::metadata::Orientation;

use super::{Options, Resize, Rotate};

/// A size on the command line: `50%`; `800x600`, `800x` or `x600` to fit within; `800x600!` exactly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Size {
    /// To fit within this width and height; 0 for any.
    Fit(u32, u32),
    /// Exactly this width and height.
    Exact(u32, u32),
    /// This percentage of the original size.
    Percent(f64),
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let invalid =
            || format!("{text:?} is not a size; write 50%, 800x600, 800x, x600 or 800x600!");
        if let Some(percent) = text.strip_suffix('%') {
            return percent.parse().ok().map(Self::Percent).ok_or_else(invalid);
        }
        let (size, is_exact) = match text.strip_suffix('!') {
            Some(size) => (size, true),
            // As ImageMagick writes that images only shrink, which they always do here.
            None => (text.strip_suffix('>').unwrap_or(text), false),
        };
        let (width, height) = size.split_once('x').ok_or_else(invalid)?;
        let number = |text: &str| text.parse().ok().filter(|&side: &u32| side > 0);
        match (number(width), number(height)) {
            (Some(width), Some(height)) if is_exact => Ok(Self::Exact(width, height)),
            (Some(width), Some(height)) => Ok(Self::Fit(width, height)),
            (Some(width), None) if height.is_empty() && !is_exact => Ok(Self::Fit(width, 0)),
            (None, Some(height)) if width.is_empty() && !is_exact => Ok(Self::Fit(0, height)),
            _ => Err(invalid()),
        }
    }
}

/// The turn of the pixels.
pub(super) fn turn(rotate: Rotate) -> Orientation {
    match rotate {
        Rotate::None => Orientation::NoTransforms,
        Rotate::Right => Orientation::Rotate90,
        Rotate::UpsideDown => Orientation::Rotate180,
        Rotate::Left => Orientation::Rotate270,
    }
}

/// The size of the result of an image in its proper orientation.
pub(super) fn after(options: &Options, (width, height): (u32, u32)) -> (u32, u32) {
    let (width, height) = match options.rotate {
        Rotate::None | Rotate::UpsideDown => (width, height),
        Rotate::Right | Rotate::Left => (height, width),
    };
    let scaled = |scale: f64| (scale_side(width, scale), scale_side(height, scale));
    let share = |limit: u32, side: u32| match limit {
        0 => f64::INFINITY,
        limit => f64::from(limit) / f64::from(side.max(1)),
    };
    match options.resize {
        Resize::Keep => (width, height),
        Resize::Fit => {
            let scale = share(options.width, width).min(share(options.height, height));
            scaled(scale.min(1.0))
        }
        Resize::Exact => (options.width, options.height),
        Resize::Percent => scaled(options.percent / 100.0),
    }
}

/// The size of the result before its pixels are turned.
pub(super) fn before_turn(options: &Options, upright: (u32, u32)) -> (u32, u32) {
    let (width, height) = after(options, upright);
    match options.rotate {
        Rotate::None | Rotate::UpsideDown => (width, height),
        Rotate::Right | Rotate::Left => (height, width),
    }
}

/// Whether the result of an upright image of this size has the same pixels in another order.
pub(super) fn is_only_turned(options: &Options, upright: (u32, u32)) -> bool {
    before_turn(options, upright) == upright
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates, and the limit of pixels is checked later"
)]
fn scale_side(side: u32, scale: f64) -> u32 {
    ((f64::from(side) * scale).round() as u32).max(1)
}

/// The size of an image after it was turned as it says.
pub(super) fn upright(orientation: Orientation, (width, height): (u32, u32)) -> (u32, u32) {
    match orientation {
        Orientation::Rotate90
        | Orientation::Rotate270
        | Orientation::Rotate90FlipH
        | Orientation::Rotate270FlipH => (height, width),
        _ => (width, height),
    }
}
