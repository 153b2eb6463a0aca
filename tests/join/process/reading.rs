//! P26: all output is read, and the process waits for the reader.

use std::io::Read as _;
use std::time::Duration;

use meanwhile_join::process::{Exit, OutputReader, Process, Redirect, Stream};
use meanwhile_join::{self as join, CancelToken, JoinError, Select, SelectError};

use super::{Builder, eventually, shell};
use crate::util::child::in_child;
use crate::util::gate::TIMEOUT;

/// The limit of the output of the processes here.
const LIMIT: usize = 10_000;

fn spawn(builder: Builder) -> (Process, OutputReader) {
    let builder = builder.stdout(Redirect::Buffered).output_limit(LIMIT);
    let process = builder.spawn().unwrap();
    let reader = process.take_reader(Stream::Stdout).unwrap();
    (process, reader)
}

fn read_all(mut reader: OutputReader) -> String {
    let mut all = String::new();
    reader.read_to_string(&mut all).unwrap();
    all
}

#[test]
fn p26_reader_gets_every_byte_of_a_fast_process() {
    let (process, reader) = spawn(Builder::new("seq").arg("300000"));
    let expected: String = (1..=300_000).fold(String::new(), |all, n| all + &format!("{n}\n"));
    assert!(read_all(reader) == expected);
    assert_eq!(process.join().unwrap(), Exit::Code(0));
    // The last bytes are kept as well.
    let kept = process.output().stdout;
    assert_eq!(
        (kept.bytes.len(), kept.total),
        (LIMIT, expected.len() as u64)
    );
    assert!(expected.ends_with(&*kept.text()));
}

/// A process prints until the pipe is full, and then no more.
fn until_it_waits(process: &Process) {
    let mut before = 0;
    eventually("it waits", || {
        std::thread::park_timeout(Duration::from_millis(5));
        let written = process.written(Stream::Stdout);
        std::mem::replace(&mut before, written) == written && written > LIMIT as u64
    });
}

#[test]
fn p26_process_waits_for_its_reader() {
    let (process, mut reader) = spawn(Builder::new("cat").arg("/dev/zero"));
    until_it_waits(&process);
    let held = process.output().stdout.bytes.len();
    assert!(held < LIMIT + 128 * 1024, "{held} bytes are held");
    let mut buffer = vec![0; 4_000_000];
    reader.read_exact(&mut buffer).unwrap();
    process.kill().unwrap();
    process.join().unwrap();
}

#[test]
fn p26_end_is_seen_though_the_output_is_not_read() {
    let (process, reader) = spawn(Builder::new("seq").arg("10000"));
    assert_eq!(process.join().unwrap(), Exit::Code(0));
    let all = read_all(reader);
    assert_eq!(all.lines().count(), 10_000);
}

#[test]
fn p26_dropped_reader_closes_the_stream() {
    let (process, mut reader) = spawn(Builder::new("yes"));
    reader.read_exact(&mut [0; 2]).unwrap();
    drop(reader);
    assert_eq!(process.join().unwrap().signal_name(), Some("SIGPIPE"));
}

#[test]
fn p26_released_stream_goes_on_without_a_reader() {
    // Without another process that wakes the reaper.
    let name = "process::reading::p26_released_stream_goes_on_without_a_reader";
    in_child(name, || {
        let (process, reader) = spawn(Builder::new("seq").arg("100000"));
        until_it_waits(&process);
        reader.release();
        assert_eq!(process.join_timeout(TIMEOUT).unwrap(), Exit::Code(0));
        let stdout = process.output().stdout;
        assert_eq!((stdout.total, stdout.bytes.len()), (588_895, LIMIT));
        assert!(process.take_reader(Stream::Stdout).is_none());
    });
}

#[test]
fn p26_reader_ends_a_select_with_each_piece() {
    let echo = shell("while read line; do echo \"$line\"; done");
    let (process, mut reader) = spawn(echo.stdin_piped());
    let mut stdin = process.take_stdin().unwrap();
    for _ in 0..100 {
        let none = Select::new().reader(&reader).timeout(Duration::ZERO).wait();
        assert_eq!(none, Err(SelectError::TimedOut));
        std::io::Write::write_all(&mut stdin, b"x\n").unwrap();
        let ready = Select::new().process(&process).reader(&reader).wait();
        assert_eq!(ready, Ok(1));
        assert_eq!(reader.try_read().as_deref(), Some(&b"x\n"[..]));
        assert_eq!(reader.try_read(), None);
    }
    drop(stdin);
    process.join().unwrap();
    assert_eq!(Select::new().reader(&reader).timeout(TIMEOUT).wait(), Ok(0));
    assert_eq!(reader.try_read().as_deref(), Some(&[][..]));
}

#[test]
fn p26_cancel_ends_a_read() {
    let (process, reader) = spawn(Builder::new("sleep").arg("60"));
    let token = CancelToken::new();
    let mut reader = reader.token(&token);
    let task = join::spawn("reader", move |_| {
        reader.read(&mut [0]).map_err(|e| e.kind())
    });
    let task = task.unwrap();
    eventually("the reader waits", || {
        let waits = join::wait_graph().waits;
        waits.iter().any(|wait| wait.process == Some(process.pid()))
    });
    assert!(matches!(
        task.join_timeout(Duration::ZERO),
        Err(JoinError::TimedOut)
    ));
    token.cancel();
    assert_eq!(*task.join().unwrap(), Err(std::io::ErrorKind::Other));
}

#[test]
fn stream_has_one_reader_and_only_if_it_is_buffered() {
    let (process, _reader) = spawn(Builder::new("true"));
    assert!(process.take_reader(Stream::Stdout).is_none());
    assert!(process.take_reader(Stream::Stderr).is_none());
    let both = shell("echo out; echo err >&2").stderr_to_stdout();
    let (process, reader) = spawn(both);
    assert!(process.take_reader(Stream::Stderr).is_none());
    assert_eq!(read_all(reader), "out\nerr\n");
}

#[test]
fn both_streams_are_read_each_by_its_reader() {
    let shell = shell("seq 50000; seq 50000 >&2").stderr(Redirect::Buffered);
    let (process, out) = spawn(shell);
    let err = process.take_reader(Stream::Stderr).unwrap();
    // The process waits for both.
    let out = join::spawn("out", move |_| read_all(out)).unwrap();
    let err = read_all(err);
    assert!(*out.join().unwrap() == err);
    assert_eq!(err.lines().count(), 50_000);
}

#[test]
fn descendant_that_prints_later_is_read() {
    let (process, mut reader) =
        spawn(shell("exec 3<&0; (read line <&3; echo late) & echo early").stdin_piped());
    process.join().unwrap();
    assert_eq!(reader.try_read().as_deref(), Some(&b"early\n"[..]));
    assert_eq!(reader.try_read(), None);
    drop(process.take_stdin());
    assert_eq!(read_all(reader), "late\n");
}
