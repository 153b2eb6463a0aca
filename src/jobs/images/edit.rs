//! Edits one image: reads it within limits, edits it step by step, saves it atomically.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

use super::encode;
use super::error::ImageError;
use super::{Filter, Flip, IfExists, Options, Resize, Rotate, Saved, format_of};
use crate::jobs::checksum::{ChecksumError, FileIdentity, identity, open_regular};
use crate::jobs::save::{PendingFile, SaveError};
use crate::jobs::{Item, ItemError, Step};
use crate::join::Context;

const READ_BYTES: usize = 64 * 1024;

pub(super) fn run(options: &Options, item: &Item, context: &Context) -> Result<Saved, ItemError> {
    let name = match &item.step {
        Step::Fail(error) => return Err(error.clone()),
        Step::SaveAs { name } => PathBuf::from(name),
        _ => options.target_name(&item.input),
    };
    let edit = Edit {
        options,
        path: &item.input,
        target: options.to.join(name),
        context,
    };
    edit.run().map_err(ItemError::from)
}

struct Edit<'a> {
    options: &'a Options,
    path: &'a Path,
    target: PathBuf,
    context: &'a Context,
}

impl Edit<'_> {
    fn run(&self) -> Result<Saved, ImageError> {
        let (file, metadata) = open_regular(self.path)?;
        self.check_target(identity(&metadata))?;
        let len = metadata.len();
        let (image, profile) = self.read(file, len)?;
        let image = self.edit(image)?;
        let bytes = self.encode(&image, profile)?;
        self.context.checkpoint();
        let saved_to = self.save(&bytes)?;
        self.context.set_progress(len, len);
        Ok(Saved {
            saved_to,
            width: image.width(),
            height: image.height(),
            bytes: bytes.len() as u64,
        })
    }

    /// Fails early if the result could not be saved.
    fn check_target(&self, source: FileIdentity) -> Result<(), ImageError> {
        let (path, target) = (self.path.to_owned(), self.target.clone());
        if fs::metadata(&target).is_ok_and(|there| identity(&there) == source) {
            return Err(ImageError::OverInput { path, target });
        }
        let Ok(there) = target.symlink_metadata() else {
            return Ok(());
        };
        match self.options.existing {
            IfExists::Refuse => Err(ImageError::Exists { path, target }),
            IfExists::Overwrite if !there.is_file() && !there.is_symlink() => {
                Err(SaveError::NotAFile { path: target }.into())
            }
            IfExists::Number | IfExists::Overwrite => Ok(()),
        }
    }

    /// The image in its proper orientation, and its colour profile.
    fn read(&self, file: File, len: u64) -> Result<(DynamicImage, Option<Vec<u8>>), ImageError> {
        let max_alloc = u64::from(self.options.max_memory_mib) << 20;
        // Some decoders begin by reading the whole file.
        if len > max_alloc {
            return Err(self.too_much_memory());
        }
        let tracked = TrackedFile {
            file,
            context: self.context,
            at: 0,
            len,
        };
        let mut reader = ImageReader::new(BufReader::with_capacity(READ_BYTES, tracked));
        if let Ok(format) = ImageFormat::from_path(self.path) {
            reader.set_format(format);
        }
        let mut reader = reader
            .with_guessed_format()
            .map_err(|error| ChecksumError::from_io(self.path, error))?;
        let mut limits = Limits::no_limits();
        limits.max_alloc = Some(max_alloc);
        reader.limits(limits.clone());
        let failed = |error| self.unreadable(error);
        let mut decoder = reader.into_decoder().map_err(failed)?;
        let (width, height) = decoder.dimensions();
        self.check_pixels("has", width, height)?;
        limits.reserve(decoder.total_bytes()).map_err(failed)?;
        decoder.set_limits(limits).map_err(failed)?;
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let profile = decoder.icc_profile().unwrap_or_default();
        let mut image = DynamicImage::from_decoder(decoder).map_err(failed)?;
        self.context.checkpoint();
        image.apply_orientation(orientation);
        Ok((image, profile))
    }

    fn edit(&self, mut image: DynamicImage) -> Result<DynamicImage, ImageError> {
        self.context.checkpoint();
        image.apply_orientation(match self.options.rotate {
            Rotate::None => Orientation::NoTransforms,
            Rotate::Right => Orientation::Rotate90,
            Rotate::UpsideDown => Orientation::Rotate180,
            Rotate::Left => Orientation::Rotate270,
        });
        self.context.checkpoint();
        image.apply_orientation(match self.options.flip {
            Flip::No => Orientation::NoTransforms,
            Flip::Horizontal => Orientation::FlipHorizontal,
            Flip::Vertical => Orientation::FlipVertical,
        });
        self.context.checkpoint();
        let image = self.resize(image)?;
        self.context.checkpoint();
        if self.options.greyscale {
            return Ok(image.grayscale());
        }
        Ok(image)
    }

    fn resize(&self, image: DynamicImage) -> Result<DynamicImage, ImageError> {
        let (width, height) = new_size(self.options, image.width(), image.height());
        if (width, height) == (image.width(), image.height()) {
            return Ok(image);
        }
        self.check_pixels("would have", width, height)?;
        let algorithm = match self.options.filter {
            Filter::Lanczos3 => ResizeAlg::Convolution(FilterType::Lanczos3),
            Filter::Bilinear => ResizeAlg::Convolution(FilterType::Bilinear),
            Filter::Nearest => ResizeAlg::Nearest,
        };
        let options = ResizeOptions::new().resize_alg(algorithm);
        let mut resized = DynamicImage::new(width, height, image.color());
        let done = Resizer::new().resize(&image, &mut resized, &options);
        done.map_err(|error| self.undecodable(error.to_string()))?;
        Ok(resized)
    }

    fn encode(
        &self,
        image: &DynamicImage,
        profile: Option<Vec<u8>>,
    ) -> Result<Vec<u8>, ImageError> {
        let format = format_of(&self.target).unwrap_or(ImageFormat::Png);
        let encoded = encode::encode(image, format, self.options.quality, profile);
        encoded.map_err(|error| ImageError::Unencodable {
            path: self.path.to_owned(),
            format: format.extensions_str().first().unwrap_or(&"an image"),
            reason: sentence_end(&error),
        })
    }

    fn save(&self, bytes: &[u8]) -> Result<PathBuf, ImageError> {
        let saved = self.save_new(bytes);
        saved.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => ImageError::Exists {
                path: self.path.to_owned(),
                target: self.target.clone(),
            },
            _ => SaveError::from_io(&self.target, error).into(),
        })
    }

    fn save_new(&self, bytes: &[u8]) -> io::Result<PathBuf> {
        let folder = &self.options.to;
        let mut file = PendingFile::create(folder)?;
        file.write_all(bytes)?;
        match self.options.existing {
            IfExists::Refuse => file.persist_new(&self.target)?,
            IfExists::Overwrite => file.persist_over(&self.target)?,
            IfExists::Number => {
                let name = self.target.file_name().unwrap_or_default();
                return file.persist_numbered(folder, name, 1);
            }
        }
        Ok(self.target.clone())
    }

    fn check_pixels(&self, verb: &'static str, width: u32, height: u32) -> Result<(), ImageError> {
        let limit = self.options.max_megapixels;
        if u64::from(width) * u64::from(height) <= u64::from(limit) * 1_000_000 {
            return Ok(());
        }
        Err(ImageError::TooManyPixels {
            path: self.path.to_owned(),
            verb,
            width,
            height,
            limit,
        })
    }

    fn unreadable(&self, error: image::ImageError) -> ImageError {
        let path = self.path.to_owned();
        match error {
            image::ImageError::Limits(_) => self.too_much_memory(),
            image::ImageError::Unsupported(error)
                if error.format_hint() == image::error::ImageFormatHint::Unknown =>
            {
                ImageError::NotAnImage { path }
            }
            image::ImageError::IoError(error) if error.raw_os_error().is_some() => {
                ChecksumError::from_io(self.path, error).into()
            }
            error => self.undecodable(sentence_end(&error)),
        }
    }

    fn undecodable(&self, reason: String) -> ImageError {
        let path = self.path.to_owned();
        ImageError::Undecodable { path, reason }
    }

    fn too_much_memory(&self) -> ImageError {
        ImageError::TooMuchMemory {
            path: self.path.to_owned(),
            limit_mib: self.options.max_memory_mib,
        }
    }
}

/// The text of an error as the end of a sentence.
fn sentence_end(error: &image::ImageError) -> String {
    let text = error.to_string();
    text.trim_end_matches('.').replace('\n', " ")
}

/// The file of an image. Reading it reports progress and checks for cancellation.
struct TrackedFile<'a> {
    file: File,
    context: &'a Context,
    at: u64,
    len: u64,
}

impl Read for TrackedFile<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.context.checkpoint();
        let read = self.file.read(buffer)?;
        self.at += read as u64;
        self.context.set_progress(self.at.min(self.len), self.len);
        Ok(read)
    }
}

impl Seek for TrackedFile<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = self.file.seek(to)?;
        Ok(self.at)
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
