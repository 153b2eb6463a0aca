//! Animations and pages.

use std::fs::{self, File};
use std::io::{BufReader, Cursor};
use std::path::{Path, PathBuf};

use clap::ValueEnum as _;
use image::codecs::gif::{GifDecoder, GifEncoder, Repeat};
use image::codecs::png::PngDecoder;
use image::{AnimationDecoder, Delay, DynamicImage, Frame, Rgba, RgbaImage};
use meanwhile::jobs::images::{Flip, Format, IfExists, Options, Rotate, Size};
use tiff::decoder::Decoder;
use tiff::encoder::{TiffEncoder, colortype};

use super::{run, to};
use crate::util::files::{folder, write};

const COLOURS: [[u8; 4]; 3] = [[255, 0, 0, 255], [0, 255, 0, 255], [0, 0, 255, 255]];

/// Three frames of 16 × 8 pixels, one colour each.
fn gif(folder: &Path) -> PathBuf {
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new(&mut bytes);
    encoder.set_repeat(Repeat::Infinite).unwrap();
    for colour in COLOURS {
        let image = RgbaImage::from_pixel(16, 8, Rgba(colour));
        let delay = Delay::from_numer_denom_ms(70, 1);
        let frame = Frame::from_parts(image, 0, 0, delay);
        encoder.encode_frame(frame).unwrap();
    }
    drop(encoder);
    write(folder, "in.gif", bytes)
}

fn pages(folder: &Path) -> PathBuf {
    let mut bytes = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut bytes).unwrap();
    for (grey, side) in [(10, 8), (20, 6), (30, 4)] {
        let samples = vec![grey; (side * side) as usize];
        let written = encoder.write_image::<colortype::Gray8>(side, side, &samples);
        written.unwrap();
    }
    write(folder, "in.tif", bytes.into_inner())
}

fn half(folder: &Path, format: Format) -> Options {
    let mut options = Options {
        format,
        ..to(folder)
    };
    options.set_size(Size::Percent(50.0));
    options
}

/// The size, the colour and the delay of each frame.
fn seen<'a>(decoder: impl AnimationDecoder<'a>) -> Vec<((u32, u32), [u8; 4], u32)> {
    let frames = decoder.into_frames().collect_frames().unwrap();
    let one = |frame: &Frame| {
        let pixels = frame.buffer();
        let (numerator, denominator) = frame.delay().numer_denom_ms();
        let colour = pixels.get_pixel(1, 1).0;
        (pixels.dimensions(), colour, numerator / denominator)
    };
    frames.iter().map(one).collect()
}

#[test]
fn animation_keeps_its_frames_in_gif_and_png() {
    let folder = folder();
    let input = gif(folder.path());
    let expected = COLOURS.map(|colour| ((8, 4), colour, 70));
    for format in [Format::Keep, Format::Png] {
        let ends = run(&half(folder.path(), format), &[&input]);
        let saved = ends[0].as_ref().unwrap();
        assert_eq!((saved.width, saved.height), (8, 4));
        assert_eq!(saved.remarks, [] as [&str; 0]);
        let file = BufReader::new(File::open(&saved.saved_to).unwrap());
        let seen = if format == Format::Png {
            seen(PngDecoder::new(file).unwrap().apng().unwrap())
        } else {
            seen(GifDecoder::new(file).unwrap())
        };
        assert_eq!(seen, expected);
    }
}

#[test]
fn lost_frames_and_pages_are_said() {
    let folder = folder();
    for (input, remark) in [
        (
            gif(folder.path()),
            "only its first frame is saved; a GIF or a PNG has all",
        ),
        (
            pages(folder.path()),
            "only its first page is saved; a TIFF has all",
        ),
    ] {
        let ends = run(&half(folder.path(), Format::Bmp), &[&input]);
        assert_eq!(ends[0].as_ref().unwrap().remarks, [remark]);
        fs::remove_dir_all(folder.path().join("out")).unwrap();
    }
}

#[test]
fn pages_stay_pages_in_a_tiff() {
    let folder = folder();
    let input = pages(folder.path());
    let ends = run(&half(folder.path(), Format::Keep), &[&input]);
    let saved = ends[0].as_ref().unwrap();
    let mut decoder = Decoder::new(File::open(&saved.saved_to).unwrap()).unwrap();
    let mut sizes = vec![decoder.dimensions().unwrap()];
    while decoder.more_images() {
        decoder.next_image().unwrap();
        sizes.push(decoder.dimensions().unwrap());
    }
    assert_eq!(sizes, [(4, 4), (3, 3), (2, 2)]);
}

#[test]
fn cut_animation_is_damaged() {
    let folder = folder();
    let whole = fs::read(gif(folder.path())).unwrap();
    let input = write(folder.path(), "cut.gif", &whole[..whole.len() - 30]);
    let ends = run(&to(folder.path()), &[&input]);
    assert_eq!(ends, [Err("damaged".to_owned())]);
}

/// A GIF of 6 × 4 pixels with a frame of 3 × 2 in its middle, which has colours of its own.
fn gif_of_palettes(folder: &Path, colours: &[u8]) -> PathBuf {
    let mut bytes = Vec::new();
    let mut encoder = gif::Encoder::new(&mut bytes, 6, 4, colours).unwrap();
    encoder.set_repeat(gif::Repeat::Finite(3)).unwrap();
    let whole: Vec<u8> = (0..24).collect();
    let mut frame = gif::Frame::from_indexed_pixels(6, 4, whole, None);
    frame.delay = 5;
    encoder.write_frame(&frame).unwrap();
    let mut frame = gif::Frame::from_palette_pixels(3, 2, vec![0, 1, 2, 2, 1, 0], vec![7; 9], None);
    frame.palette = Some(vec![250, 1, 2, 3, 251, 4, 5, 6, 252]);
    frame.transparent = Some(1);
    frame.dispose = gif::DisposalMethod::Previous;
    (frame.left, frame.top, frame.delay) = (2, 1, 9);
    encoder.write_frame(&frame).unwrap();
    let small = gif::Frame::from_indexed_pixels(1, 1, vec![9], None);
    encoder.write_frame(&small).unwrap();
    drop(encoder);
    write(folder, "in.gif", bytes)
}

fn gif_frames(file: &Path) -> Vec<RgbaImage> {
    let file = BufReader::new(File::open(file).unwrap());
    let frames = GifDecoder::new(file).unwrap().into_frames();
    let frames = frames.collect_frames().unwrap().into_iter();
    frames.map(Frame::into_buffer).collect()
}

#[test]
fn palettes_of_a_gif_that_is_turned_stay() {
    let folder = folder();
    // Neighbours that a search for the best colours would make one.
    let colours: Vec<u8> = (0..72).collect();
    let input = gif_of_palettes(folder.path(), &colours);
    let before = gif_frames(&input);
    for rotate in Rotate::value_variants() {
        for flip in Flip::value_variants() {
            let options = Options {
                rotate: *rotate,
                flip: *flip,
                existing: IfExists::Overwrite,
                ..to(folder.path())
            };
            let ends = run(&options, &[&input]);
            let saved = ends[0].as_ref().unwrap();
            let turned = before.iter().map(|frame| {
                let frame = DynamicImage::from(frame.clone());
                let frame = match rotate {
                    Rotate::None => frame,
                    Rotate::Right => frame.rotate90(),
                    Rotate::UpsideDown => frame.rotate180(),
                    Rotate::Left => frame.rotate270(),
                };
                let frame = match flip {
                    Flip::No => frame,
                    Flip::Horizontal => frame.fliph(),
                    Flip::Vertical => frame.flipv(),
                };
                frame.to_rgba8()
            });
            let turned: Vec<RgbaImage> = turned.collect();
            assert_eq!((saved.width, saved.height), turned[0].dimensions());
            assert_eq!(gif_frames(&saved.saved_to), turned, "{rotate:?} {flip:?}");
            let file = File::open(&saved.saved_to).unwrap();
            let mut decoder = gif::Decoder::new(BufReader::new(file)).unwrap();
            assert_eq!(
                decoder.global_palette().map(|it| &it[..72]),
                Some(&colours[..])
            );
            let mut delays = Vec::new();
            while let Some(frame) = decoder.read_next_frame().unwrap() {
                delays.push(frame.delay);
            }
            assert_eq!(delays, [5, 9, 0]);
            assert_eq!(decoder.repeat(), gif::Repeat::Finite(3));
        }
    }
}

/// An index of a palette has no neighbours to mix with.
#[test]
fn size_that_only_looks_turned_mixes_colours() {
    let folder = folder();
    let gif = gif_of_palettes(folder.path(), &(0..72).collect::<Vec<u8>>());
    let mut png = png::Info::with_size(6, 4);
    png.color_type = png::ColorType::Indexed;
    // Between black and white lies red.
    png.palette = Some(vec![0, 0, 0, 255, 0, 0, 255, 255, 255].into());
    let mut bytes = Vec::new();
    let encoder = png::Encoder::with_info(&mut bytes, png).unwrap();
    let mut writer = encoder.write_header().unwrap();
    writer
        .write_image_data(&[0, 2, 0, 2, 0, 2].repeat(4))
        .unwrap();
    writer.finish().unwrap();
    let png = write(folder.path(), "in.png", bytes);
    let mut options = to(folder.path());
    options.set_size(Size::Exact(4, 6));
    for input in [gif, png] {
        let ends = run(&options, &[&input]);
        let saved = ends[0].as_ref().unwrap();
        assert_eq!((saved.width, saved.height), (4, 6));
        let image = image::open(&saved.saved_to).unwrap().to_rgb8();
        if input.extension() == Some("png".as_ref()) {
            assert!(image.pixels().all(|it| it.0[0] == it.0[1]), "{image:?}");
        }
    }
}
