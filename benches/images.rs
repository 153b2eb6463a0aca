//! Shrinking photographs compared with ImageMagick, on the same warm files.
//!
//! All contenders run equally often, in turn. The medians are compared. Meanwhile runs its job as
//! always, on a board at background priority, with progress and cancellation, and syncs each result
//! to the disk. ImageMagick runs at the same priority, once for all files with its own threads
//! (`mogrify`), and once for each file with one process per core (`convert`).
//!
//! `cargo bench --bench images` · `MEANWHILE_BENCH_FILES=40` changes the number of files.

#[path = "harness/programs.rs"]
mod programs;

use std::error::Error;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use image::{DynamicImage, RgbImage};
use meanwhile::board::JobBoard;
use meanwhile::jobs::images::{IfExists, Options, Size};
use meanwhile::jobs::{self, JobSpec, Priority, RunOn};
use meanwhile::record::{EventKind, JobState};
use programs::{at_background_priority, is_full_run, is_installed, median};

const ROUNDS: usize = 5;
const FILES: usize = 20;

/// Twelve million pixels, as from the camera of a phone.
const SIZE: (u32, u32) = (4000, 3000);

type Contender = (&'static str, fn(&Photos) -> Result<(), Box<dyn Error>>);

const CONTENDERS: [Contender; 3] = [
    ("Meanwhile", run_ours),
    ("mogrify, all files at once", run_mogrify),
    ("convert, a process each", run_convert),
];

struct Photos {
    folder: PathBuf,
    inputs: Vec<PathBuf>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let (files, rounds, size) = if is_full_run() {
        (file_count()?, ROUNDS, SIZE)
    } else {
        (2, 1, (40, 30))
    };
    let folder = std::env::temp_dir().join(format!("meanwhile-bench-{}", std::process::id()));
    let result = ["jpg", "png"]
        .into_iter()
        .try_for_each(|extension| compare(&folder, extension, files, size, rounds));
    std::fs::remove_dir_all(&folder)?;
    result
}

fn file_count() -> Result<usize, Box<dyn Error>> {
    Ok(match std::env::var("MEANWHILE_BENCH_FILES") {
        Ok(text) => text.parse()?,
        Err(_) => FILES,
    })
}

fn compare(
    folder: &Path,
    extension: &str,
    files: usize,
    size: (u32, u32),
    rounds: usize,
) -> Result<(), Box<dyn Error>> {
    let folder = folder.join(extension);
    std::fs::create_dir_all(folder.join("out"))?;
    let original = folder.join(format!("0.{extension}"));
    photo(size).save(&original)?;
    let mut inputs = vec![original];
    for number in 1..files {
        let copy = folder.join(format!("{number}.{extension}"));
        std::fs::copy(&inputs[0], &copy)?;
        inputs.push(copy);
    }
    let photos = Photos { folder, inputs };
    let installed: Vec<&Contender> = CONTENDERS
        .iter()
        .filter(|(name, _)| *name == "Meanwhile" || is_installed("mogrify", "-version"))
        .collect();
    let mut times = vec![Vec::new(); installed.len()];
    for round in 0..rounds {
        for turn in 0..installed.len() {
            let contender = (turn + round) % installed.len();
            let start = Instant::now();
            installed[contender].1(&photos)?;
            times[contender].push(start.elapsed());
        }
    }
    let medians: Vec<Duration> = times.into_iter().map(median).collect();
    let mut out = std::io::stdout().lock();
    let (width, height) = size;
    writeln!(
        out,
        "{files} {extension} files of {width} × {height} to 25 %, median of {rounds} rounds; ratio: our throughput / theirs"
    )?;
    for ((name, _), time) in installed.iter().zip(&medians) {
        let rate = files as f64 / time.as_secs_f64();
        let ratio = time.as_secs_f64() / medians[0].as_secs_f64();
        writeln!(out, "    {name:<28} {rate:6.1} files/s   ratio {ratio:.2}")?;
    }
    Ok(())
}

/// An image with slopes, edges and some noise, like a photograph.
fn photo((width, height): (u32, u32)) -> DynamicImage {
    let mut state = 0x9e37_79b9_u32;
    let image = RgbImage::from_fn(width, height, |x, y| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        let noise = state % 12;
        let edge = if (x / 400 + y / 300).is_multiple_of(2) {
            40
        } else {
            0
        };
        let value = |slope: u32| u8::try_from(slope % 180 + edge + noise).unwrap_or(u8::MAX);
        image::Rgb([value(x / 23), value(y / 17), value((x + y) / 40)])
    });
    image.into()
}

fn run_ours(photos: &Photos) -> Result<(), Box<dyn Error>> {
    let mut options = Options {
        to: photos.folder.join("out"),
        existing: IfExists::Overwrite,
        ..Options::default()
    };
    options.set_size(Size::Percent(25.0));
    let mut board = JobBoard::new(|| ());
    let job = board.start(JobSpec {
        options: jobs::Options::Images(options),
        inputs: photos.inputs.clone(),
        run_on: RunOn::Pool,
        workers: cores(),
        priority: Priority::Background,
    })?;
    board.join_blocking(job, None);
    let mut events = board.poll(usize::MAX).into_iter();
    let returned = |kind: &EventKind| {
        matches!(
            kind,
            EventKind::JobDidFinish {
                state: JobState::Returned
            }
        )
    };
    if !events.any(|event| returned(&event.kind)) {
        return Err("an image was not saved".into());
    }
    Ok(())
}

fn run_mogrify(photos: &Photos) -> Result<(), Box<dyn Error>> {
    let mut command = at_background_priority("mogrify");
    command
        .args(["-filter", "Lanczos", "-resize", "25%", "-path"])
        .arg(photos.folder.join("out"))
        .args(&photos.inputs);
    succeed(&mut command)
}

fn run_convert(photos: &Photos) -> Result<(), Box<dyn Error>> {
    let out = photos.folder.join("out");
    let cores = cores().to_string();
    let mut command = at_background_priority("sh");
    command
        .env("MAGICK_THREAD_LIMIT", "1")
        .arg("-c")
        .arg("out=$1 cores=$2; shift 2; printf '%s\\0' \"$@\" | xargs -0 -P \"$cores\" -I{} sh -c 'convert \"$1\" -filter Lanczos -resize 25% \"$2/${1##*/}\"' sh {} \"$out\"")
        .arg("sh")
        .arg(out)
        .arg(cores)
        .args(&photos.inputs);
    succeed(&mut command)
}

fn succeed(command: &mut Command) -> Result<(), Box<dyn Error>> {
    let status = command.stdout(Stdio::null()).status()?;
    if status.success() {
        return Ok(());
    }
    Err(format!("{command:?} ended with {status}").into())
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
