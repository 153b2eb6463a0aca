//! Closing the window, or killing the program, over running work.

use std::fs;
use std::time::{Duration, Instant};

use crate::cost::{self, Cost};
use crate::lesson_processes::lesson_processes_in;
use crate::session::{self, Session, pause};
use crate::setup::{GRACE, misbehave, start_command};
use crate::sleeper::Sleeper;
use crate::ways::{LARGE_WAYS, MORE_WAYS, USUAL_WAYS, say_what_is_not_tried};
use crate::window::Window;

#[test]
#[ignore = "needs a screen; tests/all.sh runs it"]
fn closing_over_running_work_asks_first() {
    let session = Session::start("close");
    let window = Window::open(&session, &[]);
    misbehave(&window, "Sleep", 600.0);
    window.wait_for_text("1 task running");

    window.ask_to_close();
    window.press("push button", "Keep the window");
    window.wait_for("the question to go", |tree| {
        tree.find("push button", "Keep the window")
            .is_none()
            .then_some(())
    });

    window.ask_to_close();
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
    let window = window_of_a_ready_script(&session, &script);

    window.ask_to_close();
    window.press("push button", "Cancel and quit");
    let asked = Instant::now();
    assert!(window.wait_for_exit().success());

    let took = asked.elapsed();
    assert!(took < GRACE + Duration::from_secs(3), "it took {took:?}");
    assert_eq!(sleeper.running(), [0; 0]);
}

#[test]
#[ignore = "needs a screen; tests/all.sh runs it"]
fn closed_window_leaves_nothing_of_any_way_out() {
    let ways = || USUAL_WAYS.iter().chain(&LARGE_WAYS).chain(&MORE_WAYS);
    say_what_is_not_tried(ways());
    let session = Session::start("close-ways");
    let mut left = Vec::new();
    let mut script = String::new();
    for (number, way) in ways().filter(|way| way.obstacle().is_none()).enumerate() {
        let folder = session.home().join(format!("way-{number}"));
        fs::create_dir(&folder).expect("our own folder");
        let sleeper = Sleeper::new(&folder);
        let way_out = way.script_for(&sleeper.command(), &folder);
        script.extend(["(\n", &way_out, "\n) >/dev/null 2>&1\n"]);
        left.push((way.script, sleeper));
    }
    script.push_str("exec sleep 600");
    let window = start_command(&session, &script);
    let all_run = || {
        let missing = left
            .iter()
            .find(|(_, sleeper)| sleeper.running().is_empty());
        missing.map_or(Ok(()), |(way, _)| Err(format!("`{way}` runs nothing")))
    };
    session::wait_until("all that leaves", all_run, || window.describe());

    window.ask_to_close();
    window.press("push button", "Cancel and quit");
    assert!(window.wait_for_exit().success());
    for (way, sleeper) in &left {
        assert_eq!(sleeper.running(), [0; 0], "`{way}`");
    }
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
    let window = window_of_a_ready_script(&session, &script);
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
fn ctrl_z_stops_the_commands_with_the_window() {
    let session = Session::start("ctrl-z");
    let sleeper = Sleeper::new(session.home());
    let window = start_command(&session, &format!("exec {}", sleeper.command()));
    let run = || {
        sleeper
            .running()
            .first()
            .copied()
            .ok_or("nothing runs".into())
    };
    let command = session::wait_until("the command", run, || window.describe());

    // It leads a group whose parent is in another one, as a shell with job control starts it.
    let program = nix::unistd::Pid::from_raw(window.pid().cast_signed());
    let signal = |signal| nix::sys::signal::kill(program, signal).expect("it runs");
    let pids = [window.pid(), command];
    let are_stopped = |wanted: bool| {
        let states = pids.map(state_of);
        let as_wanted = states.iter().all(|state| (*state == Some('T')) == wanted);
        as_wanted.then_some(()).ok_or(format!("{states:?}"))
    };
    signal(nix::sys::signal::Signal::SIGTSTP);
    session::wait_until("the stop", || are_stopped(true), || session.save_picture());
    signal(nix::sys::signal::Signal::SIGCONT);
    session::wait_until(
        "the end of it",
        || are_stopped(false),
        || session.save_picture(),
    );

    window.ask_to_close();
    window.press("push button", "Cancel and quit");
    assert!(window.wait_for_exit().success());
    assert_eq!(sleeper.running(), [0; 0]);
}

/// The state of a process, such as `T` for stopped.
fn state_of(pid: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

/// A window that runs a script, once the script has printed `ready`.
fn window_of_a_ready_script<'a>(session: &'a Session, script: &str) -> Window<'a> {
    let window = start_command(session, script);
    window.press_any("Output");
    window.wait_for("its first line", |tree| {
        tree.find("label", "ready").map(|_| ())
    });
    window
}

#[test]
#[ignore = "needs a screen; tests/all.sh runs it"]
fn detached_work_runs_on_and_the_program_ends_with_it() {
    let session = Session::start("keep-running");
    let [go, done] = ["go", "done"].map(|name| session.home().join(name));
    let script = "while [ ! -e ~/go ]; do sleep 0.05; done; touch ~/done";
    let window = start_command(&session, script);
    window.wait_for_text("1 process running");

    window.ask_to_close();
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
    cost::wait_until_nothing_draws(&window);
    let before = Cost::of(&window);
    pause(Duration::from_secs(3));
    let spent = Cost::of(&window).since(before);
    assert!(
        // Drawing, or polling once a frame, would wake it 180 times.
        spent.wakeups <= 15 && spent.cpu * 20 < Duration::from_secs(3),
        "in 3 s: {spent:?}"
    );
    fs::write(go, b"").unwrap();

    assert!(window.wait_for_exit().success());
    assert!(done.exists());
}

#[test]
#[ignore = "needs a screen; tests/all.sh runs it"]
fn closing_over_a_lesson_leaves_no_file_or_process() {
    for (lesson, worker_kind, time) in [
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
        if let Some(worker_kind) = worker_kind {
            window.press_any(worker_kind);
        }
        window.set_number(time, 60.0);
        window.wait_for_number(time, 60.0);
        window.press("push button", "Run");
        window.press_any("What runs here");
        window.wait_for_text("Running line");
        assert_eq!(runs(), 1, "{lesson}");

        window.ask_to_close();
        assert!(window.wait_for_exit().success());
        assert_eq!(runs(), 0, "{lesson}");
        assert_eq!(lesson_processes_in(&files), [0; 0], "{lesson}");
    }
}
