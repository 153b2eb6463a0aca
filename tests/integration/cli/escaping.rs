//! Ways by which a process leaves its command, and what is left of it however the run ends.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Running, meanwhile};
use crate::util::files::folder;
use crate::util::gate::TIMEOUT;
use crate::util::sleeper::Sleeper;

/// A way to leave: the programs that it needs, and a script. `SLEEP` is a command that sleeps for a day,
/// `PROGRAM` its first word, `FOLDER` a folder.
struct Way {
    needs: &'static [&'static str],
    script: &'static str,
    /// Whether only the administrator may do it.
    needs_root: bool,
}

const fn way(needs: &'static [&'static str], script: &'static str) -> Way {
    Way {
        needs,
        script,
        needs_root: false,
    }
}

const fn as_root(needs: &'static [&'static str], script: &'static str) -> Way {
    Way {
        needs_root: true,
        ..way(needs, script)
    }
}

const PERL: &str = "env -i perl -MPOSIX -e 'exit if fork; setsid; exit if fork; \
                    close $_ for *STDIN, *STDOUT, *STDERR; exec @ARGV' SLEEP";
const PYTHON: &str = "python3 -c 'import subprocess, sys; \
                      subprocess.Popen(sys.argv[1:], start_new_session=True, env=dict())' SLEEP";

const NODE: &str = "env -i node -e 'require(\"child_process\").spawn(process.argv[1], \
                    process.argv.slice(2), {detached: true, stdio: \"ignore\", env: Object()}).unref()' SLEEP";

/// What every system of the tests has.
const USUAL_WAYS: [Way; 12] = [
    way(&["setsid"], "setsid -f SLEEP"),
    way(&["setsid"], "env -i setsid -f SLEEP"),
    way(&["setsid"], "(env -i setsid sh -c 'SLEEP & exit' &) &"),
    way(&["nohup"], "nohup SLEEP >/dev/null 2>&1 &"),
    way(&["nohup"], "env -i nohup SLEEP >/dev/null 2>&1 &"),
    way(&["bash", "setsid"], "bash -c 'exec -c setsid -f SLEEP'"),
    way(
        &["script"],
        "env -i script -qfc 'SLEEP' /dev/null </dev/null >/dev/null &",
    ),
    way(&["perl"], PERL),
    way(&["python3"], PYTHON),
    as_root(&["unshare"], "env -i unshare -p -f SLEEP &"),
    as_root(&["runuser"], "runuser -u root -- env -i setsid -f SLEEP"),
    as_root(&["su"], "su root -c 'env -i setsid -f SLEEP'"),
];

/// What is tried where it is: the package of `node` is large.
const LARGE_WAYS: [Way; 1] = [way(&["node"], NODE)];

/// What needs a package. `daemon` and the like do what these do. A job of `at`, of
/// `systemd-run` or of a `tmux` server that ran before is started by another program and is none of the
/// command's descendants: nothing can end it but that program.
const MORE_WAYS: [Way; 7] = [
    as_root(&["sudo"], "sudo env -i setsid -f SLEEP"),
    way(&["screen"], "env -i screen -dmS meanwhile-test SLEEP"),
    way(
        &["tmux"],
        "env -i tmux -S FOLDER/socket new-session -d 'SLEEP'",
    ),
    as_root(
        &["start-stop-daemon"],
        "env -i PATH=\"$PATH\" start-stop-daemon --start --background --pidfile FOLDER/pid --startas PROGRAM -- 86400",
    ),
    way(&["daemonize"], "env -i daemonize SLEEP"),
    way(&["socat"], "env -i socat PIPE 'EXEC:SLEEP,setsid' &"),
    as_root(
        &["bwrap"],
        "env -i bwrap --dev-bind / / --unshare-pid --new-session SLEEP &",
    ),
];

/// How a run ends before its command does.
#[derive(Clone, Copy, Debug)]
enum End {
    Timeout,
    JoinTimeout,
    CtrlC,
    /// `SIGKILL` of the program.
    Killed,
}

const ENDS: [End; 4] = [End::Timeout, End::JoinTimeout, End::CtrlC, End::Killed];

impl Way {
    /// Why the way can't be gone here.
    fn obstacle(&self) -> Option<String> {
        if self.needs_root && !nix::unistd::geteuid().is_root() {
            return Some("only the administrator may".to_owned());
        }
        let is_missing = |program: &&&str| {
            let mut shell = Command::new("sh");
            shell.args(["-c", &format!("command -v {program}")]);
            let found = shell.stdout(Stdio::null()).status();
            !found.expect("a shell").success()
        };
        let missing = self.needs.iter().find(is_missing)?;
        Some(format!("there is no {missing}"))
    }

    /// Goes this way in a run that ends so. Panics unless nothing is left or what is left is named.
    fn leaves_nothing(&self, end: End) {
        let folder = folder();
        let sleeper = Sleeper::new(folder.path());
        let sleep = sleeper.command();
        let program = sleep.split(' ').next().expect("a program");
        let script = self.script.replace("SLEEP", &sleep);
        let script = script.replace("PROGRAM", program);
        let script = script.replace("FOLDER", &folder.path().display().to_string());
        let errors = folder.path().join("errors");
        let limit = match end {
            End::Timeout => ["--timeout", "5"],
            End::JoinTimeout => ["--join-timeout", "5"],
            End::CtrlC | End::Killed => ["--timeout", "600"],
        };
        let mut run = meanwhile(&["run", "command", "--grace", "1"]);
        run.args(limit).args(["--priority", "normal"]);
        run.args(["--", "sh", "-c", &format!("{script}\nexec sleep 600")]);
        run.stdout(Stdio::null());
        run.stderr(fs::File::create(&errors).expect("our own folder"));
        let mut run = Running(run.spawn().expect("the program starts"));
        let about = || {
            let errors = fs::read_to_string(&errors).unwrap_or_default();
            format!("{end:?} after `{}`: {errors}", self.script)
        };
        wait_until(|| !sleeper.running().is_empty(), &about);
        let pid = Pid::from_raw(run.0.id().cast_signed());
        match end {
            End::Timeout | End::JoinTimeout => {}
            End::CtrlC => kill(pid, Signal::SIGINT).expect("it runs"),
            End::Killed => kill(pid, Signal::SIGKILL).expect("it runs"),
        }
        run.0.wait().expect("it ends");
        let is_named = || {
            let errors = fs::read_to_string(&errors).unwrap_or_default();
            errors.contains("could not be killed")
        };
        match end {
            // The supervisor ends them after the program.
            End::Killed => wait_until(|| sleeper.running().is_empty(), &about),
            _ => assert!(sleeper.running().is_empty() || is_named(), "{}", about()),
        }
    }
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
    let ends = ENDS.into_iter().cycle();
    let ways = || USUAL_WAYS.iter().chain(&LARGE_WAYS);
    let pairs: Vec<_> = ways().zip(ends).collect();
    say_what_is_not_tried(ways());
    leave_nothing(&pairs);
}

/// Says it where the harness does not capture it.
fn say_what_is_not_tried<'a>(ways: impl Iterator<Item = &'a Way>) {
    for way in ways {
        if let Some(why) = way.obstacle() {
            let line = format!("not tried: `{}`: {why}\n", way.script);
            std::io::stderr().write_all(line.as_bytes()).ok();
        }
    }
}

/// Tries all that can be tried, at the same time.
fn leave_nothing(pairs: &[(&Way, End)]) {
    std::thread::scope(|threads| {
        for (way, end) in pairs {
            if way.obstacle().is_none() {
                threads.spawn(|| way.leaves_nothing(*end));
            }
        }
    });
}

#[test]
#[ignore = "takes a minute and needs packages; tests/all.sh runs it"]
fn each_way_out_leaves_nothing_after_any_end() {
    let ways = || USUAL_WAYS.iter().chain(&MORE_WAYS);
    let obstacles: Vec<_> = ways()
        .filter_map(|way| Some(format!("`{}`: {}", way.script, way.obstacle()?)))
        .collect();
    say_what_is_not_tried(LARGE_WAYS.iter());
    for end in ENDS {
        leave_nothing(
            &ways()
                .chain(&LARGE_WAYS)
                .map(|way| (way, end))
                .collect::<Vec<_>>(),
        );
    }
    assert!(obstacles.is_empty(), "not tried: {obstacles:#?}");
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

/// A folder with the program, and with a small program beside it that is this shell script.
fn program_with_small(folder: &std::path::Path, script: &str) -> Command {
    let program = folder.join("meanwhile");
    let built = env!("CARGO_BIN_EXE_meanwhile");
    fs::hard_link(built, &program)
        .or_else(|_| fs::copy(built, &program).map(drop))
        .expect("our own folder");
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
fn launches(folder: &std::path::Path) -> usize {
    let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
    log.matches("--meanwhile-launch").count()
}

/// Runs three commands with this script as the small program. Returns what is said on stderr.
fn echo_three(folder: &std::path::Path, script: &str) -> String {
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
