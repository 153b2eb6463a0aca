//! P20: output, line by line, while the process runs.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use meanwhile_join::process::{Exit, Line, Process, Redirect, Stream};
use meanwhile_join::{self as join, CancelToken, JoinError, Select, SelectError};

use super::{Builder, eventually, shell};
use crate::util::gate::{Gate, TIMEOUT};

fn whole(text: &str) -> Line {
    Line::Whole(text.into())
}

fn all_lines(builder: Builder) -> Vec<Line> {
    builder.spawn().unwrap().lines(Stream::Stdout).collect()
}

#[test]
fn p20_lines_arrive_while_the_process_runs() {
    let echo = shell("while read line; do echo \"got $line\"; done");
    let process = echo.stdin_piped().spawn().unwrap();
    let mut stdin = process.take_stdin().unwrap();
    let mut lines = process.lines(Stream::Stdout);
    for number in 0..100 {
        std::io::Write::write_all(&mut stdin, format!("{number}\n").as_bytes()).unwrap();
        assert_eq!(lines.next(), Some(whole(&format!("got {number}"))));
    }
    assert!(!process.is_finished());
    drop(stdin);
    assert_eq!((lines.next(), lines.next()), (None, None));
    // They were captured as well, so another reader gets them, and `output` has them.
    assert_eq!(process.lines(Stream::Stdout).count(), 100);
    assert!(process.output().stdout.text().ends_with("got 99\n"));
}

#[test]
fn lines_of_both_streams_are_apart() {
    let process = shell("echo out; echo err >&2").spawn().unwrap();
    let read = |stream| process.lines(stream).collect::<Vec<_>>();
    assert_eq!(read(Stream::Stderr), [whole("err")]);
    assert_eq!(read(Stream::Stdout), [whole("out")]);
}

#[test]
fn every_kind_of_line_end_is_understood() {
    let printed = |text: &str| all_lines(Builder::new("printf").arg(text));
    assert_eq!(printed(""), []);
    assert_eq!(printed(r"\n\n"), [whole(""), whole("")]);
    assert_eq!(printed(r"a\r\nb\rc"), [whole("a"), whole("b\rc")]);
    assert_eq!(printed(r"a\n\r\n"), [whole("a"), whole("")]);
    let raw = printed(r"\377\n");
    assert_eq!(raw, [Line::Whole(vec![0xff])]);
    assert_eq!(raw[0].text(), "\u{fffd}");
}

#[test]
fn p20_slow_reader_gets_the_number_of_dropped_bytes() {
    let numbers = Builder::new("seq").arg("1000").output_limit(9);
    let process = numbers.spawn().unwrap();
    process.join().unwrap();
    let lines: Vec<Line> = process.lines(Stream::Stdout).collect();
    assert_eq!(
        lines,
        [Line::Dropped(3893 - 9), whole("999"), whole("1000")]
    );
    assert_eq!(lines[0].to_string(), "(3884 bytes were dropped)");
}

#[test]
fn gap_in_a_line_is_between_its_parts() {
    let script = "printf begin; read line; printf 0123456789; echo end";
    let shell = shell(script).stdin_piped().output_limit(8);
    let process = shell.spawn().unwrap();
    let mut lines = process.lines(Stream::Stdout);
    eventually("the beginning", || process.output().stdout.total == 5);
    let early = lines.next_timeout(Duration::ZERO);
    assert!(matches!(early, Err(JoinError::TimedOut)));
    drop(process.take_stdin());
    process.join().unwrap();
    let rest: Vec<Line> = lines.collect();
    let begin = Line::Part(b"begin".to_vec());
    assert_eq!(rest, [begin, Line::Dropped(6), whole("6789end")]);
}

#[test]
fn line_that_is_printed_in_pieces_is_whole() {
    let piece = "x".repeat(300);
    let script = format!("printf {piece}; read line; echo {piece}");
    let process = shell(&script).stdin_piped().spawn().unwrap();
    let mut lines = process.lines(Stream::Stdout);
    eventually("the first piece", || process.output().stdout.total == 300);
    let early = lines.next_timeout(Duration::ZERO);
    assert!(matches!(early, Err(JoinError::TimedOut)));
    drop(process.take_stdin());
    assert_eq!(lines.collect::<Vec<_>>(), [whole(&piece.repeat(2))]);
}

#[test]
fn p20_no_byte_of_endless_output_is_lost_silently() {
    let yes = Builder::new("yes").output_limit(100_000).spawn().unwrap();
    let mut seen = 0;
    let mut dropped = false;
    let mut lines = yes.lines(Stream::Stdout);
    while seen < 2_000_000 {
        match lines.next().unwrap() {
            Line::Dropped(count) => {
                dropped = true;
                seen += count;
            }
            line => seen += line.bytes().len() as u64 + 1,
        }
        // Slower than the process.
        if seen % 10_000 < 2 && !dropped {
            let before = yes.written(Stream::Stdout);
            eventually("more than the limit", || {
                yes.written(Stream::Stdout) > before + 200_000
            });
        }
    }
    assert!(dropped, "the reader was never too slow");
    yes.kill().unwrap();
    let mut partial = 0;
    for line in lines {
        match line {
            Line::Dropped(count) => seen += count,
            Line::Part(bytes) => partial += bytes.len() as u64,
            Line::Whole(bytes) => seen += bytes.len() as u64 + 1,
        }
    }
    // A gap may begin or end between a letter and its newline.
    let total = yes.output().stdout.total;
    assert!(
        (seen + partial).abs_diff(total) <= 1,
        "{seen} and {partial} of {total} bytes"
    );
}

#[test]
fn p20_long_line_comes_in_parts() {
    let script = "head -c 200000 /dev/zero | tr '\\0' x; echo; echo next";
    let lines = all_lines(shell(script));
    let lens: Vec<usize> = lines.iter().map(|line| line.bytes().len()).collect();
    assert_eq!(lens, [65_536, 65_536, 65_536, 200_000 - 3 * 65_536, 4]);
    assert!(lines[..3].iter().all(|line| matches!(line, Line::Part(_))));
    assert!(matches!(lines[3], Line::Whole(_)));
    // A line of exactly the limit is whole.
    let script = "head -c 65536 /dev/zero | tr '\\0' x; echo";
    assert!(matches!(all_lines(shell(script))[..], [Line::Whole(_)]));
}

#[test]
fn lines_of_a_stream_not_captured_end_at_once() {
    for redirect in [Redirect::Null, Redirect::Piped] {
        let cat = Builder::new("cat").stdin_piped().stdout(redirect);
        let process = cat.spawn().unwrap();
        assert_eq!(process.lines(Stream::Stdout).next(), None);
        assert!(!process.is_finished());
        drop(process.take_stdin());
        process.join().unwrap();
    }
}

#[test]
fn lines_of_a_descendant_follow_after_the_end() {
    let script = "echo first; { read line; echo \"then $line\"; } <&3 &";
    let (reader, mut writer) = std::io::pipe().unwrap();
    let script = format!("exec 3<&0; {script}");
    let process = shell(&script).stdin_from(reader).spawn().unwrap();
    let mut lines = process.lines(Stream::Stdout);
    assert_eq!(process.join().unwrap(), Exit::Code(0));
    assert_eq!(lines.next(), Some(whole("first")));
    let early = lines.next_timeout(Duration::from_millis(1));
    assert!(matches!(early, Err(JoinError::TimedOut)));
    // The lines themselves are a handle.
    drop(process);
    std::io::Write::write_all(&mut writer, b"more\n").unwrap();
    assert_eq!(
        lines.next_timeout(TIMEOUT).unwrap(),
        Some(whole("then more"))
    );
    assert_eq!(lines.next(), None);
}

#[test]
fn reader_that_waits_ends_with_a_killed_process() {
    let sleeper = Builder::new("sleep").arg("60").spawn().unwrap();
    let lines = sleeper.lines(Stream::Stdout);
    let reading = join::spawn("reads", move |_| lines.count()).unwrap();
    sleeper.kill().unwrap();
    assert_eq!(*reading.join_timeout(TIMEOUT).unwrap(), 0);
}

/// Whether a wait of this task for this process is in the wait graph.
fn is_shown(task: join::TaskId, process: &Process) -> bool {
    let waits = join::wait_graph().waits;
    let mut own = waits.iter().filter(|wait| wait.waiter == Some(task));
    own.any(|wait| wait.process == Some(process.pid()))
}

#[test]
fn p20_cancel_of_a_task_ends_its_wait_for_a_line() {
    let process = shell("echo first; read line; echo last");
    let process = process.stdin_piped().spawn().unwrap();
    let has_first = Gate::new();
    let reading = join::spawn("reads", {
        let (process, read_first) = (process.clone(), has_first.clone());
        join::cancellable(move |context| {
            let mut lines = process.lines(Stream::Stdout).token(&context.token());
            assert_eq!(lines.next(), Some(whole("first")));
            read_first.open();
            assert_eq!(lines.next(), None);
            context.check()?;
            Ok::<(), join::Cancelled>(())
        })
    });
    let reading = reading.unwrap();
    has_first.pass();
    eventually("the wait for a line", || is_shown(reading.id(), &process));
    reading.cancel();
    let outcome = reading.join_timeout(TIMEOUT);
    assert!(matches!(outcome, Err(JoinError::Cancelled)));
    // The process and other readers go on.
    drop(process.take_stdin());
    assert_eq!(process.lines(Stream::Stdout).count(), 2);
}

#[test]
fn p20_cancelled_token_ends_the_lines_at_once() {
    let process = shell("echo first; read line")
        .stdin_piped()
        .spawn()
        .unwrap();
    let token = CancelToken::new();
    let mut lines = process.lines(Stream::Stdout).token(&token);
    assert_eq!(lines.next(), Some(whole("first")));
    let mut others = process.lines(Stream::Stdout).token(&token);
    token.cancel();
    assert_eq!(lines.next(), None);
    let next = others.next_timeout(Duration::MAX);
    assert!(matches!(next, Err(JoinError::Cancelled)));
    drop(process.take_stdin());
    process.join().unwrap();
}

#[test]
fn wait_for_a_line_is_in_the_wait_graph() {
    let cat = Builder::new("cat").stdin_piped().spawn().unwrap();
    let reading = join::spawn("reads", {
        let cat = cat.clone();
        move |_| cat.lines(Stream::Stdout).count()
    });
    let reading = reading.unwrap();
    eventually("the wait is listed", || is_shown(reading.id(), &cat));
    drop(cat.take_stdin());
    assert_eq!(*reading.join_timeout(TIMEOUT).unwrap(), 0);
    assert!(!is_shown(reading.id(), &cat));
}

#[test]
fn p20_select_is_ready_at_each_line_and_the_end() {
    let cat = Builder::new("cat").stdin_piped().spawn().unwrap();
    let mut stdin = Some(cat.take_stdin().unwrap());
    let mut lines = cat.lines(Stream::Stdout);
    let (_keep, channel) = crossbeam_channel::bounded::<()>(1);
    for round in 0..200 {
        let waited = join::scope(|scope| {
            let waiter = scope.spawn("waits", |_| {
                let mut select = Select::new().lines(&lines);
                // Without a channel, the thread parks.
                match round % 2 {
                    0 => select.wait(),
                    _ => select.receiver(&channel).wait(),
                }
            });
            let waiter = waiter.unwrap();
            if round % 3 == 0 {
                eventually("the wait", || is_shown(waiter.id(), &cat));
            }
            match &mut stdin {
                Some(stdin) if round < 199 => {
                    std::io::Write::write_all(stdin, format!("{round}\n").as_bytes()).unwrap();
                }
                _ => stdin = None,
            }
            waiter.join_into().unwrap()
        });
        assert_eq!(waited, Ok(0));
        let next = loop {
            // The beginning of a line is enough.
            match lines.next_timeout(Duration::ZERO) {
                Err(JoinError::TimedOut) => drop(Select::new().lines(&lines).wait()),
                next => break next.unwrap(),
            }
        };
        let expected = (round < 199).then(|| whole(&round.to_string()));
        assert_eq!(next, expected);
    }
    assert_eq!(Select::new().lines(&lines).wait(), Ok(0));
}

#[test]
fn select_is_ready_for_a_line_that_was_there_before() {
    let shell = shell("printf 'one\\ntwo\\n'; exec cat").stdin_piped();
    let process = shell.spawn().unwrap();
    let mut lines = process.lines(Stream::Stdout);
    eventually("both lines", || process.output().stdout.total == 8);
    let ready = || Select::new().timeout(Duration::ZERO);
    assert_eq!(lines.next(), Some(whole("one")));
    assert_eq!(ready().lines(&lines).wait(), Ok(0));
    assert_eq!(lines.next(), Some(whole("two")));
    assert_eq!(ready().lines(&lines).wait(), Err(SelectError::TimedOut));
    drop(process.take_stdin());
    assert_eq!(lines.next(), None);
}

/// A line and a cancel race. Neither is missed, and nobody waits for ever.
#[test]
fn line_that_races_a_cancel_is_read_or_not() {
    let cat = Builder::new("cat").stdin_piped().spawn().unwrap();
    let mut stdin = cat.take_stdin().unwrap();
    for _ in 0..300 {
        let token = CancelToken::new();
        let canceller = join::spawn("cancels", {
            let token = token.clone();
            move |_| token.cancel()
        });
        let reading = join::spawn("reads", {
            let (cat, token) = (cat.clone(), token.clone());
            move |_| cat.lines(Stream::Stdout).token(&token).count()
        });
        std::io::Write::write_all(&mut stdin, b"line\n").unwrap();
        canceller.unwrap().join().unwrap();
        assert!(reading.unwrap().join_timeout(TIMEOUT).is_ok());
    }
    drop(stdin);
    assert_eq!(cat.lines(Stream::Stdout).count(), 300);
}

#[test]
fn p20_function_gets_every_line_once_and_in_order() {
    let (sender, lines) = channel();
    let numbers = Builder::new("seq").arg("50000").output_limit(1 << 20);
    let numbers = numbers.on_line(Stream::Stdout, move |line| {
        sender.send(line.to_string()).unwrap();
    });
    // Its last handle is dropped at once.
    drop(numbers.spawn().unwrap());
    let expected = (1..=50_000).map(|number| number.to_string());
    assert!(lines.iter().eq(expected));
}

#[test]
fn functions_get_the_lines_of_their_stream() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (sender, ends) = channel::<()>();
    let mut builder = shell("echo 1; echo 2 >&2; echo 3");
    for (name, stream) in [
        ("a", Stream::Stdout),
        ("b", Stream::Stderr),
        ("c", Stream::Stdout),
    ] {
        let (seen, sender) = (seen.clone(), sender.clone());
        builder = builder.on_line(stream, move |line| {
            let _keeps_the_receiver_waiting = &sender;
            seen.lock().unwrap().push(format!("{name}{line}"));
        });
    }
    drop(sender);
    builder.spawn().unwrap().join().unwrap();
    assert!(
        ends.recv_timeout(TIMEOUT)
            .is_err_and(|error| error == std::sync::mpsc::RecvTimeoutError::Disconnected)
    );
    let mut seen = seen.lock().unwrap().clone();
    seen.sort();
    assert_eq!(seen, ["a1", "a3", "b2", "c1", "c3"]);
}

#[test]
fn p20_function_that_blocks_delays_no_process() {
    let gate = Gate::new();
    let seen = Arc::new(AtomicUsize::new(0));
    let numbers = Builder::new("seq").arg("1000").on_line(Stream::Stdout, {
        let (gate, seen) = (gate.clone(), seen.clone());
        move |_| {
            seen.fetch_add(1, Ordering::SeqCst);
            gate.pass();
        }
    });
    let blocked = numbers.spawn().unwrap();
    assert_eq!(blocked.join_timeout(TIMEOUT).unwrap(), Exit::Code(0));
    eventually("the first line", || seen.load(Ordering::SeqCst) == 1);
    let (send, finished) = channel();
    blocked.on_finish(move || send.send(()).unwrap());
    finished.recv_timeout(TIMEOUT).unwrap();
    for _ in 0..10 {
        let other = Builder::new("true").spawn().unwrap();
        assert_eq!(other.join_timeout(TIMEOUT).unwrap(), Exit::Code(0));
    }
    assert_eq!(seen.load(Ordering::SeqCst), 1);
    gate.open();
    eventually("all lines", || seen.load(Ordering::SeqCst) == 1_000);
}

#[test]
fn function_that_panics_gets_the_next_line() {
    let (sender, lines) = channel();
    let numbers = Builder::new("seq").arg("3");
    let numbers = numbers.on_line(Stream::Stdout, move |line| {
        sender.send(line.to_string()).unwrap();
        panic!("after line {line}");
    });
    drop(numbers.spawn().unwrap());
    assert_eq!(lines.iter().collect::<Vec<_>>(), ["1", "2", "3"]);
}

#[test]
fn function_ends_with_a_process_without_handle() {
    // The descendant holds stdout until it is let go.
    let script = "printf rest; exec 3<&0; { read line; } <&3 &";
    let (reader, writer) = std::io::pipe().unwrap();
    let (sender, lines) = channel();
    let shell = shell(script)
        .stdin_from(reader)
        .on_line(Stream::Stdout, move |line| {
            sender.send(line.to_string()).unwrap();
        });
    let process = shell.spawn().unwrap();
    process.join().unwrap();
    drop(process);
    assert_eq!(lines.iter().collect::<Vec<_>>(), ["rest"]);
    drop(writer);
}
