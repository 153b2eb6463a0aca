//! What every window of this program needs of the desktop.

/// The renderer of every window. eframe's default depends on the features of the whole build, and
/// tests enable a second renderer: they would measure another program than users run.
pub(crate) const RENDERER: eframe::Renderer = eframe::Renderer::Glow;

/// Whether there is a display. X11 and Wayland set an environment variable; macOS and Windows always
/// have one.
pub(crate) fn has_display() -> bool {
    if cfg!(any(target_os = "macos", target_os = "windows")) {
        return true;
    }
    ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// Why a window could not be opened. Errors of winit begin with its source locations; users need
/// only the end.
pub(crate) fn reason(error: &eframe::Error) -> String {
    let text = error.to_string();
    text.rsplit(": ").next().unwrap_or(&text).to_owned()
}
