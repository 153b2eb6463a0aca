//! The page Timeline: lanes, zoom, selection, files.

use std::fs;

use eframe::egui::{
    Event, Key, Modifiers, MouseWheelSource, MouseWheelUnit, Pos2, Rect, TouchPhase, Vec2,
};
use egui_kittest::kittest::Queryable as _;
use meanwhile::app::DialogAnswer;
use meanwhile::pages::timeline::command;
use meanwhile::trace::{Group, GroupId, read_chrome};

use super::command_windows::{select_first_span, with_a_comparison, with_a_timeline};
use super::output::running;
use super::window::{Window, file, with_a_long_job};

/// The plot, which has the keys.
fn focus_plot(window: &mut Window) {
    window.harness.get_by_label_contains("Timeline of").focus();
    window.step();
}

/// Selects the first item of the job: the bars of the whole job and of its plan are above it.
fn select_first_item(window: &mut Window) {
    select_first_span(window);
    for _ in 0..4 {
        // The name of a lane may end with that of its last item.
        if window.shows("item 1\ndone, ") {
            return;
        }
        window.press(Modifiers::NONE, Key::ArrowDown);
        window.step();
        window.step();
    }
    panic!("no item\n{}", window.texts());
}

#[test]
fn job_has_a_lane_for_the_whole_and_for_threads() {
    let window = with_a_timeline();
    assert!(window.shows("#1 Misbehave"), "{}", window.texts());
    for lane in ["Job, #1 Misbehave: 2 spans", "Thread 1, #1 Misbehave"] {
        assert!(window.shows(lane), "{lane}\n{}", window.texts());
    }
}

#[test]
fn item_of_a_bar_is_found_in_the_results() {
    let mut window = with_a_timeline();
    select_first_item(&mut window);
    window.click("Show in results");
    window.until("1 of 3 selected");
}

#[test]
fn keys_zoom_and_move_and_show_all_again() {
    let mut window = with_a_timeline();
    focus_plot(&mut window);
    assert!(!window.is_enabled("Show all"));
    for key in [Key::W, Key::W, Key::A, Key::D, Key::S] {
        window.press(Modifiers::NONE, key);
        assert!(window.is_enabled("Show all"), "{key:?}");
    }
    window.press_keys_of(command::FIT);
    window.step();
    assert!(!window.is_enabled("Show all"));
}

#[test]
fn folded_and_filtered_lanes_are_gone() {
    let mut window = with_a_timeline();
    window.click("#1 Misbehave");
    assert!(!window.shows("Thread 1, "));
    window.click("#1 Misbehave");
    assert!(window.shows("Thread 1, "));
    window.type_into("Filter", "thread");
    assert!(window.shows("Thread 1, ") && !window.shows("Job, #1"));
    window.type_into("Filter", "nothing has this name");
    assert!(!window.shows("Thread 1, "));
}

#[test]
fn pinned_lane_comes_first() {
    let mut window = with_a_timeline();
    let top = |window: &Window, part: &str| {
        let nodes = window.harness.query_all_by_label_contains(part);
        let tops = nodes.map(|node| node.rect().top());
        tops.fold(f32::INFINITY, f32::min)
    };
    assert!(top(&window, "Job, #1") < top(&window, "Thread 1, "));
    window.click_part("Thread 1, ");
    window.step();
    assert!(top(&window, "Job, #1") > top(&window, "Thread 1, "));
}

#[test]
fn saved_trace_is_opened_beside_that_of_the_program() {
    let mut window = with_a_timeline();
    let path = window.dir.path().join("saved.trace.json");
    window.click("Save trace…");
    window
        .dialogs
        .answer(DialogAnswer::Picked(vec![path.clone()]));
    window.until("The trace was saved");
    let bytes = fs::read(&path).expect("it was saved");
    let read = read_chrome(bytes.as_slice()).expect("it is a trace");
    // The whole job, its plan, and three items; a busy machine may freeze the window.
    let of_job = read.trace.group(GroupId::new(1)).map(Group::len);
    assert_eq!((of_job, read.notes.len()), (Some(5), 0));
    window.click("Open trace…");
    window.dialogs.answer(DialogAnswer::Picked(vec![path]));
    window.until("saved.trace.json");
    window.until("This program");
    assert!(window.shows("Job, #1 Misbehave: 2 spans"));
    assert!(!window.shows("Show in results"));
    window.click("Close trace");
    window.step();
    assert!(!window.shows("This program"));
}

#[test]
fn window_opened_with_a_trace_shows_it() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let text = br#"[{"ph":"X","ts":1,"dur":2,"pid":"cargo","tid":1,"name":"build"},"#;
    let path = file(dir.path(), "cargo.trace.json", text);
    let mut window = Window::open_in(dir, &[path]);
    window.until("Process cargo");
    assert!(
        window.shows("Thread 1, Process cargo: 1 span, last build"),
        "{}",
        window.texts()
    );
}

#[test]
fn file_that_is_no_trace_is_refused_in_a_sentence() {
    let mut window = with_a_timeline();
    let path = file(window.dir.path(), "notes.txt", b"no trace");
    window.click("Open trace…");
    window.dialogs.answer(DialogAnswer::Picked(vec![path]));
    window.until("was not opened: it is no trace");
}

#[test]
fn removed_job_leaves_the_timeline() {
    let mut window = with_a_timeline();
    window.click("Workbench");
    window.click("Remove");
    window.click("Timeline");
    assert!(window.shows("Nothing has run yet"), "{}", window.texts());
}

#[test]
fn item_that_only_one_of_two_jobs_has_is_listed() {
    let mut window = with_a_comparison();
    for text in ["Before: #1 Misbehave", "After: #2 Misbehave"] {
        assert!(window.shows(text), "{text}\n{}", window.texts());
    }
    assert!(window.shows("vanished: item 3"), "{}", window.texts());
    let pictures = window
        .harness
        .query_all_by_label_contains("Timeline of 1 group");
    assert_eq!(pictures.count(), 2);
    window.click_part("vanished: item 3");
    window.click("Before");
    {
        let harness = &window.harness;
        let entries = harness.query_all_by_label("#2 Misbehave");
        let last = entries.max_by(|a, b| a.rect().left().total_cmp(&b.rect().left()));
        last.expect("the list is open").click();
    }
    window.until("Nothing differs; 4 spans are in both.");
    window.click("Close comparison");
    window.until("Follow");
}

#[test]
fn two_runs_have_one_time_axis() {
    let mut window = with_a_comparison();
    assert!(!window.is_enabled("Show all"));
    window.click("Closer");
    assert!(window.is_enabled("Show all"));
    // The keys of one picture move the other one, too.
    window.click("Show all");
    {
        let pictures = &window.harness;
        let mut pictures = pictures.query_all_by_label_contains("Timeline of");
        pictures.nth(1).expect("the second one").focus();
    }
    window.step();
    window.press(Modifiers::NONE, Key::W);
    assert!(window.is_enabled("Show all"));
}

/// The bars of two runs: the run, the thread, the name and the begin. Each lasts 100 ms.
const BARS: [(usize, usize, &str, u64); 7] = [
    (1, 1, "plan", 0),
    (1, 1, "read", 200),
    (1, 1, "sort", 600),
    (1, 1, "write", 900),
    (2, 1, "plan", 0),
    (2, 1, "read", 400),
    (2, 1, "write", 700),
];

/// A window that compares two runs out of a file.
fn with_two_runs(bars: &[(usize, usize, &str, u64)]) -> Window {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let events = bars.iter().map(|(run, thread, name, begin)| {
        let place = format!(r#""ph":"X","pid":{run},"tid":{thread}"#);
        let times = format!(r#""ts":{},"dur":100000"#, begin * 1000);
        format!(r#"{{{place},{times},"name":"{name}"}}"#)
    });
    let events = format!("[{}]", events.collect::<Vec<_>>().join(","));
    let path = file(dir.path(), "runs.trace.json", events.as_bytes());
    let mut window = Window::open_in(dir, &[path]);
    window.until("Process 2");
    window.click("Compare runs…");
    window.until("in both. Click one");
    window
}

/// Clicks the bar of a run that begins then, or beside all bars.
fn click_bar_at(window: &mut Window, run: usize, begin: u64) {
    let at = {
        let harness = &window.harness;
        let lane = format!("Thread 1, Process {}: ", run + 1);
        let y = harness.get_by_label_contains(&lane).rect().center().y;
        let mut plots = harness.query_all_by_label_contains("Timeline of");
        let plot = plots.nth(run).expect("one of each run").rect();
        // Both show the longer one, with a margin of 2 % at both ends.
        let share = (begin as f32 + 50.0 + 20.0) / 1_040.0;
        Pos2::new(plot.left() + plot.width() * share, y)
    };
    window.harness.hover_at(at);
    window.step();
    window.harness.drag_at(at);
    window.step();
    window.harness.drop_at(at);
    window.step();
    window.step();
}

#[test]
fn clicked_bar_is_selected_in_both_runs() {
    let mut window = with_two_runs(&BARS);
    click_bar_at(&mut window, 0, 200);
    window.until("read, runs, 100 ms, from 400 ms");
    assert!(window.shows("read, runs, 100 ms, from 200 ms"));
    // From the other run, and what was selected before is so no more.
    click_bar_at(&mut window, 1, 700);
    window.until("write, runs, 100 ms, from 900 ms");
    assert!(window.shows("write, runs, 100 ms, from 700 ms"));
    assert!(!window.shows("read, runs"), "{}", window.texts());
    click_bar_at(&mut window, 1, 550);
    assert!(!window.shows("runs, 100 ms"), "{}", window.texts());
}

#[test]
fn bar_without_a_counterpart_is_said_to_have_none() {
    let mut window = with_two_runs(&BARS);
    let alone = "Only before: there is no such bar after.";
    click_bar_at(&mut window, 0, 600);
    window.until(alone);
    assert!(window.shows("sort, runs, 100 ms, from 600 ms"));
    click_bar_at(&mut window, 0, 0);
    window.until_it(|window| window.texts_with("plan, runs").len() == 2, "both");
    assert!(!window.shows(alone));
    // A difference in the list says so, too.
    window.click_part("vanished: sort");
    assert!(window.shows(alone), "{}", window.texts());
    window.click_part("later: read");
    assert!(!window.shows(alone) && window.shows("read, runs, 100 ms, from 400 ms"));
}

#[test]
fn counterpart_out_of_sight_comes_into_sight() {
    let others = (1..80).map(|thread| (2, thread, "other", 0));
    let mut bars: Vec<_> = BARS[..4].iter().copied().chain(others).collect();
    bars.push((2, 80, "write", 700));
    let mut window = with_two_runs(&bars);
    assert!(window.shows("Thread 1, Process 2: ") && !window.shows("Thread 80, Process 2: "));
    click_bar_at(&mut window, 0, 900);
    window.until("write, runs, 100 ms, from 700 ms, Thread 80");
    window.until("Thread 80, Process 2: ");
    assert!(!window.shows("Thread 1, Process 2: "), "{}", window.texts());
}

#[test]
#[cfg(unix)]
fn both_runs_of_a_lesson_are_opened_and_compared() {
    let mut window = Window::open();
    window.click("Lessons");
    window.click("join");
    window.set("Speed", 20.0);
    for work in [1.0, 5.0] {
        window.set("Worker sleeps (s)", work);
        window.click("Run");
        window.until_it(|window| window.is_enabled("Run"), "the end");
    }
    window.click("Open in timeline");
    window.until("Lesson join");
    window.until("2 groups");
    window.click("Compare runs…");
    window.until("longer: ");
    // It takes the place of the one before.
    window.click("Lessons");
    window.click("Open in timeline");
    window.until("Follow");
    assert_eq!(window.count("Lesson join"), 1, "{}", window.texts());
}

#[test]
fn blocking_wait_is_a_freeze_with_its_cause() {
    let mut window = with_a_long_job();
    window.set("Timeout (s)", 0.25);
    window.click("Wait on the UI thread");
    window.click("Join with timeout");
    window.until("blocked the window for ");
    window.click("Timeline");
    window.until("UI thread, This window: ");
    let cause = "last waiting for a job on the UI thread: waits for ";
    assert!(window.shows(cause), "{}", window.texts());
    assert!(window.shows(" freeze"), "{}", window.texts());
    // The bars of jobs come first, so a freeze moves none of them.
    let top = |part: &str| window.harness.get_by_label_contains(part).rect().top();
    assert!(top("Job, #1") < top("UI thread, This window"));
}

#[test]
fn frame_says_what_asked_for_it() {
    let mut window = with_a_timeline();
    let strip = window.harness.get_by_label_contains("Frames of this");
    let strip = strip.rect();
    for place in 0..64 {
        let x = strip.left() + strip.width() * place as f32 / 64.0;
        window.harness.hover_at(Pos2::new(x, strip.center().y));
        for _ in 0..4 {
            window.step();
        }
        if window.shows("Asked for by ") {
            return;
        }
    }
    panic!("no frame has a cause\n{}", window.texts());
}

/// A window with the timeline of a shell command that runs on.
fn with_a_command() -> Window {
    let mut window = running("echo begun; exec sleep 600");
    window.until_it(|window| window.count("begun") == 1, "the output");
    window
}

#[test]
fn item_of_the_results_is_found_in_the_timeline() {
    let mut window = with_a_timeline();
    window.click("#1 Misbehave");
    window.type_into("Filter", "nothing has this name");
    window.click("Workbench");
    window.open_menu("item 2");
    window.click("Show in timeline");
    window.step();
    // It is shown, whatever was folded and filtered out.
    window.until("done, ");
    assert!(window.shows("item 2\ndone, "), "{}", window.texts());
    assert!(window.shows("Thread 1, #1 Misbehave"), "{}", window.texts());
}

#[test]
fn process_is_found_in_the_timeline_and_back() {
    let mut window = with_a_command();
    window.click("Show in timeline");
    window.until("Process 1, #1 Command");
    assert!(window.shows("runs, "), "{}", window.texts());
    window.click("Show output");
    window.until("Copy output");
    window.click("Timeline");
    window.click("Who waits");
    window.until("Picture");
    window.until("Show in timeline");
    window.click("Show in timeline");
    window.until("Show in results");
    window.click("Workbench");
    window.click("End process tree");
    window.until_it(|window| window.is_enabled("Remove"), "the end of the job");
    window.click("Timeline");
    let why_not = window.harness.state().why_not(command::WHO_WAITS);
    assert!(why_not.is_some_and(|why_not| why_not.contains("has ended")));
}

#[test]
fn bar_is_found_by_its_name_from_the_field() {
    let mut window = with_a_timeline();
    window.type_into("Find", "ITEM 2");
    window.press(Modifiers::NONE, Key::Enter);
    window.until("item 2\ndone, ");
    window.press(Modifiers::NONE, Key::F3);
    window.step();
    // There is one.
    assert!(window.shows("item 2\ndone, "), "{}", window.texts());
    window.type_into("Find", " is nowhere");
    window.press(Modifiers::NONE, Key::Enter);
    window.until("no bar has that name");
}

#[test]
fn every_match_is_found_forwards_and_backwards() {
    let mut window = with_a_timeline();
    window.type_into("Find", "item ");
    let mut found = Vec::new();
    for _ in 0..4 {
        window.press(Modifiers::NONE, Key::F3);
        window.step();
        let shown = window.texts_with("\ndone, ");
        found.extend(
            shown
                .iter()
                .filter_map(|text| Some(text.lines().next()?.to_owned())),
        );
    }
    assert_eq!(found[0], found[3], "{found:?}");
    let mut names = found[..3].to_vec();
    names.sort();
    assert_eq!(names, ["item 1", "item 2", "item 3"]);
    window.press(Modifiers::SHIFT, Key::F3);
    window.step();
    assert!(
        window.shows(&format!("{}\ndone, ", found[2])),
        "{}",
        window.texts()
    );
}

#[test]
fn lanes_without_a_failure_go_and_come_back() {
    let mut window = Window::open();
    window.misbehave("Error", 1.0, 3.0, 0.0);
    window.click("Start");
    window.until_it(|window| window.is_enabled("Remove"), "the end of the job");
    window.click("Timeline");
    window.choose("Bars that stand out", "Failed");
    assert!(window.shows("Thread 1, "), "{}", window.texts());
    window.choose("Bars that stand out", "Timed out");
    assert!(!window.shows("Thread 1, ") && !window.shows("Job, #1"));
    window.choose("Bars that stand out", "All");
    assert!(window.shows("Thread 1, ") && window.shows("Job, #1"));
}

/// Types both ends of the shown time.
fn type_range(window: &mut Window, from: &str, until: &str) {
    for (field, text) in [("From (s)", from), ("to (s)", until)] {
        window.named(field).focus();
        window.step();
        window.press(Modifiers::COMMAND, Key::A);
        window.named(field).type_text(text);
        window.step();
        window.step();
    }
    window.press(Modifiers::NONE, Key::Enter);
    window.step();
}

#[test]
fn typed_time_is_shown_and_nonsense_is_said() {
    let mut window = with_a_timeline();
    for (from, until, problem) in [
        ("soon", "1", "“soon” is no time: type seconds"),
        ("2", "1", "The end, “1”, is not after the begin, “2”"),
        ("1e9", "2e9", "type an earlier begin"),
        ("0", "inf", "“inf” is no time"),
    ] {
        type_range(&mut window, from, until);
        assert!(window.shows(problem), "{problem}\n{}", window.texts());
        assert!(!window.is_enabled("Show all"));
    }
    type_range(&mut window, "0", "0,00001");
    assert!(window.is_enabled("Show all"), "{}", window.texts());
    assert!(!window.shows(" type "));
    assert_eq!(
        window.named("From (s)").value().as_deref(),
        Some("0.0000000")
    );
}

/// The place of the bars.
fn plot(window: &Window) -> Rect {
    window.harness.get_by_label_contains("Timeline of").rect()
}

fn shown_until(window: &Window) -> f64 {
    let text = window.named("to (s)").value().expect("a time");
    text.parse().expect("a number")
}

#[test]
fn wheel_with_control_zooms_at_the_pointer() {
    let mut window = with_a_timeline();
    let whole = shown_until(&window);
    let at = plot(&window).left_center();
    window.harness.hover_at(at);
    let wheel = |window: &mut Window, up: f32, modifiers| {
        window.harness.event_modifiers(
            Event::MouseWheel {
                unit: MouseWheelUnit::Line,
                delta: Vec2::new(0.0, up),
                phase: TouchPhase::Move,
                source: MouseWheelSource::Wheel,
                modifiers,
            },
            modifiers,
        );
        for _ in 0..20 {
            window.step();
        }
    };
    // Without the key it scrolls.
    wheel(&mut window, 3.0, Modifiers::NONE);
    assert!(!window.is_enabled("Show all"));
    wheel(&mut window, 3.0, Modifiers::COMMAND);
    assert!(window.is_enabled("Show all"));
    let zoomed = shown_until(&window);
    assert!(zoomed < whole * 0.75, "{zoomed} of {whole}");
    wheel(&mut window, -9.0, Modifiers::COMMAND);
    assert!(shown_until(&window) > whole * 0.9);
}

#[test]
fn dragging_moves_the_time_and_selects_nothing() {
    let mut window = with_a_timeline();
    focus_plot(&mut window);
    for _ in 0..3 {
        window.press(Modifiers::NONE, Key::W);
    }
    let before = shown_until(&window);
    let (from, to) = (plot(&window).center(), plot(&window).left_center());
    window.harness.drag_at(from);
    window.step();
    window.harness.hover_at(to);
    window.step();
    window.harness.drop_at(to);
    window.step();
    window.step();
    let moved = shown_until(&window);
    assert!(moved > before * 1.1, "{before} {moved}");
    assert!(!window.shows("Show in results"));
}
