//! Reads JPEGs, and tells which are damaged: every decoder makes up what is missing of one.

use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, RgbImage};
use jpeg_decoder::PixelFormat;
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;

use super::error::ImageError;
use super::read::{Picture, Source};
use super::{Filter, size};

/// What the decoder calls a fault although nothing of the image is missing: bytes between its parts,
/// as some cameras write them.
const HARMLESS: &str = "Extra bytes between headers";

pub(super) fn read(source: &Source<'_>, bytes: &[u8]) -> Result<Picture, ImageError> {
    let failed = |error: DecodeErrors| source.undecodable(&error);
    let mut headers = JpegDecoder::new_with_options(ZCursor::new(bytes), options(false));
    headers.decode_headers().map_err(failed)?;
    let is_grey = headers.input_colorspace() == Some(ColorSpace::Luma);
    let (width, height) = headers.dimensions().unwrap_or_default();
    let (width, height) = (side(width), side(height));
    let len = u64::from(width) * u64::from(height) * if is_grey { 1 } else { 3 };
    source.check_size(width, height, len + bytes.len() as u64)?;
    let profile = headers.icc_profile();
    let exif = headers.exif().cloned();
    let orientation = exif.as_deref().and_then(Orientation::from_exif_chunk);
    let orientation = orientation.unwrap_or(Orientation::NoTransforms);
    let upright = size::upright(orientation, (width, height));
    let share = reduction(source, upright);
    if share > 1
        && let Some(mut image) = decode_reduced(bytes, is_grey, share)
    {
        image.apply_orientation(orientation);
        return Ok(Picture {
            frames: vec![image.into()],
            full_size: Some(upright),
            profile,
            exif,
            ..Picture::default()
        });
    }
    let (pixels, damage) = decode(source, bytes, is_grey)?;
    source.context.checkpoint();
    let image = if is_grey {
        GrayImage::from_raw(width, height, pixels).map(DynamicImage::from)
    } else {
        RgbImage::from_raw(width, height, pixels).map(DynamicImage::from)
    };
    let mut image = image.ok_or_else(|| source.undecodable(&"its size is not what it says"))?;
    image.apply_orientation(orientation);
    Ok(Picture {
        frames: vec![image.into()],
        profile,
        exif,
        damage,
        ..Picture::default()
    })
}

/// The largest part of the size, as a half, that is enough for the result: at least twice its size,
/// so that the filter of the user makes the last step.
fn reduction(source: &Source<'_>, upright: (u32, u32)) -> u16 {
    if source.options.filter == Filter::Nearest {
        return 1;
    }
    let (width, height) = size::after(source.options, upright);
    let (least, most) = (width.min(height), width.max(height));
    let (short, long) = (upright.0.min(upright.1), upright.0.max(upright.1));
    let is_enough = |share: &u16| {
        let share = 2 * u32::from(*share);
        short / share >= least && long / share >= most
    };
    [8, 4, 2].into_iter().find(is_enough).unwrap_or(1)
}

/// The image at a part of its size, which takes half of the time; `None` if that is not possible, or
/// if something is wrong with it.
fn decode_reduced(bytes: &[u8], is_grey: bool, share: u16) -> Option<DynamicImage> {
    if !has_end(bytes) {
        return None;
    }
    let mut decoder = jpeg_decoder::Decoder::new(bytes);
    decoder.read_info().ok()?;
    let info = decoder.info()?;
    let (width, height) = decoder
        .scale(info.width.div_ceil(share), info.height.div_ceil(share))
        .ok()?;
    let (width, height) = (width.into(), height.into());
    let pixels = decoder.decode().ok()?;
    match info.pixel_format {
        PixelFormat::L8 if is_grey => {
            GrayImage::from_raw(width, height, pixels).map(DynamicImage::from)
        }
        PixelFormat::RGB24 if !is_grey => {
            RgbImage::from_raw(width, height, pixels).map(DynamicImage::from)
        }
        _ => None,
    }
}

fn options(is_strict: bool) -> DecoderOptions {
    DecoderOptions::default()
        .set_strict_mode(is_strict)
        .set_max_width(usize::MAX)
        .set_max_height(usize::MAX)
}

fn side(pixels: usize) -> u32 {
    u32::try_from(pixels).unwrap_or(u32::MAX)
}

/// The pixels, and what is damaged.
fn decode(
    source: &Source<'_>,
    bytes: &[u8],
    is_grey: bool,
) -> Result<(Vec<u8>, Option<String>), ImageError> {
    let colours = if is_grey {
        ColorSpace::Luma
    } else {
        ColorSpace::RGB
    };
    let decode = |is_strict| {
        let options = options(is_strict).jpeg_set_out_colorspace(colours);
        JpegDecoder::new_with_options(ZCursor::new(bytes), options).decode()
    };
    let cut = (!has_end(bytes)).then(|| "its end is missing".to_owned());
    match decode(true) {
        Ok(pixels) => Ok((pixels, cut)),
        Err(fault) => {
            source.context.checkpoint();
            let pixels = decode(false).map_err(|error| source.undecodable(&error))?;
            let is_harmless = fault.to_string().contains(HARMLESS);
            let damage =
                cut.or_else(|| (!is_harmless).then(|| "a part of it is damaged".to_owned()));
            Ok((pixels, damage))
        }
    }
}

/// Whether the image has an end, whatever follows it. What is within its headers, such as a small
/// picture, does not count.
fn has_end(bytes: &[u8]) -> bool {
    let mut at = 0;
    while let Some(found) = bytes
        .get(at..)
        .and_then(|rest| rest.iter().position(|&byte| byte == 0xff))
    {
        at += found + 1;
        match bytes.get(at) {
            Some(0xd9) => return true,
            // A filled byte, a byte of the pixels, or a mark without data.
            Some(0xff) => {}
            Some(0x00 | 0x01 | 0xd0..=0xd8) => at += 1,
            Some(_) => {
                let Some(&[high, low]) = bytes.get(at + 1..at + 3) else {
                    return false;
                };
                at += 1 + usize::from(u16::from_be_bytes([high, low]));
            }
            None => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn end_within_a_header_is_not_the_end() {
        let start = b"\xff\xd8\xff\xe1\x00\x06\xff\xd8\xff\xd9";
        let scan = b"\xff\xda\x00\x02\x01\xff\x00\xd9\xff\xd0\x02";
        let cut = [&start[..], scan].concat();
        assert!(!has_end(&cut));
        assert!(has_end(&[&cut[..], b"\xff\xff\xd9\0\0"].concat()));
        for len in 0..cut.len() {
            assert!(!has_end(&cut[..len]), "{len}");
        }
    }
}
