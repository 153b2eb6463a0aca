//! Counts the lines of files on a pool: progress on stderr, results on stdout in the order of their
//! names. Ctrl-C cancels the rest.
//!
//! `cargo run -p meanwhile-join --example batch -- FILE…`, by default those of this folder.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use meanwhile_join::{
    Builder, CancelToken, Context, Pool, Priority, Task, WaitOutcome, WaitUntil, cancellable,
    wait_timeout,
};

type Count = Task<io::Result<u64>>;

fn main() -> anyhow::Result<ExitCode> {
    let stop = CancelToken::new();
    let ctrl_c = stop.clone();
    ctrlc::set_handler(move || ctrl_c.cancel())?;

    let mut files: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    if files.is_empty() {
        let here = fs::read_dir(".")?.flatten();
        files.extend(here.map(|entry| entry.path()).filter(|path| path.is_file()));
    }
    files.sort();

    // A pool is in the background, unless someone waits for it.
    let pool = Pool::builder().priority(Priority::Normal).build()?;
    let mut counts = Vec::new();
    for file in files {
        let task = Builder::new(file.display().to_string()).cancel_token(&stop);
        let count = cancellable(move |context| count_lines(&file, context));
        counts.push(task.spawn_on(&pool, count)?);
    }
    show_progress(&counts)?;
    let failed = print_results(&counts)?;
    Ok(match failed {
        0 => ExitCode::SUCCESS,
        _ if stop.is_cancelled() => ExitCode::from(130), // as in a shell
        _ => ExitCode::FAILURE,
    })
}

fn count_lines(file: &Path, context: &Context) -> io::Result<u64> {
    let file = File::open(file)?;
    let total = file.metadata()?.len();
    let mut reader = BufReader::new(file);
    let (mut lines, mut done) = (0, 0);
    loop {
        context.check()?; // a cancel
        let bytes = reader.fill_buf()?;
        if bytes.is_empty() {
            return Ok(lines);
        }
        lines += bytes.iter().map(|&b| u64::from(b == b'\n')).sum::<u64>();
        let len = bytes.len();
        reader.consume(len);
        done += len as u64;
        context.set_progress(done, total);
    }
}

/// Shows the progress ten times a second, until all have ended.
fn show_progress(counts: &[Count]) -> io::Result<()> {
    let mut stderr = io::stderr();
    loop {
        let waited = wait_timeout(counts, WaitUntil::All, Duration::from_millis(100));
        let done = counts.len() - waited.pending.len();
        let bytes: u64 = counts.iter().map(|count| count.progress().done).sum();
        write!(stderr, "\r{done} of {} files, {bytes} bytes", counts.len())?;
        if waited.end != WaitOutcome::TimedOut {
            return writeln!(stderr);
        }
    }
}

/// Returns the number of files that were not counted.
fn print_results(counts: &[Count]) -> io::Result<usize> {
    let (mut stdout, mut stderr) = (io::stdout().lock(), io::stderr());
    let mut failed = 0;
    for count in counts {
        let why = match count.join() {
            Ok(Ok(lines)) => {
                writeln!(stdout, "{lines:8}  {}", count.name())?;
                continue;
            }
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(), // cancelled
        };
        writeln!(stderr, "{}: {why}", count.name())?;
        failed += 1;
    }
    Ok(failed)
}
