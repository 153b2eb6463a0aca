//! The cost of isolated processes. The same job runs in processes and on the pool.
//!
//! Each round is a whole job over files in the page cache, with the start of its workers.
//!
//! `cargo bench --bench isolation`

mod harness;

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use harness::{Bench, Contender, timed};
use meanwhile::board::{self, JobBoard};
use meanwhile::jobs::checksum::{self, Algorithm};
use meanwhile::jobs::{JobSpec, Options, Priority, RunOn};
use meanwhile::join::process::Launcher;
use meanwhile::record::Record;

fn main() -> io::Result<ExitCode> {
    Launcher::install();
    // The workers are this program.
    if let Some(code) = board::run_as_worker() {
        return Ok(code);
    }
    let bench = Bench::from_args();
    let large = 64 << 20;
    compare(&bench, Algorithm::Blake3, 16, large)?;
    compare(&bench, Algorithm::Sha256, 16, large)?;
    compare(&bench, Algorithm::Blake3, 10_000, 4096)?;
    Ok(ExitCode::SUCCESS)
}

fn compare(bench: &Bench, algorithm: Algorithm, files: usize, bytes: u64) -> io::Result<()> {
    let files = bench.many(files);
    let folder = tempfile::tempdir()?;
    for number in 0..files {
        fill(&folder.path().join(number.to_string()), bytes)?;
    }
    let path = folder.path();
    let on = |run_on| move || hash(path, files, algorithm, run_on);
    let contenders: Vec<Contender<'_>> = vec![
        ("isolated processes", Box::new(on(RunOn::Process))),
        ("the pool", Box::new(on(RunOn::Pool))),
    ];
    let title = format!("{} of {files} files of {bytes} bytes", algorithm.title());
    bench.compare(&title, 9, 0.5, 1.0, contenders)
}

/// Creates a file of random bytes.
fn fill(path: &Path, bytes: u64) -> io::Result<()> {
    let mut source = File::open("/dev/urandom")?.take(bytes);
    io::copy(&mut source, &mut File::create(path)?)?;
    Ok(())
}

/// Runs a whole job, and returns its time.
fn hash(folder: &Path, files: usize, algorithm: Algorithm, run_on: RunOn) -> Duration {
    let mut board = JobBoard::new(|| {});
    let options = checksum::Options {
        algorithm,
        ..checksum::Options::default()
    };
    let spec = JobSpec {
        inputs: vec![PathBuf::from(folder)].into(),
        run_on,
        workers: 2,
        priority: Priority::Normal,
        ..JobSpec::new(Options::Checksum(options))
    };
    let mut job = None;
    let time = timed(|| {
        let started = board.start(spec).expect("the system has a thread left");
        board.join_blocking(started, None);
        job = Some(started);
    });
    let mut record = Record::default();
    for event in board.poll(usize::MAX) {
        record.apply(event);
    }
    let job = job.and_then(|job| record.job(job)).expect("it is recorded");
    assert_eq!(job.counts().returned, files);
    time
}
