//! Messages of the window: they float over the page, and are listed.

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use meanwhile::app::{App, DialogAnswer, Setup};
use meanwhile::ui::notices::Notice;

use super::window::{FakeDialogs, Window, file};

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

#[test]
fn good_news_makes_room_for_errors() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let mut setup = Setup::new(Vec::new(), dir.path(), Box::new(FakeDialogs::default()));
    let error = |number: usize| Notice::error(format!("Error {number}."));
    setup.notices = vec![
        error(1),
        Notice::info("News."),
        error(2),
        error(3),
        error(4),
    ];
    setup.notices.push(Notice::info("More news."));
    let mut harness = Harness::builder()
        .with_size([1180.0, 780.0])
        .build_eframe(|creation| App::new(&creation.egui_ctx, setup));
    harness.step();
    let shown = |text: &str| harness.query_all_by_label_contains(text).count();
    let errors: Vec<_> = (1..=4)
        .map(|number| shown(&format!("Error {number}.")))
        .collect();
    assert_eq!(errors, [1; 4]);
    assert_eq!((shown("News."), shown("More news.")), (0, 0));
}
