//! What was copied is still there when the program has ended, where the desktop has a clipboard manager.

use std::fs;
use std::path::Path;

use crate::child_guard::ChildGuard;
use crate::session::{Session, wait_until};
use crate::window::Window;

/// Copies a text, and waits until the clipboard manager has written it into this file.
pub(crate) fn copy<'s>(session: &'s Session, history: &Path) -> Window<'s> {
    let window = Window::open(session, &[]);
    window.press("page tab", "Settings");
    window.press("push button", "Copy diagnostics");
    let is_kept = || {
        let kept = fs::read(history).unwrap_or_default();
        let kept = String::from_utf8_lossy(&kept);
        let is_kept = kept.contains("egui and eframe: ");
        is_kept.then_some(()).ok_or_else(|| kept.into_owned())
    };
    wait_until("the manager to keep the text", is_kept, || {
        window.describe()
    });
    window
}

/// Waits until `paste`, a program with its arguments, prints the text.
pub(crate) fn assert_it_can_be_pasted(session: &Session, paste: &[&str]) {
    let is_pasted = || {
        let text = session.tool(paste[0], &paste[1..])?;
        let is_ours = text.starts_with("Meanwhile: ");
        is_ours.then_some(()).ok_or(text)
    };
    wait_until("the text", is_pasted, || session.save_picture());
}

#[test]
#[ignore = "needs a screen; tests/all.sh runs it"]
fn copied_text_outlives_the_window() {
    let session = Session::start("clipboard");
    let manager = ChildGuard::start("parcellite", &mut session.command("parcellite"));
    let window = copy(&session, &session.home().join("data/parcellite/history"));
    window.ask_to_close();
    assert!(window.wait_for_exit().success());
    let paste = ["timeout", "5", "xclip", "-o", "-selection", "clipboard"];
    assert_it_can_be_pasted(&session, &paste);
    drop(manager);
}
