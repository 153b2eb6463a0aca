//! The program itself in a real window on a screen nobody sees: the native file dialog, the
//! accessibility tree, closing over running work, and what an idle window costs.
//!
//! These need a desktop's parts, which `tests/all.sh` installs; `e2e/atspi.py` is how a test reads the
//! window. What the widgets do in detail is proven faster in `ui.rs`, without a screen.
#![cfg(all(feature = "app", target_os = "linux"))]

#[path = "e2e/dialog.rs"]
mod dialog;
#[path = "e2e/owned.rs"]
mod owned;
#[path = "e2e/session.rs"]
mod session;
#[path = "e2e/window.rs"]
mod window;

use std::fs;

use session::Session;
use window::Window;

/// BLAKE3 of the empty input, from the reference implementation's test vectors.
const BLAKE3_OF_NOTHING: &str = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";

#[test]
#[ignore = "needs a screen; tests/all.sh runs it"]
fn a_file_picked_in_the_native_dialog_gets_its_digest() {
    let session = Session::start("digest");
    let file = session.home().join("picked.bin");
    fs::write(&file, b"").unwrap();
    let window = Window::open(&session, &[]);

    window.press("push button", "Add files…");
    dialog::pick(&session, &file);
    window.wait_for_text("picked.bin");
    window.press("push button", "Start");

    window.wait_for_text(BLAKE3_OF_NOTHING);
}
