//! Reads TIFFs: which samples there are, and what they mean, is up to the file.

use std::io::{BufRead, Seek};

use image::metadata::Orientation;
use image::{DynamicImage, ImageFormat};
use tiff::TiffError;
use tiff::decoder::{BufferLayoutPreference, ChunkType, Decoder, DecodingResult, Limits};
use tiff::tags::{CompressionMethod, PlanarConfiguration, Tag};
use tiff::{ColorType, TiffUnsupportedError};

use super::error::ImageError;
use super::read::{LeftOut, Picture, Source};
use super::relabel::{ICC_LAB, LAB, PALETTE, relabelled};
use super::sample::{Sample, Signs};

/// The value of `ExtraSamples` for colours that were multiplied with their alpha.
const ASSOCIATED_ALPHA: u16 = 1;

/// The bits of `NewSubfileType` of an image that is no page of its own.
const SMALLER_VERSION: u32 = 1;
const MASK: u32 = 4;

/// The least memory that the description of an image may take, in bytes: it is counted before the
/// size of the image is known, and a profile takes many times its length.
const MIN_VALUE_BYTES: usize = 256 << 20;

pub(super) fn read(source: &Source<'_>, file: impl BufRead + Seek) -> Result<Picture, ImageError> {
    let failed = |error| failed(source, error);
    let max_alloc = usize::try_from(source.max_alloc()).unwrap_or(usize::MAX);
    let mut limits = Limits::default();
    limits.decoding_buffer_size = max_alloc.max(MIN_VALUE_BYTES);
    limits.intermediate_buffer_size = max_alloc;
    limits.ifd_value_size = max_alloc;
    let (file, meanings) = relabelled(file, limits.clone(), source.context).map_err(failed)?;
    let mut meanings = meanings.into_iter();
    let mut decoder = Decoder::new(file).map_err(failed)?.with_limits(limits);
    let mut picture = Picture::default();
    let mut bytes = 0;
    loop {
        source.context.checkpoint();
        let meaning = meanings.next().flatten();
        let page = Page::read_description(&mut decoder, meaning).map_err(failed)?;
        let is_page = picture.frames.is_empty() || page.stands_alone;
        if is_page && !picture.frames.is_empty() && source.format != ImageFormat::Tiff {
            picture.left_out = Some(LeftOut::Pages);
            break;
        }
        if is_page {
            bytes += page.len();
            source.check_size(page.width, page.height, bytes)?;
            let image = page.read(&mut decoder);
            picture.frames.push(
                image
                    .map_err(failed)?
                    .map_err(|reason| source.undecodable(&reason))?
                    .into(),
            );
            picture.profile = picture.profile.or(page.profile);
        }
        if !decoder.more_images() {
            break;
        }
        decoder.next_image().map_err(failed)?;
    }
    Ok(picture)
}

/// Says in words what the decoder says in names of its types.
fn failed(source: &Source<'_>, error: TiffError) -> ImageError {
    match error {
        TiffError::IoError(error) => source.io_failed(error),
        TiffError::LimitsExceeded => source.too_much_memory(),
        TiffError::UnsupportedError(what) => source.undecodable(&unsupported(&what)),
        error => source.undecodable(&error),
    }
}

fn unsupported(what: &TiffUnsupportedError) -> String {
    use TiffUnsupportedError as Kind;
    match what {
        Kind::UnsupportedCompressionMethod(method) => {
            let name = match method {
                CompressionMethod::Unknown(34_925) => "LZMA".to_owned(),
                CompressionMethod::Unknown(number) => format!("number {number}"),
                named => format!("{named:?}"),
            };
            format!("its compression {name} is not supported; save it with LZW, Deflate or none")
        }
        Kind::UnknownCompressionMethod => "its compression is not known".to_owned(),
        Kind::UnsupportedInterpretation(_)
        | Kind::InterpretationWithBits(..)
        | Kind::UnknownInterpretation
        | Kind::UnsupportedColorType(_) => "its kind of colours is not supported".to_owned(),
        Kind::UnsupportedSampleDepth(_)
        | Kind::InconsistentBitsPerSample(_)
        | Kind::UnsupportedBitsPerChannel(_) => {
            "its number of bits a colour is not supported".to_owned()
        }
        Kind::UnsupportedSampleFormat(_) => "its kind of numbers is not supported".to_owned(),
        _ => "its kind of TIFF is not supported".to_owned(),
    }
}

/// What the file says about an image.
struct Page {
    /// Whether it is not a smaller version of another one.
    stands_alone: bool,
    width: u32,
    height: u32,
    colours: ColorType,
    /// The value of `PhotometricInterpretation`, of which the decoder does not know all.
    meaning: Option<u16>,
    has_associated_alpha: bool,
    /// Whether a grey image has transparency beside its grey.
    has_grey_alpha: bool,
    orientation: Orientation,
    profile: Option<Vec<u8>>,
    /// The colours of a palette: all red values, all green ones, all blue ones.
    palette: Vec<u16>,
}

impl Page {
    fn read_description(
        decoder: &mut Decoder<impl BufRead + Seek>,
        meaning: Option<u16>,
    ) -> Result<Self, TiffError> {
        let (width, height) = decoder.dimensions()?;
        let colours = decoder.colortype()?;
        let extra: Option<Vec<u16>> = decoder.find_tag_unsigned_vec(Tag::ExtraSamples)?;
        let extra = extra.unwrap_or_default();
        let palette = match meaning {
            Some(PALETTE) => decoder.find_tag_unsigned_vec(Tag::ColorMap)?,
            _ => None,
        };
        // Lab becomes sRGB.
        let profile = match meaning {
            Some(LAB | ICC_LAB) => None,
            _ => decoder.get_tag_u8_vec(Tag::IccProfile).ok(),
        };
        let orientation: Option<u8> = decoder.find_tag_unsigned(Tag::Orientation).ok().flatten();
        let orientation = orientation.and_then(Orientation::from_exif);
        let kind: Option<u32> = decoder
            .find_tag_unsigned(Tag::NewSubfileType)
            .ok()
            .flatten();
        Ok(Self {
            stands_alone: kind.unwrap_or_default() & (SMALLER_VERSION | MASK) == 0,
            width,
            height,
            colours,
            meaning,
            has_associated_alpha: extra.first() == Some(&ASSOCIATED_ALPHA),
            has_grey_alpha: matches!(extra.as_slice(), [1 | 2]),
            orientation: orientation.unwrap_or(Orientation::NoTransforms),
            profile,
            palette: palette.unwrap_or_default(),
        })
    }

    /// The memory for it, in bytes.
    fn len(&self) -> u64 {
        let channels = u64::from(self.colours.num_samples()).max(4);
        let bits = u64::from(self.colours.bit_depth().max(8));
        let pixels = u64::from(self.width) * u64::from(self.height);
        pixels.saturating_mul(channels * bits / 8)
    }

    /// Reads the image in its proper orientation, or returns why it can't be shown.
    fn read(
        &self,
        decoder: &mut Decoder<impl BufRead + Seek>,
    ) -> Result<Result<DynamicImage, &'static str>, TiffError> {
        let planes: Option<u16> = decoder.find_tag_unsigned(Tag::PlanarConfiguration)?;
        if decoder.get_chunk_type() == ChunkType::Tile
            && planes == Some(PlanarConfiguration::Planar.to_u16())
        {
            // The decoder panics.
            return Ok(Err("it has tiles for each colour, which are not supported"));
        }
        let mut samples = DecodingResult::U8(Vec::new());
        let layout = decoder.read_image_to_buffer(&mut samples)?;
        Ok(self.image(samples, &layout).map(|mut image| {
            image.apply_orientation(self.orientation);
            image
        }))
    }

    /// The image of these samples, or why there is none.
    fn image(
        &self,
        samples: DecodingResult,
        layout: &BufferLayoutPreference,
    ) -> Result<DynamicImage, &'static str> {
        match samples {
            DecodingResult::U8(samples) if self.colours.bit_depth() < 8 => {
                self.of_bits(&samples, layout)
            }
            DecodingResult::U8(samples) => self.of_samples(interleaved(samples, layout)),
            DecodingResult::U16(samples) => self.of_samples(interleaved(samples, layout)),
            DecodingResult::U32(samples) => {
                let high = |sample: u32| u16::try_from(sample >> 16).unwrap_or(u16::MAX);
                let samples = samples.into_iter().map(high).collect();
                self.of_samples(interleaved(samples, layout))
            }
            DecodingResult::F16(samples) => {
                let samples = samples.into_iter().map(f32::from).collect();
                self.of_samples(interleaved(samples, layout))
            }
            DecodingResult::F32(samples) => self.of_samples(interleaved(samples, layout)),
            _ => Err("its kind of numbers is not supported"),
        }
    }

    /// Several samples a byte, each row in bytes of its own.
    fn of_bits(
        &self,
        bytes: &[u8],
        layout: &BufferLayoutPreference,
    ) -> Result<DynamicImage, &'static str> {
        let bits = self.colours.bit_depth();
        let row = layout.row_stride.map_or(1, std::num::NonZero::get);
        let is_one_channel = matches!(self.colours, ColorType::Gray(_));
        if !matches!(bits, 1 | 2 | 4) || layout.planes > 1 || !is_one_channel {
            return Err("its number of bits a colour is not supported");
        }
        let most = u8::MAX >> (8 - bits);
        let scale = match self.meaning {
            Some(PALETTE) => 1,
            _ => u8::MAX / most,
        };
        let samples = bytes.chunks(row).flat_map(|row| {
            let samples = row.iter().flat_map(|byte| {
                let shifts = (0..8 / bits).rev();
                shifts.map(move |shift| ((byte >> (shift * bits)) & most) * scale)
            });
            samples.take(self.width as usize)
        });
        self.of_samples(samples.collect())
    }

    fn of_samples<T: Sample>(&self, samples: Vec<T>) -> Result<DynamicImage, &'static str> {
        let pixels = self.width as usize * self.height as usize;
        let channels = samples.len() / pixels.max(1);
        let short = "it has fewer pixels than it says";
        let rgb = |samples| T::rgb(self.width, self.height, samples).ok_or(short);
        match self.meaning {
            Some(PALETTE) if channels == 1 || channels == 2 && self.has_grey_alpha => {
                return self.of_palette(&samples, channels);
            }
            Some(LAB) if channels == 3 => {
                let colours = samples.as_chunks().0.iter();
                return rgb(colours.flat_map(|&it| T::of_lab(it, Signs::Both)).collect());
            }
            Some(ICC_LAB) if channels == 3 => {
                let colours = samples.as_chunks().0.iter();
                return rgb(colours.flat_map(|&it| T::of_lab(it, Signs::Plus)).collect());
            }
            Some(PALETTE | LAB | ICC_LAB) => {
                return Err("its kind of colours is not supported");
            }
            _ => {}
        }
        match self.colours {
            ColorType::Gray(_) if channels == 1 => {
                T::grey(self.width, self.height, samples).ok_or(short)
            }
            ColorType::GrayA(_) | ColorType::Multiband { num_samples: 2, .. }
                if channels == 2 && self.has_grey_alpha =>
            {
                let colours = samples.as_chunks().0.iter();
                let colours = colours.flat_map(|&[grey, alpha]| [grey, grey, grey, alpha]);
                self.rgba(colours.collect()).ok_or(short)
            }
            ColorType::RGB(_) if channels == 3 => rgb(samples),
            ColorType::RGBA(_) if channels == 4 => self.rgba(samples).ok_or(short),
            ColorType::CMYK(_) if channels == 4 => {
                let inks = samples.as_chunks().0.iter();
                rgb(inks.flat_map(|&ink| T::of_inks(ink)).collect())
            }
            ColorType::CMYKA(_) if channels == 5 => {
                let inks = samples.as_chunks().0.iter();
                let colours = inks.flat_map(|&[cyan, magenta, yellow, key, alpha]| {
                    let [red, green, blue] = T::of_inks([cyan, magenta, yellow, key]);
                    [red, green, blue, alpha]
                });
                self.rgba(colours.collect()).ok_or(short)
            }
            ColorType::YCbCr(_) if channels == 3 => {
                let colours = samples.as_chunks().0.iter();
                rgb(colours.flat_map(|&it| T::of_luma(it)).collect())
            }
            _ => Err("its kind of colours is not supported"),
        }
    }

    fn rgba<T: Sample>(&self, mut samples: Vec<T>) -> Option<DynamicImage> {
        if self.has_associated_alpha {
            for [colours @ .., alpha] in samples.as_chunks_mut::<4>().0 {
                for colour in colours {
                    *colour = colour.without(*alpha);
                }
            }
        }
        T::rgba(self.width, self.height, samples)
    }

    /// The colours of indexes, each with its alpha if there are two channels.
    fn of_palette<T: Sample>(
        &self,
        samples: &[T],
        channels: usize,
    ) -> Result<DynamicImage, &'static str> {
        let (reds, rest) = self.palette.split_at(self.palette.len() / 3);
        let (greens, blues) = rest.split_at(rest.len() / 2);
        let max = T::of_share(1.0);
        let colour = |pixel: &[T]| {
            let (index, alpha) = pixel.split_first()?;
            let part = |values: &[u16]| {
                let value = values.get(index.index())?;
                Some(T::of_share(f32::from(*value) / f32::from(u16::MAX)))
            };
            let alpha = alpha.first().copied().unwrap_or(max);
            Some([part(reds)?, part(greens)?, part(blues)?, alpha])
        };
        let colours: Option<Vec<[T; 4]>> = samples.chunks_exact(channels).map(colour).collect();
        let colours = colours.ok_or("it has fewer colours than it says")?;
        let image = if channels == 2 {
            self.rgba(colours.into_flattened())
        } else {
            let colours = colours
                .iter()
                .flat_map(|&[red, green, blue, _]| [red, green, blue]);
            T::rgb(self.width, self.height, colours.collect())
        };
        image.ok_or("it has fewer pixels than it says")
    }
}

/// The samples pixel by pixel: a file may have one plane a colour.
fn interleaved<T: Copy>(samples: Vec<T>, layout: &BufferLayoutPreference) -> Vec<T> {
    if layout.planes < 2 {
        return samples;
    }
    let len = samples.len() / layout.planes;
    let planes: Vec<&[T]> = samples.chunks_exact(len.max(1)).collect();
    (0..len)
        .flat_map(|pixel| planes.iter().map(move |plane| plane[pixel]))
        .collect()
}
