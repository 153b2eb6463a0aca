//! Reads images of formats that may have several frames.

use std::io::{BufRead, Seek};

use image::codecs::gif::GifDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::metadata::{LoopCount, Orientation};
use image::{AnimationDecoder, DynamicImage, ImageDecoder, ImageFormat};

use super::error::ImageError;
use super::read::{Frame, LeftOut, Picture, Source};

pub(super) fn read_gif(
    source: &Source<'_>,
    file: impl BufRead + Seek,
) -> Result<Picture, ImageError> {
    let failed = |error| source.unreadable(error);
    let mut decoder = GifDecoder::new(file).map_err(failed)?;
    let (width, height) = decoder.dimensions();
    source.check_size(width, height, decoder.total_bytes())?;
    decoder.set_limits(source.limits()).map_err(failed)?;
    frames(source, decoder, Orientation::NoTransforms)
}

pub(super) fn read_png(
    source: &Source<'_>,
    file: impl BufRead + Seek,
) -> Result<Picture, ImageError> {
    let failed = |error| source.unreadable(error);
    let mut decoder = PngDecoder::with_limits(file, source.limits()).map_err(failed)?;
    if !decoder.is_apng().unwrap_or(false) {
        return source.read_still(decoder, source.limits());
    }
    let (width, height) = decoder.dimensions();
    source.check_size(width, height, decoder.total_bytes())?;
    let described = describe(&mut decoder);
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let picture = frames(source, decoder.apng().map_err(failed)?, orientation)?;
    Ok(described.of(picture))
}

pub(super) fn read_webp(
    source: &Source<'_>,
    file: impl BufRead + Seek,
) -> Result<Picture, ImageError> {
    let mut decoder = WebPDecoder::new(file).map_err(|error| source.unreadable(error))?;
    if !decoder.has_animation() {
        return source.read_still(decoder, source.limits());
    }
    let (width, height) = decoder.dimensions();
    source.check_size(width, height, decoder.total_bytes())?;
    let described = describe(&mut decoder);
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let picture = frames(source, decoder, orientation)?;
    Ok(described.of(picture))
}

/// What a file says about all of its frames.
struct Described {
    profile: Option<Vec<u8>>,
    exif: Option<Vec<u8>>,
}

fn describe(decoder: &mut impl ImageDecoder) -> Described {
    Described {
        profile: decoder.icc_profile().unwrap_or_default(),
        exif: decoder.exif_metadata().unwrap_or_default(),
    }
}

impl Described {
    fn of(self, picture: Picture) -> Picture {
        Picture {
            profile: self.profile,
            exif: self.exif,
            ..picture
        }
    }
}

/// The frames that the result has a place for. A later frame that can't be read is damage.
fn frames<'a>(
    source: &Source<'_>,
    decoder: impl AnimationDecoder<'a>,
    orientation: Orientation,
) -> Result<Picture, ImageError> {
    let mut picture = Picture {
        plays: match decoder.loop_count() {
            LoopCount::Infinite => 0,
            LoopCount::Finite(count) => count.get(),
        },
        ..Picture::default()
    };
    let mut bytes = 0;
    for frame in decoder.into_frames() {
        source.context.checkpoint();
        let frame = match frame {
            Ok(frame) => frame,
            Err(error) if picture.frames.is_empty() => return Err(source.unreadable(error)),
            Err(_) => {
                picture.damage = Some("its end is missing".to_owned());
                break;
            }
        };
        if !picture.frames.is_empty() && !keeps_frames(source.format) {
            picture.left_out = Some(LeftOut::Frames);
            break;
        }
        let delay = frame.delay();
        let mut image = DynamicImage::from(frame.into_buffer());
        bytes += image.as_bytes().len() as u64;
        source.check_size(image.width(), image.height(), bytes)?;
        image.apply_orientation(orientation);
        picture.frames.push(Frame { image, delay });
    }
    if picture.frames.is_empty() {
        return Err(source.undecodable(&"it has no image"));
    }
    Ok(picture)
}

/// Whether animations can be written in a format here.
pub(super) fn keeps_frames(format: ImageFormat) -> bool {
    matches!(format, ImageFormat::Gif | ImageFormat::Png)
}
