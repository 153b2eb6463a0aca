//! Settings that are remembered, and settings that can't be read.

use std::cell::RefCell;
use std::time::Duration;

use eframe::App as _;
use eframe::egui::{self, OutputCommand, Theme};
use meanwhile::ui::tokens;

use super::window::Window;

#[test]
fn damaged_settings_give_a_notice_and_defaults() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("settings.json"), b"\0\0 not json").unwrap();
    let mut window = Window::open_in(dir, &[]);
    assert!(window.shows("it is damaged"));
    let kept = window.dir.path().join("settings.json.damaged-1");
    assert_eq!(std::fs::read(kept).unwrap(), b"\0\0 not json");
    window.click("Dismiss");
    assert!(!window.shows("it is damaged"));
}

#[test]
fn choices_are_remembered_in_the_next_window() {
    let mut window = Window::open();
    window.choose("Algorithm", "MD5");
    window.set("Workers", 7.0);
    window.choose("Priority", "Normal");
    window.click("Settings");
    window.click("Dark");
    let mut window = window.reopen();
    assert_eq!(window.harness.ctx.theme(), Theme::Dark);
    window.click("Workbench");
    assert_eq!(window.named("Algorithm").value().as_deref(), Some("MD5"));
    assert_eq!(window.named("Workers").value().as_deref(), Some("7"));
    assert_eq!(window.named("Priority").value().as_deref(), Some("Normal"));
}

#[test]
fn change_is_saved_while_the_window_is_hidden() {
    let mut window = Window::open();
    window.choose("Algorithm", "MD5");
    let ctx = window.harness.ctx.clone();
    let hidden = egui::RawInput::default();
    let settings = window.dir.path().join("settings.json");
    let is_saved = || std::fs::read_to_string(&settings).is_ok_and(|text| text.contains("\"md5\""));
    let began = std::time::Instant::now();
    while !is_saved() {
        assert!(began.elapsed() < Duration::from_secs(20), "it is not saved");
        let app = window.harness.state_mut();
        let mut frame = eframe::Frame::_new_kittest();
        drop(ctx.run_logic(&hidden, |ctx| app.logic(ctx, &mut frame)));
        std::thread::park_timeout(Duration::from_millis(8));
    }
}

/// The one version of a package that the program is built with.
fn locked(package: &str) -> String {
    let lock = include_str!("../../Cargo.lock");
    let begin = format!("name = \"{package}\"\nversion = \"");
    let mut versions = lock.split(&begin).skip(1);
    let version = versions.next().and_then(|rest| rest.split_once('"'));
    assert!(versions.next().is_none(), "{package}");
    version.expect("the program needs it").0.to_owned()
}

#[test]
fn diagnostics_are_copied_without_names() {
    let mut window = Window::open();
    window.click("Settings");
    let version = env!("CARGO_PKG_VERSION");
    assert!(window.shows(&format!("Meanwhile {version}")));
    window.named("Copy diagnostics").click();
    let text = RefCell::new(None);
    let is_copied = |window: &Window| {
        let commands = &window.harness.output().platform_output.commands;
        let copied = commands.iter().find_map(|command| match command {
            OutputCommand::CopyText(text) => Some(text.clone()),
            _ => None,
        });
        let is_copied = copied.is_some();
        text.replace(copied);
        is_copied
    };
    window.until_it(is_copied, "the text on the clipboard");
    window.until("The diagnostics are on the clipboard.");
    let text = text.take().expect("it was copied");
    let toolkit = locked("egui");
    assert_eq!(toolkit, locked("eframe"));
    for part in [
        &format!("Meanwhile: {version}\n"),
        &format!("egui and eframe: {toolkit}\n"),
        std::env::consts::ARCH,
        "Display: ",
        "Window: 1180 × 780 points of 1.00 pixels\n",
        "Graphics: ",
        "Frames: ",
        " with a processor time of median ",
        "; with painting median ",
        "File dialogs: ",
        " open files (at most ",
        "Locale: ",
    ] {
        assert!(text.contains(part), "{part:?} is missing:\n{text}");
    }
    let names = ["HOME", "USER", "LOGNAME", "HOSTNAME"].map(std::env::var);
    let host =
        std::fs::read_to_string("/proc/sys/kernel/hostname").map(|name| name.trim().to_owned());
    for name in names.into_iter().flatten().chain(host.ok()) {
        let mut words = text.split(|c: char| !c.is_alphanumeric() && !"/-_.".contains(c));
        assert!(
            !words.any(|word| word == name),
            "{name} is in this:\n{text}"
        );
    }
}

#[test]
fn theme_changes_at_once() {
    let mut window = Window::open();
    window.click("Settings");
    for (name, theme) in [("Light", Theme::Light), ("Dark", Theme::Dark)] {
        window.click(name);
        window.harness.step();
        assert_eq!(window.harness.ctx.theme(), theme);
    }
}

#[test]
fn both_themes_have_buttons_of_their_own() {
    let ctx = egui::Context::default();
    tokens::install(&ctx);
    for (theme, plain) in [
        (Theme::Light, egui::Visuals::light()),
        (Theme::Dark, egui::Visuals::dark()),
    ] {
        let button = ctx.style_of(theme).visuals.widgets.inactive.weak_bg_fill;
        assert_ne!(button, plain.widgets.inactive.weak_bg_fill, "{theme:?}");
    }
}
