//! `meanwhile join`: waits for a process that something else has started.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ChildStdin, Command, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{code, err, meanwhile, out, run};
use crate::util::files::folder;
use crate::util::sleeper::Sleeper;

/// A shell that starts a command in the background, prints its pid, waits for it and reaps it.
struct Parent {
    shell: Child,
    stdin: Option<ChildStdin>,
    pid: String,
}

impl Parent {
    /// The command goes on once [`release`](Self::release) is called.
    fn hold(command: &str) -> Self {
        let script = format!("exec 3<&0; (read go <&3 && {{ {command}; }}) & echo $!; wait $!");
        let mut shell = Command::new("sh");
        let shell = shell.args(["-c", &script]).stdin(Stdio::piped());
        let shell = shell.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut shell = shell.spawn().expect("a shell");
        let stdout = shell.stdout.take().expect("a pipe");
        let mut pid = String::new();
        let read = BufReader::new(stdout).read_line(&mut pid);
        read.expect("it prints the pid");
        Self {
            stdin: shell.stdin.take(),
            shell,
            pid: pid.trim().to_owned(),
        }
    }

    fn release(&mut self) {
        let mut stdin = self.stdin.take().expect("it was not released before");
        writeln!(stdin, "go").expect("the command reads it");
    }

    fn wait(&mut self) {
        self.shell.wait().expect("it is a child");
    }

    fn runs(&self) -> bool {
        std::path::Path::new("/proc").join(&self.pid).exists()
    }
}

impl Drop for Parent {
    fn drop(&mut self) {
        // The command ends with its input, unless it was released.
        drop(self.stdin.take());
        self.wait();
    }
}

/// Starts to join, and returns once the program waits.
fn joining(pid: &str, more: &[&str]) -> Child {
    let mut command = meanwhile(&[&["join", pid], more].concat());
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the program starts")
}

/// Waits until the program has the descriptor of a process open.
fn wait_until_it_watches(program: &Child) {
    let files = std::path::PathBuf::from(format!("/proc/{}/fd", program.id()));
    let watches = || {
        let files = std::fs::read_dir(&files).into_iter().flatten().flatten();
        let mut targets = files.filter_map(|file| std::fs::read_link(file.path()).ok());
        targets.any(|target| target.to_string_lossy().contains("pidfd"))
    };
    while !watches() {
        std::thread::yield_now();
    }
}

fn ended(program: Child) -> Output {
    program.wait_with_output().expect("the program ends")
}

#[test]
fn joined_process_gives_its_code() {
    for (command, wanted, end) in [
        ("exit 0", 0, "exited with code 0"),
        ("exit 7", 7, "exited with code 7"),
        (
            "kill -9 $(sh -c 'echo $PPID')",
            137,
            "was killed by signal 9 (SIGKILL)",
        ),
    ] {
        let mut parent = Parent::hold(command);
        let program = joining(&parent.pid, &[]);
        wait_until_it_watches(&program);
        parent.release();
        let output = ended(program);
        assert_eq!(out(&output), format!("sh ({}) {end}\n", parent.pid));
        assert_eq!(err(&output), "");
        assert_eq!(code(&output), wanted);
    }
}

#[test]
fn join_that_times_out_leaves_the_process() {
    let parent = Parent::hold("exit 0");
    let output = run(&["join", &parent.pid, "--timeout", "10ms"]);
    assert_eq!((code(&output), out(&output)), (3, ""));
    let pid = &parent.pid;
    let message = format!("meanwhile: sh ({pid}) is still running after 10 ms\n");
    assert_eq!(err(&output), message);
    assert!(parent.runs());
}

#[test]
fn join_that_times_out_says_why_or_waits_on() {
    let mut parent = Parent::hold("exit 6");
    let output = run(&["join", &parent.pid, "--timeout", "0", "--then", "why"]);
    assert_eq!(code(&output), 3);
    let sentence = format!("`sh` (pid {}) reads from a pipe", parent.pid);
    assert!(out(&output).starts_with(&sentence), "{}", out(&output));

    let mut program = joining(&parent.pid, &["--timeout", "0", "--then", "wait"]);
    let stderr = program.stderr.take().expect("a pipe");
    let mut line = String::new();
    let read = BufReader::new(stderr).read_line(&mut line);
    read.expect("it says that the time is up");
    parent.release();
    let output = ended(program);
    assert!(line.ends_with("is still running after 0 ms\n"), "{line}");
    let end = format!("sh ({}) exited with code 6\n", parent.pid);
    assert_eq!((code(&output), out(&output)), (6, end.as_str()));
}

#[test]
fn join_that_times_out_stops_the_tree() {
    let folder = folder();
    let sleeper = Sleeper::new(folder.path());
    let parent = Parent::hold("exit 0");
    let sleep = sleeper.command();
    let mut tree = Command::new("sh");
    let mut tree = tree
        .args(["-c", &format!("setsid {sleep} & wait")])
        .spawn()
        .expect("a shell");
    while sleeper.running().is_empty() {
        std::thread::yield_now();
    }
    let pid = tree.id().to_string();
    let output = run(&["join", &pid, "--timeout", "1ms", "--then", "stop"]);
    assert_eq!(code(&output), 3, "{}", err(&output));
    let end = format!("sh ({pid}) was killed by signal 15 (SIGTERM)\n");
    assert_eq!(out(&output), end);
    let asked = format!("sh ({pid})");
    assert!(err(&output).contains(&asked), "{}", err(&output));
    assert!(
        err(&output).ends_with(" ended when asked\n"),
        "{}",
        err(&output)
    );
    assert!(sleeper.running().is_empty());
    let status = tree.wait().expect("it is a child");
    assert_eq!(status.signal(), Some(15));
    assert!(parent.runs());
}

#[test]
fn ctrl_c_ends_the_wait_and_leaves_the_process() {
    let parent = Parent::hold("exit 0");
    let program = joining(&parent.pid, &[]);
    wait_until_it_watches(&program);
    let pid = Pid::from_raw(program.id().cast_signed());
    kill(pid, Signal::SIGINT).expect("it runs");
    let output = ended(program);
    assert_eq!(output.status.signal(), Some(2), "{output:?}");
    assert_eq!(out(&output), "");
    assert!(parent.runs());
}

#[test]
fn what_can_not_be_joined_is_one_sentence() {
    let own = std::process::id().to_string();
    for (process, sentence) in [
        ("0", "no process has the id 0"),
        ("4294967295", "no process has the id 4294967295"),
        ("99999999999999", "no process is named 99999999999999"),
        (
            own.as_str(),
            "has started this program and may wait for it: wait for it from elsewhere",
        ),
    ] {
        let output = run(&["join", process]);
        assert_eq!((code(&output), out(&output)), (1, ""), "{process}");
        let line = err(&output);
        assert!(line.ends_with(&format!("{sentence}\n")), "{line}");
        assert_eq!(line.lines().count(), 1, "{line}");
    }
    let output = run(&["join", &own, "--then", "stop"]);
    assert_eq!(code(&output), 2, "{}", err(&output));
}
