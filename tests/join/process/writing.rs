//! P28: input is written without waiting for the process.

use std::io::{ErrorKind, Write as _};
use std::sync::mpsc::channel;

use meanwhile_join::process::{Exit, InputWriter, Line, Process, Stream};

use super::{Builder, eventually, shell};
use crate::util::child::in_child;
use crate::util::gate::TIMEOUT;

/// More than a pipe holds.
const MUCH: usize = 3_000_000;

fn spawn(builder: Builder) -> (Process, InputWriter) {
    let process = builder.stdin_buffered().spawn().unwrap();
    let writer = process.take_writer().unwrap();
    (process, writer)
}

#[test]
fn p28_write_does_not_wait_for_the_process() {
    // Without another process that wakes the reaper.
    let name = "process::writing::p28_write_does_not_wait_for_the_process";
    in_child(name, || {
        let (process, mut writer) = spawn(shell("echo ready; read line; exec wc -c"));
        let mut lines = process.lines(Stream::Stdout);
        assert_eq!(lines.next(), Some(Line::Whole(b"ready".to_vec())));
        process.pause();
        writer.write_all(&vec![b'x'; MUCH]).unwrap();
        assert!(writer.unwritten() > MUCH / 2, "{writer:?}");
        assert!(writer.unwritten() <= MUCH, "{writer:?}");
        process.resume();
        writer.write_all(b"\nfour").unwrap();
        drop(writer);
        assert_eq!(process.join_timeout(TIMEOUT).unwrap(), Exit::Code(0));
        assert_eq!(lines.next().unwrap().text().trim(), "4");
    });
}

#[test]
fn p28_bytes_arrive_in_order_and_then_the_input_ends() {
    let (process, mut writer) = spawn(Builder::new("cat").output_limit(MUCH));
    let mut expected = Vec::new();
    for n in 0..MUCH / 100 {
        let text = format!("{n}\n");
        writer.write_all(text.as_bytes()).unwrap();
        expected.extend(text.into_bytes());
    }
    drop(writer);
    assert_eq!(process.join_timeout(TIMEOUT).unwrap(), Exit::Code(0));
    assert!(process.output().stdout.bytes == expected);
}

#[test]
fn writer_holds_a_conversation() {
    let (process, mut writer) = spawn(shell("while read -r n; do echo $((n * n)); done"));
    let mut answers = process.lines(Stream::Stdout);
    for n in 0..100_u32 {
        writeln!(writer, "{n}").unwrap();
        let answer = answers.next_timeout(TIMEOUT).unwrap().unwrap();
        assert_eq!(answer, Line::Whole((n * n).to_string().into_bytes()));
        assert_eq!(writer.unwritten(), 0);
    }
    drop(writer);
    assert_eq!(process.join_timeout(TIMEOUT).unwrap(), Exit::Code(0));
}

#[test]
fn p28_write_that_nothing_can_read_fails() {
    let (process, mut writer) = spawn(shell("exec <&-; echo closed; exec sleep 60"));
    writer.write_all(b"read by nobody").unwrap_or_default();
    assert!(process.lines(Stream::Stdout).next().is_some());
    let refusal = writer.write(b"more").unwrap_err();
    assert_eq!(refusal.kind(), ErrorKind::BrokenPipe);
    process.kill().unwrap();
    process.join().unwrap();
}

#[test]
fn p28_end_of_the_process_drops_what_it_did_not_read() {
    // The sleeper holds its stdin open, and does not read it.
    let (process, mut writer) = spawn(shell("exec 3<&0; sleep 60 <&3 & read line"));
    // In one write: the process may end as soon as it has read the line.
    writer
        .write_all(&[b"line\n", &vec![b'x'; MUCH][..]].concat())
        .unwrap();
    assert_eq!(process.join_timeout(TIMEOUT).unwrap(), Exit::Code(0));
    assert_eq!(writer.unwritten(), 0);
    let refusal = writer.write(b"more").unwrap_err();
    assert_eq!(refusal.kind(), ErrorKind::BrokenPipe);
    drop(process.stop(TIMEOUT));
}

#[test]
fn writer_not_taken_closes_with_the_last_handle() {
    let process = Builder::new("cat").stdin_buffered().spawn().unwrap();
    assert!(process.take_stdin().is_none());
    let (sender, ended) = channel();
    process.on_finish(move || sender.send(()).unwrap());
    drop(process);
    ended.recv_timeout(TIMEOUT).unwrap();
}

#[test]
fn writer_of_an_input_that_leads_elsewhere_is_none() {
    let piped = Builder::new("cat").stdin_piped().spawn().unwrap();
    assert!(piped.take_writer().is_none());
    let (buffered, writer) = spawn(Builder::new("cat"));
    assert!(buffered.take_writer().is_none());
    drop((piped.take_stdin(), writer));
    eventually("both ends", || {
        piped.is_finished() && buffered.is_finished()
    });
}
