use std::fs;

use anyhow::{Context as _, bail, ensure};
use image::{Rgb, RgbImage};
use meanwhile::jobs::images::{Options, Rotate};
use meanwhile::jobs::{Item, Job as _, Step};
use meanwhile::join::{self, Context};
use meanwhile::lessons::{RunLog, Trace, WorkerKind};

pub(super) fn main(trace: &Trace) -> anyhow::Result<()> {
    fs::create_dir(trace.folder().join("edited"))?;
    let images = (1_u32..).take(trace.count("images"));
    for n in images.clone() {
        draw(n).save(trace.folder().join(format!("{n}.png")))?;
    }
    let mut tasks = Vec::new();
    let mut processes = Vec::new();
    for n in images.clone() {
        let name = format!("image {n}");
        match trace.worker_kind() {
            WorkerKind::Task => {
                let work =
                    trace.task_with_context(&name, move |trace, context| edit(trace, context, n));
                tasks.push(join::spawn(name, work)?);
            }
            WorkerKind::Process => {
                let editor = trace.program("editor").name(name);
                processes.push(trace.spawn_process(editor.env("IMAGE", n.to_string()))?);
            }
        }
    }
    for task in &tasks {
        if let Err(why) = trace.wait(task.name(), || task.join())? {
            bail!("{}: {why:#}", task.name());
        }
    }
    for process in &processes {
        let exit = trace.wait(process.name(), || process.join())?;
        ensure!(exit.is_success(), "{} {exit}", process.name());
    }
    trace.print("batch complete");

    trace.row(&[&"image", &"before", &"after"]);
    for n in images {
        let size = |file: String| image::image_dimensions(trace.folder().join(file));
        let (before, after) = (size(format!("{n}.png"))?, size(format!("edited/{n}.png"))?);
        trace.row(&[
            &n,
            &format!("{}x{}", before.0, before.1),
            &format!("{}x{}", after.0, after.1),
        ]);
    }
    Ok(())
}

/// A child process: it edits one image in a task.
fn editor(trace: &Trace) -> anyhow::Result<()> {
    let (trace, n) = (trace.clone(), std::env::var("IMAGE")?.parse()?);
    let task = join::spawn("edit", move |context| edit(&trace, context, n))?;
    match task.join()? {
        Ok(()) => Ok(()),
        Err(why) => bail!("{why:#}"),
    }
}

fn edit(trace: &Trace, context: &Context, n: u32) -> anyhow::Result<()> {
    // Image n takes n times as long as the first.
    trace.sleep(trace.duration("work") * n);
    let options = Options {
        to: trace.folder().join("edited"),
        rotate: Rotate::Right,
        greyscale: true,
        ..Options::default()
    };
    let image = Item {
        input: trace.folder().join(format!("{n}.png")),
        bytes: 0,
        step: Step::Run,
    };
    options.run_item(&image, context)?;
    trace.print("saved");
    Ok(())
}

fn draw(n: u32) -> RgbImage {
    let shade = |part: u32| part.to_le_bytes()[0];
    RgbImage::from_fn(64 + n, 48, |x, y| Rgb([shade(x), shade(y), shade(n)]))
}

fn verify(log: &RunLog) -> anyhow::Result<()> {
    let images = log.count("images");
    let complete = log
        .messages()
        .iter()
        .filter(|said| said.text.contains("complete"));
    let complete: Vec<_> = complete.collect();
    ensure!(complete.len() == 1, "completed {} times", complete.len());
    for n in 1..=images {
        let saved = log.time_of(&format!("image {n}"), "saved")?;
        ensure!(
            saved <= complete[0].at,
            "complete before image {n} was saved"
        );
    }
    ensure!(log.table().len() == images + 1, "an image is missing");
    for row in &log.table()[1..] {
        let (width, height) = row[1].split_once('x').context("not a size")?;
        ensure!(
            row[2] == format!("{height}x{width}"),
            "image {} was not rotated",
            row[0]
        );
    }
    Ok(())
}

// About the lesson.

use meanwhile::lessons::{Lesson, Level, Parameter, Question, Topic};

pub(super) static LESSON: Lesson = Lesson {
    id: "batch",
    title: "A batch of images",
    topic: Topic::Work,
    level: Level::Medium,
    question: Question {
        text: "A worker for each image loads, rotates and saves it. When can the program \
               print \u{201c}batch complete\u{201d}?",
        choices: &[
            "When the last worker has been started",
            "When the worker of the last image has been joined",
            "When every worker has been joined",
        ],
        right: 2,
    },
    parameters: &[
        Parameter::secs("work", "The first image takes (s)", 0.5),
        Parameter::count("images", "Images", 4, 1, 24),
    ],
    worker_kinds: &[WorkerKind::Task, WorkerKind::Process],
    lanes: 5,
    main,
    roles: &[("editor", editor)],
    verify,
    explanation: "\u{201c}Complete\u{201d} is a claim about all images, so all workers must have \
                  ended first. Joining the one that was started last is not enough: workers do not \
                  end in the order of their start, and another one may have the largest image. One \
                  join per worker, in any order, is enough. Together the joins take exactly as \
                  long as the slowest worker.\n\n\
                  A join tells you more than \u{201c}it has ended\u{201d}. An image that could not \
                  be read must not count as done. Here the join of a task returns its `Result`, \
                  and that of a process its exit code; the batch is complete only if all of them \
                  succeeded. Python's `join()` returns nothing, so programs check `exitcode`, or \
                  use an executor. A process per image costs a few milliseconds more, but an image \
                  that crashes its decoder takes down only that process.",
    python: r#"
from multiprocessing import Process
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep

IMAGES = 4
WIDTH, HEIGHT = 64, 48
HEADER = f"P5 {WIDTH} {HEIGHT} 255\n".encode()  # a grey image with one byte per pixel
ROTATED = f"P5 {HEIGHT} {WIDTH} 255\n".encode()

def rotate(folder, n):
    image = (folder / f"{n}.pgm").read_bytes()[len(HEADER):]
    sleep(0.5 * n)
    rows = [image[start:start + WIDTH] for start in range(0, len(image), WIDTH)]
    columns = [bytes(column) for column in zip(*reversed(rows))]
    (folder / f"{n} rotated.pgm").write_bytes(ROTATED + b"".join(columns))
    print("image", n, "saved", flush=True)

if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        folder = Path(folder)
        for n in range(1, IMAGES + 1):
            (folder / f"{n}.pgm").write_bytes(HEADER + bytes(range(WIDTH)) * HEIGHT)
        workers = [Process(target=rotate, args=(folder, n)) for n in range(1, IMAGES + 1)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert all(worker.exitcode == 0 for worker in workers)
        print("batch complete:", sorted(path.name for path in folder.glob("* rotated.pgm")))
"#,
    plain_std: r#"
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs, io, thread};

const IMAGES: u32 = 4;
const HEADER: &[u8] = b"P5 64 48 255\n"; // a grey image with one byte per pixel
const ROTATED: &[u8] = b"P5 48 64 255\n";

fn rotate(folder: &Path, n: u32) -> io::Result<PathBuf> {
    let image = fs::read(folder.join(format!("{n}.pgm")))?;
    thread::sleep(Duration::from_millis(500) * n);
    let rows: Vec<_> = image[HEADER.len()..].chunks(64).rev().collect();
    let columns = (0..64).flat_map(|x| rows.iter().map(move |row| row[x]));
    let rotated: Vec<u8> = ROTATED.iter().copied().chain(columns).collect();
    let output = folder.join(format!("{n} rotated.pgm"));
    fs::write(&output, rotated)?;
    println!("image {n} saved");
    Ok(output)
}

fn main() -> io::Result<()> {
    let folder = env::temp_dir().join(format!("batch-{}", std::process::id()));
    fs::create_dir(&folder)?;
    let mut image = HEADER.to_vec();
    image.extend((0..64_u8).cycle().take(64 * 48));
    for n in 1..=IMAGES {
        fs::write(folder.join(format!("{n}.pgm")), &image)?;
    }
    let workers: Vec<_> = (1..=IMAGES)
        .map(|n| {
            let folder = folder.clone();
            thread::spawn(move || rotate(&folder, n))
        })
        .collect();
    for worker in workers {
        let output = worker.join().unwrap()?;
        assert!(output.exists());
    }
    println!("batch complete");
    fs::remove_dir_all(folder)
}
"#,
    related: &["strategies", "many", "pool", "work-in-ui"],
    source: include_str!("batch.rs"),
};
