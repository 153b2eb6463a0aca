//! Animations and pages.

use std::fs::{self, File};
use std::io::{BufReader, Cursor};
use std::path::{Path, PathBuf};

use image::codecs::gif::{GifDecoder, GifEncoder, Repeat};
use image::codecs::png::PngDecoder;
use image::{AnimationDecoder, Delay, Frame, Rgba, RgbaImage};
use meanwhile::jobs::images::{Format, Options, Size};
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
