//! Every shortcut of the command table: where it works, and where it does not.

use eframe::egui::os::OperatingSystem;
use eframe::egui::{Event, KeyboardShortcut, ViewportCommand};
use egui_kittest::kittest::Queryable as _;
use meanwhile::app::DialogRequest;
use meanwhile::pages::commands::{CommandInfo, ShortcutScope, UiCommand};
use meanwhile::pages::{PageId, TITLES, command_table};

#[cfg(target_os = "linux")]
use super::window::file;
use super::window::{Window, with_a_long_job};

fn shortcuts() -> impl Iterator<Item = (&'static CommandInfo, KeyboardShortcut)> {
    command_table().filter_map(|row| Some((row, row.shortcut?)))
}

/// Presses the keys in a window with a running job. Returns whether the command had its effect.
fn works(command: UiCommand, keys: KeyboardShortcut, window: &mut Window) -> bool {
    if command == UiCommand::ResetZoom {
        window.harness.ctx.set_zoom_factor(1.5);
        window.step();
    }
    // In one frame: what it sends to the desktop is gone with the next.
    window.harness.input_mut().events.push(Event::Key {
        key: keys.logical_key,
        physical_key: None,
        pressed: true,
        repeat: false,
        modifiers: keys.modifiers,
    });
    window.step();
    let sent = match command {
        UiCommand::FullScreen => window.has_sent(&ViewportCommand::Fullscreen(true)),
        UiCommand::Quit => window.has_sent(&ViewportCommand::Close),
        _ => false,
    };
    window.step();
    let zoom = window.harness.ctx.zoom_factor();
    match command {
        UiCommand::AddFiles => window.dialogs.asked() == [DialogRequest::Files],
        UiCommand::AddFolder => window.dialogs.asked() == [DialogRequest::Folders],
        UiCommand::Start => {
            // Starting shows at once on the Workbench; elsewhere it would be there later.
            window.step();
            window.shows("2 tasks running") || window.shows("#2 Misbehave")
        }
        UiCommand::Find => window
            .harness
            .query_all_by_label("Filter")
            .any(|node| node.is_focused()),
        UiCommand::Settings => window.shows("Saved in"),
        UiCommand::ZoomIn => zoom > 1.0,
        UiCommand::ZoomOut => zoom < 1.0,
        UiCommand::ResetZoom => (zoom - 1.0).abs() < f32::EPSILON,
        UiCommand::FullScreen | UiCommand::Quit => sent,
        UiCommand::KeepWindow => !window.shows("Work is still running"),
        // The selected row has details below it.
        UiCommand::NextRow | UiCommand::PreviousRow => window.shows("Copy path"),
        UiCommand::NextMatch | UiCommand::PreviousMatch => window.shows("1 of 1 line"),
        _ => panic!("say how a test sees the effect of {command:?}"),
    }
}

#[test]
fn every_shortcut_works_on_its_pages_only() {
    for (row, keys) in shortcuts() {
        for page in TITLES {
            let mut window = with_a_long_job();
            window.click(page);
            let expected = match &row.scope {
                ShortcutScope::Page(id) => *id == PageId::default() && *page == "Workbench",
                ShortcutScope::Window | ShortcutScope::Always | ShortcutScope::Toolkit => true,
                // No field has the keyboard.
                ShortcutScope::Field(_) => false,
                ShortcutScope::CloseQuestion => continue,
            };
            let works = works(row.command, keys, &mut window);
            assert_eq!(works, expected, "{:?} on {page}", row.command);
            if row.command == UiCommand::Start && !expected {
                window.click("Workbench");
                assert!(!window.shows("#2 Misbehave"));
            }
        }
    }
}

#[test]
fn no_page_shortcut_works_behind_the_close_question() {
    for (row, keys) in shortcuts() {
        let mut window = with_a_long_job();
        assert!(!window.ask_to_close());
        let expected = matches!(
            row.scope,
            ShortcutScope::Always | ShortcutScope::Toolkit | ShortcutScope::CloseQuestion
        );
        let works = works(row.command, keys, &mut window);
        assert_eq!(works, expected, "{:?}", row.command);
    }
}

#[test]
fn settings_list_shortcuts_as_the_system_spells_them() {
    let mut window = Window::open();
    window.click("Settings");
    for system in [OperatingSystem::Nix, OperatingSystem::Mac] {
        window.harness.ctx.set_os(system);
        window.step();
        for (row, keys) in shortcuts() {
            let keys = window.harness.ctx.format_shortcut(&keys);
            assert!(window.count(&keys) > 0, "{keys}\n{}", window.texts());
            assert!(window.count(&row.title()) > 0, "{}", row.title());
        }
        assert_eq!(window.shows("Ctrl"), system == OperatingSystem::Nix);
    }
}

#[cfg(target_os = "linux")]
/// A window that shows the button of a command; `None` if the command has none.
fn window_with(command: UiCommand) -> Option<Window> {
    match command {
        UiCommand::Find
        | UiCommand::NextRow
        | UiCommand::PreviousRow
        | UiCommand::ZoomIn
        | UiCommand::ZoomOut
        | UiCommand::ResetZoom
        | UiCommand::FullScreen
        | UiCommand::Quit => None,
        UiCommand::AddFiles | UiCommand::AddFolder | UiCommand::Settings => Some(Window::open()),
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
        UiCommand::NextMatch | UiCommand::PreviousMatch => {
            let mut window = with_a_process();
            window.click("Output");
            window.until_it(|window| window.count("begun") > 0, "the output");
            window.type_into("Find", "begun");
            window.until("1 line");
            Some(window)
        }
        UiCommand::KeepWindow => {
            let mut window = with_a_long_job();
            assert!(!window.ask_to_close());
            Some(window)
        }
        UiCommand::Detach => {
            let mut window = with_a_long_job();
            window.click("Join");
            Some(window)
        }
        UiCommand::RunLesson | UiCommand::StopLesson => {
            let mut window = Window::open();
            window.click("Lessons");
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

#[cfg(target_os = "linux")]
/// A window with a command that prints a line and sleeps.
fn with_a_process() -> Window {
    let mut window = Window::open();
    window.choose("Job", "Command");
    window.click("Through /bin/sh");
    window.type_into("Command line", "echo begun; sleep 600");
    window.click("Start");
    window.until("Results");
    window
}

#[test]
#[cfg(target_os = "linux")]
fn every_button_has_its_text_tooltip_and_keys() {
    for row in command_table() {
        let Some(mut window) = window_with(row.command) else {
            continue;
        };
        let button = window.named(row.text).rect();
        if row.command == UiCommand::KeepWindow {
            continue; // Its keys are a line of the question.
        }
        window.harness.hover_at(button.center());
        window.until(match row.command {
            UiCommand::StopLesson => "No lesson is running.",
            UiCommand::StopRuns => "Nothing is running.",
            UiCommand::SaveLabReport => "Nothing measured yet.",
            _ => row.tooltip,
        });
        if let Some(keys) = row.shortcut {
            window.until(&window.harness.ctx.format_shortcut(&keys));
        }
    }
}
