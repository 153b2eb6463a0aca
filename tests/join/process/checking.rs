//! P22: exits that are errors.

use std::error::Error;

use meanwhile_join::process::{Exit, ExitError, Redirect};

use super::{Builder, shell};

fn error_of(builder: Builder) -> ExitError {
    let process = builder.spawn().unwrap();
    let error = process.join_checked().unwrap_err();
    assert_eq!(error.exit(), process.join().unwrap());
    error
}

#[test]
fn p22_failed_process_is_an_error_for_the_caller() {
    fn run(script: &str) -> Result<String, Box<dyn Error + Send + Sync>> {
        let process = shell(script).spawn()?;
        process.join()?.check()?;
        Ok(process.output().stdout.text().into_owned())
    }
    assert_eq!(run("echo fine").unwrap(), "fine\n");
    assert_eq!(run("exit 3").unwrap_err().to_string(), "exited with code 3");
    let killed = run("kill -TERM $$").unwrap_err();
    assert_eq!(killed.to_string(), "killed by signal 15 (SIGTERM)");
    let error = killed.downcast_ref::<ExitError>().unwrap();
    assert_eq!(error.exit().signal_name(), Some("SIGTERM"));
    assert!(error.source().is_none());
    assert!(Exit::Unknown.check().is_err());
}

#[test]
fn p22_checked_join_returns_the_output() {
    let output = shell("echo out; echo err >&2").spawn().unwrap();
    let output = output.join_checked().unwrap();
    assert_eq!(output.stdout.text(), "out\n");
    assert_eq!(output.stderr.text(), "err\n");
}

#[test]
fn p22_error_of_a_checked_join_says_what_and_why() {
    let script = "echo 'first warning' >&2; echo 'last words' >&2; exit 2";
    let error = error_of(shell(script).name("make"));
    assert_eq!(
        error.to_string(),
        "`make` exited with code 2: first warning; last words"
    );
    assert_eq!(error.exit(), Exit::Code(2));
    let silent = error_of(shell("exit 1"));
    assert_eq!(silent.to_string(), "`sh` exited with code 1");
}

#[test]
fn error_shows_the_last_lines_in_one_sentence() {
    let many = error_of(shell("seq 1 100 >&2; printf '\\n\\n' >&2; exit 1"));
    assert_eq!(many.to_string(), "`sh` exited with code 1: 98; 99; 100");
    let script = "printf 'a\\tb\\033[31m\\r\\n\\n  c\\377\\n' >&2; exit 1";
    let control = error_of(shell(script));
    assert_eq!(
        control.to_string(),
        "`sh` exited with code 1: a b[31m; c\u{fffd}"
    );
    let script = "head -c 100000 /dev/zero | tr '\\0' x >&2; echo end >&2; exit 1";
    let long = error_of(shell(script)).to_string();
    assert!(long.len() < 1_000, "{} bytes", long.len());
    assert!(long.ends_with("xend"), "{long}");
}

#[test]
fn error_shows_stdout_where_stderr_goes_there() {
    let script = "echo out; echo err >&2; exit 1";
    let together = error_of(shell(script).stderr_to_stdout());
    assert_eq!(together.to_string(), "`sh` exited with code 1: out; err");
    let nowhere = error_of(shell(script).stderr(Redirect::Null));
    assert_eq!(nowhere.to_string(), "`sh` exited with code 1");
}
