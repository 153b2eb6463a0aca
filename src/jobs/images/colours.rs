//! Converts colours to sRGB, which is meant where a file has no colour profile.

use image::{DynamicImage, ImageFormat};
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

/// Whether files of a format can have a colour profile here.
pub(super) fn keeps_profile(format: ImageFormat) -> bool {
    matches!(
        format,
        ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::Tiff | ImageFormat::WebP
    )
}

/// Whether a colour profile matches the kind of colours of the image.
pub(super) fn describes(profile: &[u8], image: &DynamicImage) -> bool {
    let space: &[u8] = if image.color().has_color() {
        b"RGB "
    } else {
        b"GRAY"
    };
    profile.get(16..20) == Some(space)
}

/// The image in sRGB; `None` if the profile does not say how.
pub(super) fn in_srgb(image: &DynamicImage, profile: &[u8]) -> Option<DynamicImage> {
    let profile = ColorProfile::new_from_slice(profile).ok()?;
    let layout = match profile.color_space {
        DataColorSpace::Rgb if image.color().has_color() => Layout::Rgba,
        DataColorSpace::Gray if !image.color().has_color() => Layout::GrayAlpha,
        _ => return None,
    };
    let srgb = ColorProfile::new_srgb();
    let options = TransformOptions::default();
    if image.color().bytes_per_pixel() / image.color().channel_count() == 1 {
        let transform = profile.create_transform_8bit(layout, &srgb, Layout::Rgba, options);
        let mut pixels = image.to_rgba8();
        let read = match layout {
            Layout::GrayAlpha => image.to_luma_alpha8().into_raw(),
            _ => pixels.clone().into_raw(),
        };
        transform.ok()?.transform(&read, &mut pixels).ok()?;
        Some(like(image, pixels.into()))
    } else {
        let transform = profile.create_transform_16bit(layout, &srgb, Layout::Rgba, options);
        let mut pixels = image.to_rgba16();
        let read = match layout {
            Layout::GrayAlpha => image.to_luma_alpha16().into_raw(),
            _ => pixels.clone().into_raw(),
        };
        transform.ok()?.transform(&read, &mut pixels).ok()?;
        Some(like(image, pixels.into()))
    }
}

/// The converted image, without the transparency and the colours that the image did not have.
fn like(image: &DynamicImage, converted: DynamicImage) -> DynamicImage {
    let is_small = image.color().bytes_per_pixel() == image.color().channel_count();
    match (
        image.color().has_color(),
        image.color().has_alpha(),
        is_small,
    ) {
        (true, true, _) => converted,
        (true, false, true) => converted.to_rgb8().into(),
        (true, false, false) => converted.to_rgb16().into(),
        (false, true, true) => converted.to_luma_alpha8().into(),
        (false, true, false) => converted.to_luma_alpha16().into(),
        (false, false, true) => converted.to_luma8().into(),
        (false, false, false) => converted.to_luma16().into(),
    }
}
