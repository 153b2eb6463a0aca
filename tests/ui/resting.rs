//! An idle window draws nothing.

use std::time::Duration;

use eframe::egui::ViewportId;

use super::window::Window;

fn next_frame(window: &Window) -> Duration {
    let output = &window.harness.output().viewport_output[&ViewportId::ROOT];
    output.repaint_delay
}

/// Draws the frames that the window asks for, as late as it allows, until it asks for none.
pub(crate) fn rest(window: &mut Window) -> u32 {
    let start = std::time::Instant::now();
    let mut frames = 0;
    loop {
        window.harness.step();
        frames += 1;
        let delay = next_frame(window);
        if delay == Duration::MAX {
            return frames;
        }
        assert!(start.elapsed() < Duration::from_mins(1), "it never rests");
        std::thread::park_timeout(delay);
    }
}

#[test]
fn idle_window_asks_for_no_frame() {
    let mut window = Window::open();
    let frames = rest(&mut window);
    assert!(frames < 20, "{frames} frames to come to rest");
    assert!(window.shows("0 repaints per second"));
    assert!(window.shows("worst in 5 s –"), "{}", window.texts());
}

#[test]
fn idle_freeze_lab_asks_for_no_frame() {
    let mut window = Window::open();
    window.click("Freeze Lab");
    let frames = rest(&mut window);
    assert!(frames < 20, "{frames} frames to come to rest");
    assert!(window.shows("0 repaints per second"));
}

#[test]
fn focused_text_field_asks_for_no_frame() {
    let mut window = Window::open();
    window.type_into("Path", "/etc");
    let frames = rest(&mut window);
    assert!(frames < 20, "{frames} frames to come to rest");
}

#[test]
fn window_comes_to_rest_after_a_job() {
    let mut window = Window::open();
    window.misbehave("Return", 1.0, 3.0, 0.0);
    window.click("Start");
    window.until("3 of 3 items");
    let frames = rest(&mut window);
    assert!(frames < 40, "{frames} frames to come to rest");
    assert!(window.shows("0 tasks running"));
}

#[test]
fn running_job_asks_for_a_few_frames_a_second() {
    let mut window = Window::open();
    window.misbehave("Sleep", 1.0, 1.0, 600.0);
    window.click("Start");
    window.until("1 task running");
    for _ in 0..3 {
        window.harness.step();
    }
    let delay = next_frame(&window);
    assert!(delay >= Duration::from_millis(50), "{delay:?}");
    assert!(delay <= Duration::from_millis(250), "{delay:?}");
}
