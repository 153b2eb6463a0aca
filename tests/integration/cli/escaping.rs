//! Ways by which a process leaves its command, and what is left of it however the run ends.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Running, meanwhile};
use crate::util::files::folder;
use crate::util::gate::TIMEOUT;
use crate::util::sleeper::Sleeper;
use crate::util::ways::{
    LARGE_WAYS, MORE_WAYS, REQUESTS, Request, USUAL_WAYS, Way, in_folder, say_what_is_not_tried,
};

/// How a run ends before its command does. `tests/e2e/closing.rs` has one more end: the
/// window is closed.
#[derive(Clone, Copy, Debug)]
enum End {
    Timeout,
    JoinTimeout,
    CtrlC,
    /// `SIGKILL` of the program.
    Killed,
}

const ENDS: [End; 4] = [End::Timeout, End::JoinTimeout, End::CtrlC, End::Killed];

/// The program that starts the commands, and ends what they have left after `SIGKILL`.
#[derive(Clone, Copy, Debug)]
enum Starter {
    /// The program itself: there is no small one in its folder.
    Itself,
    /// `meanwhile-supervise`, which Cargo builds beside the program.
    Small,
}

const STARTERS: [Starter; 2] = [Starter::Itself, Starter::Small];

impl Starter {
    /// The program, as a link in this folder if it has to be alone there.
    fn program(self, folder: &Path) -> Command {
        let mut command = match self {
            Self::Itself => Command::new(link_program(folder)),
            Self::Small => Command::new(env!("CARGO_BIN_EXE_meanwhile")),
        };
        command.stdin(Stdio::null());
        command
    }

    /// Why it can't be tried here.
    fn obstacle(self) -> Option<&'static str> {
        let small =
            Path::new(env!("CARGO_BIN_EXE_meanwhile")).with_file_name("meanwhile-supervise");
        let is_missing = matches!(self, Self::Small) && !small.exists();
        is_missing.then_some("meanwhile-supervise was not built")
    }
}

/// Goes this way in a run that ends so. Panics unless nothing is left or what is left is named.
fn leaves_nothing(way: &Way, end: End, starter: Starter) {
    let [folder, programs] = [folder(), folder()];
    let sleeper = Sleeper::new(folder.path());
    let script = way.script_for(&sleeper.command(), folder.path());
    let errors = folder.path().join("errors");
    let limit = match end {
        End::Timeout => ["--timeout", "5"],
        End::JoinTimeout => ["--join-timeout", "5"],
        End::CtrlC | End::Killed => ["--timeout", "600"],
    };
    let mut run = starter.program(programs.path());
    run.args(["run", "command", "--grace", "1"]).args(limit);
    run.args(["--priority", "normal"]);
    run.args(["--", "sh", "-c", &format!("{script}\nexec sleep 600")]);
    run.stdout(Stdio::null());
    run.stderr(fs::File::create(&errors).expect("our own folder"));
    let mut run = Running(run.spawn().expect("the program starts"));
    let about = || {
        let errors = fs::read_to_string(&errors).unwrap_or_default();
        format!("{end:?}, {starter:?} after `{}`: {errors}", way.script)
    };
    wait_until(|| !sleeper.running().is_empty(), &about);
    let pid = Pid::from_raw(run.0.id().cast_signed());
    match end {
        End::Timeout | End::JoinTimeout => {}
        End::CtrlC => kill(pid, Signal::SIGINT).expect("it runs"),
        End::Killed => kill(pid, Signal::SIGKILL).expect("it runs"),
    }
    run.0.wait().expect("it ends");
    let is_named = |pid: u32| {
        let errors = fs::read_to_string(&errors).unwrap_or_default();
        errors.contains("could not kill ") && errors.contains(&format!("sleep ({pid})"))
    };
    if matches!(end, End::Killed) {
        // The supervisor ends them after the program.
        wait_until(|| sleeper.running().is_empty(), &about);
    }
    let left = sleeper.running();
    let all_are_named = left.iter().all(|pid| is_named(*pid));
    assert!(all_are_named, "{left:?}: {}", about());
}

fn wait_until(condition: impl Fn() -> bool, about: &dyn Fn() -> String) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < TIMEOUT, "{}", about());
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

#[test]
fn each_way_out_leaves_nothing_after_one_end() {
    // Four ways, one for each end, with the one starter, and the next four with the other.
    let starters = STARTERS.into_iter().filter(|it| it.obstacle().is_none());
    let starters = starters.flat_map(|it| [it; ENDS.len()]).cycle();
    let ends = ENDS.into_iter().cycle().zip(starters);
    let ways = || USUAL_WAYS.iter().chain(&LARGE_WAYS);
    say_what_is_not_tried(ways());
    leave_nothing(ways().zip(ends));
}

/// Tries all that can be tried, at the same time.
fn leave_nothing<'a>(tries: impl Iterator<Item = (&'a Way, (End, Starter))>) {
    std::thread::scope(|threads| {
        for (way, (end, starter)) in tries {
            if way.obstacle().is_none() && starter.obstacle().is_none() {
                threads.spawn(move || leaves_nothing(way, end, starter));
            }
        }
    });
}

#[test]
#[ignore = "takes a minute and needs packages; tests/all.sh runs it"]
fn each_way_out_leaves_nothing_after_any_end() {
    let ways = || USUAL_WAYS.iter().chain(&MORE_WAYS);
    let of_ways = ways().filter_map(|way| Some(format!("`{}`: {}", way.script, way.obstacle()?)));
    let of_starters = STARTERS
        .iter()
        .filter_map(|it| it.obstacle().map(str::to_owned));
    let obstacles: Vec<_> = of_ways.chain(of_starters).collect();
    say_what_is_not_tried(LARGE_WAYS.iter());
    for starter in STARTERS {
        for end in ENDS {
            leave_nothing(ways().chain(&LARGE_WAYS).map(|way| (way, (end, starter))));
        }
    }
    assert!(obstacles.is_empty(), "not tried: {obstacles:#?}");
}

/// The program that runs before the command. Dropping it ends it.
struct Server<'a> {
    request: &'a Request,
    folder: &'a Path,
    shell: Running,
}

impl<'a> Server<'a> {
    fn start(request: &'a Request, folder: &'a Path) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", &in_folder(request.server, folder)]);
        shell.stdin(Stdio::null()).stderr(Stdio::null());
        let shell = Running(shell.spawn().expect("a shell"));
        Self {
            request,
            folder,
            shell,
        }
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        let end = in_folder(self.request.end, self.folder);
        Command::new("sh").args(["-c", &end]).status().ok();
        // It has ended if it is a daemon now.
        self.shell.0.kill().ok();
    }
}

#[test]
fn what_others_start_on_request_is_not_seen() {
    say_what_is_not_tried(REQUESTS.iter().map(|request| &request.asks));
    for request in &REQUESTS {
        let way = &request.asks;
        if way.obstacle().is_some() {
            continue;
        }
        let folder = folder();
        let sleeper = Sleeper::new(folder.path());
        let _server = Server::start(request, folder.path());
        let asks = way.script_for(&sleeper.command(), folder.path());
        // The program may still be starting.
        let script = format!("until {{ {asks}; }} 2>/dev/null; do sleep 0.1; done");
        let mut run = meanwhile(&["run", "command", "--leave", "stop", "--", "sh", "-c"]);
        let run = run.arg(&script).output().expect("the program starts");
        let error = super::err(&run);
        assert!(run.status.success(), "`{}`: {error}", way.script);
        assert!(!error.contains("running"), "`{}`: {error}", way.script);
        let about = || format!("`{}` has started nothing", way.script);
        wait_until(|| !sleeper.running().is_empty(), &about);
    }
}

#[test]
fn what_a_command_leaves_running_is_named() {
    let folder = folder();
    let sleeper = Sleeper::new(folder.path());
    let script = format!("env -i setsid -f {} >/dev/null 2>&1", sleeper.command());
    let named = meanwhile(&["run", "command", "--", "sh", "-c", &script]).output();
    let named = named.expect("the program starts");
    let left = sleeper.running();
    assert_eq!(left.len(), 1);
    let error = super::err(&named);
    assert!(named.status.success(), "{error}");
    assert!(
        error.contains(&format!("left sleep ({}) running", left[0])),
        "{error}"
    );

    let args = [
        "run", "command", "--format", "json", "--", "sh", "-c", &script,
    ];
    let json = super::json(&meanwhile(&args).output().expect("the program starts"));
    let names = &json["items"][0]["output"]["left"];
    assert!(
        names[0]
            .as_str()
            .is_some_and(|name| name.starts_with("sleep (")),
        "{json}"
    );

    let other = folder.path().join("other");
    fs::create_dir(&other).expect("our own folder");
    let stopped = Sleeper::new(&other);
    let script = format!("env -i setsid -f {} >/dev/null 2>&1", stopped.command());
    let args = [
        "run", "command", "--leave", "stop", "--", "sh", "-c", &script,
    ];
    let output = meanwhile(&args).output().expect("the program starts");
    assert!(output.status.success(), "{}", super::err(&output));
    let said = super::err(&output);
    let what = ": stopped what it had left running: sleep (";
    assert!(
        said.contains(what) && said.ends_with(") ended when asked\n"),
        "{said}"
    );
    assert_eq!(stopped.running(), [] as [u32; 0]);
}

/// Leaves a sleeper that has neither tag nor mark, and another session.
const HIDES: &str = "prlimit --locks=5:5 env -i setsid -f SLEEP >/dev/null 2>&1";

#[test]
fn who_hides_both_marks_is_named_after_each_end() {
    for end in [End::Timeout, End::JoinTimeout, End::CtrlC] {
        let folder = folder();
        let sleeper = Sleeper::new(folder.path());
        let limit = match end {
            End::Timeout => ["--timeout", "3"],
            End::JoinTimeout => ["--join-timeout", "3"],
            End::CtrlC | End::Killed => ["--timeout", "600"],
        };
        let mut run = meanwhile(&["run", "command", "--grace", "1", "--priority", "normal"]);
        let script = HIDES.replace("SLEEP", &sleeper.command());
        run.args(limit);
        run.args(["--", "sh", "-c", &format!("{script}; exec sleep 600")]);
        run.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut run = Running(run.spawn().expect("the program starts"));
        let about = || format!("nothing hides before {end:?}");
        wait_until(|| !sleeper.running().is_empty(), &about);
        if matches!(end, End::CtrlC) {
            run.signal(Signal::SIGINT);
        }
        let mut said = String::new();
        let stderr = run.0.stderr.as_mut().expect("it is piped");
        stderr.read_to_string(&mut said).expect("plain text");
        let left = sleeper.running();
        assert_eq!(left.len(), 1, "{end:?}: {said}");
        let named = format!("could not kill sleep ({})", left[0]);
        assert!(said.contains(&named), "{end:?}: {said}");
    }
}

#[test]
fn who_hides_both_marks_and_is_left_is_named() {
    let folder = folder();
    let sleeper = Sleeper::new(folder.path());
    let script = HIDES.replace("SLEEP", &sleeper.command());
    let run = meanwhile(&["run", "command", "--", "sh", "-c", &script]).output();
    let run = run.expect("the program starts");
    let left = sleeper.running();
    assert_eq!(left.len(), 1);
    let said = super::err(&run);
    let named = format!("left sleep ({}) running", left[0]);
    assert!(said.contains(&named), "{said}");
}

#[test]
fn orphans_of_a_command_become_no_zombies() {
    let script = "for i in $(seq 50); do (setsid true &); done
        until ! cat /proc/[0-9]*/stat 2>/dev/null | grep -q \") Z $PPID \"; do sleep 0.1; done";
    let args = [
        "run",
        "command",
        "--timeout",
        "60",
        "--",
        "sh",
        "-c",
        script,
    ];
    let run = meanwhile(&args).output().expect("the program starts");
    assert!(run.status.success(), "{}", super::err(&run));
}

#[test]
fn command_that_can_not_be_executed_is_explained() {
    let folder = folder();
    let script = folder.path().join("script");
    let install = format!(
        "install -m 755 /dev/stdin {} <<'E'\n#!/no/such\nE",
        script.display()
    );
    let made = Command::new("sh").args(["-c", &install]).status();
    assert!(made.expect("a shell").success());
    let path = script.display().to_string();
    let args = ["run", "command", "--format", "json", "--", &path];
    let json = super::json(&meanwhile(&args).output().expect("the program starts"));
    assert_eq!(
        json["items"][0]["error"]["kind"], "interpreter_not_found",
        "{json}"
    );
    let args = [
        "run", "command", "--format", "json", "--", "sh", "-c", "exit 127",
    ];
    let json = super::json(&meanwhile(&args).output().expect("the program starts"));
    assert_eq!(json["items"][0]["error"]["kind"], "exit_code", "{json}");
}

#[test]
#[ignore = "needs the administrator's rights; tests/all.sh runs it"]
fn first_process_of_a_container_leaves_no_zombie() {
    let script = "for i in $(seq 20); do (setsid sh -c 'sleep 0.1' &); done; sleep 1; \
                  cat /proc/[0-9]*/stat | grep -c ' Z '; exit 7";
    let mut unshare = Command::new("unshare");
    unshare.args(["-p", "-f", "--mount-proc", env!("CARGO_BIN_EXE_meanwhile")]);
    unshare.args(["run", "command", "--expect", "7", "--", "sh", "-c", script]);
    let output = unshare.output().expect("util-linux");
    assert_eq!(super::out(&output).trim(), "0", "{}", super::err(&output));
    assert!(output.status.success());
}

/// Makes a link to the program, or a copy, in this folder.
fn link_program(folder: &Path) -> PathBuf {
    let program = folder.join("meanwhile");
    let built = env!("CARGO_BIN_EXE_meanwhile");
    fs::hard_link(built, &program)
        .or_else(|_| fs::copy(built, &program).map(drop))
        .expect("our own folder");
    program
}

/// A folder with the program, and with a small program beside it that is this shell script.
fn program_with_small(folder: &Path, script: &str) -> Command {
    let program = link_program(folder);
    let install = format!(
        "install -m 755 /dev/stdin {}/meanwhile-supervise <<'E'\n#!/bin/sh\n\
         echo \"$1\" >> {}/log\n{script}\nE",
        folder.display(),
        folder.display()
    );
    let made = Command::new("sh").args(["-c", &install]).status();
    assert!(made.expect("a shell").success());
    let mut command = Command::new(program);
    command.stdin(Stdio::null());
    command
}

/// How often the small program was started as a shim.
fn launches(folder: &Path) -> usize {
    let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
    log.matches("--meanwhile-launch").count()
}

/// Runs three commands with this script as the small program. Returns what is said on stderr.
fn echo_three(folder: &Path, script: &str) -> String {
    let mut program = program_with_small(folder, script);
    program.args(["run", "command", "--workers", "1", "1", "2", "3"]);
    let output = program
        .args(["--", "echo", "item"])
        .output()
        .expect("it starts");
    let said = super::err(&output);
    assert_eq!(super::out(&output), "item 1\nitem 2\nitem 3\n", "{said}");
    said.to_owned()
}

#[test]
fn small_program_beside_the_own_one_is_used() {
    let folder = folder();
    let script = format!("exec {} \"$@\"", env!("CARGO_BIN_EXE_meanwhile"));
    assert_eq!(echo_three(folder.path(), &script), "");
    // Some may have been started for commands that did not come.
    assert!(launches(folder.path()) >= 3);
    // An isolated worker is the program itself, not the small one.
    let folder = crate::util::files::folder();
    let mut program = program_with_small(folder.path(), &script);
    program.args([
        "run",
        "misbehave",
        "--on",
        "process",
        "--end",
        "abort",
        "--item",
        "1",
        "a",
        "b",
    ]);
    let output = program.output().expect("it starts");
    assert!(
        super::out(&output).contains("is done"),
        "{}",
        super::err(&output)
    );
    assert!(
        super::err(&output).contains("SIGABRT"),
        "{}",
        super::err(&output)
    );
}

#[test]
fn small_program_of_another_version_is_not_used() {
    let folder = folder();
    let script = format!(
        "first=$1\nshift 2\nexec {} $first 0.0.0 \"$@\"",
        env!("CARGO_BIN_EXE_meanwhile")
    );
    assert_eq!(echo_three(folder.path(), &script), "");
    assert_eq!(launches(folder.path()), 1);
}
