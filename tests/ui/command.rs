//! A command in the window: what is typed, what it is understood as, and what comes back.

use super::window::{Window, file};

#[test]
fn typed_command_is_parsed_run_and_its_output_shown() {
    let mut window = Window::open();
    window.choose("Job", "Command");
    assert!(!window.is_enabled("Start"));
    assert!(window.shows("There is no command; say what to run."));
    window.type_into("Command line", "printf '%s:' \"one two\" three");
    assert!(window.shows("printf '%s:' 'one two' three"));
    window.click("Start");
    window.until("one two:three:");
    window.until("1 of 1 item");
}

#[test]
fn command_with_a_placeholder_needs_a_file() {
    let mut window = Window::open();
    window.choose("Job", "Command");
    window.type_into("Command line", "cat {}");
    assert!(!window.is_enabled("Start"));
    let path = file(window.dir.path(), "a b.txt", b"what is in it");
    window.type_into("Path", path.to_str().unwrap());
    window.click("Add");
    window.click("Start");
    window.until("what is in it");
}

#[test]
fn rows_are_filtered_and_sorted_by_shown_state() {
    let mut window = Window::open();
    for (name, code) in [("a", "3"), ("b", "0"), ("c", "12"), ("d", "0")] {
        let path = file(window.dir.path(), name, code.as_bytes());
        window.type_into("Path", path.to_str().unwrap());
        window.click("Add");
    }
    window.choose("Job", "Command");
    window.click("Through /bin/sh");
    window.type_into("Command line", "exit $(cat \"$1\")");
    window.click("Start");
    window.until("4 of 4 items · 2 failed");
    window.click("State");
    let codes = ["exit code 12", "exit code 3", "exit code 0", "exit code 0"];
    let shown = |window: &Window| window.texts_with("exit code ");
    window.until_it(
        |window| shown(window) == codes,
        "what failed, then the rest",
    );
    window.type_into("Filter", "Code 3");
    window.until("1 of 4 items");
    assert_eq!(shown(&window), ["exit code 3"]);
}

#[test]
fn open_quote_is_reported_and_disables_start() {
    let mut window = Window::open();
    window.choose("Job", "Command");
    window.type_into("Command line", "echo 'open");
    assert!(window.shows("has an open quote"));
    assert!(!window.is_enabled("Start"));
    window.click("Through /bin/sh");
    assert!(
        window.is_enabled("Start"),
        "the shell will have its own say"
    );
}

#[test]
fn folder_environment_and_prefix_are_obeyed() {
    let mut window = Window::open();
    window.choose("Job", "Command");
    window.click("Through /bin/sh");
    window.type_into("Command line", "pwd; echo \"$GREETING $EXTRA\"; exit 3");
    window.click("More options");
    let dir = window.dir.path().canonicalize().unwrap();
    window.type_into("Folder", dir.to_str().unwrap());
    window.type_into("Environment", "GREETING=hello");
    window.type_into("Before it", "env EXTRA=you");
    // The status bar is the last thing on screen.
    let bottom = window.harness.ctx.content_rect().bottom() - 32.0;
    let start = window.named("Start").rect();
    assert!(start.bottom() < bottom, "{start} is out of sight");
    window.click("Start");
    window.until("sh exited with code 3, but 0 was expected");

    window.type_into("Exit codes", ", 3");
    window.click("Start");
    window.until("hello you");
}

#[test]
fn limits_of_memory_and_time_reach_the_command() {
    let mut window = Window::open();
    window.choose("Job", "Command");
    window.click("Through /bin/sh");
    window.type_into("Command line", "echo \"$(ulimit -v) $(ulimit -t)\"");
    window.click("More options");
    window.set("Memory (MiB)", 1024.0);
    window.set("CPU time (s)", 77.0);
    window.click("Start");
    window.until("1048576 77");
}

#[test]
fn run_beyond_its_time_limit_is_stopped() {
    let mut window = Window::open();
    window.choose("Job", "Command");
    window.type_into("Command line", "sleep 86400");
    window.click("More options");
    window.set("Time limit (s)", 0.2);
    window.set("Time to stop (s)", 1.0);
    window.click("Start");
    window.until("sleep did not end within 200 ms and was stopped");
}

#[test]
fn cancelled_run_reports_its_processes() {
    let mut window = Window::open();
    window.choose("Job", "Command");
    let started = window.dir.path().join("started");
    let line = format!("touch {}; exec sleep 86400", started.display());
    window.click("Through /bin/sh");
    window.type_into("Command line", &line);
    window.click("Start");
    window.until_it(|_| started.exists(), "the process");
    window.click("Cancel");
    window.until(" ended when asked");
}

#[test]
fn command_is_remembered_in_the_next_window() {
    let mut window = Window::open();
    window.choose("Job", "Command");
    window.type_into("Command line", "echo {stem}");
    window.choose("Runs", "Once for all files");
    let window = window.reopen();
    assert_eq!(window.named("Job").value().as_deref(), Some("Command"));
    let line = window.named("Command line").value();
    assert_eq!(line.as_deref(), Some("echo {stem}"));
    let runs = window.named("Runs").value();
    assert_eq!(runs.as_deref(), Some("Once for all files"));
}

#[test]
fn row_of_a_failed_command_is_whole_and_in_one_line() {
    let mut window = Window::open();
    window.choose("Job", "Command");
    window.type_into("Command line", "sh -c 'echo a/b >&2; exit 3'");
    window.click("Start");
    window.until("sh exited with code 3, but 0 was expected · a/b");
    let names = window.texts_with("exit 3'");
    assert!(
        names.iter().all(|name| name.starts_with("sh -c 'echo a/b")),
        "{names:?}"
    );
}
