//! What a child process of a lesson says, and when it is heard.

use std::fs::{self, File};
use std::io::Write as _;
use std::time::Duration;

use meanwhile::lessons::Cast;

use super::{play, until_over};
use crate::util::child::in_child_with;

/// As a child of the run writes it to the file of the run.
fn line(nanos: u32, act: &str) -> String {
    let at = format!(r#"{{"secs":0,"nanos":{nanos}}}"#);
    let act = format!(r#"{{"Timeline":{act}}}"#);
    format!(r#"{{"at":{at},"lane":99,"line":1,"act":{act}}}"#) + "\n"
}

/// On a busy machine a child speaks before the thread that has started it can announce it.
#[test]
fn what_a_child_says_before_its_lane_is_open_is_heard() {
    let name = "lessons::telling::what_a_child_says_before_its_lane_is_open_is_heard";
    let folder = tempfile::tempdir().unwrap();
    let setup = format!("export TMPDIR='{}'", folder.path().display());
    in_child_with(&setup, name, || {
        let mut run = play("join", Cast::Task).with("work", 60.0).start();
        let folders = fs::read_dir(std::env::temp_dir()).unwrap();
        let mut files = folders.map(|folder| folder.unwrap().path().join("events"));
        let file = files.find(|file| file.exists()).unwrap();
        let mut events = File::options().append(true).open(file).unwrap();

        let said = line(2, r#"{"said":{"text":"early"}}"#);
        events.write_all(said.as_bytes()).unwrap();
        run.poll();
        run.told().when("child", "early").unwrap_err();

        let opened = line(1, r#"{"did_open":{"name":"child","kind":"process"}}"#);
        events.write_all(opened.as_bytes()).unwrap();
        run.poll();
        run.stop();
        until_over(&mut run);
        let heard = run.told().when("child", "early").unwrap();
        assert_eq!(heard, Duration::from_nanos(2));
    });
}
