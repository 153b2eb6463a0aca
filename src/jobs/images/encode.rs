//! Encodes an image in any of the formats.

use std::borrow::Cow;
use std::io::Cursor;

use image::codecs::gif::GifEncoder;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::codecs::tiff::TiffEncoder;
use image::codecs::webp::WebPEncoder;
use image::{ColorType, DynamicImage, Frame, ImageEncoder, ImageFormat, ImageResult};

/// The speed of the search for colours, 1 (slowest and best) to 30.
const GIF_SPEED: i32 = 10;

/// The image in this format, with the colour profile if that still describes its colours.
pub(super) fn encode(
    image: &DynamicImage,
    format: ImageFormat,
    quality: u8,
    profile: Option<Vec<u8>>,
) -> ImageResult<Vec<u8>> {
    let profile = profile.filter(|profile| describes(profile, image));
    let mut bytes = Vec::new();
    write(image, format, quality, profile, &mut bytes)?;
    Ok(bytes)
}

/// Whether a colour profile matches the current colours of the image.
fn describes(profile: &[u8], image: &DynamicImage) -> bool {
    let space: &[u8] = if image.color().has_color() {
        b"RGB "
    } else {
        b"GRAY"
    };
    profile.get(16..20) == Some(space)
}

fn write(
    image: &DynamicImage,
    format: ImageFormat,
    quality: u8,
    profile: Option<Vec<u8>>,
    bytes: &mut Vec<u8>,
) -> ImageResult<()> {
    match format {
        ImageFormat::Jpeg => {
            let encoder = JpegEncoder::new_with_quality(bytes, quality);
            with_profile(encoder, profile, &opaque(image))
        }
        ImageFormat::Png => {
            let compression = CompressionType::Default;
            let encoder = PngEncoder::new_with_quality(bytes, compression, FilterType::Adaptive);
            with_profile(encoder, profile, &of_integers(image))
        }
        ImageFormat::WebP => with_profile(WebPEncoder::new_lossless(bytes), profile, image),
        ImageFormat::Tiff => {
            let encoder = TiffEncoder::new(Cursor::new(bytes));
            with_profile(encoder, profile, &of_colours(image))
        }
        ImageFormat::Gif => {
            let mut encoder = GifEncoder::new_with_speed(bytes, GIF_SPEED);
            encoder.encode_frame(Frame::new(image.to_rgba8()))
        }
        ImageFormat::Bmp | ImageFormat::Tga => image.write_to(&mut Cursor::new(bytes), format),
        ImageFormat::Pnm => opaque(image).write_to(&mut Cursor::new(bytes), format),
        _ => {
            let image = DynamicImage::from(image.to_rgba8());
            image.write_to(&mut Cursor::new(bytes), format)
        }
    }
}

fn with_profile(
    mut encoder: impl ImageEncoder,
    profile: Option<Vec<u8>>,
    image: &DynamicImage,
) -> ImageResult<()> {
    if let Some(profile) = profile {
        // Some formats have no room for a profile.
        encoder.set_icc_profile(profile).ok();
    }
    image.write_with_encoder(encoder)
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
