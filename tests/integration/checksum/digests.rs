//! Digests are right for every algorithm, size and number of threads.

use std::collections::BTreeSet;
#[cfg(target_os = "linux")]
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use meanwhile::jobs::checksum::{
    Algorithm, ChecksumError, DigestMonitor, UnknownAlgorithm, digest_file,
};
use meanwhile::jobs::{Item, Job as _, Output, Step};
use meanwhile::join::{self, JoinError};

use super::{NoMonitor, compute, run_item};
use crate::util::child::in_child;
use crate::util::files::{bytes, folder, run, write};
#[cfg(target_os = "linux")]
use crate::util::policy;

const MIB: usize = 1024 * 1024;

#[test]
fn digests_match_published_test_vectors() {
    let folder = folder();
    let vectors: [(Algorithm, &[u8], &str); 10] = [
        (
            Algorithm::Blake3,
            b"",
            "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262",
        ),
        (
            Algorithm::Blake3,
            b"abc",
            "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85",
        ),
        (
            Algorithm::Sha256,
            b"abc",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        (
            Algorithm::Sha512,
            b"abc",
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
             2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        ),
        (
            Algorithm::Sha1,
            b"abc",
            "a9993e364706816aba3e25717850c26c9cd0d89d",
        ),
        (Algorithm::Md5, b"abc", "900150983cd24fb0d6963f7d28e17f72"),
        (Algorithm::Crc32, b"", "00000000"),
        (Algorithm::Crc32, b"123456789", "cbf43926"),
        (Algorithm::Xxh3, b"", "2d06800538d394c2"),
        (Algorithm::Xxh3, b"abc", "78af5f94892f3950"),
    ];
    for (algorithm, input, digest) in vectors {
        let path = write(folder.path(), "input", input);
        let checksum = digest_file(&path, algorithm, &NoMonitor).unwrap();
        assert_eq!(checksum.digest, digest, "{algorithm} of {input:?}");
        assert_eq!(checksum.bytes, input.len() as u64);
        assert_eq!(checksum.digest.len(), algorithm.hex_len());
    }
}

/// Records whether idle or other threads read a file.
#[cfg(target_os = "linux")]
#[derive(Default)]
struct Readers {
    idle: AtomicBool,
    other: AtomicBool,
}

#[cfg(target_os = "linux")]
impl DigestMonitor for Readers {
    fn did_read(&self, _done: u64, _total: u64) {
        let is_idle = policy::is_idle(Path::new("/proc/thread-self")).expect("this thread runs");
        let kind = if is_idle { &self.idle } else { &self.other };
        kind.store(true, Ordering::Relaxed);
    }

    fn is_cancelled(&self) -> bool {
        false
    }
}

#[test]
#[cfg(target_os = "linux")]
fn hashing_threads_have_the_priority_of_the_task() {
    let folder = folder();
    let path = write(folder.path(), "big", bytes(8 * MIB));
    for (priority, kinds) in [
        (join::Priority::Background, (true, false)),
        (join::Priority::Normal, (false, true)),
        (join::Priority::Background, (true, false)),
    ] {
        let path = path.clone();
        let task = join::Builder::new("hash")
            .priority(priority)
            .spawn(move |_| {
                let readers = Readers::default();
                digest_file(&path, Algorithm::Blake3, &readers).unwrap();
                (readers.idle.into_inner(), readers.other.into_inner())
            });
        assert_eq!(*task.unwrap().join().unwrap(), kinds, "{priority:?}");
    }
}

/// Collects the names of the threads that read a file, or panics.
struct ThreadNames {
    names: Mutex<BTreeSet<String>>,
    panics: bool,
}

impl DigestMonitor for ThreadNames {
    fn did_read(&self, _done: u64, _total: u64) {
        assert!(!self.panics, "simulated");
        let name = std::thread::current().name().unwrap_or_default().to_owned();
        self.names.lock().expect("never poisoned").insert(name);
    }

    fn is_cancelled(&self) -> bool {
        false
    }
}

#[test]
fn panic_in_monitor_keeps_later_digests_parallel() {
    if std::thread::available_parallelism().unwrap().get() == 1 {
        return;
    }
    // Tests in the same process would use the same threads.
    let test = "checksum::digests::panic_in_monitor_keeps_later_digests_parallel";
    in_child(test, || {
        let folder = folder();
        let path = write(folder.path(), "big", bytes(8 * MIB));
        let readers = |panics| {
            let path = path.clone();
            let task = join::spawn("hash", move |_| {
                let names = Mutex::default();
                let monitor = ThreadNames { names, panics };
                digest_file(&path, Algorithm::Blake3, &monitor).unwrap();
                monitor.names.into_inner().unwrap()
            });
            task.unwrap().join().cloned()
        };
        assert!(readers(true).is_err());
        let names = readers(false).unwrap();
        assert!(
            names.iter().any(|name| name.starts_with("blake3-")),
            "{names:?}"
        );
    });
}

#[test]
fn digests_match_coreutils() {
    let folder = folder();
    let tools = [
        (Algorithm::Sha256, "sha256sum"),
        (Algorithm::Sha512, "sha512sum"),
        (Algorithm::Sha1, "sha1sum"),
        (Algorithm::Md5, "md5sum"),
    ];
    for len in [
        1,
        63,
        64,
        65,
        256 * 1024 - 1,
        256 * 1024,
        256 * 1024 + 1,
        MIB + 7,
    ] {
        let path = write(folder.path(), "input", bytes(len));
        for (algorithm, tool) in tools {
            let (_, theirs) = run(folder.path(), tool, &["input".as_ref()]);
            let ours = digest_file(&path, algorithm, &NoMonitor).unwrap();
            assert_eq!(
                ours.digest.as_bytes(),
                &theirs[..algorithm.hex_len()],
                "{tool} {len}"
            );
        }
    }
}

#[test]
fn parallel_blake3_is_right_at_piece_boundaries() {
    let folder = folder();
    let bytes = bytes(65 * MIB);
    for len in [
        MIB - 1,
        MIB,
        MIB + 1,
        3 * MIB + 1024,
        32 * MIB - 1,
        32 * MIB,
        32 * MIB + 1,
        64 * MIB + 1,
        65 * MIB,
    ] {
        let path = write(folder.path(), "input", &bytes[..len]);
        let checksum = digest_file(&path, Algorithm::Blake3, &NoMonitor).unwrap();
        assert_eq!(
            checksum.digest,
            blake3::hash(&bytes[..len]).to_hex().as_str(),
            "{len}"
        );
        assert_eq!(checksum.bytes, len as u64);
    }
}

#[test]
fn concurrent_large_files_have_right_digests() {
    let folder = folder();
    let bytes = bytes(9 * MIB);
    let paths = [3, 5, 7, 9].map(|mib| {
        let path = write(folder.path(), format!("{mib}"), &bytes[..mib * MIB]);
        (path, blake3::hash(&bytes[..mib * MIB]).to_hex().to_string())
    });
    let tasks: Vec<_> = paths
        .iter()
        .cycle()
        .take(32)
        .map(|(path, digest)| {
            let (path, digest) = (path.clone(), digest.clone());
            join::spawn("digest", move |_| {
                let checksum = digest_file(&path, Algorithm::Blake3, &NoMonitor).unwrap();
                assert_eq!(checksum.digest, digest);
            })
            .unwrap()
        })
        .collect();
    for task in tasks {
        task.join().unwrap();
    }
}

#[test]
fn file_with_length_0_in_proc_is_read_to_the_end() {
    let folder = folder();
    let (_, theirs) = run(folder.path(), "sha256sum", &["/proc/version".as_ref()]);
    let path = "/proc/version".as_ref();
    let ours = digest_file(path, Algorithm::Sha256, &NoMonitor).unwrap();
    assert_eq!(ours.digest.as_bytes(), &theirs[..64]);
    assert_ne!(ours.bytes, 0);
}

#[derive(Default)]
struct Progress {
    calls: AtomicU64,
    last: AtomicU64,
    cancelled: AtomicBool,
    cancels: bool,
}

impl DigestMonitor for Progress {
    fn did_read(&self, done: u64, total: u64) {
        assert!(done <= total);
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.last.store(done, Ordering::SeqCst);
        self.cancelled.store(self.cancels, Ordering::SeqCst);
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::SeqCst)
    }
}

#[test]
fn progress_counts_bytes_up_to_the_length() {
    let folder = folder();
    let path = write(folder.path(), "input", bytes(5 * MIB));
    for algorithm in Algorithm::ALL {
        let progress = Progress::default();
        digest_file(&path, algorithm, &progress).unwrap();
        assert_eq!(progress.last.into_inner(), 5 * MIB as u64, "{algorithm}");
        assert!(progress.calls.into_inner() >= 20, "{algorithm}");
    }
}

#[test]
fn cancel_is_checked_for_every_chunk() {
    let folder = folder();
    let path = write(folder.path(), "input", bytes(40 * MIB));
    for algorithm in Algorithm::ALL {
        let progress = Progress {
            cancels: true,
            ..Progress::default()
        };
        let outcome = digest_file(&path, algorithm, &progress);
        assert!(
            matches!(outcome, Err(ChecksumError::Cancelled { .. })),
            "{algorithm}"
        );
        // Each thread may finish its current piece.
        let threads = std::thread::available_parallelism().unwrap().get() as u64;
        assert!(progress.calls.into_inner() <= threads, "{algorithm}");
    }
}

#[test]
fn cancelled_item_ends_as_cancelled() {
    let folder = folder();
    let item = Item {
        input: write(folder.path(), "input", bytes(MIB)),
        bytes: MIB as u64,
        step: Step::Run,
    };
    let (started, asked) = (
        crate::util::gate::Gate::new(),
        crate::util::gate::Gate::new(),
    );
    let task = join::spawn("digest", {
        let (started, asked) = (started.clone(), asked.clone());
        move |context| {
            started.open();
            asked.pass();
            compute(Algorithm::Sha256).run_item(&item, context)
        }
    })
    .unwrap();
    started.pass();
    task.cancel();
    asked.open();
    assert!(matches!(task.join(), Err(JoinError::Cancelled)));
}

#[test]
fn item_returns_its_checksum() {
    let folder = folder();
    let item = Item {
        input: write(folder.path(), "input", "abc"),
        bytes: 3,
        step: Step::Run,
    };
    let checksum = run_item(&compute(Algorithm::Md5), &item).unwrap();
    assert_eq!(checksum.digest, "900150983cd24fb0d6963f7d28e17f72");
    assert!(!checksum.verified);
    let output = Output::Checksum(checksum);
    assert_eq!(output.to_string(), "900150983cd24fb0d6963f7d28e17f72");
}

#[test]
fn algorithm_parses_from_id_and_title() {
    for algorithm in Algorithm::ALL {
        assert_eq!(algorithm.id().parse(), Ok(algorithm));
        assert_eq!(algorithm.title().parse(), Ok(algorithm));
    }
    let sha256 = Algorithm::Sha256;
    assert_eq!((sha256.id(), sha256.title()), ("sha256", "SHA-256"));
    assert_eq!(Algorithm::ALL.len(), 7);
    let error = "sha3".parse::<Algorithm>().unwrap_err();
    assert_eq!(error, UnknownAlgorithm("sha3".to_owned()));
    let sentence = "\"sha3\" is not a checksum algorithm; choose one of blake3, sha256, ";
    assert!(error.to_string().starts_with(sentence), "{error}");
}
