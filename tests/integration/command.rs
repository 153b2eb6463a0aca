//! The job that runs any program: what the program is given, how its end is told, and that nothing
//! of it is left.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use meanwhile::jobs::command::{CommandLine, End, Files, Keep, Options, Ran, Template};
use meanwhile::jobs::{self, JobSpec, Output, Priority, RunOn};
use meanwhile::record::{ItemId, ItemRecord, ItemState, JobId, JobState, ProcessState, write_json};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use proptest::prelude::*;
use serde_json::Value;

use super::util::desk::Desk;
use super::util::files::{folder, name, write};

fn words(words: &[&str]) -> Options {
    Options {
        command: CommandLine::Words(words.iter().map(OsString::from).collect()),
        keep: Keep::All,
        ..Options::default()
    }
}

fn line(line: &str) -> Options {
    Options {
        command: CommandLine::Line(line.to_owned()),
        ..Options::default()
    }
}

fn shell(text: &str) -> Options {
    Options {
        shell: true,
        ..words(&[text])
    }
}

fn spec(options: Options, inputs: &[PathBuf]) -> JobSpec {
    JobSpec {
        options: jobs::Options::Command(options),
        inputs: inputs.to_vec(),
        run_on: RunOn::Pool,
        workers: 4,
        priority: Priority::Normal,
    }
}

/// A job that has ended, with the desk it ran on.
struct Ended {
    desk: Desk,
    job: JobId,
}

fn run(options: Options, inputs: &[PathBuf]) -> Ended {
    let mut desk = Desk::new();
    let job = desk.start(spec(options, inputs));
    desk.until_ended(job);
    Ended { desk, job }
}

impl Ended {
    fn item(&self, index: usize) -> &Arc<ItemRecord> {
        &self.desk.job(self.job).items()[index]
    }

    fn ran(&self, index: usize) -> &Ran {
        self.item(index).ran().expect("its process ended")
    }

    /// What each run printed.
    fn stdouts(&self) -> Vec<&[u8]> {
        let items = self.desk.job(self.job).items().iter();
        items
            .map(|item| &item.ran().expect("its process ended").stdout.bytes[..])
            .collect()
    }

    #[track_caller]
    fn failure(&self, index: usize) -> (&str, &str) {
        match &self.item(index).state {
            ItemState::Failed(error) => (&error.kind, &error.message),
            other => panic!("it did not fail: {other:?}"),
        }
    }
}

/// A file that may be executed. Another process writes it: what a test has written itself could
/// still be open in a child that another test starts, and then it can't be run.
fn program(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    let written = std::process::Command::new("sh")
        .args(["-c", "echo \"$2\" > \"$1\" && chmod +x \"$1\"", "sh"])
        .args([path.as_os_str(), text.as_ref()])
        .status();
    assert!(written.unwrap().success());
    path
}

/// A number of seconds that no other `sleep` on this machine has.
pub(crate) fn unique_sleep() -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("86400.{:07}{next:03}", std::process::id())
}

/// How many processes have this argument.
pub(crate) fn count_with(argument: &str) -> usize {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|process| fs::read(process.path().join("cmdline")).ok());
    lines
        .filter(|line| {
            line.split(|&byte| byte == 0)
                .any(|word| word == argument.as_bytes())
        })
        .count()
}

/// A shell that ignores that it is asked to end, with a child that does, too; it prints `ready`.
fn stubborn(sleep: &str) -> Options {
    words(&[
        "sh",
        "-c",
        &format!("trap '' TERM; sleep {sleep} & echo ready; sleep {sleep}; sleep {sleep}"),
    ])
}

/// Starts a job of one item and returns when its process has printed something.
fn start_ready(desk: &mut Desk, options: Options) -> JobId {
    let job = desk.start(spec(options, &[]));
    until_it_prints(desk, job, ItemId(0));
    job
}

fn until_it_prints(desk: &mut Desk, job: JobId, item: ItemId) {
    desk.until("the process starts", |record| {
        let item = record.job(job).and_then(|job| job.item(item));
        item.is_some_and(|item| item.process.is_some())
    });
    let process = desk.board.process(job, item).expect("it runs");
    while process.output().stdout.total == 0 {
        assert!(process.is_alive(), "{:?}", process.output());
        std::thread::yield_now();
    }
}

const HOSTILE: [&[u8]; 12] = [
    b"plain",
    b"two words",
    b"-rf",
    b"$(touch pwned)",
    b"`touch pwned`",
    b"; touch pwned;",
    b"'\"\\",
    b"new\nline",
    b"*",
    b"not \xff\xfe UTF-8",
    b"{}",
    b"{name}{{}}",
];

#[test]
fn a_file_of_any_name_is_one_argument_byte_for_byte_and_nothing_else_happens() {
    let folder = folder();
    let files: Vec<PathBuf> = HOSTILE
        .iter()
        .map(|hostile| write(folder.path(), name(hostile), "content"))
        .collect();
    let mut options = words(&["printf", "%s\\0", "{name}", "<{}>", "end"]);
    options.dir = folder.path().to_owned();
    let ended = run(options, &files);
    let expected: Vec<Vec<u8>> = HOSTILE
        .iter()
        .zip(&files)
        .map(|(name, file)| {
            let path = file.as_os_str().as_bytes();
            [name, &b"\0<"[..], path, b">\0end\0"].concat()
        })
        .collect();
    assert_eq!(ended.stdouts(), expected);
    assert_eq!(*ended.desk.job(ended.job).state(), JobState::Returned);
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        HOSTILE.len(),
        "something was written"
    );
}

#[test]
fn the_shell_reads_a_file_of_any_name_as_a_parameter() {
    let folder = folder();
    let files: Vec<PathBuf> = HOSTILE
        .iter()
        .map(|hostile| write(folder.path(), name(hostile), hostile))
        .collect();
    let mut options = shell("cat \"$1\"; printf ' {} %d' $#");
    options.dir = folder.path().to_owned();
    let ended = run(options, &files);
    let expected: Vec<Vec<u8>> = HOSTILE
        .iter()
        .map(|name| [name, &b" {} 1"[..]].concat())
        .collect();
    assert_eq!(ended.stdouts(), expected);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), HOSTILE.len());
}

#[test]
fn a_text_for_the_shell_has_its_own_parameters_before_the_files() {
    let options = Options {
        files: Files::All,
        ..words(&["echo \"$0\" \"$@\"", "-v"])
    };
    let options = Options {
        shell: true,
        ..options
    };
    let ended = run(options, &["a".into(), "b".into()]);
    assert_eq!(ended.stdouts(), [b"sh -v a b\n"]);
}

proptest! {
    #[test]
    fn a_word_with_a_file_is_the_text_around_it_and_the_bytes_of_its_path(
        path in proptest::collection::vec(any::<u8>(), 0..40),
        before in "[^{}]{0,10}",
        after in "[^{}]{0,10}",
    ) {
        let template = Template::new(OsStr::new(&format!("{before}{{}}{after}")));
        let path = OsString::from_vec(path);
        let filled = template.fill(Path::new(&path));
        let expected = [before.as_bytes(), path.as_bytes(), after.as_bytes()].concat();
        prop_assert_eq!(filled.as_bytes(), expected);
    }

    #[test]
    fn a_word_without_a_place_is_itself(word in proptest::collection::vec(any::<u8>(), 0..40)) {
        let word = OsString::from_vec(word);
        let template = Template::new(&word);
        if !template.takes_file() && !word.as_bytes().windows(2).any(|two| two == b"{{") {
            prop_assert_eq!(template.fill(Path::new("f")), word);
        }
    }

    #[test]
    fn a_line_is_split_into_the_words_it_is_shown_as(
        given in proptest::collection::vec("[^\0{}\r\n\t]{0,12}", 1..5)
    ) {
        let options = words(&given.iter().map(String::as_str).collect::<Vec<_>>());
        let shown = options.words_text().unwrap();
        prop_assert_eq!(line(&shown).words_text().unwrap(), shown);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_program_is_given_exactly_the_bytes_of_a_path(
        path in proptest::collection::vec(1_u8.., 1..40)
    ) {
        let path = PathBuf::from(OsString::from_vec(path));
        let ended = run(words(&["printf", "%s\\0", "{}"]), std::slice::from_ref(&path));
        let expected = [path.as_os_str().as_bytes(), b"\0"].concat();
        prop_assert_eq!(ended.stdouts(), [expected]);
    }
}

#[test]
fn a_file_goes_to_the_end_where_no_word_has_a_place_for_it() {
    let ended = run(line("echo 'a  b'"), &["c".into(), "d".into()]);
    assert_eq!(ended.stdouts(), [b"a  b c\n", b"a  b d\n"]);
}

#[test]
fn without_files_a_command_runs_once() {
    let ended = run(words(&["echo", "once"]), &[]);
    assert_eq!(ended.stdouts(), [b"once\n"]);
    assert_eq!(ended.item(0).input, Path::new("echo once"));
}

#[test]
fn wherever_it_is_told_to_run_a_command_is_one_process_of_its_own() {
    for run_on in [RunOn::Pool, RunOn::Thread, RunOn::Process] {
        let mut desk = Desk::new();
        let spec = JobSpec {
            run_on,
            ..spec(words(&["echo"]), &["a".into(), "b".into()])
        };
        let job = desk.start(spec);
        desk.until_ended(job);
        let ended = Ended { desk, job };
        assert_eq!(ended.stdouts(), [b"a\n", b"b\n"], "{run_on:?}");
    }
}

#[test]
fn once_for_all_files_repeats_each_word_that_has_a_place_for_one() {
    let all = |command: &[&str]| {
        let options = Options {
            files: Files::All,
            ..words(command)
        };
        let ended = run(options, &["x/a.c".into(), "b.c".into()]);
        String::from_utf8(ended.stdouts().concat()).unwrap()
    };
    assert_eq!(
        all(&["echo", "{}", "--", "-o{stem}"]),
        "x/a.c b.c -- -oa -ob\n"
    );
    assert_eq!(all(&["echo", "all:"]), "all: x/a.c b.c\n");
}

#[test]
fn a_file_can_be_the_program() {
    let folder = folder();
    let script = program(folder.path(), "say hello", "#!/bin/sh\necho hello \"$1\"");
    let mut options = words(&["{}", "you"]);
    assert_eq!(run(options.clone(), &[script]).stdouts(), [b"hello you\n"]);
    // A name alone is a file here, not a program somewhere in `PATH`.
    options.command = CommandLine::Words(vec!["{}".into()]);
    let ended = run(options, &["true".into()]);
    let (kind, message) = ended.failure(0);
    assert_eq!(kind, "not_found", "{message}");
    assert!(message.contains("./true"), "{message}");
}

#[test]
fn a_command_that_needs_a_file_and_has_none_says_so() {
    let ended = run(words(&["echo", "{dir}/x"]), &[]);
    let (kind, message) = ended.failure(0);
    assert_eq!(kind, "no_files");
    assert_eq!(
        message,
        "`{dir}/x` stands for a file, and there is none; add files."
    );
}

#[test]
fn what_can_t_be_run_at_all_fails_once_and_starts_nothing() {
    let files = [PathBuf::from("a"), "b".into()];
    let with = |change: fn(&mut Options)| {
        let mut options = words(&["echo"]);
        change(&mut options);
        options
    };
    for (options, part) in [
        (line("echo 'open"), "open; close it"),
        (line("  "), "There is no command"),
        (
            Options {
                shell: true,
                ..line(" ")
            },
            "There is no command",
        ),
        (
            with(|options| options.prefix = "nice '".into()),
            "open; close it",
        ),
        (
            with(|options| options.env = vec!["NAME".into()]),
            "`NAME` sets no variable",
        ),
        (
            with(|options| options.expected_codes = "0, x".into()),
            "`x` is no exit code",
        ),
    ] {
        let ended = run(options, &files);
        assert_eq!(ended.desk.job(ended.job).items().len(), 1);
        let (kind, message) = ended.failure(0);
        assert_eq!(kind, "bad_command");
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn it_runs_in_its_folder_with_its_environment_and_files_mean_what_they_meant_before() {
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
fn an_exit_code_is_a_failure_unless_it_was_expected() {
    let ended = run(shell("echo one >&2; echo two >&2; exit 3"), &["in".into()]);
    let (kind, message) = ended.failure(0);
    assert_eq!(kind, "exit_code");
    assert_eq!(
        message,
        "in: sh exited with code 3, and 0 was expected\none\ntwo"
    );
    assert_eq!(ended.ran(0).end, End::Exited { code: 3 });

    let mut options = shell("exit 3");
    options.expected_codes = "1-3".to_owned();
    let ended = run(options, &[]);
    assert!(matches!(
        ended.item(0).state,
        ItemState::Returned(Output::Command(_))
    ));
    let mut options = shell("exit 0");
    options.expected_codes = "1-3, 7".to_owned();
    let ended = run(options, &[]);
    assert_eq!(
        ended.failure(0).1,
        "sh exited with code 0, and 1 to 3 or 7 was expected"
    );
}

#[test]
fn a_signal_is_a_failure_with_its_name_whatever_codes_are_expected() {
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
fn a_program_that_can_t_be_started_fails_with_its_own_kind() {
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
fn one_file_that_fails_keeps_no_other_from_being_done() {
    let folder = folder();
    let good = write(folder.path(), "good", "yes\n");
    let files = [folder.path().join("missing"), good];
    let ended = run(words(&["cat", "{}"]), &files);
    assert_eq!(ended.desk.words(ended.job), ["failed", "returned"]);
    assert_eq!(ended.stdouts(), [&b""[..], b"yes\n"]);
    let (_, message) = ended.failure(0);
    assert!(
        message.lines().nth(1).unwrap().contains("missing"),
        "{message}"
    );
}

#[test]
fn the_last_lines_are_kept_and_the_rest_is_counted() {
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
fn a_flood_is_kept_up_to_the_limit_and_no_further() {
    let mut options = shell("yes | head -c 10000000; yes no | head -c 5000000 >&2");
    options.output_limit = 100_000;
    let ended = run(options, &[]);
    let ran = ended.ran(0);
    for (printed, total) in [(&ran.stdout, 10_000_000), (&ran.stderr, 5_000_000)] {
        assert_eq!(printed.total, total);
        assert_eq!(printed.bytes.len(), 100_000);
    }
}

#[test]
fn a_run_that_is_out_of_time_is_ended_with_all_it_has_started() {
    let sleep = unique_sleep();
    let mut options = stubborn(&sleep);
    options.timeout_secs = 0.5;
    options.grace_secs = 0.2;
    let ended = run(options, &[]);
    let (kind, message) = ended.failure(0);
    assert_eq!(kind, "timed_out");
    assert!(
        message.starts_with("sh did not end within 0.5 s and was stopped: "),
        "{message}"
    );
    let stopped = ended.ran(0).stopped.as_ref().unwrap();
    assert!(stopped.escaped.is_empty(), "{stopped}");
    assert!(
        stopped.forced.iter().any(|name| name.starts_with("sh (")),
        "{stopped}"
    );
    assert_eq!(count_with(&sleep), 0);
}

#[test]
fn a_run_that_ends_in_time_does_not_wait_for_its_limit() {
    let mut options = words(&["true"]);
    options.timeout_secs = 100_000.0;
    let ended = run(options, &[]);
    assert_eq!(ended.desk.words(ended.job), ["returned"]);
}

#[test]
fn a_cancel_ends_what_runs_with_all_it_has_started_and_what_waits_never_runs() {
    let sleep = unique_sleep();
    let mut options = stubborn(&sleep);
    options.grace_secs = 0.1;
    let mut desk = Desk::new();
    let files: Vec<PathBuf> = (0..40).map(|file| format!("{file}").into()).collect();
    let job = desk.start(spec(options, &files));
    for item in 0..4 {
        until_it_prints(&mut desk, job, ItemId(item));
    }
    desk.board.cancel(job);
    desk.until_ended(job);
    assert_eq!(*desk.job(job).state(), JobState::Cancelled);
    assert_eq!(desk.job(job).counts().cancelled, 40);
    assert_eq!(count_with(&sleep), 0);
    let ran = desk.job(job).items().iter().filter_map(|item| item.ran());
    let stopped: Vec<_> = ran.map(|ran| ran.stopped.as_ref().unwrap()).collect();
    assert_eq!(stopped.len(), 4);
    assert!(stopped.iter().all(|stopped| !stopped.forced.is_empty()));
    let text = desk.job(job).items()[0].stopped_text();
    assert!(text.contains("killed sh ("), "{text}");
}

#[test]
fn a_run_that_ends_when_asked_is_not_forced() {
    let sleep = unique_sleep();
    let mut desk = Desk::new();
    let job = start_ready(
        &mut desk,
        shell(&format!("echo ready; sleep {sleep} & wait")),
    );
    desk.board.cancel(job);
    desk.until_ended(job);
    let item = desk.job(job).items()[0].clone();
    let stopped = item.ran().unwrap().stopped.clone().unwrap();
    assert!(stopped.forced.is_empty() && stopped.ended > 0, "{stopped}");
    assert_eq!(count_with(&sleep), 0);
}

#[test]
fn output_is_there_while_it_runs_and_afterwards_for_the_last_that_ended() {
    let mut desk = Desk::new();
    let job = start_ready(&mut desk, shell("echo early; read x < /dev/zero"));
    let process = desk.board.process(job, ItemId(0)).unwrap();
    assert_eq!(process.output().stdout.text(), "early\n");
    assert_eq!(desk.board.running_processes(job).len(), 1);
    let item = desk.job(job).items()[0].clone();
    assert_eq!(item.process.as_ref().unwrap().pid, process.pid());
    desk.board.cancel(job);
    desk.until_ended(job);
    assert_eq!(desk.board.running_processes(job).len(), 0);
    let process = desk.board.process(job, ItemId(0)).unwrap();
    assert_eq!(process.output().stdout.text(), "early\n");
    desk.board.forget(job);
    assert!(desk.board.process(job, ItemId(0)).is_none());
}

#[test]
fn sixty_four_ended_processes_are_kept_and_no_more() {
    let files: Vec<PathBuf> = (0..100).map(|file| format!("{file}").into()).collect();
    let ended = run(words(&["echo"]), &files);
    let board = &ended.desk.board;
    let kept = (0..100).filter(|&item| board.process(ended.job, ItemId(item)).is_some());
    assert_eq!(kept.count(), 64);
    assert!(board.process(ended.job, ItemId(100)).is_none());
}

#[test]
fn a_process_is_terminated_or_killed_alone_or_with_its_job_s_others() {
    let mut desk = Desk::new();
    let files: Vec<PathBuf> = (0..4).map(|file| format!("{file}").into()).collect();
    let job = desk.start(spec(shell("echo ready; exec sleep 86400"), &files));
    for item in 0..4 {
        until_it_prints(&mut desk, job, ItemId(item));
    }
    desk.board.terminate(job, Some(ItemId(1))).unwrap();
    desk.until("one ends", |record| {
        record.job(job).unwrap().counts().failed == 1
    });
    desk.board.kill(job, None).unwrap();
    desk.until_ended(job);
    let ended = Ended { desk, job };
    assert!(ended.failure(1).1.contains("SIGTERM"));
    for item in [0, 2, 3] {
        assert!(ended.failure(item).1.contains("SIGKILL"));
    }
    assert_eq!(*ended.desk.job(job).state(), JobState::Failed);
}

#[test]
fn a_tree_is_stopped_in_the_background_and_what_became_of_it_is_told() {
    let sleep = unique_sleep();
    let mut desk = Desk::new();
    let job = start_ready(&mut desk, stubborn(&sleep));
    desk.board
        .stop_tree(job, None, Duration::from_millis(100))
        .unwrap();
    desk.until("the stop is told", |record| {
        let item = &record.job(job).unwrap().items()[0];
        item.process
            .as_ref()
            .is_some_and(|process| process.stopped.is_some())
    });
    desk.until_ended(job);
    assert_eq!(count_with(&sleep), 0);
    let item = &desk.job(job).items()[0];
    let stopped = item.process.as_ref().unwrap().stopped.clone().unwrap();
    assert!(
        stopped.escaped.is_empty() && !stopped.forced.is_empty(),
        "{stopped}"
    );
    assert_eq!(item.state.word(), "failed");
}

#[test]
fn a_process_that_a_signal_holds_is_shown_as_paused_until_it_goes_on() {
    let mut desk = Desk::new();
    let job = start_ready(&mut desk, shell("echo ready; exec sleep 86400"));
    let process = desk.board.process(job, ItemId(0)).unwrap();
    let pid = Pid::from_raw(process.pid().cast_signed());
    let state = |record: &meanwhile::record::Record| {
        let item = record.job(job).unwrap().items()[0].clone();
        item.process.as_ref().unwrap().state.clone()
    };
    kill(pid, Signal::SIGSTOP).unwrap();
    desk.until("it is paused", |record| {
        state(record) == ProcessState::Paused
    });
    kill(pid, Signal::SIGCONT).unwrap();
    desk.until("it goes on", |record| {
        state(record) == ProcessState::Running
    });
    kill(pid, Signal::SIGSTOP).unwrap();
    desk.board.cancel(job);
    desk.until_ended(job);
    assert_eq!(desk.words(job), ["cancelled"]);
}

#[test]
fn a_prefix_stands_before_the_command_and_its_end_is_the_command_s() {
    let folder = folder();
    for (prefix, expected) in [
        ("nice -n 7", "7 unset\n"),
        ("env GREETING='a b'", "0 a b\n"),
        ("env GREETING=x nice -n 3", "3 x\n"),
    ] {
        let mut options = words(&["sh", "-c", "echo $(nice) ${GREETING-unset}"]);
        options.prefix = prefix.to_owned();
        let ended = run(options, &[]);
        let nice = std::process::Command::new("nice").output().unwrap().stdout;
        if nice == b"0\n" {
            assert_eq!(ended.stdouts(), [expected.as_bytes()], "{prefix}");
        }
    }
    let mut options = words(&["sh", "-c", "exit 9", "{}"]);
    options.prefix = "nice".to_owned();
    let ended = run(options, &[folder.path().to_owned()]);
    assert_eq!(ended.failure(0).0, "exit_code");
    assert_eq!(ended.ran(0).end, End::Exited { code: 9 });
}

#[test]
#[ignore = "needs openssh-server; tests/all.sh runs it"]
fn a_command_runs_on_another_host_and_file_names_survive_its_shell() {
    let folder = folder();
    let server = Server::start(folder.path());
    let files: Vec<PathBuf> = HOSTILE.iter().map(|hostile| name(hostile).into()).collect();
    let mut options = words(&["printf", "%s\\0", "{}"]);
    options.prefix = server.prefix(folder.path());
    options.timeout_secs = 60.0;
    let ended = run(options, &files);
    let expected: Vec<Vec<u8>> = HOSTILE
        .iter()
        .map(|name| [name, &b"\0"[..]].concat())
        .collect();
    assert_eq!(ended.stdouts(), expected, "{:?}", ended.item(0));

    let mut options = shell("cat >&2 < /dev/null; echo \"$1\" >&2; exit 5");
    options.prefix = server.prefix(folder.path());
    options.timeout_secs = 60.0;
    let ended = run(options, &["a  b".into()]);
    let (kind, message) = ended.failure(0);
    assert_eq!(kind, "exit_code");
    assert!(
        message.contains("code 5") && message.ends_with("\na  b"),
        "{message}"
    );
}

/// An SSH server on a port of its own, with throw-away keys, for whoever runs the test.
struct Server {
    child: std::process::Child,
    port: u16,
}

impl Server {
    fn start(folder: &Path) -> Self {
        for key in ["host", "user"] {
            let key = folder.join(key);
            let made = std::process::Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(key)
                .status();
            assert!(made.expect("openssh-client is there").success());
        }
        // Another program could take the port in between, and the server would say so and end.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let at = folder.display();
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {at}/host\n\
             AuthorizedKeysFile {at}/user.pub\nPidFile none\nUsePAM no\nStrictModes no\n\
             PasswordAuthentication no\nMaxStartups 100\n"
        );
        let config = write(folder, "sshd_config", config);
        if nix::unistd::geteuid().is_root() {
            fs::create_dir_all("/run/sshd").unwrap();
        }
        let child = std::process::Command::new("/usr/sbin/sshd")
            .args(["-D", "-e", "-f"])
            .arg(config)
            .stderr(std::process::Stdio::piped())
            .spawn()
            .expect("openssh-server is there");
        let mut server = Self { child, port };
        let stderr = BufReader::new(server.child.stderr.take().unwrap());
        let mut said = stderr.lines().map(Result::unwrap);
        let listens = said.any(|line| line.contains("Server listening"));
        assert!(listens, "it ended early");
        server
    }

    fn prefix(&self, folder: &Path) -> String {
        let (port, at) = (self.port, folder.display());
        format!(
            "ssh -F none -p {port} -i {at}/user -o IdentitiesOnly=yes -o BatchMode=yes \
             -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR 127.0.0.1"
        )
    }
}

impl Drop for Server {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test waits for the server it has just killed"
    )]
    fn drop(&mut self) {
        // It has ended where the test has failed early.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

#[test]
fn a_document_has_exit_output_and_error_and_reads_back() {
    let folder = folder();
    let file = write(folder.path(), "f", b"\xff\n");
    let mut options = shell("cat \"$1\"; exit 4");
    options.expected_codes = "0".to_owned();
    let ended = run(options, &[file]);
    let mut text = Vec::new();
    write_json(ended.desk.job(ended.job), Duration::ZERO, &mut text).unwrap();
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
    assert_eq!(read, Output::Command(ended.item(0).ran().unwrap().clone()));
}

#[test]
fn options_read_back_from_a_document_whatever_bytes_they_hold() {
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
