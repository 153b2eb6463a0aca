//! Windows that show the buttons of commands.

use meanwhile::pages::commands::UiCommand;

use super::window::{Window, file, with_a_long_job};

/// A window that shows the button of a command; `None` if the command has none.
pub(crate) fn window_with(command: UiCommand) -> Option<Window> {
    match command {
        UiCommand::Find
        | UiCommand::NextRow
        | UiCommand::PreviousRow
        | UiCommand::ZoomIn
        | UiCommand::ZoomOut
        | UiCommand::ResetZoom
        | UiCommand::FullScreen
        | UiCommand::Quit
        // A table of one page has no such buttons: `paging.rs` has one with more.
        | UiCommand::NextPage
        | UiCommand::PreviousPage => None,
        UiCommand::AddFiles | UiCommand::AddFolder | UiCommand::Settings => Some(Window::open()),
        UiCommand::AddPath => {
            let mut window = Window::open();
            window.type_into("Path", "input");
            Some(window)
        }
        UiCommand::ClearInputs => Some(Window::open_with(&["input".into()])),
        UiCommand::SaveReport | UiCommand::Remove => {
            let mut window = Window::open();
            window.misbehave("Return", 1.0, 1.0, 0.0);
            window.click("Start");
            window.until_it(|window| window.is_enabled("Remove"), "the end of the job");
            Some(window)
        }
        UiCommand::SaveList => {
            let dir = tempfile::tempdir().expect("a folder for the test");
            let path = file(dir.path(), "abc.txt", b"abc");
            let mut window = Window::open_in(dir, &[path]);
            window.click("Start");
            window.until_it(|window| window.shows("Save list…"), "the job");
            window.until_it(|window| window.is_enabled("Save list…"), "a checksum");
            Some(window)
        }
        UiCommand::Terminate | UiCommand::Kill | UiCommand::StopTree => {
            let mut window = with_a_process();
            window.until_it(|window| window.is_enabled("Kill"), "the process");
            Some(window)
        }
        UiCommand::NextMatch
        | UiCommand::PreviousMatch
        | UiCommand::SaveOutput
        | UiCommand::CopyOutput
        | UiCommand::Follow => Some(with_found_lines()),
        UiCommand::CopyResult
        | UiCommand::CopyStandardError
        | UiCommand::CopyPath
        | UiCommand::ResolveBacktrace => Some(with_a_fault(command)),
        UiCommand::ClearIncidents => Some(with_an_incident()),
        UiCommand::KeepWindow
        | UiCommand::WaitAndQuit
        | UiCommand::CancelAndQuit
        | UiCommand::KeepRunning
        | UiCommand::QuitNow => {
            let mut window = with_a_long_job();
            assert!(!window.ask_to_close());
            if command == UiCommand::QuitNow {
                window.click("Cancel and quit");
            }
            Some(window)
        }
        UiCommand::Detach => {
            let mut window = with_a_long_job();
            window.click("Join");
            Some(window)
        }
        UiCommand::RunLesson | UiCommand::RunLessonAgain | UiCommand::StopLesson => {
            let mut window = Window::open();
            window.click("Lessons");
            if command == UiCommand::RunLessonAgain {
                window.set("Speed", 20.0);
                window.click("Run");
                window.until_it(|window| window.is_enabled("Run again"), "the end");
            }
            Some(window)
        }
        UiCommand::RunAllPatterns
        | UiCommand::RunBothVariants
        | UiCommand::RunBad
        | UiCommand::RunFixed
        | UiCommand::TryBad
        | UiCommand::TryFixed
        | UiCommand::StopRuns
        | UiCommand::SaveLabReport => {
            let mut window = Window::open();
            window.click("Freeze Lab");
            Some(window)
        }
        UiCommand::Start
        | UiCommand::Join
        | UiCommand::JoinWithTimeout
        | UiCommand::Cancel
        | UiCommand::RunAgain
        | UiCommand::CopyReport => Some(with_a_long_job()),
    }
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
    if command == UiCommand::ResolveBacktrace {
        window.misbehave("Panic with String", 1.0, 1.0, 0.0);
        window.click("Start");
        window.until("1 panicked");
        window.click("Panic");
        return window;
    }
    window.choose("Run on", "Processes");
    window.misbehave("Abort", 1.0, 1.0, 0.0);
    window.click("Start");
    window.until("1 crashed");
    window.click_part("its worker was killed");
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
