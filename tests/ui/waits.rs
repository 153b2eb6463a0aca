//! Who waits for whom, as seen in the window. The pane shows the waits of the whole program, so each test has a process
//! of its own.

use std::path::Path;
use std::time::{Duration, Instant};

use eframe::egui::accesskit::Role;
use eframe::egui::epaint::text::MissingGlyphPolicy;
use eframe::egui::{Key, Modifiers, ViewportId};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use meanwhile::join;

use super::child::in_child;
use super::output::running;
use super::resting::rest;
use super::typist::Typist;
use super::window::{Window, with_a_long_job};

/// Two processes of which each reads what only the other one could write. The shell waits for one of them.
fn ring_in(folder: &Path) -> String {
    let folder = folder.display();
    format!("cd '{folder}' && mkfifo a b; cat <a >b & (cat >a <b)")
}

/// A window that shows the waits of a shell script.
pub(crate) fn waiting(script: &str) -> Window {
    let mut window = running(script);
    let ctx = &window.harness.ctx;
    ctx.set_missing_glyph_policy(MissingGlyphPolicy::Panic);
    window.click("Waits");
    window
}

/// The boxes of the picture, in the order of the columns.
fn boxes(window: &Window) -> Vec<String> {
    let nodes = window.harness.query_all_by_label_contains(", ");
    let nodes = nodes.filter_map(|node| {
        let node = node.accesskit_node();
        node.description()?;
        node.label()
    });
    nodes.collect()
}

#[test]
fn pipeline_is_drawn_from_the_shell_to_the_cause() {
    in_child(
        "waits::pipeline_is_drawn_from_the_shell_to_the_cause",
        || {
            let mut window = waiting("sleep 600 | cat; :");
            window.until("reads from a pipe that only `sleep`");
            let boxes = boxes(&window);
            let begins = [
                "#1 Command, runs 1 process",
                "sh, pid ",
                "cat, pid ",
                "sleep, pid ",
            ];
            for begin in begins {
                assert!(
                    boxes.iter().any(|text| text.starts_with(begin)),
                    "{boxes:?}"
                );
            }
            let left = |part: &str| window.harness.get_by_label_contains(part).rect().left();
            let columns = [
                left("#1 Command, runs"),
                left("sh, pid "),
                left("cat, pid "),
                left("sleep, pid "),
            ];
            assert!(columns.is_sorted(), "{columns:?}");
            assert!(!window.shows("A ring:"));
            window.click("Table");
            window.until("(pipe)");
            assert!(window.shows("(child)"));
            assert!(window.shows("no deadline"));
        },
    );
}

#[test]
fn ring_of_two_processes_is_named_and_comes_first() {
    in_child(
        "waits::ring_of_two_processes_is_named_and_comes_first",
        || {
            let folder = tempfile::tempdir().unwrap();
            let mut window = waiting(&ring_in(folder.path()));
            window.until("A ring: nothing but a signal will move it.");
            assert!(
                window.shows("), which waits for cat (pid "),
                "{}",
                window.texts()
            );
            window.click("Table");
            window.step();
            let rows = window.texts_with("(FIFO)");
            assert_eq!(rows.len(), 2, "{}", window.texts());
            let top = |part: &str| {
                let nodes = window.harness.query_all_by_label_contains(part);
                nodes
                    .map(|node| node.rect().top())
                    .fold(f32::INFINITY, f32::min)
            };
            assert!(
                top("(FIFO)") < top("(child)"),
                "{:?} {:?}\n{}",
                window.texts_with("(FIFO)"),
                window.texts_with("(child)"),
                window.texts()
            );
            window.click("End process tree");
            window.until_it(|window| !window.shows("A ring:"), "the end of the ring");
        },
    );
}

#[test]
fn wait_of_a_command_lasts_at_least_so_long() {
    in_child("waits::wait_of_a_command_lasts_at_least_so_long", || {
        let mut window = waiting("exec sleep 600");
        window.until("sleeps for");
        window.click("Table");
        window.until("at least 1 s");
        window.until("at least 2 s");
        assert!(window.shows("lasts 10 min 00 s"), "{}", window.texts());
    });
}

#[test]
fn click_on_a_node_opens_the_output_of_its_item() {
    in_child(
        "waits::click_on_a_node_opens_the_output_of_its_item",
        || {
            let mut window = waiting("echo begun; exec sleep 600");
            window.until("sleeps for");
            window.harness.get_by_label_contains("sleep, pid ").click();
            window.step();
            window.until_it(|window| window.count("begun") > 0, "the output");
            assert!(window.shows("Follow"));
        },
    );
}

#[test]
fn click_on_a_node_selects_its_job() {
    in_child("waits::click_on_a_node_selects_its_job", || {
        let mut window = waiting("exec sleep 601");
        window.misbehave("Sleep", 1.0, 1.0, 600.0);
        window.click("Start");
        window.until("#2 Misbehave");
        window.click("Waits");
        window.until("sleep, pid ");
        let selected = |window: &Window| {
            let heading = window.harness.query_all_by_label("#1 Command");
            heading.count()
        };
        let before = selected(&window);
        window
            .harness
            .get_by_label_contains("#1 Command, runs")
            .click();
        window.step();
        window.step();
        assert_eq!(selected(&window), before + 1, "{}", window.texts());
        assert!(window.shows("Picture"), "the pane stays");
    });
}

#[test]
fn nodes_are_reached_and_opened_by_keyboard_alone() {
    in_child(
        "waits::nodes_are_reached_and_opened_by_keyboard_alone",
        || {
            let mut typist = Typist::at(waiting("echo begun; sleep 600 | cat; :"));
            typist.waits_for("reads from a pipe that only `sleep`");
            typist.activates("Picture");
            typist.goes_to("#1 Command, runs 1 process");
            typist.presses(Key::ArrowRight);
            let focus = typist.focus().unwrap();
            assert!(focus.starts_with("sh, pid "), "{focus}");
            typist.presses(Key::Tab);
            typist.presses(Key::Tab);
            let focus = typist.focus().unwrap();
            assert!(focus.starts_with("sleep, pid "), "{focus}");
            typist.presses(Key::Enter);
            typist.waits_until(|window| window.count("begun") > 0, "the output");
        },
    );
}

/// The boxes or rows that are selected, and whether the pointer could reach them.
fn selected(window: &Window) -> Vec<(String, bool)> {
    let nodes = window.harness.query_all_by_label_contains(", pid ");
    let nodes = nodes.filter_map(|node| {
        let found = node.accesskit_node();
        let place = node.rect();
        let is_selected = found.is_selected() == Some(true);
        let is_in_sight = window.harness.ctx.content_rect().contains_rect(place);
        is_selected.then(|| (found.label().unwrap_or_default(), is_in_sight))
    });
    nodes.collect()
}

#[test]
fn bar_of_the_timeline_selects_who_waits() {
    in_child("waits::bar_of_the_timeline_selects_who_waits", || {
        // More than there is room for, in the table and in the picture.
        let mut window = waiting("for n in $(seq 70); do sleep 600 & done; sleep 600");
        window.until("and 13 more, which the table has");
        window.named("Command line").focus();
        window.step();
        window.press(Modifiers::COMMAND, Key::A);
        window.type_into("Command line", "echo begun; exec tail -f /dev/null");
        window.click("Start");
        window.until("#2 Command");
        for form in ["Table", "Picture"] {
            window.click("Waits");
            window.until(form);
            window.click(form);
            window.click("Output");
            window.until_it(|window| window.count("begun") == 1, "the output");
            window.click("Show in timeline");
            window.until("Process 1, #2 Command");
            window.click("Who waits");
            let is_there = |window: &Window| match &selected(window)[..] {
                [(name, is_in_sight)] => name.starts_with("tail, pid ") && *is_in_sight,
                _ => false,
            };
            window.until_it(is_there, form);
        }
    });
}

#[test]
fn bar_of_what_waits_for_nobody_opens_the_pane() {
    in_child("waits::bar_of_what_waits_for_nobody_opens_the_pane", || {
        let mut window = with_a_long_job();
        let is_running = |window: &Window| {
            let mut nodes = window.harness.query_all_by_label_contains("running");
            nodes.any(|node| node.accesskit_node().role() == Role::Cell)
        };
        window.until_it(is_running, "the begin of the item");
        window.open_menu("item 1");
        window.click("Show in timeline");
        window.until("item 1\n");
        window.click("Who waits");
        window.until_it(
            |window| window.shows("Picture") || window.shows("No waits"),
            "the pane",
        );
        assert!(selected(&window).is_empty(), "{}", window.texts());
    });
}

#[test]
fn more_nodes_than_are_drawn_are_counted() {
    in_child("waits::more_nodes_than_are_drawn_are_counted", || {
        let mut window = waiting("for n in $(seq 70); do sleep 600 & done; sleep 600");
        // The job, the shell and 71 commands; 60 are drawn.
        window.until("and 13 more, which the table has");
        assert_eq!(boxes(&window).len(), 60);
        window.click("Table");
        window.step();
        assert!(!window.shows("13 more"));
    });
}

#[test]
fn join_of_the_window_has_its_time_left() {
    in_child("waits::join_of_the_window_has_its_time_left", || {
        let mut window = with_a_long_job();
        window.click("Waits");
        window.set("Timeout (s)", 500.0);
        window.click("Join with timeout");
        window.until("the window, in the background, waits for #1 Misbehave to end");
        window.click("Table");
        window.until("8 min ");
        window.click("Detach");
        window.until_it(
            |window| !window.shows("the window, in"),
            "the end of the join",
        );
    });
}

#[test]
fn pane_of_an_ended_job_asks_for_no_frame() {
    in_child("waits::pane_of_an_ended_job_asks_for_no_frame", || {
        let mut window = waiting("sleep 0.3");
        window.until("1 of 1 item");
        let frames = rest(&mut window);
        assert!(frames < 60, "{frames} frames to come to rest");
    });
}

/// Whether a look at processes is in progress.
fn is_looking() -> bool {
    let tasks = join::live_tasks();
    tasks.iter().any(|task| &*task.name == "look at waits")
}

/// Counts the looks of a time in which a shown pane would take some: one a second.
#[test]
fn hidden_pane_takes_no_looks() {
    in_child("waits::hidden_pane_takes_no_looks", || {
        let mut window = waiting("exec sleep 600");
        window.until("sleeps for");
        // Behind another pane, and behind another page.
        for hide in [&["Output"][..], &["Waits", "Settings"]] {
            for name in hide {
                window.click(name);
            }
            // It was drawn a moment ago.
            window.step();
            window.step();
            window.until_it(|_| !is_looking(), "the end of the last look");
            let hidden = Instant::now();
            while hidden.elapsed() < Duration::from_secs(3) {
                window.harness.step();
                assert!(!is_looking());
                std::thread::park_timeout(Duration::from_millis(8));
            }
        }
        window.click("Workbench");
        window.until_it(|_| is_looking(), "a look");
    });
}

#[test]
fn running_command_is_drawn_a_few_times_a_second() {
    in_child(
        "waits::running_command_is_drawn_a_few_times_a_second",
        || {
            let mut window = waiting("exec sleep 600");
            window.until("sleeps for");
            // While nothing looks, the next frame is that of a running job.
            window.until_it(|_| !is_looking(), "the end of a look");
            let mut delays = Vec::new();
            for _ in 0..6 {
                window.harness.step();
                let output = &window.harness.output().viewport_output[&ViewportId::ROOT];
                delays.push(output.repaint_delay);
            }
            let longest = delays.iter().max().unwrap();
            assert!(longest.as_millis() >= 50, "{delays:?}");
            window.press(Modifiers::NONE, Key::Escape);
        },
    );
}
