//! GIFs that are only turned, which keep their frames, with the palette of each.

use std::io::{BufRead, Seek};
use std::num::NonZeroU64;

use gif::{DecodeOptions, DecodingError, Encoder, EncodingError, Frame, MemoryLimit, Repeat};
use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, ImageFormat};

use super::error::ImageError;
use super::read::Source;
use super::{Flip, Options, size};

/// A GIF as it is in its file: a frame may be smaller than the image, and begin in its middle.
pub(super) struct IndexedGif {
    pub(super) size: (u16, u16),
    /// The colours of the frames that have none of their own.
    colours: Vec<u8>,
    repeat: Repeat,
    frames: Vec<Frame<'static>>,
}

/// The GIF, if the result needs no other colours; `None` for any other, and for one that can't be read
/// whole. The file is then at its begin again.
pub(super) fn read(
    source: &Source<'_>,
    file: &mut (impl BufRead + Seek),
) -> Result<Option<IndexedGif>, ImageError> {
    if source.format != ImageFormat::Gif || source.options.greyscale {
        return Ok(None);
    }
    let read = IndexedGif::read(source, &mut *file);
    let Ok(Some(gif)) = read else {
        file.rewind().map_err(|error| source.io_failed(error))?;
        return Ok(None);
    };
    Ok(Some(gif))
}

impl IndexedGif {
    fn read(source: &Source<'_>, file: impl BufRead) -> Result<Option<Self>, DecodingError> {
        let mut options = DecodeOptions::new();
        let limit = NonZeroU64::new(source.max_alloc()).unwrap_or(NonZeroU64::MIN);
        options.set_memory_limit(MemoryLimit::Bytes(limit));
        options.check_frame_consistency(true);
        let mut decoder = options.read_info(file)?;
        let size = (decoder.width(), decoder.height());
        let whole = (u32::from(size.0), u32::from(size.1));
        if !size::is_only_turned(source.options, whole) {
            return Ok(None);
        }
        let mut gif = Self {
            size,
            colours: decoder.global_palette().unwrap_or_default().to_vec(),
            repeat: Repeat::Finite(0),
            frames: Vec::new(),
        };
        let mut bytes = 0;
        while let Some(frame) = decoder.read_next_frame()? {
            source.context.checkpoint();
            bytes += frame.buffer.len() as u64;
            let is_too_large = source.check_size(whole.0, whole.1, bytes).is_err();
            if is_too_large || frame.palette.is_none() && gif.colours.is_empty() {
                return Ok(None);
            }
            let interlaced = false;
            gif.frames.push(Frame {
                interlaced,
                ..frame.clone()
            });
        }
        gif.repeat = decoder.repeat();
        Ok((!gif.frames.is_empty()).then_some(gif))
    }

    /// The GIF rotated and mirrored.
    pub(super) fn turned(mut self, options: &Options) -> Self {
        let flip = match options.flip {
            Flip::No => Orientation::NoTransforms,
            Flip::Horizontal => Orientation::FlipHorizontal,
            Flip::Vertical => Orientation::FlipVertical,
        };
        for turn in [size::turn(options.rotate), flip] {
            if turn != Orientation::NoTransforms {
                for frame in &mut self.frames {
                    turn_frame(frame, self.size, turn);
                }
            }
            if matches!(turn, Orientation::Rotate90 | Orientation::Rotate270) {
                self.size = (self.size.1, self.size.0);
            }
        }
        self
    }

    pub(super) fn encode(&self) -> Result<Vec<u8>, EncodingError> {
        let mut bytes = Vec::new();
        let (width, height) = self.size;
        let mut encoder = Encoder::new(&mut bytes, width, height, &self.colours)?;
        encoder.set_repeat(self.repeat)?;
        for frame in &self.frames {
            encoder.write_frame(frame)?;
        }
        drop(encoder);
        Ok(bytes)
    }
}

/// Turns a frame of an image of this size.
fn turn_frame(frame: &mut Frame<'_>, (width, height): (u16, u16), turn: Orientation) {
    let right = width - frame.left - frame.width;
    let below = height - frame.top - frame.height;
    (frame.left, frame.top) = match turn {
        Orientation::Rotate90 => (below, frame.left),
        Orientation::Rotate180 => (right, below),
        Orientation::Rotate270 => (frame.top, right),
        Orientation::FlipHorizontal => (right, frame.top),
        Orientation::FlipVertical => (frame.left, below),
        _ => (frame.left, frame.top),
    };
    let indexes = std::mem::take(&mut frame.buffer).into_owned();
    let (width, height) = (frame.width.into(), frame.height.into());
    if let Some(indexes) = GrayImage::from_raw(width, height, indexes) {
        let mut indexes = DynamicImage::from(indexes);
        indexes.apply_orientation(turn);
        if matches!(turn, Orientation::Rotate90 | Orientation::Rotate270) {
            (frame.width, frame.height) = (frame.height, frame.width);
        }
        frame.buffer = indexes.into_bytes().into();
    }
}
