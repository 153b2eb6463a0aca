//! `meanwhile join`: waits for a process that something else has started.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Output, Stdio};

use meanwhile::explain::{self, Activity, Thread};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{code, err, meanwhile, out, run};
use crate::util::child::NOT_AS_ROOT;
use crate::util::files::folder;
use crate::util::parent::Parent;
use crate::util::sleeper::Sleeper;

/// Starts to join, and returns once the program waits.
fn joining(pid: &str, more: &[&str]) -> Child {
    let mut command = meanwhile(&[&["join", pid], more].concat());
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the program starts")
}

/// Returns once the program waits for a process to end.
fn wait_until_it_watches(program: &Child) {
    // Its last step is a wait for news that comes back after an hour.
    let waits = |thread: &Thread| thread.activity == Activity::Woken && thread.deadline.is_some();
    let watches = || {
        let graph = explain::process(program.id());
        graph.is_ok_and(|graph| graph.threads.first().is_some_and(waits))
    };
    while !watches() {}
}

fn signal(program: &Child, signal: Signal) {
    let pid = Pid::from_raw(program.id().cast_signed());
    kill(pid, signal).expect("it runs");
}

/// Stops the program, and returns once none of its threads runs.
fn hold(program: &Child) {
    signal(program, Signal::SIGSTOP);
    let tasks = std::path::PathBuf::from(format!("/proc/{}/task", program.id()));
    let is_stopped = |task: std::fs::DirEntry| {
        let stat = std::fs::read_to_string(task.path().join("stat"));
        stat.is_ok_and(|stat| stat.contains(") T "))
    };
    let all_are = || {
        let mut tasks = std::fs::read_dir(&tasks).expect("it runs").flatten();
        tasks.all(is_stopped)
    };
    while !all_are() {
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

/// The shell has reaped the process before the program looks, which finds neither perl nor python3.
#[test]
fn end_without_an_interpreter_has_no_code() {
    let empty = folder();
    let mut parent = Parent::hold("exit 7");
    let mut command = meanwhile(&["join", &parent.pid]);
    let command = command.env("PATH", empty.path()).stdout(Stdio::piped());
    let program = command.spawn().expect("the program starts");
    wait_until_it_watches(&program);
    hold(&program);
    parent.release();
    while parent.runs() {
        std::thread::yield_now();
    }
    signal(&program, Signal::SIGCONT);
    let output = ended(program);
    let end = format!("sh ({}) has ended, code unknown\n", parent.pid);
    assert_eq!((code(&output), out(&output)), (1, end.as_str()));
}

/// Anybody may wait for it. Only its user may stop it.
#[test]
#[ignore = "needs root; tests/all.sh runs it"]
fn process_of_another_user_is_not_stopped() {
    if !nix::unistd::geteuid().is_root() {
        println!("NOT CHECKED: only root can start a process of another user.");
        return;
    }
    let parent = Parent::hold("exit 0");
    let program = meanwhile(&["join", &parent.pid, "--timeout", "0", "--then", "stop"]);
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{NOT_AS_ROOT}\nexec \"$0\" \"$@\"")]);
    shell.arg(program.get_program()).args(program.get_args());
    let output = shell.output().expect("a shell");
    let name = format!("sh ({})", parent.pid);
    assert_eq!((code(&output), out(&output)), (1, ""));
    assert_eq!(
        err(&output),
        format!(
            "meanwhile: {name} is still running after 0 ms\n\
             meanwhile: {name} can't be stopped: it is of another user\n"
        )
    );
    assert!(parent.runs());
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
    signal(&program, Signal::SIGINT);
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
