//! Messages of the window: they float over the page, and are listed.

use egui_kittest::kittest::Queryable as _;
use meanwhile::app::DialogAnswer;

use super::window::{Window, file};

/// Opens a window in which a job of one item has ended.
fn with_an_ended_job() -> Window {
    let mut window = Window::open();
    let path = file(window.dir.path(), "abc.txt", b"abc");
    window.type_into("Path", path.to_str().expect("plain text"));
    window.click("Add");
    window.click("Start");
    window.until("1 of 1 item");
    window
}

fn dialog_fails(window: &mut Window) {
    window.click("Add files…");
    window.dialogs.answer(DialogAnswer::Unavailable);
    window.until("could not show a file dialog");
}

#[test]
fn message_moves_nothing() {
    let mut window = with_an_ended_job();
    let place = |window: &Window| {
        let button = window.harness.get_by_label("Copy report");
        button.rect()
    };
    window.step();
    let before = place(&window);
    dialog_fails(&mut window);
    window.step();
    assert_eq!(place(&window), before);
}

#[test]
fn good_news_leaves_and_an_error_stays() {
    let mut window = with_an_ended_job();
    dialog_fails(&mut window);
    window.click("Copy report");
    window.until("The report is on the clipboard.");
    window.until_it(
        |window| !window.shows("The report is on the clipboard."),
        "its end",
    );
    assert!(window.shows("could not show a file dialog"));
    window.click("Messages");
    assert!(window.shows("The report is on the clipboard."));
}

#[test]
fn same_message_is_shown_once_and_counted() {
    let mut window = Window::open();
    for _ in 0..3 {
        dialog_fails(&mut window);
    }
    let text = "could not show a file dialog";
    assert_eq!(window.texts_with(text).len(), 1);
    window.click("Dismiss");
    assert!(!window.shows(text));
    window.click("Messages");
    assert_eq!(window.texts_with(text).len(), 1);
    window.until("3 times");
}
