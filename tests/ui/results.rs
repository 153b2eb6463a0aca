//! The table of results.

use std::path::PathBuf;

use eframe::egui;
use eframe::egui::accesskit::Role;
use egui_kittest::kittest::Queryable as _;

use meanwhile::pages::workbench::{Column, Order, command as workbench};

use super::window::{Window, file};

fn with_items(count: f64) -> Window {
    let mut window = Window::open();
    window.misbehave("Return", 1.0, count, 0.0);
    window.click("Start");
    window.until_it(|window| window.is_enabled("Remove"), "the end of the job");
    window
}

#[test]
fn filter_keeps_rows_that_contain_its_text() {
    let mut window = with_items(12.0);
    window.type_into("Filter", "ITEM 11");
    window.until("1 of 12 items");
    assert!(window.shows("item 11 is done"));
    assert!(!window.shows("item 2 is done"));
}

#[test]
fn header_click_cycles_the_sort_order() {
    let mut window = with_items(3.0);
    let done = |window: &Window| window.texts_with("is done");
    let (up, down) = (
        ["item 1 is done", "item 2 is done", "item 3 is done"],
        ["item 3 is done", "item 2 is done", "item 1 is done"],
    );
    assert_eq!(done(&window), up);
    window.click("Result");
    window.until_it(|window| done(window) == up, "ascending");
    window.click("Result");
    window.until_it(|window| done(window) == down, "descending");
    window.click("Result");
    window.until_it(|window| done(window) == up, "as found");
}

#[test]
fn only_visible_rows_are_drawn() {
    let window = with_items(20_000.0);
    assert!(window.shows("20 000 items"));
    let titles = Column::ALL.map(Column::title);
    assert_eq!(titles, ["State", "Name", "Size", "Result", "Time"]);
    let drawn = window.texts_with("is done").len();
    assert!((5..60).contains(&drawn), "{drawn} rows drawn");
}

#[test]
fn row_shows_and_copies_its_result() {
    let mut window = with_items(3.0);
    let row = window.harness.query_all_by_label_contains("item 2 is done");
    row.into_iter().next().unwrap().click();
    window.until("Copy result");
    window.named("Copy result").click();
    window.harness.step();
    let commands = &window.harness.output().platform_output.commands;
    let copy = eframe::egui::OutputCommand::CopyText("item 2 is done".to_owned());
    assert!(commands.contains(&copy), "{commands:?}");
}

#[test]
fn cut_text_is_shown_in_full_under_the_pointer() {
    let name = "/a-folder-with-a-long-name".repeat(10) + "/photo.jpg";
    let mut window = Window::open_with(&[PathBuf::from(name)]);
    window.misbehave("Return", 1.0, 1.0, 0.0);
    window.click("Start");
    window.until("photo.jpg  /");
    let shown = |window: &Window| window.texts_with("photo.jpg  /").len();
    assert_eq!(shown(&window), 1);
    let cell = window.harness.get_by_label_contains("photo.jpg  /").rect();
    window.harness.hover_at(cell.center());
    window.until_it(|window| shown(window) == 2, "the whole text");
}

#[test]
fn order_has_only_its_rows() {
    let filtered = Order::Rows([7, 2].into());
    assert_eq!((filtered.len(1_000), Order::AsFound.len(1_000)), (2, 1_000));
    assert_eq!((filtered.item(0), filtered.item(2)), (Some(7), None));
    assert_eq!((filtered.row(2), filtered.row(3)), (Some(1), None));
}

#[test]
fn notes_of_the_plan_stand_above_the_items() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let folders: Vec<PathBuf> = (1..=4)
        .map(|number| dir.path().join(format!("empty-{number}")))
        .collect();
    for folder in &folders {
        std::fs::create_dir(folder).expect("the folder is ours");
    }
    let mut window = Window::open_in(dir, &folders);
    window.choose("Job", "Checksums");
    window.click("Start");
    window.until("empty-2 has no files.");
    window.until("2 more notes");
    assert!(!window.shows("empty-3 has no files."));
    window.click("2 more notes");
    window.until("empty-4 has no files.");
}

#[test]
fn columns_follow_the_width_of_the_window() {
    let mut window = Window::open();
    let path = file(window.dir.path(), "abc.txt", b"abc");
    window.type_into("Path", path.to_str().unwrap());
    window.click("Add");
    window.click("Start");
    window.until("1 of 1 item");
    let right = |window: &Window| {
        let header = window.harness.get_by_role_and_label(Role::Button, "Time");
        header.rect().right()
    };
    for (width, height) in [(2560.0, 1440.0), (1000.0, 700.0), (1800.0, 480.0)] {
        window.harness.set_size(egui::vec2(width, height));
        window.step();
        window.step();
        let right = right(&window);
        assert!((width - 40.0..=width).contains(&right), "{width}: {right}");
    }
}

#[test]
fn clicked_table_takes_the_keys() {
    let mut window = with_items(50.0);
    window.click_part("item 2 is done");
    let selected = |window: &Window, item: usize| {
        // The row, and its details below.
        window.texts_with(&format!("item {item} is done")).len() == 2
    };
    assert!(selected(&window, 2));
    for (command, item) in [
        (workbench::NEXT_ROW, 3),
        (workbench::PREVIOUS_ROW, 2),
        (workbench::LAST_ROW, 50),
        (workbench::FIRST_ROW, 1),
    ] {
        window.press_keys_of(command);
        window.step();
        assert!(selected(&window, item), "{item}\n{}", window.texts());
    }
    window.press_keys_of(workbench::SCREEN_DOWN);
    window.step();
    assert!(!selected(&window, 1) && !selected(&window, 2));
    window.press_keys_of(workbench::SCREEN_UP);
    window.step();
    assert!(selected(&window, 1));

    window.harness.input_mut().events.push(egui::Event::Copy);
    window.harness.step();
    let copied = &window.harness.output().platform_output.commands;
    let text = egui::OutputCommand::CopyText("item 1 is done".to_owned());
    assert!(copied.contains(&text), "{copied:?}");
    window.press_keys_of(workbench::CLOSE_DETAILS);
    window.step();
    assert!(!window.shows("Copy path"));
    // The keyboard is still in the table.
    window.press_keys_of(workbench::LAST_ROW);
    window.step();
    assert!(selected(&window, 50));
}

#[test]
fn second_click_leaves_the_details_open() {
    let mut window = with_items(2.0);
    for _ in 0..2 {
        let row = window.harness.query_all_by_label_contains("item 2 is done");
        row.into_iter().next().unwrap().click();
        window.step();
        window.step();
        assert!(window.shows("Copy path"));
    }
    window.click("Close the details");
    assert!(!window.shows("Copy path"));
}

#[test]
fn numbers_of_ways_to_end_limit_the_table() {
    let mut window = Window::open();
    window.misbehave("Error", 2.0, 3.0, 0.0);
    window.click("Start");
    window.until("3 of 3 items · 1 failed");
    window.click("1 failed");
    window.until("1 of 3 items");
    assert!(!window.shows("item 1 is done"));
    window.click("2 OK");
    window.until("2 of 3 items");
    window.type_into("Filter", "nowhere");
    window.until("No item matches");
    window.click("Show all");
    window.until("3 items");
    assert!(window.shows("item 1 is done"));
}

#[test]
fn stripes_of_rows_are_whole() {
    let mut window = with_items(9.0);
    window.step();
    let faint = window.harness.ctx.global_style().visuals.faint_bg_color;
    let output = window.harness.output();
    let stripes = output.shapes.iter().filter_map(|clipped| {
        let egui::Shape::Rect(shape) = &clipped.shape else {
            return None;
        };
        let is_stripe = shape.fill == faint && shape.rect.width() > 300.0;
        is_stripe.then_some((clipped.clip_rect.x_range(), shape.rect.x_range()))
    });
    let stripes: Vec<_> = stripes.collect();
    assert!(stripes.len() >= 4, "{stripes:?}");
    for (clip, stripe) in stripes {
        assert!(
            clip.min <= stripe.min && stripe.max <= clip.max,
            "{clip:?} {stripe:?}"
        );
    }
}
