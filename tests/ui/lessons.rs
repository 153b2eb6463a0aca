//! The page `Lessons`, with lessons that really run.

use std::time::Duration;

use eframe::egui::epaint::ClippedShape;
use eframe::egui::{self, Shape};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use meanwhile::lessons::LessonId;
use meanwhile::record::{Activity, LaneId, LaneKind, Timeline, TimelineEvent, TimelineKind};
use meanwhile::ui::lanes::Lanes;

use super::window::Window;

/// A window with the lesson `join`, which is made short.
fn at_join() -> Window {
    let mut window = Window::open();
    window.click("Lessons");
    window.click("join");
    window.set("Worker sleeps (s)", 0.1);
    window
}

/// A window with another lesson, as fast as it goes.
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

/// Closes a window and opens the next one with what it has kept.
fn reopened(window: Window) -> Window {
    window.reopen()
}

fn run(window: &mut Window, button: &str) {
    window.click(button);
    window.until_it(|window| !window.is_enabled("Stop"), "the end of the lesson");
}

/// A lane may be stopped before the lesson is.
fn stop(window: &mut Window) {
    window.click("Stop");
    window.until_it(|window| !window.is_enabled("Stop"), "the end of the lesson");
    assert!(window.shows("stopped"), "{}", window.texts());
}

#[test]
fn every_lesson_is_listed_with_its_question_and_its_code() {
    let mut window = Window::open();
    window.click("Lessons");
    for id in LessonId::all() {
        let lesson = id.lesson();
        window.named(lesson.id).scroll_to_me();
        window.harness.run_steps(10);
        window.click(lesson.id);
        for choice in lesson.question.choices {
            window.named(choice);
        }
        assert!(window.shows("fn main(stage: &Stage)"), "{id}");
    }
}

#[test]
fn a_run_shows_its_transcript_its_lanes_and_what_happened() {
    let mut window = at_join();
    assert!(window.shows("Nothing was said yet."));
    run(&mut window, "Run");
    for text in [
        "waiting for the worker",
        "done",
        "continuing",
        "as the lesson says",
    ] {
        assert!(window.shows(text), "{text}\n{}", window.texts());
    }
    assert!(window.shows("worker: there "), "{}", window.texts());
    window.click("What happened");
    assert!(window.shows("main goes on beside it"));
}

#[test]
fn a_wrong_answer_is_said_to_be_wrong_after_the_run_and_kept_with_the_progress() {
    let mut window = at_join();
    window.click("done, waiting, continuing");
    assert!(window.shows("Run the lesson to see whether that is so."));
    run(&mut window, "Run");
    assert!(window.shows("That is not what happens"));
    assert!(window.shows("1 of "));

    let mut window = reopened(window);
    window.click("Lessons");
    select(&mut window, "join");
    assert!(
        window.shows("That is not what happens"),
        "{}",
        window.texts()
    );
    assert!(window.shows("1 of "));
}

#[test]
fn a_lesson_that_runs_is_stopped_and_is_not_done() {
    let mut window = at_join();
    window.set("Worker sleeps (s)", 60.0);
    window.click("Run");
    window.until("waiting for the worker");
    assert!(!window.is_enabled("Run again"));
    stop(&mut window);
    assert!(window.shows("0 of "));
    window.set("Worker sleeps (s)", 0.1);
    run(&mut window, "Run again");
    assert!(window.shows("as the lesson says"));
}

/// What stands in the place of right or wrong as long as neither is known.
const NOT_KNOWN: &str = "Run the lesson to see whether that is so.";

#[test]
fn nothing_is_said_of_an_answer_after_a_run_that_was_stopped() {
    let mut window = at_join();
    window.click("waiting, done, continuing");
    window.set("Worker sleeps (s)", 60.0);
    window.click("Run");
    window.until("waiting for the worker");
    stop(&mut window);
    assert!(window.shows(NOT_KNOWN), "{}", window.texts());
    window.click("What happened");
    assert!(window.shows("Think first"), "{}", window.texts());
}

#[test]
fn nothing_is_said_of_an_answer_after_a_run_that_could_not_go_on() {
    let mut window = Window::open_without_launcher();
    window.click("Lessons");
    window.click("join");
    window.click("Processes");
    window.click("waiting, done, continuing");
    run(&mut window, "Run");
    assert!(!window.shows("as the lesson says"), "{}", window.texts());
    assert!(window.shows(NOT_KNOWN), "{}", window.texts());
    assert!(window.shows("0 of "));
}

#[test]
fn another_answer_is_judged_by_another_run_only() {
    let mut window = at_join();
    window.click("done, waiting, continuing");
    run(&mut window, "Run");
    window.click("waiting, done, continuing");
    assert!(window.shows(NOT_KNOWN), "{}", window.texts());
    window.click("done, waiting, continuing");
    assert!(window.shows("That is not what happens"));
    window.click("waiting, done, continuing");
    run(&mut window, "Run again");
    assert!(window.shows("That is right."), "{}", window.texts());
}

#[test]
fn an_answer_that_is_given_while_the_lesson_runs_is_not_judged_by_that_run() {
    let mut window = at_join();
    window.set("Worker sleeps (s)", 0.5);
    window.click("Run");
    window.until("waiting for the worker");
    window.click("waiting, done, continuing");
    window.until("as the lesson says");
    assert!(window.shows(NOT_KNOWN), "{}", window.texts());
}

#[test]
fn what_happened_is_shown_of_a_lesson_that_was_done_before_the_window_was_closed() {
    let mut window = at_join();
    run(&mut window, "Run");
    let mut window = reopened(window);
    window.click("Lessons");
    select(&mut window, "join");
    window.click("What happened");
    let meaning = "main goes on beside it";
    assert!(window.shows(meaning), "{}", window.texts());
    select(&mut window, "many");
    assert!(window.shows("Think first"), "{}", window.texts());
}

#[test]
fn the_status_bar_counts_what_a_lesson_has_running() {
    let mut window = at_join();
    window.set("Worker sleeps (s)", 60.0);
    window.click("Run");
    window.until("2 tasks running");
    assert!(window.shows("0 processes running"));
    stop(&mut window);
    assert!(window.shows("0 tasks running"), "{}", window.texts());
    window.click("Processes");
    window.click("Run again");
    window.until("1 process running");
    assert!(window.shows("1 task running"), "{}", window.texts());
    stop(&mut window);
    assert!(window.shows("0 processes running"), "{}", window.texts());
}

/// Whether something with this name is there, within the window.
fn is_in_sight(window: &Window, name: &str) -> bool {
    let screen = window.harness.ctx.content_rect();
    let found = window.harness.query_all_by_label(name);
    let mut places = found.map(|node| node.rect());
    places.any(|place| place.is_positive() && screen.contains_rect(place))
}

/// Turns the wheel over the transcript, down by so many points.
fn turn_the_wheel(window: &mut Window, down: f32) {
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
fn a_wide_table_leaves_the_other_half_of_the_page_in_sight() {
    let mut window = at("propagation");
    run(&mut window, "Run");
    assert!(window.shows("as the lesson says"), "{}", window.texts());
    window.harness.run_steps(3);
    let is_whole = |window: &Window| {
        let tabs = ["Code", "What happened", "In Python", "With std alone"];
        tabs.iter().all(|tab| is_in_sight(window, tab))
    };
    assert!(is_whole(&window), "{}", window.texts());
    let last_column = window.harness.get_by_label("printed").rect();
    let other_half = window.named("Code").rect();
    assert!(last_column.right() < other_half.left(), "{last_column}");
    let mut window = reopened(window);
    window.click("Lessons");
    assert!(is_whole(&window), "{}", window.texts());
}

#[test]
fn in_the_smallest_window_both_halves_and_every_column_of_a_table_have_room() {
    let mut window = at("propagation");
    run(&mut window, "Run");
    window.harness.set_size(egui::vec2(760.0, 480.0));
    window.harness.run_steps(5);
    let left = window.harness.get_by_label("Transcript").rect().left();
    let middle = window.named("Code").rect().left();
    assert!(middle - left > 200.0 && 760.0 - middle > 200.0, "{middle}");
    let column = window.harness.get_by_label("printed").rect();
    assert!(column.height() < 30.0, "it has no room: {column}");
}

/// It sticks to its bottom, and the page is scrolled to its top.
#[test]
fn a_long_transcript_below_what_is_in_sight_is_no_trouble() {
    let mut window = at("fetch");
    window.harness.set_size(egui::vec2(760.0, 480.0));
    window.set("Pages", 40.0);
    window.set("Speed", 50.0);
    run(&mut window, "Run");
    window.harness.run_steps(5);
    assert!(!is_in_sight(&window, "Transcript"), "{}", window.texts());
    window.harness.set_size(egui::vec2(1_280.0, 1_600.0));
    window.harness.run_steps(5);
    assert!(window.shows("different pages: 40"), "{}", window.texts());
}

#[test]
fn after_a_run_the_table_is_seen_from_its_top_and_the_transcript_below_it_is_reached() {
    let mut window = at("strategies");
    run(&mut window, "Run");
    window.harness.run_steps(3);
    let header = "results there";
    assert!(is_in_sight(&window, header), "{}", window.texts());
    let title = window.harness.get_by_label("Transcript").rect();
    let top = window.harness.get_by_label(header).rect().top();
    assert!(top > title.bottom(), "the table is scrolled");

    turn_the_wheel(&mut window, 2_000.0);
    let said = window.texts_with(" main ");
    assert!(!said.is_empty(), "{}", window.texts());
    let last = said.last().expect("there is one");
    assert!(is_in_sight(&window, last), "{last}");
}

#[test]
fn every_row_of_a_table_is_reached() {
    let mut propagation = at("propagation");
    let mut batch = at("batch");
    batch.set("Images", 24.0);
    for (window, last) in [(&mut propagation, "overflow"), (&mut batch, "24")] {
        run(window, "Run");
        window.harness.run_steps(3);
        assert!(!is_in_sight(window, last), "{}", window.texts());
        let is_reached = (0..10).any(|_| {
            turn_the_wheel(window, 100.0);
            is_in_sight(window, last)
        });
        assert!(is_reached, "{}", window.texts());
    }
}

#[test]
fn a_parameter_that_matters_with_tasks_alone_is_offered_with_tasks_alone() {
    let mut window = Window::open();
    window.click("Lessons");
    window.named("cancel").scroll_to_me();
    window.harness.run_steps(10);
    window.click("cancel");
    assert!(window.shows("The deaf task works (s)"));
    window.click("Processes");
    assert!(!window.shows("The deaf task works (s)"));
    assert!(window.shows("Main waits for the deaf one (s)"));
}

#[test]
fn what_stands_in_the_table_is_not_repeated_below_it() {
    let mut window = Window::open();
    window.click("Lessons");
    window.click("many");
    window.set("Speed", 50.0);
    run(&mut window, "Run");
    assert_eq!(window.count("both joined"), 1);
    assert!(!window.shows("both joined · "), "{}", window.texts());
    assert!(window.shows("seconds in all: "), "{}", window.texts());
}

#[test]
fn the_lines_that_main_and_the_worker_have_come_to_are_marked_until_the_end() {
    let mut window = at_join();
    assert!(!window.shows("Running line"), "{}", window.texts());
    window.set("Worker sleeps (s)", 60.0);
    window.click("Run");
    window.until_it(
        |window| window.texts_with("Running line").len() == 2,
        "both wait",
    );
    let code = "join".parse::<LessonId>().unwrap().lesson().code();
    let lines = ["stage.waits(\"the worker\", || task", "me.sleep("];
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
fn two_runs_with_other_numbers_stand_above_one_another() {
    let mut window = at_join();
    run(&mut window, "Run");
    window.set("Worker sleeps (s)", 0.3);
    window.click("Processes");
    run(&mut window, "Run again");
    window.click("Compare with the run before");
    assert!(
        window.shows("Before: tasks, speed 1, work 0.1"),
        "{}",
        window.texts()
    );
    assert!(window.shows("Now: processes, speed 1, work 0.3"));
    let lanes = window.harness.query_all_by_label_contains("worker: there ");
    assert_eq!(lanes.count(), 2);
}

#[test]
#[cfg(target_os = "linux")]
fn a_link_leads_to_the_pattern_of_the_freeze_lab() {
    let mut window = at_join();
    run(&mut window, "Run");
    window.click("What happened");
    window.click("join-in-click");
    assert!(window.shows("Run both"), "{}", window.texts());
}

/// One lane of so many sleeps, a millisecond each, with as much between them.
fn sleeps(count: u64) -> Timeline {
    let mut timeline = Timeline::default();
    let mut tell = |at, kind| {
        let at = Duration::from_millis(at);
        let lane = LaneId(1);
        timeline.apply(TimelineEvent { at, lane, kind });
    };
    let (name, kind) = ("worker".to_owned(), LaneKind::Task);
    tell(0, TimelineKind::DidOpen { name, kind });
    for number in 0..count {
        let (activity, label) = (Activity::Sleeps, String::new());
        tell(2 * number, TimelineKind::DidBegin { activity, label });
        tell(2 * number + 1, TimelineKind::DidEnd);
    }
    timeline
}

/// What is drawn of it where 200 points are in sight.
fn drawn(timeline: &Timeline) -> Vec<ClippedShape> {
    let ctx = egui::Context::default();
    let input = egui::RawInput {
        screen_rect: Some(egui::Rect::from_min_size(
            egui::Pos2::ZERO,
            egui::vec2(1_280.0, 200.0),
        )),
        ..egui::RawInput::default()
    };
    let mut output = ctx.run_ui(input, |ui| {
        Lanes::new(timeline).show(ui);
    });
    output.textures_delta.clear();
    output.shapes
}

/// How many meshes and how many of their corners it takes to draw it.
fn cost(timeline: &Timeline) -> (usize, usize) {
    let shapes = drawn(timeline);
    let meshes = shapes.iter().filter_map(|shape| match &shape.shape {
        Shape::Mesh(mesh) => Some(mesh.vertices.len()),
        _ => None,
    });
    let corners: Vec<_> = meshes.collect();
    (corners.len(), corners.iter().sum())
}

#[test]
fn the_lanes_of_a_hundred_thousand_spans_are_one_mesh_of_a_few_corners_a_pixel() {
    let few = cost(&sleeps(100));
    let many = cost(&sleeps(100_000));
    assert_eq!((few.0, many.0), (1, 1));
    assert!(few.1 >= 100 * 8, "{few:?}");
    assert!(many.1 <= 1_280 * 8 + 4, "{many:?}");
}

/// So many who run side by side.
fn side_by_side(count: u64) -> Timeline {
    let mut timeline = Timeline::default();
    for number in 0..count {
        let (name, kind) = (format!("worker {number}"), LaneKind::Task);
        timeline.apply(TimelineEvent {
            at: Duration::from_millis(1),
            lane: LaneId(number),
            kind: TimelineKind::DidOpen { name, kind },
        });
    }
    timeline
}

#[test]
fn lanes_out_of_sight_are_not_drawn() {
    let few = drawn(&side_by_side(5)).len();
    let many = drawn(&side_by_side(10)).len();
    assert!(few < many, "{few} shapes of five lanes, {many} of ten");
    assert_eq!(drawn(&side_by_side(10_000)).len(), many);
}

/// The figures of the axis that are wholly within 200 points.
fn figures(timeline: &Timeline) -> Vec<String> {
    let shapes = drawn(timeline).into_iter();
    let figures = shapes.filter_map(|shape| match shape.shape {
        Shape::Text(text) => {
            let place = text.visual_bounding_rect();
            let is_in_sight = shape.clip_rect.contains_rect(place) && place.bottom() <= 200.0;
            is_in_sight.then(|| text.galley.text().to_owned())
        }
        _ => None,
    });
    let figures = figures.filter(|text| text.ends_with(" s"));
    figures.collect()
}

#[test]
fn the_figures_of_the_axis_are_in_sight_however_many_lanes_there_are() {
    let few = figures(&side_by_side(3));
    assert!(few.len() > 1, "{few:?}");
    assert_eq!(figures(&side_by_side(30)), few);
}

/// A lane that waits so many times, and each time sleeps inside of that.
fn sleeps_while_it_waits(count: u64, is_ended: bool) -> Timeline {
    let mut timeline = Timeline::default();
    let mut tell = |at, kind| {
        let at = Duration::from_millis(at);
        let lane = LaneId(1);
        timeline.apply(TimelineEvent { at, lane, kind });
    };
    let (name, kind) = ("worker".to_owned(), LaneKind::Task);
    tell(0, TimelineKind::DidOpen { name, kind });
    for number in 0..count {
        for (at, activity) in [(1, Activity::Waits), (3, Activity::Sleeps)] {
            let label = format!("{activity:?}");
            tell(10 * number + at, TimelineKind::DidBegin { activity, label });
        }
        if is_ended {
            tell(10 * number + 6, TimelineKind::DidEnd);
            tell(10 * number + 8, TimelineKind::DidEnd);
        }
    }
    let text = String::new();
    tell(10 * count, TimelineKind::Message { text });
    timeline
}

#[test]
fn what_was_begun_inside_of_something_else_is_painted_over_it() {
    for is_ended in [true, false] {
        let (meshes, corners) = cost(&sleeps_while_it_waits(1, is_ended));
        // The lane, and for either span its ground and its bar.
        assert_eq!((meshes, corners), (1, 4 + 8 + 8), "ended: {is_ended}");
    }
    let many = cost(&sleeps_while_it_waits(50_000, true));
    assert!(many.1 <= 1_280 * 16 + 4, "{many:?}");
    let deep = cost(&sleeps_while_it_waits(50_000, false));
    assert!(deep.1 <= 1_280 * 16 + 4, "{deep:?}");
}

/// What is said of the place at this share of the time of a timeline.
fn hovered(timeline: Timeline, share: f32) -> String {
    let mut harness = Harness::builder()
        .with_size([1_280.0, 200.0])
        .build_ui(move |ui| {
            Lanes::new(&timeline).show(ui);
        });
    let lane = harness.get_by_label_contains("worker: there ").rect();
    // As far as the names and the marks leave room.
    let x = egui::Rangef::new(lane.left() + 132.0, lane.right() - 20.0);
    let place = egui::pos2(x.min + share * x.span(), lane.center().y);
    harness.hover_at(place);
    harness.run_steps(60);
    let text = harness.get_by_label_contains("from ");
    text.value().expect("a label has a text")
}

#[test]
fn what_runs_between_two_spans_is_said_to_run_from_the_one_to_the_other() {
    let of = |share| hovered(sleeps(3), share);
    // It sleeps from 0 to 1, from 2 to 3 and from 4 to 5 milliseconds.
    assert_eq!(of(0.5), "worker \nfrom 0.002 s, 1.0 ms");
    assert_eq!(of(0.3), "worker runs\nfrom 0.001 s, 1.0 ms");
    assert_eq!(of(0.7), "worker runs\nfrom 0.003 s, 1.0 ms");
}

#[test]
fn what_runs_before_the_first_span_and_after_the_last_is_said_to_run_so_long() {
    let of = |share| hovered(sleeps_while_it_waits(1, true), share);
    assert_eq!(of(0.05), "worker runs\nfrom 0.000 s, 1.0 ms");
    assert_eq!(of(0.15), "worker Waits\nfrom 0.001 s, 7.0 ms");
    assert_eq!(of(0.4), "worker Sleeps\nfrom 0.003 s, 3.0 ms");
    assert_eq!(of(0.7), "worker Waits\nfrom 0.001 s, 7.0 ms");
    assert_eq!(of(0.9), "worker runs\nfrom 0.008 s, 2.0 ms");
}
