//! What a child process of a lesson says, and when it is heard.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use meanwhile::lessons::WorkerKind;

use super::{in_own_folder, play, until_over};

/// The file of the run that has its files in this folder.
fn events_in(folder: &Path) -> File {
    let folders = fs::read_dir(folder).expect("the folder for temporary files");
    let mut files = folders.filter_map(|folder| Some(folder.ok()?.path().join("events")));
    let file = files.find(|file| file.exists());
    let file = file.expect("the run has a file for events");
    let events = File::options().append(true).open(file);
    events.expect("whoever runs may write")
}

/// As a child of the run writes it to that file.
fn line(nanos: u32, act: &str) -> String {
    let at = format!(r#"{{"secs":0,"nanos":{nanos}}}"#);
    let act = format!(r#"{{"Timeline":{act}}}"#);
    format!(r#"{{"at":{at},"lane":99,"line":1,"body":{act}}}"#) + "\n"
}

/// On a busy machine a child speaks before the thread that has started it can announce it.
#[test]
fn what_a_child_says_before_its_lane_is_open_is_heard() {
    let name = "lessons::telling::what_a_child_says_before_its_lane_is_open_is_heard";
    in_own_folder(name, |folder| {
        let mut run = play("join", WorkerKind::Task).with("work", 60.0).start();
        let mut events = events_in(folder);

        let said = line(2, r#"{"said":{"text":"early"}}"#);
        events.write_all(said.as_bytes()).unwrap();
        run.poll();
        run.log().time_of("child", "early").unwrap_err();

        let opened = line(1, r#"{"did_open":{"name":"child","kind":"process"}}"#);
        events.write_all(opened.as_bytes()).unwrap();
        run.poll();
        run.stop();
        until_over(&mut run);
        let heard = run.log().time_of("child", "early").unwrap();
        assert_eq!(heard, Duration::from_nanos(2));
    });
}

/// A line of the transcript that comes when later ones are printed already.
#[test]
fn what_a_child_says_late_is_printed_once_and_nothing_else_twice() {
    let folder = tempfile::tempdir().unwrap();
    let mut running = Command::new(env!("CARGO_BIN_EXE_meanwhile"))
        .args(["lesson", "run", "join", "--set", "work=60"])
        .env("TMPDIR", folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(running.stdout.take().unwrap()).lines();
    let mut next = || lines.next().unwrap().unwrap();
    assert!(next().contains("waiting for the worker"));
    let mut events = events_in(folder.path());
    let opened = line(1, r#"{"did_open":{"name":"child","kind":"process"}}"#);
    for text in ["late", "later"] {
        let said = line(2, &format!(r#"{{"said":{{"text":"{text}"}}}}"#));
        events
            .write_all(format!("{opened}{said}").as_bytes())
            .unwrap();
        let printed = next();
        assert!(printed.ends_with(&format!("  {text}")), "{printed}");
    }
    running.kill().unwrap();
    drop(running.wait_with_output().unwrap());
    assert!(lines.next().is_none());
}
