//! The file dialog on desktops that have no portal, or one that does not work.

use std::fs;
use std::path::{Path, PathBuf};

use crate::child_guard::ChildGuard;
use crate::session::{Session, wait_for_file};
use crate::window::{Window, python};

const PORTAL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/portal.py");

/// The exit code of a shell for a program that is not there.
const NOT_THERE: &str = "exit 127";

fn new_file(session: &Session, name: &str) -> PathBuf {
    let file = session.home().join(name);
    fs::write(&file, "abc").expect("the home is ours");
    file
}

/// Starts a portal that answers with this code and these files. It writes what it is asked into the returned file.
fn start_portal(session: &Session, code: &str, uris: &[String]) -> (ChildGuard, PathBuf) {
    let asked = session.home().join("asked");
    let mut portal = session.command(python(session));
    portal
        .args([Path::new(PORTAL), &asked])
        .arg(code)
        .args(uris);
    let portal = ChildGuard::start("portal.py", &mut portal);
    wait_for_file(&asked, "ready\n");
    (portal, asked)
}

/// A program that prints this in place of a dialog, and writes its arguments into the returned file.
fn add_dialog(session: &Session, program: &str, printed: &str) -> PathBuf {
    let arguments = session.home().join(format!("{program}-arguments"));
    let script = format!(
        "printf '%s\\n' \"$*\" >>'{}'; printf '%s\\n' '{printed}'",
        arguments.display()
    );
    session.add_program(program, &script);
    arguments
}

/// Closes all messages, so that the next one is known to be new.
fn dismiss(window: &Window<'_>) {
    window.press("push button", "Dismiss");
}

#[test]
#[ignore = "needs a screen; tests/all.sh runs it"]
fn missing_dialog_is_told_with_what_has_one() {
    let session = Session::start_without("no-dialog", "org.freedesktop.portal.Desktop");
    session.add_program("zenity", NOT_THERE);
    session.add_program("kdialog", NOT_THERE);
    let window = Window::open(&session, &[]);

    window.press("push button", "Add files…");

    window.wait_for_text("The desktop could not show a file dialog.");
}

/// The desktop has a portal whose part that shows the dialog does not start.
#[test]
#[ignore = "needs a screen; tests/all.sh runs it"]
fn dead_part_of_the_portal_gives_way_to_zenity() {
    let session = Session::start_without("dead-backend", "org.freedesktop.impl.portal.desktop.gtk");
    let file = new_file(&session, "chosen|with a bar.bin");
    let other = new_file(&session, "other.bin");
    let printed = format!("{}//{}", file.display(), other.display());
    let arguments = add_dialog(&session, "zenity", &printed);
    let window = Window::open(&session, &[]);

    window.press("push button", "Add files…");

    window.wait_for_text("chosen|with a bar.bin");
    window.wait_for_text("other.bin");
    let expected = "--file-selection --title Add files --multiple --separator //\n";
    wait_for_file(&arguments, expected);
}

#[test]
#[ignore = "needs a screen; tests/all.sh runs it"]
fn portal_that_ends_gives_way_to_kdialog() {
    let session = Session::start_without("portal-ends", "org.freedesktop.portal.Desktop");
    let (_portal, asked) = start_portal(&session, "end", &[]);
    let file = new_file(&session, "chosen.bin");
    session.add_program("zenity", NOT_THERE);
    add_dialog(&session, "kdialog", &file.display().to_string());
    let window = Window::open(&session, &[]);

    window.press("push button", "Add files…");

    window.wait_for_text("chosen.bin");
    wait_for_file(&asked, "ready\nOpenFile Add files x11\n");
}

#[test]
#[ignore = "needs a screen; tests/all.sh runs it"]
fn answers_of_a_portal_are_told_apart() {
    let session = Session::start_without("portal-answers", "org.freedesktop.portal.Desktop");
    let zenity = add_dialog(&session, "zenity", "(null)");
    let window = Window::open(&session, &[]);

    // A cancel asks no other program and is no error.
    let (portal, asked) = start_portal(&session, "1", &[]);
    window.press("push button", "Add files…");
    wait_for_file(&asked, "ready\nOpenFile Add files x11\n");
    drop(portal);
    fs::remove_file(&asked).expect("it was written");

    // Bytes that are no UTF-8 are a name as any other.
    let uri = |name: &str| format!("file://{}/{name}", session.home().display());
    let (portal, asked) = start_portal(&session, "0", &[uri("a%20b%25.bin"), uri("bad%FF.bin")]);
    window.press("push button", "Add files…");
    window.wait_for_text("a b%.bin");
    window.wait_for_text("2 inputs");
    drop(portal);
    fs::remove_file(&asked).expect("it was written");

    let (portal, asked) = start_portal(&session, "0", &["trash:///a.bin".to_owned()]);
    window.press("push button", "Add files…");
    window.wait_for_text("did not tell the path");
    dismiss(&window);
    drop(portal);
    fs::remove_file(&asked).expect("it was written");
    assert!(!zenity.exists());

    // What zenity prints for a name that is not UTF-8.
    let (_portal, _asked) = start_portal(&session, "2", &[]);
    window.press("push button", "Add files…");
    window.wait_for_text("did not tell the path");
    let tree = window.tree().unwrap();
    assert!(tree.text_with("(null)").is_none(), "{tree}");
}
