//! What processes print, and how they are ended, as seen in the window.

use eframe::egui::OutputCommand;
use eframe::egui::epaint::Primitive;
use eframe::egui::epaint::text::MissingGlyphPolicy;
use egui_kittest::kittest::Queryable as _;
use meanwhile::app::{DialogAnswer, DialogRequest};
use meanwhile::pages::workbench::command as workbench;

use super::child::{in_child, in_child_with};
use super::sleeper::Sleeper;
use super::window::{Window, file};

/// A window that runs a shell script and shows its output.
pub(crate) fn running(script: &str) -> Window {
    let mut window = Window::open();
    // No font has glyphs for binary data; a window draws boxes.
    window
        .harness
        .ctx
        .set_missing_glyph_policy(MissingGlyphPolicy::Tofu);
    window.choose("Job", "Command");
    window.click("Through /bin/sh");
    window.type_into("Command line", script);
    window.click("Start");
    window.until("Results");
    window.click("Output");
    window
}

/// Draws frames until a line of the output is exactly this. The command line may contain it too.
fn until_line(window: &mut Window, line: &str) {
    window.until_it(|window| window.count(line) > 0, line);
}

fn copied(window: &Window) -> Option<String> {
    let commands = &window.harness.output().platform_output.commands;
    commands.iter().find_map(|command| match command {
        OutputCommand::CopyText(text) => Some(text.clone()),
        _ => None,
    })
}

#[test]
fn output_is_shown_during_and_after_the_run() {
    let mut window = running(
        "printf 'one\\n\\033[31mtwo\\033[0m\\n%s done\\r%s done\\r' 10 20; echo trouble >&2; exit 3",
    );
    until_line(&mut window, "two");
    assert!(!window.shows("\u{1b}"));
    window.until("exit code 3");
    until_line(&mut window, "20 done");
    assert_eq!(window.count("10 done"), 0);
    window.click("Stderr");
    until_line(&mut window, "trouble");
    assert_eq!(window.count("two"), 0);
}

#[test]
fn output_pane_follows_a_command_to_its_crash() {
    let folder = tempfile::tempdir().unwrap();
    let until = |word: &str| {
        let path = folder.path().join(word);
        format!("until [ -e '{}' ]; do sleep 0.01; done", path.display())
    };
    let mut window = running(&format!(
        "ulimit -c 0; echo begun; {}; yes flood | head -c 50000000; echo asleep >&2; {}; kill -SEGV $$",
        until("flood"),
        until("die"),
    ));
    until_line(&mut window, "begun");
    assert_eq!(window.count("flood"), 0);

    file(folder.path(), "flood", b"");
    window.until("47.7 MiB · ");
    window.until("46.7 MiB dropped");
    until_line(&mut window, "flood");
    assert_eq!(window.count("begun"), 0, "it is dropped");

    window.until("7 B on stderr");
    window.click("Stderr");
    until_line(&mut window, "asleep");
    assert!(window.shows("running"));
    assert!(window.is_enabled("Terminate"));

    file(folder.path(), "die", b"");
    window.until("SIGSEGV");
    window.until_it(|window| !window.is_enabled("Terminate"), "the end");
    assert_eq!(window.count("asleep"), 1, "its last words stay");
    window.click("Results");
    assert!(window.shows("was killed by signal 11 (SIGSEGV)"));
}

#[test]
fn scrolled_lines_stay_during_a_flood_until_follow() {
    let folder = tempfile::tempdir().unwrap();
    let go = folder.path().join("go");
    let mut window = running(&format!(
        "seq 1000; until [ -e '{}' ]; do sleep 0.01; done; seq 1001 900000",
        go.display()
    ));
    until_line(&mut window, "1000");
    assert!(!window.is_enabled("Follow"));
    window.type_into("Find", "500");
    window.until("1 line");
    window.click("Next");
    until_line(&mut window, "500");
    let place = |window: &Window| window.harness.get_by_label("500").rect();
    let before = place(&window);
    assert!(window.is_enabled("Follow"));

    file(folder.path(), "go", b"");
    window.until("exit code 0");
    window.until("newer than these lines");
    assert_eq!(place(&window), before);

    window.click("Follow");
    until_line(&mut window, "900000");
    assert!(!window.shows("newer than these lines"));
    assert!(!window.is_enabled("Follow"));
}

#[test]
fn slow_output_is_added_below_scrolled_lines() {
    let folder = tempfile::tempdir().unwrap();
    let go = folder.path().join("go");
    let mut window = running(&format!(
        "seq 1000; until [ -e '{}' ]; do sleep 0.01; done; seq 1001 1500",
        go.display()
    ));
    until_line(&mut window, "1000");
    window.type_into("Find", "50");
    window.until("20 lines");
    window.click("Next");
    until_line(&mut window, "50");
    file(folder.path(), "go", b"");
    window.until("of 26 lines");
    assert_eq!(window.count("50"), 1);
    assert!(!window.shows("newer than these lines"));
}

#[test]
fn process_reaped_by_others_is_shown_as_lost() {
    let name = "output::process_reaped_by_others_is_shown_as_lost";
    // Children of one that ignores SIGCHLD are reaped by the system.
    let setup = r#"exec env --ignore-signal=CHLD "$0" "$@""#;
    in_child_with(setup, name, || {
        let mut window = running("echo said; exit 3");
        window.until("exit unknown");
        until_line(&mut window, "said");
        assert!(!window.is_enabled("Kill"));
        window.click("Results");
        window.until("exited, but its status was reaped by other code");
    });
}

#[test]
fn output_pane_says_that_there_is_no_process() {
    let mut window = Window::open();
    window.misbehave("Return", 1.0, 1.0, 0.0);
    window.click("Start");
    window.until("1 of 1 item");
    window.click("Output");
    assert!(window.shows("No process"));
    assert!(window.harness.query_by_label("Terminate").is_none());
}

#[test]
fn flood_takes_bounded_memory_and_shows_dropped_bytes() {
    // In a process of its own: the memory of other tests would count.
    let name = "output::flood_takes_bounded_memory_and_shows_dropped_bytes";
    in_child(name, || {
        let before = resident();
        let mut window = running("yes | head -c 300000000; exec sleep 86400");
        window.until("286.1 MiB · ");
        window.until("285.1 MiB dropped");
        let drawn = window.count("y");
        assert!((5..80).contains(&drawn), "{drawn} lines drawn");
        let grown = resident().saturating_sub(before);
        assert!(grown < 64 << 20, "{} MiB more", grown >> 20);
        window.click("Kill");
        window.until("SIGKILL");
    });
}

/// In bytes.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").expect("Linux has /proc");
    let pages = pages.split(' ').nth(1).expect("resident pages");
    pages.parse::<usize>().expect("a number") * 4096
}

#[test]
fn long_line_is_drawn_in_part() {
    let mut window = running("head -c 1000000 /dev/zero | tr '\\0' x");
    window.until("(1000000 bytes in all)");
    window.named("Copy output").click();
    window.harness.step();
    assert_eq!(copied(&window).map(|text| text.len()), Some(1_000_001));
}

/// The number of vertices in the last frame.
fn vertices(window: &Window) -> usize {
    let (ctx, output) = (&window.harness.ctx, window.harness.output());
    let meshes = ctx.tessellate(output.shapes.clone(), output.pixels_per_point);
    let vertices = meshes.iter().map(|mesh| match &mesh.primitive {
        Primitive::Mesh(mesh) => mesh.vertices.len(),
        Primitive::Callback(_) => 0,
    });
    vertices.sum()
}

#[test]
fn line_of_100_mb_costs_no_more_than_a_cut_line() {
    let cost_of = |bytes: usize, drawn: &str| {
        let mut window = running(&format!("head -c {bytes} /dev/zero | tr '\\0' x"));
        window.until("exit code 0");
        window.until(drawn);
        window.harness.run_steps(3);
        vertices(&window)
    };
    let cut = cost_of(10_000, "(10000 bytes in all)");
    let endless = cost_of(100_000_000, "(1048576 bytes in all)");
    assert!(endless < cut + cut / 10, "{endless} beside {cut} vertices");
}

#[test]
fn endless_flood_costs_no_more_than_idle_lines() {
    let mut at_rest = running("yes | head -n 5000");
    at_rest.until("exit code 0");
    at_rest.harness.run_steps(3);
    let (lines, cost) = (at_rest.count("y"), vertices(&at_rest));
    let mut window = running("exec yes");
    window.until("dropped");
    for _ in 0..200 {
        window.harness.step();
        assert!(
            window.count("y") <= lines + 1,
            "{} lines",
            window.count("y")
        );
        let now = vertices(&window);
        assert!(now < cost + cost / 5, "{now} beside {cost} vertices");
    }
    window.click("Kill");
    window.until("SIGKILL");
}

#[test]
fn binary_output_keeps_lines_and_is_saved_unchanged() {
    let mut window = running("printf 'nul \\0.\\nold\\rnew\\nbad \\377 byte\\n'");
    window.until("exit code 0");
    for line in ["nul .", "new", "bad \u{fffd} byte"] {
        until_line(&mut window, line);
    }
    let path = window.dir.path().join("saved.txt");
    let picked = DialogAnswer::Picked(vec![path.clone()]);
    window.dialogs.answer(picked);
    window.click("Save output…");
    window.until("saved to");
    let saved = std::fs::read(path).unwrap();
    assert_eq!(saved, b"nul \0.\nold\rnew\nbad \xff byte\n");
}

#[test]
fn find_scrolls_to_the_line() {
    let mut window = running("seq 5000");
    window.until("exit code 0");
    until_line(&mut window, "5000");
    assert_eq!(window.count("1234"), 0);
    assert!(!window.is_enabled("Next"));
    window.type_into("Find", "1234");
    window.until("1 line");
    window.press_keys_of(workbench::NEXT_MATCH);
    window.until("1 of 1 line");
    window.until_it(|window| window.count("1234") == 1, "the line itself");
    assert!(window.named("Find").is_focused());
}

#[test]
fn find_ignores_case_and_goes_both_ways() {
    let mut window = running("printf 'Alpha\\nbeta\\nALPHA\\n'");
    until_line(&mut window, "ALPHA");
    window.type_into("Find", "alpha");
    window.until("2 lines");
    window.click("Next");
    window.until("1 of 2 lines");
    window.click("Next");
    window.until("2 of 2 lines");
    window.click("Next");
    window.until("1 of 2 lines");
    window.click("Previous");
    window.until("2 of 2 lines");
    window.press_keys_of(workbench::FIND);
    assert!(window.named("Find").is_focused());
}

#[test]
fn output_is_saved_byte_for_byte() {
    let mut window = running("printf 'a\\033[1mb\\377\\r\\n'");
    window.until("exit code 0");
    let path = window.dir.path().join("saved.txt");
    window
        .dialogs
        .answer(DialogAnswer::Picked(vec![path.clone()]));
    window.click("Save output…");
    window.until("saved to");
    assert_eq!(std::fs::read(path).unwrap(), b"a\x1b[1mb\xff\r\n");
    let request = window.dialogs.asked().remove(0);
    let DialogRequest::Save { file_name, .. } = request else {
        panic!("{request:?}");
    };
    assert_eq!(file_name, "meanwhile-1-1.stdout.txt");
}

#[test]
fn stop_tree_ends_descendants_and_names_the_signal() {
    let folder = tempfile::tempdir().unwrap();
    let sleeper = Sleeper::new(folder.path());
    let mut window = running(&format!("echo ready; {} & wait", sleeper.command()));
    until_line(&mut window, "ready");
    window.click("End process tree");
    window.until("SIGTERM");
    assert!(!window.is_enabled("Terminate"));
    assert!(!window.is_enabled("Kill"));
    assert!(!window.is_enabled("End process tree"));
    assert!(sleeper.running().is_empty());
    window.click("Results");
    window.open_details("was killed by");
    window.until("· was killed by signal 15 (SIGTERM)");
}

#[test]
fn process_that_ignores_sigterm_can_be_killed() {
    let mut window = running("trap '' TERM; echo ready; while :; do sleep 0.01; done");
    until_line(&mut window, "ready");
    assert_eq!(window.count("asked to end"), 0);
    window.click("Terminate");
    assert_eq!(window.count("asked to end"), 1, "{}", window.texts());
    assert!(window.is_enabled("Kill"));
    window.click("Kill");
    window.until("SIGKILL");
}

#[test]
fn tree_in_its_grace_period_is_asked_to_end() {
    let mut window = Window::open();
    window.choose("Job", "Command");
    window.click("More options");
    window.named("Time to stop (s)").scroll_to_me();
    window.harness.run_steps(30);
    window.set("Time to stop (s)", 3600.0);
    window.click("Through /bin/sh");
    let script = "trap '' TERM; echo ready; while :; do sleep 0.01; done";
    window.type_into("Command line", script);
    window.click("Start");
    window.until("Results");
    window.click("Output");
    until_line(&mut window, "ready");
    window.click("End process tree");
    assert_eq!(window.count("asked to end"), 1, "{}", window.texts());
    window.click("Results");
    window.open_details("asked to end");
    window.until("· running, asked to end");
    window.click("Kill");
    window.until("SIGKILL");
}

#[test]
fn isolated_worker_can_be_killed_while_it_runs() {
    let mut window = Window::open();
    window.choose("Run on", "A process each");
    window.misbehave("Block forever", 1.0, 1.0, 0.0);
    window.click("Start");
    window.until("1 process running");
    assert!(window.is_enabled("Kill") && window.is_enabled("Terminate"));
    window.click("Cancel");
    window.until("0 processes running");
    assert!(!window.is_enabled("Kill") && !window.is_enabled("Terminate"));
}

#[test]
fn terminate_ends_only_the_selected_rows_process() {
    let mut window = Window::open();
    let dir = window.dir.path().to_owned();
    for name in ["first", "other"] {
        let path = super::window::file(&dir, name, b"");
        window.type_into("Path", path.to_str().unwrap());
        window.click("Add");
    }
    window.choose("Job", "Command");
    window.click("Through /bin/sh");
    window.type_into("Command line", "echo \"$1\"; exec sleep 86400");
    window.set("Workers", 2.0);
    window.click("Start");
    window.until("2 processes running");
    window.open_details("other");
    window.until("· running");
    window.click("Terminate");
    window.until("SIGTERM");
    window.until("1 process running");
    window.click("Output");
    window.until("SIGTERM");
    assert!(window.shows("· other"));
    assert!(!window.is_enabled("Terminate"), "that of the row has ended");
    window.click("Cancel");
    window.until("0 processes running");
}

#[test]
fn stopped_process_says_so_and_continues() {
    let mut window = running("kill -STOP $$; echo on");
    window.until_it(|window| window.count("paused") > 0, "the word");
    let pid = pid(&window);
    window.click("Results");
    window.open_details("paused");
    window.until("· paused by a signal such as SIGSTOP");
    signal(pid, nix::sys::signal::Signal::SIGCONT);
    window.until("· exited with code 0");
    window.click("Output");
    window.until("exit code 0");
    until_line(&mut window, "on");
}

#[test]
fn stream_held_by_a_descendant_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let sleeper = Sleeper::new(folder.path());
    let mut window = running(&format!("echo one; setsid {} & exit 0", sleeper.command()));
    // A shell, `setsid` or what that starts, as far as it has come.
    let names_it = |window: &Window| {
        let texts = window.texts_with("still held open by");
        texts.iter().any(|text| text.contains(" ("))
    };
    window.until_it(names_it, "its name");
    window.until_it(|_| !sleeper.running().is_empty(), "the descendant");
    drop(sleeper);
    window.until_it(
        |window| !window.shows("still held"),
        "the end of the stream",
    );
}

/// The pid that is shown.
fn pid(window: &Window) -> i32 {
    let texts = window.texts_with("process ");
    let mut numbers = texts.iter().filter_map(|text| {
        let number = text.strip_prefix("process ")?.split(' ').next()?;
        number.parse().ok()
    });
    numbers.next().expect("it is named")
}

fn signal(pid: i32, signal: nix::sys::signal::Signal) {
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), signal).expect("it is ours");
}
