//! P32: children that something else has started.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use meanwhile_join::process::{self, Exit, Process, Redirect, Stream};
use meanwhile_join::{CancelToken, JoinError};

use super::{Builder, eventually, runs};
use crate::util::files::folder;
use crate::util::gate::TIMEOUT;
use crate::util::sleeper::Sleeper;

/// A shell of std, with all its streams piped.
fn child(script: &str) -> Child {
    let mut command = Command::new("/bin/sh");
    let streams = command.args(["-c", script]).stdin(Stdio::piped());
    let streams = streams.stdout(Stdio::piped()).stderr(Stdio::piped());
    streams.spawn().unwrap()
}

fn adopted(child: Child) -> Process {
    Builder::new("adopted").adopt(child).unwrap()
}

#[test]
fn p32_adopted_child_is_a_process_as_any_other() {
    let child = child("read line; echo out $line; echo err >&2; exit 3");
    let (pid, name) = (child.id(), "adopted by this test");
    let builder = Builder::new("sh").name(name).stdin_piped();
    let process = builder.adopt(child).unwrap();
    assert_eq!((process.pid(), process.name()), (pid, name));
    let listed = || process::live_processes().iter().any(|it| &*it.name == name);
    assert!(listed());
    let early = process.join_timeout(Duration::ZERO);
    assert!(matches!(early, Err(JoinError::TimedOut)));
    let (sender, exits) = channel();
    process
        .on_exit(move |exit| sender.send(exit).unwrap())
        .keep();
    writeln!(process.take_stdin().unwrap(), "text").unwrap();
    assert_eq!(process.join().unwrap(), Exit::Code(3));
    assert_eq!(exits.recv_timeout(TIMEOUT), Ok(Exit::Code(3)));
    assert_eq!(process.output().stdout.text(), "out text\n");
    assert_eq!(process.output().stderr.text(), "err\n");
    let error = process.join_checked().unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("`{name}` exited with code 3: err")
    );
    assert!(!listed());
    process.kill().unwrap();
}

#[test]
fn p32_stdin_is_closed_unless_it_is_wanted() {
    let echo = || child("cat");
    assert_eq!(
        adopted(echo()).join_timeout(TIMEOUT).unwrap(),
        Exit::Code(0)
    );
    let with_bytes = Builder::new("cat").stdin_bytes("bytes").adopt(echo());
    let output = with_bytes.unwrap().join_checked().unwrap();
    assert_eq!(output.stdout.text(), "bytes");
    let buffered = Builder::new("cat").stdin_buffered().adopt(echo()).unwrap();
    buffered.take_writer().unwrap().write_all(b"more").unwrap();
    let output = buffered.join_checked().unwrap();
    assert_eq!(output.stdout.text(), "more");
}

#[test]
fn p32_pipes_go_where_the_builder_says() {
    let printed = || child("echo out; echo err >&2");
    let piped = Builder::new("sh").stdout(Redirect::Piped).adopt(printed());
    let piped = piped.unwrap();
    let stdout = piped.take_stdout().unwrap();
    assert_eq!(std::io::read_to_string(stdout).unwrap(), "out\n");
    assert_eq!(piped.join_checked().unwrap().stderr.text(), "err\n");
    let (sender, lines) = channel();
    let followed = Builder::new("sh").on_line(Stream::Stderr, move |line| {
        sender.send(line.to_string()).unwrap();
    });
    drop(followed.adopt(printed()).unwrap());
    assert_eq!(lines.iter().collect::<Vec<_>>(), ["err"]);
    // A pipe that was taken before stays with who has it.
    let mut taken = printed();
    let own = taken.stdout.take().unwrap();
    let process = adopted(taken);
    assert_eq!(std::io::read_to_string(own).unwrap(), "out\n");
    let output = process.join_checked().unwrap();
    assert_eq!((output.stdout.total, output.stderr.total), (0, 4));
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the wait of std is what is tested"
)]
fn p32_exit_from_before_the_adoption_is_kept() {
    // Reaped by std, or a zombie, or about to end.
    for _ in 0..50 {
        let mut waited = child("echo out; exit 4");
        waited.stdin.take();
        assert_eq!(waited.wait().unwrap().code(), Some(4));
        let mut dead = child("echo out; kill -KILL $$");
        dead.stdin.take();
        eventually("the zombie", || !runs(dead.id()));
        let killed = Exit::Signal {
            signal: 9,
            core_dumped: false,
        };
        for (child, exit) in [
            (waited, Exit::Code(4)),
            (dead, killed),
            (child("echo out; exit 4"), Exit::Code(4)),
        ] {
            let pid = child.id();
            let process = adopted(child);
            assert_eq!(process.join_timeout(TIMEOUT).unwrap(), exit);
            assert_eq!(process.output().stdout.text(), "out\n");
            // A child of another test may have the pipe until it executes its program.
            assert!(process.wait_for_output(TIMEOUT));
            assert_eq!(process.info().pid, pid);
            process.kill().unwrap();
            let report = process.stop(Duration::ZERO);
            assert_eq!(report.exit, Some(exit));
            assert!(report.asked.is_empty() && report.escaped.is_empty());
            assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
        }
    }
}

#[test]
fn p32_tree_of_an_adopted_child_is_stopped() {
    for leads_group in [false, true] {
        let folder = folder();
        let sleeper = Sleeper::new(folder.path());
        let sleep = sleeper.command();
        let mut command = Command::new("/bin/sh");
        // A child, and with a group an orphan in it.
        let orphan = format!("({sleep} &);");
        let orphan = if leads_group { orphan.as_str() } else { "" };
        command.args(["-c", &format!("{orphan} {sleep} & wait")]);
        if leads_group {
            command.process_group(0);
        }
        let process = adopted(command.spawn().unwrap());
        let count = 1 + usize::from(leads_group);
        eventually("the tree", || sleeper.running().len() == count);
        // The parent of the orphan may be about to end.
        eventually("its descendants", || {
            process.descendants().unwrap().len() == count
        });
        let report = process.stop(TIMEOUT);
        assert_eq!(report.ended.len(), count + 1, "{report:?}");
        assert!(report.escaped.is_empty() && sleeper.running().is_empty());
    }
}

#[test]
fn p32_hidden_descendant_that_holds_output_is_named() {
    let folder = folder();
    let sleeper = Sleeper::new(folder.path());
    let process = adopted(child(&format!("setsid -f {}", sleeper.command())));
    process.join().unwrap();
    eventually("the sleeper", || sleeper.running().len() == 1);
    let report = process.stop(Duration::ZERO);
    if cfg!(all(target_os = "linux", not(other_unix))) {
        assert_eq!(report.escaped.len(), 1, "{report:?}");
        assert_eq!(report.escaped[0].pid, sleeper.running()[0]);
    } else {
        assert!(report.may_be_incomplete);
    }
}

#[test]
fn p32_adopted_child_ends_with_its_last_handle_if_set() {
    let folder = folder();
    let sleeper = Sleeper::new(folder.path());
    let sleep = sleeper.command();
    // Whether its descendants are seen before their parent has ended must not depend on chance.
    let by_drop = std::iter::repeat_n(false, 20);
    for by_token in by_drop.chain([true]) {
        let token = CancelToken::new();
        let builder = Builder::new("sh").kill_on_drop(!by_token);
        let tree = child(&format!("{sleep} & {sleep} & wait"));
        let process = builder.cancel_token(&token).adopt(tree).unwrap();
        eventually("the tree", || sleeper.running().len() == 2);
        if by_token {
            token.cancel();
        }
        drop(process);
        eventually("the end of the tree", || sleeper.running().is_empty());
    }
}
