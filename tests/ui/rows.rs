//! What is done with the selected rows of the results.

use std::path::PathBuf;

use eframe::egui::accesskit::Role;
use eframe::egui::{Key, Modifiers, OutputCommand};

use egui_kittest::kittest::Queryable as _;

use super::typist::Typist;
use super::window::{Window, file};

const SHA256_OF_ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/// A window with the SHA-256 of three files, of which two have the same content.
fn with_digests() -> Window {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let texts: [(&str, &[u8]); 3] = [("a.txt", b"abc"), ("b.txt", b"abc"), ("c.txt", b"other")];
    let files = texts.map(|(name, text)| file(dir.path(), name, text));
    let mut window = Window::open_in(dir, &files);
    window.choose("Algorithm", "SHA-256");
    window.click("Start");
    window.until_it(|window| window.is_enabled("Remove"), "the end of the job");
    window
}

fn path(window: &Window, name: &str) -> PathBuf {
    window.dir.path().join(name)
}

/// Selects the rows of two files and opens their menu.
fn open_menu_of_two(first: &str, second: &str, window: &mut Window) {
    window.select_row(first);
    window.click_cell(second, Modifiers::COMMAND);
    window.open_menu(second);
}

#[test]
fn menu_opens_files_and_shows_them_in_folders() {
    let mut window = with_digests();
    open_menu_of_two("a.txt", "c.txt", &mut window);
    window.click("Open");
    let both = ["a.txt", "c.txt"].map(|name| path(&window, name));
    window.until_it(|window| window.opener.opened().files == both, "the files");
    window.open_menu("b.txt");
    window.click("Show in folder");
    let one = [path(&window, "b.txt")];
    window.until_it(
        |window| window.opener.opened().in_folders == one,
        "the folder",
    );
}

#[test]
fn arrows_go_through_the_menu() {
    let window = with_digests();
    let file = path(&window, "a.txt");
    let mut typist = Typist::at(window);
    typist.goes_to("Table of results");
    typist.presses(Key::Home);
    typist.presses_with(Modifiers::SHIFT, Key::F10);
    for (key, entry) in [
        (Key::ArrowDown, "Open"),
        (Key::ArrowUp, "Take as inputs"),
        (Key::ArrowDown, "Open"),
        (Key::End, "Take as inputs"),
        (Key::Home, "Open"),
        (Key::ArrowDown, "Show in folder"),
    ] {
        typist.presses(key);
        assert_eq!(typist.focus().as_deref(), Some(entry), "{key:?}");
    }
    typist.presses(Key::Enter);
    let opener = typist.sees().opener.clone();
    typist.waits_until(
        |_| opener.opened().in_folders == std::slice::from_ref(&file),
        "the folder",
    );
    assert_eq!(typist.focus().as_deref(), Some("a.txt"), "the table again");
}

#[test]
fn file_that_can_not_be_opened_is_one_sentence() {
    let mut window = with_digests();
    window.opener.refuse();
    window.open_menu("a.txt");
    window.click("Open");
    window.until("there is no program for it");
    std::fs::remove_file(path(&window, "b.txt")).unwrap();
    window.open_menu("b.txt");
    window.click("Open");
    window.until("b.txt is not there any more.");
}

#[test]
fn menu_copies_digests() {
    let mut window = with_digests();
    open_menu_of_two("a.txt", "b.txt", &mut window);
    window.named("Copy digest").click();
    window.harness.step();
    let commands = &window.harness.output().platform_output.commands;
    let digests = format!("{SHA256_OF_ABC}\n{SHA256_OF_ABC}");
    assert!(
        commands.contains(&OutputCommand::CopyText(digests)),
        "{commands:?}"
    );
}

#[test]
fn two_rows_are_compared() {
    let mut window = with_digests();
    for (other, verdict) in [
        ("b.txt", "The digests are the same."),
        ("c.txt", "The digests are different."),
    ] {
        open_menu_of_two("a.txt", other, &mut window);
        window.click("Compare…");
        window.until(verdict);
        window.click("Close");
        assert!(!window.shows(verdict));
    }
}

#[test]
fn keyboard_returns_to_the_table_after_a_dialog() {
    let mut typist = Typist::at(with_digests());
    typist.goes_to("Table of results");
    typist.presses(Key::Home);
    for close in [Key::Escape, Key::Enter] {
        assert_eq!(typist.focus().as_deref(), Some("a.txt"));
        typist.presses_with(Modifiers::SHIFT, Key::F10);
        typist.goes_to("Compare…");
        typist.presses(Key::Enter);
        typist.waits_for("Digest to compare with");
        let harness = &typist.sees().harness;
        assert!(
            harness
                .query_by_role_and_label(Role::Dialog, "Compare")
                .is_some()
        );
        if close == Key::Enter {
            typist.goes_to("Close");
        }
        typist.presses(close);
        assert!(!typist.sees().shows("Digest to compare with"));
    }
    typist.presses(Key::ArrowDown);
    assert_eq!(typist.focus().as_deref(), Some("b.txt"));
}

#[test]
fn row_is_compared_with_a_pasted_digest() {
    let mut window = with_digests();
    window.open_menu("a.txt");
    window.click("Compare…");
    window.step();
    let field = "Digest to compare with";
    let mut verdict = |pasted: &str, expected: &str| {
        window.named(field).set_text_value_accesskit(pasted);
        window.step();
        window.step();
        assert!(window.shows(expected), "{pasted}\n{}", window.texts());
    };
    let line = format!("{}  a.txt", SHA256_OF_ABC.to_uppercase());
    for same in [SHA256_OF_ABC, &line, &format!("sha256:{SHA256_OF_ABC}")] {
        verdict(same, "The digests are the same.");
    }
    verdict(&"0".repeat(64), "The digests are different.");
    verdict(&"0".repeat(32), "That is no digest of this kind (SHA-256).");
    verdict(
        "gibberish",
        "That is no digest in hexadecimal digits or base64.",
    );
}

#[test]
fn rows_run_again_are_a_job_of_their_own() {
    let mut window = with_digests();
    open_menu_of_two("a.txt", "c.txt", &mut window);
    window.click("Run these again");
    window.until("#2 Checksums");
    window.until("2 of 2 items");
    assert!(window.cell("a.txt").rect().is_positive());
    assert_eq!(window.texts_with("b.txt").len(), 1, "the input alone");
    std::fs::remove_file(path(&window, "c.txt")).unwrap();
    window.click("Run again");
    window.until("#3 Checksums");
    window.until("2 of 2 items · 1 failed");
}

#[test]
fn row_that_is_gone_from_a_folder_is_named() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let folder = dir.path().join("files");
    std::fs::create_dir(&folder).unwrap();
    for name in ["a.txt", "b.txt"] {
        file(&folder, name, b"abc");
    }
    let mut window = Window::open_in(dir, std::slice::from_ref(&folder));
    window.click("Start");
    window.until("2 of 2 items");
    window.until_it(|window| window.is_enabled("Remove"), "the end of the job");
    open_menu_of_two("a.txt", "b.txt", &mut window);
    std::fs::remove_file(folder.join("b.txt")).unwrap();
    window.click("Run these again");
    window.until("1 of 2 items to be run again was not found any more");
    window.until("1 of 1 item");
}

#[test]
fn rows_are_taken_as_inputs_and_undone() {
    let mut window = with_digests();
    window.open_menu("b.txt");
    window.click("Take as inputs");
    window.until("1 input");
    window.until("1 row is now the inputs, in place of the 3 earlier ones.");
    window.click("Undo");
    window.until("3 inputs");
    assert!(!window.shows("in place of"));
}

#[test]
fn menu_says_why_it_can_not() {
    let mut window = Window::open();
    window.misbehave("Return", 1.0, 20.0, 0.0);
    window.click("Start");
    window.until_it(|window| window.is_enabled("Remove"), "the end of the job");
    window.open_menu("item 1 is done");
    for (entry, reason) in [
        ("Open", "There is no file of this row."),
        ("Copy digest", "There is no digest."),
        ("Compare…", "There is no digest."),
        ("Take as inputs", "The rows of this job are no files."),
    ] {
        assert!(!window.is_enabled(entry), "{entry}");
        let center = window.named(entry).rect().center();
        window.harness.hover_at(center);
        window.until(reason);
        window.harness.hover_at(eframe::egui::Pos2::ZERO);
        window.step();
    }
    assert!(window.is_enabled("Run these again"));
}

#[test]
fn saved_file_is_opened_from_its_message() {
    let mut window = with_digests();
    let saved = path(&window, "report.txt");
    window.click("Save report…");
    let answer = meanwhile::app::DialogAnswer::Picked(vec![saved.clone()]);
    window.dialogs.answer(answer);
    window.until("The report was saved to");
    window.click("Open folder");
    let expected = vec![saved];
    window.until_it(
        |window| window.opener.opened().in_folders == expected,
        "the folder",
    );
    window.click("Show");
    window.until_it(
        |window| window.opener.opened().files == expected,
        "the file",
    );
    // The list has it when the message has gone.
    window.click("Dismiss");
    assert!(!window.shows("The report was saved to"));
    window.click("Messages");
    window.click("Show");
    window.until_it(
        |window| window.opener.opened().files.len() == 2,
        "the file again",
    );
}
