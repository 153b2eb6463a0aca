//! The samples of a TIFF: whole numbers or fractions.

use image::{DynamicImage, ImageBuffer};

/// How values that may be negative are stored.
#[derive(Clone, Copy)]
pub(super) enum Signs {
    /// As numbers with a sign.
    Both,
    /// As numbers without a sign, of which the middle is zero.
    Plus,
}

/// A sample of a colour.
pub(super) trait Sample: Copy + 'static {
    /// An image of grey values; `None` unless there are as many as pixels.
    fn grey(width: u32, height: u32, samples: Vec<Self>) -> Option<DynamicImage>;

    /// An image of grey values, each with its alpha.
    fn grey_alpha(width: u32, height: u32, samples: Vec<Self>) -> Option<DynamicImage>;

    fn rgb(width: u32, height: u32, samples: Vec<Self>) -> Option<DynamicImage>;

    fn rgba(width: u32, height: u32, samples: Vec<Self>) -> Option<DynamicImage>;

    /// The colour that the alpha was multiplied with.
    fn without(self, alpha: Self) -> Self;

    /// The index of a colour of a palette.
    fn index(self) -> usize;

    /// From 0 to 1.
    fn share(self) -> f32;

    fn of_share(share: f32) -> Self;

    /// From −128 to 127.
    fn difference(self, signs: Signs) -> f32;

    /// Red, green and blue in sRGB of a lightness and two differences, relative to D50.
    fn of_lab([lightness, a, b]: [Self; 3], signs: Signs) -> [Self; 3] {
        let lightness = match signs {
            Signs::Both => lightness.share() * 100.0,
            Signs::Plus => (lightness.difference(signs) + 128.0) * 100.0 / 255.0,
        };
        let y = (lightness + 16.0) / 116.0;
        let x = y + a.difference(signs) / 500.0;
        let z = y - b.difference(signs) / 200.0;
        let linear = |value: f32| {
            if value > 6.0 / 29.0 {
                value.powi(3)
            } else {
                (value - 4.0 / 29.0) * 108.0 / 841.0
            }
        };
        let (x, y, z) = (linear(x) * 0.964_22, linear(y), linear(z) * 0.825_21);
        [
            3.133_856 * x - 1.616_867 * y - 0.490_615 * z,
            -0.978_768 * x + 1.916_142 * y + 0.033_454 * z,
            0.071_945 * x - 0.228_991 * y + 1.405_243 * z,
        ]
        .map(|light| {
            let light = light.clamp(0.0, 1.0);
            Self::of_share(if light > 0.003_130_8 {
                1.055 * light.powf(1.0 / 2.4) - 0.055
            } else {
                12.92 * light
            })
        })
    }

    /// Red, green and blue of cyan, magenta, yellow and black.
    fn of_inks([cyan, magenta, yellow, key]: [Self; 4]) -> [Self; 3] {
        let light = 1.0 - key.share();
        [cyan, magenta, yellow].map(|ink| Self::of_share((1.0 - ink.share()) * light))
    }

    /// Red, green and blue of a luma and two differences, as in a JPEG.
    fn of_luma([luma, blue, red]: [Self; 3]) -> [Self; 3] {
        let middle = 128.0 / 255.0;
        let (luma, blue, red) = (luma.share(), blue.share() - middle, red.share() - middle);
        [
            luma + 1.402 * red,
            luma - 0.344_136 * blue - 0.714_136 * red,
            luma + 1.772 * blue,
        ]
        .map(Self::of_share)
    }
}

macro_rules! whole_sample {
    ($type:ty, $grey:ident, $grey_alpha:ident, $rgb:ident, $rgba:ident) => {
        impl Sample for $type {
            fn grey(width: u32, height: u32, samples: Vec<Self>) -> Option<DynamicImage> {
                ImageBuffer::from_raw(width, height, samples).map(DynamicImage::$grey)
            }

            fn grey_alpha(width: u32, height: u32, samples: Vec<Self>) -> Option<DynamicImage> {
                ImageBuffer::from_raw(width, height, samples).map(DynamicImage::$grey_alpha)
            }

            fn rgb(width: u32, height: u32, samples: Vec<Self>) -> Option<DynamicImage> {
                ImageBuffer::from_raw(width, height, samples).map(DynamicImage::$rgb)
            }

            fn rgba(width: u32, height: u32, samples: Vec<Self>) -> Option<DynamicImage> {
                ImageBuffer::from_raw(width, height, samples).map(DynamicImage::$rgba)
            }

            fn without(self, alpha: Self) -> Self {
                if alpha == 0 {
                    return 0;
                }
                let (value, alpha) = (u64::from(self), u64::from(alpha));
                let value = (value * u64::from(Self::MAX) + alpha / 2) / alpha;
                Self::try_from(value).unwrap_or(Self::MAX)
            }

            fn index(self) -> usize {
                self.into()
            }

            fn difference(self, signs: Signs) -> f32 {
                let unit = (f32::from(Self::MAX) + 1.0) / 256.0;
                match signs {
                    Signs::Both => f32::from(self.cast_signed()) / unit,
                    Signs::Plus => f32::from(self) / unit - 128.0,
                }
            }

            fn share(self) -> f32 {
                f32::from(self) / f32::from(Self::MAX)
            }

            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the conversion saturates"
            )]
            fn of_share(share: f32) -> Self {
                (share * f32::from(Self::MAX)).round() as Self
            }
        }
    };
}

whole_sample!(u8, ImageLuma8, ImageLumaA8, ImageRgb8, ImageRgba8);
whole_sample!(u16, ImageLuma16, ImageLumaA16, ImageRgb16, ImageRgba16);

impl Sample for f32 {
    /// There is no grey image of fractions.
    fn grey(width: u32, height: u32, samples: Vec<Self>) -> Option<DynamicImage> {
        let colours = samples.iter().flat_map(|&grey| [grey; 3]).collect();
        Self::rgb(width, height, colours)
    }

    fn grey_alpha(width: u32, height: u32, samples: Vec<Self>) -> Option<DynamicImage> {
        let pixels = samples.as_chunks().0.iter();
        let colours = pixels.flat_map(|&[grey, alpha]| [grey, grey, grey, alpha]);
        Self::rgba(width, height, colours.collect())
    }

    fn rgb(width: u32, height: u32, samples: Vec<Self>) -> Option<DynamicImage> {
        ImageBuffer::from_raw(width, height, samples).map(DynamicImage::ImageRgb32F)
    }

    fn rgba(width: u32, height: u32, samples: Vec<Self>) -> Option<DynamicImage> {
        ImageBuffer::from_raw(width, height, samples).map(DynamicImage::ImageRgba32F)
    }

    fn without(self, alpha: Self) -> Self {
        if alpha > 0.0 { self / alpha } else { 0.0 }
    }

    /// No palette has fractions.
    fn index(self) -> usize {
        usize::MAX
    }

    fn difference(self, _signs: Signs) -> f32 {
        self
    }

    fn share(self) -> f32 {
        self
    }

    fn of_share(share: f32) -> Self {
        share
    }
}
