//! A job that edits images: turned, resized, greyscale, in another format, saved to another folder.
//!
//! An image is turned the way its camera says (EXIF), then rotated, flipped, resized and made
//! greyscale, in this order, whichever of these were asked for. Of an animation the first frame is
//! taken. What is written carries the colour profile of what was read where the format has a place
//! for it and it still describes the colours; other metadata is not written.
//!
//! A cancel is minded while a file is read and between the steps; a step itself, a tenth of a second
//! for a photograph, is not interrupted.
//!
//! Nothing that was read is ever written over: not through a link, not in another case, not by a
//! path with `..` in it.

mod edit;
mod error;
mod plan;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use error::Problem;

use super::{Item, ItemError, Job, Output, os_text};
use crate::join::Context;

/// What is done with each image, where it goes, and within which limits.
///
/// ```
/// use meanwhile::jobs::images::{Options, Resize};
///
/// let mut options = Options { to: "small".into(), ..Options::default() };
/// options.set_size("50%".parse()?);
/// assert_eq!((options.resize, options.percent), (Resize::Percent, 50.0));
/// assert!(options.check(true).is_ok());
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// The folder that the results are saved in; made where it is not there. It must not be the
    /// folder of an image that is read.
    #[serde(with = "os_text")]
    pub to: PathBuf,
    /// Whether and how the size changes.
    pub resize: Resize,
    /// For [`Resize::Fit`] and [`Resize::Exact`], in pixels.
    pub width: u32,
    /// For [`Resize::Fit`] and [`Resize::Exact`], in pixels.
    pub height: u32,
    /// For [`Resize::Percent`].
    pub percent: f64,
    /// How pixels become more or fewer.
    pub filter: Filter,
    /// By how much it is rotated.
    pub rotate: Rotate,
    /// Whether it is mirrored.
    pub flip: Flip,
    /// Whether colours become shades of grey, by the luma of Rec. 709 on the values as they are
    /// stored: 0.2126 R + 0.7152 G + 0.0722 B, rounded down.
    pub greyscale: bool,
    /// The format that is written.
    pub format: Format,
    /// The quality of a JPEG, 1 to 100.
    pub quality: u8,
    /// What happens where the name of a result is taken.
    pub existing: Existing,
    /// The most pixels that an image may have, in millions, before and after.
    pub max_megapixels: u32,
    /// The most memory that reading an image may take, in MiB.
    pub max_memory_mib: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            to: PathBuf::new(),
            resize: Resize::default(),
            width: 1920,
            height: 1080,
            percent: 50.0,
            filter: Filter::default(),
            rotate: Rotate::default(),
            flip: Flip::default(),
            greyscale: false,
            format: Format::default(),
            quality: 85,
            existing: Existing::default(),
            max_megapixels: 128,
            max_memory_mib: 512,
        }
    }
}

/// Whether and how the size of an image changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resize {
    /// It stays.
    #[default]
    Keep,
    /// It becomes as large as it can be within a width and a height, in its proportions; an image
    /// that is smaller stays as it is.
    Fit,
    /// It becomes that width and that height.
    Exact,
    /// Width and height become that share of what they were.
    Percent,
}

impl Resize {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 4] = [Self::Keep, Self::Fit, Self::Exact, Self::Percent];

    /// The name on screen.
    pub fn title(self) -> &'static str {
        match self {
            Self::Keep => "Keep",
            Self::Fit => "Fit within",
            Self::Exact => "Exactly",
            Self::Percent => "Percent",
        }
    }
}

/// A size as it is written on the command line: `50%`, `800x600` to fit within, `800x600!` exactly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Size {
    /// To fit within this width and height.
    Fit(u32, u32),
    /// Exactly this width and height.
    Exact(u32, u32),
    /// This share of what it was.
    Percent(f64),
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no size; write 50%, 800x600 or 800x600!");
        if let Some(percent) = text.strip_suffix('%') {
            return percent.parse().ok().map(Self::Percent).ok_or_else(wrong);
        }
        let (size, exact) = match text.strip_suffix('!') {
            Some(size) => (size, true),
            None => (text, false),
        };
        let (width, height) = size.split_once('x').ok_or_else(wrong)?;
        let number = |text: &str| text.parse().ok().ok_or_else(wrong);
        let (width, height) = (number(width)?, number(height)?);
        Ok(if exact {
            Self::Exact(width, height)
        } else {
            Self::Fit(width, height)
        })
    }
}

/// How pixels become more or fewer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    /// Lanczos with three lobes: the sharpest, and good for photographs.
    #[default]
    Lanczos3,
    /// Linear between neighbours: softer and a little faster.
    Bilinear,
    /// The nearest pixel: for drawings made of pixels.
    Nearest,
}

impl Filter {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::Lanczos3, Self::Bilinear, Self::Nearest];

    /// The name on screen.
    pub fn title(self) -> &'static str {
        match self {
            Self::Lanczos3 => "Lanczos",
            Self::Bilinear => "Bilinear",
            Self::Nearest => "Nearest pixel",
        }
    }
}

/// By how much an image is rotated, clockwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
pub enum Rotate {
    /// Not at all.
    #[default]
    #[serde(rename = "0")]
    #[value(name = "0")]
    Not,
    /// A quarter to the right.
    #[serde(rename = "90")]
    #[value(name = "90")]
    Right,
    /// On its head.
    #[serde(rename = "180")]
    #[value(name = "180")]
    Over,
    /// A quarter to the left.
    #[serde(rename = "270")]
    #[value(name = "270")]
    Left,
}

impl Rotate {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 4] = [Self::Not, Self::Right, Self::Over, Self::Left];

    /// The name on screen.
    pub fn title(self) -> &'static str {
        match self {
            Self::Not => "No",
            Self::Right => "90° to the right",
            Self::Over => "180°",
            Self::Left => "90° to the left",
        }
    }
}

/// Whether an image is mirrored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Flip {
    /// No.
    #[default]
    No,
    /// Left becomes right.
    Horizontal,
    /// Top becomes bottom.
    Vertical,
}

impl Flip {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::No, Self::Horizontal, Self::Vertical];

    /// The name on screen.
    pub fn title(self) -> &'static str {
        match self {
            Self::No => "No",
            Self::Horizontal => "Left and right",
            Self::Vertical => "Top and bottom",
        }
    }
}

/// The format that is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// That of the image's name; PNG where its name says nothing.
    #[default]
    Keep,
    /// PNG, without loss.
    Png,
    /// JPEG. What is transparent becomes white.
    Jpeg,
    /// WebP, without loss.
    Webp,
    /// BMP, not compressed.
    Bmp,
    /// TIFF, not compressed.
    Tiff,
    /// GIF, with 256 colours at most.
    Gif,
}

impl Format {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 7] = [
        Self::Keep,
        Self::Png,
        Self::Jpeg,
        Self::Webp,
        Self::Bmp,
        Self::Tiff,
        Self::Gif,
    ];

    /// The name on screen.
    pub fn title(self) -> &'static str {
        match self {
            Self::Keep => "Keep",
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::Webp => "WebP, lossless",
            Self::Bmp => "BMP",
            Self::Tiff => "TIFF",
            Self::Gif => "GIF",
        }
    }

    fn extension(self) -> Option<&'static str> {
        match self {
            Self::Keep => None,
            Self::Png => Some("png"),
            Self::Jpeg => Some("jpg"),
            Self::Webp => Some("webp"),
            Self::Bmp => Some("bmp"),
            Self::Tiff => Some("tiff"),
            Self::Gif => Some("gif"),
        }
    }
}

/// What happens where the name of a result is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Existing {
    /// The image is an error, and what is there stays.
    #[default]
    Refuse,
    /// The result gets a number, as in `name-2.png`.
    Number,
    /// The result replaces what is there, unless this job reads or has written it.
    Overwrite,
}

impl Existing {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::Refuse, Self::Number, Self::Overwrite];

    /// The name on screen.
    pub fn title(self) -> &'static str {
        match self {
            Self::Refuse => "Refuse",
            Self::Number => "Number it",
            Self::Overwrite => "Overwrite",
        }
    }
}

impl Options {
    /// What keeps this from being run, with inputs or without.
    ///
    /// # Errors
    /// The first problem that a person has to settle.
    pub fn check(&self, has_inputs: bool) -> Result<(), Problem> {
        if !has_inputs {
            return Err(Problem::NoInputs);
        }
        if self.to.as_os_str().is_empty() {
            return Err(Problem::NoFolder);
        }
        match self.resize {
            Resize::Fit | Resize::Exact if self.width == 0 || self.height == 0 => {
                Err(Problem::Size)
            }
            Resize::Percent if !(self.percent > 0.0 && self.percent <= 10_000.0) => {
                Err(Problem::Percent)
            }
            _ if !(1..=100).contains(&self.quality) => Err(Problem::Quality),
            _ => Ok(()),
        }
    }

    /// Resizes as `size` says.
    pub fn set_size(&mut self, size: Size) {
        match size {
            Size::Fit(width, height) => {
                (self.resize, self.width, self.height) = (Resize::Fit, width, height);
            }
            Size::Exact(width, height) => {
                (self.resize, self.width, self.height) = (Resize::Exact, width, height);
            }
            Size::Percent(percent) => {
                (self.resize, self.percent) = (Resize::Percent, percent);
            }
        }
    }

    /// What the result of an image is called, unless that name is taken.
    fn target_name(&self, input: &Path) -> PathBuf {
        let name = PathBuf::from(input.file_name().unwrap_or(input.as_os_str()));
        match self.format.extension() {
            Some(extension) => name.with_extension(extension),
            None if format_of(input).is_some() => name,
            None => name.with_extension("png"),
        }
    }
}

/// The format that a name stands for.
fn format_of(name: &Path) -> Option<image::ImageFormat> {
    let format = image::ImageFormat::from_path(name).ok()?;
    format.writing_enabled().then_some(format)
}

impl Job for Options {
    fn id(&self) -> &'static str {
        "images"
    }

    fn title(&self) -> &'static str {
        "Images"
    }

    /// Folders are walked as for checksums, for files whose names are those of images; a file that
    /// is an input itself is read whatever its name is. Everything is found before the first item
    /// runs, because a result must not take the place of an image that is yet to be read.
    fn plan(&self, inputs: &[PathBuf], context: &Context, found: &mut dyn FnMut(Item)) {
        plan::plan(self, inputs, context, found);
    }

    fn run_item(&self, item: &Item, context: &Context) -> Result<Output, ItemError> {
        edit::run(self, item, context).map(Output::Image)
    }
}

/// An image that was saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// The file.
    #[serde(with = "os_text")]
    pub saved_to: PathBuf,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// The length of the file.
    pub bytes: u64,
}

impl fmt::Display for Saved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { width, height, .. } = self;
        write!(f, "{width} × {height} → {}", self.saved_to.display())
    }
}
