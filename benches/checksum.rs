//! Checksum throughput compared with common tools, on the same warm file.
//!
//! All contenders run equally often, in turn, with the file in the page cache. The medians are
//! compared. Meanwhile runs its job as always, in a task at background priority, with progress and
//! cancellation. The others run at the same priority, so other load slows all of them equally.
//!
//! `cargo bench --bench checksum` · `MEANWHILE_BENCH_MIB=4096` changes the size of the file.

#[path = "harness/programs.rs"]
mod programs;

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use meanwhile::jobs::checksum::{Algorithm, Options};
use meanwhile::jobs::{Item, Job as _, Step};
use meanwhile::join::{Builder, Priority};
use programs::{at_background_priority, is_full_run, is_installed, median};

const ROUNDS: usize = 9;

/// The name of a program that computes the same digest, and its arguments before the file.
type Peer = (&'static str, &'static [&'static str]);

fn peers(algorithm: Algorithm) -> &'static [Peer] {
    match algorithm {
        Algorithm::Blake3 => &[("b3sum", &[])],
        Algorithm::Sha256 => &[("sha256sum", &[]), ("openssl", &["dgst", "-sha256"])],
        Algorithm::Sha512 => &[("sha512sum", &[]), ("openssl", &["dgst", "-sha512"])],
        Algorithm::Sha1 => &[("sha1sum", &[]), ("openssl", &["dgst", "-sha1"])],
        Algorithm::Md5 => &[("md5sum", &[]), ("openssl", &["dgst", "-md5"])],
        Algorithm::Sha224 => &[("sha224sum", &[]), ("openssl", &["dgst", "-sha224"])],
        Algorithm::Sha384 => &[("sha384sum", &[]), ("openssl", &["dgst", "-sha384"])],
        Algorithm::Sha512_224 => &[("openssl", &["dgst", "-sha512-224"])],
        Algorithm::Sha512_256 => &[("openssl", &["dgst", "-sha512-256"])],
        Algorithm::Sha3_224 => &[("openssl", &["dgst", "-sha3-224"])],
        Algorithm::Sha3_256 => &[("openssl", &["dgst", "-sha3-256"])],
        Algorithm::Sha3_384 => &[("openssl", &["dgst", "-sha3-384"])],
        Algorithm::Sha3_512 => &[("openssl", &["dgst", "-sha3-512"])],
        Algorithm::Blake2b => &[("b2sum", &[]), ("openssl", &["dgst", "-blake2b512"])],
        Algorithm::Blake2s => &[("openssl", &["dgst", "-blake2s256"])],
        Algorithm::Ripemd160 => &[("rhash", &["--ripemd160"])],
        Algorithm::Sm3 => &[("openssl", &["dgst", "-sm3"])],
        Algorithm::Xxh32 => &[("xxhsum", &["-H0"])],
        Algorithm::Xxh64 => &[("xxhsum", &["-H1"])],
        Algorithm::Xxh128 => &[("xxhsum", &["-H2"])],
        Algorithm::Crc32 => &[("rhash", &["--crc32"])],
        Algorithm::Xxh3 => &[("xxhsum", &["-H3"])],
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let (mib, rounds) = if is_full_run() {
        (size_mib()?, ROUNDS)
    } else {
        (1, 1)
    };
    let folder = std::env::temp_dir().join(format!("meanwhile-bench-{}", std::process::id()));
    std::fs::create_dir(&folder)?;
    let result = write_file(&folder.join("input"), mib)
        .map_err(Into::into)
        .and_then(|()| compare_all(&folder.join("input"), mib, rounds));
    std::fs::remove_dir_all(&folder)?;
    result
}

fn size_mib() -> Result<usize, Box<dyn Error>> {
    Ok(match std::env::var("MEANWHILE_BENCH_MIB") {
        Ok(text) => text.parse()?,
        Err(_) => 1024,
    })
}

/// Writes pseudo-random bytes. Their values do not affect the speed of a hash.
fn write_file(path: &Path, mib: usize) -> std::io::Result<()> {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..mib * (1 << 20) / 8 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        file.write_all(&state.to_le_bytes())?;
    }
    file.flush()
}

fn compare_all(path: &Path, mib: usize, rounds: usize) -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{mib} MiB, median of {rounds} rounds; ratio: our throughput / theirs"
    )?;
    for algorithm in Algorithm::ALL {
        let (installed, missing): (Vec<_>, Vec<_>) = peers(algorithm)
            .iter()
            .partition(|peer| is_installed(peer.0, "--version"));
        let mut ours = Vec::new();
        let mut theirs = vec![Vec::new(); installed.len()];
        for _ in 0..rounds {
            ours.push(run_ours(path, algorithm)?);
            for (peer, times) in installed.iter().zip(&mut theirs) {
                times.push(run_peer(peer, path)?);
            }
        }
        let ours = median(ours);
        write!(out, "{:11} {:7.0} MB/s", algorithm.title(), rate(mib, ours))?;
        for (peer, times) in installed.iter().zip(theirs) {
            let theirs = median(times);
            let ratio = theirs.as_secs_f64() / ours.as_secs_f64();
            write!(
                out,
                "   {} {:.0} MB/s: ratio {ratio:.2}",
                peer.0,
                rate(mib, theirs)
            )?;
        }
        for peer in missing {
            write!(out, "   {}: not installed", peer.0)?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn rate(mib: usize, time: Duration) -> f64 {
    mib as f64 * 1.048_576 / time.as_secs_f64()
}

fn run_ours(path: &Path, algorithm: Algorithm) -> Result<Duration, Box<dyn Error>> {
    let options = Options {
        algorithm,
        ..Options::default()
    };
    let item = Item {
        input: PathBuf::from(path),
        bytes: 0,
        step: Step::Run,
    };
    let start = Instant::now();
    let task = Builder::new("bench")
        .priority(Priority::Background)
        .spawn(move |context| options.run_item(&item, context))?;
    task.join()?.clone()?;
    Ok(start.elapsed())
}

fn run_peer((program, arguments): &Peer, path: &Path) -> Result<Duration, Box<dyn Error>> {
    let start = Instant::now();
    let mut command = at_background_priority(program);
    let status = command
        .args(*arguments)
        .arg(path)
        .stdout(Stdio::null())
        .status()?;
    if !status.success() {
        return Err(format!("{program} ended with {status}").into());
    }
    Ok(start.elapsed())
}
