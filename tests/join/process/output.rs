//! P5: output, and input.

use std::time::Duration;

use meanwhile_join::process::{Exit, Stream};

use super::{Builder, eventually, shell, wait_for_line};
use crate::util::files::{folder, write};
use crate::util::gate::TIMEOUT;

#[test]
fn p5_200_mb_on_both_streams_are_counted_exactly() {
    let script = "head -c 200000000 /dev/zero >&2 & head -c 200000000 /dev/zero; wait; echo end";
    let process = shell(script).output_limit(4096).spawn().unwrap();
    assert_eq!(process.join().unwrap(), Exit::Code(0));
    let output = process.output();
    assert_eq!(output.stdout.total, 200_000_004);
    assert_eq!(output.stderr.total, 200_000_000);
    assert_eq!(output.stdout.bytes.len(), 4096);
    assert_eq!(output.stdout.dropped, 200_000_004 - 4096);
    assert!(output.stdout.bytes.ends_with(b"\0\0end\n"));
    assert!(output.stderr.bytes.iter().all(|byte| *byte == 0));
}

#[test]
fn p5_ring_buffer_keeps_exactly_the_last_bytes() {
    let lines: Vec<String> = (1..=20_000).map(|number| format!("{number}\n")).collect();
    let expected = lines.concat();
    for limit in [0, 1, 7, 4_095, 65_536, expected.len(), 10_000_000] {
        let numbers = Builder::new("seq").args(["1", "20000"]);
        let process = numbers.output_limit(limit).spawn().unwrap();
        process.join().unwrap();
        let stdout = process.output().stdout;
        let tail = &expected.as_bytes()[expected.len().saturating_sub(limit)..];
        assert_eq!(stdout.bytes, tail, "with {limit} bytes kept");
        assert_eq!(stdout.total, expected.len() as u64);
    }
}

#[test]
fn p5_raw_bytes_are_kept_and_shown_lossily() {
    let process = shell(r"printf 'a\377\000\r\033[31mb'").spawn().unwrap();
    process.join().unwrap();
    let stdout = process.output().stdout;
    assert_eq!(stdout.bytes, b"a\xff\0\r\x1b[31mb");
    assert_eq!(stdout.text(), "a\u{fffd}\0\r\x1b[31mb");
}

#[test]
fn p5_follower_sees_every_byte_once() {
    let process = shell("seq 1 50000; read line; seq 1 10")
        .stdin_piped()
        .spawn()
        .unwrap();
    let mut seen = Vec::new();
    let mut follow = || {
        let new = process.output_since(Stream::Stdout, seen.len() as u64);
        assert_eq!((new.offset, new.dropped), (seen.len() as u64, 0));
        seen.extend(new.bytes);
        seen.ends_with(b"50000\n")
    };
    eventually("the first part", &mut follow);
    drop(process.take_stdin());
    process.join().unwrap();
    follow();
    let expected: Vec<u8> = (1..=50_000)
        .chain(1..=10)
        .flat_map(|number: u32| format!("{number}\n").into_bytes())
        .collect();
    assert_eq!(seen, expected);
    assert!(
        process
            .output_since(Stream::Stdout, u64::MAX)
            .bytes
            .is_empty()
    );
}

#[test]
fn dropped_bytes_are_those_that_were_asked_for() {
    let process = Builder::new("printf").arg("0123456789").output_limit(4);
    let process = process.spawn().unwrap();
    process.join().unwrap();
    let read = |from| {
        let captured = process.output_since(Stream::Stdout, from);
        (
            captured.text().into_owned(),
            captured.offset,
            captured.dropped,
        )
    };
    assert_eq!(read(0), ("6789".to_owned(), 6, 6));
    assert_eq!(read(5), ("6789".to_owned(), 6, 1));
    assert_eq!(read(6), ("6789".to_owned(), 6, 0));
    assert_eq!(read(8), ("89".to_owned(), 8, 0));
    assert_eq!(read(10), (String::new(), 10, 0));
    assert_eq!(read(u64::MAX), (String::new(), 10, 0));
}

#[test]
fn text_begins_with_a_whole_character() {
    let texts = [
        (10, "aä€𝄞"),
        (9, "ä€𝄞"),
        (8, "€𝄞"),
        (7, "€𝄞"),
        (6, "𝄞"),
        (4, "𝄞"),
        (3, ""),
        (1, ""),
    ];
    for (limit, text) in texts {
        let process = Builder::new("printf").arg("aä€𝄞").output_limit(limit);
        let process = process.spawn().unwrap();
        process.join().unwrap();
        assert_eq!(
            process.output().stdout.text(),
            text,
            "{limit} bytes are kept"
        );
    }
    // Nothing was dropped here, so the bytes are shown as they are.
    let process = shell(r"printf '\200a'").spawn().unwrap();
    process.join().unwrap();
    assert_eq!(process.output().stdout.text(), "\u{fffd}a");
}

#[test]
fn written_includes_bytes_not_yet_captured() {
    let script = "echo before >&2; echo ready; read line; echo after >&2";
    let shell = shell(script).stdin_piped().stdout_piped();
    let process = shell.spawn().unwrap();
    wait_for_line(&process, "ready");
    let written = process.written(Stream::Stderr);
    assert_eq!(written, 7);
    drop(process.take_stdin());
    process.join().unwrap();
    let later = process.output_since(Stream::Stderr, written);
    assert_eq!(later.text(), "after\n");
}

#[test]
fn p5_endless_output_stays_within_the_ring_buffer() {
    let yes = Builder::new("yes").output_limit(10_001).spawn().unwrap();
    eventually("two hundred megabytes", || {
        yes.output_since(Stream::Stdout, u64::MAX).total > 200_000_000
    });
    yes.kill().unwrap();
    yes.join().unwrap();
    let stdout = yes.output().stdout;
    assert_eq!(stdout.bytes.len(), 10_001);
    assert!(
        stdout
            .bytes
            .windows(2)
            .all(|pair| pair == b"y\n" || pair == b"\ny")
    );
}

#[test]
fn last_lines_ignore_trailing_newlines() {
    let process = shell("printf 'one\\ntwo\\nthree\\n\\n'").spawn().unwrap();
    process.join().unwrap();
    let stdout = process.output().stdout;
    assert_eq!(stdout.last_lines(0), "");
    assert_eq!(stdout.last_lines(1), "three");
    assert_eq!(stdout.last_lines(2), "two\nthree");
    assert_eq!(stdout.last_lines(9), "one\ntwo\nthree");
}

#[test]
fn stdin_is_written_while_output_is_read() {
    let bytes: Vec<u8> = (0..5_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let cat = Builder::new("cat")
        .stdin_bytes(&bytes)
        .output_limit(bytes.len());
    let process = cat.spawn().unwrap();
    assert_eq!(process.join().unwrap(), Exit::Code(0));
    assert!(
        process.output().stdout.bytes == bytes,
        "cat changed the bytes"
    );
}

#[test]
fn process_that_reads_no_stdin_is_not_waited_for() {
    let input = vec![0; 10_000_000];
    let process = shell("exit 4").stdin_bytes(input).spawn().unwrap();
    assert_eq!(process.join().unwrap(), Exit::Code(4));
}

#[test]
fn stdin_is_a_file_or_empty() {
    let folder = folder();
    let file = write(folder.path(), "input", "from a file");
    let cat = Builder::new("cat").stdin_file(file).spawn().unwrap();
    cat.join().unwrap();
    assert_eq!(cat.output().stdout.text(), "from a file");
    let empty = Builder::new("cat").spawn().unwrap();
    empty.join().unwrap();
    assert_eq!(empty.output().stdout.total, 0);
}

#[test]
fn output_is_awaited_until_both_streams_end() {
    for (closed, open) in [(1, 2), (2, 1)] {
        let script = format!("exec {closed}>&-; read line; echo late >&{open}");
        let process = shell(&script).stdin_piped().spawn().unwrap();
        assert!(!process.wait_for_output(Duration::from_millis(200)));
        drop(process.take_stdin());
        assert!(process.wait_for_output(TIMEOUT));
        let output = process.output();
        let late = if open == 1 {
            output.stdout
        } else {
            output.stderr
        };
        assert_eq!(late.text(), "late\n");
    }
}
