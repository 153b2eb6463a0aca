//! Files and folders are handed over to the programs of the desktop.

use std::fs;
use std::path::{Path, PathBuf};

use crate::child_guard::ChildGuard;
use crate::dialog;
use crate::session::{Session, wait_for_file, wait_until};
use crate::window::{Window, python};

const FILE_MANAGER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/file_manager.py");

/// Opens the menu of the row by the keyboard, and presses an entry.
fn press_in_menu(window: &Window<'_>, row: &str, entry: &str) {
    window.press("table row", row);
    window.press_keys("shift+F10");
    window.press("push button", entry);
}

/// A screen on which the desktop opens files with a program that only writes down which.
fn session_with_opener(name: &str) -> (Session, PathBuf) {
    let session = Session::start(name);
    let opened = session.home().join("opened");
    let script = format!("printf '%s\\n' \"$@\" >>'{}'", opened.display());
    session.add_program("xdg-open", &script);
    (session, opened)
}

/// Starts a file manager that only writes down what it shows.
fn start_file_manager(session: &Session) -> (ChildGuard, PathBuf) {
    let shown = session.home().join("shown");
    let mut file_manager = session.command(python(session));
    file_manager.args([Path::new(FILE_MANAGER), &shown]);
    let file_manager = ChildGuard::start("file_manager.py", &mut file_manager);
    wait_for_file(&shown, "ready\n");
    (file_manager, shown)
}

#[test]
#[ignore = "needs a screen; tests/all.sh runs it"]
fn desktop_opens_and_shows_the_file_of_a_row() {
    let (session, opened) = session_with_opener("opening");
    let name = "a b#ü.txt";
    let file = session.home().join(name);
    fs::write(&file, "abc").expect("the home is ours");
    let window = Window::open(&session, &[file.to_str().expect("plain text")]);
    window.press("push button", "Start");
    window.wait_for_text("1 of 1 item");

    press_in_menu(&window, name, "Open");
    let expected = format!("{}\n", file.display());
    wait_for_file(&opened, &expected);

    // Without a file manager the folder is opened.
    press_in_menu(&window, name, "Show in folder");
    let expected = format!("{expected}{}\n", session.home().display());
    wait_for_file(&opened, &expected);

    let (_file_manager, shown) = start_file_manager(&session);
    press_in_menu(&window, name, "Show in folder");
    let uri = format!("file://{}/a%20b%23%C3%BC.txt", session.home().display());
    wait_for_file(&shown, &format!("ready\nShowItems {uri}\n"));
    wait_for_file(&opened, &expected);
}

#[test]
#[ignore = "needs a screen; tests/all.sh runs it"]
fn message_shows_the_saved_file_and_its_folder() {
    let (session, opened) = session_with_opener("saved");
    let (_file_manager, shown) = start_file_manager(&session);
    let [file, list] = ["abc.txt", "SHA256SUMS"].map(|name| session.home().join(name));
    fs::write(&file, "abc").expect("the home is ours");
    let window = Window::open(&session, &[file.to_str().expect("plain text")]);
    window.press("push button", "Start");
    window.wait_for_text("1 of 1 item");
    window.press("push button", "Save list…");
    dialog::pick(&session, &list);
    window.press("push button", "Show");
    wait_for_file(&opened, &format!("{}\n", list.display()));
    // The message leaves by itself; in the list of messages, its buttons stay.
    window.press("push button", "Messages");
    window.press("push button", "Open folder");
    let uri = format!("ready\nShowItems file://{}\n", list.display());
    wait_for_file(&shown, &uri);
}

#[test]
#[ignore = "needs a screen; tests/all.sh runs it"]
fn message_brings_replaced_inputs_back() {
    let session = Session::start("replaced");
    let files = ["a.txt", "b.txt"].map(|name| session.home().join(name));
    for file in &files {
        fs::write(file, "abc").expect("the home is ours");
    }
    let paths = files
        .each_ref()
        .map(|file| file.to_str().expect("plain text"));
    let window = Window::open(&session, &paths);
    window.press("push button", "Start");
    window.wait_for_text("2 of 2 items");
    press_in_menu(&window, "b.txt", "Take as inputs");
    window.wait_for_text("1 row is now the inputs");
    window.press("push button", "Undo");
    window.wait_for_text("2 inputs");
}
