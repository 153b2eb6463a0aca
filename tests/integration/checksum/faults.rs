//! Special, unreadable and changing files: a prompt error and no digest.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Once;
use std::time::{Duration, Instant};

use meanwhile::jobs::checksum::{Algorithm, Change, ChecksumError, DigestMonitor, digest_file};
use meanwhile::jobs::{Item, Step};

use super::{NoMonitor, compute, outcomes};
use crate::util::child::in_child_with;
use crate::util::files::{self, bytes, folder, name, write};

fn kind_of(path: &Path) -> &'static str {
    let outcome = digest_file(path, Algorithm::Blake3, &NoMonitor);
    outcome.expect_err("there is no digest").kind()
}

fn make_fifo(folder: &Path) -> std::path::PathBuf {
    let (made, _) = files::run(folder, "mkfifo", &["fifo".as_ref()]);
    assert!(made, "mkfifo failed");
    folder.join("fifo")
}

#[test]
fn special_file_fails_within_10_ms() {
    let folder = folder();
    let fifo = make_fifo(folder.path());
    let socket = folder.path().join("socket");
    let _listener = UnixListener::bind(&socket).unwrap();
    for path in [
        &fifo,
        &socket,
        Path::new("/dev/zero"),
        Path::new("/dev/tty"),
    ] {
        // The fastest of five: on a busy machine, any one may be delayed.
        let fastest = (0..5).map(|_| {
            let start = Instant::now();
            assert_eq!(kind_of(path), "special_file", "{path:?}");
            start.elapsed()
        });
        assert!(fastest.min() < Some(Duration::from_millis(10)), "{path:?}");
    }
}

#[test]
fn link_to_special_file_fails() {
    let folder = folder();
    make_fifo(folder.path());
    let link = folder.path().join("link");
    symlink("fifo", &link).unwrap();
    assert_eq!(kind_of(&link), "special_file");
}

#[test]
fn folder_and_missing_file_fail() {
    let folder = folder();
    assert_eq!(kind_of(folder.path()), "folder");
    assert_eq!(kind_of(&folder.path().join("nothing")), "missing");
}

#[test]
fn read_error_fails() {
    // Nothing is mapped at address 0, so reading there is an I/O error, for root too.
    assert_eq!(kind_of(Path::new("/proc/self/mem")), "unreadable");
}

#[test]
fn unreadable_file_fails_and_the_rest_continues() {
    let test = "checksum::faults::unreadable_file_fails_and_the_rest_continues";
    in_child_with(files::OBEY_PERMISSIONS, test, || {
        let folder = folder();
        let secret = write(folder.path(), "a", "abc");
        let locked = write(folder.path(), "b/hidden", "abc");
        write(folder.path(), "c", "abc");
        let locked = locked.parent().unwrap();
        for path in [&secret, locked] {
            fs::set_permissions(path, fs::Permissions::from_mode(0o000)).unwrap();
        }
        let outcomes = outcomes(&compute(Algorithm::Md5), folder.path(), &[folder.path()]);
        fs::set_permissions(locked, fs::Permissions::from_mode(0o700)).unwrap();
        let expected = [
            "a: unreadable",
            "b: unreadable",
            "c: 900150983cd24fb0d6963f7d28e17f72",
        ];
        assert_eq!(outcomes, expected);
    });
}

/// Runs `change` when a part of the file has been read.
struct ChangeOnRead<F> {
    once: Once,
    change: F,
}

impl<F: Fn() + Sync> DigestMonitor for ChangeOnRead<F> {
    fn did_read(&self, _done: u64, _total: u64) {
        self.once.call_once(&self.change);
    }

    fn is_cancelled(&self) -> bool {
        false
    }
}

/// The error of a file that `change` changes while it is read, on one thread and on several.
fn changed_by(change: impl Fn(&Path) + Sync) -> [Change; 2] {
    [Algorithm::Sha256, Algorithm::Blake3].map(|algorithm| {
        let folder = folder();
        let path = write(folder.path(), "input", bytes(2 * 1024 * 1024));
        let monitor = ChangeOnRead {
            once: Once::new(),
            change: || change(&path),
        };
        match digest_file(&path, algorithm, &monitor) {
            Err(ChecksumError::Changed { change, .. }) => change,
            outcome => panic!("{algorithm}: {outcome:?}"),
        }
    })
}

fn open_to_write(path: &Path) -> File {
    OpenOptions::new()
        .append(true)
        .open(path)
        .expect("the test's own file can be opened")
}

#[test]
fn shrinking_file_has_no_digest() {
    let changes = changed_by(|path| open_to_write(path).set_len(700_000).unwrap());
    assert_eq!(changes, [Change::Shrank; 2]);
}

#[test]
fn growing_file_has_no_digest() {
    let changes = changed_by(|path| open_to_write(path).write_all(b"more").unwrap());
    assert_eq!(changes, [Change::Grew; 2]);
}

#[test]
fn failed_item_has_kind_and_sentence_of_its_error() {
    let changed = ChecksumError::Changed {
        path: "a.log".into(),
        change: Change::Grew,
    };
    let missing = ChecksumError::Missing {
        path: "a.txt".into(),
    };
    for (error, kind, sentence) in [
        (
            changed,
            "changed_while_reading",
            "a.log grew while it was read",
        ),
        (missing, "missing", "a.txt does not exist."),
    ] {
        let Step::Fail(error) = Item::failed("input".into(), error).step else {
            panic!("{kind} does not fail its item");
        };
        assert_eq!(error.kind, kind);
        assert!(error.message.starts_with(sentence), "{error}");
        assert_eq!(error.to_string(), error.message);
    }
}

#[test]
fn overwritten_file_has_no_digest() {
    let changes = changed_by(|path| {
        let file = OpenOptions::new().write(true).open(path).unwrap();
        file.write_all_at(b"other", 2_000_000).unwrap();
    });
    assert_eq!(changes, [Change::Written; 2]);
}

#[test]
fn file_with_restored_date_has_no_digest() {
    let changes = changed_by(|path| {
        let before = fs::metadata(path).unwrap().modified().unwrap();
        let file = OpenOptions::new().write(true).open(path).unwrap();
        file.write_all_at(b"other", 2_000_000).unwrap();
        file.set_modified(before).unwrap();
    });
    assert_eq!(changes, [Change::Written; 2]);
}

#[test]
fn replaced_file_has_no_digest() {
    let changes = changed_by(|path| {
        let other = path.with_file_name("other");
        fs::write(&other, bytes(2 * 1024 * 1024)).unwrap();
        fs::rename(other, path).unwrap();
    });
    assert_eq!(changes, [Change::Replaced; 2]);
}

#[test]
fn deleted_file_has_no_digest() {
    let changes = changed_by(|path| fs::remove_file(path).unwrap());
    assert_eq!(changes, [Change::Vanished; 2]);
}

#[test]
fn error_escapes_the_file_name() {
    let path = name(b"a\nb\xff\x1b[31m");
    let error = digest_file(path, Algorithm::Md5, &NoMonitor).unwrap_err();
    assert_eq!(error.to_string(), r#""a\nb\xFF\u{1b}[31m" does not exist."#);
}
