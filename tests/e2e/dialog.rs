//! The desktop's file dialog, used with the keyboard.

use std::path::Path;

use crate::session::{Session, wait_until};
use crate::window::tree_of;

/// Waits for the dialog, types `path` into it and accepts.
pub(crate) fn pick(session: &Session, path: &Path) {
    let path = path.to_str().expect("a path that can be typed");
    let pid = wait_until(
        "the file dialog",
        || active_dialog(session),
        || session.save_picture(),
    );
    // A slash opens the field for a path. Keys typed before the field is open are lost.
    session.keyboard(&["key", "slash"]);
    let is_open = || {
        let tree = tree_of(session, pid)?;
        let field = tree
            .nodes
            .iter()
            .find(|node| node.text.is_some() && node.states.iter().any(|state| state == "focused"));
        field
            .map(drop)
            .ok_or_else(|| format!("the dialog shows:\n{tree}"))
    };
    wait_until("the field for a path", is_open, || session.save_picture());
    let type_it = || {
        session.keyboard(&["key", "ctrl+a"]);
        session.keyboard(&["type", "--delay", "15", path]);
        let tree = tree_of(session, pid)?;
        tree.text_with(path)
            .ok_or_else(|| format!("the dialog shows:\n{tree}"))
    };
    wait_until("the path in the dialog", type_it, || session.save_picture());
    session.keyboard(&["key", "Return"]);
}

/// Waits for the dialog and cancels it with the Escape key.
pub(crate) fn cancel(session: &Session) {
    let pid = wait_until(
        "the file dialog",
        || active_dialog(session),
        || session.save_picture(),
    );
    // A user sees it before. The program takes a dialog that ends at once for one that could not be shown.
    let has_button = || {
        let tree = tree_of(session, pid)?;
        tree.text_with("Cancel")
            .ok_or_else(|| format!("the dialog shows:\n{tree}"))
    };
    wait_until("the button of the dialog", has_button, || {
        session.save_picture()
    });
    session.keyboard(&["key", "Escape"]);
    let gone = || match active_dialog(session) {
        Ok(_) => Err("it is still there".to_owned()),
        Err(_) => Ok(()),
    };
    wait_until("the file dialog to go", gone, || session.save_picture());
}

/// The process id of the dialog, once it has the keyboard focus.
fn active_dialog(session: &Session) -> Result<u32, String> {
    let window = session.tool(
        "xdotool",
        &[
            "search",
            "--onlyvisible",
            "--class",
            "xdg-desktop-portal-gtk",
        ],
    )?;
    let window = window.lines().next().ok_or("no dialog is open")?;
    if session.tool("xdotool", &["getactivewindow"])? != window {
        return Err("the dialog has no keyboard focus".to_owned());
    }
    let pid = session.tool("xdotool", &["getwindowpid", window])?;
    pid.parse()
        .map_err(|error| format!("the dialog's pid is {pid:?}: {error}"))
}
