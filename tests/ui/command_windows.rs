//! Windows that show the buttons of commands.

use eframe::egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use meanwhile::pages::commands::{self, UiCommand};
use meanwhile::pages::freeze_lab::{command as lab, incidents};
use meanwhile::pages::lessons::command as lessons;
use meanwhile::pages::settings::command as settings;
use meanwhile::pages::timeline::command as timeline;
use meanwhile::pages::workbench::command as workbench;

use super::window::{Window, file, with_a_long_job};

/// A window that shows the button of a command; `None` if the command has none.
pub(crate) fn window_with(command: UiCommand) -> Option<Window> {
    if has_no_button(command) {
        return None;
    }
    match command {
        workbench::ADD_FILES
        | workbench::ADD_FOLDER
        | workbench::ADD_PROCESS
        | workbench::RECENT
        | commands::HELP
        | commands::SETTINGS => Some(Window::open()),
        commands::CLOSE_GUIDE => Some(with_a_page("Help")),
        settings::COPY_DIAGNOSTICS => Some(with_a_page("Settings")),
        workbench::ADD_PATH => {
            let mut window = Window::open();
            window.type_into("Path", "input");
            Some(window)
        }
        workbench::CLEAR_RECENT => {
            let mut window = Window::open_with(&["input".into()]);
            window.click("Recent");
            Some(window)
        }
        workbench::CLEAR_INPUTS => Some(Window::open_with(&["input".into()])),
        workbench::SAVE_REPORT | workbench::REMOVE => {
            let mut window = Window::open();
            window.misbehave("Return", 1.0, 1.0, 0.0);
            window.click("Start");
            window.until_it(|window| window.is_enabled("Remove"), "the end of the job");
            Some(window)
        }
        workbench::SAVE_LIST => {
            let dir = tempfile::tempdir().expect("a folder for the test");
            let path = file(dir.path(), "abc.txt", b"abc");
            let mut window = Window::open_in(dir, &[path]);
            window.click("Start");
            window.until_it(|window| window.shows("Save list…"), "the job");
            window.until_it(|window| window.is_enabled("Save list…"), "a checksum");
            Some(window)
        }
        workbench::TERMINATE | workbench::KILL | workbench::STOP_TREE => {
            let mut window = with_a_process();
            window.until_it(|window| window.is_enabled("Kill"), "the process");
            Some(window)
        }
        workbench::NEXT_MATCH
        | workbench::PREVIOUS_MATCH
        | workbench::SAVE_OUTPUT
        | workbench::COPY_OUTPUT
        | workbench::FOLLOW => Some(with_found_lines()),
        workbench::COPY_ROW
        | workbench::OPEN_FILE
        | workbench::SHOW_IN_FOLDER
        | workbench::COPY_DIGEST
        | workbench::COMPARE
        | workbench::SHOW_IN_TIMELINE
        | workbench::RUN_THESE_AGAIN
        | workbench::TAKE_AS_INPUTS => Some(with_a_menu()),
        workbench::COPY_RESULT
        | workbench::COPY_STANDARD_ERROR
        | workbench::COPY_PATH
        | workbench::RESOLVE_BACKTRACE => Some(with_a_fault(command)),
        incidents::CLEAR => Some(with_an_incident()),
        commands::KEEP_WINDOW
        | commands::WAIT_AND_QUIT
        | commands::CANCEL_AND_QUIT
        | commands::KEEP_RUNNING
        | commands::QUIT_NOW => Some(that_closes(command)),
        workbench::DETACH => {
            let mut window = with_a_long_job();
            window.click("Join");
            Some(window)
        }
        lessons::RUN | lessons::STOP | lessons::NEXT => Some(with_a_page("Lessons")),
        lessons::RESET
        | lessons::COPY_TRANSCRIPT
        | lessons::SAVE_TRANSCRIPT
        | lessons::OPEN_IN_TIMELINE => Some(with_a_lesson_that_has_run()),
        lab::RUN_ALL
        | lab::RUN_BOTH
        | lab::RUN_BAD
        | lab::RUN_FIXED
        | lab::TRY_BAD
        | lab::TRY_FIXED
        | lab::OPEN_IN_TIMELINE
        | lab::STOP
        | lab::SAVE_REPORT => Some(with_a_page("Freeze Lab")),
        lab::OPEN_REPORT | lab::CLOSE_REPORTS => Some(with_the_report()),
        workbench::START
        | workbench::JOIN
        | workbench::JOIN_WITH_TIMEOUT
        | workbench::CANCEL
        | workbench::RUN_AGAIN
        | workbench::COPY_REPORT => Some(with_a_long_job()),
        _ => Some(with_the_timeline_for(command)),
    }
}

fn with_a_lesson_that_has_run() -> Window {
    let mut window = with_a_page("Lessons");
    window.set("Speed", 20.0);
    window.click("Run");
    window.until_it(|window| window.is_enabled("Run"), "the end");
    window
}

/// The same for the commands of the page `Timeline`.
fn with_the_timeline_for(command: UiCommand) -> Window {
    let mut window = with_a_timeline();
    match command {
        timeline::FIT
        | timeline::CLOSER
        | timeline::FURTHER
        | timeline::FOLLOW
        | timeline::OPEN
        | timeline::SAVE
        | timeline::SAVE_CSV
        | timeline::FIND_NEXT
        | timeline::FIND_PREVIOUS
        | timeline::CLOSE
        | timeline::COMPARE => {}
        timeline::CLOSE_COMPARISON => return with_a_comparison(),
        timeline::SHOW_IN_RESULTS | timeline::SHOW_OUTPUT | timeline::WHO_WAITS => {
            select_first_span(&mut window);
        }
        _ => panic!("say which window has the button of {command:?}"),
    }
    window
}

/// A window that shows the timeline of a job that has ended.
pub(crate) fn with_a_timeline() -> Window {
    let mut window = Window::open();
    window.misbehave("Return", 1.0, 3.0, 0.0);
    window.click("Start");
    window.until_it(|window| window.is_enabled("Remove"), "the end of the job");
    window.click("Timeline");
    window
}

/// A window that compares a job of three items with one of two.
pub(crate) fn with_a_comparison() -> Window {
    let mut window = with_a_timeline();
    window.click("Workbench");
    window.set("Items", 2.0);
    window.click("Start");
    window.until("#2 Misbehave");
    window.until_it(|window| window.is_enabled("Remove"), "the end of the job");
    window.click("Timeline");
    window.click("Compare runs…");
    window.until("in both. Click one");
    window
}

/// Selects the first bar of the timeline by the keyboard.
pub(crate) fn select_first_span(window: &mut Window) {
    window.harness.get_by_label_contains("Timeline of").focus();
    window.step();
    window.press(Modifiers::NONE, Key::ArrowDown);
    window.step();
}

fn with_the_report() -> Window {
    let mut window = with_a_page("Freeze Lab");
    window.click("Report");
    window
}

/// A window with what this button opens.
fn with_a_page(page: &str) -> Window {
    let mut window = Window::open();
    window.click(page);
    window
}

/// A window that asks before it closes, or that cancels its job for the button that does not wait for that.
fn that_closes(command: UiCommand) -> Window {
    let mut window = with_a_long_job();
    assert!(!window.ask_to_close());
    if command == commands::QUIT_NOW {
        window.click("Cancel and quit");
    }
    window
}

/// A window with a checksum, and the menu of its row.
fn with_a_menu() -> Window {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let path = file(dir.path(), "abc.txt", b"abc");
    let mut window = Window::open_in(dir, &[path]);
    window.click("Start");
    window.until("1 of 1 item");
    window.until_it(|window| window.is_enabled("Remove"), "the end of the job");
    window.open_menu("abc.txt");
    window
}

/// A window with a command that prints lines and sleeps.
fn with_a_process() -> Window {
    let mut window = Window::open();
    window.choose("Job", "Command");
    window.click("Through /bin/sh");
    let script = "for at in 1 2 3; do echo begun; done; sleep 600";
    window.type_into("Command line", script);
    window.click("Start");
    window.until("Results");
    window
}

/// The same, with the keyboard in the field `Find`, whose text is in three lines.
pub(crate) fn with_found_lines() -> Window {
    let mut window = with_a_process();
    window.click("Output");
    window.until_it(|window| window.count("begun") == 3, "the output");
    window.type_into("Find", "begun");
    window.until("3 lines");
    window
}

/// A window with an item that crashed, or that panicked for the button that resolves a backtrace.
fn with_a_fault(command: UiCommand) -> Window {
    let mut window = Window::open();
    if command == workbench::RESOLVE_BACKTRACE {
        window.misbehave("Panic with String", 1.0, 1.0, 0.0);
        window.click("Start");
        window.until("1 panicked");
        window.click("Panic");
        return window;
    }
    window.choose("Run on", "A process each");
    window.misbehave("Abort", 1.0, 1.0, 0.0);
    window.click("Start");
    window.until("1 crashed");
    window.open_details("its worker was killed");
    window.until("Copy standard error");
    window
}

/// A window that froze, with its list of incidents.
fn with_an_incident() -> Window {
    let mut window = with_a_long_job();
    window.set("Timeout (s)", 0.25);
    window.click("Wait on the UI thread");
    window.click("Join with timeout");
    window.until("blocked the window for");
    window.click("Freeze Lab");
    window.until("in this window");
    window.click_part("in this window");
    window.until("Clear incidents");
    window
}

/// Whether it works by its keys alone, or in a window of another file.
fn has_no_button(command: UiCommand) -> bool {
    matches!(
        command,
        workbench::FIND
        | workbench::NEXT_ROW
        | workbench::PREVIOUS_ROW
        | workbench::SCREEN_DOWN
        | workbench::SCREEN_UP
        | workbench::FIRST_ROW
        | workbench::LAST_ROW
        | workbench::EXTEND_DOWN
        | workbench::EXTEND_UP
        | workbench::MOVE_DOWN
        | workbench::MOVE_UP
        | workbench::ADD_DOWN
        | workbench::ADD_UP
        | workbench::TOGGLE_ROW
        | workbench::SELECT_ALL
        | workbench::OPEN_DETAILS
        | workbench::CLOSE_DETAILS
        | workbench::OPEN_MENU
        | commands::ZOOM_IN
        | commands::ZOOM_OUT
        | commands::RESET_ZOOM
        | commands::FULL_SCREEN
        | commands::QUIT
        | timeline::EARLIER
        | timeline::LATER
        | timeline::FIND
        // A table of one page has no such buttons: `paging.rs` has one with more.
        | workbench::NEXT_PAGE
        | workbench::PREVIOUS_PAGE
    )
}
