//! Edits: compared with ImageMagick, and right in every format.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use image::codecs::png::PngEncoder;
use image::{DynamicImage, ImageDecoder as _, ImageEncoder as _, ImageReader, RgbImage};
use meanwhile::jobs::images::{Filter, Flip, Format, IfExists, Options, Rotate, Size};
use rusty_jpeg::{ColorType, Encoder, SamplingFactor};

use super::{error_of, noise, photo, run, run_one, saved_as, to};
use crate::util::files::{folder, write};

/// The pixels that ImageMagick reads, after `arguments`, with three values of 8 bits each.
fn read_by_magick(file: &Path, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new("convert")
        .arg(file)
        .args(arguments)
        .args(["-depth", "8", "rgb:-"])
        .output()
        .expect("ImageMagick is installed");
    assert!(output.status.success(), "{output:?}");
    output.stdout
}

/// The peak signal-to-noise ratio in decibels.
fn likeness(one: &[u8], other: &[u8]) -> f64 {
    assert_eq!(one.len(), other.len());
    let squares = one.iter().zip(other).map(|(&a, &b)| {
        let difference = f64::from(a) - f64::from(b);
        difference * difference
    });
    let mean = squares.sum::<f64>() / one.len() as f64;
    10.0 * (255.0 * 255.0 / mean).log10()
}

#[test]
#[ignore = "needs imagemagick; tests/all.sh runs it"]
fn rotations_match_imagemagick() {
    let folder = folder();
    let input = saved_as(&noise(61, 37), folder.path(), "in.png");
    for (rotate, degrees) in [
        (Rotate::None, "0"),
        (Rotate::Right, "90"),
        (Rotate::UpsideDown, "180"),
        (Rotate::Left, "270"),
    ] {
        for (flip, mirrored) in [
            (Flip::No, &[][..]),
            (Flip::Horizontal, &["-flop"]),
            (Flip::Vertical, &["-flip"]),
        ] {
            let options = Options {
                rotate,
                flip,
                existing: IfExists::Number,
                ..to(folder.path())
            };
            let output = run_one(&options, &input);
            let expected = read_by_magick(&input, &[&["-rotate", degrees], mirrored].concat());
            assert!(
                read_by_magick(&output, &[]) == expected,
                "{rotate:?} {flip:?}"
            );
        }
    }
}

#[test]
#[ignore = "needs imagemagick; tests/all.sh runs it"]
fn lossless_formats_keep_every_pixel() {
    let folder = folder();
    let input = saved_as(&noise(61, 37), folder.path(), "in.png");
    let expected = read_by_magick(&input, &[]);
    for format in [Format::Bmp, Format::Tiff, Format::Webp, Format::Png] {
        let there = Options {
            format,
            to: folder.path().join(format.title()),
            ..Options::default()
        };
        let there = run_one(&there, &input);
        assert!(read_by_magick(&there, &[]) == expected, "{format:?}");
        let back = Options {
            format: Format::Png,
            existing: IfExists::Overwrite,
            ..to(folder.path())
        };
        let back = run_one(&back, &there);
        assert!(read_by_magick(&back, &[]) == expected, "{format:?}");
    }
}

#[test]
fn greyscale_is_rec_709_luma() {
    let folder = folder();
    let image = noise(61, 37);
    let input = saved_as(&image, folder.path(), "in.png");
    let options = Options {
        greyscale: true,
        ..to(folder.path())
    };
    let grey = image::open(run_one(&options, &input)).unwrap().to_luma8();
    for (pixel, luma) in image.to_rgb8().pixels().zip(grey.pixels()) {
        let [red, green, blue] = pixel.0.map(u32::from);
        let expected = (2126 * red + 7152 * green + 722 * blue) / 10_000;
        assert_eq!(u32::from(luma.0[0]), expected);
    }
}

#[test]
#[ignore = "needs imagemagick; tests/all.sh runs it"]
fn greyscale_is_within_one_of_imagemagick() {
    let folder = folder();
    let input = saved_as(&noise(61, 37), folder.path(), "in.png");
    let options = Options {
        greyscale: true,
        ..to(folder.path())
    };
    let grey = image::open(run_one(&options, &input)).unwrap().to_luma8();
    let theirs = read_by_magick(&input, &["-colorspace", "Gray"]);
    let theirs = theirs.as_chunks::<3>().0.iter();
    assert!(
        theirs
            .zip(grey.pixels())
            .all(|(a, b)| a[0].abs_diff(b.0[0]) <= 1)
    );
}

#[test]
#[ignore = "needs imagemagick; tests/all.sh runs it"]
fn resize_is_close_to_imagemagick() {
    let folder = folder();
    let input = saved_as(&photo(640, 480), folder.path(), "in.png");
    let theirs = read_by_magick(&input, &["-filter", "Lanczos", "-resize", "50%"]);
    let [ours, nearest] = [Filter::Lanczos3, Filter::Nearest].map(|filter| {
        let mut options = Options {
            filter,
            existing: IfExists::Number,
            ..to(folder.path())
        };
        options.set_size(Size::Percent(50.0));
        let output = run_one(&options, &input);
        likeness(&read_by_magick(&output, &[]), &theirs)
    });
    assert!(ours > 40.0, "{ours} dB");
    assert!(nearest < ours - 6.0, "{nearest} dB, ours {ours} dB");
}

#[test]
fn sizes_are_as_requested() {
    let folder = folder();
    let input = saved_as(&photo(300, 200), folder.path(), "in.png");
    for (size, expected) in [
        ("50%", (150, 100)),
        ("150x150", (150, 100)),
        ("1000x100", (150, 100)),
        ("1000x1000", (300, 200)),
        ("150x", (150, 100)),
        ("x50", (75, 50)),
        ("900x", (300, 200)),
        ("150x150>", (150, 100)),
        ("30x40!", (30, 40)),
        ("400x10!", (400, 10)),
        ("0.01%", (1, 1)),
    ] {
        let mut options = Options {
            existing: IfExists::Number,
            ..to(folder.path())
        };
        options.set_size(size.parse().unwrap());
        let ends = run(&options, &[&input]);
        let saved = ends[0].as_ref().unwrap();
        assert_eq!((saved.width, saved.height), expected, "{size}");
        let written = image::image_dimensions(&saved.saved_to).unwrap();
        assert_eq!(written, expected);
    }
    for wrong in [
        "", "%", "x", "10", "0x", "10x!", "!", "-1x2", "1x2x3", "10 x 10",
    ] {
        assert!(wrong.parse::<Size>().is_err(), "{wrong}");
    }
}

/// A JPEG with this EXIF orientation.
fn with_orientation(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let mut exif =
        b"\xff\xe1\x00\x22Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
    [&jpeg[..2], &exif, &jpeg[2..]].concat()
}

#[test]
#[ignore = "needs imagemagick; tests/all.sh runs it"]
fn exif_orientation_is_applied() {
    let folder = folder();
    let plain = saved_as(&photo(64, 48), folder.path(), "plain.jpg");
    let plain = fs::read(plain).unwrap();
    for orientation in 1..=8 {
        let turned = with_orientation(&plain, orientation);
        let name = format!("in/{orientation}.jpg");
        let input = write(folder.path(), name, turned);
        let options = Options {
            format: Format::Png,
            ..to(folder.path())
        };
        let output = run_one(&options, &input);
        let expected = read_by_magick(&input, &["-auto-orient"]);
        let likeness = likeness(&read_by_magick(&output, &[]), &expected);
        assert!(likeness > 30.0, "{orientation}: {likeness} dB");
        let is_upright = orientation <= 4;
        let size = image::image_dimensions(&output).unwrap();
        assert_eq!(size == (64, 48), is_upright, "{orientation}");
    }
}

#[test]
fn colour_profile_is_kept_while_it_applies() {
    let folder = folder();
    let mut profile = vec![7; 200];
    profile[16..20].copy_from_slice(b"RGB ");
    let mut png = Vec::new();
    let mut encoder = PngEncoder::new(&mut png);
    encoder.set_icc_profile(profile.clone()).unwrap();
    photo(20, 10).write_with_encoder(encoder).unwrap();
    let input = write(folder.path(), "in.png", png);
    let profile_of = |options: &Options| {
        let reader = ImageReader::open(run_one(options, &input)).unwrap();
        reader.into_decoder().unwrap().icc_profile().unwrap()
    };
    for format in [Format::Png, Format::Jpeg, Format::Webp] {
        let options = Options {
            format,
            ..to(folder.path())
        };
        assert_eq!(profile_of(&options), Some(profile.clone()), "{format:?}");
    }
    let tiff = Options {
        format: Format::Tiff,
        ..to(folder.path())
    };
    let tiff = fs::read(run_one(&tiff, &input)).unwrap();
    assert!(tiff.windows(profile.len()).any(|part| part == profile));
    let options = Options {
        greyscale: true,
        existing: IfExists::Number,
        ..to(folder.path())
    };
    assert_eq!(profile_of(&options), None);
}

#[test]
fn transparent_pixels_are_white_in_a_jpeg() {
    let folder = folder();
    let clear = image::RgbaImage::from_pixel(16, 16, image::Rgba([255, 0, 0, 0]));
    let input = saved_as(&clear.into(), folder.path(), "in.png");
    let options = Options {
        format: Format::Jpeg,
        ..to(folder.path())
    };
    let output = image::open(run_one(&options, &input)).unwrap().to_rgb8();
    assert!(output.pixels().all(|pixel| pixel.0 == [255; 3]));
}

#[test]
fn every_pixel_type_is_written_in_every_format() {
    let folder = folder();
    let photo = photo(24, 16);
    let kinds: [DynamicImage; 10] = [
        photo.to_luma8().into(),
        photo.to_luma_alpha8().into(),
        photo.to_rgb8().into(),
        photo.to_rgba8().into(),
        photo.to_luma16().into(),
        photo.to_luma_alpha16().into(),
        photo.to_rgb16().into(),
        photo.to_rgba16().into(),
        photo.to_rgb32f().into(),
        photo.to_rgba32f().into(),
    ];
    let mut inputs = Vec::new();
    for image in kinds {
        let is_float = matches!(
            image,
            DynamicImage::ImageRgb32F(_) | DynamicImage::ImageRgba32F(_)
        );
        let extension = if is_float { "tiff" } else { "png" };
        let name = format!("{:?}.{extension}", image.color());
        inputs.push(saved_as(&image, folder.path(), &name));
    }
    let inputs: Vec<&Path> = inputs.iter().map(PathBuf::as_path).collect();
    for format in Format::ALL {
        let options = Options {
            format,
            to: folder.path().join("out").join(format.title()),
            ..Options::default()
        };
        for (end, input) in run(&options, &inputs).iter().zip(&inputs) {
            let saved = end.as_ref();
            let saved = saved.unwrap_or_else(|kind| panic!("{input:?} as {format:?}: {kind}"));
            let size = image::image_dimensions(&saved.saved_to).unwrap();
            assert_eq!(size, (24, 16));
        }
    }
}

#[test]
fn jpeg_read_at_a_smaller_size_looks_the_same() {
    let folder = folder();
    let image = photo(1000, 700);
    let jpeg = saved_as(&image, folder.path(), "in.jpg");
    let turned = with_orientation(&fs::read(&jpeg).unwrap(), 6);
    let turned = write(folder.path(), "turned.jpg", turned);
    for (size, expected) in [("20%", (200, 140)), ("10%", (100, 70)), ("100x", (100, 70))] {
        let mut options = Options {
            format: Format::Png,
            existing: IfExists::Overwrite,
            ..to(folder.path())
        };
        options.set_size(size.parse().unwrap());
        let small = image::open(run_one(&options, &jpeg)).unwrap();
        assert_eq!((small.width(), small.height()), expected, "{size}");
        let whole = image::imageops::resize(
            &image.to_rgb8(),
            expected.0,
            expected.1,
            image::imageops::FilterType::Lanczos3,
        );
        let likeness = likeness(small.as_bytes(), &whole);
        assert!(likeness > 28.0, "{size}: {likeness} dB");
        let turned = image::open(run_one(&options, &turned)).unwrap();
        let upright = if size == "100x" {
            (100, 143)
        } else {
            (expected.1, expected.0)
        };
        assert_eq!((turned.width(), turned.height()), upright, "{size}");
    }
}

/// Whatever the resolution of the colours, and though the image ends within a block.
#[test]
fn jpeg_of_any_layout_shrinks_like_the_whole() {
    let folder = folder();
    let image = DynamicImage::from(photo(1003, 701).blur(2.0).to_rgb8());
    let factors = [
        SamplingFactor::R_4_4_4,
        SamplingFactor::R_4_2_2,
        SamplingFactor::R_4_2_0,
        SamplingFactor::R_4_4_0,
        SamplingFactor::R_4_1_1,
        SamplingFactor::R_4_1_0,
    ];
    let kinds = [(false, false), (true, false), (false, true), (true, true)];
    let all = factors
        .iter()
        .flat_map(|&factor| kinds.map(|kind| (factor, kind)));
    for (factor, (is_progressive, is_grey)) in all {
        let mut jpeg = Vec::new();
        let mut encoder = Encoder::new(&mut jpeg, 95);
        encoder.set_sampling_factor(factor);
        encoder.set_progressive(is_progressive);
        encoder.set_restart_interval(7);
        let pixels = if is_grey {
            (image.to_luma8().into_raw(), ColorType::Luma)
        } else {
            (image.to_rgb8().into_raw(), ColorType::Rgb)
        };
        encoder.encode(&pixels.0, 1003, 701, pixels.1).unwrap();
        let jpeg = write(folder.path(), "in.jpg", &jpeg);
        for size in ["50%", "33%", "20%", "101x77!", "10%", "4%"] {
            let mut options = Options {
                format: Format::Png,
                existing: IfExists::Overwrite,
                ..to(folder.path())
            };
            options.set_size(size.parse().unwrap());
            let small = image::open(run_one(&options, &jpeg)).unwrap();
            assert_eq!(small.color().has_color(), !is_grey);
            let (width, height) = (small.width(), small.height());
            let whole = image.to_rgb8();
            let lanczos = image::imageops::FilterType::Lanczos3;
            let whole = image::imageops::resize(&whole, width, height, lanczos);
            let whole = if is_grey {
                DynamicImage::from(whole).to_luma8().into_raw()
            } else {
                whole.into_raw()
            };
            let likeness = likeness(small.as_bytes(), &whole);
            let what = format!("{factor:?}, {is_progressive}, {is_grey}, {size}");
            assert!(likeness > 40.0, "{what}: {likeness} dB");
        }
    }
}

/// Files that `cjpeg` of libjpeg-turbo has written, with `-sample` and `-scans`.
fn of_libjpeg(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/integration/images/jpeg");
    folder.join(name).with_extension("jpg")
}

#[test]
fn jpeg_of_a_rare_layout_is_shown_as_it_is() {
    let folder = folder();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 37 and 217"
    )]
    let wave = |at: u32, period: f64| (127.0 + 90.0 * (f64::from(at) / period).sin()) as u8;
    let image = RgbImage::from_fn(150, 101, |x, y| {
        image::Rgb([wave(x, 23.0), wave(y, 31.0), wave(x + y, 47.0)])
    });
    for name in [
        "finer-colours",
        "scan-a-colour",
        "scan-a-colour-restarts",
        "three-resolutions",
    ] {
        let input = of_libjpeg(name);
        for size in ["100%", "60%", "20%", "150%"] {
            let mut options = Options {
                format: Format::Png,
                existing: IfExists::Overwrite,
                ..to(folder.path())
            };
            options.set_size(size.parse().unwrap());
            let result = image::open(run_one(&options, &input)).unwrap().to_rgb8();
            let (width, height) = result.dimensions();
            let lanczos = image::imageops::FilterType::Lanczos3;
            let whole = image::imageops::resize(&image, width, height, lanczos);
            let likeness = likeness(&result, &whole);
            assert!(likeness > 35.0, "{name}, {size}: {likeness} dB");
        }
    }
    let unknown = of_libjpeg("three-resolutions-scan-a-colour");
    let why = "it is damaged, or the layout of its colours is not supported";
    assert_eq!(
        error_of(&to(folder.path()), &unknown),
        format!("{} can't be read as an image: {why}.", unknown.display())
    );
}

#[test]
fn palette_of_a_png_that_is_turned_stays() {
    let folder = folder();
    let palette: Vec<u8> = vec![255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9];
    let mut info = png::Info::with_size(5, 3);
    info.color_type = png::ColorType::Indexed;
    info.bit_depth = png::BitDepth::Two;
    info.palette = Some(palette.clone().into());
    info.trns = Some(vec![255, 255, 100].into());
    let mut bytes = Vec::new();
    let encoder = png::Encoder::with_info(&mut bytes, info).unwrap();
    let mut writer = encoder.write_header().unwrap();
    let rows = [
        [0b00_01_10_11, 0],
        [0b11_10_01_00, 0b01_000000],
        [0b10_10_10_00, 0b11_000000],
    ];
    writer.write_image_data(rows.as_flattened()).unwrap();
    writer.finish().unwrap();
    let input = write(folder.path(), "in.png", bytes);
    for (rotate, flip) in [(Rotate::None, Flip::No), (Rotate::Right, Flip::Horizontal)] {
        let options = Options {
            rotate,
            flip,
            existing: IfExists::Overwrite,
            ..to(folder.path())
        };
        let output = run_one(&options, &input);
        let mut expected = image::open(&input).unwrap();
        if rotate == Rotate::Right {
            expected = expected.rotate90().fliph();
        }
        assert_eq!(image::open(&output).unwrap(), expected);
        let reader = std::io::BufReader::new(fs::File::open(&output).unwrap());
        let reader = png::Decoder::new(reader).read_info().unwrap();
        assert_eq!(reader.info().color_type, png::ColorType::Indexed);
        assert_eq!(reader.info().bit_depth, png::BitDepth::Two);
        assert_eq!(reader.info().palette.as_deref(), Some(&palette[..]));
    }
}
