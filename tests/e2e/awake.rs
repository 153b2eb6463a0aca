//! The machine stays awake while a job runs: what the window asks the portal of the desktop.

use std::fs::{self, File};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::child_guard::ChildGuard;
use crate::session::{Session, pause, wait_until};
use crate::setup::start_command;

/// Jobs that are shorter ask for nothing.
const MIN_TIME: Duration = Duration::from_mins(1);

/// The calls of the portal that one bus has seen.
struct Calls {
    file: PathBuf,
    _monitor: ChildGuard,
}

impl Calls {
    fn watch(session: &Session) -> Self {
        let file = session.home().join("calls");
        let mut monitor = session.command("dbus-monitor");
        let portal = "type='method_call',interface='org.freedesktop.portal";
        monitor
            .args(["--session", "--profile"])
            .args([format!("{portal}.Inhibit'"), format!("{portal}.Request'")])
            .stdout(File::create(&file).expect("the home is ours"));
        Self {
            file,
            _monitor: ChildGuard::start("dbus-monitor", &mut monitor),
        }
    }

    fn wait_for(&self, member: &str) {
        let seen = || fs::read_to_string(&self.file).expect("calls are text");
        let has_seen = || {
            let is_seen = seen().contains(member);
            is_seen.then_some(()).ok_or("no such call".to_owned())
        };
        wait_until(&format!("a call of {member}"), has_seen, seen);
    }
}

#[test]
#[ignore = "needs a screen; tests/all.sh runs it"]
fn machine_stays_awake_until_a_long_job_ends() {
    let session = Session::start("awake");
    let calls = Calls::watch(&session);
    let gate = session.home().join("gate");
    session
        .tool("mkfifo", &[gate.to_str().unwrap()])
        .expect("our own folder");
    let started = Instant::now();
    let window = start_command(&session, &format!("cat '{}'", gate.display()));
    window.wait_for_text("1 process running");

    // Nothing on the screen is waited for as long as that.
    pause(MIN_TIME / 2);
    calls.wait_for("Inhibit");
    assert!(started.elapsed() >= MIN_TIME);
    fs::write(&gate, "").unwrap();
    calls.wait_for("Close");
}
