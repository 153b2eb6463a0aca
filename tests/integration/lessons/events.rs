//! Events that child processes of a lesson write, even too early or too late.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use meanwhile::lessons::WorkerKind;

use super::{finish, in_own_folder, lesson};

/// What a child process writes its events to, for the run in this folder.
struct Events {
    file: File,
    wake: UnixDatagram,
}

impl Events {
    fn of_run_in(folder: &Path) -> Self {
        let folders = fs::read_dir(folder).expect("the folder for temporary files");
        let mut folders = folders.filter_map(|folder| Some(folder.ok()?.path()));
        let folder = folders.find(|folder| folder.join("events").exists());
        let folder = folder.expect("the run has a file for events");
        let file = File::options().append(true).open(folder.join("events"));
        let wake = UnixDatagram::unbound().expect("a socket");
        wake.connect(folder.join("wake")).expect("the run listens");
        Self {
            file: file.expect("the file is writable"),
            wake,
        }
    }

    fn write(&mut self, lines: &str) {
        let written = self.file.write_all(lines.as_bytes());
        written.expect("the file is open");
        self.wake.send(&[]).expect("the run listens");
    }
}

/// An event as a child process writes it.
fn line(nanos: u32, kind: &str) -> String {
    let at = format!(r#"{{"secs":0,"nanos":{nanos}}}"#);
    let body = format!(r#"{{"Timeline":{kind}}}"#);
    format!(r#"{{"at":{at},"lane":99,"line":1,"body":{body}}}"#) + "\n"
}

/// On a busy machine a child may write before its parent has opened its lane.
#[test]
fn event_before_its_lane_opens_is_kept() {
    let name = "lessons::events::event_before_its_lane_opens_is_kept";
    in_own_folder(name, |folder| {
        let mut run = lesson("join", WorkerKind::Task).with("work", 60.0).start();
        let mut events = Events::of_run_in(folder);

        let said = line(2, r#"{"said":{"text":"early"}}"#);
        events.write(&said);
        run.poll();
        run.log().time_of("child", "early").unwrap_err();

        let opened = line(1, r#"{"did_open":{"name":"child","kind":"process"}}"#);
        events.write(&opened);
        run.poll();
        run.stop();
        finish(&mut run);
        let printed = run.log().time_of("child", "early").unwrap();
        assert_eq!(printed, Duration::from_nanos(2));
    });
}

#[test]
fn late_event_is_printed_once() {
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
    let mut events = Events::of_run_in(folder.path());
    let opened = line(1, r#"{"did_open":{"name":"child","kind":"process"}}"#);
    for text in ["late", "later"] {
        let said = line(2, &format!(r#"{{"said":{{"text":"{text}"}}}}"#));
        // Nothing else wakes the run.
        events.write(&format!("{opened}{said}"));
        let printed = next();
        assert!(printed.ends_with(&format!("  {text}")), "{printed}");
    }
    running.kill().unwrap();
    drop(running.wait_with_output().unwrap());
    assert!(lines.next().is_none());
}
