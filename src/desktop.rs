//! What the program needs of the desktop: a renderer, a display, libraries, and a machine that does not
//! sleep.

mod awake;
mod display;
pub(crate) mod file_dialog;
mod graphics;

use eframe::Error;

use crate::message::print_message;

pub(crate) use self::awake::Awake;
pub(crate) use self::display::{Display, drops_files};
pub(crate) use self::graphics::{graphics_driver, renderer};

/// The renderer of all our windows. eframe's default depends on the enabled features: the tests enable
/// a second renderer, and would measure another program than users run.
pub(crate) const RENDERER: eframe::Renderer = eframe::Renderer::Glow;

/// Debian's packages of the libraries that the window loads when it opens.
const PACKAGES: &str = "libegl1 libgl1-mesa-dri libx11-xcb1 libxcursor1 libxi6 libxkbcommon-x11-0 xdg-desktop-portal-gtk";

/// Debian's packages of OpenGL, with a driver in software.
const OPENGL: &str = "libegl1 libgl1 libgl1-mesa-dri";

/// The display server of the window and who manages its windows, such as `Wayland (sway)`. It is asked, so this may
/// block.
pub(crate) fn display_title() -> Option<String> {
    #[cfg(target_os = "linux")]
    return Display::of_window()?.title();
    #[cfg(not(target_os = "linux"))]
    None
}

/// How a system without a screen gets a display.
pub(crate) fn virtual_display() -> String {
    format!("A virtual display needs Debian's packages xvfb xauth {PACKAGES}: xvfb-run meanwhile.")
}

/// Why no window could be opened, and what may help.
pub(crate) fn reason(error: &Error) -> String {
    let text = error.to_string();
    // Errors of the windowing library begin with a place in its source.
    let detail = text.rsplit(": ").next().unwrap_or(&text);
    let is_elsewhere = cfg!(any(target_os = "macos", target_os = "windows"));
    match error {
        _ if detail.contains("shared librar") && !is_elsewhere => missing_library(detail),
        Error::Glutin(_) | Error::NoGlutinConfigs(..) | Error::OpenGL(_) if is_elsewhere => {
            format!("OpenGL does not work here ({detail})")
        }
        Error::Glutin(_) | Error::NoGlutinConfigs(..) | Error::OpenGL(_) => {
            // So it says that it found no library of OpenGL.
            let detail = if detail == "not found" {
                "its library could not be loaded"
            } else {
                detail
            };
            format!(
                "OpenGL does not work here ({detail}). It needs the driver of the graphics card, or Debian's packages {OPENGL}"
            )
        }
        // All that the windowing library says is the number 1.
        Error::WinitEventLoop(_) if detail.parse::<i32>().is_ok() => {
            "the connection to it broke".to_owned()
        }
        _ => detail.to_owned(),
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
            print_message(&format!(
                "Could not open a window: {reason}. \
                 Without a window, this works: meanwhile run checksum FILES…"
            ));
        } else {
            previous(info);
        }
    }));
}
