//! The job `images`.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod damage;
mod edits;
mod finding;
mod frames;
mod invalid;
mod jxl;
mod kept;
mod pillow;
mod saving;
mod tiffs;

use std::path::{Path, PathBuf};

use image::{DynamicImage, RgbImage};
use meanwhile::jobs::images::{Options, Saved};
use meanwhile::jobs::{self, JobSpec, Output, Priority, RunOn};
use meanwhile::record::{ItemState, JobId};

use super::util::files::{bytes, write};
use super::util::test_board::TestBoard;

/// The outcome of every item: the saved image or the kind of the error.
fn run_on(run_on: RunOn, options: &Options, inputs: &[&Path]) -> Vec<Result<Saved, String>> {
    run_with_notes(run_on, options, inputs).0
}

/// The same, and the notes of the plan.
fn run_with_notes(
    run_on: RunOn,
    options: &Options,
    inputs: &[&Path],
) -> (Vec<Result<Saved, String>>, Vec<String>) {
    let (board, job) = ended(run_on, options, inputs);
    let notes = board.job(job).notes().iter();
    let notes = notes.map(ToString::to_string).collect();
    let items = board.job(job).items().iter();
    let ends = items
        .map(|item| match &item.state {
            ItemState::Returned(Output::Image(saved)) => Ok(saved.clone()),
            ItemState::Failed(error) => {
                assert!(!error.message.contains('\n'), "{}", error.message);
                Err(error.kind.clone())
            }
            other => panic!("{}: {other:?}", item.input.display()),
        })
        .collect();
    (ends, notes)
}

fn ended(run_on: RunOn, options: &Options, inputs: &[&Path]) -> (TestBoard, JobId) {
    let mut board = TestBoard::new();
    let job = board.start(JobSpec {
        options: jobs::Options::Images(options.clone()),
        inputs: inputs.iter().map(PathBuf::from).collect(),
        run_on,
        workers: 2,
        priority: Priority::Normal,
    });
    board.until_ended(job);
    (board, job)
}

/// The sentence that says why an image failed.
#[track_caller]
fn error_of(options: &Options, input: &Path) -> String {
    let (board, job) = ended(RunOn::Pool, options, &[input]);
    let mut items = board.job(job).items().iter();
    match items.next().map(|item| &item.state) {
        Some(ItemState::Failed(error)) => error.message.clone(),
        other => panic!("{other:?}"),
    }
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

fn noise(width: u32, height: u32) -> DynamicImage {
    let values = bytes((3 * width * height) as usize);
    RgbImage::from_raw(width, height, values).unwrap().into()
}

/// Slopes and edges, like a photograph.
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
