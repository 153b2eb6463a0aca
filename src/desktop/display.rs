//! The display server on which windows open: Wayland or X11.

#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "linux")]
use std::ffi::OsString;
use std::sync::OnceLock;

use eframe::{EventLoopBuilderHook, NativeOptions};

/// The display on which this program has opened its window.
static OPENED: OnceLock<Display> = OnceLock::new();

/// A display server that a window can open on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Display {
    /// Of Windows or macOS, which have one alone.
    Native,
    Wayland,
    X11,
    /// X11, since no Wayland compositor answers at the place that the environment names. It holds a
    /// sentence about that.
    OnlyX11(String),
}

impl Display {
    /// Looks for the display server as the windowing library does, except that a Wayland compositor has to
    /// answer, as with other toolkits. An environment variable often outlives a compositor.
    ///
    /// # Errors
    /// There is none. It is one sentence.
    pub(crate) fn find() -> Result<Self, String> {
        if cfg!(any(target_os = "macos", target_os = "windows")) {
            return Ok(Self::Native);
        }
        // An inherited connection; to try it would use it up.
        if is_set("WAYLAND_SOCKET") {
            return Ok(Self::Wayland);
        }
        let has_x11 = is_set("DISPLAY");
        if !is_set("WAYLAND_DISPLAY") {
            return if has_x11 {
                Ok(Self::X11)
            } else {
                Err("There is no display to open a window on: neither WAYLAND_DISPLAY nor DISPLAY is set.".to_owned())
            };
        }
        match Self::wayland_answers() {
            Ok(()) => Ok(Self::Wayland),
            Err(why) if has_x11 => Ok(Self::OnlyX11(format!("The window opens on X11: {why}"))),
            Err(why) => Err(format!(
                "There is no display to open a window on: {why} DISPLAY is not set either."
            )),
        }
    }

    #[cfg(target_os = "linux")]
    fn wayland_answers() -> Result<(), String> {
        linux::wayland_answers()
    }

    #[cfg(not(target_os = "linux"))]
    fn wayland_answers() -> Result<(), String> {
        Ok(())
    }

    /// What the environment calls it.
    #[cfg(target_os = "linux")]
    pub(crate) fn name(&self) -> Option<OsString> {
        let variable = match self {
            Self::Native => return None,
            Self::Wayland => "WAYLAND_DISPLAY",
            Self::X11 | Self::OnlyX11(_) => "DISPLAY",
        };
        std::env::var_os(variable)
    }

    /// The display server and who manages its windows, such as `Wayland (sway)`.
    #[cfg(target_os = "linux")]
    pub(crate) fn title(&self) -> Option<String> {
        let (server, manager) = match self {
            Self::Native => return None,
            Self::Wayland => ("Wayland", linux::compositor()),
            Self::X11 | Self::OnlyX11(_) => ("X11", linux::window_manager()),
        };
        let manager = manager.unwrap_or_else(|| "no window manager known".to_owned());
        Some(format!("{server} ({manager})"))
    }

    /// The display on which this program has opened its window, or else the one on which it would.
    #[cfg(target_os = "linux")]
    pub(crate) fn of_window() -> Option<Self> {
        OPENED.get().cloned().or_else(|| Self::find().ok())
    }

    /// Makes the windowing library open its windows here, and [`drops_files`] know it.
    pub(crate) fn use_for_windows(&self, options: &mut NativeOptions) {
        // A program opens its windows on one display.
        OPENED.set(self.clone()).ok();
        options.event_loop_builder = self.event_loop_hook();
    }

    fn event_loop_hook(&self) -> Option<EventLoopBuilderHook> {
        match self {
            #[cfg(target_os = "linux")]
            Self::OnlyX11(_) => Some(Box::new(|builder| {
                use winit::platform::x11::EventLoopBuilderExtX11 as _;

                builder.with_x11();
            })),
            _ => None,
        }
    }
}

/// Whether files can be dropped on the window: not on Wayland, by version 0.30 of the windowing library.
pub(crate) fn drops_files() -> bool {
    OPENED.get() != Some(&Display::Wayland)
}

fn is_set(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| !value.is_empty())
}
