//! The way through the lessons: the answer comes after the run, then the next lesson.

use std::collections::BTreeMap;

use eframe::egui::accesskit::{Role, Toggled};
use eframe::egui::{self, OutputCommand, Rect};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use meanwhile::app::{DialogAnswer, DialogRequest};
use meanwhile::lessons::LessonId;

use super::window::Window;

const RUNS_HERE: &str = "What runs here";

/// A window with this lesson, at maximum speed.
fn at(lesson: LessonId) -> Window {
    let mut window = Window::open();
    window.click("Lessons");
    window.scroll_to(lesson.lesson().id);
    window.click(lesson.lesson().id);
    window.set("Speed", 20.0);
    window
}

fn lesson(id: &str) -> LessonId {
    id.parse().expect("there is such a lesson")
}

fn run(window: &mut Window) {
    window.click("Run");
    window.until_it(|window| !window.is_enabled("Stop"), "the end of the lesson");
}

#[test]
fn newcomer_sees_plain_rust_and_python_first() {
    let window = at(lesson("join"));
    assert!(window.shows("thread::spawn("), "{}", window.texts());
    let tabs = ["Plain Rust", "Python", RUNS_HERE, "What happened"];
    let lefts = tabs.map(|tab| window.named(tab).rect().left());
    assert!(lefts.is_sorted(), "{lefts:?}");
}

#[test]
fn chosen_language_is_shown_by_the_next_window() {
    let mut window = at(lesson("join"));
    window.click("Python");
    let mut window = window.reopen();
    window.click("Lessons");
    assert!(window.shows("from threading import Thread"));
    window.click("Next lesson");
    assert!(window.shows("import "), "{}", window.texts());
}

#[test]
fn tabs_are_tabs_for_a_screen_reader() {
    let mut window = at(lesson("join"));
    window.click("Python");
    for (tab, is_shown) in [("Plain Rust", false), ("Python", true)] {
        let tab = window.named(tab);
        let node = tab.accesskit_node();
        assert_eq!(node.role(), Role::Tab);
        assert_eq!(node.is_selected(), Some(is_shown));
    }
    let list = window.named("Python").parent().expect("a row of tabs");
    assert_eq!(list.accesskit_node().role(), Role::TabList);
}

#[test]
fn answer_is_nowhere_before_the_run() {
    for id in LessonId::all() {
        let mut window = at(id);
        window.click(RUNS_HERE);
        assert!(!window.shows("fn verify("), "{id}");
        window.click("What happened");
        let begin = id.lesson().explanation.split(['`', '\n']).next();
        let begin = begin.expect("a part").trim();
        assert!(begin.is_empty() || !window.shows(begin), "{id}");
    }
}

#[test]
fn run_shows_the_check_and_the_explanation() {
    let mut window = at(lesson("join"));
    window.click(RUNS_HERE);
    run(&mut window);
    assert!(window.shows("fn verify("), "{}", window.texts());
    window.click("What happened");
    assert!(window.shows("main continues and prints"));
    // The next lesson keeps its own to itself.
    window.click("Next lesson");
    assert!(window.shows("fn main(trace: &Trace)"));
    assert!(!window.shows("fn verify("));
}

/// The places of all widgets whose names are unique.
fn places(window: &Window) -> BTreeMap<String, Rect> {
    let nodes = window.harness.root().children_recursive();
    let widgets = nodes.filter(|node| {
        let role = node.accesskit_node().role();
        !matches!(role, Role::Label | Role::Image)
    });
    let places = widgets.filter_map(|node| Some((node.accesskit_node().label()?, node.rect())));
    let places = places.filter(|(name, _)| window.count(name) == 1);
    places.collect()
}

#[test]
fn run_moves_nothing() {
    for (width, height) in [(1_180.0, 780.0), (760.0, 480.0), (2_560.0, 1_440.0)] {
        for id in ["join", "many", "propagation", "batch"] {
            let mut window = at(lesson(id));
            window.harness.set_size(egui::vec2(width, height));
            window.harness.run_steps(5);
            let before = places(&window);
            assert!(before.len() > 20, "{before:?}");
            run(&mut window);
            window.harness.run_steps(5);
            for (name, after) in places(&window) {
                let Some(before) = before.get(&name) else {
                    continue;
                };
                // The separator is dragged in whole points.
                let moved = (after.min - before.min).abs().max_elem();
                assert!(
                    moved < 0.5,
                    "{id} at {width}: {name} from {before} to {after}"
                );
            }
        }
    }
}

#[test]
fn next_goes_through_the_list_and_stops_at_its_end() {
    let order = LessonId::in_order();
    let mut window = at(order[0]);
    // The order of the list on screen.
    let top = |window: &Window, id: LessonId| window.named(id.lesson().id).rect().top();
    let tops: Vec<_> = order.iter().map(|id| top(&window, *id)).collect();
    assert!(tops.is_sorted(), "{tops:?}");
    for id in &order {
        assert!(
            window.shows(&id.lesson().question.text.replace('`', "")),
            "{id}"
        );
        let card = window.named(id.lesson().id);
        let card = card.accesskit_node().toggled();
        assert_eq!(card, Some(Toggled::True), "{id}");
        let is_last = Some(id) == order.last();
        assert_eq!(window.is_enabled("Next lesson"), !is_last, "{id}");
        assert_eq!(window.shows("This is the last lesson."), is_last, "{id}");
        if !is_last {
            window.click("Next lesson");
            window.harness.run_steps(30);
        }
    }
    let last = order.last().expect("there are lessons");
    let screen = window.harness.ctx.content_rect();
    let card = window.named(last.lesson().id).rect();
    assert!(screen.contains_rect(card), "the list follows: {card}");
}

#[test]
fn reset_forgets_answer_settings_and_runs() {
    let mut window = at(lesson("join"));
    assert!(!window.is_enabled("Reset"));
    window.click("waiting, done, continuing");
    window.set("Worker sleeps (s)", 0.5);
    window.click("Processes");
    run(&mut window);
    window.until("Right.");
    assert!(window.shows("1 of "));
    window.click("Reset");
    assert!(!window.is_enabled("Reset"));
    assert!(!window.is_enabled("Copy transcript"));
    for text in [
        "Choose an answer",
        "0 of ",
        "Run the lesson to see its output.",
    ] {
        assert!(window.shows(text), "{text}\n{}", window.texts());
    }
    let value = window.named("Worker sleeps (s)").value();
    assert_eq!(value.as_deref(), Some("1.00"));
}

#[test]
fn reset_of_one_lesson_keeps_the_others() {
    let mut window = at(lesson("join"));
    run(&mut window);
    window.click("Next lesson");
    run(&mut window);
    assert!(window.shows("2 of "));
    window.click("Reset");
    assert!(window.shows("1 of "), "{}", window.texts());
}

#[test]
fn transcript_is_copied_in_its_order() {
    let mut window = at(lesson("join"));
    assert!(!window.is_enabled("Copy transcript"));
    run(&mut window);
    window.named("Copy transcript").click();
    window.harness.step();
    let commands = &window.harness.output().platform_output.commands;
    let copied = commands.iter().find_map(|command| match command {
        OutputCommand::CopyText(text) => Some(text.clone()),
        _ => None,
    });
    let copied = copied.expect("the text is on the clipboard");
    let parts = [
        "Wait for a worker (join)",
        "tasks, speed 20, work 1",
        "waiting for the worker",
        "done",
        "continuing",
        "as expected",
    ];
    let places = parts.map(|part| copied.find(part));
    assert!(places.iter().all(Option::is_some), "{copied}");
    assert!(places.is_sorted(), "{copied}");
    window.until("The transcript is on the clipboard.");
}

#[test]
fn saved_transcript_is_that_of_the_click() {
    let mut window = at(lesson("propagation"));
    run(&mut window);
    window.click("Save transcript…");
    let offered = DialogRequest::Save {
        title: "Save the transcript".to_owned(),
        file_name: "propagation.txt".to_owned(),
    };
    assert_eq!(window.dialogs.asked(), [offered]);
    assert!(
        !window.is_enabled("Save transcript…"),
        "one dialog at a time"
    );
    // Another lesson is shown when the dialog is answered.
    window.click("Next lesson");
    let path = window.dir.path().join("class.txt");
    window
        .dialogs
        .answer(DialogAnswer::Picked(vec![path.clone()]));
    window.until("The transcript was saved to");
    let text = std::fs::read_to_string(path).unwrap();
    let rows = text.lines().filter(|line| line.contains('\t')).count();
    assert!(text.contains("(propagation)") && rows > 3, "{text}");
}

#[test]
fn links_have_the_titles_of_the_list() {
    let mut window = at(lesson("join"));
    run(&mut window);
    window.click("What happened");
    assert_eq!(
        window.count("join-timeout"),
        1,
        "the card in the list alone"
    );
    let title = lesson("join-timeout").lesson().title;
    let links = window
        .harness
        .query_all_by_role_and_label(Role::Link, title);
    assert_eq!(links.count(), 1, "{}", window.texts());
    window.click(title);
    let text = lesson("join-timeout").lesson().question.text;
    assert!(window.shows(&text.replace('`', "")));
}

#[test]
fn python_lane_is_unknown_and_tasks_are_not() {
    let mut window = at(lesson("join-timeout"));
    run(&mut window);
    let untold = "runs or waits, which it does not tell";
    let text_of = |lane: &str| {
        let lane = window.harness.get_by_label_contains(lane);
        lane.accesskit_node().label().expect("it has a name")
    };
    let (python, main) = (text_of("Python: alive "), text_of("main: alive "));
    assert!(python.contains(untold), "{python}");
    assert!(!main.contains(untold) && main.contains("waited"), "{main}");
    assert!(
        window.shows("unknown: another program"),
        "{}",
        window.texts()
    );
}
