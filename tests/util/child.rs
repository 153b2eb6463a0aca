//! Child processes for tests that change process-wide state or have hard limits.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// The variable with the name of the child's test.
const IN_CHILD: &str = "MEANWHILE_TEST_IN_CHILD";

/// The variable with the file to which the child writes once the body of the test has run.
const DONE: &str = "MEANWHILE_TEST_DONE";

/// The variable with the folder in which the child works. Its parent reads the folder.
const FOLDER: &str = "MEANWHILE_TEST_FOLDER";

/// Shell commands for [`in_child_with`] that make root a user whom no other process has: the limit on
/// processes does not hold for root, and counts the threads of all processes of one user.
///
/// The shell's process id, which the test keeps, makes the number of the user. It lies between those of
/// people and those that systemd gives away, and a container has it too.
pub(crate) const NOT_AS_ROOT: &str = r#"
if [ "$(id -u)" = 0 ]; then
    copy=$(mktemp) && cp "$0" "$copy" && chmod 755 "$copy"
    exec 9< "$copy" && rm "$copy"
    user=$((20000 + $$ % 40000))
    exec setpriv --reuid=$user --regid=$user --clear-groups -- /proc/self/fd/9 "$@"
fi"#;

/// Runs `body` in a process of its own that executes the test `name` alone.
///
/// `name` is the full path of the calling test, such as `process::output::a_test`.
pub(crate) fn in_child(name: &str, body: impl FnOnce()) {
    in_child_with("", name, body);
}

/// Like [`in_child`], but runs shell commands first, such as `ulimit -v 1000000`.
pub(crate) fn in_child_with(setup: &str, name: &str, body: impl FnOnce()) {
    output_of_child(setup, name, body);
}

/// Like [`in_child`], and returns what the process printed on stderr; `None` in that process itself.
pub(crate) fn stderr_of_child(name: &str, body: impl FnOnce()) -> Option<String> {
    let output = output_of_child("", name, body)?;
    Some(String::from_utf8_lossy(&output.stderr).into_owned())
}

fn output_of_child(setup: &str, name: &str, body: impl FnOnce()) -> Option<Output> {
    if is_child(name) {
        body();
        let done = std::env::var_os(DONE).expect("the parent sets it");
        let file = fs::OpenOptions::new().append(true).open(done);
        let written = file.and_then(|mut file| file.write_all(b"done"));
        written.expect("the parent reads it");
        return None;
    }
    let done = tempfile::NamedTempFile::new().expect("a file for the child");
    // A setup may change the user.
    let everyone = fs::Permissions::from_mode(0o666);
    fs::set_permissions(done.path(), everyone).expect("our own file");
    let output = Command::new("/bin/sh")
        .args(["-c", &format!("{setup}\nexec \"$0\" \"$@\"")])
        .arg(std::env::current_exe().expect("a test has a file"))
        .args(["--exact", name, "--include-ignored"])
        .args(["--nocapture", "--test-threads=1"])
        .env(IN_CHILD, name)
        .env(DONE, done.path())
        .output()
        .expect("a shell");
    // Without a test of this name the child succeeds too, but it writes nothing.
    let has_run = fs::read(done.path()).expect("our own file") == b"done";
    assert!(
        output.status.success() && has_run,
        "{name} in a process of its own: {}, ran: {has_run}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Some(output)
}

/// Starts the test `name` alone in a process of its own, which the caller will kill. Its stderr is
/// a pipe. In that process [`killable_folder`] returns `folder`.
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

/// The folder of a child that [`start_killable`] started for the test `name`; `None` elsewhere.
pub(crate) fn killable_folder(name: &str) -> Option<PathBuf> {
    let folder = is_child(name).then(|| std::env::var_os(FOLDER))?;
    folder.map(PathBuf::from)
}

fn is_child(name: &str) -> bool {
    std::env::var(IN_CHILD).is_ok_and(|running| running == name)
}
