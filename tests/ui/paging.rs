//! A results table with more rows than a scroll offset can address.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use eframe::egui::{self, Event, MouseWheelUnit, TouchPhase, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use meanwhile::jobs::{JobInputs, JobSpec, Options, Priority, RunOn, misbehave};
use meanwhile::pages::workbench::ResultsState;
use meanwhile::pages::workbench::results_pane::results_ui;
use meanwhile::record::{EventKind, FoundItem, JobEvent as Fact, JobId, Record};
use meanwhile::ui::tokens;

use super::window::text;

const ROWS: usize = 1_000_000;

/// One notch of the wheel: egui scrolls 40 points a line.
const NOTCH: f32 = 40.0;

struct Table {
    record: Record,
    view: ResultsState,
}

type Drawn = Harness<'static, Table>;

/// The table of a job with a million items, named by their numbers from 1.
fn drawn() -> Drawn {
    let mut record = Record::default();
    let mut apply = |kind| {
        let (job, at) = (JobId::new(1), Duration::ZERO);
        record.apply(Fact { job, at, kind });
    };
    let spec = Arc::new(JobSpec {
        options: Options::Misbehave(misbehave::Options::default()),
        inputs: JobInputs::default(),
        run_on: RunOn::Pool,
        workers: 1,
        priority: Priority::default(),
    });
    apply(EventKind::JobDidStart { spec });
    for number in 1..=ROWS {
        let item = FoundItem {
            input: PathBuf::from(format!("item {number}")),
            bytes: 0,
            fails: false,
        };
        apply(EventKind::ItemDidAppear { item });
    }
    let view = ResultsState::default();
    let mut drawn = Harness::builder()
        .with_size([900.0, 600.0])
        .with_max_steps(200)
        .build_ui_state(
            |ui, table: &mut Table| {
                let job = table.record.job(JobId::new(1)).expect("the one job");
                let mut commands = Vec::new();
                results_ui(
                    job,
                    Duration::ZERO,
                    &mut table.view,
                    false,
                    ui,
                    &mut commands,
                );
            },
            Table { record, view },
        );
    tokens::install(&drawn.ctx);
    drawn.run();
    drawn
}

/// Turns the wheel over the table.
fn turn(drawn: &mut Drawn, unit: MouseWheelUnit, by: f32) {
    drawn.hover_at(egui::pos2(450.0, 400.0));
    drawn.event(Event::MouseWheel {
        unit,
        delta: vec2(0.0, by),
        phase: TouchPhase::Move,
        source: egui::MouseWheelSource::Wheel,
        modifiers: egui::Modifiers::NONE,
    });
    drawn.run();
}

/// The visible rows: their numbers and tops.
fn rows(drawn: &Drawn) -> Vec<(usize, f32)> {
    let nodes = drawn.query_all_by_label_contains("item ");
    let rows = nodes.filter_map(|node| {
        let rect = node.rect();
        let number = text(&node)?.strip_prefix("item ")?.parse().ok()?;
        (rect.top() > 60.0 && rect.bottom() < 590.0).then_some((number, rect.top()))
    });
    rows.collect()
}

fn numbers(drawn: &Drawn) -> BTreeSet<usize> {
    rows(drawn).into_iter().map(|(number, _)| number).collect()
}

fn to_the_end(drawn: &mut Drawn) {
    turn(drawn, MouseWheelUnit::Point, -1e9);
}

#[test]
fn last_of_a_million_rows_can_be_reached() {
    let mut drawn = drawn();
    assert!(numbers(&drawn).contains(&1));
    let is_disabled = |drawn: &Drawn, button| {
        let node = drawn.get_by_label(button);
        node.accesskit_node().is_disabled()
    };
    assert!(is_disabled(&drawn, "Previous page") && !is_disabled(&drawn, "Next page"));
    drawn.get_by_label("Next page").click();
    drawn.run();
    assert!(is_disabled(&drawn, "Next page") && !is_disabled(&drawn, "Previous page"));
    to_the_end(&mut drawn);
    assert!(numbers(&drawn).contains(&ROWS), "{:?}", numbers(&drawn));
}

#[test]
fn wheel_moves_as_far_at_the_end_as_at_the_start() {
    let mut drawn = drawn();
    for _ in 0..2 {
        to_the_end(&mut drawn);
        turn(&mut drawn, MouseWheelUnit::Page, 2.0);
        for _ in 0..20 {
            let before = rows(&drawn);
            turn(&mut drawn, MouseWheelUnit::Line, 1.0);
            let moved = rows(&drawn).into_iter().find_map(|(number, top)| {
                let (_, old) = before.iter().find(|(old, _)| *old == number)?;
                Some(top - old)
            });
            let moved = moved.expect("a notch moves less than a page");
            assert!((moved - NOTCH).abs() <= 1.5, "moved by {moved}");
        }
        drawn.get_by_label("Next page").click();
        drawn.run();
    }
}

#[test]
fn rows_at_page_borders_are_shown() {
    const AROUND: usize = 60;
    let mut drawn = drawn();
    to_the_end(&mut drawn);
    let mut seen = numbers(&drawn);
    for _ in 0..AROUND {
        turn(&mut drawn, MouseWheelUnit::Line, 1.0);
        seen.append(&mut numbers(&drawn));
    }
    drawn.get_by_label("Next page").click();
    drawn.run();
    for _ in 0..AROUND {
        seen.append(&mut numbers(&drawn));
        turn(&mut drawn, MouseWheelUnit::Line, -1.0);
    }
    let (half, mut missing) = (ROWS / 2, Vec::new());
    missing.extend((half - AROUND..half + AROUND).filter(|row| !seen.contains(row)));
    assert!(missing.is_empty(), "never seen: {missing:?}");
    drawn.get_by_label("Previous page").click();
    drawn.run();
    assert!(numbers(&drawn).contains(&half), "{:?}", numbers(&drawn));
}
