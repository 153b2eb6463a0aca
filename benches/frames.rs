//! The CPU time of a frame: our code, egui's, and tessellation.
//!
//! No window is shown, so the time of the graphics card and the desktop is not included. The figures
//! are CPU times of the drawing thread, on which other programs have little effect. Our table takes
//! turns with egui's table of the same rows and columns.
//!
//! `cargo bench --bench frames`, or `cargo bench --bench frames -- traces` for the timeline alone.

#[path = "frames/traces.rs"]
mod traces;
#[expect(
    dead_code,
    reason = "the bench needs less of it than the tests of the window"
)]
#[path = "../tests/ui/window.rs"]
mod window;

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use eframe::App as _;
use eframe::egui::{self, Event, Key, Modifiers, Pos2, Rect, Shape, Ui, Vec2};
use egui_extras::{Column, TableBuilder};
use meanwhile::app::{App, Setup};
use meanwhile::format;
use meanwhile::jobs::checksum::{self, Checksum};
use meanwhile::jobs::{JobInputs, JobSpec, Options, Output, Priority, RunOn};
#[cfg(target_os = "linux")]
use meanwhile::lab::{FrameLine, LabReport, MAX_LIVE_PLOT, Machine, PatternId, RunRecord, Variant};
#[cfg(target_os = "linux")]
use meanwhile::pages::commands::Unavailable;
use meanwhile::pages::freeze_lab::LabChoices;
#[cfg(target_os = "linux")]
use meanwhile::pages::freeze_lab::page::lab_ui;
use meanwhile::pages::freeze_lab::props::{LabProps, LabState, Runs};
use meanwhile::pages::workbench::ResultsState;
use meanwhile::pages::workbench::result_text::result_text;
use meanwhile::pages::workbench::results_pane::results_ui;
use meanwhile::record::{
    self, EventKind, FoundItem, ItemId, ItemState, JobId, JobState, Record, ThreadNumber,
};
use meanwhile::record::{Activity, LaneId, LaneKind, Timeline, TimelineEvent, TimelineKind};
#[cfg(target_os = "linux")]
use meanwhile::ui::frame_plot::{frame_mesh, frame_plots_ui};
use meanwhile::ui::timeline_view::TimelineView;
use meanwhile::ui::tokens;
use nix::time::{ClockId, clock_gettime};
use window::Window;

/// That of the program.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SIZE: Vec2 = egui::vec2(1280.0, 800.0);
const ROWS: usize = 1_000_000;
const FRAME_INTERVAL: Duration = Duration::from_micros(16_667);

fn main() -> std::io::Result<()> {
    // `cargo test --benches` only checks that it runs.
    let is_short = !std::env::args().any(|argument| argument == "--bench");
    let bench = Bench {
        frames: if is_short { 3 } else { 600 },
        rows: if is_short { 10_000 } else { ROWS },
        live: if is_short { 20 } else { 5_000 },
        spans: if is_short { 1_000 } else { 100_000 },
        inputs: if is_short { 1_000 } else { 100_000 },
        jobs: if is_short { 5 } else { 200 },
    };
    bench.traces()?;
    if std::env::args().any(|argument| argument == "traces") {
        return Ok(());
    }
    bench.table()?;
    #[cfg(target_os = "linux")]
    bench.lab()?;
    bench.lanes()?;
    bench.opening_window()?;
    bench.resting_window()?;
    bench.window_with_ended_jobs()?;
    bench.window_with_all_rows()?;
    bench.window_with_selected_rows()?;
    bench.window_with_waiting_rows()?;
    #[cfg(target_os = "linux")]
    bench.window_with_output()?;
    bench.live_window()
}

struct Bench {
    frames: usize,
    rows: usize,
    live: usize,
    spans: u32,
    inputs: usize,
    jobs: usize,
}

impl Bench {
    /// The table alone, ours and egui's, at rest and scrolled by a page a frame.
    fn table(&self) -> std::io::Result<()> {
        let record = checksums(self.rows);
        let job = record.jobs().next().expect("the one job");
        let mut view = ResultsState::default();
        let mut ours = |ui: &mut Ui| {
            let mut commands = Vec::new();
            results_ui(job, Duration::ZERO, &mut view, false, ui, &mut commands);
        };
        let mut theirs = |ui: &mut Ui| plain_table_ui(job.items(), ui);
        let (our_screen, their_screen) = (Screen::new(), Screen::new());
        for (how, events) in [
            ("standing still", Vec::new()),
            ("scrolling by a notch of the wheel a frame", scroll(50.0)),
            ("scrolling by a page a frame", scroll(600.0)),
        ] {
            let mut costs = [Costs::default(), Costs::default()];
            for _ in 0..self.frames {
                costs[0].push(our_screen.pane(events.clone(), &mut ours));
                costs[1].push(their_screen.pane(events.clone(), &mut theirs));
            }
            let [ours, theirs] = &mut costs;
            let rows = format::count(self.rows);
            let title = format!("table of {rows} rows, {how}");
            show(
                &title,
                &mut [("meanwhile", ours), ("egui_extras rows()", theirs)],
            )?;
        }
        Ok(())
    }

    /// The page of the Freeze Lab with figures and full plots, and the plots alone.
    #[cfg(target_os = "linux")]
    fn lab(&self) -> std::io::Result<()> {
        let pattern = PatternId::all().next().expect("there are patterns");
        let report = LabReport::from_runs(Machine::current(None), &Variant::ALL.map(lab::run));
        let props = LabProps {
            report: &report,
            others: &[],
            runs: Runs {
                running: Some((pattern, Variant::Fixed)),
                waiting: 1,
                is_busy: true,
                can_run: true,
                ..Runs::default()
            },
            unavailable: Unavailable::default(),
        };
        let (mut view, mut choices) = (LabState::default(), LabChoices::default());
        for variant in Variant::ALL {
            *view.line_mut(pattern, variant) = lab::line();
        }
        let line = lab::line();
        let mut page_ui = |ui: &mut Ui| {
            lab_ui(&props, &mut view, &mut choices, ui, &mut Vec::new());
        };
        let mut plot_ui = |ui: &mut Ui| {
            frame_plots_ui([Some(&line); 2], ui);
        };
        let frames = lab::frames();
        let mut bars_ui = |ui: &mut Ui| {
            let (area, scale) = (ui.max_rect(), ui.ctx().pixels_per_point());
            let mesh = frame_mesh(&frames, MAX_LIVE_PLOT, area, scale, tokens::tokens(ui));
            ui.painter().add(Shape::mesh(mesh));
        };
        let mut nothing_ui = |_: &mut Ui| {};
        let screens = [(); 4].map(|()| Screen::new());
        let mut costs = [(); 4].map(|()| Costs::default());
        for _ in 0..self.frames {
            costs[0].push(screens[0].pane(Vec::new(), &mut page_ui));
            costs[1].push(screens[1].pane(Vec::new(), &mut plot_ui));
            costs[2].push(screens[2].pane(Vec::new(), &mut bars_ui));
            costs[3].push(screens[3].pane(Vec::new(), &mut nothing_ui));
        }
        let [page, plot, bars, nothing] = &mut costs;
        let title = "Freeze Lab, 512 frames in the plot of each half";
        show(
            title,
            &mut [
                ("whole page", page),
                ("plots alone", plot),
                ("512 bars alone", bars),
                ("an empty frame", nothing),
            ],
        )
    }

    /// The lanes of a timeline: all of it in sight, and a hundredth.
    fn lanes(&self) -> std::io::Result<()> {
        let timeline = timeline(self.spans);
        let until = timeline.last_event_at();
        let mut whole_ui = |ui: &mut Ui| drop(TimelineView::new(&timeline).show(ui));
        let mut part_ui = |ui: &mut Ui| {
            let part = TimelineView::new(&timeline).between(until * 50 / 100, until * 51 / 100);
            drop(part.show(ui));
        };
        let screens = [Screen::new(), Screen::new()];
        let mut costs = [Costs::default(), Costs::default()];
        for _ in 0..self.frames {
            costs[0].push(screens[0].pane(Vec::new(), &mut whole_ui));
            costs[1].push(screens[1].pane(Vec::new(), &mut part_ui));
        }
        let [whole, part] = &mut costs;
        let title = format!("lanes of {} spans", format::count(self.spans as usize));
        show(
            &title,
            &mut [("all in sight", whole), ("a hundredth", part)],
        )
    }

    /// A window that opens with very many inputs and one without, until the first frame; then the frames in which
    /// they are taken in and looked for.
    fn opening_window(&self) -> std::io::Result<()> {
        let paths = (0..self.inputs).map(|number| format!("/nowhere/{number}").into());
        let paths: Vec<PathBuf> = paths.collect();
        let (mut many, mut none, mut later) = <(Costs, Costs, Costs)>::default();
        for _ in 0..self.frames.min(20) {
            for (files, costs) in [(&paths[..], &mut many), (&[], &mut none)] {
                let (ctx, mut app, mut first) = opened(files)?;
                let drawn = app_frame(&mut app, &ctx, Vec::new());
                first.time += drawn.time;
                costs.push(first);
                for _ in 0..if files.is_empty() {
                    0
                } else {
                    self.frames.min(100)
                } {
                    later.push(app_frame(&mut app, &ctx, Vec::new()));
                    std::thread::park_timeout(Duration::from_millis(4));
                }
            }
        }
        let count = format::count(self.inputs);
        show(
            &format!("until the first frame of a window with {count} inputs"),
            &mut [("meanwhile", &mut many), ("without inputs", &mut none)],
        )?;
        show(
            &format!("the frames after it, with {count} inputs"),
            &mut [("meanwhile", &mut later)],
        )
    }

    /// The whole window before any job.
    fn resting_window(&self) -> std::io::Result<()> {
        let mut window = open();
        let mut costs = self.frames_of(&mut window, &[], Duration::ZERO);
        show(
            "whole window, nothing started",
            &mut [("meanwhile", &mut costs)],
        )
    }

    /// The whole window with one ended job and with many.
    fn window_with_ended_jobs(&self) -> std::io::Result<()> {
        let mut costs = Vec::new();
        for jobs in [self.jobs, 1] {
            let mut window = open();
            for _ in 0..jobs {
                run(&mut window, 1);
            }
            costs.push(self.frames_of(&mut window, &[], Duration::ZERO));
        }
        let [many, one] = &mut costs[..] else {
            unreachable!("two windows");
        };
        show(
            &format!("whole window, {} ended jobs", self.jobs),
            &mut [("meanwhile", many), ("one ended job", one)],
        )
    }

    /// The whole window with an ended job of very many items, and the cost of removing it.
    fn window_with_all_rows(&self) -> std::io::Result<()> {
        let mut window = open();
        run(&mut window, self.rows);
        let rows = format::count(self.rows);
        for (how, events) in [
            ("standing still", Vec::new()),
            ("scrolling by a page a frame", scroll(300.0)),
        ] {
            let mut costs = self.frames_of(&mut window, &events, Duration::ZERO);
            let title = format!("whole window, {rows} rows, {how}");
            show(&title, &mut [("meanwhile", &mut costs)])?;
        }
        for (what, name) in [("sorting it", "Result"), ("removing it", "Remove")] {
            let mut costs = click(&mut window, name);
            let title = format!("whole window, {rows} rows, {what}");
            show(&title, &mut [("meanwhile", &mut costs)])?;
            window.harness.step();
        }
        assert!(window.shows("None yet"), "{}", window.texts());
        Ok(())
    }

    /// The whole window while very many rows are selected, and what is done with them. Their files are not there.
    fn window_with_selected_rows(&self) -> std::io::Result<()> {
        let paths = (0..self.rows).map(|number| format!("/nowhere/{number}").into());
        let mut window = Window::open_with(&paths.collect::<Vec<_>>());
        window.harness.set_size(SIZE);
        window.choose("Job", "Checksums");
        window.until_it(|window| window.is_enabled("Start"), "all inputs");
        let rows = format::count(self.rows);
        let row = |what: &str, costs: &mut Costs| {
            let title = format!("whole window, {rows} rows, {what}");
            show(&title, &mut [("meanwhile", costs)])
        };
        row("starting their job", &mut click(&mut window, "Start"))?;
        window.until_it(|window| window.shows("#1 Checksums"), "the job");
        window.until_it(|window| window.is_enabled("Remove"), "the end of the job");
        click_row(&mut window);
        row(
            "Ctrl+A",
            &mut press(&mut window, Modifiers::COMMAND, Key::A),
        )?;
        assert!(
            window.shows(&format!("{rows} of {rows} selected")),
            "{}",
            window.texts()
        );
        let mut costs = self.frames_of(&mut window, &[], Duration::ZERO);
        row("all selected", &mut costs)?;
        self.menu(&mut window, &row)?;
        for entry in ["Copy row", "Take as inputs", "Run these again"] {
            press(&mut window, Modifiers::SHIFT, Key::F10);
            row(entry, &mut click(&mut window, entry))?;
            window.until_it(|window| window.is_enabled("Start"), "all inputs");
        }
        window.until_it(|window| window.shows("#2 Checksums"), "the second job");
        end_job(&mut window);
        window.click("Remove");
        window.until_it(|window| !window.shows("#2 Checksums"), "the first job");
        click_row(&mut window);
        press(&mut window, Modifiers::NONE, Key::Home);
        let mut costs = press(&mut window, Modifiers::SHIFT, Key::End);
        row("Shift+End", &mut costs)?;
        for column in ["Name", "Result"] {
            let mut costs = click(&mut window, column);
            costs.append(self.frames_of(&mut window, &[], FRAME_INTERVAL));
            while window.shows("sorting…") {
                std::thread::park_timeout(FRAME_INTERVAL);
                costs.append(self.frames_of(&mut window, &[], FRAME_INTERVAL));
            }
            row(&format!("sorting by {column}, all selected"), &mut costs)?;
            assert!(!window.shows("sorting…"), "{}", window.texts());
        }
        press(&mut window, Modifiers::NONE, Key::Home);
        let mut costs = press(&mut window, Modifiers::SHIFT, Key::End);
        row("Shift+End in that order", &mut costs)?;
        let mut costs = press(&mut window, Modifiers::COMMAND, Key::A);
        row("Ctrl+A in that order", &mut costs)?;
        row("clearing the inputs", &mut click(&mut window, "Clear"))
    }

    /// The same while none of the rows has a result.
    fn window_with_waiting_rows(&self) -> std::io::Result<()> {
        // A job that waits plans no more than 65 536 items ahead.
        for items in [10_000, 60_000].map(|items| self.rows.min(items)) {
            let mut window = open();
            window.misbehave("Return", 1.0, items as f64, 3600.0);
            window.click("Start");
            let rows = format::count(items);
            window.until(&format!("0 of {rows} items"));
            click_row(&mut window);
            press(&mut window, Modifiers::COMMAND, Key::A);
            self.menu(&mut window, &|what, costs| {
                let title = format!("whole window, {rows} waiting rows, {what}");
                show(&title, &mut [("meanwhile", costs)])
            })?;
            end_job(&mut window);
        }
        Ok(())
    }

    /// The menu of the selected rows.
    fn menu(
        &self,
        window: &mut Window,
        row: &dyn Fn(&str, &mut Costs) -> std::io::Result<()>,
    ) -> std::io::Result<()> {
        press(window, Modifiers::SHIFT, Key::F10);
        assert!(window.shows("Copy result"), "{}", window.texts());
        let mut costs = self.frames_of(window, &[], Duration::ZERO);
        row("all selected, their menu", &mut costs)?;
        press(window, Modifiers::NONE, Key::Escape);
        Ok(())
    }

    /// The whole window with the output of a command: a line of 100 MB, and endless lines.
    #[cfg(target_os = "linux")]
    fn window_with_output(&self) -> std::io::Result<()> {
        let one_line = "head -c 100000000 /dev/zero | tr '\\0' x";
        for (what, script, shown, pace) in [
            (
                "one line of 100 MB",
                one_line,
                "exit code 0",
                Duration::ZERO,
            ),
            (
                "lines without end",
                "exec yes",
                "MiB dropped",
                FRAME_INTERVAL,
            ),
        ] {
            let mut window = open();
            window.choose("Job", "Command");
            window.click("Through /bin/sh");
            window.type_into("Command line", script);
            window.click("Start");
            window.until("Results");
            window.click("Output");
            window.until(shown);
            let mut costs = self.frames_of(&mut window, &[], pace);
            let title = format!("whole window, output of {what}");
            show(&title, &mut [("meanwhile", &mut costs)])?;
            end_job(&mut window);
        }
        Ok(())
    }

    /// The whole window with thousands of running items, while another job floods it with events.
    fn live_window(&self) -> std::io::Result<()> {
        const JOBS: usize = 20;
        let mut window = open();
        window.misbehave("Ignore cancel", 0.0, (self.live / JOBS) as f64, 3600.0);
        window.choose("Run on", "A thread each");
        window.set("Workers", (self.live / JOBS) as f64);
        for _ in 0..JOBS {
            window.click("Start");
        }
        let running = format::plural(self.live, "task running", "tasks running");
        window.until(&running);
        window.choose("Run on", "Shared threads");
        window.set("Workers", 2.0);
        for (pane, end, on_item) in [
            ("Results", "Return", 1.0),
            ("Panic", "Panic with &str", 0.0),
            ("Waits", "Return", 1.0),
        ] {
            // Each is cancelled before its end.
            window.misbehave(end, on_item, self.rows.max(60_000) as f64, 0.0);
            for button in ["Start", "Start", "Join", pane] {
                window.click(button);
            }
            // Events pile up, so that every frame takes its full share.
            std::thread::park_timeout(Duration::from_millis(500));
            let mut costs = self.frames_of(&mut window, &[], FRAME_INTERVAL);
            let live = format::count(self.live);
            let title = format!("whole window, {live} running items, endless events, {pane}");
            show(&title, &mut [("meanwhile", &mut costs)])?;
            for _ in 0..2 {
                end_job(&mut window);
                window.click("Remove");
            }
        }
        Ok(())
    }

    fn frames_of(&self, window: &mut Window, events: &[Event], pace: Duration) -> Costs {
        let mut costs = Costs::default();
        for _ in 0..self.frames {
            let began = Instant::now();
            costs.push(frame(window, events.to_vec()));
            std::thread::park_timeout(pace.saturating_sub(began.elapsed()));
        }
        costs
    }
}

/// One frame of the program as a window without a screen reader draws it.
fn frame(window: &mut Window, events: Vec<Event>) -> Cost {
    let ctx = window.harness.ctx.clone();
    ctx.disable_accesskit();
    let cost = app_frame(window.harness.state_mut(), &ctx, events);
    ctx.enable_accesskit();
    cost
}

fn app_frame(app: &mut App, ctx: &egui::Context, events: Vec<Event>) -> Cost {
    let mut of_eframe = eframe::Frame::_new_kittest();
    measured(ctx, events, |ui| {
        app.logic(ui.ctx(), &mut of_eframe);
        app.ui(ui, &mut of_eframe);
    })
}

/// The program just before its first frame, and what that took.
fn opened(files: &[PathBuf]) -> std::io::Result<(egui::Context, App, Cost)> {
    let folder = tempfile::tempdir()?;
    let (ctx, files) = (egui::Context::default(), files.to_vec());
    let began = thread_time();
    let setup = Setup::new(
        files,
        folder.path(),
        Box::new(window::FakeDialogs::default()),
    );
    let app = App::new(&ctx, setup);
    let cost = Cost {
        time: thread_time().saturating_sub(began),
        vertices: 0,
    };
    Ok((ctx, app, cost))
}

/// The window in the size that is measured.
fn open() -> Window {
    let mut window = Window::open();
    window.harness.set_size(SIZE);
    window.harness.step();
    window
}

/// Runs a job of this many items to its end.
fn run(window: &mut Window, items: usize) {
    window.misbehave("Return", 1.0, items as f64, 0.0);
    window.click("Start");
    window.until_it(|window| window.is_enabled("Remove"), "the end of the job");
}

/// Cancels the selected job, unless it has ended, and waits for its end.
fn end_job(window: &mut Window) {
    if window.is_enabled("Cancel") {
        // Not after another frame, as `Window::click` does: the job may have ended by then.
        window.named("Cancel").click();
    }
    window.until_it(|window| window.is_enabled("Remove"), "the end of the job");
}

/// The frame in which a widget is clicked, and some after it.
fn click(window: &mut Window, name: &str) -> Costs {
    let pos = window.named(name).rect().center();
    let button = |pressed| Event::PointerButton {
        pos,
        button: egui::PointerButton::Primary,
        pressed,
        modifiers: Modifiers::NONE,
    };
    let mut costs = Costs::default();
    for event in [Event::PointerMoved(pos), button(true), button(false)] {
        costs.push(frame(window, vec![event]));
    }
    for _ in 0..7 {
        costs.push(frame(window, Vec::new()));
    }
    costs
}

/// The frame in which a key is pressed, and some after it. The last one is that of a test, which can be asked.
fn press(window: &mut Window, modifiers: Modifiers, key: Key) -> Costs {
    let key = |pressed| Event::Key {
        key,
        physical_key: None,
        pressed,
        repeat: false,
        modifiers,
    };
    let mut costs = Costs::default();
    for events in [vec![key(true)], vec![key(false)], Vec::new(), Vec::new()] {
        costs.push(frame(window, events));
    }
    window.harness.step();
    costs
}

/// Selects a row of the table.
fn click_row(window: &mut Window) {
    let pos = Pos2::new(1000.0, 600.0);
    let button = |pressed| Event::PointerButton {
        pos,
        button: egui::PointerButton::Primary,
        pressed,
        modifiers: Modifiers::NONE,
    };
    for event in [Event::PointerMoved(pos), button(true), button(false)] {
        frame(window, vec![event]);
    }
    window.harness.step();
}

/// A scroll with two fingers on a trackpad. Unlike that of a wheel, egui applies it in one frame.
fn scroll(points: f32) -> Vec<Event> {
    let wheel = |phase, y| Event::MouseWheel {
        unit: egui::MouseWheelUnit::Point,
        delta: egui::vec2(0.0, y),
        phase,
        source: egui::MouseWheelSource::Trackpad,
        modifiers: Modifiers::NONE,
    };
    vec![
        Event::PointerMoved(Pos2::new(1000.0, 600.0)),
        wheel(egui::TouchPhase::Start, 0.0),
        wheel(egui::TouchPhase::Move, -points),
    ]
}

/// A screen that shows one pane.
struct Screen(egui::Context);

impl Screen {
    fn new() -> Self {
        let ctx = egui::Context::default();
        tokens::install(&ctx);
        Self(ctx)
    }

    fn pane(&self, events: Vec<Event>, pane_ui: &mut dyn FnMut(&mut Ui)) -> Cost {
        measured(&self.0, events, |ui| {
            egui::CentralPanel::default().show(ui, &mut *pane_ui);
        })
    }
}

/// Draws the same rows and columns as the documentation of egui's table does.
fn plain_table_ui(items: &record::Items, ui: &mut Ui) {
    let left = egui::Layout::left_to_right(egui::Align::Center);
    let mut table = TableBuilder::new(ui).striped(true).cell_layout(left);
    for width in [100.0, 499.0, 90.0, 455.0] {
        table = table.column(Column::initial(width).clip(true));
    }
    table
        .column(Column::remainder().clip(true))
        .header(tokens::ROW_HEIGHT, |mut header| {
            for title in ["State", "Name", "Size", "Result", "Time"] {
                header.col(|ui| {
                    ui.strong(title);
                });
            }
        })
        .body(|body| {
            body.rows(tokens::ROW_HEIGHT, items.len(), |mut row| {
                let item = &items[row.index()];
                let time = item.elapsed(Duration::ZERO).map(format::duration);
                for text in [
                    item.state.label().to_owned(),
                    item.input.display().to_string(),
                    format::bytes(item.total),
                    result_text(item),
                    time.unwrap_or_default(),
                ] {
                    row.col(|ui| {
                        ui.label(text);
                    });
                }
            });
        });
}

/// Figures for the page of the Freeze Lab.
#[cfg(target_os = "linux")]
mod lab {
    use super::{Duration, FrameLine, PatternId, RunRecord, Variant};
    use meanwhile::lab::{Fact, Figures, MAX_LIVE_PLOT, Stamped, TwinOutcome};

    const FRAMES: u32 = 512;

    /// A full plot of twin frames of varying length, with watcher frames.
    pub(super) fn line() -> FrameLine {
        let mut line = frames();
        for fact in facts() {
            line.watch(fact.at(), Duration::from_micros(fact.at_ns % 40_000));
        }
        line
    }

    /// The twin's frames alone.
    pub(super) fn frames() -> FrameLine {
        let pattern = PatternId::all().next().expect("there are patterns");
        let mut line = FrameLine::new(pattern.entry().scenario);
        for fact in facts() {
            line.apply(&fact);
        }
        line
    }

    pub(super) fn run(variant: Variant) -> RunRecord {
        let facts: Vec<_> = facts().collect();
        RunRecord {
            pattern: PatternId::all().next().expect("there are patterns"),
            variant,
            ending: TwinOutcome::Finished,
            figures: Figures::of(&facts, TwinOutcome::Finished),
            group: None,
        }
    }

    fn facts() -> impl Iterator<Item = Stamped> {
        let begins = (0..=FRAMES).map(|frame| {
            let jitter = Duration::from_micros(u64::from(frame) * 7_919 % 6_000);
            (
                MAX_LIVE_PLOT * frame / FRAMES + jitter,
                Fact::DidBegin { hidden: false },
            )
        });
        let first = [Fact::DidStart, Fact::DidClick].map(|fact| (Duration::ZERO, fact));
        first.into_iter().chain(begins).map(|(at, fact)| Stamped {
            at_ns: at.as_nanos().try_into().expect("seconds"),
            fact,
        })
    }
}

/// Ten lanes that sleep and wait in turns, for varying times.
fn timeline(spans: u32) -> Timeline {
    let mut timeline = Timeline::default();
    for lane in 0..10 {
        let mut apply = |at, kind| {
            let lane = LaneId::new(lane);
            timeline.apply(TimelineEvent { at, lane, kind });
        };
        let name = format!("worker {lane}");
        let kind = LaneKind::Task;
        let by = None;
        apply(Duration::ZERO, TimelineKind::DidOpen { name, kind, by });
        for number in 0..spans / 10 {
            let activity = if number % 2 == 0 {
                Activity::Sleeps
            } else {
                Activity::Waits
            };
            let label = String::new();
            let began = Duration::from_micros(u64::from(number) * 1_000);
            let length = Duration::from_micros(u64::from(number) * 7_919 % 900);
            apply(began, TimelineKind::DidBegin { activity, label });
            apply(began + length, TimelineKind::DidEnd);
        }
    }
    timeline
}

/// The record of a job that computed this many checksums.
fn checksums(count: usize) -> Record {
    let mut record = Record::default();
    let mut apply = |kind| {
        let at = Duration::from_millis(1);
        let job = JobId::new(1);
        record.apply(record::JobEvent { job, at, kind });
    };
    let spec = Arc::new(JobSpec {
        options: Options::Checksum(checksum::Options::default()),
        inputs: JobInputs::default(),
        run_on: RunOn::Pool,
        workers: 2,
        priority: Priority::default(),
    });
    apply(EventKind::JobDidStart { spec });
    for number in 0..count {
        let (item, bytes) = (ItemId::new(number), number as u64 * 7_919);
        let input = PathBuf::from(format!(
            "/home/ada/archive/{}/photo-{number}.jpg",
            number / 500
        ));
        let digest = format!(
            "{:064x}",
            (number as u128 + 1) * 0x9e37_79b9_7f4a_7c15_f39c_c060
        );
        let state = ItemState::Returned(Output::Checksum(Checksum {
            algorithm: checksum::Algorithm::Sha256,
            digest,
            bytes,
            verified: false,
            also: Vec::new(),
        }));
        let fails = false;
        apply(EventKind::ItemDidAppear {
            item: FoundItem {
                input,
                bytes,
                fails,
            },
        });
        apply(EventKind::ItemDidStart {
            item,
            thread: ThreadNumber::new(1),
        });
        apply(EventKind::ItemDidFinish { item, state });
    }
    let state = JobState::Returned;
    apply(EventKind::JobDidFinish { state });
    record
}

/// The cost of one frame.
struct Cost {
    time: Duration,
    vertices: usize,
}

#[derive(Default)]
struct Costs(Vec<Cost>);

impl Costs {
    fn push(&mut self, cost: Cost) {
        self.0.push(cost);
    }

    fn append(&mut self, mut others: Self) {
        self.0.append(&mut others.0);
    }

    fn time(&mut self, quantile: f64) -> Duration {
        self.0.sort_by_key(|cost| cost.time);
        self.0[at_quantile(self.0.len(), quantile)].time
    }

    fn vertices(&self) -> usize {
        self.0.iter().map(|cost| cost.vertices).max().unwrap_or(0)
    }
}

fn measured(ctx: &egui::Context, events: Vec<Event>, mut run_ui: impl FnMut(&mut Ui)) -> Cost {
    let input = egui::RawInput {
        screen_rect: Some(Rect::from_min_size(Pos2::ZERO, SIZE)),
        focused: true,
        events,
        ..egui::RawInput::default()
    };
    let began = thread_time();
    let mut output = ctx.run_ui(input, &mut run_ui);
    let shapes = std::mem::take(&mut output.shapes);
    let meshes = ctx.tessellate(shapes, output.pixels_per_point);
    let time = thread_time().saturating_sub(began);
    output.drop_without_applying_deltas();
    let vertices = meshes.iter().map(|mesh| match &mesh.primitive {
        egui::epaint::Primitive::Mesh(mesh) => mesh.vertices.len(),
        egui::epaint::Primitive::Callback(_) => 0,
    });
    Cost {
        time,
        vertices: vertices.sum(),
    }
}

/// The CPU time of the calling thread.
fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID);
    time.expect("every Linux has this clock").into()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and the last index"
)]
fn at_quantile(len: usize, quantile: f64) -> usize {
    ((len - 1) as f64 * quantile).round() as usize
}

/// Prints the figures, and the ratio of the medians.
fn show(title: &str, contenders: &mut [(&str, &mut Costs)]) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{title}")?;
    let millis = |time: Duration| time.as_secs_f64() * 1e3;
    let ours = millis(contenders[0].1.time(0.5));
    for (name, costs) in contenders {
        let [median, late, worst] = [0.5, 0.99, 1.0].map(|quantile| millis(costs.time(quantile)));
        writeln!(
            out,
            "    {name:<20} median {median:>6.3} ms   p99 {late:>6.3} ms   worst {worst:>6.3} ms   {:>6} vertices   ours / this {:.2}",
            costs.vertices(),
            ours / median
        )?;
    }
    Ok(())
}
