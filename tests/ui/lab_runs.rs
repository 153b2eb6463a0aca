//! The Freeze Lab's page while something runs. Scripts take the place of the small windows.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use eframe::egui::accesskit::Role;
use eframe::egui::{self, Key, Modifiers, Pos2, Rect, Vec2};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use meanwhile::pages::freeze_lab::placement::Surroundings;

use super::launching::launching_part;
use super::window::Window;

/// A page with a small window that freezes for as long as the test says, and stays as long.
struct Lab {
    window: Window,
    twins: Twins,
}

/// The folder of the script that takes the place of the small windows, and what it is told.
pub(crate) struct Twins(tempfile::TempDir);

/// Prints the facts of a window that freezes. By hand, it is closed at the end; else the scenario is over.
const TWIN: &str = r#"
fact() { echo "{\"at_ns\":$(($1 * 1000000)),\"fact\":$2}"; }
gap=$(cat "$0.gap")
fact 0 '{"DidBegin":{"hidden":false}}'
fact 1 '"DidStart"'
fact 1 '"DidClick"'
fact $gap '{"DidBegin":{"hidden":false}}'
fact $gap '"DidEnd"'
fact $gap '"DidShow"'
while [ -e "$0.stays" ]; do sleep 0.01; done
case $* in
*by-hand*) fact $gap '"DidClose"' ;;
*) fact $gap '"Over"' ;;
esac
"#;

impl Twins {
    /// A window that starts the script in place of its own program.
    pub(crate) fn open_window() -> (Self, Window) {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = folder.path().join("twin");
        let script = format!("#!/bin/sh\n{}{TWIN}", launching_part());
        fs::write(&path, script).expect("the folder is ours");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("the file is ours");
        let window = Window::open_with_program(path);
        (Self(folder), window)
    }

    /// Sets for how long the next window freezes, and whether it stays open.
    pub(crate) fn next(&self, gap_ms: u32, stays: bool) {
        let file = |ending| self.0.path().join(format!("twin.{ending}"));
        fs::write(file("gap"), gap_ms.to_string()).expect("the folder is ours");
        if stays {
            fs::write(file("stays"), "").expect("the folder is ours");
        } else if file("stays").exists() {
            fs::remove_file(file("stays")).expect("the folder is ours");
        }
    }
}

impl Lab {
    fn open() -> Self {
        let (twins, mut window) = Twins::open_window();
        window.click("Freeze Lab");
        Self { window, twins }
    }

    fn next(&self, gap_ms: u32, stays: bool) {
        self.twins.next(gap_ms, stays);
    }

    fn until_nothing_runs(&mut self) {
        let is_idle = |window: &Window| !window.is_enabled("Stop");
        self.window.until_it(is_idle, "the end of all runs");
    }
}

fn is_shown_tab(window: &Window, tab: &str) -> bool {
    window.named(tab).accesskit_node().is_selected() == Some(true)
}

#[test]
fn plots_and_figures_are_of_the_same_run() {
    let mut lab = Lab::open();
    lab.next(300, false);
    lab.window.click("Run bad");
    lab.until_nothing_runs();
    let plot = "Frame gaps over time, bad: longest ";
    assert!(
        lab.window.shows(&format!("{plot}300 ms")),
        "{}",
        lab.window.texts()
    );
    assert!(lab.window.count("300 ms") > 0, "the figures");

    lab.next(1_500, true);
    lab.window.click("Try by hand: bad");
    lab.window.until(&format!("{plot}1.50 s"));
    assert!(is_shown_tab(&lab.window, "By hand"));
    assert!(lab.window.shows("Longest time without a frame"));
    assert!(lab.window.count("1.50 s") > 0, "{}", lab.window.texts());
    assert_eq!(lab.window.count("300 ms"), 0, "figures of another run");
    for text in [
        "1 process running",
        "By hand: join-in-click, bad",
        "Close its window when you are done.",
    ] {
        assert!(lab.window.shows(text), "{text}\n{}", lab.window.texts());
    }
    lab.next(1_500, false);
    lab.until_nothing_runs();
    assert!(lab.window.shows("0 processes running"));
    assert!(lab.window.shows(&format!("{plot}1.50 s")), "still by hand");

    lab.window.click("Measured");
    assert!(lab.window.shows(&format!("{plot}300 ms")));
    assert!(lab.window.count("300 ms") > 0);
    assert_eq!(lab.window.count("1.50 s"), 0, "{}", lab.window.texts());
}

#[test]
fn fixed_window_comes_after_whatever_ran_first() {
    let mut lab = Lab::open();
    lab.next(300, false);
    for run in ["Run fixed", "Run bad"] {
        lab.window.click(run);
        lab.until_nothing_runs();
    }
    lab.window.click("Open in timeline");
    lab.window.until("2 groups");
    lab.window.click("Compare runs…");
    lab.window.until("in both");
    for text in [
        "Before: Lab join-in-click: join-in-click, bad",
        "After: Lab join-in-click: join-in-click, fixed",
    ] {
        assert!(lab.window.shows(text), "{text}\n{}", lab.window.texts());
    }
}

/// Where the entries of the list and the buttons are.
fn places(window: &Window) -> Vec<(&'static str, Rect)> {
    let names = [
        "Report",
        "join-in-click",
        "work-in-ui",
        "Run both",
        "Try by hand: bad",
        "By hand",
        "Stop",
    ];
    names.map(|name| (name, window.named(name).rect())).to_vec()
}

#[test]
fn run_moves_neither_the_list_nor_the_buttons() {
    let mut lab = Lab::open();
    let before = places(&lab.window);
    lab.next(300, true);
    lab.window.click("Run bad");
    lab.window.until("bad: longest 300 ms");
    assert_eq!(places(&lab.window), before, "while it runs");
    lab.next(300, false);
    lab.until_nothing_runs();
    assert_eq!(places(&lab.window), before, "after it");
}

#[test]
fn figures_of_a_variant_that_runs_are_blank() {
    let mut lab = Lab::open();
    lab.next(300, false);
    lab.window.click("Run bad");
    lab.until_nothing_runs();
    lab.next(700, true);
    lab.window.click("Run bad");
    lab.window.until("bad: longest 700 ms");
    assert_eq!(lab.window.count("300 ms"), 0, "{}", lab.window.texts());
    let words = lab.window.harness.query_all_by_label("running").count();
    assert!(words >= 1, "how it ended");
    lab.next(700, false);
    lab.until_nothing_runs();
    let says_which = "The plots show the last run, the figures the median of 2.";
    assert!(lab.window.shows(says_which), "{}", lab.window.texts());
}

#[test]
fn run_all_says_how_long_it_takes_and_what_is_left() {
    let mut lab = Lab::open();
    // 36 runs with two seconds of work each, and three more to open and to watch the window.
    assert!(
        lab.window.shows("Run all takes about 3 min."),
        "{}",
        lab.window.texts()
    );
    lab.window.set("Repeat", 20.0);
    assert!(lab.window.shows("Run all takes about 60 min."));
    lab.window.set("Repeat", 1.0);
    lab.window.set("Seconds", 60.0);
    assert!(lab.window.shows("Run all takes about 38 min."));
    lab.next(300, true);
    lab.window.click("Run all");
    lab.window.until("; 35 waiting.");
    assert!(
        lab.window.shows("About 38 min left"),
        "{}",
        lab.window.texts()
    );
    lab.window.click("Stop");
    lab.until_nothing_runs();
    assert!(lab.window.shows("Run all takes about"));
}

#[test]
fn combo_box_works_by_keyboard_and_says_its_value() {
    let mut window = Window::open();
    window.click("Freeze Lab");
    let value = |window: &Window| window.named("Work").value();
    let is_open = |window: &Window| {
        let entries = window.harness.query_all_by_label("Hash a file");
        entries.count() > 0
    };
    assert_eq!(value(&window).as_deref(), Some("Hash data"));
    for (keys, expected) in [
        (&[Key::ArrowDown, Key::Enter][..], "Sleep"),
        // It opens at the chosen entry.
        (&[Key::ArrowDown, Key::Space], "Hash a file"),
        (&[Key::ArrowUp, Key::Escape], "Hash a file"),
    ] {
        window.named("Work").focus();
        window.step();
        window.press(Modifiers::NONE, Key::Enter);
        assert!(window.harness.query_all_by_label("Sleep").count() > 0);
        for key in keys {
            window.press(Modifiers::NONE, *key);
        }
        window.step();
        let entries = window.harness.query_all_by_role(Role::ListBoxOption);
        assert_eq!(entries.count(), 0);
        assert_eq!(value(&window).as_deref(), Some(expected), "{keys:?}");
        assert!(!is_open(&window) || expected == "Hash a file", "{keys:?}");
        assert!(window.named("Work").is_focused(), "after {keys:?}");
    }
}

#[test]
fn code_of_both_variants_is_side_by_side() {
    for (width, height) in [(1_180.0, 780.0), (2_560.0, 1_440.0), (1_500.0, 900.0)] {
        let mut window = Window::open();
        window.harness.set_size(egui::vec2(width, height));
        window.click("Freeze Lab");
        window.harness.run_steps(5);
        let title = |text| window.harness.get_by_label(text).rect();
        let (bad, fixed) = (title("Code, bad"), title("Code, fixed"));
        assert!(
            (bad.top() - fixed.top()).abs() < 1.0,
            "{bad} {fixed} at {width}"
        );
        assert!(
            fixed.left() - bad.left() > 220.0,
            "{bad} {fixed} at {width}"
        );
        assert!(bad.bottom() < height - 100.0, "in sight without scrolling");
    }
}

#[test]
fn narrow_window_has_one_code_below_the_other() {
    let mut window = Window::open();
    window.harness.set_size(egui::vec2(440.0, 480.0));
    window.click("Freeze Lab");
    window.harness.run_steps(5);
    let title = |text| window.harness.get_by_label(text).rect();
    let (bad, fixed) = (title("Code, bad"), title("Code, fixed"));
    assert!(fixed.top() > bad.bottom() + 100.0, "{bad} {fixed}");
}

/// A window and a screen of these sizes, with plots in this part of the window.
fn surroundings(window: Rect, screen: Vec2, plots: Rect) -> Surroundings {
    Surroundings {
        window,
        screen: Some(Rect::from_min_size(Pos2::ZERO, screen)),
        plots: Some(plots.translate(window.min.to_vec2())),
    }
}

fn rect(left: f32, top: f32, width: f32, height: f32) -> Rect {
    Rect::from_min_size(Pos2::new(left, top), Vec2::new(width, height))
}

#[test]
fn small_window_never_covers_the_plots() {
    let twin = Vec2::new(344.0, 360.0);
    for (window, screen, plots) in [
        // A window that fills a projector, a laptop, a large screen.
        (
            rect(0.0, 0.0, 1_280.0, 800.0),
            (1_280.0, 800.0),
            rect(470.0, 230.0, 800.0, 200.0),
        ),
        (
            rect(0.0, 0.0, 1_920.0, 1_080.0),
            (1_920.0, 1_080.0),
            rect(470.0, 230.0, 1_440.0, 200.0),
        ),
        (
            rect(0.0, 0.0, 2_560.0, 1_440.0),
            (2_560.0, 1_440.0),
            rect(470.0, 230.0, 2_080.0, 200.0),
        ),
        // The smallest window on a screen that is hardly larger.
        (
            rect(0.0, 0.0, 760.0, 480.0),
            (760.0, 500.0),
            rect(450.0, 230.0, 300.0, 200.0),
        ),
        // Room at one side.
        (
            rect(0.0, 0.0, 1_000.0, 800.0),
            (1_920.0, 800.0),
            rect(470.0, 230.0, 520.0, 200.0),
        ),
        (
            rect(900.0, 0.0, 1_000.0, 800.0),
            (1_920.0, 800.0),
            rect(470.0, 230.0, 520.0, 200.0),
        ),
        (
            rect(0.0, 0.0, 1_280.0, 500.0),
            (1_280.0, 1_024.0),
            rect(470.0, 230.0, 800.0, 200.0),
        ),
    ] {
        let screen = Vec2::from(screen);
        let surroundings = surroundings(window, screen, plots);
        let place = surroundings.place_for(twin);
        let small = Rect::from_min_size(place, twin);
        let covered = surroundings.plots.unwrap().intersect(small);
        assert!(!covered.is_positive(), "{small} covers plots of {window}");
        let on_screen = Rect::from_min_size(Pos2::ZERO, screen).contains_rect(small);
        assert!(on_screen, "{small} on a screen of {screen}");
    }
}

#[test]
fn small_window_is_beside_where_there_is_room() {
    let twin = Vec2::new(344.0, 360.0);
    let plots = rect(470.0, 230.0, 520.0, 200.0);
    let screen = Vec2::new(1_920.0, 1_080.0);
    for (window, expected) in [
        (rect(100.0, 50.0, 1_000.0, 800.0), Pos2::new(1_100.0, 50.0)),
        (rect(900.0, 50.0, 1_000.0, 800.0), Pos2::new(556.0, 50.0)),
    ] {
        let place = surroundings(window, screen, plots).place_for(twin);
        assert_eq!(place, expected);
    }
    // On a second screen nobody knows how far it reaches.
    let window = rect(2_000.0, 0.0, 1_280.0, 800.0);
    let unknown = Surroundings {
        screen: None,
        ..surroundings(window, screen, plots)
    };
    let small = Rect::from_min_size(unknown.place_for(twin), twin);
    assert!(window.contains_rect(small), "{small}");
}
