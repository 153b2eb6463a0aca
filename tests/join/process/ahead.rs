//! Shims that a launcher starts ahead of the commands.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::Instant;

use meanwhile_join::CancelToken;
use meanwhile_join::process::{
    Builder, Exit, LaunchOptions, Launcher, Process, ProcessGroup, live_processes,
};
use nix::sys::signal::{Signal, kill};
use nix::sys::stat::{Mode, umask};
use nix::unistd::{Pid, getpgrp, getsid};

use super::launching::children_of;
use super::spawning::executable;
use super::{eventually, launcher, launching_program, runs, shell};
use crate::util::child::{in_child, in_child_with};
use crate::util::files::folder;
use crate::util::gate::TIMEOUT;

fn start(launcher: &Launcher, builder: Builder) -> Process {
    let launched = builder.launched_by(launcher, LaunchOptions::default());
    launched.spawn().unwrap()
}

/// Runs a shell with this script. Returns its pid and what it has printed.
fn run(launcher: &Launcher, script: &str) -> (u32, String) {
    let process = start(launcher, shell(script));
    assert_eq!(process.join().unwrap(), Exit::Code(0));
    (process.pid(), process.output().stdout.text().into_owned())
}

/// The children of this program that wait for a command. It must be a program of its own.
fn waiting() -> Vec<u32> {
    let mut children = children_of(std::process::id());
    children.retain(|pid| {
        let command_line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        command_line.starts_with(b"meanwhile-shim\0")
    });
    children
}

/// Starts a command, so that shims wait for the next ones. Returns those.
fn wait_for_shim(launcher: &Launcher) -> Vec<u32> {
    run(launcher, ":");
    let mut shims = Vec::new();
    eventually("a shim that waits", || {
        shims = waiting();
        !shims.is_empty()
    });
    shims
}

#[test]
fn p30_second_command_is_a_shim_that_has_waited() {
    let name = "process::ahead::p30_second_command_is_a_shim_that_has_waited";
    in_child(name, || {
        let launcher = launcher();
        // A shim that has just been started may not be waiting yet.
        eventually("a shim that becomes a command", || {
            let shims = wait_for_shim(&launcher);
            let (pid, output) = run(&launcher, "echo $$ \"$0\"; read line || echo end");
            assert_eq!(output, format!("{pid} /bin/sh\nend\n"));
            shims.contains(&pid)
        });
    });
}

#[test]
fn p30_shim_that_ends_early_is_not_the_command() {
    let name = "process::ahead::p30_shim_that_ends_early_is_not_the_command";
    in_child(name, || {
        let folder = folder();
        let read = folder.path().join("read");
        // Reads the first byte of the request, and ends.
        let script = format!(
            "#!/bin/sh\nif [ \"$3\" = wait ]; then head -c 1; echo > {}; exit; fi\nexec {} \"$@\"\n",
            read.display(),
            launching_program().display()
        );
        let launcher = Launcher::of_program(executable(folder.path(), &script));
        eventually("a request to a shim that waits", || {
            let (_pid, output) = run(&launcher, "echo done");
            assert_eq!(output, "done\n");
            read.exists()
        });
    });
}

/// What a process inherits, without the tag and the mark of a tree.
const SHOW_INHERITED: &str = "umask; pwd -P; ulimit -n; ulimit -c; nice; echo \"$CHANGED\"
    grep -E 'Sig(Ign|Blk)|Cpus_allowed:' /proc/self/status; cat /proc/self/oom_score_adj";

/// What a process shows that std starts.
fn shown_by_std() -> String {
    let mut command = Command::new("/bin/sh");
    let output = command.args(["-c", SHOW_INHERITED]).stdin(Stdio::null());
    String::from_utf8(output.output().unwrap().stdout).unwrap()
}

/// Runs a shell that changes this program from outside.
fn done(script: &str, arguments: &[u32]) {
    let mut command = Command::new("/bin/sh");
    let arguments = arguments.iter().map(u32::to_string);
    let command = command.args(["-c", script]).args(arguments);
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

fn threads() -> Vec<u32> {
    let threads = fs::read_dir("/proc/self/task").unwrap().flatten();
    let numbers = threads.filter_map(|it| it.file_name().to_str()?.parse().ok());
    numbers.collect()
}

#[test]
fn p30_command_inherits_what_has_changed_since() {
    let name = "process::ahead::p30_command_inherits_what_has_changed_since";
    in_child_with("export CHANGED=0", name, || {
        let launcher = launcher();
        let folder = folder();
        let other = folder.path().join("other");
        fs::create_dir(&other).unwrap();
        let changes: [(&str, &dyn Fn()); 8] = [
            ("nothing", &|| ()),
            ("the mask", &|| {
                umask(Mode::from_bits_truncate(0o27));
            }),
            ("the folder", &|| std::env::set_current_dir(&other).unwrap()),
            ("a limit", &|| {
                done("prlimit --pid $0 --nofile=200:300", &[std::process::id()]);
            }),
            ("another limit", &|| {
                done("prlimit --pid $0 --core=0:4096", &[std::process::id()]);
            }),
            ("the niceness", &|| {
                done("renice -n 3 -p $0 \"$@\"", &threads());
            }),
            ("the out-of-memory score", &|| {
                fs::write("/proc/self/oom_score_adj", "321").unwrap();
            }),
            ("a folder that is gone", &|| fs::remove_dir(&other).unwrap()),
        ];
        for (what, change) in changes {
            wait_for_shim(&launcher);
            change();
            let expected = shown_by_std();
            assert_eq!(run(&launcher, SHOW_INHERITED).1, expected, "{what}");
        }
    });
}

#[test]
fn command_after_a_shim_has_its_own_settings() {
    let name = "process::ahead::command_after_a_shim_has_its_own_settings";
    in_child_with("export GONE=1 KEPT=2", name, || {
        let launcher = launcher();
        let folder = folder();
        wait_for_shim(&launcher);
        let script = "echo \"$GONE$KEPT$NEW\"; pwd -P; cat; ulimit -n; echo \"$0\" >&2";
        let builder = shell(script)
            .arg0("named")
            .env_remove("GONE")
            .env("NEW", "a=b\n");
        let builder = builder.current_dir(folder.path()).stdin_bytes("text\n");
        let limits = LaunchOptions::default().open_files(77);
        let process = builder.stderr_to_stdout().launched_by(&launcher, limits);
        let process = process.spawn().unwrap();
        assert_eq!(process.join().unwrap(), Exit::Code(0));
        let path = fs::canonicalize(folder.path()).unwrap();
        let expected = format!("2a=b\n\n{}\ntext\n77\nnamed\n", path.display());
        assert_eq!(process.output().stdout.text(), expected);
    });
}

#[test]
fn what_a_shim_that_waited_has_left_is_named() {
    let name = "process::ahead::what_a_shim_that_waited_has_left_is_named";
    in_child(name, || {
        let launcher = launcher();
        wait_for_shim(&launcher);
        let leaving = start(&launcher, shell("sleep 60 >/dev/null 2>&1 & echo $!"));
        leaving.join().unwrap();
        let left = leaving.descendants().unwrap();
        let left: Vec<_> = left.iter().map(|it| it.pid.to_string()).collect();
        assert_eq!(left, [leaving.output().stdout.text().trim()]);
        assert!(leaving.stop(TIMEOUT).escaped.is_empty());
    });
}

/// Starts a shell that waits for a line, as a shim that has waited.
fn start_as_shim(launcher: &Launcher, group: ProcessGroup) -> Process {
    let first = Instant::now();
    loop {
        let shims = wait_for_shim(launcher);
        let process = start(launcher, shell("read line").stdin_piped().group(group));
        if shims.contains(&process.pid()) {
            return process;
        }
        assert!(first.elapsed() < TIMEOUT, "no shim is used");
        drop(process.take_stdin());
    }
}

#[test]
fn group_is_as_chosen_though_the_shim_waited() {
    let name = "process::ahead::group_is_as_chosen_though_the_shim_waited";
    in_child(name, || {
        let launcher = launcher();
        let own = (getpgrp(), getsid(None).unwrap());
        for group in [
            ProcessGroup::Inherited,
            ProcessGroup::Own,
            ProcessGroup::Session,
        ] {
            let process = start_as_shim(&launcher, group);
            let pid = Pid::from_raw(process.pid().try_into().unwrap());
            let expected = match group {
                ProcessGroup::Inherited => own,
                ProcessGroup::Own => (pid, own.1),
                _ => (pid, pid),
            };
            let session = getsid(Some(pid)).unwrap();
            let group_now = nix::unistd::getpgid(Some(pid)).unwrap();
            assert_eq!((group_now, session), expected, "{group:?}");
            drop(process.take_stdin());
            process.join().unwrap();
        }
    });
}

#[test]
fn error_of_a_shim_that_waited_names_the_cause() {
    let name = "process::ahead::error_of_a_shim_that_waited_names_the_cause";
    in_child(name, || {
        let launcher = launcher();
        let folder = folder();
        wait_for_shim(&launcher);
        let script = super::spawning::executable(folder.path(), "#!/no/such/interpreter\n");
        let refused = Builder::new(script).launched_by(&launcher, LaunchOptions::default());
        let error = refused.spawn().unwrap_err();
        assert!(error.to_string().contains("interpreter"), "{error}");
        wait_for_shim(&launcher);
    });
}

/// The descriptors of a process, and where they lead.
fn descriptors(pid: u32) -> Vec<(String, String)> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
    let mut all: Vec<_> = entries
        .map(|it| {
            let target = fs::read_link(it.path()).unwrap_or_default();
            let number = it.file_name().to_string_lossy().into_owned();
            (number, target.display().to_string())
        })
        .collect();
    all.sort();
    all
}

#[test]
fn p30_shim_holds_no_stream_and_is_unlisted() {
    let name = "process::ahead::p30_shim_holds_no_stream_and_is_unlisted";
    in_child(name, || {
        let launcher = launcher();
        for shim in wait_for_shim(&launcher) {
            eventually("the wait", || {
                let wchan = fs::read_to_string(format!("/proc/{shim}/syscall"));
                wchan.is_ok_and(|it| it.starts_with("47 ")) // recvmsg
            });
            let inherited = descriptors(std::process::id());
            for descriptor in descriptors(shim) {
                let (number, target) = &descriptor;
                let is_own = target == "/dev/null" || target.starts_with("socket:");
                let is_stream = ["0", "1", "2"].contains(&number.as_str());
                // What the program itself has inherited goes to the command.
                let is_handed_on = !is_stream && inherited.contains(&descriptor);
                assert!(is_own || is_handed_on, "{number}: {target}");
            }
        }
        assert!(live_processes().is_empty());
        assert!(launcher.live_processes().is_empty());
    });
}

#[test]
fn p30_shims_end_at_shutdown_and_with_launcher() {
    let name = "process::ahead::p30_shims_end_at_shutdown_and_with_launcher";
    in_child(name, || {
        let launcher = launcher();
        wait_for_shim(&launcher);
        assert!(launcher.shutdown().is_complete());
        // One that is being started at that moment ends right after its start.
        eventually("the end of the shims", || waiting().is_empty());
        wait_for_shim(&launcher);
        drop(launcher);
        eventually("the end of the shims", || waiting().is_empty());
    });
}

#[test]
fn p30_shims_end_when_no_command_comes() {
    let name = "process::ahead::p30_shims_end_when_no_command_comes";
    in_child(name, || {
        let launcher = launcher();
        wait_for_shim(&launcher);
        let start = Instant::now();
        eventually("the end of the shims", || {
            std::thread::park_timeout(std::time::Duration::from_millis(20));
            waiting().is_empty()
        });
        assert!(start.elapsed().as_secs() >= 5, "they waited for commands");
        assert!(launcher.live_processes().is_empty());
    });
}

#[test]
fn p30_shim_ends_with_its_program() {
    const PIDS: &str = "MEANWHILE_TEST_PIDS";
    let name = "process::ahead::p30_shim_ends_with_its_program";
    let folder = folder();
    let file = folder.path().join("pids");
    in_child_with(&format!("export {PIDS}={}", file.display()), name, || {
        // Left to the end of the program.
        let launcher = std::mem::ManuallyDrop::new(launcher());
        let shims = wait_for_shim(&launcher);
        fs::write(std::env::var(PIDS).unwrap(), format!("{shims:?}")).unwrap();
    });
    let pids = fs::read_to_string(&file).unwrap_or_default();
    let pids = pids
        .trim_matches(['[', ']'])
        .split(", ")
        .flat_map(str::parse);
    let pids: Vec<u32> = pids.collect();
    assert!(std::env::var_os(PIDS).is_some() || !pids.is_empty());
    eventually("the end of the shims", || {
        pids.iter().all(|pid| !runs(*pid))
    });
}

#[test]
fn p30_killed_or_stopped_shim_delays_no_command() {
    let name = "process::ahead::p30_killed_or_stopped_shim_delays_no_command";
    in_child(name, || {
        let launcher = launcher();
        for to_shim in [Signal::SIGKILL, Signal::SIGSTOP] {
            for shim in wait_for_shim(&launcher) {
                kill(Pid::from_raw(shim.try_into().unwrap()), to_shim).unwrap();
                eventually("the signal", || {
                    let stat = fs::read_to_string(format!("/proc/{shim}/stat")).unwrap_or_default();
                    matches!(
                        stat.rsplit(") ").next().and_then(|it| it.chars().next()),
                        Some('Z' | 'T') | None
                    )
                });
            }
            let echo = shell("echo on").launched_by(&launcher, LaunchOptions::default());
            let echo = echo.spawn_until(Instant::now() + TIMEOUT, &CancelToken::new());
            let echo = echo.unwrap();
            assert_eq!(echo.join().unwrap(), Exit::Code(0));
            assert_eq!(echo.output().stdout.text(), "on\n");
        }
    });
}

#[test]
fn ignored_signals_are_those_of_the_moment() {
    let name = "process::ahead::ignored_signals_are_those_of_the_moment";
    // A shell that ignores a signal hands that on; this program can't change it without unsafe code.
    in_child_with("trap '' USR1", name, || {
        let launcher = launcher();
        wait_for_shim(&launcher);
        let script = "grep SigIgn /proc/self/status";
        let mut plain = Command::new("/bin/sh");
        let plain = plain.arg0("/bin/sh").args(["-c", script]).output().unwrap();
        let plain = String::from_utf8(plain.stdout).unwrap();
        assert_eq!(run(&launcher, script).1, plain);
    });
}

#[test]
fn p30_long_command_waits_for_no_shim() {
    let name = "process::ahead::p30_long_command_waits_for_no_shim";
    in_child(name, || {
        let folder = folder();
        let waiting = folder.path().join("waiting");
        // A shim that waits reads nothing, as one that is slow.
        let script = format!(
            "#!/bin/sh\nif [ \"$3\" = wait ]; then echo >> {}; exec sleep 86400; fi\nexec {} \"$@\"\n",
            waiting.display(),
            launching_program().display()
        );
        let launcher = Launcher::of_program(executable(folder.path(), &script));
        // More than the system keeps for it.
        let long = "x".repeat(100_000);
        for round in 1..=5 {
            let command = shell("echo ${#1}").args(["sh", &long, &long, &long]);
            let command = command.launched_by(&launcher, LaunchOptions::default());
            let process = command.spawn_until(Instant::now() + TIMEOUT, &CancelToken::new());
            let output = process.unwrap().join_checked().unwrap();
            assert_eq!(output.stdout.text(), "100000\n");
            eventually("another shim that waits", || {
                fs::read(&waiting).is_ok_and(|lines| lines.len() >= round)
            });
        }
    });
}

#[test]
fn p30_shim_of_another_version_takes_no_command() {
    let name = "process::ahead::p30_shim_of_another_version_takes_no_command";
    in_child(name, || {
        let launcher = launcher();
        let shim = wait_for_shim(&launcher)[0];
        let words = fs::read_to_string(format!("/proc/{shim}/cmdline")).unwrap();
        let words: Vec<_> = words.split_terminator('\0').collect();
        let [_name, shim_argument, own_version, wait, parent] = words[..] else {
            panic!("{words:?}");
        };
        let first_answer = |version| {
            let (mut ours, theirs) = UnixStream::pair().unwrap();
            let shim = Builder::new(launching_program());
            let shim = shim.args([shim_argument, version, wait, parent]);
            let shim = shim.stdin_from(OwnedFd::from(theirs)).spawn().unwrap();
            // A request of one byte, after its length.
            ours.write_all(&[&1_u32.to_ne_bytes()[..], b"x"].concat())
                .unwrap();
            let mut answer = [0];
            let read = ours.read(&mut answer);
            shim.join().unwrap();
            // The end of a shim that has not read all is an error.
            (read.unwrap_or(0) > 0).then_some(answer)
        };
        assert_eq!(first_answer(own_version), Some(*b"+"));
        assert_eq!(first_answer("another"), None);
    });
}
