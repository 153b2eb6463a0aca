//! Workers that violate the protocol, die or do not answer. Shell scripts take their place.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use meanwhile::jobs::misbehave::Misbehaviour;
use meanwhile::jobs::{JobSpec, RunOn};
use meanwhile::join::process;
use meanwhile::record::ItemState;
use nix::sys::signal::kill;
use nix::unistd::Pid;

use super::{FakeWorker, crash, one_item, until};
use crate::util::child::in_child;
use crate::util::files::folder;
use crate::util::test_board::{misbehave, spec};

const HELLO: &str = r#"{"Hello":{"version":1}}"#;
const STARTED: &str = r#"{"Started":{"number":1}}"#;

/// A command that prints these messages.
fn print(messages: &[&str]) -> String {
    let mut text = String::from("printf '");
    for message in messages {
        let len = u32::try_from(message.len()).expect("a short message");
        for byte in len.to_le_bytes() {
            write!(text, "\\{byte:03o}").expect("a string takes it");
        }
        text.push_str(message);
    }
    text.push_str("'\n");
    text
}

/// A worker that prints these messages and stays.
fn printing(messages: &[&str]) -> FakeWorker {
    FakeWorker::new(&format!("{}sleep 1000", print(messages)))
}

#[test]
fn malformed_message_crashes_the_item() {
    for (script, reason) in [
        (
            "printf 'hello there, how are you?'",
            "message of 1819043176 bytes",
        ),
        ("printf '\\001\\000\\000\\001'", "message of 16777217 bytes"),
        ("printf '\\000\\000\\000\\000'", "malformed message"),
        ("printf '\\003\\000\\000\\000{\\377}'", "malformed message"),
        ("yes", "message of"),
        ("cat /dev/zero", "malformed message"),
    ] {
        let crash = FakeWorker::new(&format!("{script}\nsleep 1000")).crash();
        assert!(
            crash.message.contains(reason),
            "{script}: {}",
            crash.message
        );
        assert_eq!((crash.code, crash.signal), (None, None));
    }
}

#[test]
fn unexpected_message_crashes_the_item() {
    let ended = r#"{"Ended":{"number":1,"end":{"Returned":{"text":"done"}}}}"#;
    let other_item = r#"{"Ended":{"number":2,"end":{"Returned":{"text":"done"}}}}"#;
    let cancelled = r#"{"Ended":{"number":1,"end":"Cancelled"}}"#;
    let progress = r#"{"Progress":{"number":1,"done":1,"total":2}}"#;
    let other_version = r#"{"Hello":{"version":2}}"#;
    let cases: [(&[&str], &str); 9] = [
        (&[STARTED], "unexpected message `Started`"),
        (&[HELLO, HELLO], "unexpected message `Hello`"),
        (&[HELLO, ended], "unexpected message `Ended`"),
        (&[HELLO, progress], "unexpected message `Progress`"),
        (&[HELLO, STARTED, STARTED], "unexpected message `Started`"),
        (&[HELLO, STARTED, other_item], "unexpected message `Ended`"),
        (
            &[HELLO, STARTED, cancelled],
            "unexpected message `Cancelled`",
        ),
        (&[other_version], "protocol version 2"),
        (&[HELLO, STARTED, r#"{"Bye":{}}"#], "malformed message"),
    ];
    for (messages, reason) in cases {
        let crash = printing(messages).crash();
        assert!(
            crash.message.contains(reason),
            "{messages:?}: {}",
            crash.message
        );
    }
}

#[test]
fn item_fails_after_two_workers_die_at_their_start() {
    let fake = FakeWorker::new("echo 'out of paper' >&2; exit 3");
    let ItemState::Failed(error) = fake.state() else {
        unreachable!("no worker began the item");
    };
    assert_eq!(error.kind, "no_worker");
    for part in ["exited with code 3", "out of paper"] {
        assert!(error.message.contains(part), "{error}");
    }
    assert_eq!(fake.starts(), 2);
}

#[test]
fn worker_that_closes_its_output_is_stopped() {
    let script = format!("{}exec >&-\nsleep 1000", print(&[HELLO, STARTED]));
    let crash = FakeWorker::new(&script).crash();
    assert_eq!(crash.message, "its worker stopped answering");
}

#[test]
fn messages_before_the_exit_of_a_worker_count() {
    let ended = r#"{"Ended":{"number":1,"end":{"Returned":{"text":"done"}}}}"#;
    let fake = FakeWorker::new(&print(&[HELLO, STARTED, ended]));
    assert_eq!(fake.state().label(), "returned");
}

#[test]
fn crash_shows_the_last_lines_of_stderr() {
    let lines = "seq 100000 >&2\necho 'and then \u{1b}[31mred\u{1b}[0m' >&2\nexit 5";
    let crash = FakeWorker::new(&format!("{}{lines}", print(&[HELLO, STARTED]))).crash();
    assert_eq!(crash.code, Some(5));
    let lines: Vec<&str> = crash.stderr.lines().collect();
    assert_eq!(lines.len(), 20);
    assert_eq!(lines[18], "100000");
    assert!(lines[19].starts_with("and then"));
}

/// Of each two items the first prints just before it ends, and the second crashes. Another process
/// prints all the time, so that the output of the first is not read at once.
#[test]
fn crash_shows_no_stderr_of_an_earlier_item() {
    const CRASHES: usize = 10;
    let script = r#"exec bash -c '
        printf "\027\000\000\000{\"Hello\":{\"version\":1}}"
        while IFS= read -r -d "}" part; do
            case $part in *\"Run\"*) ;; *) continue ;; esac
            number=${part#*number\":}
            number=${number%%,*}
            printf "\032\000\000\000{\"Started\":{\"number\":%3d}}" $number
            if ((number % 2 == 0)); then echo last >&2; exit 5; fi
            echo first >&2
            printf "\073\000\000\000{\"Ended\":{\"number\":%3d,\"end\":{\"Returned\":{\"text\":\"done\"}}}}" $number
        done'
    "#;
    let flood = process::Builder::new("yes")
        .spawn()
        .expect("`yes` is installed");
    let fake = FakeWorker::new(script);
    let mut board = fake.board();
    let job = board.start(JobSpec {
        workers: 1,
        ..spec(
            RunOn::Process,
            misbehave(Misbehaviour::Return, 1, 2 * CRASHES),
        )
    });
    board.until_ended(job);
    flood.kill().expect("it is our child");
    assert_eq!(board.labels(job), ["returned", "crashed"].repeat(CRASHES));
    for item in 0..CRASHES {
        assert_eq!(crash(&board, job, 2 * item + 1).stderr, "last");
    }
}

/// Each worker answers one request, whose number it knows by counting the starts, and exits.
#[test]
fn worker_that_dies_while_idle_costs_no_item() {
    let script = r#"
        n=$(wc -l < "$(dirname "$0")/starts")
        printf '\027\000\000\000{"Hello":{"version":1}}'
        printf '\030\000\000\000{"Started":{"number":%d}}' $n
        printf '\071\000\000\000{"Ended":{"number":%d,"end":{"Returned":{"text":"done"}}}}' $n
    "#;
    let fake = FakeWorker::new(script);
    let mut board = fake.board();
    let job = board.start(JobSpec {
        workers: 1,
        ..spec(RunOn::Process, misbehave(Misbehaviour::Return, 1, 5))
    });
    board.until_ended(job);
    assert_eq!(board.labels(job), ["returned"; 5]);
    assert_eq!(fake.starts(), 5);
}

#[test]
fn progress_and_cancel_are_forwarded() {
    let fake = printing(&[
        HELLO,
        STARTED,
        r#"{"Progress":{"number":1,"done":5,"total":10}}"#,
    ]);
    let mut board = fake.board();
    let job = board.start(one_item());
    board.until("progress arrives", |record| {
        let job = record.job(job).unwrap();
        job.done_bytes() == 5 && job.total_bytes() == 10
    });
    board.cancel(job);
    board.until_ended(job);
    assert_eq!(board.labels(job), ["cancelled"]);
}

/// One worker, whose messages about the second item are read once that has begun.
#[test]
fn absurd_progress_of_workers_is_harmless() {
    let fake = printing(&[
        HELLO,
        STARTED,
        r#"{"Progress":{"number":1,"done":18446744073709551615,"total":18446744073709551615}}"#,
        r#"{"Ended":{"number":1,"end":{"Returned":{"text":"done"}}}}"#,
        r#"{"Started":{"number":2}}"#,
        r#"{"Progress":{"number":2,"done":18446744073709551615,"total":10}}"#,
        r#"{"Ended":{"number":2,"end":{"Returned":{"text":"done"}}}}"#,
    ]);
    let mut board = fake.board();
    let job = board.start(JobSpec {
        workers: 1,
        ..spec(RunOn::Process, misbehave(Misbehaviour::Return, 1, 2))
    });
    board.until_ended(job);
    assert_eq!(board.labels(job), ["returned"; 2]);
    let job = board.job(job);
    assert_eq!((job.items()[1].done, job.items()[1].total), (10, 10));
    assert_eq!((job.done_bytes(), job.total_bytes()), (u64::MAX, u64::MAX));
}

#[test]
fn worker_that_reads_nothing_can_be_cancelled() {
    let fake = FakeWorker::new("sleep 1000");
    let mut board = fake.board();
    let job = board.start(one_item());
    board.until("it runs", |_| fake.starts() == 1);
    board.cancel(job);
    board.until_ended(job);
    assert_eq!(board.labels(job), ["cancelled"]);
}

#[test]
fn descendants_of_a_worker_are_stopped_with_it() {
    in_child(
        "isolation::protocol::descendants_of_a_worker_are_stopped_with_it",
        || {
            let script = format!(
                "setsid sleep 12345 & echo $! > {{dir}}\n{}printf 'malformed'\nsleep 1000",
                print(&[HELLO, STARTED])
            );
            let place = folder();
            let pid = place.path().join("pid");
            let script = script.replace("{dir}", &pid.display().to_string());
            FakeWorker::new(&script).crash();
            let pid = read_pid(&pid);
            until(
                || kill(pid, None).is_err() || is_zombie(pid),
                "the descendant is gone",
            );
        },
    );
}

fn read_pid(path: &Path) -> Pid {
    let text = fs::read_to_string(path).expect("it was written before the malformed message");
    Pid::from_raw(text.trim().parse().expect("a number"))
}

fn is_zombie(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| stat.contains(") Z "))
}
