//! TIFFs: profiles, alpha, kinds of samples.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::{ImageDecoder as _, ImageReader};
use meanwhile::jobs::images::{Format, Options};
use tiff::encoder::colortype::{self, ColorType};
use tiff::encoder::{TiffEncoder, TiffValue};
use tiff::tags::Tag;

use super::{error_of, run_one, to};
use crate::util::files::{folder, write};

/// A TIFF of these samples, with these tags.
fn tiff<C>(
    folder: &Path,
    (width, height): (u32, u32),
    samples: &[C::Inner],
    tags: &[(Tag, &[u16])],
    profile: Option<&[u8]>,
) -> PathBuf
where
    C: ColorType,
    [C::Inner]: TiffValue,
{
    let mut bytes = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut bytes).unwrap();
    let mut image = encoder.new_image::<C>(width, height).unwrap();
    for (tag, values) in tags {
        image.encoder().write_tag(*tag, *values).unwrap();
    }
    if let Some(profile) = profile {
        image.encoder().write_tag(Tag::IccProfile, profile).unwrap();
    }
    image.write_data(samples).unwrap();
    write(folder, "in.tif", bytes.into_inner())
}

fn as_png(folder: &Path) -> Options {
    Options {
        format: Format::Png,
        ..to(folder)
    }
}

#[test]
fn compression_that_can_not_be_read_is_named() {
    let folder = folder();
    let samples = vec![9; 3 * 4 * 4];
    let input = tiff::<colortype::RGB8>(folder.path(), (4, 4), &samples, &[], None);
    let mut bytes = fs::read(&input).unwrap();
    // The entry with the compression: its number, the type, one value.
    let entry = [0x03, 0x01, 3, 0, 1, 0, 0, 0];
    let at = bytes.windows(8).position(|part| part == entry).unwrap() + 8;
    for (number, name) in [(50_000_u16, "ZSTD"), (34_925, "LZMA"), (777, "number 777")] {
        bytes[at..at + 2].copy_from_slice(&number.to_le_bytes());
        fs::write(&input, &bytes).unwrap();
        let error = error_of(&to(folder.path()), &input);
        let path = input.display();
        let why =
            format!("its compression {name} is not supported; save it with LZW, Deflate or none");
        assert_eq!(error, format!("{path} can't be read as an image: {why}."));
    }
}

#[test]
fn tiff_of_any_size_keeps_its_profile() {
    for (side, len) in [(1, 580), (60, 580), (60, 3_000_000), (400, 500_000)] {
        let folder = folder();
        let mut profile = vec![7; len];
        profile[16..20].copy_from_slice(b"RGB ");
        let samples = vec![9; (3 * side * side) as usize];
        let size = (side, side);
        let input = tiff::<colortype::RGB8>(folder.path(), size, &samples, &[], Some(&profile));
        let output = run_one(&as_png(folder.path()), &input);
        let reader = ImageReader::open(output).unwrap();
        let kept = reader.into_decoder().unwrap().icc_profile().unwrap();
        assert!(kept == Some(profile), "{len} bytes, {side} pixels");
    }
}

#[test]
fn associated_alpha_is_divided_out() {
    let folder = folder();
    let (colour, alpha) = ([160, 100, 32], 110);
    let dark = colour.map(|value: u32| u8::try_from(value * 110 / 255).unwrap());
    for (kind, expected) in [(1, colour), (2, dark.map(u32::from))] {
        let samples = [dark[0], dark[1], dark[2], alpha];
        let tags: [(Tag, &[u16]); 1] = [(Tag::ExtraSamples, &[kind])];
        let input = tiff::<colortype::RGBA8>(folder.path(), (1, 1), &samples, &tags, None);
        let output = run_one(&as_png(folder.path()), &input);
        let pixel = image::open(&output).unwrap().to_rgba8().get_pixel(0, 0).0;
        let differences = expected
            .iter()
            .zip(pixel)
            .map(|(&a, b)| a.abs_diff(b.into()));
        assert!(differences.max() <= Some(2), "{kind}: {pixel:?}");
        assert_eq!(pixel[3], alpha);
        fs::remove_file(output).unwrap();
    }
}

#[test]
fn fractions_and_inks_are_read() {
    let folder = folder();
    let path = folder.path();
    let pixel = |input: &Path| {
        let output = run_one(&as_png(path), input);
        let pixel = image::open(&output).unwrap().to_rgb8().get_pixel(0, 0).0;
        fs::remove_file(output).unwrap();
        pixel
    };
    let grey = tiff::<colortype::Gray32Float>(path, (1, 1), &[0.2], &[], None);
    assert_eq!(pixel(&grey), [51; 3]);
    let inks = [255, 0, 0, 51];
    let inks = tiff::<colortype::CMYK8>(path, (1, 1), &inks, &[], None);
    assert_eq!(pixel(&inks), [0, 204, 204]);
    let wide = tiff::<colortype::RGB32>(path, (1, 1), &[u32::MAX, 0, 1 << 31], &[], None);
    assert_eq!(pixel(&wide), [255, 0, 128]);
}

#[test]
fn palettes_and_lab_are_read() {
    let folder = folder();
    let path = folder.path();
    let pixels = |input: &Path| {
        let output = run_one(&as_png(path), input);
        let pixels = image::open(&output).unwrap().to_rgb8();
        fs::remove_file(output).unwrap();
        pixels.pixels().map(|pixel| pixel.0).collect::<Vec<_>>()
    };
    let mut colours = [0; 768];
    for (place, value) in [(7, 250), (256 + 7, 20), (512 + 7, 3), (9, 1), (256 + 9, 2)] {
        colours[place] = value * 257;
    }
    let tags: [(Tag, &[u16]); 2] = [
        (Tag::PhotometricInterpretation, &[3]),
        (Tag::ColorMap, &colours),
    ];
    let palette = tiff::<colortype::Gray8>(path, (3, 1), &[7, 9, 0], &tags, None);
    assert_eq!(pixels(&palette), [[250, 20, 3], [1, 2, 0], [0, 0, 0]]);

    let near = |pixel: [u8; 3], expected: [u8; 3]| {
        let differences = pixel.iter().zip(expected).map(|(a, b)| a.abs_diff(b));
        assert!(differences.max() <= Some(3), "{pixel:?} for {expected:?}");
    };
    // Red, a grey and white, as lcms converts them.
    let expected = [[255, 0, 0], [119, 119, 119], [255, 255, 255]];
    for (kind, middle) in [(8, 0), (9, 128)] {
        let tags: [(Tag, &[u16]); 1] = [(Tag::PhotometricInterpretation, &[kind])];
        let (red, zero) = ([138, middle + 81, middle + 70], middle);
        let samples = [red, [127, zero, zero], [255, zero, zero]];
        let size = (3, 1);
        let lab = tiff::<colortype::RGB8>(path, size, samples.as_flattened(), &tags, None);
        for (pixel, expected) in pixels(&lab).into_iter().zip(expected) {
            near(pixel, expected);
        }
    }
}
