//! The job `images`: edits images and saves the results to another folder.
//!
//! An image is turned as its EXIF orientation says, then rotated, flipped, resized and made
//! greyscale, in this order. All frames of an animation are kept in a GIF and a PNG, all pages in a TIFF;
//! otherwise there is a remark. The result has the colour profile of the input if the format supports it
//! and it still describes the colours; if not, the colours are converted to sRGB. Other metadata is
//! written only on request.
//!
//! Cancellation is checked while reading and between steps. A step is not interrupted; it takes about
//! a tenth of a second for a photograph.
//!
//! Inputs are never overwritten: not through a link, a different case or a path with `..`.

mod animation;
mod args;
mod colours;
mod edit;
mod encode;
mod error;
mod interface;
mod jpeg;
mod jpeg_layout;
mod jxl;
mod names;
mod palette;
mod palette_gif;
mod plan;
mod read;
mod relabel;
mod resize;
mod sample;
mod size;
mod tiff;

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use self::error::ImageOptionsError;
pub use self::size::Size;
use super::{Item, ItemError, Job, JobOutput, Output, Plan, os_text};
use crate::choice::choices;
use crate::format;
use crate::join::{Cancelled, Context};

/// The edits of each image, its folder and the limits.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own, saved by its name"
)]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// The folder to save the results in, created if missing. It must not be the folder of an input.
    #[serde(with = "os_text")]
    pub to: PathBuf,
    /// Whether all results are saved in that folder itself, and not below it in folders as those of the
    /// inputs.
    pub flatten: bool,
    /// Whether and how the size changes.
    pub resize: Resize,
    /// For [`Resize::Fit`] and [`Resize::Exact`], in pixels; 0 for any width to fit within.
    pub width: u32,
    /// For [`Resize::Fit`] and [`Resize::Exact`], in pixels; 0 for any height to fit within.
    pub height: u32,
    /// For [`Resize::Percent`].
    pub percent: f64,
    pub filter: Filter,
    pub rotate: Rotate,
    /// Whether it is mirrored.
    pub flip: Flip,
    /// Whether to make it greyscale, by the luma of Rec. 709 on the stored values:
    /// 0.2126 R + 0.7152 G + 0.0722 B, rounded down.
    pub greyscale: bool,
    pub format: Format,
    /// The quality of a JPEG, 1 to 100.
    pub quality: u8,
    /// The treatment of a result whose file exists.
    pub existing: IfExists,
    /// The treatment of an image of which a part is missing.
    pub damaged: Damaged,
    /// Whether a result has the date of the file of its image.
    pub keep_dates: bool,
    /// Whether a result has the EXIF data of its image, where the format has a place for it.
    pub keep_exif: bool,
    /// The most pixels of an input or a result, in millions.
    pub max_megapixels: u32,
    /// The most memory for reading an image, in MiB.
    pub max_memory_mib: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            to: PathBuf::new(),
            flatten: false,
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
            existing: IfExists::default(),
            damaged: Damaged::default(),
            keep_dates: true,
            keep_exif: false,
            max_megapixels: 128,
            max_memory_mib: 512,
        }
    }
}

/// Whether and how the size of an image changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resize {
    /// The size stays.
    #[default]
    Keep,
    /// It shrinks to fit within a width and a height, and keeps its proportions. Smaller images stay
    /// as they are.
    Fit,
    /// It becomes exactly that width and height.
    Exact,
    /// Width and height are scaled by a percentage.
    Percent,
}

choices!(pub Resize {
    Keep => "Keep the size",
    Fit => "Fit within",
    Exact => "Exactly",
    Percent => "Percent",
});

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    /// Lanczos with three lobes: the sharpest, good for photographs.
    #[default]
    Lanczos3,
    /// Linear between neighbours: softer and a little faster.
    Bilinear,
    /// The nearest pixel: for pixel art.
    Nearest,
}

choices!(pub Filter {
    Lanczos3 => "Lanczos",
    Bilinear => "Bilinear",
    Nearest => "Nearest pixel",
});

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
pub enum Rotate {
    /// None.
    #[default]
    #[serde(rename = "0")]
    #[value(name = "0")]
    None,
    /// By 90°.
    #[serde(rename = "90")]
    #[value(name = "90")]
    Right,
    /// By 180°.
    #[serde(rename = "180")]
    #[value(name = "180")]
    UpsideDown,
    /// By 270°.
    #[serde(rename = "270")]
    #[value(name = "270")]
    Left,
}

choices!(pub Rotate {
    None => "No",
    Right => "90° to the right",
    UpsideDown => "180°",
    Left => "90° to the left",
});

/// Whether an image is mirrored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Flip {
    #[default]
    No,
    /// Left becomes right.
    Horizontal,
    /// Top becomes bottom.
    Vertical,
}

choices!(pub Flip {
    No => "No",
    Horizontal => "Left and right",
    Vertical => "Top and bottom",
});

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// That of the input's name; PNG if the name has no known extension.
    #[default]
    Keep,
    /// PNG, lossless.
    Png,
    /// JPEG. Transparent pixels become white.
    Jpeg,
    /// WebP, lossless.
    Webp,
    /// BMP, uncompressed.
    Bmp,
    /// TIFF, uncompressed.
    Tiff,
    /// GIF, with at most 256 colours.
    Gif,
}

choices!(pub Format {
    Keep => "Keep the format",
    Png => "PNG",
    Jpeg => "JPEG",
    Webp => "WebP, lossless",
    Bmp => "BMP",
    Tiff => "TIFF",
    Gif => "GIF",
});

impl Format {
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

/// The treatment of a result whose file exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum IfExists {
    /// The image fails, and the existing file stays.
    #[default]
    Refuse,
    /// The image is left out, and the existing file stays.
    Skip,
    /// The result gets a number, as in `name-2.png`.
    Number,
    /// The result replaces the file, unless this job reads it or has written it.
    Overwrite,
}

choices!(pub IfExists {
    Refuse => "Report an error",
    Skip => "Leave the image out",
    Number => "Number it",
    Overwrite => "Overwrite",
});

/// The treatment of an image of which a part is missing, such as a JPEG that was cut off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Damaged {
    /// The image fails.
    #[default]
    Refuse,
    /// What can be read is saved, and a sentence says so.
    Keep,
}

choices!(pub Damaged {
    Refuse => "Report an error",
    Keep => "Keep what can be read",
});

impl Options {
    /// Checks whether the job can run, with inputs or without.
    ///
    /// # Errors
    /// The first problem that the user has to correct.
    pub fn check(&self, has_inputs: bool) -> Result<(), ImageOptionsError> {
        if !has_inputs {
            return Err(ImageOptionsError::NoInputs);
        }
        if self.to.as_os_str().is_empty() {
            return Err(ImageOptionsError::NoFolder);
        }
        match self.resize {
            Resize::Exact if self.width == 0 || self.height == 0 => Err(ImageOptionsError::Size),
            Resize::Fit if self.width == 0 && self.height == 0 => Err(ImageOptionsError::Size),
            Resize::Percent if !(self.percent > 0.0 && self.percent <= 10_000.0) => {
                Err(ImageOptionsError::Percent)
            }
            _ if !(1..=100).contains(&self.quality) => Err(ImageOptionsError::Quality),
            _ => Ok(()),
        }
    }

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

    /// The name of the result of an image, unless it is assigned already.
    fn target_name(&self, input: &Path) -> PathBuf {
        let name = PathBuf::from(input.file_name().unwrap_or(input.as_os_str()));
        match self.format.extension() {
            Some(extension) => name.with_extension(extension),
            None if format_of(input).is_some() => name,
            None => name.with_extension("png"),
        }
    }
}

/// The format of a file name's extension, if it can be written.
fn format_of(name: &Path) -> Option<image::ImageFormat> {
    let extension = name.extension()?.to_str()?.to_lowercase();
    let format = match &*extension {
        "jfi" | "jfif" | "jif" | "jpe" => image::ImageFormat::Jpeg,
        "apng" => image::ImageFormat::Png,
        "dib" => image::ImageFormat::Bmp,
        extension => image::ImageFormat::from_extension(extension)?,
    };
    format.writing_enabled().then_some(format)
}

/// Whether a file name is that of an image that can be read.
fn is_image_name(name: &Path) -> bool {
    let extension = name.extension().and_then(OsStr::to_str);
    format_of(name).is_some() || extension.is_some_and(|it| it.eq_ignore_ascii_case("jxl"))
}

impl Job for Options {
    fn id(&self) -> &'static str {
        "images"
    }

    fn title(&self) -> &'static str {
        "Images"
    }

    /// Folders are walked as for checksums, for files with the names of images; a file that is an
    /// input itself may have any name. All images are found before the first item runs, because a
    /// result must not replace an image that is still to be read.
    fn plan(
        &self,
        inputs: &[PathBuf],
        context: &Context,
        plan: &mut dyn Plan,
    ) -> Result<(), Cancelled> {
        plan::plan(self, inputs, context, plan)
    }

    fn run_item(&self, item: &Item, context: &Context) -> Result<Output, ItemError> {
        edit::run(self, item, context).map(Output::Image)
    }

    /// A library that panics has met an image that it can't read.
    fn error_of_panic(&self, item: &Item, place: &str) -> Option<ItemError> {
        let is_own = place.starts_with("src/") || place.starts_with("src\\");
        let path = item.input.clone();
        let reason = format!("a library failed at {place}");
        (!is_own).then(|| error::ImageError::Undecodable { path, reason }.into())
    }
}

/// An image that was saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    #[serde(with = "os_text")]
    pub saved_to: PathBuf,
    /// The width in pixels.
    pub width: u32,
    /// The height in pixels.
    pub height: u32,
    /// The length of the file in bytes.
    pub bytes: u64,
    /// The length of the file of the image in bytes.
    #[serde(default)]
    pub input_bytes: u64,
    /// What is not as expected, as sentences without their subject and full stop.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
}

impl JobOutput for Saved {
    fn file(&self) -> Option<&Path> {
        Some(&self.saved_to)
    }

    /// The path of the file.
    fn line(&self, _input: &Path) -> Vec<u8> {
        [self.saved_to.as_os_str().as_encoded_bytes(), b"\n"].concat()
    }

    fn lengths(&self) -> Option<(u64, u64)> {
        Some((self.input_bytes, self.bytes))
    }

    fn remark(&self) -> Option<String> {
        let remarks = self.remarks.join("; ");
        (!remarks.is_empty()).then_some(remarks)
    }
}

impl fmt::Display for Saved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { width, height, .. } = self;
        let (bytes, before) = (format::bytes(self.bytes), format::bytes(self.input_bytes));
        let saved_to = self.saved_to.display();
        write!(f, "{width} × {height} → {saved_to}, {bytes} for {before}")?;
        self.remark()
            .map_or(Ok(()), |remark| write!(f, " ({remark})"))
    }
}
