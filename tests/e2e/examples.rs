//! The examples with a window, in a real one: started, used and closed.

use std::path::{Path, PathBuf};

use crate::session::Session;
use crate::window::Window;

/// An example, which tests/all.sh builds before the tests.
fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its program");
    let built = test.parent().and_then(Path::parent);
    built
        .expect("a test is in deps")
        .join("examples")
        .join(name)
}

#[test]
#[ignore = "needs a screen; tests/all.sh runs it"]
fn egui_poll_starts_cancels_and_closes() {
    let session = Session::start("egui-poll");
    let window = Window::of_example(&session, &example("egui_poll"), "Poll");
    window.wait_for_text("Nothing started");
    window.press("push button", "Start");
    window.press("push button", "Cancel");
    window.wait_for_text("Cancelled");
    // The window closes over a running task.
    window.press("push button", "Start");
    window.wait_for("the task to run", |tree| {
        tree.find("push button", "Cancel").map(|_| ())
    });
    window.ask_to_close();
    assert!(window.wait_for_exit().success());
}

#[test]
#[ignore = "needs a screen; tests/all.sh runs it"]
fn egui_suspense_searches_and_closes() {
    let session = Session::start("egui-suspense");
    let file = session.home().join("list.txt");
    std::fs::write(&file, "one line\nanother\none more\n").expect("the home is ours");
    let window = Window::of_example(&session, &example("egui_suspense"), "Suspense");
    window.fill("File", &file.to_string_lossy());
    window.wait_for_text("26 bytes");
    window.wait_for_text("another");
    window.fill("Word", "more");
    window.wait_for_text("one more");
    window.wait_for("the other lines to go", |tree| {
        tree.text_with("another").is_none().then_some(())
    });
    window.fill("File", "/no/such/file");
    window.wait_for_text("/no/such/file: No such file");
    window.wait_for("a button to try again", |tree| {
        tree.find("push button", "Try again").map(|_| ())
    });
    window.ask_to_close();
    assert!(window.wait_for_exit().success());
}
