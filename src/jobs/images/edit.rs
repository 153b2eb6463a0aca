//! Edits one image: reads it, edits it step by step, saves it atomically.

use std::fs;
use std::io;
use std::path::PathBuf;

use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use image::metadata::Orientation;
use image::{DynamicImage, ImageFormat};

use super::encode;
use super::error::ImageError;
use super::read::{Source, sentence_end};
use super::{Damaged, Filter, Flip, IfExists, Options, Resize, Rotate, Saved, format_of};
use crate::jobs::checksum::{FileIdentity, identity, open_regular};
use crate::jobs::save::{PendingFile, SaveError};
use crate::jobs::{Item, ItemError, Step};
use crate::join::Context;

pub(super) fn run(options: &Options, item: &Item, context: &Context) -> Result<Saved, ItemError> {
    let name = match &item.step {
        Step::Fail(error) => return Err(error.clone()),
        Step::SaveAs { name } => PathBuf::from(name),
        _ => options.target_name(&item.input),
    };
    let edit = Edit {
        source: Source {
            options,
            path: &item.input,
            context,
        },
        target: options.to.join(name),
    };
    edit.run().map_err(ItemError::from)
}

struct Edit<'a> {
    source: Source<'a>,
    target: PathBuf,
}

impl Edit<'_> {
    fn run(&self) -> Result<Saved, ImageError> {
        let (file, metadata) = open_regular(self.source.path)?;
        self.check_target(identity(&metadata))?;
        let len = metadata.len();
        let picture = self.source.read(file, len)?;
        if let (Some(what), Damaged::Refuse) = (&picture.damage, self.source.options.damaged) {
            let (path, what) = (self.source.path.to_owned(), what.clone());
            return Err(ImageError::Damaged { path, what });
        }
        let remarks = picture.damage.map(|what| format!("it is damaged: {what}"));
        let image = self.edit(picture.image)?;
        let bytes = self.encode(&image, picture.profile)?;
        self.source.context.checkpoint();
        let saved_to = self.save(&bytes)?;
        self.source.context.set_progress(len, len);
        Ok(Saved {
            saved_to,
            width: image.width(),
            height: image.height(),
            bytes: bytes.len() as u64,
            remarks: remarks.into_iter().collect(),
        })
    }

    /// Fails early if the result could not be saved.
    fn check_target(&self, source: FileIdentity) -> Result<(), ImageError> {
        let (path, target) = (self.source.path.to_owned(), self.target.clone());
        if fs::metadata(&target).is_ok_and(|there| identity(&there) == source) {
            return Err(ImageError::OverInput { path, target });
        }
        let Ok(there) = target.symlink_metadata() else {
            return Ok(());
        };
        match self.source.options.existing {
            IfExists::Refuse => Err(ImageError::Exists { path, target }),
            IfExists::Overwrite if !there.is_file() && !there.is_symlink() => {
                Err(SaveError::NotAFile { path: target }.into())
            }
            IfExists::Number | IfExists::Overwrite => Ok(()),
        }
    }

    fn edit(&self, mut image: DynamicImage) -> Result<DynamicImage, ImageError> {
        self.source.context.checkpoint();
        image.apply_orientation(match self.source.options.rotate {
            Rotate::None => Orientation::NoTransforms,
            Rotate::Right => Orientation::Rotate90,
            Rotate::UpsideDown => Orientation::Rotate180,
            Rotate::Left => Orientation::Rotate270,
        });
        self.source.context.checkpoint();
        image.apply_orientation(match self.source.options.flip {
            Flip::No => Orientation::NoTransforms,
            Flip::Horizontal => Orientation::FlipHorizontal,
            Flip::Vertical => Orientation::FlipVertical,
        });
        self.source.context.checkpoint();
        let image = self.resize(image)?;
        self.source.context.checkpoint();
        if self.source.options.greyscale {
            return Ok(image.grayscale());
        }
        Ok(image)
    }

    fn resize(&self, image: DynamicImage) -> Result<DynamicImage, ImageError> {
        let (width, height) = new_size(self.source.options, image.width(), image.height());
        if (width, height) == (image.width(), image.height()) {
            return Ok(image);
        }
        self.source.check_pixels("would have", width, height)?;
        let algorithm = match self.source.options.filter {
            Filter::Lanczos3 => ResizeAlg::Convolution(FilterType::Lanczos3),
            Filter::Bilinear => ResizeAlg::Convolution(FilterType::Bilinear),
            Filter::Nearest => ResizeAlg::Nearest,
        };
        let options = ResizeOptions::new().resize_alg(algorithm);
        let mut resized = DynamicImage::new(width, height, image.color());
        let done = Resizer::new().resize(&image, &mut resized, &options);
        done.map_err(|error| self.source.undecodable(&error))?;
        Ok(resized)
    }

    fn encode(
        &self,
        image: &DynamicImage,
        profile: Option<Vec<u8>>,
    ) -> Result<Vec<u8>, ImageError> {
        let format = format_of(&self.target).unwrap_or(ImageFormat::Png);
        let encoded = encode::encode(image, format, self.source.options.quality, profile);
        encoded.map_err(|error| ImageError::Unencodable {
            path: self.source.path.to_owned(),
            format: format.extensions_str().first().unwrap_or(&"an image"),
            reason: sentence_end(&error.to_string()),
        })
    }

    fn save(&self, bytes: &[u8]) -> Result<PathBuf, ImageError> {
        let saved = self.save_new(bytes);
        saved.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => ImageError::Exists {
                path: self.source.path.to_owned(),
                target: self.target.clone(),
            },
            _ => SaveError::from_io(&self.target, error).into(),
        })
    }

    fn save_new(&self, bytes: &[u8]) -> io::Result<PathBuf> {
        let folder = &self.source.options.to;
        let mut file = PendingFile::create(folder)?;
        file.write_all(bytes)?;
        match self.source.options.existing {
            IfExists::Refuse => file.persist_new(&self.target)?,
            IfExists::Overwrite => file.persist_over(&self.target)?,
            IfExists::Number => {
                let name = self.target.file_name().unwrap_or_default();
                return file.persist_numbered(folder, name, 1);
            }
        }
        Ok(self.target.clone())
    }
}

fn new_size(options: &Options, width: u32, height: u32) -> (u32, u32) {
    let scaled = |scale: f64| (scale_side(width, scale), scale_side(height, scale));
    let share = |limit: u32, side: u32| f64::from(limit) / f64::from(side.max(1));
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

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates, and the limit of pixels is checked later"
)]
fn scale_side(side: u32, scale: f64) -> u32 {
    ((f64::from(side) * scale).round() as u32).max(1)
}
