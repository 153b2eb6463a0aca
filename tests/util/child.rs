//! Tests that need a process of their own: for process-wide state and for hard limits.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const IN_CHILD: &str = "MEANWHILE_TEST_IN_CHILD";

/// The folder in which a child works and which its parent reads.
const FOLDER: &str = "MEANWHILE_TEST_FOLDER";

/// Runs `body` in a process of its own that executes the test `name` alone.
///
/// `name` is the path of the calling test as the test runner prints it.
pub(crate) fn in_child(name: &str, body: impl FnOnce()) {
    in_child_with("", name, body);
}

/// Like [`in_child`], with shell commands such as `ulimit -v 1000000` run first.
pub(crate) fn in_child_with(setup: &str, name: &str, body: impl FnOnce()) {
    if is_child(name) {
        body();
        return;
    }
    let output = Command::new("/bin/sh")
        .args(["-c", &format!("{setup}\nexec \"$0\" \"$@\"")])
        .arg(std::env::current_exe().expect("a test has a file"))
        .args(["--exact", name, "--include-ignored"])
        .args(["--nocapture", "--test-threads=1"])
        .env(IN_CHILD, name)
        .output()
        .expect("a shell");
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && stdout.contains("1 passed"),
        "{name} in a process of its own: {}\n{stdout}\n{stderr}",
        output.status
    );
}

/// Starts the test `name` alone in a process of its own, to be killed, with its stderr in a pipe.
///
/// There [`killable_folder`] gives back `folder`.
pub(crate) fn start_killable(name: &str, folder: &Path) -> Child {
    Command::new(std::env::current_exe().expect("a test has a file"))
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(IN_CHILD, name)
        .env(FOLDER, folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the system has a process left")
}

/// In a child that [`start_killable`] started for the test `name`: its folder.
pub(crate) fn killable_folder(name: &str) -> Option<PathBuf> {
    let folder = is_child(name).then(|| std::env::var_os(FOLDER))?;
    folder.map(PathBuf::from)
}

fn is_child(name: &str) -> bool {
    std::env::var(IN_CHILD).is_ok_and(|running| running == name)
}
