//! The arguments of `meanwhile run images`.

use std::path::PathBuf;

use clap::Args;

use super::CommonArgs;
use crate::jobs::images::{Existing, Filter, Flip, Format, Options, Rotate, Size};

#[derive(Debug, Args)]
#[command(after_help = ORDER)]
pub(super) struct ImagesArgs {
    /// The folder that the results are saved in; made where it is not there.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Resize: `50%`, `800x600` to fit within, `800x600!` exactly.
    #[arg(long, value_name = "SIZE")]
    resize: Option<Size>,
    /// How pixels become more or fewer.
    #[arg(long, value_enum, default_value_t)]
    filter: Filter,
    /// Rotate clockwise, by degrees.
    #[arg(long, value_enum, default_value_t)]
    rotate: Rotate,
    /// Mirror.
    #[arg(long, value_enum, default_value_t)]
    flip: Flip,
    /// Make colours shades of grey (luma of Rec. 709).
    #[arg(long)]
    greyscale: bool,
    /// The format that is written.
    #[arg(long = "to-format", value_name = "FORMAT", value_enum, default_value_t)]
    to_format: Format,
    /// The quality of a JPEG, 1 to 100.
    #[arg(long, default_value_t = Options::default().quality)]
    quality: u8,
    /// What happens where the name of a result is taken.
    #[arg(long, value_enum, default_value_t)]
    existing: Existing,
    /// The most pixels of an image, in millions.
    #[arg(long, value_name = "MILLIONS", default_value_t = Options::default().max_megapixels)]
    max_megapixels: u32,
    /// The most memory that reading an image may take.
    #[arg(long, value_name = "MIB", default_value_t = Options::default().max_memory_mib)]
    max_memory: u32,
    #[command(flatten)]
    pub(super) common: CommonArgs,
    /// The images, and folders with images in them.
    #[arg(required = true)]
    pub(super) files: Vec<PathBuf>,
}

const ORDER: &str = "\
An image is turned the way its camera says, then rotated, mirrored, resized and made grey. Of an
animation the first frame is taken. No image that is read is ever written over.

What is saved comes out on stdout, one path a line.";

impl ImagesArgs {
    pub(super) fn options(&self) -> Options {
        let mut options = Options {
            to: self.to.clone(),
            filter: self.filter,
            rotate: self.rotate,
            flip: self.flip,
            greyscale: self.greyscale,
            format: self.to_format,
            quality: self.quality,
            existing: self.existing,
            max_megapixels: self.max_megapixels,
            max_memory_mib: self.max_memory,
            ..Options::default()
        };
        if let Some(size) = self.resize {
            options.set_size(size);
        }
        options
    }
}
