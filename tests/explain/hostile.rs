//! Processes that make it hard: odd names, short lives, other namespaces, other users.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use meanwhile_explain::{Activity, ExplainError, INTERVAL, Lock, Target, WaitGraph};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::{Pid, Uid};

use super::edges::{Edges, assert_edges};
use super::program::{Library, Waiting, built, look_until};
use super::sentences::without_ids;

/// How often a process is looked at that changes all the time.
const LOOKS: usize = 30;

#[test]
fn odd_names_stay_in_their_line() {
    let waiting = Waiting::start(Library::Gnu, "odd-name").expect("there is a compiler");
    let graph = meanwhile_explain::process(waiting.pid()).expect("it waits");
    assert_eq!(graph.asked().name, "a) R 1 (b\\n\\u{1b}[2J");
    let sentence = graph.sentence();
    assert!(!sentence.contains(char::is_control), "{sentence:?}");
    assert!(sentence.ends_with("waits for a signal."), "{sentence}");
}

#[test]
fn short_lives_never_give_a_wrong_ring() {
    let waiting = Waiting::start(Library::Gnu, "short-lives").expect("there is a compiler");
    let mut names = BTreeSet::new();
    for _ in 0..30 {
        let graph = meanwhile_explain::tree(waiting.pid()).expect("it runs");
        assert_eq!(graph.rings(), Vec::<Vec<_>>::new());
        assert!(!graph.sentence().is_empty());
        names.insert(graph.asked().name.clone());
    }
    assert!(names.len() > 1, "it has not changed its name: {names:?}");
}

#[test]
fn ended_process_is_an_error() {
    let mut child = Command::new("true").spawn().expect("every system has it");
    let pid = child.id();
    child.wait().expect("it is a child");
    let error = meanwhile_explain::process(pid).expect_err("it has ended");
    assert_eq!(error, ExplainError::NoSuchProcess(pid));
}

/// A thread's id is another one inside of a pid namespace, and the memory has that one.
#[test]
fn mutex_in_a_pid_namespace_has_its_owner() {
    let Some(program) = built(Library::Gnu) else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder for the test");
    let mut command = Command::new("unshare");
    command.args([
        "--user",
        "--map-root-user",
        "--pid",
        "--fork",
        "--kill-child",
    ]);
    command.arg(program).arg("mutex-normal").arg(folder.path());
    let waiting = Waiting::of(&mut command, folder);
    if waiting.lines.is_empty() {
        // Some systems don't let a user make one.
        return;
    }
    for _ in 0..50 {
        let graph = meanwhile_explain::tree(waiting.pid()).expect("it waits");
        let wants = |lock: &Activity| *lock == Activity::Locks(Lock::Mutex);
        let Some(thread) = graph.threads.iter().find(|thread| wants(&thread.activity)) else {
            continue;
        };
        let [Target::Thread(owner)] = thread.awaits[..] else {
            panic!("the owner is not known: {:?}", thread.awaits);
        };
        let owner = graph.thread(owner);
        assert_eq!(owner.activity, Activity::Sleeps);
        assert_eq!(owner.process, thread.process);
        return;
    }
    panic!("no thread waits for a mutex");
}

/// The names that the cases `changing-names` and `execs` give themselves, and their titles.
fn names_and_titles() -> Vec<(String, String)> {
    let of = |letter: &str| {
        let name = letter.repeat(15);
        (name.clone(), format!("{name}: {name}"))
    };
    ["a", "b"].map(of).into()
}

/// A name and a title belong together, and no part of another one is in them.
#[test]
fn names_that_change_are_never_mixed() {
    let waiting = Waiting::start(Library::Gnu, "changing-names").expect("there is a compiler");
    let known = names_and_titles();
    let mut seen = BTreeSet::new();
    for _ in 0..LOOKS {
        let graph = meanwhile_explain::process(waiting.pid()).expect("it waits");
        let process = graph.asked();
        let own = known.iter().find(|(name, _)| *name == process.name);
        let (name, title) = own.unwrap_or_else(|| panic!("wrong name: {process:?}"));
        let shown = process.title_or_name();
        assert!([name, title].contains(&&shown.to_owned()), "{process:?}");
        seen.insert(name);
    }
    assert_eq!(seen.len(), known.len(), "it does not change its name");
}

/// Another program each millisecond, with the same id and other threads.
#[test]
fn exec_in_the_middle_gives_no_wrong_edge() {
    let waiting = Waiting::start(Library::Gnu, "execs").expect("there is a compiler");
    let names: Vec<String> = names_and_titles().into_iter().map(|it| it.0).collect();
    for _ in 0..LOOKS {
        let graph = meanwhile_explain::process(waiting.pid()).expect("it runs");
        assert_eq!(graph.processes.len(), 1);
        let name = &graph.asked().name;
        let is_file = name.starts_with("waits-cc-") || name == "exe";
        assert!(is_file || names.contains(name), "{name}");
        assert_eq!(graph.rings(), Vec::<Vec<_>>::new());
        for thread in graph.threads.iter().filter(|it| !it.awaits.is_empty()) {
            assert_eq!(thread.activity, Activity::Joins, "{}", graph.sentence());
        }
        assert!(!graph.sentence().is_empty());
    }
}

/// Looks at a process of this case that is killed and reaped after this time.
fn look_at_dying(case: &str, after: Duration) -> Result<WaitGraph, ExplainError> {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let mut command = Command::new(built(Library::Gnu).expect("there is a compiler"));
    let command = command.arg(case).arg(folder.path()).process_group(0);
    let mut child = command.stdout(Stdio::piped()).spawn().expect("it is built");
    let pid = child.id();
    let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let lines = lines.map(|line| line.expect("the lines are text"));
    assert!(lines.take_while(|line| line != "ready").count() > 0);
    let began = Instant::now();
    thread::scope(|scope| {
        scope.spawn(move || {
            while let Some(left) = after.checked_sub(began.elapsed()) {
                thread::park_timeout(left);
            }
            killpg(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL).expect("it is there");
            child.wait().expect("it is a child");
        });
        meanwhile_explain::process(pid)
    })
}

/// The deaths are spread over both looks, so that one comes before and after each thing that is read.
#[test]
fn death_in_the_middle_of_a_look_is_no_fault() {
    const DEATHS: u32 = 12;
    let all_deaths = |case| {
        let began = Instant::now();
        look_at_dying(case, Duration::from_secs(1)).expect("it lives on");
        // It lives for a second, and the look is over before.
        let looks = began.elapsed().min(Duration::from_secs(1));
        let look = looks.saturating_sub(INTERVAL).min(INTERVAL) / 2;
        for part in 0..2 * DEATHS {
            let into = look * (part / 2) / DEATHS;
            let before = if part % 2 == 0 {
                Duration::ZERO
            } else {
                look + INTERVAL
            };
            match look_at_dying(case, before + into) {
                Err(error) => assert!(matches!(error, ExplainError::NoSuchProcess(_)), "{error}"),
                Ok(graph) => {
                    let names = graph.processes.iter().map(|process| &process.name);
                    let mut others = names.filter(|name| !name.starts_with("waits-cc-"));
                    assert_eq!(others.next(), None, "{}", graph.sentence());
                    let is_ring = !graph.rings().is_empty();
                    assert!(!is_ring || case == "ring-3", "{}", graph.sentence());
                }
            }
        }
    };
    thread::scope(|scope| {
        for case in ["join-chain", "ring-3", "epoll", "read-terminal"] {
            scope.spawn(move || all_deaths(case));
        }
    });
}

/// As many as a process may have, in so many processes that it is a hundred thousand.
#[test]
fn hundred_thousand_descriptors_are_looked_through() {
    let mut all = Vec::new();
    let mut descriptors = 0;
    while descriptors < 100_000 {
        let waiting = Waiting::start(Library::Gnu, "many-files").expect("there is a compiler");
        let files = fs::read_dir(format!("/proc/{}/fd", waiting.pid())).expect("it is ours");
        let count = files.count();
        println!("{count} descriptors");
        // A low limit takes too many processes, and the rest is the same.
        if all.len() == 8 {
            println!("NOT CHECKED: more than {descriptors} descriptors.");
            break;
        }
        descriptors += count;
        all.push(waiting);
    }
    // The others are there to be looked through.
    for waiting in all.iter().take(1) {
        assert_edges(waiting, &Edges::read(&waiting.lines));
    }
}

/// The variable with the id of a process of another user.
const OTHER: &str = "MEANWHILE_TEST_OTHER";

/// Runs a test again as another user, in namespaces of `unshare` and after this command. A process of this user stays.
#[expect(clippy::print_stdout, reason = "it says what was not checked")]
fn as_another_user(test: &str, namespaces: &[&str], setup: &str) {
    if !Uid::current().is_root() {
        println!("NOT CHECKED: only root can become another user.");
        return;
    }
    // Another user may not read the folder of the build.
    let folder = tempfile::tempdir().expect("a folder for the test");
    let program = folder.path().join("explain");
    let own = std::env::current_exe().expect("the system knows it");
    fs::copy(own, &program).expect("there is room");
    for path in [folder.path(), &program] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("it is ours");
    }
    let user = "setpriv --reuid 54321 --regid 54321 --clear-groups -- \"$@\" || exit 1";
    let script = format!("{setup} && export {OTHER}=$$ && {user}");
    let mut command = Command::new("unshare");
    command
        .args(namespaces)
        .args(["sh", "-c", &script, "sh"])
        .arg(&program)
        .args([test, "--exact", "--include-ignored", "--nocapture"])
        .current_dir("/");
    // Only this process can write what is read there.
    let mut child = command.stdin(Stdio::piped()).spawn().expect("it is there");
    let stdin = child.stdin.take();
    let status = child.wait().expect("it is a child");
    drop(stdin);
    assert!(status.success(), "{status}");
}

/// The other user whose process is not to be looked at, in the test that [`as_another_user`] has run.
fn other() -> Option<u32> {
    let other = std::env::var(OTHER).ok()?;
    Some(other.parse().expect("it is a pid"))
}

/// Returns the graph of a command once it is right, or the last one.
fn graph_of(command: &mut Command, is_right: impl Fn(&WaitGraph) -> bool) -> WaitGraph {
    let command = command.stdout(Stdio::null()).process_group(0);
    let mut child = command.spawn().expect("every system has it");
    let graph = look_until(child.id(), is_right);
    killpg(Pid::from_raw(child.id().cast_signed()), Signal::SIGKILL).expect("it is ours");
    child.wait().expect("it is a child");
    graph
}

/// In a namespace of its own, `/proc` hides the processes of others.
#[test]
#[ignore = "needs root; tests/all.sh runs it"]
fn hidden_processes_are_not_guessed() {
    let Some(hidden) = other() else {
        let setup = "mount -t proc -o hidepid=invisible proc /proc";
        return as_another_user(
            "hostile::hidden_processes_are_not_guessed",
            &["--mount"],
            setup,
        );
    };
    assert!(!Path::new(&format!("/proc/{hidden}")).exists());
    let error = meanwhile_explain::process(hidden).expect_err("it is not shown");
    assert_eq!(error, ExplainError::NoSuchProcess(hidden));
    let is_wait = |graph: &WaitGraph| matches!(graph.threads[0].activity, Activity::Reads(_));
    let graph = graph_of(&mut Command::new("cat"), is_wait);
    assert_eq!(graph.rings(), Vec::<Vec<_>>::new());
    assert_eq!(
        without_ids(&graph.sentence()),
        "`cat` (pid N) reads from a pipe that nobody known can write."
    );
    assert_no_ring();
}

/// The shell that has started this one runs in the same session and may have any pipe of it.
#[test]
#[ignore = "needs root; tests/all.sh runs it"]
fn what_another_user_may_have_is_no_ring() {
    let Some(other) = other() else {
        // Who may look at all files finds the ring.
        let graph = graph_of(&mut pipes_in_a_ring(), |graph| !graph.rings().is_empty());
        assert!(
            graph.sentence().contains("that only `"),
            "{}",
            graph.sentence()
        );
        // In a container, a session may have begun outside.
        for namespaces in [&["--mount"][..], &["--pid", "--fork", "--mount-proc"]] {
            let test = "hostile::what_another_user_may_have_is_no_ring";
            as_another_user(test, namespaces, "true");
        }
        return;
    };
    let graph = meanwhile_explain::process(other).expect("it is shown");
    assert!(!graph.asked().permitted);
    assert_no_ring();
}

/// Two programs that read what the other one writes; their shell waits for one of them.
fn pipes_in_a_ring() -> Command {
    let mut shell = Command::new("bash");
    shell.args([
        "-c",
        "coproc cat; exec 3<&${COPROC[0]} 4>&${COPROC[1]}; cat <&3 >&4 3<&- 4>&- & \
         exec 3<&- 4>&- {COPROC[0]}<&- {COPROC[1]}>&-; wait $!",
    ]);
    shell
}

fn assert_no_ring() {
    let says = "and perhaps others who can't be looked at";
    let is_wait = |graph: &WaitGraph| graph.sentence().contains(says);
    let graph = graph_of(&mut pipes_in_a_ring(), is_wait);
    assert_eq!(graph.rings(), Vec::<Vec<_>>::new());
    let sentence = graph.sentence();
    assert!(
        !sentence.contains("only") && !sentence.contains("a ring"),
        "{sentence}"
    );
}

/// Each look reads, and the process is not even woken: none of its system calls begins or ends.
#[test]
#[ignore = "needs strace; tests/all.sh runs it"]
fn looks_change_nothing_in_the_process() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let log = folder.path().join("log");
    let mut command = Command::new("strace");
    command.args(["--follow-forks", "--output"]).arg(&log);
    let program = built(Library::Gnu).expect("there is a compiler");
    command.arg(program).arg("join-chain").arg(folder.path());
    let waiting = Waiting::of(&mut command, folder);
    let calls = || {
        fs::read_to_string(&log)
            .expect("strace writes it")
            .lines()
            .count()
    };
    let look = || meanwhile_explain::tree(waiting.pid()).expect("it waits");
    let is_set_up = |graph: &WaitGraph| {
        let joins = graph
            .threads
            .iter()
            .filter(|it| it.activity == Activity::Joins);
        joins.count() == 4
    };
    while !is_set_up(&look()) {}
    let before = calls();
    assert!(before > 0);
    for _ in 0..LOOKS {
        assert!(is_set_up(&look()));
    }
    assert_eq!(calls(), before);
}
