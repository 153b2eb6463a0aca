//! Encodes an image in any of the formats.

use std::borrow::Cow;
use std::error::Error;
use std::io::Cursor;

use image::codecs::gif::{GifEncoder, Repeat};
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::codecs::webp::WebPEncoder;
use image::error::EncodingError;
use image::{ColorType, DynamicImage, ImageEncoder, ImageFormat, ImageResult};
use rusty_jpeg::{Encoder as JpegEncoder, EncodingError as JpegError, SamplingFactor};
use tiff::TiffError;
use tiff::encoder::{TiffEncoder, colortype};
use tiff::tags::Tag;

use super::palette::Palette;
use super::read::Frame;

/// The speed of the search for colours, 1 (slowest and best) to 30.
const GIF_SPEED: i32 = 10;

/// The longest segment of a JPEG, without its length and the name of EXIF data.
const MAX_JPEG_EXIF_BYTES: usize = 65_535 - 2 - 6;

/// What is written beside the pixels.
pub(super) struct Encoding<'a> {
    pub(super) format: ImageFormat,
    /// The quality of a JPEG.
    pub(super) quality: u8,
    /// How often an animation is shown; 0 for without end.
    pub(super) plays: u32,
    /// If there is one, the grey values of the only image are its indexes.
    pub(super) palette: Option<&'a Palette>,
    pub(super) profile: Option<&'a [u8]>,
    pub(super) exif: Option<&'a [u8]>,
}

impl Encoding<'_> {
    /// The file of an image, an animation or pages. Formats without animations and pages have the
    /// first.
    pub(super) fn encode(&self, frames: &[Frame]) -> ImageResult<Vec<u8>> {
        let mut bytes = Vec::new();
        let [first, ..] = frames else {
            return Ok(bytes);
        };
        if let Some(palette) = self.palette {
            let encoded = palette.encode(&first.image, self.profile, self.exif, &mut bytes);
            encoded.map_err(|error| unwritable(self.format, error))?;
            return Ok(bytes);
        }
        match self.format {
            ImageFormat::Gif => self.gif(frames, &mut bytes)?,
            ImageFormat::Png if frames.len() > 1 => {
                self.animated_png(frames, &mut bytes)
                    .map_err(|error| unwritable(self.format, error))?;
            }
            ImageFormat::Tiff => {
                self.pages(frames, &mut bytes)
                    .map_err(|error| unwritable(self.format, error))?;
            }
            _ => self.still(&first.image, &mut bytes)?,
        }
        Ok(bytes)
    }

    fn still(&self, image: &DynamicImage, bytes: &mut Vec<u8>) -> ImageResult<()> {
        match self.format {
            ImageFormat::Jpeg => {
                let (Ok(width), Ok(height)) = (image.width().try_into(), image.height().try_into())
                else {
                    let reason = "a JPEG has at most 65535 pixels a side; make it smaller";
                    return Err(unwritable(self.format, reason));
                };
                self.jpeg(&opaque(image), (width, height), bytes)
                    .map_err(|error| unwritable(self.format, error))
            }
            ImageFormat::Png => {
                let compression = CompressionType::Default;
                let encoder =
                    PngEncoder::new_with_quality(bytes, compression, FilterType::Adaptive);
                self.described(encoder, &of_integers(image))
            }
            ImageFormat::WebP => self.described(WebPEncoder::new_lossless(bytes), image),
            ImageFormat::Bmp | ImageFormat::Tga => {
                image.write_to(&mut Cursor::new(bytes), self.format)
            }
            ImageFormat::Pnm => opaque(image).write_to(&mut Cursor::new(bytes), self.format),
            _ => {
                let image = DynamicImage::from(image.to_rgba8());
                image.write_to(&mut Cursor::new(bytes), self.format)
            }
        }
    }

    /// Colours keep their full resolution.
    fn jpeg(
        &self,
        image: &DynamicImage,
        (width, height): (u16, u16),
        bytes: &mut Vec<u8>,
    ) -> Result<(), JpegError> {
        let mut encoder = JpegEncoder::new(bytes, self.quality);
        encoder.set_sampling_factor(SamplingFactor::R_4_4_4);
        if let Some(exif) = self.exif {
            encoder.add_exif_metadata(exif)?;
        }
        if let Some(profile) = self.profile {
            encoder.add_icc_profile(profile)?;
        }
        let colours = if image.color().has_color() {
            rusty_jpeg::ColorType::Rgb
        } else {
            rusty_jpeg::ColorType::Luma
        };
        encoder.encode(image.as_bytes(), width, height, colours)
    }

    fn described(&self, mut encoder: impl ImageEncoder, image: &DynamicImage) -> ImageResult<()> {
        if let Some(profile) = self.profile {
            let set = encoder.set_icc_profile(profile.to_owned());
            set.map_err(image::ImageError::Unsupported)?;
        }
        if let Some(exif) = self.exif {
            let set = encoder.set_exif_metadata(exif.to_owned());
            set.map_err(image::ImageError::Unsupported)?;
        }
        image.write_with_encoder(encoder)
    }

    fn gif(&self, frames: &[Frame], bytes: &mut Vec<u8>) -> ImageResult<()> {
        let mut encoder = GifEncoder::new_with_speed(bytes, GIF_SPEED);
        match (frames.len(), self.plays) {
            (0 | 1, _) | (_, 1) => {}
            (_, 0) => encoder.set_repeat(Repeat::Infinite)?,
            (_, plays) => {
                let repeats = u16::try_from(plays - 1).unwrap_or(u16::MAX);
                encoder.set_repeat(Repeat::Finite(repeats))?;
            }
        }
        for frame in frames {
            let pixels = frame.image.to_rgba8();
            encoder.encode_frame(image::Frame::from_parts(pixels, 0, 0, frame.delay))?;
        }
        Ok(())
    }

    fn animated_png(
        &self,
        frames: &[Frame],
        bytes: &mut Vec<u8>,
    ) -> Result<(), png::EncodingError> {
        let first = &frames[0].image;
        let mut info = png::Info::with_size(first.width(), first.height());
        info.color_type = png::ColorType::Rgba;
        info.bit_depth = png::BitDepth::Eight;
        info.icc_profile = self.profile.map(Cow::from);
        info.exif_metadata = self.exif.map(Cow::from);
        let mut encoder = png::Encoder::with_info(bytes, info)?;
        let count = u32::try_from(frames.len()).unwrap_or(u32::MAX);
        encoder.set_animated(count, self.plays)?;
        let mut writer = encoder.write_header()?;
        for frame in frames {
            let (numerator, denominator) = frame.delay.numer_denom_ms();
            let millis = numerator / denominator.max(1);
            writer.set_frame_delay(u16::try_from(millis).unwrap_or(u16::MAX), 1000)?;
            writer.write_image_data(&frame.image.to_rgba8())?;
        }
        writer.finish()
    }

    fn pages(&self, frames: &[Frame], bytes: &mut Vec<u8>) -> Result<(), TiffError> {
        let mut encoder = TiffEncoder::new(Cursor::new(bytes))?;
        for frame in frames {
            let image = &*of_colours(&frame.image);
            let (width, height) = (image.width(), image.height());
            macro_rules! page {
                ($colours:ident, $pixels:expr) => {{
                    let mut page = encoder.new_image::<colortype::$colours>(width, height)?;
                    if let Some(profile) = self.profile {
                        page.encoder().write_tag(Tag::IccProfile, profile)?;
                    }
                    page.write_data($pixels.as_raw().as_slice())?;
                }};
            }
            match image {
                DynamicImage::ImageLuma8(pixels) => page!(Gray8, pixels),
                DynamicImage::ImageRgb8(pixels) => page!(RGB8, pixels),
                DynamicImage::ImageRgba8(pixels) => page!(RGBA8, pixels),
                DynamicImage::ImageLuma16(pixels) => page!(Gray16, pixels),
                DynamicImage::ImageRgb16(pixels) => page!(RGB16, pixels),
                DynamicImage::ImageRgba16(pixels) => page!(RGBA16, pixels),
                DynamicImage::ImageRgb32F(pixels) => page!(RGB32Float, pixels),
                DynamicImage::ImageRgba32F(pixels) => page!(RGBA32Float, pixels),
                other => page!(RGBA16, other.to_rgba16()),
            }
        }
        Ok(())
    }
}

/// Whether a file of a format can have EXIF data of this length here.
pub(super) fn keeps_exif(format: ImageFormat, len: usize) -> bool {
    match format {
        ImageFormat::Jpeg => len <= MAX_JPEG_EXIF_BYTES,
        ImageFormat::Png | ImageFormat::WebP => true,
        _ => false,
    }
}

fn unwritable(
    format: ImageFormat,
    error: impl Into<Box<dyn Error + Send + Sync>>,
) -> image::ImageError {
    image::ImageError::Encoding(EncodingError::new(format.into(), error))
}

/// For formats without transparency: on white, with 8 bits.
fn opaque(image: &DynamicImage) -> DynamicImage {
    if !image.color().has_alpha() {
        return match image.color() {
            ColorType::L8 | ColorType::L16 => image.to_luma8().into(),
            _ => image.to_rgb8().into(),
        };
    }
    let mut pixels = image.to_rgba8();
    for pixel in pixels.pixels_mut() {
        let [red, green, blue, alpha] = pixel.0;
        pixel.0 = [
            on_white(red, alpha),
            on_white(green, alpha),
            on_white(blue, alpha),
            255,
        ];
    }
    let pixels = DynamicImage::from(pixels);
    if image.color().has_color() {
        pixels.to_rgb8().into()
    } else {
        pixels.to_luma8().into()
    }
}

fn on_white(value: u8, alpha: u8) -> u8 {
    let (value, alpha) = (u32::from(value), u32::from(alpha));
    let mixed = (value * alpha + 255 * (255 - alpha) + 127) / 255;
    u8::try_from(mixed).unwrap_or(u8::MAX)
}

/// For formats without floating-point values.
fn of_integers(image: &DynamicImage) -> Cow<'_, DynamicImage> {
    match image.color() {
        ColorType::Rgb32F => Cow::Owned(image.to_rgb16().into()),
        ColorType::Rgba32F => Cow::Owned(image.to_rgba16().into()),
        _ => Cow::Borrowed(image),
    }
}

/// For formats without grey with transparency.
fn of_colours(image: &DynamicImage) -> Cow<'_, DynamicImage> {
    match image.color() {
        ColorType::La8 => Cow::Owned(image.to_rgba8().into()),
        ColorType::La16 => Cow::Owned(image.to_rgba16().into()),
        _ => Cow::Borrowed(image),
    }
}
