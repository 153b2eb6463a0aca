//! The page of the Freeze Lab, which opens windows of its own.

use std::fs;

use crate::session::{self, Session};
use crate::window::Window;

#[test]
#[ignore = "needs a screen; tests/all.sh runs it"]
fn freeze_lab_measures_a_frozen_window_and_its_fix() {
    let session = Session::start("freeze-lab");
    let window = Window::open(&session, &[]);
    window.press_any("Freeze Lab");
    window.press_any("join-in-click");

    window.press("push button", "Run both");

    // On a busy machine the fixed variant may stutter too, so only the bad one is checked.
    let verdict = window.wait_for_text(" s frozen; fixed: ");
    // What a screen reader says begins with the name of the pattern.
    let (before, _) = verdict.split_once(" s frozen").unwrap();
    let frozen = before.rsplit(' ').next().unwrap();
    let frozen: f64 = frozen.parse().expect("the seconds come before it");
    assert!(frozen >= 1.8, "of 2 s of work: {verdict}");
    assert!(window.tree().unwrap().text_with("died").is_none());
}

#[test]
#[ignore = "needs a screen; tests/all.sh runs it"]
fn stop_ends_a_frozen_window() {
    let session = Session::start("freeze-lab-stop");
    let window = Window::open(&session, &[]);
    window.press_any("Freeze Lab");
    window.set_number("Seconds", 60.0);
    window.wait_for_number("Seconds", 60.0);

    window.press("push button", "Run both");
    window.wait_for("a window that is frozen for seconds", |tree| {
        let plot = tree.text_with("Frame gaps over time, bad: longest ")?;
        plot.contains(" s, fixed").then_some(())
    });
    assert_eq!(lab_windows(&session), 1);
    window.press("push button", "Stop");

    window.wait_for_text("Nothing is running.");
    let gone = || match lab_windows(&session) {
        0 => Ok(()),
        count => Err(format!("{count} windows")),
    };
    session::wait_until("the Lab's window to go", gone, || window.describe());
    window.wait_for("how it ended", |tree| {
        tree.find("label", "stopped").map(|_| ())
    });
}

#[test]
#[ignore = "needs a screen; tests/all.sh runs it"]
fn measured_window_leaves_the_keyboard_alone() {
    let session = Session::start("freeze-lab-keyboard");
    let window = Window::open(&session, &[]);
    window.press_any("Freeze Lab");
    let active = || session.tool("xdotool", &["getactivewindow", "getwindowname"]);
    assert_eq!(active().as_deref(), Ok("Meanwhile"));

    window.press("push button", "Run fixed");

    let is_shown = || {
        session.tool(
            "xdotool",
            &["search", "--onlyvisible", "--name", "join-in-click"],
        )
    };
    session::wait_until("the measured window", is_shown, || window.describe());
    // It draws all the time, so it is there for long when its figures are.
    while window
        .tree()
        .unwrap()
        .text_with("Nothing is running.")
        .is_none()
    {
        assert_eq!(active().as_deref(), Ok("Meanwhile"));
    }
    window.wait_for("how it ended", |tree| {
        tree.find("label", "finished").map(|_| ())
    });
}

#[test]
#[ignore = "needs a screen; tests/all.sh runs it"]
fn freeze_lab_window_closes_with_the_program() {
    let session = Session::start("freeze-lab-close");
    let window = Window::open(&session, &[]);
    window.press_any("Freeze Lab");
    window.press("push button", "Try by hand: fixed");
    let opened = || match lab_windows(&session) {
        1 => session.tool(
            "xdotool",
            &["search", "--onlyvisible", "--name", "join-in-click"],
        ),
        count => Err(format!("{count} windows")),
    };
    session::wait_until("the Lab's window", opened, || window.describe());

    window.ask_to_close();

    assert!(window.wait_for_exit().success());
    let gone = || match lab_windows(&session) {
        0 => Ok(()),
        count => Err(format!("{count} windows")),
    };
    session::wait_until("the Lab's window to go", gone, || session.save_picture());
}

/// How many windows of the Freeze Lab are on this screen.
fn lab_windows(session: &Session) -> usize {
    let home = format!("HOME={}\0", session.home().display());
    let has = |bytes: &[u8], part: &[u8]| bytes.windows(part.len()).any(|found| found == part);
    let processes = fs::read_dir("/proc").expect("Linux has it").flatten();
    let windows = processes.filter(|process| {
        let read = |name| fs::read(process.path().join(name)).unwrap_or_default();
        has(&read("cmdline"), b"\0twin\0") && has(&read("environ"), home.as_bytes())
    });
    windows.count()
}
