use std::path::PathBuf;

use super::{Damaged, Filter, Flip, Format, IfExists, Options, Rotate, Size};
use crate::jobs::Arguments;

/// Turn, resize and convert images, and save them to another folder.
#[derive(Debug, clap::Args)]
#[command(after_help = ORDER)]
pub(super) struct ImagesArgs {
    /// The folder to save the results in, created if missing.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Resize: `50%`; `800x600`, `800x` or `x600` to fit within; `800x600!` exactly.
    #[arg(long, value_name = "SIZE")]
    resize: Option<Size>,
    /// The resampling filter.
    #[arg(long, value_enum, default_value_t)]
    filter: Filter,
    /// Rotate clockwise, by degrees.
    #[arg(long, value_enum, default_value_t)]
    rotate: Rotate,
    /// Mirror.
    #[arg(long, value_enum, default_value_t)]
    flip: Flip,
    /// Make greyscale (luma of Rec. 709).
    #[arg(long)]
    greyscale: bool,
    /// The output format.
    #[arg(long = "to-format", value_name = "FORMAT", value_enum, default_value_t)]
    to_format: Format,
    /// The quality of a JPEG, 1 to 100.
    #[arg(long, default_value_t = Options::default().quality)]
    quality: u8,
    /// What happens if the file of a result exists.
    #[arg(long, value_enum, default_value_t)]
    existing: IfExists,
    /// Leave out images whose result exists: short for `--existing skip`.
    #[arg(long, conflicts_with = "existing")]
    skip_existing: bool,
    /// Save all results in one folder, without the folders of the inputs.
    #[arg(long)]
    flatten: bool,
    /// What happens with an image of which a part is missing.
    #[arg(long, value_enum, default_value_t)]
    damaged: Damaged,
    /// What a result has of its image: the date of the file, the EXIF data.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "dates")]
    keep: Vec<Keep>,
    /// The most pixels of an image, in millions.
    #[arg(long, value_name = "MILLIONS", default_value_t = Options::default().max_megapixels)]
    max_megapixels: u32,
    /// The most memory for reading an image.
    #[arg(long, value_name = "MIB", default_value_t = Options::default().max_memory_mib)]
    max_memory: u32,
    /// The images, and folders with images in them.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Keep {
    /// The date of the file.
    Dates,
    /// The EXIF data, where the format has a place for it: the camera, the time, the place.
    Exif,
    /// Neither.
    Nothing,
}

const ORDER: &str = "\
An image is turned as its EXIF orientation says, then rotated, mirrored, resized and made greyscale.
A GIF and a PNG have all frames of an animation, a TIFF has all pages; other formats have the first.
Colours are converted to sRGB where a result can't have the colour profile. Inputs are never overwritten.

An image of a folder is saved below DIR as it is below that folder; with several inputs, below the name of
its folder.

The paths of the saved files go to stdout, one a line.";

impl ImagesArgs {
    pub(super) fn split(self) -> (Options, Arguments) {
        let mut options = Options {
            to: self.to,
            filter: self.filter,
            rotate: self.rotate,
            flip: self.flip,
            greyscale: self.greyscale,
            format: self.to_format,
            quality: self.quality,
            existing: if self.skip_existing {
                IfExists::Skip
            } else {
                self.existing
            },
            flatten: self.flatten,
            damaged: self.damaged,
            keep_dates: self.keep.contains(&Keep::Dates),
            keep_exif: self.keep.contains(&Keep::Exif),
            max_megapixels: self.max_megapixels,
            max_memory_mib: self.max_memory,
            ..Options::default()
        };
        if let Some(size) = self.resize {
            options.set_size(size);
        }
        let arguments = Arguments {
            inputs: self.files,
            output: None,
        };
        (options, arguments)
    }
}
