//! The Workbench: files from the native dialog, jobs and their results.

use std::fs;

use crate::dialog;
use crate::session::Session;
use crate::setup::misbehave;
use crate::window::Window;

/// BLAKE3 of the empty input, from the reference implementation's test vectors.
const BLAKE3_OF_NOTHING: &str = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";

#[test]
#[ignore = "needs a screen; tests/all.sh runs it"]
fn file_from_the_native_dialog_gets_its_digest() {
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

#[test]
#[ignore = "needs a screen; tests/all.sh runs it"]
fn digest_is_the_one_that_sha256sum_prints() {
    let session = Session::start("sha256");
    let file = session.home().join("some bytes.bin");
    fs::write(
        &file,
        (0..=u8::MAX).cycle().take(1_000_003).collect::<Vec<_>>(),
    )
    .unwrap();
    let file = file.to_str().unwrap();
    let window = Window::open(&session, &[file]);

    window.choose("Algorithm", "SHA-256");
    window.press("push button", "Start");

    let line = session.tool("sha256sum", &[file]).unwrap();
    let digest = line.split(' ').next().unwrap();
    window.wait_for_text(digest);
}

#[test]
#[ignore = "needs a screen; tests/all.sh runs it"]
fn sha256sum_list_is_verified_line_by_line() {
    let session = Session::start("verify");
    let home = session.home();
    let file = |name: &str| home.join(name);
    let names = ["good.txt", "altered.txt", "gone.txt"];
    for name in names {
        fs::write(file(name), name).unwrap();
    }
    let mut sha256sum = session.command("sha256sum");
    let mut list = sha256sum
        .args(names)
        .current_dir(home)
        .output()
        .unwrap()
        .stdout;
    list.extend(b"this line is no checksum\n");
    fs::write(file("SHA256SUMS"), list).unwrap();
    fs::write(file("altered.txt"), "other").unwrap();
    fs::remove_file(file("gone.txt")).unwrap();
    let window = Window::open(&session, &[file("SHA256SUMS").to_str().unwrap()]);
    window.wait_for_text("Names begin in");
    window.press("push button", "Start");

    window.wait_for_text("3 of 3 items · 2 failed");
    window.wait_for_text("1 line of ");
    let verdicts = ["OK: ", "FAILED: ", "missing: "];
    let shown = verdicts.map(|verdict| window.wait_for_text(verdict));
    assert!(shown[1].contains("altered.txt does not match"), "{shown:?}");
    assert!(shown[2].contains("gone.txt does not exist"), "{shown:?}");
}

#[test]
#[ignore = "needs a screen; tests/all.sh runs it"]
fn cancelled_dialog_adds_nothing_and_opens_again() {
    let session = Session::start("cancelled-dialog");
    let file = session.home().join("second.bin");
    fs::write(&file, b"").unwrap();
    let window = Window::open(&session, &[]);

    window.press("push button", "Add files…");
    dialog::cancel(&session);

    window.press("push button", "Add files…");
    let tree = window.tree().unwrap();
    assert!(
        tree.text_with("could not show").is_none(),
        "a cancel is no error:\n{tree}"
    );
    dialog::pick(&session, &file);
    window.wait_for_text("second.bin");
}

#[test]
#[ignore = "needs a screen; tests/all.sh runs it"]
fn panic_is_shown_with_its_location() {
    let session = Session::start("panic");
    let window = Window::open(&session, &[]);

    misbehave(&window, "Panic with &str", 0.0);
    window.press_any("Panic");

    window.wait_for_text("misbehave/mod.rs:");
}

#[test]
#[ignore = "needs a screen; tests/all.sh runs it"]
fn timed_out_join_leaves_the_job_to_be_cancelled() {
    let session = Session::start("timeout");
    let window = Window::open(&session, &[]);

    misbehave(&window, "Sleep", 600.0);
    window.set_number("Timeout (s)", 1.0);
    window.press("push button", "Join with timeout");
    window.wait_for_text("still running after 1.");

    window.press("push button", "Cancel");
    window.wait_for_text("1 cancelled");
}

#[test]
#[ignore = "needs a screen; tests/all.sh runs it"]
fn next_window_has_the_same_choices() {
    let session = Session::start("settings");
    let window = Window::open(&session, &[]);
    window.set_number("Workers", 3.0);
    window.wait_for_number("Workers", 3.0);
    window.ask_to_close();
    assert!(window.wait_for_exit().success());

    let window = Window::open(&session, &[]);

    window.wait_for_number("Workers", 3.0);
}
