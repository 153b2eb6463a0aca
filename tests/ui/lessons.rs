//! The page `Lessons`, with real runs.

use eframe::egui;
use egui_kittest::kittest::Queryable as _;
use meanwhile::lessons::LessonId;

use super::window::Window;

/// A window with the lesson `join`, with a short sleep.
fn at_join() -> Window {
    let mut window = Window::open();
    window.click("Lessons");
    window.click("join");
    window.set("Worker sleeps (s)", 0.1);
    window
}

/// A window with another lesson, at maximum speed.
fn at(lesson: &str) -> Window {
    let mut window = Window::open();
    window.click("Lessons");
    select(&mut window, lesson);
    window.set("Speed", 20.0);
    window
}

fn select(window: &mut Window, lesson: &str) {
    window.named(lesson).scroll_to_me();
    window.harness.run_steps(10);
    window.click(lesson);
}

/// Closes the window, and opens another one with its saved state.
fn reopened(window: Window) -> Window {
    window.reopen()
}

fn run(window: &mut Window, button: &str) {
    window.click(button);
    window.until_it(|window| !window.is_enabled("Stop"), "the end of the lesson");
}

fn stop(window: &mut Window) {
    window.click("Stop");
    window.until_it(|window| !window.is_enabled("Stop"), "the end of the lesson");
    assert!(window.shows("stopped"), "{}", window.texts());
}

/// The tabs with programs, and what is in each of their programs.
const TABS: [(&str, &str); 3] = [
    ("Plain Rust", "fn main() "),
    ("Python", "import "),
    (RUNS_HERE, "fn main(trace: &Trace)"),
];

const RUNS_HERE: &str = "What runs here";

#[test]
fn every_lesson_shows_its_question_and_code() {
    let mut window = Window::open();
    window.click("Lessons");
    for id in LessonId::all() {
        let lesson = id.lesson();
        window.named(lesson.id).scroll_to_me();
        window.harness.run_steps(10);
        window.click(lesson.id);
        for choice in lesson.question.choices {
            window.named(&choice.replace('`', ""));
        }
        for (tab, language) in TABS {
            window.click(tab);
            assert!(window.shows(language), "{id}, {tab}");
        }
    }
}

#[test]
fn run_shows_transcript_timeline_and_explanation() {
    let mut window = at_join();
    assert!(window.shows("Run the lesson to see its output."));
    run(&mut window, "Run");
    for text in [
        "waiting for the worker",
        "done",
        "continuing",
        "as expected",
    ] {
        assert!(window.shows(text), "{text}\n{}", window.texts());
    }
    assert!(window.shows("worker: alive "), "{}", window.texts());
    window.click("What happened");
    assert!(window.shows("main continues and prints"));
}

#[test]
fn wrong_answer_and_progress_survive_a_restart() {
    let mut window = at_join();
    window.click("done, waiting, continuing");
    assert!(window.shows(NOT_TESTED));
    run(&mut window, "Run");
    assert!(window.shows("Wrong: see the transcript"));
    assert!(window.shows("1 of "));

    let mut window = reopened(window);
    window.click("Lessons");
    select(&mut window, "join");
    assert!(
        window.shows("Wrong: see the transcript"),
        "{}",
        window.texts()
    );
    assert!(window.shows("1 of "));
}

#[test]
fn stopped_lesson_is_not_done() {
    let mut window = at_join();
    window.set("Worker sleeps (s)", 60.0);
    window.click("Run");
    window.until("waiting for the worker");
    assert!(!window.is_enabled("Run"));
    stop(&mut window);
    assert!(window.shows("0 of "));
    window.set("Worker sleeps (s)", 0.1);
    run(&mut window, "Run");
    assert!(window.shows("as expected"));
}

/// Shown in place of right or wrong until a run has tested the answer.
const NOT_TESTED: &str = "Run the lesson to check your answer.";

#[test]
fn stopped_run_does_not_test_the_answer() {
    let mut window = at_join();
    window.click("waiting, done, continuing");
    window.set("Worker sleeps (s)", 60.0);
    window.click("Run");
    window.until("waiting for the worker");
    stop(&mut window);
    assert!(window.shows(NOT_TESTED), "{}", window.texts());
    window.click("What happened");
    assert!(
        window.shows("Answer the question and run"),
        "{}",
        window.texts()
    );
}

#[test]
fn failed_run_does_not_test_the_answer() {
    let mut window = Window::open_without_launcher();
    window.click("Lessons");
    window.click("join");
    window.click("Processes");
    window.click("waiting, done, continuing");
    run(&mut window, "Run");
    assert!(!window.shows("as expected"), "{}", window.texts());
    assert!(window.shows(NOT_TESTED), "{}", window.texts());
    assert!(window.shows("0 of "));
}

#[test]
fn changed_answer_needs_another_run() {
    let mut window = at_join();
    window.click("done, waiting, continuing");
    run(&mut window, "Run");
    window.click("waiting, done, continuing");
    assert!(window.shows(NOT_TESTED), "{}", window.texts());
    window.click("done, waiting, continuing");
    assert!(window.shows("Wrong: see the transcript"));
    window.click("waiting, done, continuing");
    run(&mut window, "Run");
    assert!(window.shows("Right."), "{}", window.texts());
}

#[test]
fn answer_during_the_run_is_not_tested_by_it() {
    let mut window = at_join();
    window.set("Worker sleeps (s)", 0.5);
    window.click("Run");
    window.until("waiting for the worker");
    window.click("waiting, done, continuing");
    window.until("as expected");
    assert!(window.shows(NOT_TESTED), "{}", window.texts());
}

#[test]
fn explanation_of_a_done_lesson_survives_a_restart() {
    let mut window = at_join();
    run(&mut window, "Run");
    let mut window = reopened(window);
    window.click("Lessons");
    select(&mut window, "join");
    window.click("What happened");
    let explanation = "main continues and prints";
    assert!(window.shows(explanation), "{}", window.texts());
    select(&mut window, "many");
    window.click("What happened");
    assert!(
        window.shows("Answer the question and run"),
        "{}",
        window.texts()
    );
}

#[test]
fn status_bar_counts_running_tasks_and_processes() {
    let mut window = at_join();
    window.set("Worker sleeps (s)", 60.0);
    window.click("Run");
    window.until("2 tasks running");
    assert!(window.shows("0 processes running"));
    stop(&mut window);
    assert!(window.shows("0 tasks running"), "{}", window.texts());
    window.click("Processes");
    window.click("Run");
    window.until("1 process running");
    assert!(window.shows("1 task running"), "{}", window.texts());
    stop(&mut window);
    assert!(window.shows("0 processes running"), "{}", window.texts());
}

/// Whether a widget with this name lies within the window.
fn is_visible(window: &Window, name: &str) -> bool {
    let screen = window.harness.ctx.content_rect();
    let found = window.harness.query_all_by_label(name);
    let mut rects = found.map(|node| node.rect());
    rects.any(|rect| rect.is_positive() && screen.contains_rect(rect))
}

/// Scrolls the transcript down by this many points.
fn scroll_transcript(window: &mut Window, down: f32) {
    let title = window.harness.get_by_label("Transcript").rect();
    window
        .harness
        .hover_at(title.center() + egui::vec2(0.0, 60.0));
    window.harness.step();
    window.harness.event(egui::Event::MouseWheel {
        unit: egui::MouseWheelUnit::Point,
        delta: egui::vec2(0.0, -down),
        phase: egui::TouchPhase::Move,
        source: egui::MouseWheelSource::Wheel,
        modifiers: egui::Modifiers::NONE,
    });
    window.harness.run_steps(30);
}

#[test]
fn wide_table_leaves_room_for_the_tabs() {
    let mut window = at("propagation");
    run(&mut window, "Run");
    assert!(window.shows("as expected"), "{}", window.texts());
    window.harness.run_steps(3);
    let are_tabs_visible = |window: &Window| {
        let tabs = ["Plain Rust", "Python", RUNS_HERE, "What happened"];
        tabs.iter().all(|tab| is_visible(window, tab))
    };
    assert!(are_tabs_visible(&window), "{}", window.texts());
    let last_column = window.harness.get_by_label("printed").rect();
    let tabs = window.named("Plain Rust").rect();
    assert!(last_column.right() < tabs.left(), "{last_column}");
    let mut window = reopened(window);
    window.click("Lessons");
    assert!(are_tabs_visible(&window), "{}", window.texts());
}

#[test]
fn smallest_window_has_room_for_tabs_and_columns() {
    let mut window = at("propagation");
    run(&mut window, "Run");
    window.harness.set_size(egui::vec2(760.0, 480.0));
    window.harness.run_steps(5);
    let left = window.harness.get_by_label("Transcript").rect().left();
    let middle = window.named("Plain Rust").rect().left();
    assert!(middle - left > 200.0 && 760.0 - middle > 200.0, "{middle}");
    let column = window.harness.get_by_label("printed").rect();
    assert!(column.height() < 30.0, "too narrow: {column}");
}

/// The transcript sticks to its bottom, while the page is scrolled to its top.
#[test]
fn long_transcript_out_of_sight_is_drawn_later() {
    let mut window = at("fetch");
    window.harness.set_size(egui::vec2(760.0, 480.0));
    window.set("Pages", 40.0);
    window.set("Speed", 50.0);
    run(&mut window, "Run");
    window.harness.run_steps(5);
    assert!(!is_visible(&window, "Transcript"), "{}", window.texts());
    window.harness.set_size(egui::vec2(1_280.0, 1_600.0));
    window.harness.run_steps(5);
    assert!(window.shows("different pages: 40"), "{}", window.texts());
}

#[test]
fn table_shows_its_top_and_transcript_is_reachable() {
    let mut window = at("strategies");
    run(&mut window, "Run");
    window.harness.run_steps(3);
    let header = "results";
    assert!(is_visible(&window, header), "{}", window.texts());
    let title = window.harness.get_by_label("Transcript").rect();
    let top = window.harness.get_by_label(header).rect().top();
    assert!(top > title.bottom(), "the table is scrolled");

    scroll_transcript(&mut window, 2_000.0);
    let messages = window.texts_with(" main ");
    assert!(!messages.is_empty(), "{}", window.texts());
    let last = messages.last().expect("there is one");
    assert!(is_visible(&window, last), "{last}");
}

#[test]
fn every_row_of_a_table_is_reachable() {
    let mut propagation = at("propagation");
    let mut batch = at("batch");
    batch.set("Images", 24.0);
    for (window, last) in [(&mut propagation, "overflow"), (&mut batch, "24")] {
        run(window, "Run");
        window.harness.run_steps(3);
        assert!(!is_visible(window, last), "{}", window.texts());
        let is_reachable = (0..10).any(|_| {
            scroll_transcript(window, 100.0);
            is_visible(window, last)
        });
        assert!(is_reachable, "{}", window.texts());
    }
}

#[test]
fn task_parameter_is_hidden_with_processes() {
    let mut window = Window::open();
    window.click("Lessons");
    window.named("cancel").scroll_to_me();
    window.harness.run_steps(10);
    window.click("cancel");
    assert!(window.shows("The unresponsive task works (s)"));
    window.click("Processes");
    assert!(!window.shows("The unresponsive task works (s)"));
    assert!(window.shows("Timeout for the unresponsive worker (s)"));
}

#[test]
fn table_rows_are_not_repeated_in_the_transcript() {
    let mut window = Window::open();
    window.click("Lessons");
    window.click("many");
    window.set("Speed", 50.0);
    run(&mut window, "Run");
    assert_eq!(window.count("both joined"), 1);
    assert!(!window.shows("both joined · "), "{}", window.texts());
    assert!(window.shows("seconds in total: "), "{}", window.texts());
}

#[test]
fn running_lines_are_marked_until_the_end() {
    let mut window = at_join();
    window.click(RUNS_HERE);
    assert!(!window.shows("Running line"), "{}", window.texts());
    window.set("Worker sleeps (s)", 60.0);
    window.click("Run");
    window.until_it(
        |window| window.texts_with("Running line").len() == 2,
        "both to wait",
    );
    let code = "join".parse::<LessonId>().unwrap().lesson().code();
    let lines = ["trace.wait(\"the worker\", || task", "trace.sleep("];
    for (running, expected) in window.texts_with("Running line").iter().zip(lines) {
        let line = code.lines().position(|line| line.contains(expected));
        let number = line.unwrap() + 1;
        let name = format!("Running line {number}: {expected}");
        assert!(running.starts_with(&name), "{running}, not {name}");
    }
    stop(&mut window);
    assert!(!window.shows("Running line"), "{}", window.texts());
}

#[test]
fn previous_run_is_shown_above_the_last() {
    let mut window = at_join();
    run(&mut window, "Run");
    window.set("Worker sleeps (s)", 0.3);
    window.click("Processes");
    run(&mut window, "Run");
    window.click("Compare with the previous run");
    assert!(
        window.shows("Previous: tasks, speed 1, work 0.1"),
        "{}",
        window.texts()
    );
    assert!(window.shows("Now: processes, speed 1, work 0.3"));
    let lanes = window.harness.query_all_by_label_contains("worker: alive ");
    assert_eq!(lanes.count(), 2);
}

#[test]
#[cfg(target_os = "linux")]
fn link_opens_the_pattern_of_the_freeze_lab() {
    let mut window = at_join();
    run(&mut window, "Run");
    window.click("What happened");
    window.click("Freeze Lab: join() in the click handler");
    assert!(window.shows("Run both"), "{}", window.texts());
}
