use std::str::FromStr;

/// A size on the command line: `50%`, `800x600` to fit within, `800x600!` exactly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Size {
    /// To fit within this width and height.
    Fit(u32, u32),
    /// Exactly this width and height.
    Exact(u32, u32),
    /// This percentage of the original size.
    Percent(f64),
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let invalid = || format!("{text:?} is not a size; write 50%, 800x600 or 800x600!");
        if let Some(percent) = text.strip_suffix('%') {
            return percent.parse().ok().map(Self::Percent).ok_or_else(invalid);
        }
        let (size, is_exact) = match text.strip_suffix('!') {
            Some(size) => (size, true),
            None => (text, false),
        };
        let (width, height) = size.split_once('x').ok_or_else(invalid)?;
        let number = |text: &str| text.parse().ok().ok_or_else(invalid);
        let (width, height) = (number(width)?, number(height)?);
        Ok(if is_exact {
            Self::Exact(width, height)
        } else {
            Self::Fit(width, height)
        })
    }
}
