//! The program in a real window on a virtual screen: the native file dialog, the accessibility tree,
//! closing over running work, and the cost of an idle window.
//!
//! `tests/all.sh` installs the parts of a desktop that these tests need. `e2e/atspi.py` reads the window.
//! The tests in `ui.rs` check the widgets in detail, and faster, without a screen.
#![cfg(all(feature = "app", target_os = "linux"))]

#[path = "e2e/child_guard.rs"]
mod child_guard;
#[path = "e2e/cost.rs"]
mod cost;
#[path = "e2e/dialog.rs"]
mod dialog;
#[path = "e2e/lab.rs"]
mod lab;
#[path = "util/lesson_processes.rs"]
mod lesson_processes;
#[path = "e2e/session.rs"]
mod session;
#[path = "util/sleeper.rs"]
mod sleeper;
#[path = "e2e/window.rs"]
mod window;

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use cost::Cost;
use lesson_processes::lesson_processes_in;
use meanwhile::app::Store;
use meanwhile::jobs::Options;
use meanwhile::jobs::command::CommandLine;
use session::{Session, pause};
use sleeper::Sleeper;
use window::Window;

/// BLAKE3 of the empty input, from the reference implementation's test vectors.
const BLAKE3_OF_NOTHING: &str = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";

/// How long an idle window is measured.
const IDLE: Duration = Duration::from_secs(10);

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
    window.wait_for_text("looks like a list");

    window.press("check box", "Verify a list");
    window.press("push button", "Start");

    window.wait_for_text("4 of 4 items · 3 failed");
    let verdicts = ["OK: ", "FAILED: ", "missing: ", "malformed: Line 4 of "];
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
        tree.text_with("portal").is_none(),
        "a cancel is no error:\n{tree}"
    );
    dialog::pick(&session, &file);
    window.wait_for_text("second.bin");
}

#[test]
#[ignore = "needs a screen; tests/all.sh runs it"]
fn missing_portal_is_named() {
    let session = Session::start_without_portal("no-portal");
    let window = Window::open(&session, &[]);

    window.press("push button", "Add files…");

    window.wait_for_text("no portal answered");
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
fn closing_over_running_work_asks_first() {
    let session = Session::start("close");
    let window = Window::open(&session, &[]);
    misbehave(&window, "Sleep", 600.0);
    window.wait_for_text("1 task running");

    session.keyboard(&["key", "alt+F4"]);
    window.press("push button", "Keep the window");
    window.wait_for("the question to go", |tree| {
        tree.find("push button", "Keep the window")
            .is_none()
            .then_some(())
    });

    session.keyboard(&["key", "alt+F4"]);
    window.press("push button", "Cancel and quit");
    assert!(window.wait_for_exit().success());
}

#[test]
#[ignore = "needs a screen; tests/all.sh runs it"]
fn cancel_and_quit_ends_a_tree_that_ignores_sigterm() {
    let session = Session::start("cancel-tree");
    let sleeper = Sleeper::new(session.home());
    let sleep = sleeper.command();
    let script = format!("trap '' TERM; echo ready; {sleep} & {sleep}");
    command(&session, &script);
    let window = Window::open(&session, &[]);
    window.press("push button", "Start");
    window.press_any("Output");
    window.wait_for("its first line", |tree| {
        tree.find("label", "ready").map(|_| ())
    });

    session.keyboard(&["key", "alt+F4"]);
    window.press("push button", "Cancel and quit");
    let asked = Instant::now();
    assert!(window.wait_for_exit().success());

    let took = asked.elapsed();
    assert!(took < GRACE + Duration::from_secs(3), "it took {took:?}");
    assert_eq!(sleeper.running(), [0; 0]);
}

#[test]
#[ignore = "needs a screen; tests/all.sh runs it"]
fn killed_program_ends_a_tree_that_ignores_sigterm() {
    const PROMISED: Duration = Duration::from_secs(1);
    // On a machine that also draws other windows, the processes wait for their turn to end. One try in
    // time shows that nothing else delays them.
    let mut tries = (1..=5).map(|_| time_to_end_a_killed_tree());
    assert!(tries.any(|took| took <= PROMISED));
}

fn time_to_end_a_killed_tree() -> Duration {
    let session = Session::start("killed-tree");
    let sleeper = Sleeper::new(session.home());
    let sleep = sleeper.command();
    let script = format!("trap '' TERM; echo ready; setsid {sleep} & {sleep} & {sleep}");
    command(&session, &script);
    let window = Window::open(&session, &[]);
    window.press("push button", "Start");
    window.press_any("Output");
    window.wait_for("its first line", |tree| {
        tree.find("label", "ready").map(|_| ())
    });
    let all_run = || match sleeper.running().len() {
        3 => Ok(()),
        count => Err(format!("{count} of 3 run")),
    };
    session::wait_until("the tree", all_run, || window.describe());

    let program = nix::unistd::Pid::from_raw(window.pid().cast_signed());
    nix::sys::signal::kill(program, nix::sys::signal::Signal::SIGKILL).expect("it runs");
    let killed = Instant::now();
    let all_gone = || match sleeper.running().len() {
        0 => Ok(killed.elapsed()),
        count => Err(format!("{count} of 3 run")),
    };
    session::wait_until("the end of the tree", all_gone, || session.save_picture())
}

#[test]
#[ignore = "needs a screen; tests/all.sh runs it"]
fn detached_work_runs_on_and_the_program_ends_with_it() {
    let session = Session::start("keep-running");
    let [go, done] = ["go", "done"].map(|name| session.home().join(name));
    let script = "while [ ! -e ~/go ]; do sleep 0.05; done; touch ~/done";
    command(&session, script);
    let window = Window::open(&session, &[]);
    window.press("push button", "Start");
    window.wait_for_text("1 process running");

    session.keyboard(&["key", "alt+F4"]);
    window.press("push button", "Keep running without the window");
    let gone = || match session.tool(
        "xdotool",
        &["search", "--onlyvisible", "--name", "^Meanwhile$"],
    ) {
        Ok(windows) => Err(format!("the window {windows} is visible")),
        Err(_) => Ok(()),
    };
    session::wait_until("the window to go", gone, || session.save_picture());
    assert!(!done.exists());
    let before = Cost::of(&window);
    pause(Duration::from_secs(3));
    let spent = Cost::of(&window).since(before);
    assert!(
        // Drawing, or polling once a frame, would wake it 180 times.
        spent.wakeups <= 60 && spent.cpu * 20 < Duration::from_secs(3),
        "in 3 s: {spent:?}"
    );
    fs::write(go, b"").unwrap();

    assert!(window.wait_for_exit().success());
    assert!(done.exists());
}

#[test]
#[ignore = "needs a screen; tests/all.sh runs it"]
fn flood_is_shown_in_bounded_memory() {
    let session = Session::start("flood");
    command(&session, "exec yes");
    let window = Window::open(&session, &[]);
    window.press("push button", "Start");
    window.press_any("Output");
    let mut seen = window.wait_for("a flood", printed_mebibytes);
    let before = cost::resident(&window);

    for _ in 0..8 {
        seen = window.wait_for("32 MiB more", |tree| {
            printed_mebibytes(tree).filter(|&printed| printed >= seen + 32.0)
        });
    }
    let grown = cost::resident(&window).saturating_sub(before);
    assert!(grown < 64 << 20, "{} MiB more", grown >> 20);
    window.press("push button", "Kill");
    window.wait_for_text("SIGKILL");
}

#[test]
#[ignore = "needs a screen; tests/all.sh runs it"]
fn next_window_has_the_same_choices() {
    let session = Session::start("settings");
    let window = Window::open(&session, &[]);
    window.set_number("Workers", 3.0);
    window.wait_for_number("Workers", 3.0);
    session.keyboard(&["key", "alt+F4"]);
    assert!(window.wait_for_exit().success());

    let window = Window::open(&session, &[]);

    window.wait_for_number("Workers", 3.0);
}

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
    let frozen = verdict.trim_start_matches("not reproduced here: ");
    let frozen = frozen.split(' ').next().unwrap();
    let frozen: f64 = frozen.parse().expect("seconds come first");
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

    session.keyboard(&[
        "search",
        "--name",
        "^Meanwhile$",
        "windowactivate",
        "--sync",
    ]);
    session.keyboard(&["key", "alt+F4"]);

    assert!(window.wait_for_exit().success());
    let gone = || match lab_windows(&session) {
        0 => Ok(()),
        count => Err(format!("{count} windows")),
    };
    session::wait_until("the Lab's window to go", gone, || session.save_picture());
}

#[test]
#[ignore = "needs a screen; tests/all.sh runs it"]
fn closing_over_a_lesson_leaves_no_file_or_process() {
    for (lesson, cast, time) in [
        ("fetch", None, "A page takes (s)"),
        ("join-timeout", Some("Processes"), "Worker sleeps (s)"),
    ] {
        let session = Session::start(&format!("close-{lesson}"));
        let files = session.home().join("tmp");
        let runs = || {
            let entries = fs::read_dir(&files).expect("the folder is ours").flatten();
            let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
            let runs = names.filter(|name| name.starts_with("meanwhile-lesson-"));
            runs.count()
        };
        let window = Window::open(&session, &[]);
        window.press_any("Lessons");
        window.press_any(lesson);
        if let Some(cast) = cast {
            window.press_any(cast);
        }
        window.set_number(time, 60.0);
        window.wait_for_number(time, 60.0);
        window.press("push button", "Run");
        window.wait_for_text("Running line");
        assert_eq!(runs(), 1, "{lesson}");

        session.keyboard(&["key", "alt+F4"]);
        assert!(window.wait_for_exit().success());
        assert_eq!(runs(), 0, "{lesson}");
        assert_eq!(lesson_processes_in(&files), [0; 0], "{lesson}");
    }
}

#[test]
#[ignore = "needs a screen; tests/all.sh runs it"]
fn idle_window_uses_no_processor_time() {
    let session = Session::start("idle");
    let window = Window::open(&session, &[]);
    misbehave(&window, "Return", 0.0);
    window.wait_for_text("0 tasks running");
    cost::wait_until_idle(&window);

    let before = Cost::of(&window);
    pause(IDLE);
    let spent = Cost::of(&window).since(before);

    // Every repaint wakes the thread that owns the window.
    assert_eq!(spent.wakeups, 0, "the window's thread woke: {spent:?}");
    assert!(
        spent.cpu * 200 < IDLE,
        "more than 0.5 % of a core: {spent:?}"
    );
}

#[test]
#[ignore = "runs with the other tests of the window; tests/all.sh runs it"]
fn missing_display_names_a_command_that_works() {
    let output = Command::new(env!("CARGO_BIN_EXE_meanwhile"))
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("WAYLAND_SOCKET")
        .output()
        .unwrap();

    let message = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(
        message.contains("no display") && message.contains("meanwhile run"),
        "{message}"
    );
    assert_eq!(message.trim().lines().count(), 1, "{message}");
}

/// How much a process has printed in total, once the oldest output is dropped.
fn printed_mebibytes(tree: &window::Tree) -> Option<f64> {
    let figures = tree.text_with(" dropped")?;
    let mut words = figures.split(' ');
    let number: f64 = words.next()?.parse().ok()?;
    match words.next()? {
        "MiB" => Some(number),
        "GiB" => Some(number * 1024.0),
        _ => None,
    }
}

/// Starts a job whose items work for `secs` seconds and then end in the chosen way.
fn misbehave(window: &Window<'_>, ends_by: &str, secs: f64) {
    window.choose("Job", "Misbehave");
    window.choose("Ends by", ends_by);
    window.set_number("Seconds each", secs);
    window.press("push button", "Start");
    window.wait_for_text("#1 Misbehave");
}

/// The time between SIGTERM and SIGKILL in the commands of these tests.
const GRACE: Duration = Duration::from_secs(1);

/// Stores a shell script as the chosen command, as an earlier window would have done.
fn command(session: &Session, script: &str) {
    let dir = session.home().join("config/meanwhile");
    let (mut store, mut state, _) = Store::open(&dir);
    let choices = &mut state.choices;
    let jobs = choices.jobs.iter_mut().enumerate();
    for (index, options) in jobs {
        if let Options::Command(options) = options {
            choices.chosen = index;
            options.command = CommandLine::Line(script.to_owned());
            options.shell = true;
            options.grace_secs = GRACE.as_secs_f64();
        }
    }
    store.finish(&state, Duration::from_secs(20));
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
