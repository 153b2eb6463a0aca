//! The output of `meanwhile run command`: whole, one item after the other, and while they run.

#![expect(
    clippy::disallowed_methods,
    reason = "a test waits for the program it started, which it also ends"
)]

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use super::util::files::folder;

fn meanwhile<S: AsRef<OsStr>>(dir: &Path, args: &[S]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meanwhile"));
    command.args(["run", "command", "--priority", "normal"]);
    command.args(args).current_dir(dir).stdin(Stdio::null());
    command
}

fn run(dir: &Path, args: &[&str]) -> Output {
    meanwhile(dir, args).output().expect("the program starts")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("plain text")
}

/// Starts it with its output piped here.
fn start(dir: &Path, args: &[&str]) -> Child {
    let mut command = meanwhile(dir, args);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    command.spawn().expect("the program starts")
}

#[test]
fn output_beyond_every_limit_comes_whole() {
    let folder = folder();
    let limits = ["--output-limit", "10", "--workers", "3"];
    let files = ["a", "b", "c"];
    let args = [&limits[..], &files, &["--", "sh", "-c", "seq 1 400000"]].concat();
    let output = run(folder.path(), &args);
    assert_eq!(output.status.code(), Some(0));
    let numbers = (1..=400_000).fold(String::new(), |all, n| all + &format!("{n}\n"));
    assert!(text(&output.stdout) == numbers.repeat(3));
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn output_is_seen_and_kept_when_the_program_is_killed() {
    let folder = folder();
    mkfifo(&folder.path().join("never"), Mode::S_IRWXU).unwrap();
    let script = "echo \"$1\"; case $1 in b) read line < never;; esac";
    let args = ["--workers", "1", "a", "b", "--", "sh", "-c", script, "sh"];
    let mut program = start(folder.path(), &args);
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    // The second comes while its command runs.
    assert_eq!(lines.next().unwrap().unwrap(), "a");
    assert_eq!(lines.next().unwrap().unwrap(), "b");
    program.kill().unwrap();
    assert_eq!(program.wait().unwrap().signal(), Some(9));
}

#[test]
fn output_in_the_order_of_ends_waits_for_none() {
    let folder = folder();
    mkfifo(&folder.path().join("gate"), Mode::S_IRWXU).unwrap();
    let script = "case $1 in a) read line < gate;; c) echo > gate; exit;; esac; echo \"$1\"";
    let workers = ["--workers", "2", "--output-order", "end"];
    let args = [
        &workers[..],
        &["a", "b", "c", "--", "sh", "-c", script, "sh"],
    ]
    .concat();
    let output = run(folder.path(), &args);
    assert_eq!(text(&output.stdout), "b\na\n");
}

#[test]
fn closed_stdout_ends_commands_as_a_closed_pipe_does() {
    let folder = folder();
    let mut program = start(folder.path(), &["--", "yes"]);
    let mut stdout = program.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 2]).unwrap();
    drop(stdout);
    assert_eq!(program.wait().unwrap().code(), Some(141));
}

#[test]
fn output_right_after_the_end_belongs_to_the_command() {
    let folder = folder();
    let script = "exec > >(sed 's/^/[log] /'); echo hello";
    for _ in 0..20 {
        let output = run(folder.path(), &["--", "bash", "-c", script]);
        assert_eq!(text(&output.stdout), "[log] hello\n");
        assert_eq!(text(&output.stderr), "");
    }
    let script = "echo one | tee >(cat >&2) >/dev/null";
    let output = run(folder.path(), &["--", "bash", "-c", script]);
    assert_eq!(text(&output.stderr), "one\n");
    let output = run(
        folder.path(),
        &["--format", "json", "--", "bash", "-c", script],
    );
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["items"][0]["output"]["stderr"]["text"], "one\n");
}

#[test]
fn process_that_holds_the_output_is_named() {
    let folder = folder();
    let output = run(folder.path(), &["--", "sh", "-c", "sleep 3 & echo done"]);
    assert_eq!(text(&output.stdout), "done\n");
    let said = text(&output.stderr);
    assert!(
        said.contains("sleep (") && said.contains("may still print"),
        "{said}"
    );
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn late_output_is_shown_or_its_holder_named() {
    let folder = folder();
    for milliseconds in (90..=180).step_by(5) {
        let script = format!("(sleep 0.{milliseconds:03}; echo late) & echo done");
        let output = run(folder.path(), &["--", "bash", "-c", &script]);
        let said = text(&output.stderr);
        match text(&output.stdout) {
            "done\nlate\n" => assert!(!said.contains("not shown"), "{milliseconds}: {said}"),
            shown => {
                assert_eq!(shown, "done\n");
                assert!(said.contains(") may still print"), "{milliseconds}: {said}");
            }
        }
    }
}

#[test]
fn output_of_a_helper_that_works_is_awaited() {
    let folder = folder();
    // It takes far longer than what does not work gets.
    let script = "(i=0; while [ $i -lt 150000 ]; do i=$((i+1)); done; echo late) & echo done";
    for format in ["text", "json"] {
        let args = ["--format", format];
        let output = run(
            folder.path(),
            &[&args[..], &["--", "sh", "-c", script]].concat(),
        );
        let shown = text(&output.stdout);
        assert!(shown.contains("late") && shown.contains("done"), "{shown}");
        let said = text(&output.stderr);
        assert!(!said.contains("may still print"), "{said}");
    }
}

#[test]
fn what_works_without_end_is_not_awaited() {
    let folder = folder();
    // It ends with the folder.
    let script = "(while [ -e . ] && [ -e \"$PWD\" ]; do :; done) & echo done";
    let output = run(folder.path(), &["--", "sh", "-c", script]);
    assert_eq!(text(&output.stdout), "done\n");
    let said = text(&output.stderr);
    assert!(said.contains(") may still print"), "{said}");
}

#[test]
fn last_words_of_what_is_left_are_shown() {
    let folder = folder();
    let script = "mkfifo began; sh -c 'trap \"sleep 0.3; echo tidied; exit\" TERM; \
                  echo > began; while :; do sleep 0.01; done' & read line < began; echo done";
    let args = ["--leave", "stop", "--", "sh", "-c", script];
    let output = run(folder.path(), &args);
    assert_eq!(text(&output.stdout), "done\ntidied\n");
    let said = text(&output.stderr);
    assert!(!said.contains("not shown"), "{said}");
}

#[test]
fn missing_temporary_folder_is_named() {
    let folder = folder();
    let missing = folder.path().join("missing");
    mkfifo(&folder.path().join("never"), Mode::S_IRWXU).unwrap();
    // The second has to keep its output until the first has ended.
    let script = "case $1 in a) read line < never;; b) yes | head -c 3000000;; esac";
    let workers = ["--workers", "2", "--grace", "1"];
    let files = ["a", "b", "--", "sh", "-c", script, "sh"];
    let mut program = meanwhile(folder.path(), &[&workers[..], &files].concat());
    let output = program.env("TMPDIR", &missing).output().unwrap();
    let said = text(&output.stderr);
    let name = missing.display();
    let expected = format!(
        "meanwhile: output that waits for its turn could not be kept in the temporary folder {name}: \
         No such file or directory (os error 2); make room there, or set TMPDIR to another folder"
    );
    assert_eq!(said.lines().last(), Some(&*expected), "{said}");
    assert_eq!(output.status.code(), Some(1));
}

/// The most memory that a process has had so far, in KiB.
#[cfg(target_os = "linux")]
fn peak_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let digits = peak.expect("Linux has it").trim().trim_end_matches(" kB");
    digits.parse().expect("a number")
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_waits_takes_no_memory() {
    const ITEMS: usize = 200;
    let folder = folder();
    for name in ["gate", "full"] {
        mkfifo(&folder.path().join(name), Mode::S_IRWXU).unwrap();
    }
    let script = "case $1 in first) read line < gate;; last) echo > full;; \
                  *) head -c 1048576 /dev/zero;; esac";
    let middle = (0..ITEMS).map(|item| item.to_string());
    let files = ["first".to_owned()].into_iter().chain(middle);
    let mut args: Vec<String> = ["--workers", "2"].map(str::to_owned).into();
    args.extend(files.chain(["last".to_owned()]));
    args.extend(["--", "sh", "-c", script, "sh"].map(str::to_owned));
    let mut program = meanwhile(folder.path(), &args);
    let mut program = program.stdout(Stdio::piped()).spawn().unwrap();
    // One worker runs all but the first, and the last of them says that all others have ended.
    std::fs::read(folder.path().join("full")).unwrap();
    let peak = peak_kib(program.id());
    std::fs::write(folder.path().join("gate"), "go\n").unwrap();
    let mut printed = 0;
    let mut stdout = program.stdout.take().unwrap();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match stdout.read(&mut buffer).unwrap() {
            0 => break,
            bytes => printed += bytes,
        }
    }
    assert!(program.wait().unwrap().success());
    assert_eq!(printed, ITEMS << 20);
    // A half of what was printed; the program itself takes about a quarter.
    assert!(peak < (ITEMS as u64 / 2) << 10, "{peak} KiB");
}

#[test]
fn descendant_that_prints_without_end_holds_none_up() {
    let folder = folder();
    let output = run(folder.path(), &["--", "sh", "-c", "yes & echo done"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(
        text(&output.stderr).contains("yes ("),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn last_words_of_a_stopped_command_are_shown() {
    let folder = folder();
    // More than waits for its turn, printed by the shell itself.
    let count = "i=0; while [ $i -lt 30000 ]; do echo $i; i=$((i+1)); done";
    let script = &format!("trap '{count}; exit 3' TERM; echo ready; while :; do sleep 0.05; done");
    let args = [
        "--timeout",
        "0.3",
        "--grace",
        "60",
        "--",
        "sh",
        "-c",
        script,
    ];
    let output = run(folder.path(), &args);
    let lines: Vec<&str> = text(&output.stdout).lines().collect();
    assert_eq!(lines.len(), 30_001);
    assert_eq!(lines.last(), Some(&"29999"));
}
