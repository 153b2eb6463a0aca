//! Commands that ask on the terminal. `script` makes one for the program.

use std::io::Write as _;
use std::process::{Command, Stdio};

/// Runs `meanwhile run command` with these words for a shell in a terminal of its own, where `input` is
/// typed. Returns what that shows.
fn in_terminal(words: &str, input: &str) -> String {
    let program = env!("CARGO_BIN_EXE_meanwhile");
    let line = format!("exec {program} run command --priority normal {words}");
    let mut script = Command::new("script")
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script is there");
    let mut typed = script.stdin.take().expect("a pipe");
    typed.write_all(input.as_bytes()).expect("script reads");
    let output = script.wait_with_output().expect("script ends");
    drop(typed);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn command_that_asks_on_the_terminal_fails_at_once() {
    let shown = in_terminal(r#"-- sh -c 'read x </dev/tty; echo got "$x"'"#, "");
    assert!(shown.contains("/dev/tty"), "{shown}");
    assert!(shown.contains("got \r\n"), "{shown}");
}

#[test]
fn command_that_missed_the_terminal_is_told_of_tty() {
    let shown = in_terminal("-- sh -c 'read x </dev/tty || exit 3'", "");
    assert!(shown.contains("meanwhile: sh exited with code"), "{shown}");
    assert!(shown.contains("--tty"), "{shown}");
}

#[test]
fn terminal_is_lent_to_one_run_at_a_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let turn = folder.path().join("turn");
    let turn = turn.display();
    let asks = format!(
        r#"--tty --workers 2 a b -- sh -c 'mkdir {turn} || echo both; read x </dev/tty; rmdir {turn}; echo "got $x"'"#
    );
    let shown = in_terminal(&asks, "one\ntwo\n");
    assert!(shown.contains("got one\r\n"), "{shown}");
    assert!(shown.contains("got two\r\n"), "{shown}");
    assert!(!shown.contains("both"), "{shown}");
    assert!(!shown.contains('%'), "no bar is drawn: {shown}");
}

#[test]
fn terminal_that_is_missing_is_named() {
    let program = env!("CARGO_BIN_EXE_meanwhile");
    let output = Command::new("setsid")
        .args(["--wait", program, "run", "command", "--tty", "--", "true"])
        .stdin(Stdio::null())
        .output()
        .expect("setsid is there");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("/dev/tty"), "{said}");
}
