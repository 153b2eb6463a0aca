//! P9, P10, P12: spawns, with their errors, their leftovers and their cost.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use meanwhile_join::process::{self, Exit, LaunchOptions, SpawnError};
use meanwhile_join::{self as join, CancelToken};
use rustix::process::{Resource, getrlimit};

use super::{Builder, eventually, launcher, shell};
use crate::util::child::{NOT_AS_ROOT, in_child, in_child_with};
use crate::util::files::{OBEY_PERMISSIONS, folder, write};
use crate::util::gate::TIMEOUT;
use crate::util::resources::{Resources, limit_threads};

fn spawn_error(builder: Builder) -> SpawnError {
    builder.spawn().expect_err("it can't be started")
}

/// Creates an executable file. Another process writes it: a file that this one has open for writing
/// can be inherited by a child that another thread starts, and then it can't be executed.
pub(super) fn executable(folder: &Path, contents: &str) -> PathBuf {
    let path = folder.join("executable");
    let install = Builder::new("install").args(["-m", "755", "/dev/stdin"]);
    let install = install.arg(&path).stdin_bytes(contents).spawn().unwrap();
    assert_eq!(install.join().unwrap(), Exit::Code(0));
    path
}

fn assert_names(error: &SpawnError, path: &str) {
    let sentence = error.to_string();
    assert!(sentence.contains(path), "{sentence:?} does not name {path}");
}

#[test]
fn p9_missing_program_and_missing_folder_differ() {
    let missing = spawn_error(Builder::new("/no/such/program"));
    assert!(matches!(missing, SpawnError::NotFound { .. }), "{missing}");
    assert_names(&missing, "/no/such/program");
    let unknown = spawn_error(Builder::new("no-such-program"));
    assert!(matches!(unknown, SpawnError::NotFound { .. }), "{unknown}");
    let no_folder = spawn_error(Builder::new("true").current_dir("/no/such/folder"));
    let SpawnError::WorkingDirectory { path, cause } = &no_folder else {
        panic!("{no_folder}");
    };
    assert_eq!(path.to_str(), Some("/no/such/folder"));
    assert_names(&no_folder, "/no/such/folder");
    assert_names(&no_folder, &cause.to_string());
    assert!(std::error::Error::source(&no_folder).is_none());
    let file = spawn_error(Builder::new("true").current_dir("/etc/passwd"));
    assert!(
        matches!(file, SpawnError::WorkingDirectory { .. }),
        "{file}"
    );
}

#[test]
fn p9_missing_interpreter_is_reported() {
    let folder = folder();
    let script = executable(folder.path(), "#!/no/such/interpreter\n");
    let error = spawn_error(Builder::new(&script));
    assert!(
        matches!(error, SpawnError::InterpreterNotFound { .. }),
        "{error}"
    );
    assert_names(&error, script.to_str().unwrap());
}

#[test]
fn p9_program_open_for_writing_is_reported() {
    let folder = folder();
    let program = executable(folder.path(), "#!/bin/sh\n");
    let written = fs::OpenOptions::new().append(true).open(&program).unwrap();
    let error = spawn_error(Builder::new(&program));
    assert!(matches!(error, SpawnError::BeingWritten { .. }), "{error}");
    drop(written);
}

#[test]
fn p9_missing_permission_is_reported() {
    let name = "process::spawning::p9_missing_permission_is_reported";
    in_child_with(OBEY_PERMISSIONS, name, || {
        let folder = folder();
        let file = write(folder.path(), "plain", "#!/bin/sh\n");
        let error = spawn_error(Builder::new(&file));
        assert!(
            matches!(error, SpawnError::PermissionDenied { .. }),
            "{error}"
        );
        assert_names(&error, file.to_str().unwrap());
        let shut = folder.path().join("shut");
        fs::create_dir(&shut).unwrap();
        fs::set_permissions(&shut, fs::Permissions::from_mode(0o000)).unwrap();
        let hidden = spawn_error(Builder::new(shut.join("program")));
        assert!(
            matches!(hidden, SpawnError::PermissionDenied { .. }),
            "{hidden}"
        );
        let inside = spawn_error(Builder::new("true").current_dir(&shut));
        assert!(
            matches!(inside, SpawnError::WorkingDirectory { .. }),
            "{inside}"
        );
    });
}

#[test]
fn p9_file_on_the_path_without_permission_is_named() {
    let folders = [folder(), folder()];
    write(folders[0].path(), "program", "#!/bin/sh\n");
    let path = std::env::join_paths(folders.each_ref().map(tempfile::TempDir::path)).unwrap();
    for launched in [false, true] {
        let mut builder = Builder::new("program").env("PATH", &path);
        if launched {
            builder = builder.launched_by(&launcher(), LaunchOptions::default());
        }
        let error = spawn_error(builder);
        assert!(
            matches!(error, SpawnError::PermissionDenied { .. }),
            "{error}"
        );
    }
}

#[test]
fn p9_file_that_is_no_program_is_reported() {
    let folder = folder();
    let junk = executable(folder.path(), "\0\u{1}\u{2}\u{3}");
    let error = spawn_error(Builder::new(&junk));
    assert!(matches!(error, SpawnError::NotExecutable { .. }), "{error}");
    assert_names(&error, junk.to_str().unwrap());
}

#[test]
fn p9_start_that_hangs_can_be_given_up() {
    let folder = folder();
    let fifo = folder.path().join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    // Opening the pipe waits for a writer.
    let cat = || Builder::new("cat").name("late").stdin_file(&fifo);
    let soon = Instant::now() + Duration::from_millis(20);
    let started = cat().spawn_until(soon, &CancelToken::new());
    let is_given_up = matches!(started, Err(SpawnError::GivenUp { .. }));
    assert!(is_given_up && Instant::now() >= soon, "{started:?}");
    let token = CancelToken::new();
    let starter = join::spawn("starter", {
        let (cat, token) = (cat(), token.clone());
        move |_| cat.spawn_until(None, &token).map(drop)
    });
    let starter = starter.unwrap();
    eventually("the wait for the start", || {
        let waits = join::wait_graph().waits;
        waits.iter().any(|wait| wait.waiter == Some(starter.id()))
    });
    token.cancel();
    let started = starter.join_timeout(TIMEOUT).unwrap();
    let is_cancelled = matches!(started, Err(SpawnError::Cancelled { .. }));
    assert!(is_cancelled, "{started:?}");
    let started = cat().spawn_until(None, &token);
    assert!(matches!(started, Err(SpawnError::Cancelled { .. })));
    // The starts succeed now, and their processes must be killed: they would wait for the writer.
    let _writer = fs::OpenOptions::new().write(true).open(&fifo).unwrap();
    let threads = || {
        let threads = fs::read_dir("/proc/self/task").unwrap().flatten();
        threads.filter_map(|thread| fs::read_to_string(thread.path().join("comm")).ok())
    };
    eventually("the end of the late process", || {
        let mut children = process::live_processes().into_iter();
        children.all(|child| &*child.name != "late")
            && threads().all(|name| name.trim() != "starts cat")
    });
}

#[test]
fn p9_pipe_with_a_name_is_no_program() {
    let folder = folder();
    let fifo = folder.path().join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    for launched in [false, true] {
        let mut builder = Builder::new(&fifo);
        if launched {
            builder = builder.launched_by(&launcher(), LaunchOptions::default());
        }
        let spawning = meanwhile_join::spawn("spawns", move |_| builder.spawn().err()).unwrap();
        let error = spawning.join_timeout(crate::util::gate::TIMEOUT);
        assert!(
            matches!(error, Ok(Some(SpawnError::PermissionDenied { .. }))),
            "{error:?}"
        );
    }
}

#[test]
fn p9_long_arguments_and_nul_are_reported() {
    let long = "x".repeat(1 << 20);
    let error = spawn_error(Builder::new("true").arg(&long));
    assert!(matches!(error, SpawnError::ArgumentsTooLong { bytes, .. } if bytes > 1 << 20));
    for builder in [
        Builder::new("tr\0ue"),
        Builder::new("true").args(["fine", "a\0b"]),
        Builder::new("true").env("NAME", "a\0b"),
        Builder::new("true").current_dir("/tmp\0"),
    ] {
        let error = spawn_error(builder);
        assert!(matches!(error, SpawnError::Nul { .. }), "{error}");
    }
    assert_names(
        &spawn_error(Builder::new("true").args(["fine", "a\0b"])),
        "argument 2",
    );
}

#[test]
fn p9_missing_stdin_file_is_reported() {
    let error = spawn_error(Builder::new("cat").stdin_file("/no/such/input"));
    assert!(matches!(error, SpawnError::Input { .. }), "{error}");
    assert_names(&error, "/no/such/input");
}

#[test]
fn p9_spawn_recovers_from_too_many_open_files() {
    let name = "process::spawning::p9_spawn_recovers_from_too_many_open_files";
    in_child_with("ulimit -n 32", name, || {
        Builder::new("true").spawn().unwrap().join().unwrap();
        let mut hogs = Vec::new();
        while let Ok(hog) = fs::File::open("/dev/null") {
            hogs.push(hog);
        }
        let error = spawn_error(Builder::new("true"));
        assert!(
            matches!(error, SpawnError::TooManyOpenFiles { .. }),
            "{error}"
        );
        drop(hogs);
        let process = Builder::new("true").spawn().unwrap();
        assert_eq!(process.join().unwrap(), Exit::Code(0));
    });
}

/// The threads of the user of this process, which the limit on processes counts.
fn threads_of_this_user() -> usize {
    let user = nix::unistd::getuid().as_raw();
    let is_ours = |entry: &fs::DirEntry| entry.metadata().is_ok_and(|data| data.uid() == user);
    // A process may end while it is looked at.
    let entries = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten();
    let processes = entries(Path::new("/proc")).filter(is_ours);
    processes
        .map(|process| entries(&process.path().join("task")).count())
        .sum()
}

/// Spawns processes until the limit on them is reached, ends them, and spawns one more. Returns
/// whether the processes that have ended made room for it; `false` also when there was no room from
/// the beginning.
fn fills_and_frees_processes(room: usize) -> bool {
    const MAX_SLEEPERS: usize = 2_000;
    let before = getrlimit(Resource::Nproc).current;
    limit_threads(u64::try_from(threads_of_this_user() + room).ok());
    let mut sleepers = Vec::new();
    let error = loop {
        match Builder::new("sleep").arg("60").spawn() {
            Ok(sleeper) => sleepers.push(sleeper),
            Err(error) => break error,
        }
        assert!(sleepers.len() < MAX_SLEEPERS, "the limit is ignored");
    };
    assert!(
        matches!(error, SpawnError::TooManyProcesses { .. }),
        "{error}"
    );
    for sleeper in &sleepers {
        sleeper.kill().unwrap();
        sleeper.join().unwrap();
    }
    let spawned = Builder::new("true").spawn();
    limit_threads(before);
    match spawned {
        Ok(process) => {
            assert_eq!(process.join().unwrap(), Exit::Code(0));
            !sleepers.is_empty()
        }
        Err(SpawnError::TooManyProcesses { .. }) => false,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn p9_spawn_recovers_from_too_many_processes() {
    let name = "process::spawning::p9_spawn_recovers_from_too_many_processes";
    in_child_with(NOT_AS_ROOT, name, || {
        // Another program of the same user may take the room as well, though not every time.
        let mut rooms = [12, 24, 48, 96, 192].into_iter();
        assert!(rooms.any(fills_and_frees_processes), "it never recovered");
    });
}

#[test]
fn p10_thousand_processes_leave_nothing_behind() {
    let name = "process::spawning::p10_thousand_processes_leave_nothing_behind";
    in_child(name, || {
        Builder::new("true").spawn().unwrap().join().unwrap();
        let before = Resources::now();
        for round in 0..1_000 {
            let process = shell("exit 3").stdin_bytes("input").spawn().unwrap();
            match round % 4 {
                0 => assert_eq!(process.join().unwrap(), Exit::Code(3)),
                1 => process.kill().unwrap(),
                2 => drop(process.stop(std::time::Duration::ZERO)),
                _ => drop(process),
            }
        }
        // There may be fewer than before, if the first process still had its pipes then.
        let (files, threads) = (before.files.len(), before.threads.len());
        eventually("the end of all leftovers", || {
            Resources::now().are_within(files, threads)
        });
    });
}

#[test]
fn p10_handles_of_ended_processes_keep_no_file() {
    let name = "process::spawning::p10_handles_of_ended_processes_keep_no_file";
    in_child(name, || {
        Builder::new("true").spawn().unwrap().join().unwrap();
        let before = Resources::now();
        let processes: Vec<_> = (0..20).map(|_| shell("exit 3").spawn().unwrap()).collect();
        for process in &processes {
            assert_eq!(process.join().unwrap(), Exit::Code(3));
        }
        let (files, threads) = (before.files.len(), before.threads.len());
        eventually("no file is open", || {
            Resources::now().are_within(files, threads)
        });
        assert_eq!(processes.len(), 20);
    });
}

/// The number of pages of `ballast` that the system copies when they are written to after `spawn`.
fn pages_shared_by(ballast: &mut [u8], spawn: impl FnOnce()) -> u64 {
    let faults = || -> u64 {
        let stat = fs::read_to_string("/proc/self/stat").unwrap();
        let after_name = stat.rsplit(") ").next().unwrap();
        // proc(5): field 10 is `minflt`, counted from 3 after the name.
        after_name.split(' ').nth(10 - 3).unwrap().parse().unwrap()
    };
    spawn();
    let before = faults();
    for page in ballast.chunks_mut(4096) {
        page[0] = page[0].wrapping_add(1);
    }
    faults() - before
}

#[test]
fn p12_spawn_shares_no_pages_of_the_program() {
    // With huge pages of 2 MiB, a fork shares 128 of them.
    let name = "process::spawning::p12_spawn_shares_no_pages_of_the_program";
    in_child(name, || {
        let mut ballast = vec![1; 256 << 20];
        let forked = pages_shared_by(&mut ballast, || {
            let mut command = std::process::Command::new("true");
            // std forks for a command with a user id.
            let own_user = nix::unistd::getuid().as_raw();
            std::os::unix::process::CommandExt::uid(&mut command, own_user);
            assert!(command.status().unwrap().success());
        });
        assert!(forked >= 128, "a fork shared {forked} pages");
        for launched in [false, true] {
            let ours = pages_shared_by(&mut ballast, || {
                let mut builder = Builder::new("true");
                if launched {
                    builder = builder.launched_by(&launcher(), LaunchOptions::default());
                }
                assert_eq!(builder.spawn().unwrap().join().unwrap(), Exit::Code(0));
            });
            assert!(ours < 64, "a spawn shared {ours} pages");
        }
    });
}

#[test]
fn p9_folder_or_empty_name_is_no_program() {
    for launched in [false, true] {
        let sentence = |program: &str| {
            let mut builder = Builder::new(program);
            if launched {
                builder = builder.launched_by(&launcher(), LaunchOptions::default());
            }
            spawn_error(builder).to_string()
        };
        for folder in ["/tmp", "/", ".", "..", "/tmp/"] {
            let expected =
                format!("`{folder}` is a folder, not a program: give the path of a program in it");
            assert_eq!(sentence(folder), expected);
        }
        assert_eq!(
            sentence(""),
            "the program has no name: give its name or path"
        );
        let no_program = "no permission to run `/dev/null`";
        assert!(sentence("/dev/null").starts_with(no_program));
    }
}

#[test]
fn p9_cancel_ends_a_start_that_hangs() {
    let folder = folder();
    let fifo = folder.path().join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let token = CancelToken::new();
    // Opening the pipe waits for a writer.
    let cat = Builder::new("cat")
        .name("late")
        .stdin_file(&fifo)
        .cancel_token(&token);
    let starter = join::spawn("starter", move |_| cat.spawn().map(drop)).unwrap();
    let early = starter.join_timeout(Duration::from_millis(20));
    assert!(early.is_err());
    token.cancel();
    let started = starter.join_timeout(TIMEOUT).unwrap();
    assert!(
        matches!(started, Err(SpawnError::Cancelled { .. })),
        "{started:?}"
    );
    // The start succeeds now, and its process must end: it would wait for the writer.
    let _writer = fs::OpenOptions::new().write(true).open(&fifo).unwrap();
    eventually("the end of the late process", || {
        let named = process::live_processes()
            .into_iter()
            .any(|it| &*it.name == "late");
        !named
            && join::live_tasks()
                .iter()
                .all(|task| &*task.name != "starts cat")
    });
}
