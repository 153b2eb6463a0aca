use std::str::FromStr;

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
