//! The job that edits images: beside ImageMagick, and against everything that is no image.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use image::codecs::png::PngEncoder;
use image::{
    DynamicImage, ImageDecoder as _, ImageEncoder as _, ImageFormat, ImageReader, RgbImage,
};
use meanwhile::jobs::images::{
    Existing, Filter, Flip, Format, Options, Resize, Rotate, Saved, Size,
};
use meanwhile::jobs::{self, Item, Job as _, JobSpec, Output, Priority, RunOn, Step};
use meanwhile::join::{self, JoinError};
use meanwhile::record::ItemState;

use super::util::child::in_child_with;
use super::util::files::{self, bytes, folder, name, write};
use super::util::test_board::{PLACES, TestBoard};

/// The end of every item: what was saved, or the word for why nothing was.
fn run_on(run_on: RunOn, options: &Options, inputs: &[&Path]) -> Vec<Result<Saved, String>> {
    let mut desk = TestBoard::new();
    let job = desk.start(JobSpec {
        options: jobs::Options::Images(options.clone()),
        inputs: inputs.iter().map(PathBuf::from).collect(),
        run_on,
        workers: 2,
        priority: Priority::Normal,
    });
    desk.until_ended(job);
    let items = desk.job(job).items().iter();
    items
        .map(|item| match &item.state {
            ItemState::Returned(Output::Image(saved)) => Ok(saved.clone()),
            ItemState::Failed(error) => {
                assert!(!error.message.contains('\n'), "{}", error.message);
                Err(error.kind.clone())
            }
            other => panic!("{}: {other:?}", item.input.display()),
        })
        .collect()
}

fn run(options: &Options, inputs: &[&Path]) -> Vec<Result<Saved, String>> {
    run_on(RunOn::Pool, options, inputs)
}

#[track_caller]
fn run_one(options: &Options, input: &Path) -> PathBuf {
    let ends = run(options, &[input]);
    match &ends[..] {
        [Ok(saved)] => saved.saved_to.clone(),
        ends => panic!("{ends:?}"),
    }
}

fn to(folder: &Path) -> Options {
    Options {
        to: folder.join("out"),
        ..Options::default()
    }
}

/// The pixels as ImageMagick sees them, after `arguments`, with three values of 8 bits each.
fn seen_by_magick(file: &Path, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new("convert")
        .arg(file)
        .args(arguments)
        .args(["-depth", "8", "rgb:-"])
        .output()
        .expect("ImageMagick is installed");
    assert!(output.status.success(), "{output:?}");
    output.stdout
}

fn noise(width: u32, height: u32) -> DynamicImage {
    let values = bytes((3 * width * height) as usize);
    RgbImage::from_raw(width, height, values).unwrap().into()
}

/// Slopes and edges, as photographs have them.
fn photo(width: u32, height: u32) -> DynamicImage {
    let pixel = |x: u32, y: u32| {
        let wave = |value: u32, period: f64| {
            let phase = f64::from(value) / period;
            127.0 + 100.0 * phase.sin()
        };
        let edge = if (x / 40 + y / 30).is_multiple_of(2) {
            20.0
        } else {
            0.0
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 27 and 247"
        )]
        let value = |value: f64| (value + edge) as u8;
        image::Rgb([
            value(wave(x, 23.0)),
            value(wave(y, 31.0)),
            value(wave(x + y, 47.0)),
        ])
    };
    RgbImage::from_fn(width, height, pixel).into()
}

fn saved_as(image: &DynamicImage, folder: &Path, name: &str) -> PathBuf {
    let path = write(folder, name, []);
    image.save(&path).unwrap();
    path
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
fn every_turn_is_that_of_imagemagick_pixel_by_pixel() {
    let folder = folder();
    let input = saved_as(&noise(61, 37), folder.path(), "in.png");
    for (rotate, degrees) in [
        (Rotate::Not, "0"),
        (Rotate::Right, "90"),
        (Rotate::Over, "180"),
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
                existing: Existing::Number,
                ..to(folder.path())
            };
            let output = run_one(&options, &input);
            let expected = seen_by_magick(&input, &[&["-rotate", degrees], mirrored].concat());
            assert!(
                seen_by_magick(&output, &[]) == expected,
                "{rotate:?} {flip:?}"
            );
        }
    }
}

#[test]
#[ignore = "needs imagemagick; tests/all.sh runs it"]
fn a_format_without_loss_keeps_every_pixel_there_and_back() {
    let folder = folder();
    let input = saved_as(&noise(61, 37), folder.path(), "in.png");
    let expected = seen_by_magick(&input, &[]);
    for format in [Format::Bmp, Format::Tiff, Format::Webp, Format::Png] {
        let there = Options {
            format,
            to: folder.path().join(format.title()),
            ..Options::default()
        };
        let there = run_one(&there, &input);
        assert!(seen_by_magick(&there, &[]) == expected, "{format:?}");
        let back = Options {
            format: Format::Png,
            existing: Existing::Overwrite,
            ..to(folder.path())
        };
        let back = run_one(&back, &there);
        assert!(seen_by_magick(&back, &[]) == expected, "{format:?}");
    }
}

#[test]
fn grey_is_the_luma_that_is_promised() {
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
fn grey_is_within_one_of_imagemagicks() {
    let folder = folder();
    let input = saved_as(&noise(61, 37), folder.path(), "in.png");
    let options = Options {
        greyscale: true,
        ..to(folder.path())
    };
    let grey = image::open(run_one(&options, &input)).unwrap().to_luma8();
    let theirs = seen_by_magick(&input, &["-colorspace", "Gray"]);
    let theirs = theirs.as_chunks::<3>().0.iter();
    assert!(
        theirs
            .zip(grey.pixels())
            .all(|(a, b)| a[0].abs_diff(b.0[0]) <= 1)
    );
}

#[test]
#[ignore = "needs imagemagick; tests/all.sh runs it"]
fn a_resized_image_is_like_imagemagicks_and_more_so_than_the_nearest_pixels() {
    let folder = folder();
    let input = saved_as(&photo(640, 480), folder.path(), "in.png");
    let theirs = seen_by_magick(&input, &["-filter", "Lanczos", "-resize", "50%"]);
    let [ours, nearest] = [Filter::Lanczos3, Filter::Nearest].map(|filter| {
        let mut options = Options {
            filter,
            existing: Existing::Number,
            ..to(folder.path())
        };
        options.set_size(Size::Percent(50.0));
        let output = run_one(&options, &input);
        likeness(&seen_by_magick(&output, &[]), &theirs)
    });
    assert!(ours > 40.0, "{ours} dB");
    assert!(nearest < ours - 6.0, "{nearest} dB, ours {ours} dB");
}

#[test]
fn sizes_are_those_that_were_asked_for() {
    let folder = folder();
    let input = saved_as(&photo(300, 200), folder.path(), "in.png");
    for (size, expected) in [
        ("50%", (150, 100)),
        ("150x150", (150, 100)),
        ("1000x100", (150, 100)),
        ("1000x1000", (300, 200)),
        ("30x40!", (30, 40)),
        ("400x10!", (400, 10)),
        ("0.01%", (1, 1)),
    ] {
        let mut options = Options {
            existing: Existing::Number,
            ..to(folder.path())
        };
        options.set_size(size.parse().unwrap());
        let ends = run(&options, &[&input]);
        let saved = ends[0].as_ref().unwrap();
        assert_eq!((saved.width, saved.height), expected, "{size}");
        let written = image::image_dimensions(&saved.saved_to).unwrap();
        assert_eq!(written, expected);
    }
    for wrong in ["", "%", "x", "10", "10x", "-1x2", "1x2x3", "10 x 10"] {
        assert!(wrong.parse::<Size>().is_err(), "{wrong}");
    }
}

/// A JPEG whose camera says that it was held like that.
fn with_orientation(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let mut exif =
        b"\xff\xe1\x00\x22Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
    [&jpeg[..2], &exif, &jpeg[2..]].concat()
}

#[test]
#[ignore = "needs imagemagick; tests/all.sh runs it"]
fn an_image_is_turned_the_way_its_camera_says() {
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
        let expected = seen_by_magick(&input, &["-auto-orient"]);
        let likeness = likeness(&seen_by_magick(&output, &[]), &expected);
        assert!(likeness > 30.0, "{orientation}: {likeness} dB");
        let is_upright = orientation <= 4;
        let size = image::image_dimensions(&output).unwrap();
        assert_eq!(size == (64, 48), is_upright, "{orientation}");
    }
}

#[test]
fn a_colour_profile_is_kept_while_it_describes_the_colours() {
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
        existing: Existing::Number,
        ..to(folder.path())
    };
    assert_eq!(profile_of(&options), None);
}

#[test]
fn what_is_transparent_is_white_in_a_jpeg() {
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
fn every_kind_of_pixel_can_be_written_in_every_format() {
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

/// A PNG of a few bytes that says how large it is.
fn png_bomb(width: u32, height: u32) -> Vec<u8> {
    let mut header = b"IHDR".to_vec();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([8, 6, 0, 0, 0]);
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0d".to_vec();
    png.extend(&header);
    png.extend(crc32fast::hash(&header).to_be_bytes());
    png.extend(b"\0\0\0\0IDAT\x35\xaf\x06\x1e\0\0\0\0IEND\xae\x42\x60\x82");
    png
}

fn bmp_bomb(side: u32) -> Vec<u8> {
    let mut bmp = b"BM\x36\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec();
    bmp.extend(side.to_le_bytes());
    bmp.extend(side.to_le_bytes());
    bmp.extend(b"\x01\0\x18\0");
    bmp.extend([0; 24]);
    bmp
}

fn gif_bomb(side: u16) -> Vec<u8> {
    let side = side.to_le_bytes();
    let screen = [b"GIF89a", &side[..], &side, b"\0\0\0"].concat();
    let frame = [b",\0\0\0\0", &side[..], &side, b"\0\x02\x01\0\0;"].concat();
    [screen, frame].concat()
}

#[test]
fn a_bomb_is_an_error_before_it_takes_memory() {
    let test = "images::a_bomb_is_an_error_before_it_takes_memory";
    in_child_with("ulimit -v 4000000", test, || {
        let folder = folder();
        for (name, bomb) in [
            ("a.png", png_bomb(65_000, 65_000)),
            ("b.bmp", bmp_bomb(65_000)),
            ("c.gif", gif_bomb(65_000)),
            ("d.pgm", b"P5 65000 65000 255\n".to_vec()),
            ("e.png", png_bomb(u32::MAX >> 1, u32::MAX >> 1)),
        ] {
            let input = write(folder.path(), name, bomb);
            let ends = run(&to(folder.path()), &[&input]);
            assert_eq!(ends, [Err("too_large".to_owned())], "{name}");
        }
    });
}

#[test]
fn limits_count_pixels_before_and_after_and_memory() {
    let folder = folder();
    let input = saved_as(&photo(1200, 1000), folder.path(), "in.png");
    let too_large = [Err("too_large".to_owned())];
    let options = to(folder.path());
    let strict = Options {
        max_megapixels: 1,
        ..options.clone()
    };
    assert_eq!(run(&strict, &[&input]), too_large);
    let mut larger = Options {
        max_megapixels: 2,
        ..options.clone()
    };
    larger.set_size(Size::Percent(200.0));
    assert_eq!(run(&larger, &[&input]), too_large);
    let poor = Options {
        max_memory_mib: 1,
        ..options.clone()
    };
    assert_eq!(run(&poor, &[&input]), too_large);
    assert!(run(&options, &[&input])[0].is_ok());
}

#[test]
fn an_image_that_is_cut_off_or_damaged_anywhere_is_an_error_or_an_image() {
    let folder = folder();
    let photo = photo(40, 30);
    let mut inputs = Vec::new();
    for extension in [
        "png", "jpg", "gif", "bmp", "tiff", "webp", "qoi", "tga", "pnm",
    ] {
        let whole = fs::read(saved_as(&photo, folder.path(), &format!("x.{extension}"))).unwrap();
        for part in 0..20 {
            let cut = &whole[..whole.len() * part / 20];
            inputs.push(write(
                folder.path(),
                format!("in/cut{part}.{extension}"),
                cut,
            ));
            let mut damaged = whole.clone();
            for byte in damaged.iter_mut().skip(part).step_by(37) {
                *byte ^= 0x55;
            }
            inputs.push(write(
                folder.path(),
                format!("in/bad{part}.{extension}"),
                damaged,
            ));
        }
    }
    let inputs: Vec<&Path> = inputs.iter().map(PathBuf::as_path).collect();
    let ends = run(&to(folder.path()), &inputs);
    assert!(ends.iter().filter(|end| end.is_err()).count() > inputs.len() / 2);
}

#[test]
fn what_is_no_image_is_an_error_of_its_own_and_the_rest_goes_on() {
    let folder = folder();
    let (made, _) = files::run(folder.path(), "mkfifo", &[OsStr::new("fifo.png")]);
    assert!(made);
    let good = saved_as(&photo(8, 8), folder.path(), "good.png");
    let text = write(
        folder.path(),
        "text.png",
        "no image at all, but longer than a signature",
    );
    let unknown = write(folder.path(), "unknown", bytes(100));
    let ends = run(
        &to(folder.path()),
        &[
            &folder.path().join("fifo.png"),
            Path::new("/dev/zero"),
            &text,
            &unknown,
            &folder.path().join("nothing.png"),
            &good,
        ],
    );
    let words: Vec<&str> = ends
        .iter()
        .map(|end| end.as_ref().map_or_else(String::as_str, |_| "saved"))
        .collect();
    assert_eq!(
        words,
        [
            "special_file",
            "special_file",
            "undecodable",
            "not_an_image",
            "missing",
            "saved"
        ]
    );
}

#[test]
fn a_name_that_lies_about_the_format_is_read_all_the_same() {
    let folder = folder();
    let jpeg = saved_as(&photo(8, 8), folder.path(), "photo.jpg");
    let lying = folder.path().join("lying.png");
    fs::rename(jpeg, &lying).unwrap();
    let output = run_one(&to(folder.path()), &lying);
    let written = fs::read(&output).unwrap();
    assert_eq!(image::guess_format(&written).unwrap(), ImageFormat::Png);
}

#[test]
fn no_image_that_is_read_is_ever_written_over() {
    let folder = folder();
    let root = folder.path();
    let originals: Vec<PathBuf> = ["in/a.png", "in/b.png", "in/c.png"]
        .into_iter()
        .map(|name| saved_as(&noise(9, 9), root, name))
        .collect();
    let before: Vec<_> = originals
        .iter()
        .map(|path| fs::read(path).unwrap())
        .collect();
    fs::create_dir(root.join("out")).unwrap();
    fs::hard_link(&originals[0], root.join("out/a.png")).unwrap();
    symlink("../in/b.png", root.join("out/b.png")).unwrap();
    // The result of the third would be an image that the job has yet to read.
    let later = saved_as(&noise(5, 5), root, "out/c.png");
    let overwrite = Options {
        existing: Existing::Overwrite,
        greyscale: true,
        ..to(root)
    };
    let inputs: Vec<&Path> = originals.iter().map(PathBuf::as_path).collect();
    let ends = run(&overwrite, &[&inputs[..], &[&later]].concat());
    let over = || Err("over_input".to_owned());
    assert_eq!(
        ends,
        [over(), over(), over(), Err("same_folder".to_owned())]
    );

    symlink("in", root.join("link")).unwrap();
    for to in ["in", "in/../in", "link", "out/../link/."] {
        let options = Options {
            to: root.join(to),
            ..overwrite.clone()
        };
        let ends = run(&options, &inputs[..1]);
        assert_eq!(ends, [Err("same_folder".to_owned())], "{to}");
    }
    let folder_itself = Options {
        to: root.join("link"),
        ..overwrite
    };
    let ends = run(&folder_itself, &[&root.join("in")]);
    assert_eq!(ends, [Err("same_folder".to_owned())]);
    let after: Vec<_> = originals
        .iter()
        .map(|path| fs::read(path).unwrap())
        .collect();
    assert!(before == after);
    let inode = |path: &Path| fs::metadata(path).unwrap().ino();
    assert_eq!(inode(&originals[0]), inode(&root.join("out/a.png")));
}

#[test]
fn a_result_is_refused_numbered_or_put_in_the_place_of_what_is_there() {
    let folder = folder();
    let root = folder.path();
    let input = saved_as(&noise(9, 9), root, "in.png");
    let elsewhere = write(root, "elsewhere", "somebody's");
    fs::create_dir(root.join("out")).unwrap();
    symlink("../elsewhere", root.join("out/in.png")).unwrap();
    let with = |existing| Options {
        existing,
        ..to(root)
    };
    assert_eq!(
        run(&with(Existing::Refuse), &[&input]),
        [Err("exists".to_owned())]
    );
    let numbered = run_one(&with(Existing::Number), &input);
    assert_eq!(numbered, root.join("out/in-2.png"));
    assert_eq!(
        run_one(&with(Existing::Number), &input),
        root.join("out/in-3.png")
    );
    // The link goes, not what it leads to.
    let replaced = run_one(&with(Existing::Overwrite), &input);
    assert_eq!(replaced, root.join("out/in.png"));
    assert!(!replaced.is_symlink());
    assert_eq!(fs::read(elsewhere).unwrap(), b"somebody's");
    let names = fs::read_dir(root.join("out")).unwrap().count();
    assert_eq!(names, 3, "something was left behind");
}

#[test]
fn two_images_of_one_name_never_share_a_result() {
    let folder = folder();
    let root = folder.path();
    let first = saved_as(&noise(9, 9), root, "one/a.png");
    let second = saved_as(&noise(7, 7), root, "two/A.PNG");
    let inputs: [&Path; 2] = [&first, &second];
    for existing in [Existing::Refuse, Existing::Overwrite] {
        let options = Options {
            existing,
            to: root.join(existing.title()),
            ..Options::default()
        };
        let ends = run(&options, &inputs);
        assert_eq!(ends[0].as_ref().unwrap().width, 9);
        assert_eq!(ends[1], Err("same_name".to_owned()));
    }
    let options = Options {
        existing: Existing::Number,
        ..to(root)
    };
    let ends = run(&options, &inputs);
    let written = |index: usize| {
        let saved = ends[index].as_ref().unwrap();
        image::image_dimensions(&saved.saved_to).unwrap().0
    };
    assert_eq!((written(0), written(1)), (9, 7));
}

#[test]
fn a_folder_is_its_images_and_not_those_that_were_saved_in_it() {
    let folder = folder();
    let root = folder.path();
    saved_as(&photo(8, 8), root, "a.png");
    saved_as(&photo(8, 8), root, "deep/er/b.jpg");
    write(root, "notes.txt", "no image");
    let (made, _) = files::run(root, "mkfifo", &[OsStr::new("pipe")]);
    assert!(made);
    let options = to(root);
    for ends in [
        [true, true],
        // They are there now.
        [false, false],
    ] {
        let found = run(&options, &[root]);
        assert_eq!(found.iter().map(Result::is_ok).collect::<Vec<_>>(), ends);
    }
}

#[test]
fn images_are_edited_wherever_items_run_and_whatever_the_folder_is_called() {
    for place in PLACES {
        let folder = folder();
        let input = saved_as(&photo(8, 8), folder.path(), "in.png");
        let options = Options {
            to: folder.path().join(name(b"\xff out")),
            ..Options::default()
        };
        let ends = run_on(place, &options, &[&input]);
        let saved = ends[0].as_ref().unwrap();
        assert_eq!(saved.saved_to, options.to.join("in.png"), "{place:?}");
        assert_eq!(fs::metadata(&saved.saved_to).unwrap().len(), saved.bytes);
    }
}

#[test]
fn a_cancelled_image_is_not_saved() {
    let folder = folder();
    let input = saved_as(&photo(8, 8), folder.path(), "in.png");
    let options = to(folder.path());
    fs::create_dir(&options.to).unwrap();
    let out = options.to.clone();
    let task = join::spawn("image", move |context| {
        while !context.is_cancelled() {
            std::thread::yield_now();
        }
        let item = Item {
            input,
            bytes: 0,
            step: Step::Run,
        };
        options.run_item(&item, context)
    });
    let task = task.unwrap();
    task.cancel();
    assert!(matches!(task.join(), Err(JoinError::Cancelled)));
    assert_eq!(fs::read_dir(out).unwrap().count(), 0);
}

#[test]
fn a_folder_that_takes_nothing_is_said() {
    let test = "images::a_folder_that_takes_nothing_is_said";
    in_child_with(files::OBEY_PERMISSIONS, test, || {
        let folder = folder();
        let input = saved_as(&photo(8, 8), folder.path(), "in.png");
        let options = to(folder.path());
        fs::create_dir(&options.to).unwrap();
        fs::set_permissions(&options.to, fs::Permissions::from_mode(0o500)).unwrap();
        assert_eq!(run(&options, &[&input]), [Err("not_saved".to_owned())]);
        let file = Options {
            to: input.clone(),
            ..options
        };
        assert_eq!(run(&file, &[&input]), [Err("no_folder".to_owned())]);
    });
}

#[test]
fn a_disk_that_is_full_leaves_nothing_half_written() {
    let test = "images::a_disk_that_is_full_leaves_nothing_half_written";
    // A file that may not become longer than a kibibyte is as full as a disk.
    in_child_with("trap '' XFSZ; ulimit -f 1", test, || {
        let folder = folder();
        let small = saved_as(&photo(4, 4), folder.path(), "small.png");
        let options = Options {
            format: Format::Bmp,
            resize: Resize::Exact,
            width: 100,
            height: 100,
            ..to(folder.path())
        };
        assert_eq!(run(&options, &[&small]), [Err("not_saved".to_owned())]);
        assert_eq!(fs::read_dir(&options.to).unwrap().count(), 0);
    });
}
