//! Opens a window that does not take the keyboard: a measured one is not for the user, who may be typing
//! elsewhere. Only X11 knows that; on Wayland the compositor decides.

use eframe::CreationContext;
use raw_window_handle::{HasWindowHandle as _, RawWindowHandle};
use x11rb::protocol::xproto::{AtomEnum, ConnectionExt as _, PropMode};
use x11rb::wrapper::ConnectionExt as _;

/// Call before the first frame, after which the window is shown. It may fail: then the window takes the
/// keyboard, as any other does.
pub(super) fn open_without_keyboard(creation: &CreationContext<'_>) {
    let handle = creation.window_handle().map(|handle| handle.as_raw());
    let window = match handle {
        Ok(RawWindowHandle::Xlib(handle)) => u32::try_from(handle.window).ok(),
        Ok(RawWindowHandle::Xcb(handle)) => Some(handle.window.get()),
        _ => None,
    };
    if let Some(window) = window {
        set_user_time(window).ok();
    }
}

/// Says that no user has asked for the window, so the window manager does not focus it.
fn set_user_time(window: u32) -> Result<(), Box<dyn std::error::Error>> {
    let (connection, _) = x11rb::connect(None)?;
    let name = b"_NET_WM_USER_TIME";
    let atom = connection.intern_atom(false, name)?.reply()?.atom;
    let kind = AtomEnum::CARDINAL;
    let set = connection.change_property32(PropMode::REPLACE, window, atom, kind, &[0])?;
    set.check()?;
    Ok(())
}
