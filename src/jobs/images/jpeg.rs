//! Reads JPEGs, and tells which are damaged: every decoder makes up what is missing of one.

use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, RgbImage};
use rusty_jpeg::decode::PlanarImage;
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;

use super::error::ImageError;
use super::jpeg_layout::{Layout, has_end};
use super::read::{Picture, Source};
use super::resize::Plane;
use super::{Filter, size};

/// What the decoder calls a fault although nothing of the image is missing: bytes between its parts,
/// as some cameras write them.
const HARMLESS: &str = "Extra bytes between headers";

pub(super) fn read(source: &Source<'_>, bytes: &[u8]) -> Result<Picture, ImageError> {
    let failed = |error: DecodeErrors| source.undecodable(&error);
    let mut headers = JpegDecoder::new_with_options(ZCursor::new(bytes), options(false));
    headers.decode_headers().map_err(failed)?;
    let colours = headers.input_colorspace();
    let is_grey = colours == Some(ColorSpace::Luma);
    let (width, height) = headers.dimensions().unwrap_or_default();
    let (width, height) = (side(width), side(height));
    let len = u64::from(width) * u64::from(height) * if is_grey { 1 } else { 3 };
    source.check_size(width, height, len + bytes.len() as u64)?;
    let profile = headers.icc_profile();
    let exif = headers.exif().cloned();
    let orientation = exif.as_deref().and_then(Orientation::from_exif_chunk);
    let orientation = orientation.unwrap_or(Orientation::NoTransforms);
    let upright = size::upright(orientation, (width, height));
    let layout = Layout::of(bytes);
    let is_read_whole = layout.as_ref().is_none_or(Layout::suits_zune);
    let coarseness = layout.as_ref().map_or(1, Layout::coarseness);
    let share = reduction(source, upright, coarseness).or((!is_read_whole).then_some(1));
    if let Some(share) = share
        && let Some(ColorSpace::Luma | ColorSpace::YCbCr) = colours
        && layout.is_some_and(|layout| layout.suits_rusty())
        && let Some(planes) = read_planes(bytes, share)
    {
        source.context.checkpoint();
        let result = size::before_turn(source.options, upright);
        let result = size::upright(orientation, result);
        source.check_pixels("would have", result.0, result.1)?;
        if let Some(mut image) = planes.image(result, source.options.filter) {
            image.apply_orientation(orientation);
            return Ok(Picture {
                frames: vec![image.into()],
                full_size: Some(upright),
                profile,
                exif,
                ..Picture::default()
            });
        }
    }
    if !is_read_whole {
        let reason = "it is damaged, or the layout of its colours is not supported";
        return Err(source.undecodable(&reason));
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

/// The smallest part of the size that is enough for the result: at least twice its size, so that the
/// filter of the user makes the last step, and each colour at least at its size. `None`: the whole is needed.
fn reduction(source: &Source<'_>, upright: (u32, u32), coarseness: u8) -> Option<u16> {
    if source.options.filter == Filter::Nearest {
        return None;
    }
    let (width, height) = size::before_turn(source.options, upright);
    let is_enough = |share: &u16| {
        let share = u32::from(coarseness.max(2)) * u32::from(*share);
        upright.0 / share >= width && upright.1 / share >= height
    };
    [8, 4, 2].into_iter().find(is_enough)
}

/// The colours of an image at a part of its size, each at its own resolution.
struct Planes {
    stored: PlanarImage,
    /// The size of the whole image.
    full_size: (u16, u16),
    share: u16,
}

/// Reads the image at a part of its size, which takes half of the time; `None` if that is not possible, or
/// if something is wrong with it.
fn read_planes(bytes: &[u8], share: u16) -> Option<Planes> {
    if !has_end(bytes) {
        return None;
    }
    let mut decoder = rusty_jpeg::Decoder::new(bytes);
    // Other images use the other processors.
    decoder.set_single_threaded(true);
    decoder.read_info().ok()?;
    let info = decoder.info()?;
    let full_size = (info.width, info.height);
    let (width, height) = (full_size.0.div_ceil(share), full_size.1.div_ceil(share));
    let is_as_asked = decoder.scale(width, height).ok()? == (width, height);
    let stored = decoder.decode_planar().ok()?;
    is_as_asked.then_some(Planes {
        stored,
        full_size,
        share,
    })
}

impl Planes {
    /// The image at another size; `None` if its colours are none that are known here.
    fn image(&self, (width, height): (u32, u32), filter: Filter) -> Option<DynamicImage> {
        let [luma, chroma @ ..] = &*self.values((width, height), filter)? else {
            return None;
        };
        match chroma {
            [] => GrayImage::from_raw(width, height, luma.clone()).map(DynamicImage::from),
            [blue, red] => {
                RgbImage::from_raw(width, height, rgb(luma, blue, red)).map(DynamicImage::from)
            }
            _ => None,
        }
    }

    /// The values of each colour at the same size.
    fn values(&self, size: (u32, u32), filter: Filter) -> Option<Vec<Vec<u8>>> {
        let components = &self.stored.components;
        let (mut across, mut down) = (1, 1);
        for component in components {
            across = across.max(component.horizontal_sampling_factor);
            down = down.max(component.vertical_sampling_factor);
        }
        let used = |side: u16, factor: u8, most: u8| {
            f64::from(side) * f64::from(factor) / f64::from(most) / f64::from(self.share)
        };
        let values = components.iter().map(|component| {
            let (width, height) = (component.width, component.height);
            let rows = component.data.chunks(component.stride).take(height);
            let rows = rows.filter_map(|row| row.get(..width));
            let plane = Plane {
                values: &rows.collect::<Vec<_>>().concat(),
                size: (u32::try_from(width).ok()?, u32::try_from(height).ok()?),
                used: (
                    used(
                        self.full_size.0,
                        component.horizontal_sampling_factor,
                        across,
                    ),
                    used(self.full_size.1, component.vertical_sampling_factor, down),
                ),
            };
            plane.resized(size, filter)
        });
        values.collect()
    }
}

/// Red, green and blue of luma and the two differences of JFIF.
fn rgb(luma: &[u8], blue: &[u8], red: &[u8]) -> Vec<u8> {
    const BITS: i32 = 16;
    let byte = |value: i32| u8::try_from((value >> BITS).clamp(0, 255)).unwrap_or_default();
    let mut pixels = vec![0; luma.len() * 3];
    let colours = luma.iter().zip(blue).zip(red);
    for (pixel, ((&luma, &blue), &red)) in pixels.as_chunks_mut().0.iter_mut().zip(colours) {
        let luma = (i32::from(luma) << BITS) + (1 << (BITS - 1));
        let (blue, red) = (i32::from(blue) - 128, i32::from(red) - 128);
        // 1.402, 0.344136, 0.714136 and 1.772.
        *pixel = [
            byte(luma + 91_881 * red),
            byte(luma - 22_553 * blue - 46_802 * red),
            byte(luma + 116_130 * blue),
        ];
    }
    pixels
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
