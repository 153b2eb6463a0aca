//! What a window needs of the desktop, whoever opens it: the program, the command line, a twin.

/// What draws every window of ours. The toolkit's default depends on what else is built with it: tests
/// bring a second one along, and would measure another program than the one that people run.
pub(crate) const RENDERER: eframe::Renderer = eframe::Renderer::Glow;

/// Whether there is a display to open a window on. On X11 and Wayland the surroundings say where it
/// is; other systems always have one.
pub(crate) fn has_display() -> bool {
    if cfg!(any(target_os = "macos", target_os = "windows")) {
        return true;
    }
    ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// Why the desktop gave no window. Errors of the windowing library begin with the place in its
/// source; the person wants the end.
pub(crate) fn reason(error: &eframe::Error) -> String {
    let text = error.to_string();
    text.rsplit(": ").next().unwrap_or(&text).to_owned()
}
