//! How a run ends, what is kept of it, and that no process is left.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::time::Duration;

use meanwhile::jobs::command::{CommandLine, Keep, Options};
use meanwhile::jobs::{self, ExitStatus, JobSpec, Output, RunOn};
use meanwhile::record::{ItemId, ItemProcessState, ItemState, JobState, write_json};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::{
    Ended, line, program, run, shell, spec, start_ready, unresponsive, until_it_prints, words,
};
use crate::util::files::{folder, write};
use crate::util::sleeper::Sleeper;
use crate::util::test_board::TestBoard;

#[test]
fn command_is_one_process_on_every_executor() {
    for run_on in [RunOn::Pool, RunOn::Thread, RunOn::Process] {
        let mut board = TestBoard::new();
        let spec = JobSpec {
            run_on,
            ..spec(words(&["echo"]), &["a".into(), "b".into()])
        };
        let job = board.start(spec);
        board.until_ended(job);
        let ended = Ended { board, job };
        assert_eq!(ended.stdouts(), [b"a\n", b"b\n"], "{run_on:?}");
    }
}

#[test]
fn folder_and_environment_are_applied() {
    let folder = folder();
    let mut options = shell("pwd -P; echo \"$GREETING\"; echo \"$EMPTY.\"; echo \"$1\"");
    options.dir = folder.path().to_owned();
    options.env = vec!["GREETING=a = b".into(), "".into(), "EMPTY=".into()];
    let ended = run(options, &["relative".into()]);
    let real = folder.path().canonicalize().unwrap();
    let here = std::env::current_dir().unwrap();
    let expected = format!(
        "{}\na = b\n.\n{}/relative\n",
        real.display(),
        here.display()
    );
    assert_eq!(ended.stdouts(), [expected.as_bytes()]);
}

#[test]
fn unexpected_exit_code_fails() {
    let ended = run(shell("echo one >&2; echo two >&2; exit 3"), &["in".into()]);
    let (kind, message) = ended.failure(0);
    assert_eq!(kind, "exit_code");
    assert_eq!(
        message,
        "in: sh exited with code 3, but 0 was expected\none\ntwo"
    );
    assert_eq!(ended.ran(0).end, ExitStatus::Exited { code: 3 });

    let mut options = shell("exit 3");
    options.expected_codes = "1-3".to_owned();
    let ended = run(options, &[]);
    assert!(matches!(
        ended.item(0).state,
        ItemState::Returned(Output::Process(_))
    ));
    let mut options = shell("exit 0");
    options.expected_codes = "1-3, 7".to_owned();
    let ended = run(options, &[]);
    assert_eq!(
        ended.failure(0).1,
        "sh exited with code 0, but 1 to 3 or 7 was expected"
    );
}

#[test]
fn command_that_needs_a_terminal_is_told_of_tty() {
    let ended = run(shell("read x </dev/tty"), &[]);
    let (_, message) = ended.failure(0);
    let first = message.lines().next().unwrap();
    assert!(
        first.ends_with("`meanwhile run command --tty` lends in a shell"),
        "{message}"
    );
    let text = "echo 'sudo: a terminal is required to read the password' >&2; exit 1";
    let ended = run(shell(text), &[]);
    assert!(ended.failure(0).1.contains("--tty"));
    let ended = run(shell("echo no such file >&2; exit 1"), &[]);
    assert!(!ended.failure(0).1.contains("tty"));
}

#[test]
fn signal_fails_with_its_name() {
    let mut options = shell("kill -SEGV $$");
    options.expected_codes = "any".to_owned();
    let ended = run(options, &[]);
    let (kind, message) = ended.failure(0);
    assert_eq!(kind, "signal");
    assert!(
        message.starts_with("sh was killed by signal 11 (SIGSEGV)"),
        "{message}"
    );
}

#[test]
fn failed_start_has_its_own_error_kind() {
    let folder = folder();
    let not_mine = write(folder.path(), "text", "no program");
    let odd = program(folder.path(), "odd", "neither program nor script");
    let orphan = program(folder.path(), "orphan", "#!/no/such/interpreter");
    let mut nowhere = words(&["true"]);
    nowhere.dir = folder.path().join("missing");
    for (options, expected) in [
        (words(&["no-such-program-anywhere"]), "not_found"),
        (words(&[not_mine.to_str().unwrap()]), "permission_denied"),
        (words(&[odd.to_str().unwrap()]), "not_executable"),
        (words(&[orphan.to_str().unwrap()]), "interpreter_not_found"),
        (words(&["true", "nul\0"]), "nul"),
        (words(&["true", &"x".repeat(1 << 22)]), "arguments_too_long"),
        (nowhere, "working_directory"),
    ] {
        let ended = run(options, &[]);
        let (kind, message) = ended.failure(0);
        assert_eq!(kind, expected, "{message}");
        assert!(ended.item(0).process.is_none());
    }
}

#[test]
fn one_failed_file_does_not_stop_the_others() {
    let folder = folder();
    let good = write(folder.path(), "good", "yes\n");
    let files = [folder.path().join("missing"), good];
    let ended = run(words(&["cat", "{}"]), &files);
    assert_eq!(ended.board.labels(ended.job), ["failed", "returned"]);
    assert_eq!(ended.stdouts(), [&b""[..], b"yes\n"]);
    let (_, message) = ended.failure(0);
    assert!(
        message.lines().nth(1).unwrap().contains("missing"),
        "{message}"
    );
}

#[test]
fn last_lines_are_kept_and_the_rest_counted() {
    let mut options = words(&["seq", "1", "100000"]);
    options.keep = Keep::Tail;
    let ended = run(options, &[]);
    let stdout = &ended.ran(0).stdout;
    assert_eq!(stdout.total, 588_895);
    assert!(stdout.bytes.len() <= 8 * 1024);
    assert_eq!(stdout.dropped(), 588_895 - stdout.bytes.len() as u64);
    let lines: Vec<u32> = stdout
        .last_lines(10_000)
        .lines()
        .map(|line| line.parse().unwrap())
        .collect();
    let first = 100_000 - u32::try_from(lines.len()).unwrap() + 1;
    assert!(lines.iter().copied().eq(first..=100_000), "not whole lines");
    let ItemState::Returned(output) = &ended.item(0).state else {
        panic!("{:?}", ended.item(0))
    };
    assert_eq!(output.to_string(), "100000");
}

#[test]
fn output_is_kept_up_to_the_limit() {
    let mut options = shell("yes | head -c 10000000; yes no | head -c 5000000 >&2");
    options.output_limit = 100_000;
    let ended = run(options, &[]);
    let ran = ended.ran(0);
    for (printed, total) in [(&ran.stdout, 10_000_000), (&ran.stderr, 5_000_000)] {
        assert_eq!(printed.total, total);
        // Less the line that the limit cuts.
        let kept = printed.bytes.len();
        assert!((99_990..100_000).contains(&kept), "{kept}");
    }
}

#[test]
fn timed_out_run_ends_with_its_descendants() {
    let folder = folder();
    let sleeper = Sleeper::new(folder.path());
    let mut options = unresponsive(&sleeper);
    options.timeout_secs = 0.5;
    options.grace_secs = 0.2;
    let ended = run(options, &[]);
    let (kind, message) = ended.failure(0);
    assert_eq!(kind, "timed_out");
    assert!(
        message.starts_with("sh did not end within 500 ms and was stopped: "),
        "{message}"
    );
    let stopped = ended.ran(0).stopped.as_ref().unwrap();
    assert!(stopped.escaped.is_empty(), "{stopped}");
    assert!(stopped.asked.contains(&stopped.forced[0]), "{stopped}");
    assert!(
        stopped.forced.iter().any(|name| name.starts_with("sh (")),
        "{stopped}"
    );
    assert!(sleeper.running().is_empty());
}

#[test]
fn run_within_its_limit_ends_at_once() {
    let mut options = words(&["true"]);
    options.timeout_secs = 100_000.0;
    let ended = run(options, &[]);
    assert_eq!(ended.board.labels(ended.job), ["returned"]);
}

#[test]
fn cancel_ends_trees_and_queued_runs_never_start() {
    let folder = folder();
    let sleeper = Sleeper::new(folder.path());
    let mut options = unresponsive(&sleeper);
    options.grace_secs = 0.1;
    let mut board = TestBoard::new();
    let files: Vec<PathBuf> = (0..40).map(|file| format!("{file}").into()).collect();
    let job = board.start(spec(options, &files));
    for item in 0..4 {
        until_it_prints(&mut board, job, ItemId::new(item));
    }
    board.cancel(job);
    board.until_ended(job);
    assert_eq!(*board.job(job).state(), JobState::Cancelled);
    assert_eq!(board.job(job).counts().cancelled, 40);
    assert!(sleeper.running().is_empty());
    let ran = board.job(job).items().iter().filter_map(|item| item.ran());
    let stopped: Vec<_> = ran.map(|ran| ran.stopped.as_ref().unwrap()).collect();
    assert_eq!(stopped.len(), 4);
    assert!(stopped.iter().all(|stopped| !stopped.forced.is_empty()));
    let text = board.job(job).items()[0].stopped_text();
    assert!(text.contains("killed sh ("), "{text}");
}

#[test]
fn run_that_obeys_sigterm_is_not_killed() {
    let folder = folder();
    let sleeper = Sleeper::new(folder.path());
    let mut board = TestBoard::new();
    let job = start_ready(
        &mut board,
        shell(&format!("echo ready; {} & wait", sleeper.command())),
    );
    board.cancel(job);
    board.until_ended(job);
    let item = board.job(job).items()[0].clone();
    let stopped = item.ran().unwrap().stopped.clone().unwrap();
    assert!(stopped.forced.is_empty() && stopped.ended > 0, "{stopped}");
    assert!(sleeper.running().is_empty());
}

#[test]
fn output_is_available_during_and_after_a_run() {
    let mut board = TestBoard::new();
    let job = start_ready(&mut board, shell("echo early; read x < /dev/zero"));
    let process = board.process(job, ItemId::new(0)).unwrap();
    assert_eq!(process.output().stdout.text(), "early\n");
    assert_eq!(board.running_processes(job).len(), 1);
    let item = board.job(job).items()[0].clone();
    assert_eq!(item.process.as_ref().unwrap().pid, process.pid());
    board.cancel(job);
    board.until_ended(job);
    assert_eq!(board.running_processes(job).len(), 0);
    let process = board.process(job, ItemId::new(0)).unwrap();
    assert_eq!(process.output().stdout.text(), "early\n");
    board.remove(job);
    assert!(board.process(job, ItemId::new(0)).is_none());
}

#[test]
fn last_64_ended_processes_are_kept() {
    let files: Vec<PathBuf> = (0..100).map(|file| format!("{file}").into()).collect();
    let ended = run(words(&["echo"]), &files);
    let board = &ended.board;
    let kept = (0..100).filter(|&item| board.process(ended.job, ItemId::new(item)).is_some());
    assert_eq!(kept.count(), 64);
    assert!(board.process(ended.job, ItemId::new(100)).is_none());
}

#[test]
fn processes_are_signalled_alone_or_all() {
    let mut board = TestBoard::new();
    let files: Vec<PathBuf> = (0..4).map(|file| format!("{file}").into()).collect();
    let job = board.start(spec(shell("echo ready; exec sleep 86400"), &files));
    for item in 0..4 {
        until_it_prints(&mut board, job, ItemId::new(item));
    }
    board.terminate(job, Some(ItemId::new(1))).unwrap();
    board.until("one ends", |record| {
        record.job(job).unwrap().counts().failed == 1
    });
    board.kill(job, None).unwrap();
    board.until_ended(job);
    let ended = Ended { board, job };
    assert!(ended.failure(1).1.contains("SIGTERM"));
    for item in [0, 2, 3] {
        assert!(ended.failure(item).1.contains("SIGKILL"));
    }
    assert_eq!(*ended.board.job(job).state(), JobState::Failed);
}

#[test]
fn stop_tree_reports_killed_processes() {
    let folder = folder();
    let sleeper = Sleeper::new(folder.path());
    let mut board = TestBoard::new();
    let job = start_ready(&mut board, unresponsive(&sleeper));
    board
        .stop_tree(job, None, Duration::from_millis(100))
        .unwrap();
    board.until("the stop is reported", |record| {
        let item = &record.job(job).unwrap().items()[0];
        item.process
            .as_ref()
            .is_some_and(|process| process.stopped.is_some())
    });
    board.until_ended(job);
    assert!(sleeper.running().is_empty());
    let item = &board.job(job).items()[0];
    let stopped = item.process.as_ref().unwrap().stopped.clone().unwrap();
    assert!(
        stopped.escaped.is_empty() && !stopped.forced.is_empty(),
        "{stopped}"
    );
    assert_eq!(item.state.label(), "failed");
}

#[test]
fn stopped_process_is_paused_until_continued() {
    let mut board = TestBoard::new();
    let job = start_ready(&mut board, shell("echo ready; exec sleep 86400"));
    let process = board.process(job, ItemId::new(0)).unwrap();
    let pid = Pid::from_raw(process.pid().cast_signed());
    let state = |record: &meanwhile::record::Record| {
        let item = record.job(job).unwrap().items()[0].clone();
        item.process.as_ref().unwrap().state.clone()
    };
    kill(pid, Signal::SIGSTOP).unwrap();
    board.until("it is paused", |record| {
        state(record) == ItemProcessState::Paused
    });
    kill(pid, Signal::SIGCONT).unwrap();
    board.until("it goes on", |record| {
        state(record) == ItemProcessState::Running
    });
    kill(pid, Signal::SIGSTOP).unwrap();
    board.cancel(job);
    board.until_ended(job);
    assert_eq!(board.labels(job), ["cancelled"]);
}

#[test]
fn json_of_a_run_reads_back() {
    let folder = folder();
    let file = write(folder.path(), "f", b"\xff\n");
    let mut options = shell("cat \"$1\"; exit 4");
    options.expected_codes = "0".to_owned();
    let ended = run(options, &[file]);
    let mut text = Vec::new();
    write_json(ended.board.job(ended.job), Duration::ZERO, &mut text).unwrap();
    let json: Value = serde_json::from_slice(&text).unwrap();
    let item = &json["items"][0];
    assert_eq!(item["state"], "failed");
    assert_eq!(item["error"]["kind"], "exit_code");
    let output = &item["output"];
    assert_eq!(output["end"], "exited");
    assert_eq!(output["code"], 4);
    assert_eq!(output["stdout"]["text"], "\u{fffd}\n");
    assert_eq!(output["stdout"]["bytes_hex"], "ff0a");
    assert_eq!(output["stdout"]["total"], 2);
    assert_eq!(output["stderr"]["text"], "");
    let read: Output = serde_json::from_value(output.clone()).unwrap();
    assert_eq!(read, Output::Process(ended.item(0).ran().unwrap().clone()));
}

#[test]
fn options_with_any_bytes_survive_serialisation() {
    let mut options = words(&["a", "{}"]);
    options.command = CommandLine::Words(vec!["a".into(), OsString::from_vec(vec![0xff])]);
    options.env = vec![OsString::from_vec(b"N=\xfe".to_vec())];
    for options in [options, line("echo 'a b'"), Options::default()] {
        let options = jobs::Options::Command(options);
        let text = serde_json::to_string(&options).unwrap();
        let read: jobs::Options = serde_json::from_str(&text).unwrap();
        assert_eq!(read, options);
    }
}
