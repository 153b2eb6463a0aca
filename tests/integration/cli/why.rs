//! `meanwhile why`: what a process waits for.

use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, killpg};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, mkfifo};

use super::{NORMAL, code, err, json, meanwhile, out, run};
use crate::util::files::folder;

/// A shell command with all that it starts.
struct Script(Child);

impl Script {
    fn start(script: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new("sh");
        command.arg("-c").arg(script).arg("sh").args(arguments);
        let command = command.stdin(Stdio::null()).process_group(0);
        Self(command.spawn().expect("every system has a shell"))
    }

    fn pid(&self) -> String {
        self.0.id().to_string()
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        let group = Pid::from_raw(self.0.id().cast_signed());
        killpg(group, Signal::SIGKILL).expect("it has not been awaited");
        self.0.wait().expect("it is a child");
    }
}

/// Calls `why` until it exits with this code: a process needs a moment to come to its wait.
fn why_until(pid: &str, more: &[&str], wanted: i32) -> std::process::Output {
    for _ in 0..100 {
        let output = run(&[&["why", pid], more].concat());
        if code(&output) == wanted {
            return output;
        }
    }
    panic!("it never exits with {wanted}");
}

/// Each of two programs reads what only the other one can write.
fn ring() -> (Script, tempfile::TempDir) {
    let folder = folder();
    let [there, back] = ["there", "back"].map(|name| folder.path().join(name));
    for fifo in [&there, &back] {
        mkfifo(fifo, Mode::S_IRWXU).expect("a new FIFO");
    }
    let paths = [&there, &back].map(|path| path.to_str().expect("the folder has a plain name"));
    // A FIFO is opened only once its other end is, so each opens them in the order of the other.
    let script = "cat <\"$1\" >\"$2\" & exec cat >\"$1\" <\"$2\"";
    (Script::start(script, &paths), folder)
}

#[test]
fn ring_of_two_processes_is_named_and_exits_4() {
    let (script, _folder) = ring();
    let output = why_until(&script.pid(), &[], 4);
    let text = out(&output);
    let begin = format!("`cat` (pid {}) reads from the FIFO `", script.pid());
    assert!(text.starts_with(&begin), "{text}");
    assert!(
        text.ends_with(": a ring, nothing but a signal will move it.\n"),
        "{text}"
    );
    assert_eq!(text.lines().count(), 1, "{text}");
    assert_eq!(err(&output), "");

    let document = json(&why_until(&script.pid(), &["--format", "json"], 4));
    assert_eq!(document["version"], 1);
    assert_eq!(document["rings"][0].as_array().map(Vec::len), Some(2));
    assert_eq!(
        document["graph"]["processes"].as_array().map(Vec::len),
        Some(2)
    );

    let dot = why_until(&script.pid(), &["--format", "dot"], 4);
    assert!(out(&dot).contains(" -> t1 [color=red];"), "{}", out(&dot));
}

#[test]
fn tree_has_a_line_for_each_process() {
    let script = Script::start("sleep 1000 & sleep 1000 & wait", &[]);
    let mut lines = Vec::new();
    for _ in 0..100 {
        let output = run(&["why", "--tree", &script.pid()]);
        lines = out(&output).lines().map(str::to_owned).collect();
        if lines
            .iter()
            .filter(|line| line.contains("sleeps for 1000 s"))
            .count()
            == 2
        {
            break;
        }
    }
    assert_eq!(lines.len(), 3, "{lines:?}");
}

#[test]
fn watch_ends_with_the_process() {
    let mut child = Command::new("sleep")
        .arg("2")
        .spawn()
        .expect("every system has it");
    let mut watch = super::meanwhile(&["why", "--watch", &child.id().to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    child.wait().expect("it is a child");
    assert!(watch.wait().expect("it is a child").success());
    let mut text = String::new();
    watch
        .stdout
        .take()
        .expect("it is piped")
        .read_to_string(&mut text)
        .expect("text");
    assert!(text.contains("sleeps for 2.0 s."), "{text}");
}

#[test]
fn unknown_processes_are_errors() {
    let output = run(&["why", "no-program-has-this-name"]);
    assert_eq!(code(&output), 1);
    assert_eq!(
        err(&output),
        "meanwhile: no process is named no-program-has-this-name\n"
    );

    let mut child = Command::new("true").spawn().expect("every system has it");
    let pid = child.id().to_string();
    child.wait().expect("it is a child");
    let output = run(&["why", &pid]);
    assert_eq!(code(&output), 1);
    assert_eq!(
        err(&output),
        format!("meanwhile: no process has the id {pid}\n")
    );
}

#[test]
fn timed_out_join_says_what_its_command_waits_for() {
    let script = "sleep 1000 & wait $!; true";
    let args = [
        "run",
        "command",
        "--join-timeout",
        "2",
        "--",
        "sh",
        "-c",
        script,
    ];
    let output = run(&[&args[..4], &NORMAL[..], &args[4..]].concat());
    assert_eq!(code(&output), 3);
    let text = err(&output);
    assert!(text.contains("still running after "), "{text}");
    assert!(
        text.contains("which sleeps for 1000 s.") || text.contains("waits for a signal."),
        "{text}"
    );
}

#[test]
fn runtime_that_cannot_be_asked_is_named() {
    let script = Script::start("exec sleep 600", &[]);
    // There is no such program in an empty folder.
    let folder = folder();
    let path = folder.path().to_str().expect("the folder has a plain name");
    let mut command = meanwhile(&["why", &script.pid(), "--ask", "python"]);
    let output = command
        .env("PATH", path)
        .output()
        .expect("it was just built");
    assert_eq!(code(&output), 1);
    assert_eq!(
        err(&output),
        "meanwhile: Python can't be asked: the program py-spy is not installed; it comes with `pip install py-spy`\n"
    );
}
