//! Limits of files, and of processes and threads, under which a run begins.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ChildStderr, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::util::child::NOT_AS_ROOT;
use crate::util::files::folder;
use crate::util::interrupt::hear_interrupt;

/// What a run of six commands prints after this setup in a shell, which has closed all that it inherited but
/// the standard streams.
fn six_commands_after(setup: &str) -> (String, String) {
    const CLOSE: &str = r#"for file in /proc/$$/fd/*; do
        number=${file##*/}
        (( number < 3 )) || eval "exec $number>&-"
    done"#;
    let mut shell = std::process::Command::new("bash");
    shell.args(["-c", &format!("{CLOSE}\n{setup}\nexec \"$0\" \"$@\"")]);
    shell.arg(env!("CARGO_BIN_EXE_meanwhile"));
    shell.args(["run", "command", "1", "2", "3", "4", "5", "6", "--", "echo"]);
    let output = shell.output().expect("a shell");
    let text = |bytes| String::from_utf8(bytes).expect("plain text");
    (text(output.stdout), text(output.stderr))
}

#[test]
fn limit_too_low_for_one_command_is_named_once() {
    let mut needs = Vec::new();
    // An open file above the limit takes no room below it.
    for opened in ["", "exec 200</dev/null;", "exec 5</dev/null 7</dev/null;"] {
        let mut needed = None;
        for files in (5..=30).rev() {
            let (out, error) = six_commands_after(&format!("{opened} ulimit -n {files}"));
            if needed.is_none() && !out.is_empty() {
                // All wait for each other, and none fails.
                assert_eq!(out, "1\n2\n3\n4\n5\n6\n", "{files}: {error}");
                continue;
            }
            let needed = *needed.get_or_insert(files + 1);
            let begin =
                format!("meanwhile: the limit of open files is {files}, and a command needs ");
            assert!(error.starts_with(&begin), "{files}: {error}");
            let number = format!(" {needed}; ");
            assert!(files < 12 || error.contains(&number), "{files}: {error}");
            assert_eq!((&*out, error.lines().count()), ("", 1), "{files}: {error}");
        }
        needs.push(needed.expect("a limit that is too low"));
    }
    assert_eq!(needs, [needs[0], needs[0], needs[0] + 2]);
}

#[test]
fn process_limit_too_low_for_one_is_named_once() {
    for limit in [10, 12, 14] {
        let setup = format!("prlimit --nproc={limit} --pid $$\n{NOT_AS_ROOT}");
        let (out, error) = six_commands_after(&setup);
        let begin = format!(
            "meanwhile: the limit of processes and threads is {limit}, and a command needs "
        );
        assert!(error.starts_with(&begin), "{limit}: {error}");
        assert_eq!((&*out, error.lines().count()), ("", 1), "{error}");
    }
}

/// A run of six commands of a user who has other processes.
struct Crowded {
    run: Child,
    stderr: BufReader<ChildStderr>,
    others: Vec<Pid>,
    /// Has the program.
    _folder: TempDir,
}

/// The number of other processes.
const OTHERS: usize = 20;

/// What the run says when it waits for others: for how long, and why.
const WAITS: [&str; 2] = [
    "meanwhile: Items wait for up to ",
    " until other processes or threads end, because this user may have ",
];

/// A patience that ends soon after the run has said that it waits.
const SHORT_PATIENCE: &str = "--patience=2";

impl Crowded {
    /// Starts it with a limit that leaves room for so many processes and threads.
    fn start(room: usize) -> Self {
        Self::start_with(room, "--patience=30")
    }

    fn start_with(room: usize, patience: &str) -> Self {
        const RUN: &str = r#"
            [ -e /proc/self/fd/9 ] && exec 9<&-
            # Their parent reaps them: a zombie counts, too.
            read -r ready < <(
                for other in $(seq "$1"); do sleep 600 >/dev/null 2>&1 & echo $! >&2; done
                echo ready
                exec 2>/dev/null
                wait
            )
            threads=0
            for task in /proc/[0-9]*/task/[0-9]*; do [ -O "$task" ] && ((threads++)); done
            # This process is one of them.
            prlimit --nproc=$((threads - 1 + $2)) --pid $$
            shift 2
            exec "$@""#;
        hear_interrupt();
        let folder = folder();
        let program = folder.path().join("meanwhile");
        fs::copy(env!("CARGO_BIN_EXE_meanwhile"), &program).expect("our own folder");
        for path in [folder.path(), &program] {
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("our own");
        }
        let mut shell = Command::new("bash");
        shell.args(["-c", &format!("{NOT_AS_ROOT}\nexec \"$0\" \"$@\"")]);
        shell.args(["/bin/bash", "-c", RUN, "bash"]);
        shell.args([OTHERS, room].map(|number| number.to_string()));
        shell.arg(&program);
        shell.args(["run", "command", patience]);
        shell.args(["1", "2", "3", "4", "5", "6", "--", "echo"]);
        shell.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut run = shell.spawn().expect("a shell");
        let mut stderr = BufReader::new(run.stderr.take().expect("it is piped"));
        let others = (0..OTHERS).map(|_| {
            let mut line = String::new();
            stderr.read_line(&mut line).expect("plain text");
            Pid::from_raw(line.trim().parse().expect("a pid"))
        });
        let others = others.collect();
        Self {
            run,
            stderr,
            others,
            _folder: folder,
        }
    }

    /// The next line that it says.
    fn says(&mut self) -> String {
        let mut line = String::new();
        self.stderr.read_line(&mut line).expect("plain text");
        line
    }

    fn end_others(&mut self) {
        for other in self.others.drain(..) {
            kill(other, Signal::SIGKILL).expect("nobody else ends it");
        }
    }

    /// Waits for its end. Returns its exit code, its signal, and what it printed.
    fn end(&mut self) -> (Option<i32>, Option<i32>, String, String) {
        let (mut out, mut error) = (String::new(), String::new());
        let stdout = self.run.stdout.as_mut().expect("it is piped");
        stdout.read_to_string(&mut out).expect("plain text");
        self.stderr.read_to_string(&mut error).expect("plain text");
        let status = self.run.wait().expect("a child");
        (status.code(), status.signal(), out, error)
    }
}

impl Drop for Crowded {
    fn drop(&mut self) {
        self.end_others();
        self.run.kill().ok();
        self.run.wait().ok();
    }
}

#[track_caller]
fn assert_waits(said: &str, patience: &str) {
    assert!(said.starts_with(&WAITS.join(patience)), "{said}");
}

#[test]
fn commands_wait_for_processes_of_others() {
    for room in [1, 2, 4, 6, 8, 9, 10, 11, 12] {
        let mut crowded = Crowded::start(room);
        let said = crowded.says();
        assert_waits(&said, "30.0 s");
        assert!(said.contains("(`ulimit -u`)"), "{room}: {said}");
        crowded.end_others();
        let (code, _, out, error) = crowded.end();
        let printed = (code, &*out, &*error);
        assert_eq!(printed, (Some(0), "1\n2\n3\n4\n5\n6\n", ""), "{room}");
    }
}

#[test]
fn wait_for_processes_of_others_ends_by_ctrl_c() {
    for room in [1, 2, 4, 8, 10] {
        let mut crowded = Crowded::start(room);
        let said = crowded.says();
        assert_waits(&said, "30.0 s");
        let pid = Pid::from_raw(crowded.run.id().cast_signed());
        kill(pid, Signal::SIGINT).expect("it runs");
        let (_, signal, out, error) = crowded.end();
        assert_eq!((signal, &*out), (Some(2), ""), "{room}: {error}");
    }
}

#[test]
fn run_fails_when_others_leave_no_process_for_long() {
    const BEGIN: &str =
        "no process or thread could be started for 2.00 s, because this user may have ";
    const END: &str =
        " of them (`ulimit -u`); end some of the others, or raise the limit, and run this again";
    // The first can't even begin.
    let mut runs = [10, 12].map(|room| Crowded::start_with(room, SHORT_PATIENCE));
    let ended = runs.each_mut().map(|run| {
        let said = run.says();
        assert_waits(&said, "2.00 s");
        let (code, _, out, error) = run.end();
        assert_eq!((code, &*out), (Some(1), ""), "{error}");
        error
    });
    let is_progress = |line: &&str| line.ends_with(" of 6 items");
    let says_why = |line: &str| line.contains(BEGIN) && line.ends_with(END);
    let [first, second] = ended.each_ref().map(|error| {
        let lines = error.lines().filter(|line| !is_progress(line));
        lines.collect::<Vec<_>>()
    });
    assert!(first.len() == 1 && says_why(first[0]), "{first:?}");
    let (last, failures) = second.split_last().expect("it says why");
    assert_eq!(*last, "meanwhile: 6 items: 6 failed");
    assert_eq!(failures.len(), 6, "{failures:?}");
    assert!(failures.iter().all(|line| says_why(line)), "{failures:?}");
}
