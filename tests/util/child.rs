//! Tests that need a process of their own: for process-wide state and for hard limits.

use std::process::Command;

const IN_CHILD: &str = "MEANWHILE_TEST_IN_CHILD";

/// Runs `body` in a process of its own that executes the test `name` alone.
///
/// `name` is the path of the calling test as the test runner prints it.
pub(crate) fn in_child(name: &str, body: impl FnOnce()) {
    in_child_with("", name, body);
}

/// Like [`in_child`], with shell commands such as `ulimit -v 1000000` run first.
pub(crate) fn in_child_with(setup: &str, name: &str, body: impl FnOnce()) {
    if std::env::var(IN_CHILD).is_ok_and(|running| running == name) {
        body();
        return;
    }
    let output = Command::new("/bin/sh")
        .args(["-c", &format!("{setup}\nexec \"$0\" \"$@\"")])
        .arg(std::env::current_exe().expect("a test has a file"))
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
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
