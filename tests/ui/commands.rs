//! Every shortcut of the command table: where it works, and where it does not.

use eframe::egui::os::OperatingSystem;
use eframe::egui::{Event, KeyboardShortcut, ViewportCommand};
use egui_kittest::kittest::Queryable as _;
use meanwhile::app::DialogRequest;
use meanwhile::pages::PageId;
use meanwhile::pages::commands::{CommandInfo, Scope, TABLE, UiCommand};

use super::window::{Window, with_a_long_job};

const PAGES: [&str; 4] = ["Workbench", "Lessons", "Freeze Lab", "Settings"];

fn shortcuts() -> impl Iterator<Item = (&'static CommandInfo, KeyboardShortcut)> {
    TABLE.iter().filter_map(|row| Some((row, row.shortcut?)))
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
        _ => panic!("say how a test sees the effect of {command:?}"),
    }
}

#[test]
fn every_shortcut_works_on_its_pages_only() {
    for (row, keys) in shortcuts() {
        for page in PAGES {
            let mut window = with_a_long_job();
            window.click(page);
            let expected = match &row.scope {
                Scope::Page(id) => *id == PageId::default() && page == "Workbench",
                Scope::Window | Scope::Always | Scope::Toolkit => true,
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
        let expected = matches!(row.scope, Scope::Always | Scope::Toolkit);
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
            assert!(window.count(row.text) > 0, "{}", row.text);
        }
        assert_eq!(window.shows("Ctrl"), system == OperatingSystem::Nix);
    }
}

#[test]
fn tooltip_shows_the_shortcut() {
    let mut window = with_a_long_job();
    let start = window.named("Start").rect();
    window.harness.hover_at(start.center());
    window.until("Ctrl+Enter");
}
