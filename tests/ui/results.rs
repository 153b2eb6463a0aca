//! The table of results.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use eframe::egui;
use eframe::egui::accesskit::{Role, SortDirection};
use eframe::egui::{Event, Modifiers};
use egui_kittest::kittest::{AccessKitNode, NodeT as _, Queryable as _};

use meanwhile::pages::workbench::{Column, Order, Selection, ShownRows, command as workbench};
use meanwhile::record::ItemId;

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
    window.open_details("item 2 is done");
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
    let filtered = Order::Rows(Arc::new(ShownRows::new(vec![7, 2])));
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
        let header = window
            .harness
            .get_by_role_and_label(Role::ColumnHeader, "Time");
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
    window.select_row("item 2 is done");
    assert!(!window.shows("Copy path"));
    window.press_keys_of(workbench::OPEN_DETAILS);
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
    let copied = copied.iter().find_map(|command| match command {
        egui::OutputCommand::CopyText(text) => Some(text.as_str()),
        _ => None,
    });
    let cells: Vec<_> = copied.expect("a text").split('\t').collect();
    assert_eq!(cells[..4], ["done", "item 1", "", "item 1 is done"]);
    assert_eq!(cells.len(), 5);
    window.press_keys_of(workbench::CLOSE_DETAILS);
    window.step();
    assert!(!window.shows("Copy path"));
    // The keyboard is still in the table.
    window.press_keys_of(workbench::LAST_ROW);
    window.step();
    assert!(window.shows("item 50 is done") && window.shows("1 of 50 selected"));
}

#[test]
fn screen_down_skips_no_row() {
    let mut window = with_items(50.0);
    window.select_row(&done(1));
    for _ in 0..5 {
        let before = window.texts_with("is done");
        window.press_keys_of(workbench::SCREEN_DOWN);
        let after = window.texts_with("is done");
        let is_seen_twice = before.iter().any(|row| after.contains(row));
        assert!(is_seen_twice, "{after:?} after {before:?}");
    }
}

#[test]
fn second_click_leaves_the_details_open() {
    let mut window = with_items(2.0);
    for _ in 0..2 {
        window.open_details("item 2 is done");
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

/// The numbers of the rows that a screen reader finds selected.
fn selected(window: &Window) -> Vec<usize> {
    let rows = window.harness.query_all_by_role(Role::Row);
    let selected = rows.filter_map(|row| {
        let row = row.accesskit_node();
        let number = row.label()?.strip_prefix("item ")?.parse().ok()?;
        (row.is_selected() == Some(true)).then_some(number)
    });
    let mut selected: Vec<_> = selected.collect();
    selected.sort_unstable();
    selected
}

fn done(item: usize) -> String {
    format!("item {item} is done")
}

/// The text that `step` puts on the clipboard.
fn copied(window: &mut Window, step: impl FnOnce(&mut Window)) -> String {
    step(window);
    let commands = &window.harness.output().platform_output.commands;
    let text = commands.iter().find_map(|command| match command {
        egui::OutputCommand::CopyText(text) => Some(text.clone()),
        _ => None,
    });
    text.unwrap_or_else(|| panic!("nothing was copied: {commands:?}"))
}

#[test]
fn ctrl_and_shift_select_several_rows() {
    let mut window = with_items(9.0);
    window.select_row(&done(2));
    window.click_cell(&done(5), Modifiers::SHIFT);
    assert_eq!(selected(&window), [2, 3, 4, 5]);
    assert!(window.shows("4 of 9 selected"));
    window.click_cell(&done(4), Modifiers::COMMAND);
    window.click_cell(&done(8), Modifiers::COMMAND);
    assert_eq!(selected(&window), [2, 3, 5, 8]);
    // From the row that was clicked last.
    let both = Modifiers::COMMAND | Modifiers::SHIFT;
    window.click_cell(&done(9), both);
    assert_eq!(selected(&window), [2, 3, 5, 8, 9]);
    window.select_row(&done(1));
    assert_eq!(selected(&window), [1]);
    assert!(window.shows("1 of 9 selected"));
}

#[test]
fn keys_select_several_rows() {
    let mut window = with_items(9.0);
    window.select_row(&done(4));
    for _ in 0..2 {
        window.press_keys_of(workbench::EXTEND_DOWN);
    }
    assert_eq!(selected(&window), [4, 5, 6]);
    for _ in 0..3 {
        window.press_keys_of(workbench::EXTEND_UP);
    }
    assert_eq!(selected(&window), [3, 4]);
    window.press(Modifiers::SHIFT, egui::Key::Home);
    assert_eq!(selected(&window), [1, 2, 3, 4]);
    window.press_keys_of(workbench::NEXT_ROW);
    assert_eq!(selected(&window), [2]);
    window.press_keys_of(workbench::SELECT_ALL);
    assert!(window.shows("9 of 9 selected"));
    window.press_keys_of(workbench::CLOSE_DETAILS);
    assert!(window.shows("9 items"));
}

#[test]
fn any_range_of_sorted_rows_is_selected() {
    // Nine of twelve items, in another order.
    let rows = vec![11_u32, 3, 7, 0, 8, 2, 9, 5, 1];
    let order = Order::Rows(Arc::new(ShownRows::new(rows.clone())));
    let item = |row: usize| rows[row] as usize;
    for (other, anchor, row) in triples(rows.len()) {
        for others in [false, true] {
            let mut selection = Selection::default();
            selection.select_only(ItemId::new(item(other)));
            if anchor != other {
                selection.toggle(ItemId::new(item(anchor)));
            }
            selection.extend(&order, row, others);
            let range = anchor.min(row)..=anchor.max(row);
            let kept = others.then(|| item(other));
            let expected: BTreeSet<_> = range.map(item).chain(kept).collect();
            let found: BTreeSet<_> = selection.items().map(ItemId::index).collect();
            assert_eq!(found, expected, "{other} {anchor} {row} {others}");
            assert_eq!(selection.len(), expected.len());
            assert_eq!(selection.lead(), Some(ItemId::new(item(row))));
        }
    }
}

fn triples(len: usize) -> impl Iterator<Item = (usize, usize, usize)> {
    (0..len * len * len).map(move |n| (n / len / len, n / len % len, n % len))
}

/// The row that a screen reader reads.
fn current(window: &Window) -> Option<String> {
    let mut rows = window.harness.query_all_by_role(Role::Row);
    let row = rows.find(egui_kittest::Node::is_focused)?;
    row.accesskit_node().label()
}

#[test]
fn ctrl_moves_without_selecting_and_toggles() {
    let mut window = with_items(9.0);
    window.select_row(&done(2));
    for _ in 0..2 {
        window.press_keys_of(workbench::MOVE_DOWN);
    }
    assert_eq!(selected(&window), [2]);
    assert_eq!(current(&window).as_deref(), Some("item 4"));
    window.press_keys_of(workbench::TOGGLE_ROW);
    assert_eq!(selected(&window), [2, 4]);
    window.press_keys_of(workbench::TOGGLE_ROW);
    assert_eq!(selected(&window), [2]);
    window.press_keys_of(workbench::TOGGLE_ROW);
    window.press(Modifiers::COMMAND, egui::Key::End);
    window.press_keys_of(workbench::MOVE_UP);
    assert_eq!(selected(&window), [2, 4]);
    assert_eq!(current(&window).as_deref(), Some("item 8"));
    window.press_keys_of(workbench::TOGGLE_ROW);
    // From the row that was toggled last; the others stay.
    window.press_keys_of(workbench::ADD_UP);
    assert_eq!(selected(&window), [2, 4, 7, 8]);
    window.press_keys_of(workbench::ADD_DOWN);
    window.press_keys_of(workbench::ADD_DOWN);
    assert_eq!(current(&window).as_deref(), Some("item 9"));
    assert_eq!(selected(&window), [2, 4, 7, 8, 9]);
    window.press_keys_of(workbench::NEXT_ROW);
    assert_eq!(selected(&window), [9]);
}

#[test]
fn list_that_fails_is_counted_and_explained() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let list = file(dir.path(), "SHA256SUMS", b"no checksums here\n");
    let mut window = Window::open_in(dir, &[list]);
    window.choose("Job", "Verify");
    window.click("Start");
    window.until("1 of 1 item · 1 failed");
    window.click("1 failed");
    window.until_it(
        |window| {
            window
                .named("1 failed")
                .accesskit_node()
                .toggled()
                .is_some()
        },
        "it",
    );
    assert!(window.shows("has no checksums"), "{}", window.texts());
    window.click("0 OK");
    window.until("No item matches");
    assert!(window.shows("In all: 1 of 1 item · 1 failed"));
}

#[test]
fn selection_is_kept_where_its_rows_are_shown() {
    let mut window = with_items(12.0);
    // All rows are in sight.
    window.harness.set_size(egui::vec2(1180.0, 1000.0));
    window.step();
    window.select_row(&done(1));
    window.click_cell(&done(3), Modifiers::SHIFT);
    let is_first =
        |window: &Window, item: usize| window.texts_with("is done").first() == Some(&done(item));
    for first in [1, 9] {
        window.click("Result");
        window.until_it(|window| is_first(window, first), "the order");
        assert_eq!(selected(&window), [1, 2, 3]);
    }
    window.type_into("Filter", "item 1");
    window.until("1 of 4 selected");
    assert_eq!(selected(&window), [1]);
}

#[test]
fn rows_are_copied_in_their_order() {
    let mut window = with_items(3.0);
    window.click("Result");
    window.click("Result");
    let is_last = |window: &Window| window.texts_with("is done").first() == Some(&done(3));
    window.until_it(is_last, "the order");
    window.select_row(&done(3));
    window.click_cell(&done(2), Modifiers::SHIFT);
    let text = copied(&mut window, |window| {
        window.harness.input_mut().events.push(Event::Copy);
        window.harness.step();
    });
    let rows: Vec<_> = text.lines().map(|row| row.split('\t').nth(1)).collect();
    assert_eq!(rows, [Some("item 3"), Some("item 2")]);
}

#[test]
fn menu_copies_from_all_selected_rows() {
    let mut window = with_items(3.0);
    window.select_row(&done(1));
    window.click_cell(&done(2), Modifiers::SHIFT);
    window.open_menu(&done(2));
    let text = copied(&mut window, |window| {
        window.named("Copy path").click();
        window.harness.step();
    });
    assert_eq!(text, "item 1\nitem 2");
    window.step();
    assert!(!window.shows("Copy path"), "the menu is closed");
    // On another row, it is the menu of that row alone; the keyboard opens it, too.
    window.open_menu(&done(3));
    assert_eq!(selected(&window), [3]);
    window.press(Modifiers::NONE, egui::Key::Escape);
    assert!(!window.shows("Copy path"));
    window.press_keys_of(workbench::OPEN_MENU);
    assert!(window.shows("Copy path"));
    window.press(Modifiers::NONE, egui::Key::Escape);
    window.press(Modifiers::NONE, egui::Key::Menu);
    assert!(window.shows("Copy path"));
    assert_eq!(selected(&window), [3]);
}

#[test]
fn double_click_opens_the_details() {
    let mut window = with_items(3.0);
    window.harness.ctx.options_mut(|options| {
        options.input_options.max_double_click_delay = 4.0;
    });
    // The clicks before are over by then.
    window.harness.run_steps(40);
    window.select_row(&done(2));
    assert!(!window.shows("Copy path"));
    window.select_row(&done(2));
    assert!(window.shows("Copy path"));
}

#[test]
fn screen_reader_finds_rows_cells_and_the_order() {
    let mut window = with_items(3.0);
    window.click("Time");
    window.step();
    let header = window
        .harness
        .get_by_role_and_label(Role::ColumnHeader, "Time");
    let direction = header.accesskit_node().data().sort_direction();
    assert_eq!(direction, Some(SortDirection::Ascending));
    window.select_row(&done(2));
    let table = window.harness.get_by_role(Role::Table);
    let data = table.accesskit_node().data().clone();
    assert_eq!((data.row_count(), data.column_count()), (Some(3), Some(5)));
    assert!(data.is_multiselectable());
    let text = done(2);
    let cell = window.cell(&text);
    let row = cell.accesskit_node();
    let ancestors = std::iter::successors(row.parent(), AccessKitNode::parent);
    let roles: Vec<_> = ancestors.map(|node| node.role()).collect();
    let place = |role| roles.iter().position(|one| *one == role);
    assert!(place(Role::Row) < place(Role::Table), "{roles:?}");
    assert!(place(Role::Row).is_some());
    // The titles are the first row of the table.
    let nodes = table
        .children_recursive()
        .map(|node| node.accesskit_node().role());
    let roles: Vec<_> = nodes.collect();
    let first = |role| roles.iter().position(|one| *one == role);
    assert!(first(Role::ColumnHeader).is_some(), "{roles:?}");
    assert!(first(Role::ColumnHeader) < first(Role::Cell), "{roles:?}");
    // The arrows bring it to the row.
    let rows = window.harness.query_all_by_role(Role::Row);
    let focused: Vec<_> = rows.filter(egui_kittest::Node::is_focused).collect();
    assert_eq!(focused.len(), 1);
}
