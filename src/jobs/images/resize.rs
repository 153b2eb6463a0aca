//! Changes the size of an image or of one plane of it.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeError, ResizeOptions, Resizer};
use image::DynamicImage;

use super::Filter;

pub(super) fn resized(
    image: &DynamicImage,
    (width, height): (u32, u32),
    filter: Filter,
) -> Result<DynamicImage, ResizeError> {
    let mut resized = DynamicImage::new(width, height, image.color());
    Resizer::new().resize(image, &mut resized, &options(filter))?;
    Ok(resized)
}

/// The values of one colour.
pub(super) struct Plane<'a> {
    pub(super) values: &'a [u8],
    /// The width and the height in values.
    pub(super) size: (u32, u32),
    /// How much of them belongs to the image, which may end within a value.
    pub(super) used: (f64, f64),
}

impl Plane<'_> {
    /// The values of an image of another size; `None` if there are fewer than the size says.
    pub(super) fn resized(&self, (width, height): (u32, u32), filter: Filter) -> Option<Vec<u8>> {
        let plane = ImageRef::new(self.size.0, self.size.1, self.values, PixelType::U8).ok()?;
        let mut resized = Image::new(width, height, PixelType::U8);
        let options = options(filter).crop(0.0, 0.0, self.used.0, self.used.1);
        Resizer::new().resize(&plane, &mut resized, &options).ok()?;
        Some(resized.into_vec())
    }
}

fn options(filter: Filter) -> ResizeOptions {
    ResizeOptions::new().resize_alg(match filter {
        Filter::Lanczos3 => ResizeAlg::Convolution(FilterType::Lanczos3),
        Filter::Bilinear => ResizeAlg::Convolution(FilterType::Bilinear),
        Filter::Nearest => ResizeAlg::Nearest,
    })
}
