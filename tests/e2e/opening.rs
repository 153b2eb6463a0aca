//! Files and folders are handed over to the programs of the desktop.

use std::fs;
use std::path::Path;

use crate::child_guard::ChildGuard;
use crate::session::{Session, wait_for_file};
use crate::window::{Window, python};

const FILE_MANAGER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/file_manager.py");

/// Opens the menu of the row by the keyboard, and presses an entry.
fn press_in_menu(window: &Window<'_>, row: &str, entry: &str) {
    window.press("table row", row);
    window.press_keys("shift+F10");
    window.press("push button", entry);
}

#[test]
#[ignore = "needs a screen; tests/all.sh runs it"]
fn desktop_opens_and_shows_the_file_of_a_row() {
    let session = Session::start("opening");
    // What desktops open files with.
    let opened = session.home().join("opened");
    let script = format!("printf '%s\\n' \"$@\" >>'{}'", opened.display());
    session.add_program("xdg-open", &script);
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

    let shown = session.home().join("shown");
    let mut file_manager = session.command(python(&session));
    file_manager.args([Path::new(FILE_MANAGER), &shown]);
    let _file_manager = ChildGuard::start("file_manager.py", &mut file_manager);
    wait_for_file(&shown, "ready\n");
    press_in_menu(&window, name, "Show in folder");
    let uri = format!("file://{}/a%20b%23%C3%BC.txt", session.home().display());
    wait_for_file(&shown, &format!("ready\nShowItems {uri}\n"));
    wait_for_file(&opened, &expected);
}
