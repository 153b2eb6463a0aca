//! What the program needs of the desktop: a renderer, a display, libraries, and a machine that does not
//! sleep.

mod awake;

use std::io::Write as _;

use eframe::Error;

pub(crate) use self::awake::Awake;

/// The renderer of all our windows. eframe's default depends on the enabled features: the tests enable
/// a second renderer, and would measure another program than users run.
pub(crate) const RENDERER: eframe::Renderer = eframe::Renderer::Glow;

/// Debian's packages of the libraries that the window loads when it opens.
const PACKAGES: &str = "libegl1 libgl1-mesa-dri libx11-xcb1 libxcursor1 libxi6 libxkbcommon-x11-0 xdg-desktop-portal-gtk";

/// Whether there is a display to open a window on. On X11 and Wayland the environment names it; other
/// systems always have one.
pub(crate) fn has_display() -> bool {
    if cfg!(any(target_os = "macos", target_os = "windows")) {
        return true;
    }
    ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// How a system without a screen gets a display.
pub(crate) fn virtual_display() -> String {
    format!("A virtual display needs Debian's packages xvfb xauth {PACKAGES}: xvfb-run meanwhile.")
}

/// Why no window could be opened.
pub(crate) fn reason(error: &Error) -> String {
    let text = error.to_string();
    // Errors of the windowing library begin with a place in its source.
    let detail = text.rsplit(": ").next().unwrap_or(&text);
    let is_library = detail.contains("shared librar")
        || matches!(error, Error::Glutin(_) | Error::NoGlutinConfigs(..));
    if is_library && cfg!(not(any(target_os = "macos", target_os = "windows"))) {
        missing_library(detail)
    } else {
        detail.to_owned()
    }
}

fn missing_library(detail: &str) -> String {
    format!("a library is missing ({detail}); Debian has it in one of these packages: {PACKAGES}")
}

/// Prints a sentence in place of a backtrace when a library of the window is missing: the windowing
/// library panics where it could return an error.
pub(crate) fn explain_missing_libraries() {
    let previous = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let message = info.payload_as_str().unwrap_or_default();
        if message.starts_with("Library ") && message.contains("could not be loaded") {
            let reason = missing_library(message.trim_end_matches('.'));
            let sentence = format!(
                "meanwhile: Could not open a window: {reason}. \
                 Without a window, this works: meanwhile run checksum FILES…"
            );
            // A closed stderr leaves no way to report it.
            writeln!(std::io::stderr(), "{sentence}").ok();
        } else {
            previous(info);
        }
    }));
}
