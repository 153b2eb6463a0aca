//! Reads JPEG XL. The decoder turns an image itself, and takes one that was cut off for a smaller one.

use std::io::{self, Read};
use std::time::Duration;

use brotli_decompressor::Decompressor;
use image::{Delay, DynamicImage, ImageFormat};
use jxl_bitstream::container::ContainerBoxType;
use jxl_bitstream::{ContainerParser, ParseEvent};
use jxl_oxide::image::{BitDepth, ExtraChannelInfo, ImageMetadata};
use jxl_oxide::{
    AllocTracker, EnumColourEncoding, ExtraChannelType, FrameBufferSample, InitializeResult,
    JxlImage, JxlThreadPool, Render, RenderingIntent,
};

use super::animation::keeps_frames;
use super::error::ImageError;
use super::read::{Frame, LeftOut, Picture, Source};
use super::sample::Sample;
use crate::jobs::checksum::ChecksumError;

/// The begins of a file: of the image alone, and of one in boxes.
const BEGINS: [&[u8]; 2] = [&[0xff, 0x0a], b"\0\0\0\x0cJXL \r\n\x87\n"];

/// The code of sRGB, which is meant where there is no profile.
const SRGB: [u8; 4] = [1, 13, 0, 1];

/// The duration of a frame that is a page.
const PAGE: u32 = u32::MAX;

/// The rows that are converted at once.
const ROWS: usize = 64;

const CUT: &str = "its end is missing";

/// Whether a file with this begin is a JPEG XL.
pub(super) fn is_jxl(begin: &[u8]) -> bool {
    BEGINS.iter().any(|it| begin.starts_with(it))
}

pub(super) fn read(source: &Source<'_>, mut file: impl Read) -> Result<Picture, ImageError> {
    let mut bytes = Vec::new();
    let read = file.read_to_end(&mut bytes);
    read.map_err(|error| ChecksumError::from_io(source.path, error))?;
    let parts = Parts::of(&bytes).map_err(|error| source.undecodable(&error))?;
    drop(bytes);
    source.context.checkpoint();
    let mut image = load(source, &parts.image)?;
    let has_exif = parts.exif.is_some();
    let is_cut = parts.is_cut || !image.is_loading_done();
    let mut picture = Picture {
        damage: is_cut.then(|| CUT.to_owned()),
        exif: parts.exif(source),
        ..Picture::default()
    };
    if has_exif && picture.exif.is_none() && source.options.keep_exif {
        picture.lost.push("its EXIF data can't be read".to_owned());
    }
    fit_colours(&mut image, &mut picture);
    picture.lost.extend(lost_channels(&image));
    read_frames(source, &mut image, &mut picture)?;
    Ok(picture)
}

/// The parts of a file.
#[derive(Default)]
struct Parts {
    image: Vec<u8>,
    /// The EXIF data, and whether it is compressed.
    exif: Option<(Vec<u8>, bool)>,
    /// Whether it ends within a box.
    is_cut: bool,
}

impl Parts {
    fn of(mut bytes: &[u8]) -> Result<Self, jxl_bitstream::Error> {
        let mut parts = Self::default();
        let mut parser = ContainerParser::new();
        loop {
            for event in parser.feed_bytes(bytes) {
                match event? {
                    ParseEvent::Codestream(part) => parts.image.extend_from_slice(part),
                    ParseEvent::AuxBoxStart {
                        ty: ContainerBoxType::EXIF,
                        brotli_compressed,
                        last_box,
                    } => {
                        parts.exif = Some((Vec::new(), brotli_compressed));
                        parts.is_cut = !last_box;
                    }
                    // The last box may go on to the end of the file.
                    ParseEvent::AuxBoxStart { last_box, .. } => parts.is_cut = !last_box,
                    ParseEvent::AuxBoxEnd(_) => parts.is_cut = false,
                    ParseEvent::AuxBoxData(ContainerBoxType::EXIF, part) => {
                        let (exif, _) = parts.exif.get_or_insert_default();
                        exif.extend_from_slice(part);
                    }
                    _ => {}
                }
            }
            let consumed = parser.previous_consumed_bytes();
            bytes = bytes.get(consumed..).unwrap_or_default();
            if consumed == 0 || bytes.is_empty() {
                parts.is_cut |= !bytes.is_empty();
                return Ok(parts);
            }
        }
    }

    /// The EXIF data from the begin of its TIFF header; `None` if it can't be read, or grows too large.
    fn exif(self, source: &Source<'_>) -> Option<Vec<u8>> {
        let (mut exif, is_compressed) = self.exif?;
        if is_compressed {
            exif = uncompressed(&exif, source.max_alloc()).ok()??;
        }
        let (&offset, rest) = exif.split_first_chunk()?;
        let offset = usize::try_from(u32::from_be_bytes(offset)).ok()?;
        rest.get(offset..).map(<[u8]>::to_vec)
    }
}

/// `None` if it has more bytes than this.
fn uncompressed(bytes: &[u8], most: u64) -> io::Result<Option<Vec<u8>>> {
    let mut all = Vec::new();
    let mut reader = Decompressor::new(bytes, 4096).take(most + 1);
    reader.read_to_end(&mut all)?;
    Ok((all.len() as u64 <= most).then_some(all))
}

/// The image, of which nothing is rendered yet. It is read by this thread alone.
fn load(source: &Source<'_>, bytes: &[u8]) -> Result<JxlImage, ImageError> {
    let limit = usize::try_from(source.max_alloc()).unwrap_or(usize::MAX);
    let mut reader = JxlImage::builder()
        .pool(JxlThreadPool::none())
        .alloc_tracker(AllocTracker::with_limit(limit))
        .build_uninit();
    reader
        .feed_bytes(bytes)
        .map_err(|error| failed(source, &*error))?;
    match reader.try_init().map_err(|error| failed(source, &*error))? {
        InitializeResult::Initialized(image) => {
            let channels = image.pixel_format().channels() as u64;
            let pixels = u64::from(image.width()) * u64::from(image.height());
            let len = pixels.saturating_mul(channels * size_of::<f32>() as u64);
            source.check_size(image.width(), image.height(), len)?;
            Ok(image)
        }
        InitializeResult::NeedMoreData(_) => Err(source.undecodable(&CUT)),
    }
}

fn failed(source: &Source<'_>, error: &(dyn std::error::Error + 'static)) -> ImageError {
    let mut cause = Some(error);
    while let Some(it) = cause {
        if it.is::<jxl_grid::OutOfMemory>() {
            return source.too_much_memory();
        }
        cause = it.source();
    }
    source.undecodable(&error)
}

/// Chooses the colours to render: those of the file, or sRGB if images have no place for them.
fn fit_colours(image: &mut JxlImage, picture: &mut Picture) {
    let is_bright = image.hdr_type().is_some();
    if is_bright || image.pixel_format().has_black() {
        let intent = RenderingIntent::Relative;
        image.request_color_encoding(if image.pixel_format().is_grayscale() {
            EnumColourEncoding::gray_srgb(intent)
        } else {
            EnumColourEncoding::srgb(intent)
        });
    }
    if is_bright {
        let lost = "its high dynamic range is not kept";
        picture.lost.push(lost.to_owned());
    }
    let is_srgb = image.rendered_cicp() == Some(SRGB);
    picture.profile = (!is_srgb).then(|| image.rendered_icc());
}

fn lost_channels(image: &JxlImage) -> Option<String> {
    let mut alphas = 0;
    let channels = &image.image_header().metadata.ec_info;
    let mut is_lost = |kind: &ExtraChannelType| match kind {
        ExtraChannelType::Alpha { .. } => {
            alphas += 1;
            alphas > 1
        }
        // The decoder mixes them into the colours.
        ExtraChannelType::SpotColour { .. } | ExtraChannelType::Black => false,
        _ => true,
    };
    let lost = channels.iter().filter(|channel| is_lost(&channel.ty));
    (lost.count() > 0)
        .then(|| "its channels beside colours and transparency are not kept".to_owned())
}

/// The frames that the result has a place for.
fn read_frames(
    source: &Source<'_>,
    image: &mut JxlImage,
    picture: &mut Picture,
) -> Result<(), ImageError> {
    let render_failed = |error: Box<dyn std::error::Error + Send + Sync>| failed(source, &*error);
    if image.num_loaded_keyframes() == 0 {
        let render = image.render_loading_frame();
        let render = render.map_err(|_too_little| source.undecodable(&CUT))?;
        picture.frames.push(frame(source, image, &render)?);
        return Ok(());
    }
    let animation = image.image_header().metadata.animation.as_ref();
    picture.plays = animation.map_or(0, |animation| animation.num_loops);
    let mut bytes = 0;
    for number in 0..image.num_loaded_keyframes() {
        source.context.checkpoint();
        let duration = image
            .frame_header(number)
            .map_or(0, |header| header.duration);
        let is_page = duration == PAGE;
        let keeps = if is_page {
            source.format == ImageFormat::Tiff
        } else {
            keeps_frames(source.format)
        };
        if number > 0 && !keeps {
            picture.left_out = Some(if is_page {
                LeftOut::Pages
            } else {
                LeftOut::Frames
            });
            break;
        }
        let render = image.render_frame(number).map_err(render_failed)?;
        let frame = frame(source, image, &render)?;
        bytes += frame.image.as_bytes().len() as u64;
        source.check_size(frame.image.width(), frame.image.height(), bytes)?;
        picture.frames.push(frame);
    }
    Ok(())
}

fn frame(source: &Source<'_>, image: &JxlImage, render: &Render) -> Result<Frame, ImageError> {
    let metadata = &image.image_header().metadata;
    let is_grey = image.pixel_format().is_grayscale();
    let pixels = match metadata.bit_depth {
        BitDepth::IntegerSample { bits_per_sample } if bits_per_sample <= 8 => {
            pixels::<u8>(source, metadata, render)
        }
        BitDepth::IntegerSample { bits_per_sample } if bits_per_sample <= 16 => {
            pixels::<u16>(source, metadata, render)
        }
        // There is no grey image of fractions.
        _ if is_grey => pixels::<u16>(source, metadata, render),
        _ => pixels::<f32>(source, metadata, render),
    };
    Ok(Frame {
        image: pixels.ok_or_else(|| source.undecodable(&"its kind of colours is not supported"))?,
        delay: delay(metadata, render.duration()),
    })
}

fn delay(metadata: &ImageMetadata, ticks: u32) -> Delay {
    let Some(animation) = metadata.animation.as_ref().filter(|_| ticks != PAGE) else {
        return Delay::from_numer_denom_ms(0, 1);
    };
    let millis = u64::from(ticks) * 1000 * u64::from(animation.tps_denominator);
    let millis = millis / u64::from(animation.tps_numerator).max(1);
    Delay::from_saturating_duration(Duration::from_millis(millis))
}

/// The image of a frame, in its proper orientation.
fn pixels<T: Sample + FrameBufferSample>(
    source: &Source<'_>,
    metadata: &ImageMetadata,
    render: &Render,
) -> Option<DynamicImage> {
    let mut stream = render.stream();
    let (width, height, channels) = (stream.width(), stream.height(), stream.channels() as usize);
    let row = width as usize * channels;
    let mut samples = vec![T::default(); row * height as usize];
    for rows in samples.chunks_mut((row * ROWS).max(1)) {
        source.context.checkpoint();
        stream.write_to_buffer(rows);
    }
    let alpha = metadata.ec_info.iter().find(|channel| channel.is_alpha());
    let is_multiplied = alpha.and_then(ExtraChannelInfo::alpha_associated) == Some(true);
    if is_multiplied && matches!(channels, 2 | 4) {
        for pixel in samples.chunks_exact_mut(channels) {
            if let Some((alpha, colours)) = pixel.split_last_mut() {
                for colour in colours {
                    *colour = colour.without(*alpha);
                }
            }
        }
    }
    match channels {
        1 => T::grey(width, height, samples),
        2 => T::grey_alpha(width, height, samples),
        3 => T::rgb(width, height, samples),
        4 => T::rgba(width, height, samples),
        _ => None,
    }
}
