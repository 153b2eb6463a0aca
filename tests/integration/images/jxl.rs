//! JPEG XL. The files were made by `cjxl` 0.7 and its library.

use std::fs::{self, File};
use std::io::BufReader;

use image::codecs::png::PngDecoder;
use image::{AnimationDecoder as _, DynamicImage, ImageDecoder as _, ImageReader};
use meanwhile::jobs::images::{Damaged, Format, Options, Saved};

use super::{photo, run, run_one, run_with_notes, to};
use crate::util::files::{folder, write};

const LOSSY: &[u8] = include_bytes!("jxl/lossy.jxl");
const ALPHA: &[u8] = include_bytes!("jxl/alpha.jxl");
const PREMULTIPLIED: &[u8] = include_bytes!("jxl/premultiplied.jxl");
const GREY: &[u8] = include_bytes!("jxl/grey.jxl");
/// A JPEG of 20 × 10 pixels, left red and right blue, that is to be turned to the right.
const TURNED: &[u8] = include_bytes!("jxl/turned.jxl");
/// Red, green and blue, for 70 ms each.
const MOVING: &[u8] = include_bytes!("jxl/moving.jxl");
/// With values for a screen of high dynamic range.
const BRIGHT: &[u8] = include_bytes!("jxl/bright.jxl");
const P3: &[u8] = include_bytes!("jxl/p3.jxl");
/// Three pages of 8 × 6 pixels, with the greys 10, 20 and 30.
const PAGES: &[u8] = include_bytes!("jxl/pages.jxl");
/// With a channel for the depth.
const DEPTH: &[u8] = include_bytes!("jxl/depth.jxl");

/// What is saved of a file, and its image.
fn saved(bytes: &[u8], options: impl FnOnce(&mut Options)) -> (Saved, DynamicImage) {
    let folder = folder();
    let input = write(folder.path(), "in.jxl", bytes);
    let mut chosen = to(folder.path());
    options(&mut chosen);
    let [Ok(saved)] = &run(&chosen, &[&input])[..] else {
        panic!("{} has no result", input.display());
    };
    let image = image::open(&saved.saved_to).unwrap();
    (saved.clone(), image)
}

/// The largest difference of two channels.
fn difference(one: &DynamicImage, other: &DynamicImage) -> u8 {
    assert_eq!(one.color(), other.color());
    let values = one.as_bytes().iter().zip(other.as_bytes());
    values
        .map(|(one, other)| one.abs_diff(*other))
        .max()
        .unwrap()
}

#[test]
fn jxl_becomes_a_png_of_its_pixels() {
    let (result, image) = saved(LOSSY, |_| ());
    assert_eq!(result.saved_to.file_name().unwrap(), "in.png");
    assert_eq!(result.remarks, [] as [&str; 0]);
    // It was compressed with losses.
    assert!(difference(&image, &photo(320, 240)) < 60);
    let (_, grey) = saved(GREY, |_| ());
    let DynamicImage::ImageLuma16(grey) = grey else {
        panic!("{:?}", grey.color());
    };
    assert_eq!(grey.into_raw(), [0, 1000, 40_000, 65_535, 257, 300]);
}

#[test]
fn alpha_of_a_jxl_is_kept_or_divided_out() {
    let (_, image) = saved(ALPHA, |_| ());
    let pixel = |image: &DynamicImage, x, y| image.to_rgba8().get_pixel(x, y).0;
    let expected = [
        ((0, 0), [255, 0, 0, 255]),
        ((7, 0), [0, 255, 0, 128]),
        ((0, 5), [0, 0, 255, 64]),
        ((7, 5), [10, 20, 30, 255]),
    ];
    let (_, divided) = saved(PREMULTIPLIED, |_| ());
    for ((x, y), colour) in expected {
        assert_eq!(pixel(&image, x, y), colour);
        let divided = pixel(&divided, x, y);
        let differences = colour.iter().zip(divided).map(|(a, b)| a.abs_diff(b));
        assert!(differences.max() <= Some(2), "{divided:?} for {colour:?}");
    }
}

#[test]
fn jxl_is_turned_once_and_keeps_exif_data() {
    let (result, image) = saved(TURNED, |options| options.keep_exif = true);
    assert_eq!((result.width, result.height), (10, 20));
    let image = image.to_rgb8();
    let [top, bottom] = [2, 17].map(|y| image.get_pixel(5, y).0);
    assert!(top[0] > 150 && top[2] < 100, "{top:?}");
    assert!(bottom[2] > 150 && bottom[0] < 100, "{bottom:?}");

    let folder = folder();
    let input = write(folder.path(), "in.jxl", TURNED);
    let options = Options {
        keep_exif: true,
        ..to(folder.path())
    };
    let reader = ImageReader::open(run_one(&options, &input)).unwrap();
    let exif = reader.into_decoder().unwrap().exif_metadata().unwrap();
    let exif = exif.unwrap();
    assert!(exif.windows(14).any(|part| part == b"Camera Camera "));
    let orientation = image::metadata::Orientation::from_exif_chunk(&exif);
    assert!(orientation.is_none_or(|it| it == image::metadata::Orientation::NoTransforms));
}

#[test]
fn animated_jxl_keeps_its_frames_or_says_so() {
    let folder = folder();
    let input = write(folder.path(), "in.jxl", MOVING);
    let output = run_one(&to(folder.path()), &input);
    let file = BufReader::new(File::open(output).unwrap());
    let frames = PngDecoder::new(file).unwrap().apng().unwrap();
    let frames = frames.into_frames().collect_frames().unwrap();
    let seen = frames.iter().map(|frame| {
        let (numerator, denominator) = frame.delay().numer_denom_ms();
        (frame.buffer().get_pixel(3, 3).0, numerator / denominator)
    });
    let red = ([255, 0, 0, 255], 70);
    let (green, blue) = (([0, 255, 0, 255], 70), ([0, 0, 255, 255], 70));
    assert_eq!(seen.collect::<Vec<_>>(), [red, green, blue]);
    let (result, _) = saved(MOVING, |options| options.format = Format::Jpeg);
    assert_eq!(
        result.remarks,
        ["only its first frame is saved; a GIF or a PNG has all"]
    );
}

#[test]
fn pages_of_a_jxl_stay_pages_in_a_tiff() {
    let folder = folder();
    let input = write(folder.path(), "in.jxl", PAGES);
    let options = Options {
        format: Format::Tiff,
        ..to(folder.path())
    };
    let file = File::open(run_one(&options, &input)).unwrap();
    let mut decoder = tiff::decoder::Decoder::new(file).unwrap();
    let mut greys = Vec::new();
    loop {
        let tiff::decoder::DecodingResult::U8(samples) = decoder.read_image().unwrap() else {
            panic!("the samples have no 8 bits");
        };
        greys.push((samples.len(), samples[0]));
        if !decoder.more_images() {
            break;
        }
        decoder.next_image().unwrap();
    }
    assert_eq!(greys, [(48, 10), (48, 20), (48, 30)]);
    let (result, _) = saved(PAGES, |_| ());
    assert_eq!(
        result.remarks,
        ["only its first page is saved; a TIFF has all"]
    );
}

#[test]
fn lost_channels_of_a_jxl_are_said() {
    let (result, image) = saved(DEPTH, |_| ());
    assert_eq!(image.to_rgb8().get_pixel(3, 3).0, [77; 3]);
    assert_eq!(
        result.remarks,
        ["its channels beside colours and transparency are not kept"]
    );
}

#[test]
fn colours_of_a_jxl_are_kept_or_converted() {
    let folder = folder();
    let input = write(folder.path(), "in.jxl", P3);
    for (format, has_profile) in [(Format::Png, true), (Format::Bmp, false)] {
        let options = Options {
            format,
            ..to(folder.path())
        };
        let output = run_one(&options, &input);
        let mut decoder = ImageReader::open(&output).unwrap().into_decoder().unwrap();
        let profile = decoder.icc_profile().unwrap();
        assert_eq!(profile.is_some(), has_profile, "{format:?}");
        let is_same = image::open(output).unwrap().to_rgb8() == photo(64, 48).to_rgb8();
        assert_eq!(is_same, has_profile, "{format:?}");
    }
    let (result, _) = saved(BRIGHT, |_| ());
    assert_eq!(result.remarks, ["its high dynamic range is not kept"]);
}

#[test]
fn cut_jxl_is_an_error_wherever_it_ends() {
    let folder = folder();
    let options = to(folder.path());
    let files = [LOSSY, ALPHA, GREY, TURNED, MOVING, BRIGHT, P3, PAGES, DEPTH];
    for (number, whole) in files.into_iter().enumerate() {
        for tenth in 1..10 {
            let cut = &whole[..whole.len() * tenth / 10];
            let input = write(folder.path(), format!("{number}-{tenth}.jxl"), cut);
            let ends = run(&options, &[&input]);
            let [Err(kind)] = &ends[..] else {
                panic!("{}: {ends:?}", input.display());
            };
            let kinds = ["damaged", "undecodable", "not_an_image"];
            assert!(kinds.contains(&&**kind), "{}: {kind}", input.display());
        }
    }
    assert_eq!(fs::read_dir(&options.to).unwrap().count(), 0);
}

#[test]
fn cut_jxl_is_kept_on_request() {
    let (result, image) = saved(&LOSSY[..LOSSY.len() * 9 / 10], |options| {
        options.damaged = Damaged::Keep;
    });
    assert_eq!((image.width(), image.height()), (320, 240));
    assert_eq!(result.remarks, ["it is damaged: its end is missing"]);
    let (result, _) = saved(&MOVING[..MOVING.len() - 10], |options| {
        options.damaged = Damaged::Keep;
    });
    assert_eq!(result.remarks, ["it is damaged: its end is missing"]);
}

#[test]
fn jxl_with_too_many_pixels_is_refused() {
    let folder = folder();
    let input = write(folder.path(), "in.jxl", LOSSY);
    let options = Options {
        max_megapixels: 0,
        ..to(folder.path())
    };
    assert_eq!(run(&options, &[&input]), [Err("too_large".to_owned())]);
}

#[test]
fn folder_with_jxl_files_is_walked() {
    let folder = folder();
    let images = folder.path().join("images");
    fs::create_dir(&images).unwrap();
    write(&images, "one.jxl", ALPHA);
    write(&images, "TWO.JXL", ALPHA);
    let (ends, notes) =
        run_with_notes(meanwhile::jobs::RunOn::Pool, &to(folder.path()), &[&images]);
    assert!(matches!(&ends[..], [Ok(_), Ok(_)]), "{ends:?}");
    assert_eq!(notes, [] as [&str; 0]);
}
