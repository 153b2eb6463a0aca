//! Reads an image within limits.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use image::metadata::Orientation;
use image::{Delay, DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

use super::error::ImageError;
use super::palette::{self, Palette};
use super::palette_gif::{self, IndexedGif};
use super::{Options, animation, jpeg, jxl, tiff};
use crate::jobs::checksum::ChecksumError;
use crate::join::Context;

const READ_BYTES: usize = 64 * 1024;

/// An image as it was read.
#[derive(Default)]
pub(super) struct Picture {
    /// Each in its proper orientation: one, or those of an animation or of pages.
    pub(super) frames: Vec<Frame>,
    /// The size of the image in the file, if it was read at that of the result.
    pub(super) full_size: Option<(u32, u32)>,
    /// If there is one, the grey values of the only image are its indexes.
    pub(super) palette: Option<Palette>,
    /// If there is one, it is the image, and there are no frames beside those in it.
    pub(super) gif: Option<IndexedGif>,
    /// How often an animation is shown; 0 for without end.
    pub(super) plays: u32,
    /// The colour profile.
    pub(super) profile: Option<Vec<u8>>,
    /// The EXIF data, from the begin of its TIFF header.
    pub(super) exif: Option<Vec<u8>>,
    /// What is missing of it, as a sentence without its subject and full stop.
    pub(super) damage: Option<String>,
    /// What else is not kept of it, as sentences without their subject and full stop.
    pub(super) lost: Vec<String>,
    /// The frames or pages that the result has no place for.
    pub(super) left_out: Option<LeftOut>,
}

/// One image of an animation or of pages.
pub(super) struct Frame {
    pub(super) image: DynamicImage,
    pub(super) delay: Delay,
}

impl From<DynamicImage> for Frame {
    fn from(image: DynamicImage) -> Self {
        let delay = Delay::from_numer_denom_ms(0, 1);
        Self { image, delay }
    }
}

/// Frames or pages that were not read.
pub(super) enum LeftOut {
    Frames,
    Pages,
}

/// The file of an image, and what it may cost to read it.
pub(super) struct Source<'a> {
    pub(super) options: &'a Options,
    pub(super) path: &'a Path,
    /// The format of the result.
    pub(super) format: ImageFormat,
    pub(super) context: &'a Context,
}

impl Source<'_> {
    /// Reads the image of a file of this length.
    pub(super) fn read(&self, file: File, len: u64) -> Result<Picture, ImageError> {
        // Some decoders begin by reading the whole file.
        if len > self.max_alloc() {
            return Err(self.too_much_memory());
        }
        let tracked = TrackedFile {
            file,
            context: self.context,
            at: 0,
            len,
        };
        let mut file = BufReader::with_capacity(READ_BYTES, tracked);
        let begin = file.fill_buf();
        if jxl::is_jxl(begin.map_err(|error| ChecksumError::from_io(self.path, error))?) {
            return jxl::read(self, file);
        }
        let mut reader = ImageReader::new(file);
        if let Ok(format) = ImageFormat::from_path(self.path) {
            reader.set_format(format);
        }
        let reader = reader
            .with_guessed_format()
            .map_err(|error| ChecksumError::from_io(self.path, error))?;
        match reader.format() {
            Some(ImageFormat::Jpeg) => {
                let mut bytes = Vec::new();
                let read = reader.into_inner().read_to_end(&mut bytes);
                read.map_err(|error| ChecksumError::from_io(self.path, error))?;
                jpeg::read(self, &bytes)
            }
            Some(ImageFormat::Tiff) => tiff::read(self, reader.into_inner()),
            Some(ImageFormat::Gif) => {
                let mut file = reader.into_inner();
                match palette_gif::read(self, &mut file)? {
                    Some(gif) => Ok(Picture {
                        gif: Some(gif),
                        ..Picture::default()
                    }),
                    None => animation::read_gif(self, file),
                }
            }
            Some(ImageFormat::Png) => {
                let mut file = reader.into_inner();
                match palette::read(self, &mut file)? {
                    Some(picture) => Ok(picture),
                    None => animation::read_png(self, file),
                }
            }
            Some(ImageFormat::WebP) => animation::read_webp(self, reader.into_inner()),
            _ => self.read_other(reader),
        }
    }

    fn read_other(
        &self,
        mut reader: ImageReader<BufReader<TrackedFile<'_>>>,
    ) -> Result<Picture, ImageError> {
        let limits = self.limits();
        reader.limits(limits.clone());
        let decoder = reader.into_decoder();
        self.read_still(decoder.map_err(|error| self.unreadable(error))?, limits)
    }

    /// Reads one image.
    pub(super) fn read_still(
        &self,
        mut decoder: impl ImageDecoder,
        mut limits: Limits,
    ) -> Result<Picture, ImageError> {
        let failed = |error| self.unreadable(error);
        let (width, height) = decoder.dimensions();
        self.check_pixels("has", width, height)?;
        limits.reserve(decoder.total_bytes()).map_err(failed)?;
        decoder.set_limits(limits).map_err(failed)?;
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let profile = decoder.icc_profile().unwrap_or_default();
        let exif = decoder.exif_metadata().unwrap_or_default();
        let mut image = DynamicImage::from_decoder(decoder).map_err(failed)?;
        self.context.checkpoint();
        image.apply_orientation(orientation);
        Ok(Picture {
            frames: vec![image.into()],
            profile,
            exif,
            ..Picture::default()
        })
    }

    /// The most memory for reading, in bytes.
    pub(super) fn max_alloc(&self) -> u64 {
        u64::from(self.options.max_memory_mib) << 20
    }

    pub(super) fn limits(&self) -> Limits {
        let mut limits = Limits::no_limits();
        limits.max_alloc = Some(self.max_alloc());
        limits
    }

    /// Refuses an image with too many pixels, or that takes more than this many bytes.
    pub(super) fn check_size(&self, width: u32, height: u32, bytes: u64) -> Result<(), ImageError> {
        self.check_pixels("has", width, height)?;
        if bytes > self.max_alloc() {
            return Err(self.too_much_memory());
        }
        Ok(())
    }

    pub(super) fn check_pixels(
        &self,
        verb: &'static str,
        width: u32,
        height: u32,
    ) -> Result<(), ImageError> {
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

    pub(super) fn unreadable(&self, error: image::ImageError) -> ImageError {
        let path = self.path.to_owned();
        match error {
            image::ImageError::Limits(_) => self.too_much_memory(),
            image::ImageError::Unsupported(error)
                if error.format_hint() == image::error::ImageFormatHint::Unknown =>
            {
                ImageError::NotAnImage { path }
            }
            image::ImageError::IoError(error) => self.io_failed(error),
            error => self.undecodable(&error),
        }
    }

    /// An error of the system, or a file that ends too early.
    pub(super) fn io_failed(&self, error: io::Error) -> ImageError {
        match error.raw_os_error() {
            Some(_) => ChecksumError::from_io(self.path, error).into(),
            None => self.undecodable(&error),
        }
    }

    /// The file is no image that can be read, for this reason.
    pub(super) fn undecodable(&self, reason: &impl ToString) -> ImageError {
        let path = self.path.to_owned();
        let reason = sentence_end(&reason.to_string());
        ImageError::Undecodable { path, reason }
    }

    pub(super) fn too_much_memory(&self) -> ImageError {
        ImageError::TooMuchMemory {
            path: self.path.to_owned(),
            limit_mib: self.options.max_memory_mib,
        }
    }
}

/// The text of an error as the end of a sentence.
pub(super) fn sentence_end(text: &str) -> String {
    text.trim_end_matches('.').replace('\n', " ")
}

/// The file of an image. Reading it reports progress and checks for cancellation.
pub(super) struct TrackedFile<'a> {
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
