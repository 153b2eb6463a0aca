//! A second start hands its files to the window that is open.

use std::fs::{self, Permissions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use meanwhile::app::instance::{Instance, Start, start};
use meanwhile::join;

use crate::util::files::{folder, name};

/// Longer than a second start waits.
const TIMEOUT: Duration = Duration::from_mins(1);

/// A runtime folder of this user alone.
fn runtime() -> tempfile::TempDir {
    let folder = folder();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).expect("it is ours");
    folder
}

fn first(runtime: &Path) -> Instance {
    match start(runtime, "key", Vec::new()) {
        Start::First(instance) => instance,
        other => panic!("{other:?}"),
    }
}

/// Starts again, and has the window take the files as its frames would. Returns what became of the start, and the
/// files that the window took.
fn start_again(
    instance: &Instance,
    runtime: &Path,
    files: Vec<PathBuf>,
) -> (Start, Vec<Vec<PathBuf>>) {
    let runtime = runtime.to_owned();
    let again = join::spawn_owned("again", move |_| start(&runtime, "key", files));
    let again = again.expect("a thread");
    let began = Instant::now();
    let mut taken = Vec::new();
    while !again.is_finished() && began.elapsed() < TIMEOUT {
        taken.extend(instance.take());
        std::thread::yield_now();
    }
    let started = again.join_timeout_into(TIMEOUT).expect("it ends");
    (started.expect("no panic"), taken)
}

fn is_alone(start: &Start) -> bool {
    matches!(start, Start::Alone)
}

#[test]
fn second_start_hands_its_files_over() {
    let runtime = runtime();
    let instance = first(runtime.path());
    let wakes = Arc::new(AtomicUsize::new(0));
    let count = wakes.clone();
    instance.open(move || {
        count.fetch_add(1, Ordering::Relaxed);
    });
    let odd = PathBuf::from(name(b"/tmp/caf\xe9\n"));
    for files in [
        vec![odd.clone(), "/b".into()],
        Vec::new(),
        vec!["/c".into()],
    ] {
        let (started, taken) = start_again(&instance, runtime.path(), files.clone());
        assert!(matches!(started, Start::Handed), "{started:?}");
        assert_eq!(taken, [files]);
    }
    assert_eq!(wakes.load(Ordering::Relaxed), 3);
    let other = start(runtime.path(), "another display", Vec::new());
    assert!(matches!(other, Start::First(_)), "{other:?}");
}

#[test]
fn hundred_thousand_paths_are_handed_over() {
    let runtime = runtime();
    let instance = first(runtime.path());
    instance.open(|| {});
    let files = (0..100_000).map(|number| format!("/home/ann/{number:0100}").into());
    let files: Vec<PathBuf> = files.collect();
    let (started, taken) = start_again(&instance, runtime.path(), files.clone());
    assert!(matches!(started, Start::Handed), "{started:?}");
    assert!(taken == [files]);
}

#[test]
fn frozen_window_never_gets_the_files_later() {
    let runtime = runtime();
    let instance = first(runtime.path());
    instance.open(|| {});
    let started = start(runtime.path(), "key", vec!["/a".into()]);
    assert!(is_alone(&started), "{started:?}");
    assert_eq!(instance.take(), Vec::<Vec<PathBuf>>::new());
    // It answers again.
    let (started, taken) = start_again(&instance, runtime.path(), vec!["/b".into()]);
    assert!(matches!(started, Start::Handed), "{started:?}");
    assert_eq!(taken, [[PathBuf::from("/b")]]);
}

#[test]
fn stopped_program_never_gets_the_files_later() {
    let runtime = runtime();
    let instance = first(runtime.path());
    instance.open(|| {});
    let socket = runtime.path().join("meanwhile/key.socket");
    // A sender that is gone when its request is read.
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.write_all(b"meanwhile open 1\n").unwrap();
    stream.write_all(&3_u64.to_le_bytes()).unwrap();
    stream.write_all(b"/a\0").unwrap();
    drop(stream);
    let (_, taken) = start_again(&instance, runtime.path(), vec!["/b".into()]);
    assert_eq!(taken.concat(), [PathBuf::from("/b")]);
}

#[test]
fn socket_of_a_killed_program_is_replaced() {
    let runtime = runtime();
    drop(first(runtime.path()));
    let socket = runtime.path().join("meanwhile/key.socket");
    assert!(!socket.exists(), "it is removed at the end");
    drop(UnixListener::bind(&socket).unwrap());
    assert!(socket.exists());
    let instance = first(runtime.path());
    instance.open(|| {});
    let (started, _) = start_again(&instance, runtime.path(), Vec::new());
    assert!(matches!(started, Start::Handed), "{started:?}");
}

#[test]
fn of_starts_at_once_one_opens_a_window() {
    for _ in 0..20 {
        let runtime = runtime();
        let barrier = Arc::new(Barrier::new(8));
        let starts = (0..8).map(|number| {
            let (runtime, barrier) = (runtime.path().to_owned(), barrier.clone());
            let files = vec![PathBuf::from(format!("/{number}"))];
            let start = move |_: &join::Context| {
                barrier.wait();
                start(&runtime, "key", files)
            };
            join::spawn_owned("start", start).expect("a thread")
        });
        let starts: Vec<_> = starts.collect();
        let starts = starts.into_iter().map(|start| {
            let start = start.join_timeout_into(TIMEOUT).expect("it ends");
            start.expect("no panic")
        });
        let (first, others): (Vec<_>, Vec<_>) =
            starts.partition(|start| matches!(start, Start::First(_)));
        assert!(
            others.iter().all(|start| matches!(start, Start::Handed)),
            "{others:?}"
        );
        let [Start::First(instance)] = &first[..] else {
            panic!("{first:?}")
        };
        // The window that opens now has the files of all others.
        assert_eq!(instance.take().len(), 7);
    }
}

#[test]
fn start_goes_on_when_the_first_window_ends() {
    let runtime = runtime();
    drop(first(runtime.path()));
    let again = start(runtime.path(), "key", Vec::new());
    assert!(matches!(again, Start::First(_)), "{again:?}");
}

#[test]
fn folder_that_others_can_use_is_not_used() {
    let runtime = runtime();
    let inner = runtime.path().join("meanwhile");
    fs::create_dir(&inner).unwrap();
    fs::set_permissions(&inner, Permissions::from_mode(0o770)).unwrap();
    assert!(is_alone(&start(runtime.path(), "key", Vec::new())));
    fs::set_permissions(&inner, Permissions::from_mode(0o700)).unwrap();
    assert!(!is_alone(&start(runtime.path(), "key", Vec::new())));
    fs::remove_dir_all(&inner).unwrap();
    std::os::unix::fs::symlink("/tmp", &inner).unwrap();
    assert!(is_alone(&start(runtime.path(), "key", Vec::new())));
    assert!(is_alone(&start(Path::new("/nowhere"), "key", Vec::new())));
    fs::remove_file(&inner).unwrap();
    fs::create_dir(&inner).unwrap();
    fs::set_permissions(&inner, Permissions::from_mode(0o700)).unwrap();
    // Only root can make it another user's.
    if chown(&inner, Some(12_345), None).is_ok() {
        assert!(is_alone(&start(runtime.path(), "key", Vec::new())));
    }
}

#[test]
fn nonsense_at_the_socket_is_refused() {
    let runtime = runtime();
    let instance = first(runtime.path());
    instance.open(|| {});
    let socket = runtime.path().join("meanwhile/key.socket");
    for bytes in [
        &b"GET / HTTP/1.1\r\n\r\n and more than a head"[..],
        &[0xff; 64],
    ] {
        let mut stream = UnixStream::connect(&socket).unwrap();
        stream.write_all(bytes).unwrap();
        let mut answer = Vec::new();
        // The connection is closed, or reset because not all was read.
        stream.read_to_end(&mut answer).ok();
        assert!(answer.is_empty());
    }
    let mut huge = UnixStream::connect(&socket).unwrap();
    huge.write_all(b"meanwhile open 1\n").unwrap();
    huge.write_all(&u64::MAX.to_le_bytes()).unwrap();
    let mut answer = Vec::new();
    huge.read_to_end(&mut answer).ok();
    assert!(answer.is_empty());
    let (started, taken) = start_again(&instance, runtime.path(), vec!["/b".into()]);
    assert!(matches!(started, Start::Handed), "{started:?}");
    assert_eq!(taken, [[PathBuf::from("/b")]]);
}
