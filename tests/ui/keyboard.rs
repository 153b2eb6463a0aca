//! The window by keyboard alone.

use eframe::egui::{Key, Modifiers};
use meanwhile::app::DialogAnswer;
use meanwhile::pages::workbench::command as workbench;

use super::window::{Window, file};

/// Presses Tab until the widget with this name has the keyboard.
fn tab_to(window: &mut Window, name: &str) {
    for _ in 0..60 {
        if window.named(name).is_focused() {
            return;
        }
        window.press(Modifiers::NONE, Key::Tab);
    }
    panic!("Tab never reaches {name}");
}

#[test]
fn file_is_hashed_and_joined_by_keyboard_alone() {
    let mut window = Window::open();
    let path = file(window.dir.path(), "abc.txt", b"abc");
    tab_to(&mut window, "Add files…");
    window.press(Modifiers::NONE, Key::Enter);
    window.dialogs.answer(DialogAnswer::Picked(vec![path]));
    window.until("1 input");
    tab_to(&mut window, "Start");
    window.press(Modifiers::NONE, Key::Enter);
    window.until("1 of 1 item");
    tab_to(&mut window, "Joining");
    window.press(Modifiers::NONE, Key::Space);
    tab_to(&mut window, "Join");
    window.press(Modifiers::NONE, Key::Space);
    window.until("joined after");
    tab_to(&mut window, "Run again");
    window.press(Modifiers::NONE, Key::Enter);
    window.until("#2 Checksums");
}

#[test]
fn recent_input_is_added_by_keyboard_alone() {
    let mut window = Window::open();
    let path = file(window.dir.path(), "abc.txt", b"abc");
    let name = format!("Add {}", path.display());
    window.type_into("Path", path.to_str().expect("plain text"));
    window.press(Modifiers::NONE, Key::Enter);
    for button in ["Clear", "Recent"] {
        tab_to(&mut window, button);
        window.press(Modifiers::NONE, Key::Enter);
    }
    for key in [Key::ArrowUp, Key::ArrowDown] {
        window.press(Modifiers::NONE, key);
    }
    assert!(window.named(&name).is_focused());
    window.press(Modifiers::NONE, Key::Enter);
    window.until("1 input");
    assert!(!window.shows(&name), "the menu is closed");
    assert!(window.named("Recent").is_focused());
}

#[test]
fn tab_reaches_every_widget_of_a_job() {
    let mut window = Window::open();
    window.misbehave("Sleep", 1.0, 1.0, 600.0);
    window.click("Start");
    window.until("#1 Misbehave");
    for name in [
        "Settings",
        "Path",
        "Job",
        "Run on",
        "Workers",
        "Priority",
        "Join with timeout",
        "Timeout (s)",
        "Wait on the UI thread",
        "Cancel",
        "Copy report",
        "Panic",
        "Filter",
        "Name",
    ] {
        tab_to(&mut window, name);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn freeze_lab_works_by_keyboard_alone() {
    use meanwhile::lab::PatternId;

    let mut window = Window::open();
    tab_to(&mut window, "Freeze Lab");
    window.press(Modifiers::NONE, Key::Enter);
    for name in ["Work", "Seconds", "Repeat", "Run all", "Report"] {
        tab_to(&mut window, name);
    }
    for pattern in PatternId::all() {
        let entry = pattern.entry();
        tab_to(&mut window, entry.id);
        window.press(Modifiers::NONE, Key::Enter);
        let fix = entry.fix.replace('`', "");
        assert!(window.shows(&fix), "{pattern} is not shown");
    }
    for name in ["Run both", "Run bad", "Run fixed", "Try by hand: bad"] {
        tab_to(&mut window, name);
    }
}

#[test]
fn arrow_keys_walk_through_the_filtered_rows() {
    let mut window = Window::open();
    window.misbehave("Return", 1.0, 3.0, 0.0);
    window.click("Start");
    window.until("3 of 3 items");
    window.press_keys_of(workbench::FIND);
    for command in [
        workbench::NEXT_ROW,
        workbench::NEXT_ROW,
        workbench::NEXT_ROW,
    ] {
        window.press_keys_of(command);
    }
    window.press_keys_of(workbench::PREVIOUS_ROW);
    // Enter leaves the filter for the table.
    window.press_keys_of(workbench::OPEN_DETAILS);
    window.until("Copy result");
    let shown = window.texts_with("item 2 is done");
    assert_eq!(shown.len(), 2, "row and details");
}

#[test]
#[cfg(unix)]
fn lesson_is_answered_and_run_by_keyboard_alone() {
    let mut window = Window::open();
    tab_to(&mut window, "Lessons");
    window.press(Modifiers::NONE, Key::Enter);
    tab_to(&mut window, "join");
    window.press(Modifiers::NONE, Key::Enter);
    tab_to(&mut window, "waiting, done, continuing");
    window.press(Modifiers::NONE, Key::Space);
    tab_to(&mut window, "Worker sleeps (s)");
    for _ in 0..45 {
        window.press(Modifiers::NONE, Key::ArrowDown);
    }
    tab_to(&mut window, "Run");
    window.press(Modifiers::NONE, Key::Enter);
    window.until("Right.");
    tab_to(&mut window, "Processes");
    window.press(Modifiers::NONE, Key::Enter);
    tab_to(&mut window, "Run");
    window.press(Modifiers::NONE, Key::Enter);
    window.until_it(|window| !window.is_enabled("Stop"), "the end of the lesson");
    tab_to(&mut window, "Compare with the previous run");
    window.press(Modifiers::NONE, Key::Space);
    window.until("Previous: tasks");
    tab_to(&mut window, "What happened");
    window.press(Modifiers::NONE, Key::Enter);
    tab_to(&mut window, "Freeze Lab: join() in the click handler");
}
