//! Digests are right for every algorithm, size and number of threads.

use std::collections::BTreeSet;
#[cfg(target_os = "linux")]
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use meanwhile::jobs::checksum::{
    Algorithm, ChecksumError, Digest, DigestKind, DigestMonitor, Options, UnknownAlgorithm,
    digest_file, digests_of_file,
};
use meanwhile::jobs::{Item, ItemError, Job as _, Output, Step};
use meanwhile::join::{self, Cancelled};

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
        assert_eq!(checksum.digest.len(), 2 * algorithm.usual_len());
    }
}

/// Digests of `abc`, by the tools that defined or made them known.
const DIGESTS_OF_ABC: [(&str, &str); 21] = [
    (
        "sha224",
        "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
    ),
    (
        "sha384",
        "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed\
         8086072ba1e7cc2358baeca134c825a7",
    ),
    (
        "sha512-224",
        "4634270f707b6a54daae7530460842e20e37ed265ceee9a43e8924aa",
    ),
    (
        "sha512-256",
        "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23",
    ),
    (
        "sha3-224",
        "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf",
    ),
    (
        "sha3-256",
        "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532",
    ),
    (
        "sha3-384",
        "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b2\
         98d88cea927ac7f539f1edf228376d25",
    ),
    (
        "sha3-512",
        "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e\
         10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0",
    ),
    (
        "blake2b",
        "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1\
         7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923",
    ),
    (
        "blake2b-256",
        "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319",
    ),
    ("blake2b-8", "6b"),
    (
        "blake2s",
        "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982",
    ),
    ("blake2s-128", "aa4938119b1dc7b87cbad0ffd200d0ae"),
    ("blake3-32", "6437b3ac"),
    (
        "blake3-384",
        "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85\
         1fb250ae7393f5d02813b65d521a0d49",
    ),
    ("ripemd160", "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"),
    (
        "sm3",
        "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0",
    ),
    ("xxh32", "32d153ff"),
    ("xxh64", "44bc2cf5ad770999"),
    ("xxh3", "78af5f94892f3950"),
    ("xxh128", "06b05ab6733a618578af5f94892f3950"),
];

#[test]
fn digests_of_any_length_are_those_of_their_tools() {
    let folder = folder();
    let path = write(folder.path(), "input", "abc");
    for (name, digest) in DIGESTS_OF_ABC {
        let kind: DigestKind = name.parse().unwrap();
        assert_eq!(kind.to_string(), name);
        assert_eq!(2 * kind.len(), digest.len(), "{name}");
        let checksum = digest_file(&path, kind, &NoMonitor).unwrap();
        assert_eq!(checksum.digest, digest, "{name}");
    }
}

#[test]
fn several_digests_come_from_one_pass() {
    let folder = folder();
    let all = || Algorithm::ALL.into_iter().map(DigestKind::from);
    let unusual = ["blake2b-160", "blake3-512"].map(|name| name.parse().unwrap());
    let kinds: Vec<_> = all().chain(unusual).collect();
    for len in [0, 1, 3 * MIB + 5] {
        let path = write(folder.path(), "input", bytes(len));
        let progress = Progress::default();
        let file = digests_of_file(&path, &kinds, &progress).unwrap();
        assert_eq!(file.bytes, len as u64);
        assert_eq!(progress.last.into_inner(), len as u64);
        for (kind, digest) in kinds.iter().zip(&file.digests) {
            let alone = digest_file(&path, *kind, &NoMonitor).unwrap();
            assert_eq!(*digest, alone.digest, "{kind} of {len} bytes");
        }
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
        (Algorithm::Sha224, "sha224sum"),
        (Algorithm::Sha384, "sha384sum"),
        (Algorithm::Blake2b, "b2sum"),
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
                &theirs[..2 * algorithm.usual_len()],
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
    let error = task.join().unwrap().as_ref().unwrap_err();
    assert_eq!(*error, ItemError::from(Cancelled));
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
    let lengths = [
        "blake2b-7",
        "blake2b-520",
        "blake2s-264",
        "blake3-0",
        "sha256-128",
        "sha3-255",
    ];
    for name in lengths {
        assert!(name.parse::<DigestKind>().is_err(), "{name}");
    }
    let error = "sha3".parse::<Algorithm>().unwrap_err();
    assert_eq!(error, UnknownAlgorithm("sha3".to_owned()));
    let sentence = "\"sha3\" is not a checksum algorithm; choose one of blake3, sha256, ";
    assert!(error.to_string().starts_with(sentence), "{error}");
}

#[test]
fn tags_of_all_tools_name_their_algorithm() {
    let tags = [
        ("SHA256", "sha256"),
        ("SHA2-256", "sha256"),
        ("sha-512", "sha512"),
        ("SHA2-384", "sha384"),
        ("SHA224", "sha224"),
        ("SHA512/256", "sha512-256"),
        ("SHA2-512/224", "sha512-224"),
        ("SHA3-256", "sha3-256"),
        ("sha3_512", "sha3-512"),
        ("BLAKE2b", "blake2b"),
        ("BLAKE2b-256", "blake2b-256"),
        ("BLAKE2b512", "blake2b"),
        ("BLAKE2S-256", "blake2s"),
        ("BLAKE3", "blake3"),
        ("BLAKE3-128", "blake3-128"),
        ("RIPEMD-160", "ripemd160"),
        ("RMD160", "ripemd160"),
        ("SM3", "sm3"),
        ("XXH3", "xxh3"),
        ("XXH3_128", "xxh128"),
        ("XXH128", "xxh128"),
        ("XXH64", "xxh64"),
        ("XXH32", "xxh32"),
        ("CRC32", "crc32"),
    ];
    for (tag, name) in tags {
        let kind: DigestKind = tag.parse().unwrap_or_else(|error| panic!("{tag}: {error}"));
        assert_eq!(kind.to_string(), name, "{tag}");
        assert_eq!(kind.tag().parse(), Ok(kind), "{tag}");
    }
    for tag in [
        "",
        "SHA",
        "SHA2",
        "XXH3_LE",
        "HMAC-SHA2-256",
        "MD5-128",
        "é",
    ] {
        assert!(tag.parse::<DigestKind>().is_err(), "{tag}");
    }
}

#[test]
fn algorithms_of_a_length_begin_with_the_commonest() {
    let first = |len| Algorithm::of_len(len).next();
    assert_eq!(first(32), Some(Algorithm::Blake3));
    assert_eq!(first(64), Some(Algorithm::Sha512));
    assert_eq!(first(20), Some(Algorithm::Sha1));
    assert_eq!(first(16), Some(Algorithm::Md5));
    assert_eq!(first(4), Some(Algorithm::Crc32));
    assert_eq!(first(5), Some(Algorithm::Blake3));
    assert_eq!(first(0), None);
    for algorithm in Algorithm::ALL {
        let len = algorithm.usual_len();
        assert!(algorithm.fits(len));
        assert!(Algorithm::of_len(len).any(|one| one == algorithm));
        assert_eq!(algorithm.fits(len - 1), algorithm.has_any_length());
    }
}

#[test]
fn options_of_old_settings_have_one_digest() {
    let old = r#"{"algorithm":"sha256","verify":false}"#;
    let options: Options = serde_json::from_str(old).unwrap();
    assert_eq!(options, compute(Algorithm::Sha256));
    assert_eq!(options.kinds(), [Algorithm::Sha256.into()]);
    let new = r#"{"algorithm":"sha256"}"#;
    assert_eq!(serde_json::to_string(&options).unwrap(), new);
}

#[test]
fn options_of_all_algorithms_survive_storage() {
    for algorithm in Algorithm::ALL {
        let options = Options {
            algorithm,
            length: Some(5),
            also: vec![algorithm.into(), "blake2b-160".parse().unwrap()],
            ..Options::default()
        };
        let json = serde_json::to_string(&options).unwrap();
        assert_eq!(serde_json::from_str::<Options>(&json).unwrap(), options);
        let ron = ron::to_string(&options).unwrap();
        assert_eq!(ron::from_str::<Options>(&ron).unwrap(), options, "{ron}");
        let first = DigestKind::new(algorithm, 5).unwrap_or(algorithm.into());
        assert_eq!(options.kinds()[0], first);
    }
}

#[test]
fn item_returns_all_its_digests() {
    let folder = folder();
    let item = Item {
        input: write(folder.path(), "input", "abc"),
        bytes: 3,
        step: Step::Run,
    };
    let options = Options {
        also: vec![Algorithm::Crc32.into(), Algorithm::Md5.into()],
        ..compute(Algorithm::Md5)
    };
    let checksum = run_item(&options, &item).unwrap();
    let crc32 = Digest {
        algorithm: Algorithm::Crc32,
        digest: "352441c2".to_owned(),
    };
    assert_eq!(checksum.also, [crc32]);
    let output = Output::Checksum(checksum);
    let shown = "MD5 900150983cd24fb0d6963f7d28e17f72, CRC-32 352441c2";
    assert_eq!(output.to_string(), shown);
    let lines = "MD5 (input) = 900150983cd24fb0d6963f7d28e17f72\nCRC32 (input) = 352441c2\n";
    assert_eq!(output.line("input".as_ref()), lines.as_bytes());
}
