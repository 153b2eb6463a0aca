//! P21: where the standard streams of a process lead.

use std::fs;
use std::io::{ErrorKind, Read as _, Write};
use std::time::Duration;

use meanwhile_join::JoinError;
use meanwhile_join::process::{Exit, LaunchOptions, Redirect, SpawnError, Stream};

use super::{Builder, eventually, launcher, shell};
use crate::util::files::folder;
use crate::util::gate::TIMEOUT;

const ALTERNATING: &str =
    "i=0; while [ $i -lt 500 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done";

fn alternating() -> String {
    let lines: Vec<String> = (0..500)
        .map(|number| format!("out {number}\nerr {number}\n"))
        .collect();
    lines.concat()
}

#[test]
fn p21_stderr_in_stdout_keeps_the_order() {
    for launched in [false, true] {
        let mut both = shell(ALTERNATING).stderr_to_stdout();
        if launched {
            both = both.launched_by(&launcher(), LaunchOptions::default());
        }
        let captured = both.clone().spawn().unwrap();
        captured.join().unwrap();
        assert_eq!(captured.output().stdout.text(), alternating());
        assert_eq!(captured.output().stderr.total, 0);
        eventually("the end of the stream", || {
            !captured.output().stdout.is_open
        });
        let piped = both.clone().stdout(Redirect::Piped).spawn().unwrap();
        let read = std::io::read_to_string(piped.take_stdout().unwrap());
        assert_eq!(read.unwrap(), alternating());
        assert!(piped.take_stderr().is_none());
        let folder = folder();
        let path = folder.path().join("both");
        let to_file = both.clone().stdout(Redirect::File(path.clone()));
        to_file.spawn().unwrap().join().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), alternating());
        let (mut reader, writer) = std::io::pipe().unwrap();
        drop(both.stdout(Redirect::to(writer)).spawn().unwrap());
        let mut read = String::new();
        reader.read_to_string(&mut read).unwrap();
        assert_eq!(read, alternating());
    }
}

#[test]
fn last_choice_for_stderr_counts() {
    let shell = || shell("echo out; echo err >&2");
    let apart = shell().stderr_to_stdout().stderr(Redirect::Capture);
    let process = apart.spawn().unwrap();
    process.join().unwrap();
    assert_eq!(process.output().stderr.text(), "err\n");
    let together = shell().stderr(Redirect::Null).stderr_to_stdout();
    let process = together.spawn().unwrap();
    process.join().unwrap();
    assert_eq!(process.output().stdout.text(), "out\nerr\n");
    // The file of a choice that does not count is not touched.
    let folder = folder();
    let [out, err] = ["out", "err"].map(|name| folder.path().join(name));
    let into_err = || shell().stderr(Redirect::File(err.clone()));
    let process = into_err().stderr_to_stdout().spawn().unwrap();
    process.join().unwrap();
    assert_eq!(process.output().stdout.text(), "out\nerr\n");
    let to_file = into_err().stdout(Redirect::File(out.clone()));
    let process = to_file.stderr_to_stdout().spawn().unwrap();
    assert_eq!(process.join().unwrap(), Exit::Code(0));
    assert_eq!(fs::read_to_string(out).unwrap(), "out\nerr\n");
    assert!(!err.exists());
    let nowhere = shell().stdout(Redirect::Null).stderr_to_stdout();
    let process = nowhere.spawn().unwrap();
    assert_eq!(process.join().unwrap(), Exit::Code(0));
    assert_eq!(process.output().stdout.total, 0);
}

#[test]
fn p21_piped_stderr_is_read_beside_captured_stdout() {
    let process = shell("echo out; echo err >&2; read line; echo more >&2")
        .stderr(Redirect::Piped)
        .stdin_piped()
        .spawn()
        .unwrap();
    let mut stderr = process.take_stderr().unwrap();
    assert!(process.take_stderr().is_none());
    let mut line = [0; 4];
    stderr.read_exact(&mut line).unwrap();
    assert_eq!(&line, b"err\n");
    drop(process.take_stdin());
    assert_eq!(std::io::read_to_string(stderr).unwrap(), "more\n");
    assert_eq!(process.join().unwrap(), Exit::Code(0));
    let output = process.output();
    assert_eq!(output.stdout.text(), "out\n");
    assert_eq!((output.stderr.total, output.stderr.is_open), (0, false));
}

#[test]
fn files_are_emptied_or_extended() {
    let folder = folder();
    let path = folder.path().join("log");
    let run = |redirect: fn(std::path::PathBuf) -> Redirect, text: &str| {
        let echo = Builder::new("echo").arg(text);
        let echo = echo.stdout(redirect(path.clone())).spawn().unwrap();
        assert_eq!(echo.join().unwrap(), Exit::Code(0));
        fs::read_to_string(&path).unwrap()
    };
    assert_eq!(
        run(Redirect::Append, "a long first line"),
        "a long first line\n"
    );
    assert_eq!(run(Redirect::File, "new"), "new\n");
    assert_eq!(run(Redirect::Append, "more"), "new\nmore\n");
    // Both streams at the end of one file, each opened on its own.
    let both = shell("echo out; echo err >&2").stdout(Redirect::Append(path.clone()));
    let both = both.stderr(Redirect::Append(path.clone()));
    both.spawn().unwrap().join().unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "new\nmore\nout\nerr\n");
}

#[test]
fn p9_output_file_that_cannot_be_opened_is_reported() {
    let missing = std::path::PathBuf::from("/no/such/folder/log");
    for redirect in [Redirect::File(missing.clone()), Redirect::Append(missing)] {
        for builder in [
            shell("true").stdout(redirect.clone()),
            shell("true").stderr(redirect.clone()),
            shell("true").stdout(redirect.clone()).stderr_to_stdout(),
        ] {
            let error = builder.spawn().unwrap_err();
            assert!(matches!(error, SpawnError::Output { .. }), "{error}");
            let sentence = error.to_string();
            assert!(sentence.contains("/no/such/folder/log"), "{sentence}");
        }
    }
}

/// Whether this process is the copy of a test that runs with streams of the test's choice.
const COPY: &str = "MEANWHILE_TEST_COPY_WITH_STREAMS";

#[test]
fn p21_inherited_streams_are_those_of_the_program() {
    let name = "process::streams::p21_inherited_streams_are_those_of_the_program";
    if std::env::var_os(COPY).is_some() {
        let inherits = shell("read line; echo \"out $line\"; echo \"err $line\" >&2")
            .stdin_inherit()
            .stdout(Redirect::Inherit)
            .stderr(Redirect::Inherit);
        assert_eq!(inherits.spawn().unwrap().join().unwrap(), Exit::Code(0));
        let together = shell("echo both >&2").stdout(Redirect::Inherit);
        together.stderr_to_stdout().spawn().unwrap().join().unwrap();
        return;
    }
    let copy = Builder::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(COPY, "1")
        .stdin_bytes("typed\n")
        .spawn()
        .unwrap();
    assert_eq!(copy.join().unwrap(), Exit::Code(0));
    let output = copy.output();
    assert!(output.stdout.text().contains("out typed\nboth\n"));
    assert!(output.stderr.text().contains("err typed\n"));
}

#[test]
fn p21_interactive_process_works_in_a_terminal() {
    let name = "process::streams::p21_interactive_process_works_in_a_terminal";
    if std::env::var_os(COPY).is_some() {
        // A process of a background group that reads the terminal is stopped.
        let asks = shell("test -t 0 && test -t 1 && read line && echo \"got $line\"")
            .stdin_inherit()
            .stdout(Redirect::Inherit);
        assert_eq!(asks.spawn().unwrap().join().unwrap(), Exit::Code(0));
        return;
    }
    let terminal = "import os, pty, sys; \
        sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";
    let copy = Builder::new("python3")
        .args(["-c", terminal])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(COPY, "1")
        .stdin_piped()
        .spawn()
        .unwrap();
    // Stays open: at its end the terminal would close.
    let mut keyboard = copy.take_stdin().unwrap();
    keyboard.write_all(b"typed\n").unwrap();
    let exit = copy.join_timeout(TIMEOUT);
    let printed = copy.output().stdout;
    let text = printed.text();
    assert_eq!(exit.unwrap(), Exit::Code(0), "{text}");
    assert!(text.contains("got typed"), "{text}");
}

#[test]
fn p21_stdin_is_the_output_of_another_process() {
    let numbers = Builder::new("seq").arg("100000").stdout(Redirect::Piped);
    let numbers = numbers.spawn().unwrap();
    let stdout = numbers.take_stdout().unwrap();
    let count = Builder::new("wc").arg("-l").stdin_from(stdout);
    let count = count.spawn().unwrap();
    assert_eq!(count.join().unwrap(), Exit::Code(0));
    assert_eq!(count.output().stdout.text().trim(), "100000");
    assert_eq!(numbers.join().unwrap(), Exit::Code(0));
}

#[test]
fn p21_writer_waits_for_a_slow_process_alone() {
    let slow = shell("read line; cat | wc -c").stdin_piped();
    let slow = slow.spawn().unwrap();
    let mut stdin = slow.take_stdin().unwrap();
    let (sender, written) = std::sync::mpsc::channel();
    // Stopped, it reads nothing.
    slow.pause();
    let writing = meanwhile_join::spawn("writes", move |_| {
        stdin.write_all(b"first line\n").unwrap();
        for _ in 0..100 {
            stdin.write_all(&[0; 10_000]).unwrap();
            sender.send(()).unwrap();
        }
    })
    .unwrap();
    let mut count = 0;
    while written.recv_timeout(Duration::from_millis(100)).is_ok() {
        count += 1;
    }
    assert!(count < 100, "a paused process took 1 MB");
    assert!(!writing.is_finished());
    // The reaper does not write this input, so it serves all others.
    let other = Builder::new("cat").stdin_bytes("x").spawn().unwrap();
    assert_eq!(other.join_timeout(TIMEOUT).unwrap(), Exit::Code(0));
    let early = slow.join_timeout(Duration::ZERO);
    assert!(matches!(early, Err(JoinError::TimedOut)));
    slow.resume();
    writing.join_timeout(TIMEOUT).unwrap();
    assert_eq!(slow.join_timeout(TIMEOUT).unwrap(), Exit::Code(0));
    assert_eq!(slow.output().stdout.text().trim(), "1000000");
}

/// Waits until no process can read a pipe. A child that another test is just starting has a copy
/// of the reading end until it executes its program.
fn eventually_broken(pipe: &mut impl Write) {
    eventually("a broken pipe", || match pipe.write(b"x") {
        Ok(_) => false,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::BrokenPipe);
            true
        }
    });
}

#[test]
fn writer_to_a_process_that_ended_gets_an_error() {
    let process = shell("exit 3").stdin_piped().spawn().unwrap();
    let mut stdin = process.take_stdin().unwrap();
    assert_eq!(process.join().unwrap(), Exit::Code(3));
    eventually_broken(&mut stdin);
}

#[test]
fn descriptors_given_to_a_process_are_closed_here() {
    let (reader, writer) = std::io::pipe().unwrap();
    let cat = Builder::new("cat").stdin_from(reader).output_limit(10);
    let cat = cat.spawn().unwrap();
    cat.kill().unwrap();
    cat.join().unwrap();
    // It has no reader left, so this program holds no copy.
    eventually_broken(&mut { writer });
    let (mut reader, writer) = std::io::pipe().unwrap();
    let echo = Builder::new("echo").stdout(Redirect::to(writer));
    echo.spawn().unwrap().join().unwrap();
    let mut all = Vec::new();
    reader.read_to_end(&mut all).unwrap();
    assert_eq!(all, b"\n");
}

#[test]
fn function_gets_the_lines_of_both_streams_in_order() {
    let (sender, lines) = std::sync::mpsc::channel();
    let shell = shell(ALTERNATING).stderr_to_stdout();
    let shell = shell.on_line(Stream::Stdout, move |line| {
        sender.send(line.to_string()).unwrap();
    });
    drop(shell.spawn().unwrap());
    assert!(lines.iter().eq(alternating().lines().map(str::to_owned)));
}

#[test]
fn p21_one_file_for_both_streams_keeps_both() {
    let folder = folder();
    let path = folder.path().join("both");
    // A different spelling of the same file.
    let other = folder.path().join(".").join("both");
    let script = "echo one; echo two >&2; echo three";
    for launched in [false, true] {
        let mut shell = shell(script);
        if launched {
            shell = shell.launched_by(&launcher(), LaunchOptions::default());
        }
        let shell = shell.stdout(Redirect::File(path.clone()));
        let process = shell.stderr(Redirect::File(other.clone())).spawn().unwrap();
        assert_eq!(process.join().unwrap(), Exit::Code(0));
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\nthree\n");
    }
}

#[test]
fn one_file_is_emptied_if_one_stream_says_so() {
    let folder = folder();
    let path = folder.path().join("both");
    let (new, end): (fn(_) -> _, fn(_) -> _) = (Redirect::File, Redirect::Append);
    for (stdout, stderr, before) in [
        (new, new, ""),
        (new, end, ""),
        (end, new, ""),
        (end, end, "before\n"),
    ] {
        fs::write(&path, "before\n").unwrap();
        let shell = shell("echo one; echo two >&2; echo three");
        let shell = shell.stdout(stdout(path.clone()));
        let process = shell.stderr(stderr(path.clone())).spawn().unwrap();
        assert_eq!(process.join().unwrap(), Exit::Code(0));
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, format!("{before}one\ntwo\nthree\n"));
    }
}
