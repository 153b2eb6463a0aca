//! Every shortcut of the command table: where it works, and where it does not.

use eframe::egui::os::OperatingSystem;
use eframe::egui::{Event, KeyboardShortcut, ViewportCommand};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use meanwhile::app::DialogRequest;
use meanwhile::pages::commands::{self, CommandInfo, ShortcutScope, UiCommand};
#[cfg(target_os = "linux")]
use meanwhile::pages::freeze_lab::command as lab;
#[cfg(target_os = "linux")]
use meanwhile::pages::lessons::command as lessons;
#[cfg(target_os = "linux")]
use meanwhile::pages::settings::command as settings;
use meanwhile::pages::timeline::command as timeline;
use meanwhile::pages::workbench::command as workbench;
use meanwhile::pages::{TITLES, command_table};

#[cfg(target_os = "linux")]
use super::command_windows::{window_with, with_found_lines};
use super::window::{Window, with_a_long_job};

fn shortcuts() -> impl Iterator<Item = (&'static CommandInfo, KeyboardShortcut)> {
    command_table().filter_map(|row| Some((row, row.shortcut?)))
}

/// Presses the keys in a window with a running job. Returns whether the command had its effect.
fn works(command: UiCommand, keys: KeyboardShortcut, window: &mut Window) -> bool {
    if command == commands::RESET_ZOOM {
        window.harness.ctx.set_zoom_factor(1.5);
        window.step();
    }
    if command == timeline::FIT && window.count("Closer") > 0 {
        window.click("Closer");
    }
    let finds = [timeline::FIND_NEXT, timeline::FIND_PREVIOUS].contains(&command);
    if finds && window.count("Closer") > 0 {
        window.type_into("Find", "misbehave");
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
        commands::FULL_SCREEN => window.has_sent(&ViewportCommand::Fullscreen(true)),
        commands::QUIT => window.has_sent(&ViewportCommand::Close),
        _ => false,
    };
    window.step();
    let zoom = window.harness.ctx.zoom_factor();
    match command {
        workbench::ADD_FILES => window.dialogs.asked() == [DialogRequest::Files],
        workbench::ADD_FOLDER => window.dialogs.asked() == [DialogRequest::Folders],
        workbench::START => {
            // Starting shows at once on the Workbench; elsewhere it would be there later.
            window.step();
            window.shows("2 tasks running") || window.shows("#2 Misbehave")
        }
        workbench::ADD_PATH => window.shows("1 input"),
        workbench::FIND => window
            .harness
            .query_all_by_label("Filter")
            .any(|node| node.is_focused()),
        commands::SETTINGS => window.shows("Saved in"),
        commands::HELP => {
            // A dialog is seen in its second frame.
            window.step();
            window.shows("Guide to the")
        }
        commands::CLOSE_GUIDE => !window.shows("Guide to the"),
        commands::ZOOM_IN => zoom > 1.0,
        commands::ZOOM_OUT => zoom < 1.0,
        commands::RESET_ZOOM => (zoom - 1.0).abs() < f32::EPSILON,
        commands::FULL_SCREEN | commands::QUIT => sent,
        commands::KEEP_WINDOW => !window.shows("Work is still running"),
        // They act on the table of results alone, and show there that a row is selected.
        workbench::NEXT_ROW
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
        | workbench::COPY_ROW => window.shows("of 1 selected") || window.shows("Copy path"),
        timeline::FIT => window.count("Closer") > 0 && !window.is_enabled("Show all"),
        // They act on the timeline alone, which then does not show all of the time.
        timeline::CLOSER | timeline::FURTHER | timeline::EARLIER | timeline::LATER => {
            window.count("Closer") > 0 && window.is_enabled("Show all")
        }
        timeline::FIND => {
            let mut fields = window.harness.query_all_by_label("Find");
            window.count("Closer") > 0 && fields.any(|node| node.is_focused())
        }
        timeline::FIND_NEXT | timeline::FIND_PREVIOUS => {
            // What is found is drawn in the next frame.
            window.step();
            window.shows("Show in results")
        }
        workbench::NEXT_MATCH | workbench::PREVIOUS_MATCH => window.shows("1 of 1 line"),
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
                ShortcutScope::Page(_) => {
                    let mut own = window.harness.state().commands().iter();
                    own.any(|own| own.command == row.command)
                }
                ShortcutScope::Window | ShortcutScope::Always | ShortcutScope::Toolkit => true,
                // No field has the keyboard.
                ShortcutScope::Field(_) | ShortcutScope::Item => false,
                // `guide.rs` closes it.
                ShortcutScope::CloseQuestion | ShortcutScope::Guide => continue,
            };
            let works = works(row.command, keys, &mut window);
            assert_eq!(works, expected, "{:?} on {page}", row.command);
            if row.command == workbench::START && !expected {
                window.click("Workbench");
                assert!(!window.shows("#2 Misbehave"));
            }
        }
    }
}

#[test]
fn no_page_shortcut_works_behind_the_close_question() {
    for (row, keys) in shortcuts() {
        if row.scope == ShortcutScope::Guide {
            continue;
        }
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

#[test]
#[cfg(target_os = "linux")]
fn find_goes_on_and_back_by_the_keys_of_the_table() {
    let mut window = with_found_lines();
    for (command, position) in [
        (workbench::NEXT_MATCH, "1 of 3 lines"),
        (workbench::NEXT_MATCH, "2 of 3 lines"),
        (workbench::PREVIOUS_MATCH, "1 of 3 lines"),
        (workbench::PREVIOUS_MATCH, "3 of 3 lines"),
    ] {
        window.press_keys_of(command);
        assert!(window.shows(position), "{position}\n{}", window.texts());
    }
}

/// How often a text is part of another one on screen.
#[cfg(target_os = "linux")]
fn times(text: &str, window: &Window) -> usize {
    window.harness.query_all_by_label_contains(text).count()
}

/// Waits until `text` is on screen once more with the pointer on the button.
#[cfg(target_os = "linux")]
fn until_hovering_shows(text: &str, button: &str, window: &mut Window) {
    window.harness.hover_at(eframe::egui::Pos2::ZERO);
    window.step();
    window.step();
    let before = times(text, window);
    let center = window.named(button).rect().center();
    window.harness.hover_at(center);
    let what = format!("{button}: {text}");
    window.until_it(|window| times(text, window) > before, &what);
}

/// Tests whether the button is enabled as the page says. Returns the reason why it is not.
#[cfg(target_os = "linux")]
fn reason(row: &CommandInfo, window: &Window) -> Option<String> {
    let why_not = window.harness.state().why_not(row.command);
    let is_enabled = window.is_enabled(row.text);
    assert_eq!(is_enabled, why_not.is_none(), "{}: {why_not:?}", row.text);
    Some(why_not?.into_owned())
}

#[test]
#[cfg(target_os = "linux")]
fn every_button_has_its_text_tooltip_and_keys() {
    for row in command_table() {
        let Some(mut window) = window_with(row.command) else {
            continue;
        };
        let keys = row
            .shortcut
            .map(|keys| window.harness.ctx.format_shortcut(&keys));
        let keys = keys.unwrap_or_default();
        let description = window.named(row.text).accesskit_node().description();
        let has_hint = !row.tooltip.is_empty() || !keys.is_empty();
        assert_eq!(
            description.is_some(),
            has_hint,
            "{}: {description:?}",
            row.text
        );
        let description = description.unwrap_or_default();
        assert!(description.starts_with(row.tooltip), "{description}");
        assert!(description.contains(&keys), "{description}");
        if let Some(reason) = reason(row, &window) {
            until_hovering_shows(&reason, row.text, &mut window);
        } else if has_hint {
            until_hovering_shows(&description, row.text, &mut window);
        }
    }
}

/// Windows in which each command with a button is enabled or disabled, most of them both.
#[cfg(target_os = "linux")]
fn windows() -> Vec<Window> {
    let with = |command| window_with(command).expect("it has a button");
    let mut running_lesson = with(lessons::RUN);
    // It runs on until its buttons are tested.
    running_lesson.click("join");
    running_lesson.set("Worker sleeps (s)", 100.0);
    running_lesson.set("Speed", 0.25);
    running_lesson.click("Run");
    let mut no_launcher = Window::open_without_any_launcher();
    no_launcher.click("Freeze Lab");
    vec![
        Window::open(),
        with_a_long_job(),
        running_lesson,
        no_launcher,
        with(workbench::CLEAR_INPUTS),
        with(workbench::REMOVE),
        with(workbench::KILL),
        with(workbench::DETACH),
        with(workbench::FOLLOW),
        with(lessons::RUN),
        with(lessons::RESET),
        with(lab::RUN_BAD),
        with(timeline::FIT),
        with(timeline::SHOW_IN_RESULTS),
        with(settings::COPY_DIAGNOSTICS),
        with(commands::KEEP_WINDOW),
        with(commands::QUIT_NOW),
    ]
}

#[test]
#[cfg(target_os = "linux")]
fn buttons_are_enabled_as_the_page_says() {
    let (mut enabled, mut disabled) = (0, 0);
    for mut window in windows() {
        let is_asking = window.shows("Work is still running");
        let rows: Vec<_> = if is_asking {
            let rows = command_table();
            rows.filter(|row| row.scope == ShortcutScope::CloseQuestion)
                .collect()
        } else {
            window.harness.state().commands().iter().collect()
        };
        for row in rows {
            if window.count(row.text) == 0 {
                continue;
            }
            match reason(row, &window) {
                Some(reason) => {
                    disabled += 1;
                    until_hovering_shows(&reason, row.text, &mut window);
                }
                None => enabled += 1,
            }
        }
    }
    assert!(enabled > 60 && disabled > 30, "{enabled}, {disabled}");
}

#[test]
#[cfg(target_os = "linux")]
fn lab_without_launcher_says_so_at_its_buttons() {
    let mut window = Window::open_without_any_launcher();
    window.click("Freeze Lab");
    let why_not = window.harness.state().why_not(lab::RUN_BAD);
    let expected = "Meanwhile could not start its helper process.";
    assert_eq!(why_not.as_deref(), Some(expected));
    until_hovering_shows(expected, "Run bad", &mut window);
    window.click("Lessons");
    until_hovering_shows(expected, "Run", &mut window);
}
