//! Shrinking photographs compared with libvips and ImageMagick, on the same warm files.
//!
//! All contenders run equally often, in turn. The medians are compared, of the time and of the
//! processor time. Meanwhile runs its job as always, on a board at background priority, with progress
//! and cancellation, and syncs each result to the disk. The others run at the same priority, once for
//! all files with their own threads (`vipsthumbnail`, `mogrify`), and once for each file with one
//! process per core (`convert`). All write the same format, a JPEG at the same quality.
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
#[cfg(unix)]
use nix::sys::resource::{UsageWho, getrusage};
#[cfg(unix)]
use nix::sys::time::TimeValLike as _;
use programs::{at_background_priority, is_full_run, is_installed, median};

const ROUNDS: usize = 5;
const FILES: usize = 20;

/// Twelve million pixels, as from the camera of a phone.
const SIZE: (u32, u32) = (4000, 3000);

/// The name of a contender, the program that it needs with the argument that prints its version, and its run.
type Contender = (
    &'static str,
    Option<(&'static str, &'static str)>,
    fn(&Photos) -> Result<(), Box<dyn Error>>,
);

const CONTENDERS: [Contender; 4] = [
    ("Meanwhile", None, run_ours),
    (
        "vipsthumbnail, all at once",
        Some(("vipsthumbnail", "--vips-version")),
        run_vips,
    ),
    (
        "mogrify, all at once",
        Some(("mogrify", "-version")),
        run_mogrify,
    ),
    (
        "convert, a process each",
        Some(("convert", "-version")),
        run_convert,
    ),
];

/// The quality of the JPEGs that all write: that of our job.
const QUALITY: u8 = 85;

struct Photos {
    folder: PathBuf,
    inputs: Vec<PathBuf>,
    extension: &'static str,
    /// The size of the photographs, in pixels.
    size: (u32, u32),
}

impl Photos {
    /// The arguments of ImageMagick for the quality, which is that of a JPEG alone.
    fn magick_quality(&self) -> Vec<String> {
        match self.extension {
            "jpg" => vec!["-quality".to_owned(), QUALITY.to_string()],
            _ => Vec::new(),
        }
    }
}

/// What a round took.
struct Took {
    time: Duration,
    processor: Duration,
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
    extension: &'static str,
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
    let photos = Photos {
        folder,
        inputs,
        extension,
        size,
    };
    let is_there = |(_, program, _): &&Contender| {
        program.is_none_or(|(name, version)| is_installed(name, version))
    };
    let contenders: Vec<&Contender> = CONTENDERS.iter().filter(is_there).collect();
    let mut rounds_of: Vec<Vec<Took>> = contenders.iter().map(|_| Vec::new()).collect();
    for round in 0..rounds {
        for turn in 0..contenders.len() {
            let contender = (turn + round) % contenders.len();
            rounds_of[contender].push(took(contenders[contender], &photos)?);
        }
    }
    let medians: Vec<Took> = rounds_of.iter().map(|rounds| median_of(rounds)).collect();
    let mut out = std::io::stdout().lock();
    let (width, height) = size;
    writeln!(
        out,
        "{files} {extension} files of {width} × {height} to 25 %, median of {rounds} rounds; ratios: our throughput / theirs, our processor time / theirs"
    )?;
    for ((name, ..), took) in contenders.iter().zip(&medians) {
        let rate = files as f64 / took.time.as_secs_f64();
        let ratio = took.time.as_secs_f64() / medians[0].time.as_secs_f64();
        let each = took.processor.as_secs_f64() * 1e3 / files as f64;
        let share = medians[0].processor.as_secs_f64() / took.processor.as_secs_f64();
        writeln!(
            out,
            "    {name:<28} {rate:6.1} files/s   ratio {ratio:.2}   processor {each:6.1} ms a file   ratio {share:.2}"
        )?;
    }
    Ok(())
}

fn took((_, _, run): &Contender, photos: &Photos) -> Result<Took, Box<dyn Error>> {
    let (start, before) = (Instant::now(), processor_time()?);
    run(photos)?;
    Ok(Took {
        time: start.elapsed(),
        processor: processor_time()?.saturating_sub(before),
    })
}

/// The processor time of this process and of the others that it has waited for.
fn processor_time() -> Result<Duration, Box<dyn Error>> {
    let mut sum = Duration::ZERO;
    #[cfg(unix)]
    for who in [UsageWho::RUSAGE_SELF, UsageWho::RUSAGE_CHILDREN] {
        let usage = getrusage(who)?;
        for time in [usage.user_time(), usage.system_time()] {
            sum += Duration::from_micros(u64::try_from(time.num_microseconds())?);
        }
    }
    Ok(sum)
}

fn median_of(rounds: &[Took]) -> Took {
    Took {
        time: median(rounds.iter().map(|took| took.time).collect()),
        processor: median(rounds.iter().map(|took| took.processor).collect()),
    }
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
        quality: QUALITY,
        ..Options::default()
    };
    options.set_size(Size::Percent(25.0));
    let mut board = JobBoard::new(|| ());
    let job = board.start(JobSpec {
        options: jobs::Options::Images(options),
        inputs: photos.inputs.clone().into(),
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

fn run_vips(photos: &Photos) -> Result<(), Box<dyn Error>> {
    let (width, height) = (photos.size.0 / 4, photos.size.1 / 4);
    let name = match photos.extension {
        "jpg" => format!("%s.jpg[Q={QUALITY}]"),
        extension => format!("%s.{extension}"),
    };
    let mut command = at_background_priority("vipsthumbnail");
    command
        .arg(format!("--size={width}x{height}"))
        .arg("--output")
        .arg(photos.folder.join("out").join(name))
        .args(&photos.inputs);
    succeed(&mut command)
}

fn run_mogrify(photos: &Photos) -> Result<(), Box<dyn Error>> {
    let mut command = at_background_priority("mogrify");
    command
        .args(photos.magick_quality())
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
        .arg("out=$1 cores=$2 quality=$3; shift 3; printf '%s\\0' \"$@\" | xargs -0 -P \"$cores\" -I{} sh -c 'convert \"$1\" $3 -filter Lanczos -resize 25% \"$2/${1##*/}\"' sh {} \"$out\" \"$quality\"")
        .arg("sh")
        .arg(out)
        .arg(cores)
        .arg(photos.magick_quality().join(" "))
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
