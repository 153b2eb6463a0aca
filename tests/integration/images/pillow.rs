//! The images that the tests of Pillow read, compared with what Pillow makes of them.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::PathBuf;

use meanwhile::jobs::images::{Format, IfExists, Options};
use meanwhile::jobs::{self, JobSpec, Output, Priority, RunOn};
use meanwhile::record::ItemState;

use super::to;
use crate::util::files::folder;
use crate::util::test_board::TestBoard;

/// Formats of Pillow that can't be read here.
const FORMATS: [&str; 26] = [
    "AVIF", "BLP", "CUR", "DCX", "DDS", "FITS", "FLI", "FTEX", "GBR", "ICNS", "IM", "IMT",
    "JPEG2000", "MCIDAS", "MSP", "PCD", "PCX", "PIXAR", "PSD", "SPIDER", "SGI", "SUN", "XBM",
    "XPM", "XVThumb", "DIB",
];

/// The other files of which the verdicts differ, and why.
const DIFFERENCES: [(&str, &str); 48] = [
    // Pillow reads them, and they fail here.
    ("apng/mode_16bit.png", "frames with 16 bits"),
    ("bmp/b/badplanes.bmp", "three planes; BMPs have one"),
    ("bmp/b/badrle.bmp", "damaged; Pillow leaves the rest black"),
    (
        "bmp/b/rletopdown.bmp",
        "compressed from the top, which is not allowed",
    ),
    ("bmp/q/pal8os2v2.bmp", "a header of OS/2"),
    ("hopper.pfm", "fractions"),
    ("hopper_be.pfm", "fractions"),
    (
        "hopper_bad_exif.jpg",
        "EXIF data with a wrong length, taken for damage",
    ),
    ("truncated_app14.jpg", "a cut header"),
    (
        "hopper_unexpected.ico",
        "another size than its directory says",
    ),
    ("no_palette.gif", "no colours; Pillow makes it grey"),
    ("no_palette_after_rgb.gif", "no colours in a later frame"),
    (
        "test_extents_transparency.gif",
        "a frame that can't be read",
    ),
    ("op_index.qoi", "its end is missing"),
    ("rgba16.tga", "16 bits with transparency"),
    ("10ct_32bit_128.tiff", "a kind of colours"),
    ("12bit.cropped.tif", "12 bits"),
    ("16_bit_binary_pgm.tiff", "numbers with a sign"),
    ("16bit.s.tif", "numbers with a sign"),
    ("8bit.s.tif", "numbers with a sign"),
    ("separate_planar_extra_samples.tiff", "numbers with a sign"),
    ("compression.tif", "Huffman"),
    ("g4-fillorder-test.tif", "bits in the other order"),
    ("hopper_lzma.tif", "LZMA"),
    ("total-pages-zero.tif", "Fax3"),
    ("multipage_multiple_frame_loop.tiff", "pages in a circle"),
    ("multipage_single_frame_loop.tiff", "pages in a circle"),
    ("old-style-jpeg-compression.tif", "JPEG of the old style"),
    (
        "old-style-jpeg-compression-no-samplesperpixel.tif",
        "JPEG of the old style",
    ),
    ("tiff_tiled_planar_16bit_RGB.tiff", "tiles for each colour"),
    ("tiff_tiled_planar_16bit_RGBa.tiff", "tiles for each colour"),
    ("tiff_tiled_planar_lzw.tiff", "tiles for each colour"),
    ("tiff_tiled_planar_raw.tif", "tiles for each colour"),
    (
        "tiff_wrong_bits_per_sample_2.tiff",
        "bits for fewer colours",
    ),
    // They are read here, and Pillow fails.
    ("bmp/g/rgb32bf.bmp", "any bits for a colour"),
    ("bmp/q/pal2.bmp", "2 bits"),
    ("bmp/q/rgb16-231.bmp", "any bits for a colour"),
    ("bmp/q/rgb32-111110.bmp", "any bits for a colour"),
    ("bmp/q/rgba16-4444.bmp", "any bits for a colour"),
    (
        "decompression_bomb_extents.gif",
        "a frame outside of a small image",
    ),
    ("hopper_unknown_pixel_mode.tif", "extra channels"),
    ("hopper_webp.tif", "WebP, which the package of Pillow lacks"),
    (
        "pillow.ico",
        "its copy to turn it, which Pillow fails to load",
    ),
    (
        "png_decompression_dos.png",
        "a long text, which is not read here",
    ),
    ("sugarshack_ifd_offset.mpo", "only its first image is read"),
    ("sugarshack_no_data.mpo", "only its first image is read"),
    (
        "tiff_tiled_jpeg_oob_read.tif",
        "a tile that Pillow can't decode",
    ),
    (
        "unknown_compression_method.png",
        "only a text has that compression",
    ),
];

/// The size of an image, or that it can't be read.
type Verdict = Option<(u32, u32)>;

/// What Pillow says, by file: the format if there is one, and the verdict.
fn pillows(text: &str) -> BTreeMap<&str, (&str, Verdict)> {
    let line = |line| {
        let (name, verdict) = str::split_once(line, '\t').expect("a tab");
        let (format, rest) = verdict.split_once(' ').expect("a space");
        let size = rest.split_once('x').filter(|_| format != "error");
        let size = size.map(|(width, height)| (width.parse().unwrap(), height.parse().unwrap()));
        (name, (format, size))
    };
    text.lines().map(line).collect()
}

#[test]
#[ignore = "needs the images of Pillow; tests/all.sh runs it"]
fn images_of_pillow_are_read_as_pillow_does() {
    let given = env::var_os("MEANWHILE_TEST_PILLOW").expect("MEANWHILE_TEST_PILLOW is a folder");
    let (given, folder) = (PathBuf::from(given), folder());
    let images = given.join("images");
    let text = fs::read_to_string(given.join("verdicts.tsv")).unwrap();
    let pillows = pillows(&text);
    assert!(pillows.len() > 1000);
    let mut board = TestBoard::new();
    let job = board.start(JobSpec {
        options: jobs::Options::Images(Options {
            format: Format::Png,
            existing: IfExists::Number,
            ..to(folder.path())
        }),
        inputs: pillows.keys().map(|name| images.join(name)).collect(),
        run_on: RunOn::Pool,
        workers: 2,
        priority: Priority::Normal,
    });
    board.until_ended(job);
    let known: BTreeMap<&str, &str> = DIFFERENCES.into_iter().collect();
    let mut differing = BTreeSet::new();
    let mut unexpected = Vec::new();
    let items = board.job(job).items();
    assert_eq!(items.len(), pillows.len());
    for item in items.iter() {
        let name = item.input.strip_prefix(&images).unwrap().to_str().unwrap();
        let (verdict, message) = match &item.state {
            ItemState::Returned(Output::Image(saved)) => {
                (Some((saved.width, saved.height)), String::new())
            }
            ItemState::Failed(error) => (None, error.message.clone()),
            other => panic!("{name}: {other:?}"),
        };
        let is_sentence = !message.contains('\n') && !message.contains("a library failed");
        let (format, expected) = pillows[name];
        let is_unread = FORMATS.contains(&format) && verdict.is_none();
        if verdict != expected && !is_unread {
            differing.insert(name);
        }
        if !is_sentence || verdict != expected && !is_unread && !known.contains_key(name) {
            unexpected.push(format!("{name}: {verdict:?} for {expected:?} {message}"));
        }
    }
    assert!(unexpected.is_empty(), "{}", unexpected.join("\n"));
    let gone: Vec<&&str> = known
        .keys()
        .filter(|name| !differing.contains(**name))
        .collect();
    assert!(gone.is_empty(), "these are as Pillow says: {gone:?}");
}
