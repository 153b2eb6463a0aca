//! The job that edits images in the window.

use std::path::PathBuf;

use image::hooks::{register_decoding_hook, register_format_detection_hook};
use meanwhile::app::{DialogAnswer, DialogRequest};

use super::window::{Window, file};

/// A window whose input is an image of 40 × 20 pixels.
fn open() -> Window {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let path = dir.path().join("in.png");
    image::RgbImage::new(40, 20)
        .save(&path)
        .expect("the folder takes an image");
    let mut window = Window::open_in(dir, &[path]);
    window.choose("Job", "Images");
    window
}

fn out(window: &Window) -> PathBuf {
    window.dir.path().join("out")
}

#[test]
fn images_are_resized_rotated_and_saved() {
    let mut window = open();
    assert!(!window.is_enabled("Start"));
    let out = out(&window);
    window.type_into("Save to", out.to_str().expect("plain"));
    window.choose("Resize", "Percent");
    window.set("Percent", 25.0);
    window.choose("Format", "WebP, lossless");
    window.click("More options");
    window.choose("Rotate", "90° to the right");
    window.click("Greyscale");
    window.click("Start");
    window.until("5 × 10 → ");
    window.until("1 of 1 item");
    window.until(" became ");
    let size = image::image_dimensions(out.join("in.webp"));
    assert_eq!(size.expect("it was saved"), (5, 10));

    window.click("Start");
    window.until("already exists");
    window.choose("If the file exists", "Number it");
    window.click("Start");
    window.until("in-2.webp");
}

/// A row opens its result, but means the image that was read.
#[test]
fn images_run_again_are_the_ones_that_were_read() {
    let mut window = open();
    let (input, out) = (window.dir.path().join("in.png"), out(&window));
    window.type_into("Save to", out.to_str().expect("plain"));
    window.choose("Format", "WebP, lossless");
    window.choose("If the file exists", "Number it");
    window.click("Start");
    window.until_it(|window| window.is_enabled("Remove"), "the end of the job");
    window.open_menu("in.png");
    window.click("Run these again");
    window.until("in-2.webp");
    window.until_it(|window| window.is_enabled("Remove"), "the end of the job");
    window.open_menu("in.png");
    window.click("Take as inputs");
    window.until("1 row is now the inputs");
    window.until(&format!("Remove {}", input.display()));
}

#[test]
fn menu_opens_the_result_once_there_is_one() {
    let mut window = open();
    let out = out(&window);
    window.type_into("Save to", out.to_str().expect("plain"));
    window.click("Start");
    window.until_it(|window| window.is_enabled("Remove"), "the end of the job");
    let result = [out.join("in.png")];
    window.open_menu("in.png");
    window.click("Open");
    window.until_it(|window| window.opener.opened().files == result, "the image");
    window.open_menu("in.png");
    window.click("Show in folder");
    window.until_it(
        |window| window.opener.opened().in_folders == result,
        "the folder",
    );

    // There is no result of what failed.
    window.click("Start");
    window.until("already exists");
    window.open_menu("in.png");
    window.click("Open");
    let input = window.dir.path().join("in.png");
    window.until_it(
        |window| window.opener.opened().files.contains(&input),
        "the image that was read",
    );
}

#[test]
fn exact_size_is_a_width_and_a_height() {
    let mut window = open();
    let out = out(&window);
    window.type_into("Save to", out.to_str().expect("plain"));
    window.choose("Resize", "Exactly");
    window.set("Width", 7.0);
    window.set("Height", 9.0);
    window.click("Start");
    window.until("7 × 9 → ");
}

#[test]
fn output_folder_from_a_dialog_is_remembered() {
    let mut window = open();
    let out = out(&window);
    window.click("Choose…");
    let asked = DialogRequest::Folder {
        title: "Save to".to_owned(),
    };
    assert_eq!(window.dialogs.asked(), [asked]);
    window
        .dialogs
        .answer(DialogAnswer::Picked(vec![out.clone()]));
    window.until_it(
        |window| window.named("Save to").value().as_deref() == out.to_str(),
        "the folder",
    );
    assert!(window.is_enabled("Start"));
    let window = window.reopen();
    assert_eq!(window.named("Job").value().as_deref(), Some("Images"));
    assert_eq!(window.named("Save to").value().as_deref(), out.to_str());
}

#[test]
fn start_button_stays_in_sight_below_all_options() {
    let mut window = open();
    window.choose("Resize", "Exactly");
    window.click("More options");
    assert!(shows_start(&window));
}

#[test]
fn smallest_window_shows_the_start_button_of_each_job() {
    let mut window = open();
    window.harness.set_size([760.0, 480.0].into());
    for options in meanwhile::jobs::catalogue() {
        let title = options.job().title();
        window.choose("Job", title);
        window.step();
        assert!(shows_start(&window), "{title}");
    }
}

fn shows_start(window: &Window) -> bool {
    let status_bar = 32.0;
    window.named("Start").rect().bottom() < window.harness.ctx.content_rect().bottom() - status_bar
}

#[test]
fn details_of_a_panicking_decoder_are_on_demand() {
    register_format_detection_hook("stand-in".into(), b"a stand-in", None);
    register_decoding_hook("stand-in".into(), Box::new(|_| panic!("index 7")));
    let mut window = open();
    let stand_in = file(window.dir.path(), "bad.png", b"a stand-in");
    window.click("Clear");
    window.type_into("Path", stand_in.to_str().expect("plain"));
    window.click("Add");
    let out = out(&window);
    window.type_into("Save to", out.to_str().expect("plain"));
    window.click("Start");
    window.until("a library failed at ");
    assert!(!window.shows("index 7"));
    window.open_details("bad.png  ");
    window.click("Details");
    window.until("index 7");
}
