//! Many files by the whole program: their checksums, compared with `find | xargs b3sum`, and an audit that
//! reads what has changed, which is nothing, compared with the first one, which reads all and writes the list,
//! with a thorough one, which reads all, and with `find -newer`. Some large files: their checksums, two files at
//! a time, compared with `find | xargs -P2`.
//!
//! All files are in the page cache. Each round is one run over all of them, with the start of the program.
//! The processor time is that of the program and of all that it starts.
//!
//! `cargo bench --bench files` · `MEANWHILE_BENCH_FILES=10000` changes the number of many files, and
//! `MEANWHILE_BENCH_KIB=256` their length. With `MEANWHILE_BENCH_COLD=1`, as root on Linux, the audits begin
//! without anything in the page cache, as the first one of a person does.

mod harness;
#[path = "harness/whole_programs.rs"]
mod whole_programs;

use std::error::Error;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

use harness::{Bench, Contender};
use whole_programs::MEASURES;

const FILES: usize = 50_000;
const KIB: usize = 4;
const FILES_IN_FOLDER: usize = 500;
const ROUNDS: usize = 9;

const LARGE_FILES: usize = 8;
const LARGE_KIB: usize = 64 * 1024;

/// An algorithm, and the programs that compute it.
type Peers = (&'static str, [&'static str; 2]);

const PEERS: [Peers; 2] = [
    ("md5", ["md5sum", "openssl dgst -md5"]),
    ("sha512", ["sha512sum", "openssl dgst -sha512"]),
];

fn main() -> Result<(), Box<dyn Error>> {
    let bench = Bench::from_args();
    let count = bench.many(number("MEANWHILE_BENCH_FILES", FILES)?);
    let kib = number("MEANWHILE_BENCH_KIB", KIB)?;
    let folder = tempfile::tempdir()?;
    let files = folder.path().join("files");
    write_files(&files, count, kib)?;
    compare_checksums(&bench, &files, &format!("{count} files of {kib} KiB"))?;
    compare_audits(&bench, &files, &folder.path().join("list"))?;
    fs::remove_dir_all(&files)?;
    write_files(&files, bench.many(LARGE_FILES), bench.many(LARGE_KIB))?;
    compare_large_files(&bench, &files)
}

fn compare_checksums(bench: &Bench, files: &Path, what: &str) -> Result<(), Box<dyn Error>> {
    for (of, measure) in MEASURES {
        let mut contenders: Vec<Contender<'_>> = vec![(
            "meanwhile",
            Box::new(|| measure(ours(&["checksum".as_ref(), files.as_ref()]))),
        )];
        if Command::new("b3sum").arg("--version").output().is_ok() {
            let b3sum = || measure(b3sum(files));
            contenders.push(("find | xargs b3sum", Box::new(b3sum)));
        }
        let title = format!("{of} of BLAKE3 of {what}");
        bench.compare(&title, ROUNDS, 0.5, 1.0, contenders)?;
    }
    Ok(())
}

fn compare_large_files(bench: &Bench, files: &Path) -> Result<(), Box<dyn Error>> {
    let (of, measure) = MEASURES[0];
    for (algorithm, peers) in PEERS {
        let words = [
            "checksum".as_ref(),
            "--algorithm".as_ref(),
            algorithm.as_ref(),
            files.as_ref(),
        ];
        let mut contenders: Vec<Contender<'_>> =
            vec![("meanwhile", Box::new(|| measure(ours(&words))))];
        for peer in peers {
            let program = peer.split(' ').next().unwrap_or(peer);
            if Command::new(program).arg("--version").output().is_ok() {
                let run = move || measure(two_at_a_time(peer, files));
                contenders.push((peer, Box::new(run)));
            }
        }
        let title = format!("{of} of {algorithm} of large files, two at a time");
        bench.compare(&title, ROUNDS, 0.5, 1.0, contenders)?;
    }
    Ok(())
}

fn compare_audits(bench: &Bench, files: &Path, list: &Path) -> Result<(), Box<dyn Error>> {
    let audit = |more: &[&str]| {
        let words = [
            "audit".as_ref(),
            files.as_ref(),
            "--against".as_ref(),
            list.as_ref(),
        ];
        let mut command = ours(&words);
        command.args(more);
        command
    };
    if !audit(&["--renew"]).output()?.status.success() {
        return Err("the list was not made".into());
    }
    let is_cold = std::env::var_os("MEANWHILE_BENCH_COLD").is_some();
    let first_list = list.with_extension("first");
    let first = || {
        fs::remove_file(&first_list).ok();
        let words = ["audit".as_ref(), files.as_ref(), "--renew".as_ref()];
        let mut command = ours(&words);
        command.arg("--against").arg(&first_list);
        command
    };
    let find = || {
        let mut command = Command::new("find");
        command.arg(files).arg("-newer").arg(list);
        command
    };
    for (of, measure) in MEASURES {
        let measure = move |command| {
            if is_cold {
                empty_page_cache();
            }
            measure(command)
        };
        let contenders: Vec<Contender<'_>> = vec![
            ("audit", Box::new(|| measure(audit(&[])))),
            ("the first audit", Box::new(|| measure(first()))),
            (
                "audit --thorough",
                Box::new(|| measure(audit(&["--thorough"]))),
            ),
            ("find -newer", Box::new(|| measure(find()))),
        ];
        let cold = if is_cold { ", nothing cached" } else { "" };
        let title = format!("{of} of an audit of them{cold}");
        bench.compare(&title, ROUNDS, 0.5, 1.0, contenders)?;
    }
    Ok(())
}

/// Writes what is not on the disk yet, which else stays in the page cache, and forgets that.
fn empty_page_cache() {
    let synced = Command::new("sync").status().expect("it starts");
    assert!(synced.success(), "{synced}");
    fs::write("/proc/sys/vm/drop_caches", "3")
        .expect("only root on Linux may empty the page cache");
}

fn number(variable: &str, default: usize) -> Result<usize, Box<dyn Error>> {
    Ok(match std::env::var(variable) {
        Ok(text) => text.parse()?,
        Err(_) => default,
    })
}

/// Writes files with different contents into folders.
fn write_files(folder: &Path, count: usize, kib: usize) -> std::io::Result<()> {
    let mut content = vec![0; kib * 1024];
    for number in 0..count {
        let folder = folder.join((number / FILES_IN_FOLDER).to_string());
        if number % FILES_IN_FOLDER == 0 {
            fs::create_dir_all(&folder)?;
        }
        content[..8].copy_from_slice(&number.to_le_bytes());
        fs::write(folder.join(number.to_string()), &content)?;
    }
    Ok(())
}

fn ours(words: &[&OsStr]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meanwhile"));
    command.arg("run").args(words);
    command.args(["--workers", "2", "--priority", "normal"]);
    command
}

fn b3sum(folder: &Path) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", r#"find "$1" -type f -print0 | xargs -0 b3sum"#, "sh"]);
    command.arg(folder);
    command
}

fn two_at_a_time(program: &str, folder: &Path) -> Command {
    let mut command = Command::new("sh");
    let line = format!(r#"find "$1" -type f -print0 | xargs -0 -n1 -P2 {program}"#);
    command.args(["-c", &line, "sh"]).arg(folder);
    command
}
