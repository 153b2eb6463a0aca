//! What draws the windows.

use std::fs;

use eframe::glow::{Context, HasContext as _};

/// The renderer's own name. Mesa's software renderer is recognised by its threads, because asking for
/// its name needs unsafe code.
pub(crate) fn renderer(gl: &Context) -> String {
    let version = gl.version();
    let embedded = if version.is_embedded { " ES" } else { "" };
    let (major, minor) = (version.major, version.minor);
    let mut text = format!("OpenGL{embedded} {major}.{minor} {}", version.vendor_info);
    if has_thread_of("llvmpipe") {
        text += ", llvmpipe";
    }
    text
}

fn has_thread_of(library: &str) -> bool {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten();
    threads.flatten().any(|thread| {
        let name = fs::read_to_string(thread.path().join("comm"));
        name.is_ok_and(|name| name.starts_with(library))
    })
}

/// The kernel's graphics driver; `None` for software rendering.
pub(crate) fn graphics_driver() -> Option<String> {
    // The first card may have no driver, as where another one took its number.
    (0..8).find_map(|card| {
        let link = format!("/sys/class/drm/card{card}/device/driver");
        let driver = fs::read_link(link).ok()?;
        Some(driver.file_name()?.to_string_lossy().into_owned())
    })
}
