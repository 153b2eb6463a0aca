//! What helps to find a fault, as text. It has no paths and no names of users or machines.

use crate::desktop::{self, file_dialog};
use crate::format;
use crate::jobs::cores;
use crate::jobs::process_limit::process_limit;
use crate::record::FrameCosts;
use crate::record::statistics::Spread;

/// The version of egui and eframe. They tell it only to those who build them.
const TOOLKIT: &str = "0.37.0";

/// The variables that choose the language, the strongest first.
const LOCALE: [&str; 3] = ["LC_ALL", "LC_MESSAGES", "LANG"];

/// What only the window knows.
#[derive(Clone, Debug)]
pub(super) struct OfWindow {
    /// The size in points.
    pub(super) size: [f32; 2],
    pub(super) pixels_per_point: f32,
    /// The renderer's own name.
    pub(super) renderer: Option<String>,
    /// What its frames have cost.
    pub(super) frames: FrameCosts,
}

/// The text. Asks the desktop, so this may block.
pub(super) fn text(window: &OfWindow) -> String {
    let [width, height] = window.size;
    let lines = [
        ("Meanwhile", super::VERSION.to_owned()),
        ("egui and eframe", TOOLKIT.to_owned()),
        ("System", system()),
        ("Display", display()),
        (
            "Window",
            format!(
                "{width:.0} × {height:.0} points of {:.2} pixels",
                window.pixels_per_point
            ),
        ),
        ("Graphics", graphics(window.renderer.as_deref())),
        ("Frames", frames(&window.frames)),
        ("File dialogs", file_dialog::shown_by()),
        ("Limits", limits()),
        ("Locale", variables(&LOCALE)),
    ];
    lines
        .map(|(name, value)| format!("{name}: {}\n", format::one_line(&value)))
        .concat()
}

fn system() -> String {
    let read = |path| std::fs::read_to_string(path).ok();
    let release = read("/etc/os-release").and_then(|text| {
        let name = text
            .lines()
            .find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
        Some(name.trim_matches('"').to_owned())
    });
    let kernel = read("/proc/sys/kernel/osrelease");
    let kernel = kernel.map(|kernel| format!(", kernel {}", kernel.trim()));
    format!(
        "{}{}, {}, {}",
        release.unwrap_or_else(|| std::env::consts::OS.to_owned()),
        kernel.unwrap_or_default(),
        std::env::consts::ARCH,
        format::plural(cores(), "core", "cores")
    )
}

/// The display server, who manages its windows, and what the session says of itself.
fn display() -> String {
    let server = desktop::display_title();
    let server = server.unwrap_or_else(|| "of the system".to_owned());
    let session = variables(&["XDG_SESSION_TYPE", "XDG_CURRENT_DESKTOP"]);
    format!("{server}, {session}")
}

fn graphics(renderer: Option<&str>) -> String {
    let driver = desktop::graphics_driver().map(|driver| format!(", driver {driver}"));
    format!(
        "{}{}",
        renderer.unwrap_or("no OpenGL"),
        driver.unwrap_or_default()
    )
}

/// The processor time of the last frames.
fn frames(costs: &FrameCosts) -> String {
    let Some([code, with_painting]) = costs.spreads() else {
        return "not measured".to_owned();
    };
    let text = |spread: Spread| {
        let [median, p99, longest] = [spread.p50, spread.p99, spread.max].map(format::millis);
        format!("median {median}, 99th percentile {p99}, longest {longest}")
    };
    format!(
        "{} with a processor time of {}; with painting {}",
        format::count(costs.count()),
        text(code),
        text(with_painting)
    )
}

#[cfg(unix)]
fn limits() -> String {
    use rustix::process::{Resource, getrlimit};

    let number =
        |limit: Option<u64>| limit.map_or_else(|| "any number of".to_owned(), format::count);
    let files = getrlimit(Resource::Nofile);
    let memory = getrlimit(Resource::As).current.map(format::bytes);
    format!(
        "{} open files (at most {}), {} processes and threads, {} of memory",
        number(files.current),
        number(files.maximum),
        number(process_limit()),
        memory.unwrap_or_else(|| "any amount".to_owned())
    )
}

#[cfg(not(unix))]
fn limits() -> String {
    "none".to_owned()
}

/// `LANG=C.UTF-8`, for each variable that is set.
fn variables(names: &[&str]) -> String {
    let set = names.iter().filter_map(|name| {
        let value = std::env::var(name).ok().filter(|value| !value.is_empty())?;
        Some(format!("{name}={value}"))
    });
    let set: Vec<_> = set.collect();
    if set.is_empty() {
        format!("{} not set", names.join(", "))
    } else {
        set.join(", ")
    }
}
