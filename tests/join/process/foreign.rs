//! P33: processes that another program has started and reaps.

use std::fs;
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::process::{ChildStdin, ChildStdout};
use std::time::{Duration, Instant};

use meanwhile_join::process::{self, AdoptError, Exit, Process, ProcessState, RunningProcess};
use meanwhile_join::{CancelToken, JoinError, Select};

use super::signalling::IN_A_PID_NAMESPACE;
use super::stopping::counts;
use super::{eventually, runs, shell};
use crate::util::child::in_child_with;
use crate::util::files::folder;
use crate::util::gate::TIMEOUT;
use crate::util::sleeper::Sleeper;

/// A shell that runs one command after the other, reaps each at once and prints how it has ended.
struct Parent {
    shell: Process,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Parent {
    fn new() -> Self {
        Self::with("")
    }

    /// A parent that begins with this command, such as a limit for its children.
    fn with(setup: &str) -> Self {
        let script =
            r#"exec 3<&0; while read -r line; do sh -c "$line" & echo $!; wait $!; echo $?; done"#;
        let script = format!("{setup}\n{script}");
        let shell = shell(&script).stdin_piped().stdout_piped().spawn().unwrap();
        let stdout = BufReader::new(shell.take_stdout().unwrap());
        Self {
            stdin: shell.take_stdin().unwrap(),
            lines: stdout.lines(),
            shell,
        }
    }

    fn number(&mut self) -> i32 {
        self.lines.next().unwrap().unwrap().parse().unwrap()
    }

    /// Starts a command. Returns its pid.
    fn start(&mut self, command: &str) -> u32 {
        writeln!(self.stdin, "{command}").unwrap();
        self.number().unsigned_abs()
    }

    /// Starts a command that waits for [`release`](Self::release) before it does the rest.
    fn hold(&mut self, rest: &str) -> u32 {
        self.start(&format!("read go <&3; {rest}"))
    }

    /// Lets the command go on. Returns how the shell says that it has ended, once it has reaped it.
    fn release(&mut self) -> i32 {
        writeln!(self.stdin, "go").unwrap();
        self.number()
    }
}

impl Drop for Parent {
    fn drop(&mut self) {
        drop(self.shell.stop(Duration::ZERO));
    }
}

/// Why this system does not tell the exit of a process that was reaped; `None` if it does.
fn why_unknown() -> Option<String> {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = release.split('.').map(str::parse::<u32>);
    let version = (numbers.next()?.unwrap(), numbers.next()?.unwrap());
    if version < (6, 15) {
        return Some(format!("Linux {release} keeps no exit of a reaped process"));
    }
    let runs = |program| std::process::Command::new(program).arg("-v").output();
    let has_any = ["perl", "python3"].iter().any(|it| runs(it).is_ok());
    (!has_any).then(|| "there is neither perl nor python3".to_owned())
}

/// The exit that a shell shows as this number.
fn exit_of(shown: i32) -> Exit {
    if shown < 128 {
        return Exit::Code(shown);
    }
    Exit::Signal {
        signal: shown - 128,
        core_dumped: false,
    }
}

#[test]
fn p33_every_code_is_known_though_it_was_reaped() {
    if let Some(reason) = why_unknown() {
        println!("skipped: {reason}");
        return;
    }
    let mut parent = Parent::new();
    for code in 0..=255 {
        let pid = parent.hold(&format!("exit {code}"));
        let process = Process::adopt(pid).unwrap();
        assert_eq!((process.pid(), process.poll()), (pid, None));
        assert_eq!(parent.release(), code);
        assert_eq!(process.join_timeout(TIMEOUT).unwrap(), Exit::Code(code));
    }
}

#[test]
fn p33_every_signal_is_known_though_it_was_reaped() {
    if let Some(reason) = why_unknown() {
        println!("skipped: {reason}");
        return;
    }
    let mut parent = Parent::with("ulimit -c 0");
    // These end no process: what a shell has its background jobs ignore, SIGCHLD, SIGCONT, those that
    // stop, SIGURG and SIGWINCH.
    let harmless = [2, 3, 17, 18, 19, 20, 21, 22, 23, 28];
    for signal in (1..=31).filter(|signal| !harmless.contains(signal)) {
        let pid = parent.hold(&format!("kill -{signal} $$"));
        let process = Process::adopt(pid).unwrap();
        let shown = parent.release();
        assert_eq!(shown, 128 + signal);
        assert_eq!(process.join_timeout(TIMEOUT).unwrap(), exit_of(shown));
    }
}

#[test]
fn p33_core_file_is_known_though_it_was_reaped() {
    let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap();
    let is_taken = pattern.starts_with(['|', '@']);
    let taken = is_taken.then(|| format!("{pattern} takes the core files"));
    if let Some(reason) = why_unknown().or(taken) {
        println!("skipped: {reason}");
        return;
    }
    let folder = folder();
    let mut parent = Parent::with(&format!(
        "ulimit -c unlimited; cd {}",
        folder.path().display()
    ));
    let pid = parent.hold("kill -ABRT $$");
    let process = Process::adopt(pid).unwrap();
    assert_eq!(parent.release(), 128 + 6);
    let exit = Exit::Signal {
        signal: 6,
        core_dumped: true,
    };
    assert_eq!(process.join_timeout(TIMEOUT).unwrap(), exit);
}

#[test]
fn p33_exit_of_a_zombie_is_known() {
    // Its parent does not wait. Another program reads how it ended from the process table.
    let script = "exec 3<&0; (read go <&3; exit 9) & echo $!; exec sleep 60";
    let parent = shell(script).stdin_piped().stdout_piped().spawn().unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(parent.take_stdout().unwrap());
    stdout.read_line(&mut line).unwrap();
    let pid = line.trim().parse().unwrap();
    let early = Process::adopt(pid).unwrap();
    // As long as it is a shell, it may reap.
    let name = format!("/proc/{}/comm", parent.pid());
    eventually("the sleep", || {
        fs::read_to_string(&name).unwrap() == "sleep\n"
    });
    writeln!(parent.take_stdin().unwrap(), "go").unwrap();
    assert_eq!(early.join_timeout(TIMEOUT).unwrap(), Exit::Code(9));
    // Also if it was a zombie before.
    let late = Process::adopt(pid).unwrap();
    assert_eq!(late.join_timeout(TIMEOUT).unwrap(), Exit::Code(9));
    drop(parent.stop(Duration::ZERO));
}

/// Adopts a thousand processes at random moments of their short lives. Returns how many had ended before.
fn adopt_a_thousand() -> usize {
    let mut parent = Parent::new();
    let mut random: u32 = 1;
    let mut next = || {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        random >> 16
    };
    let (mut adopted, mut late) = (0, 0);
    while adopted < 1_000 {
        let number = adopted + late;
        let (shown, end) = match i32::try_from(number).unwrap() % 127 {
            rest if rest % 5 == 4 => (128 + 9, "kill -9 $$".to_owned()),
            rest => (rest, format!("exit {rest}")),
        };
        let steps = next() % 1_000;
        let work = format!("i=0; while [ $i -lt {steps} ]; do i=$((i+1)); done; {end}");
        let pid = parent.start(&work);
        let moment = Instant::now() + Duration::from_micros(u64::from(next() % 2_500));
        while Instant::now() < moment {}
        let process = Process::adopt(pid);
        assert_eq!(parent.number(), shown, "number {number}");
        match process {
            Ok(process) => {
                let exit = process.join_timeout(TIMEOUT).unwrap();
                assert_eq!(exit, exit_of(shown), "number {number}");
                adopted += 1;
            }
            Err(AdoptError::NoSuchProcess { pid: gone }) => {
                assert_eq!(gone, pid);
                late += 1;
            }
            Err(error) => panic!("number {number}: {error}"),
        }
    }
    late
}

#[test]
fn p33_thousand_short_lives_end_with_their_exits() {
    if let Some(reason) = why_unknown() {
        println!("skipped: {reason}");
        return;
    }
    let late = adopt_a_thousand();
    println!("besides these 1000, {late} had ended before");
}

#[test]
#[ignore = "needs util-linux and a pid namespace; tests/all.sh runs it"]
fn p33_thousand_exits_are_right_among_reused_pids() {
    if let Some(reason) = why_unknown() {
        println!("skipped: {reason}");
        return;
    }
    let name = "process::foreign::p33_thousand_exits_are_right_among_reused_pids";
    in_child_with(IN_A_PID_NAMESPACE, name, || {
        // Each namespace has its own limit: the same pid comes again after some dozen processes.
        fs::write("/proc/sys/kernel/pid_max", "400").unwrap();
        adopt_a_thousand();
    });
}

#[test]
#[ignore = "needs util-linux and a pid namespace; tests/all.sh runs it"]
fn p33_process_with_a_reused_pid_is_another_one() {
    let name = "process::foreign::p33_process_with_a_reused_pid_is_another_one";
    in_child_with(IN_A_PID_NAMESPACE, name, || {
        let mut parent = Parent::new();
        for round in 0..100 {
            let pid = parent.hold("exit 5");
            let listed = listed(pid).unwrap();
            let process = listed.adopt().unwrap();
            assert_eq!(parent.release(), 5);
            let other = loop {
                let before = pid - 1;
                fs::write("/proc/sys/kernel/ns_last_pid", before.to_string()).unwrap();
                let other = shell("read line; exit 6").stdin_piped().spawn().unwrap();
                // Who asks for the exit may have got the pid in its place.
                if other.pid() == pid {
                    break other;
                }
                drop(other.take_stdin());
                other.join().unwrap();
            };
            process.terminate().unwrap();
            process.kill().unwrap();
            process.pause();
            let report = process.stop(Duration::ZERO);
            assert_eq!(counts(&report), (0, 0, 0), "round {round}: {report:?}");
            if why_unknown().is_none() {
                assert_eq!(process.join_timeout(TIMEOUT).unwrap(), Exit::Code(5));
            }
            let error = match listed.adopt() {
                Err(error) => error,
                // The system shows the start to a hundredth of a second.
                Ok(_same_tick) => AdoptError::NoSuchProcess { pid },
            };
            assert!(matches!(error, AdoptError::NoSuchProcess { .. }), "{error}");
            drop(other.take_stdin());
            assert_eq!(other.join().unwrap(), Exit::Code(6));
        }
    });
}

fn listed(pid: u32) -> Option<RunningProcess> {
    let mut running = process::running_processes().unwrap().into_iter();
    running.find(|it| it.pid == pid)
}

#[test]
fn p33_foreign_process_is_waited_for_in_every_way() {
    let mut parent = Parent::new();
    let pid = parent.hold("exit 3");
    let process = listed(pid).unwrap().adopt().unwrap();
    assert_eq!(process.name(), "sh");
    let early = process.join_timeout(Duration::from_millis(1));
    assert!(matches!(early, Err(JoinError::TimedOut)), "{early:?}");
    let (sender, exits) = std::sync::mpsc::channel();
    process
        .on_exit(move |exit| sender.send(exit).unwrap())
        .keep();
    let token = CancelToken::new();
    token.cancel();
    assert!(process.state() == ProcessState::Running);
    process.pause();
    eventually("the pause", || process.state() == ProcessState::Stopped);
    process.resume();
    assert!(process::live_processes().iter().all(|it| it.pid != pid));
    let other = process.clone();
    let joiner = meanwhile_join::spawn("joins it, too", move |_| other.join().unwrap()).unwrap();
    assert_eq!(parent.release(), 3);
    assert_eq!(Select::new().process(&process).wait(), Ok(0));
    let exit = why_unknown().map_or(Exit::Code(3), |_reason| Exit::Unknown);
    assert_eq!(process.join().unwrap(), exit);
    assert_eq!(*joiner.join().unwrap(), exit);
    assert_eq!(exits.recv_timeout(TIMEOUT), Ok(exit));
    // It has ended: nothing is signalled.
    process.kill().unwrap();
    assert_eq!(counts(&process.stop(Duration::ZERO)), (0, 0, 0));
}

#[test]
fn p33_stop_ends_the_tree_but_not_the_pipeline() {
    let folder = folder();
    let sleeper = Sleeper::new(folder.path());
    let sleep = sleeper.command();
    let mut parent = Parent::new();
    // A sibling in the same group, and a child that has left the group.
    let pid = parent.start(&format!("setsid {sleep} & {sleep} & wait"));
    eventually("the sleepers", || sleeper.running().len() == 2);
    let sibling = shell(&format!("exec {sleep}")).spawn().unwrap();
    let process = Process::adopt(pid).unwrap();
    let report = process.stop(TIMEOUT);
    assert_eq!(counts(&report), (3, 0, 0), "{report:?}");
    let left: Vec<_> = report.ended.iter().map(|it| it.left_group).collect();
    assert_eq!(left.iter().filter(|left| **left).count(), 1, "{report:?}");
    assert_eq!(parent.number(), 128 + 15);
    eventually("the sleepers end", || sleeper.running() == [sibling.pid()]);
    assert!(runs(parent.shell.pid()));
    drop(sibling.stop(Duration::ZERO));
}

#[test]
fn p33_what_ignores_the_request_is_killed() {
    let mut parent = Parent::new();
    let pid = parent.start("trap '' TERM; echo 1 >&2; while :; do sleep 0.1; done");
    let process = Process::adopt(pid).unwrap();
    let ignores = || {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let mut lines = status.lines();
        let ignored = lines.find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
        u64::from_str_radix(ignored.trim(), 16).unwrap() & (1 << 14) != 0
    };
    eventually("the trap", ignores);
    let report = process.stop(Duration::ZERO);
    assert!(report.forced.iter().any(|it| it.pid == pid), "{report:?}");
    assert_eq!(parent.number(), 128 + 9);
    assert!(!runs(pid));
}

#[test]
fn p33_what_can_not_be_adopted_is_named() {
    for pid in [0, u32::MAX, i32::MAX.unsigned_abs()] {
        let error = Process::adopt(pid).unwrap_err();
        assert_eq!(error.to_string(), format!("no process has the id {pid}"));
    }
    let error = Process::adopt(std::process::id()).unwrap_err();
    assert!(matches!(error, AdoptError::Own), "{error}");
    // The first process is above all others of its namespace.
    for ancestor in [std::os::unix::process::parent_id(), 1] {
        let error = Process::adopt(ancestor).unwrap_err();
        let sentence = error.to_string();
        assert!(
            matches!(error, AdoptError::Ancestor { pid, .. } if pid == ancestor),
            "{sentence}"
        );
        assert!(
            sentence.starts_with(&format!("process {ancestor} (`")),
            "{sentence}"
        );
    }
    let thread = meanwhile_join::spawn("a thread", |_| {
        let thread = nix::unistd::gettid().as_raw().unsigned_abs();
        Process::adopt(thread).unwrap_err().to_string()
    });
    let own = std::process::id();
    let sentence = thread.unwrap().join().unwrap().clone();
    assert!(
        sentence.ends_with(&format!("is a thread of process {own}: take that process")),
        "{sentence}"
    );
    let ended = shell("exit 0").spawn().unwrap();
    ended.join().unwrap();
    let error = Process::adopt(ended.pid()).unwrap_err();
    assert!(matches!(error, AdoptError::NoSuchProcess { .. }), "{error}");
}

#[test]
fn p33_list_has_what_can_be_adopted_alone() {
    let mut parent = Parent::new();
    let pid = parent.hold("exit 0");
    let now = std::time::SystemTime::now();
    let running = process::running_processes().unwrap();
    // This program, those above it, its children, and the first thread of the kernel.
    let own = [std::process::id(), std::os::unix::process::parent_id()];
    let others = [1, 2, parent.shell.pid()];
    assert!(
        running
            .iter()
            .all(|it| !own.contains(&it.pid) && !others.contains(&it.pid))
    );
    assert!(running.is_sorted_by_key(|it| it.pid));
    let listed = running.iter().find(|it| it.pid == pid).unwrap();
    assert_eq!(listed.name, "sh");
    // The system shows both to about a hundredth of a second.
    let age = now.duration_since(listed.started_at).unwrap_or_default();
    assert!(age < TIMEOUT, "{age:?}");
    assert_eq!(parent.release(), 0);
}

#[test]
fn p33_main_thread_that_has_ended_is_no_end() {
    let script = "import threading, os, ctypes, sys
def rest():
    sys.stdin.readline()
    os._exit(21)
threading.Thread(target=rest).start()
print(os.getpid(), flush=True)
ctypes.CDLL(None).pthread_exit(None)";
    let python = process::Builder::new("python3")
        .args(["-c", script])
        .stdin_piped();
    let python = python.stdout_piped().spawn().unwrap();
    let pid = python.pid();
    let is_zombie = || {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        stat.contains(") Z ")
    };
    eventually("the main thread ends", is_zombie);
    let process = Process::adopt(pid).unwrap();
    let early = process.join_timeout(Duration::from_millis(1));
    assert!(matches!(early, Err(JoinError::TimedOut)), "{early:?}");
    writeln!(python.take_stdin().unwrap()).unwrap();
    assert_eq!(python.join().unwrap(), Exit::Code(21));
    if why_unknown().is_none() {
        assert_eq!(process.join_timeout(TIMEOUT).unwrap(), Exit::Code(21));
    }
}
