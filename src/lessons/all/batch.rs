use std::fs;

use anyhow::{Context as _, bail, ensure};
use image::{Rgb, RgbImage};

use crate::jobs::images::{Options, Rotate};
use crate::jobs::{Item, Job as _, Step};
use crate::join::{self, Context};
use crate::lessons::{RunLog, Trace, WorkerKind};

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

    trace.row(&[&"image", &"was", &"is"]);
    for n in images {
        let size = |file: String| image::image_dimensions(trace.folder().join(file));
        let (was, is) = (size(format!("{n}.png"))?, size(format!("edited/{n}.png"))?);
        trace.row(&[
            &n,
            &format!("{}x{}", was.0, was.1),
            &format!("{}x{}", is.0, is.1),
        ]);
    }
    Ok(())
}

/// What a child process does: its image, in a task of its own.
fn editor(trace: &Trace) -> anyhow::Result<()> {
    let (trace, n) = (trace.clone(), std::env::var("IMAGE")?.parse()?);
    let task = join::spawn("edit", move |context| edit(&trace, context, n))?;
    match task.join()? {
        Ok(()) => Ok(()),
        Err(why) => bail!("{why:#}"),
    }
}

fn edit(trace: &Trace, context: &Context, n: u32) -> anyhow::Result<()> {
    // Image n is so big that it takes n times as long.
    trace.sleep(trace.duration("work") * n);
    let turn = Options {
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
    turn.run_item(&image, context)?;
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
    ensure!(
        complete.len() == 1,
        "it was complete {} times",
        complete.len()
    );
    for n in 1..=images {
        let saved = log.time_of(&format!("image {n}"), "saved")?;
        ensure!(
            saved <= complete[0].at,
            "complete before image {n} was saved"
        );
    }
    ensure!(log.table().len() == images + 1, "an image is missing");
    for row in &log.table()[1..] {
        let (width, height) = row[1].split_once('x').context("no size")?;
        ensure!(
            row[2] == format!("{height}x{width}"),
            "image {} was not turned",
            row[0]
        );
    }
    Ok(())
}

// About the lesson.

use crate::lessons::{Lesson, Level, Parameter, Question, Topic};

pub(super) static LESSON: Lesson = Lesson {
    id: "batch",
    title: "A batch of images",
    topic: Topic::Work,
    level: Level::Medium,
    question: Question {
        text: "A worker for each image loads, turns and saves it. When may the program say \
               \u{201c}batch complete\u{201d}?",
        choices: &[
            "When the last worker was started",
            "When the worker of the last image was joined",
            "When every worker was joined",
        ],
        right: 2,
    },
    parameters: &[
        Parameter::secs("work", "The first image takes (s)", 0.5),
        Parameter::count("images", "Images", 4, 1, 24),
    ],
    worker_kinds: &[WorkerKind::Task, WorkerKind::Process],
    main,
    roles: &[("editor", editor)],
    verify,
    explanation: "\u{201c}Complete\u{201d} is a claim about all images, so all workers must have \
                  ended before it is made. To join the last one that was started is not enough: \
                  the order in which they were started is not the order in which they end, and one \
                  of the others may have the biggest image. One join for each, in any order, is all \
                  it takes; together the joins wait exactly as long as the slowest needs.\n\n\
                  A join tells more than \u{201c}ended\u{201d}. An image that could not be read must \
                  not count as done: here a task's join gives its `Result`, a process its exit code, \
                  and the batch is only complete when all of them are good. Python's `join()` gives \
                  nothing, so there one looks at `exitcode`, or uses an executor. A process for each \
                  image costs some milliseconds more, and a broken image that crashes its decoder \
                  takes only that one along.",
    python: r#"
from multiprocessing import Process
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep

IMAGES = 4
WIDTH, HEIGHT = 64, 48
HEADER = f"P5 {WIDTH} {HEIGHT} 255\n".encode()  # a grey image, one byte for each pixel
TURNED = f"P5 {HEIGHT} {WIDTH} 255\n".encode()

def turn(folder, n):
    image = (folder / f"{n}.pgm").read_bytes()[len(HEADER):]
    sleep(0.5 * n)
    rows = [image[start:start + WIDTH] for start in range(0, len(image), WIDTH)]
    columns = [bytes(column) for column in zip(*reversed(rows))]
    (folder / f"{n} turned.pgm").write_bytes(TURNED + b"".join(columns))
    print("image", n, "saved", flush=True)

if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        folder = Path(folder)
        for n in range(1, IMAGES + 1):
            (folder / f"{n}.pgm").write_bytes(HEADER + bytes(range(WIDTH)) * HEIGHT)
        workers = [Process(target=turn, args=(folder, n)) for n in range(1, IMAGES + 1)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert all(worker.exitcode == 0 for worker in workers)
        print("batch complete:", sorted(path.name for path in folder.glob("* turned.pgm")))
"#,
    plain_std: r#"
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs, io, thread};

const IMAGES: u32 = 4;
const HEADER: &[u8] = b"P5 64 48 255\n"; // a grey image, one byte for each pixel
const TURNED: &[u8] = b"P5 48 64 255\n";

fn turn(folder: &Path, n: u32) -> io::Result<PathBuf> {
    let image = fs::read(folder.join(format!("{n}.pgm")))?;
    thread::sleep(Duration::from_millis(500) * n);
    let rows: Vec<_> = image[HEADER.len()..].chunks(64).rev().collect();
    let columns = (0..64).flat_map(|x| rows.iter().map(move |row| row[x]));
    let turned: Vec<u8> = TURNED.iter().copied().chain(columns).collect();
    let output = folder.join(format!("{n} turned.pgm"));
    fs::write(&output, turned)?;
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
            thread::spawn(move || turn(&folder, n))
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
