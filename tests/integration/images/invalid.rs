//! Files that are not images, are damaged, or are too large.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use image::hooks::{register_decoding_hook, register_format_detection_hook};
use image::{ImageFormat, Pixel as _, Rgb};
use meanwhile::jobs::images::{Format, IfExists, ImageOptionsError, Options, Size};
use meanwhile::jobs::{self, Item, Job as _, JobSpec, Priority, RunOn, Step};
use meanwhile::record::ItemState;

use super::{photo, run, run_one, saved_as, to};
use crate::util::child::in_child_with;
use crate::util::files::{self, bytes, folder, write};
use crate::util::test_board::TestBoard;

/// A PNG of a few bytes that claims this size.
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
fn decompression_bomb_fails_without_memory() {
    let test = "images::invalid::decompression_bomb_fails_without_memory";
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
fn images_need_a_folder_for_the_results() {
    let mut options = Options::default();
    assert_eq!(options.check(true), Err(ImageOptionsError::NoFolder));
    options.to = "small".into();
    options.set_size("50%".parse().unwrap());
    assert_eq!(options.check(true), Ok(()));
}

#[test]
fn limits_apply_to_input_result_and_memory() {
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
fn jpeg_with_a_side_that_is_too_long_is_refused() {
    let folder = folder();
    let image = image::DynamicImage::new_luma8(65_536, 1);
    let input = saved_as(&image, folder.path(), "in.png");
    let options = Options {
        format: Format::Jpeg,
        ..to(folder.path())
    };
    assert_eq!(run(&options, &[&input]), [Err("unencodable".to_owned())]);
    assert_eq!(fs::read_dir(&options.to).unwrap().count(), 0);
}

#[test]
fn damaged_images_never_panic() {
    let folder = folder();
    let photo = photo(40, 30);
    let mut inputs = Vec::new();
    for extension in [
        "png", "jpg", "gif", "bmp", "tiff", "webp", "qoi", "tga", "pnm", "jxl",
    ] {
        let whole = match extension {
            "jxl" => include_bytes!("jxl/lossy.jxl").to_vec(),
            _ => fs::read(saved_as(&photo, folder.path(), &format!("x.{extension}"))).unwrap(),
        };
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
fn invalid_images_fail_and_the_rest_continues() {
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
fn panic_of_a_library_is_an_error_of_its_image() {
    let item = Item {
        input: "photo.tif".into(),
        bytes: 0,
        step: Step::Run,
    };
    let error = |place| Options::default().error_of_panic(&item, place);
    let library = error("tiff-0.11.3/src/decoder.rs:30:5").unwrap();
    assert_eq!(library.kind, "undecodable");
    assert_eq!(
        library.message,
        "photo.tif can't be read as an image: a library failed at tiff-0.11.3/src/decoder.rs:30:5."
    );
    assert_eq!(error("src/jobs/images/edit.rs:1:1"), None);
}

#[test]
fn panicking_decoder_fails_its_image_in_a_sentence() {
    register_format_detection_hook("stand-in".into(), b"a stand-in", None);
    // A library panics at a place of its own, for which the compiler knows the path on this machine.
    register_decoding_hook(
        "stand-in".into(),
        Box::new(|_| unreachable!("{:?}", Rgb::from_slice(&[0_u8; 7]))),
    );
    let folder = folder();
    let bad = write(folder.path(), "bad", "a stand-in for a decoder that panics");
    let good = saved_as(&photo(8, 8), folder.path(), "good.png");
    for run_on in [RunOn::Pool, RunOn::Thread] {
        let options = Options {
            existing: IfExists::Overwrite,
            ..to(folder.path())
        };
        let mut board = TestBoard::new();
        let job = board.start(JobSpec {
            options: jobs::Options::Images(options),
            inputs: vec![bad.clone(), good.clone()],
            run_on,
            workers: 1,
            priority: Priority::Normal,
        });
        board.until_ended(job);
        let items = board.job(job).items();
        let ItemState::Failed(error) = &items[0].state else {
            panic!("{:?}", items[0].state);
        };
        assert_eq!(error.kind, "undecodable");
        let begin = format!(
            "{} can't be read as an image: a library failed at image-",
            bad.display()
        );
        let place = error.message.strip_prefix(&begin).expect(&error.message);
        let version = place.split_once("/src/color.rs:").expect(place).0;
        let of_number = |c: char| c.is_ascii_digit() || c == '.';
        assert!(version.chars().all(of_number), "{}", error.message);
        assert!(!error.message.contains('\n'), "{}", error.message);
        assert!(!error.message.contains("left: 7"), "{}", error.message);
        let details = error.details.as_deref().unwrap();
        let begin = format!("panicked at image-{version}/src/color.rs:");
        assert!(details.starts_with(&begin), "{details}");
        assert!(details.contains("\n  left: 7\n"), "{details}");
        assert!(matches!(items[1].state, ItemState::Returned(_)));
    }
}

#[test]
fn wrong_extension_is_read() {
    let folder = folder();
    let jpeg = saved_as(&photo(8, 8), folder.path(), "photo.jpg");
    let lying = folder.path().join("lying.png");
    fs::rename(jpeg, &lying).unwrap();
    let output = run_one(&to(folder.path()), &lying);
    let written = fs::read(&output).unwrap();
    assert_eq!(image::guess_format(&written).unwrap(), ImageFormat::Png);
}
