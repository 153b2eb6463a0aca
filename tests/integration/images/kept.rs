//! What results keep of their images beside the pixels: dates, EXIF data, colours.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use image::codecs::png::PngEncoder;
use image::{DynamicImage, ImageDecoder as _, ImageEncoder as _, ImageReader, RgbImage};
use meanwhile::jobs::images::{Format, IfExists, Options};
use moxcms::ColorProfile;

use super::{photo, run, run_one, saved_as, to};
use crate::util::files::{folder, write};

#[test]
fn result_has_the_date_of_its_image() {
    let folder = folder();
    let input = saved_as(&photo(8, 8), folder.path(), "in.png");
    let date = SystemTime::UNIX_EPOCH + Duration::from_secs(1_557_126_489);
    File::options()
        .write(true)
        .open(&input)
        .unwrap()
        .set_modified(date)
        .unwrap();
    for keep_dates in [true, false] {
        let options = Options {
            keep_dates,
            existing: IfExists::Overwrite,
            ..to(folder.path())
        };
        let saved = fs::metadata(run_one(&options, &input)).unwrap();
        assert_eq!(saved.modified().unwrap() == date, keep_dates);
    }
}

/// EXIF data with an orientation: turned to the right.
const EXIF: &[u8] = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";

#[test]
fn exif_data_is_kept_on_request_and_upright() {
    let folder = folder();
    let mut png = Vec::new();
    let mut encoder = PngEncoder::new(&mut png);
    encoder.set_exif_metadata(EXIF.to_vec()).unwrap();
    photo(20, 10).write_with_encoder(encoder).unwrap();
    let input = write(folder.path(), "in.png", png);
    for format in [Format::Png, Format::Jpeg, Format::Webp] {
        for keep_exif in [true, false] {
            let options = Options {
                format,
                keep_exif,
                existing: IfExists::Overwrite,
                ..to(folder.path())
            };
            let output = run_one(&options, &input);
            assert_eq!(image::image_dimensions(&output).unwrap(), (10, 20));
            let reader = ImageReader::open(output).unwrap();
            let exif = reader.into_decoder().unwrap().exif_metadata().unwrap();
            assert_eq!(exif.is_some(), keep_exif, "{format:?}");
            let mut upright = EXIF.to_vec();
            upright[18] = 1;
            assert!(exif.is_none_or(|exif| exif == upright), "{format:?}");
        }
    }
    let options = Options {
        format: Format::Bmp,
        keep_exif: true,
        ..to(folder.path())
    };
    let ends = run(&options, &[&input]);
    let remarks = &ends[0].as_ref().unwrap().remarks;
    assert_eq!(
        *remarks,
        ["its EXIF data is not kept: the format has no place for it"]
    );
}

#[test]
fn exif_data_that_is_too_long_for_a_jpeg_is_left_out() {
    let folder = folder();
    // With the name of EXIF data, a segment of a JPEG has 65 533 bytes.
    for (len, is_kept) in [(65_527, true), (65_528, false), (70_000, false)] {
        let mut exif = EXIF.to_vec();
        exif.resize(len, 0);
        let mut png = Vec::new();
        let mut encoder = PngEncoder::new(&mut png);
        encoder.set_exif_metadata(exif).unwrap();
        photo(20, 10).write_with_encoder(encoder).unwrap();
        let input = write(folder.path(), format!("{len}.png"), png);
        let options = Options {
            format: Format::Jpeg,
            keep_exif: true,
            ..to(folder.path())
        };
        let ends = run(&options, &[&input]);
        let saved = ends[0].as_ref().unwrap();
        assert_eq!(saved.remarks.is_empty(), is_kept, "{len}");
        let reader = ImageReader::open(&saved.saved_to).unwrap();
        let mut decoder = reader.into_decoder().unwrap();
        let exif = decoder.exif_metadata().unwrap();
        assert_eq!(exif.map(|exif| exif.len()), is_kept.then_some(len));
        assert_eq!(decoder.dimensions(), (10, 20), "{len}");
        image::open(&saved.saved_to).unwrap();
    }
}

#[test]
fn colours_become_srgb_where_no_profile_fits() {
    let folder = folder();
    let profile = ColorProfile::new_display_p3().encode().unwrap();
    let red = RgbImage::from_pixel(8, 8, image::Rgb([200, 40, 40]));
    let mut png = Vec::new();
    let mut encoder = PngEncoder::new(&mut png);
    encoder.set_icc_profile(profile).unwrap();
    DynamicImage::from(red).write_with_encoder(encoder).unwrap();
    let input = write(folder.path(), "in.png", png);
    let colour = |format| {
        let options = Options {
            format,
            ..to(folder.path())
        };
        let image = image::open(run_one(&options, &input)).unwrap();
        image.to_rgb8().get_pixel(0, 0).0
    };
    assert_eq!(colour(Format::Png), [200, 40, 40]);
    // As lcms converts it.
    let [red, green, blue] = colour(Format::Bmp);
    assert!(red.abs_diff(218) <= 2, "{red}");
    assert!(green < 20 && blue.abs_diff(31) <= 6, "{green} {blue}");
}
