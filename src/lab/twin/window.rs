//! The window of a twin: a `Start` button, widgets to try while the work runs, and the pattern.

use std::hash::{DefaultHasher, Hash as _, Hasher};
use std::time::Duration;

use eframe::egui::layers::PaintList;
use eframe::egui::{
    self, CentralPanel, Context, Event, LayerId, Modifiers, PointerButton, Pos2, RawInput, Shape,
    Ui, ViewportCommand, WindowLevel,
};

use super::scenario::ScriptedInput;
use crate::desktop;
use crate::format;
use crate::join::watchdog::{Cause, FrameGuard, LabelGuard, Watchdog};
use crate::lab::cpu;
use crate::lab::fact::{Display, Fact, FactLog, LateCause};
use crate::lab::pattern::{Pattern, Scenario, Variant};
use crate::lab::run::TwinRunOptions;
use crate::lab::work::Work;
use crate::late_frame;

pub(super) struct Twin {
    options: TwinRunOptions,
    pattern: Box<dyn Pattern>,
    work: Work,
    log: FactLog,
    input: ScriptedInput,
    /// A spinner requests frames all the time, so only probed windows have one.
    spins: bool,
    display: Display,
    is_open: bool,
    /// Whether it asked to stay in front.
    is_in_front: bool,
    clicks: u64,
    text: String,
    start_at: Pos2,
    counter_at: Pos2,
    cpu_ns: u64,
    text_hash: u64,
    /// `None` if the system refused its thread.
    watchdog: Option<Watchdog>,
    /// The frame that is drawn. That of a window with input lasts until the next one, so painting counts, too.
    frame: Option<FrameGuard>,
    frames: u64,
}

/// Two frames at 60 Hz.
const MAX_FRAME_TIME: Duration = Duration::from_micros(33_333);

/// Of so many frames one says how often it was asked for, because that takes time.
const FRAMES_PER_COUNT: u64 = 16;

impl Twin {
    pub(super) fn new(
        creation: &eframe::CreationContext<'_>,
        options: &TwinRunOptions,
        work: Work,
        log: FactLog,
        input: ScriptedInput,
    ) -> Self {
        let entry = options.pattern.entry();
        let watchdog = watchdog(log.clone());
        let monitor = creation
            .winit_window()
            .and_then(|window| window.current_monitor());
        Self {
            options: *options,
            pattern: (entry.make)(options.variant),
            work,
            log,
            input,
            spins: entry.scenario == Scenario::Probed,
            display: Display {
                refresh_millihertz: monitor.and_then(|monitor| monitor.refresh_rate_millihertz()),
                renderer: creation.gl.as_deref().map(desktop::renderer),
                server: desktop::Display::find().ok().and_then(|it| it.title()),
            },
            is_open: false,
            is_in_front: false,
            clicks: 0,
            text: String::new(),
            start_at: Pos2::ZERO,
            counter_at: Pos2::ZERO,
            cpu_ns: 0,
            text_hash: 0,
            watchdog,
            frame: None,
            frames: 0,
        }
    }

    fn window_ui(&mut self, ui: &mut Ui) {
        let entry = self.options.pattern.entry();
        ui.heading(entry.bad.replace('`', ""));
        ui.weak(match self.options.variant {
            Variant::Bad => "the common mistake",
            Variant::Fixed => entry.fix,
        });
        if self.options.is_manual {
            self.instructions_ui(ui);
        }
        ui.separator();
        self.widgets_ui(ui);
        ui.separator();
        let start = ui.button("Start");
        self.start_at = start.rect.center();
        if start.clicked() {
            let _label = self.guard("a click on Start");
            self.log.note(Fact::DidStart);
            let ctx = ui.ctx().clone();
            self.pattern.start(self.work.clone(), &ctx);
        }
        let _label = self.guard("drawing");
        self.pattern.ui(ui);
    }

    /// Begins a frame for the watchdog.
    fn begin_frame(&mut self) {
        // Ends the one before.
        self.frame = None;
        self.frame = self.watchdog.as_ref().map(Watchdog::frame);
    }

    /// Ends a frame after which the window may rest.
    fn end_frame(&mut self) {
        let is_probed = self.options.pattern.entry().scenario == Scenario::Probed;
        if self.options.is_manual || !is_probed {
            self.frame = None;
        }
    }

    fn note_begin(&mut self, ctx: &Context) {
        let hidden = ctx.input(|input| input.viewport().visible() == Some(false));
        self.log.note(Fact::DidBegin { hidden });
        self.frames += 1;
        let scenario = self.options.pattern.entry().scenario;
        if scenario == Scenario::Untouched && self.frames.is_multiple_of(FRAMES_PER_COUNT) {
            let times = ctx.repaint_causes().len();
            self.log.note(Fact::WasAskedFor { times });
        }
    }

    fn guard(&self, label: &'static str) -> Option<LabelGuard> {
        Some(self.watchdog.as_ref()?.guard(label))
    }

    /// What the user does here, whom nobody else tells.
    fn instructions_ui(&self, ui: &mut Ui) {
        let work = format::duration(self.options.length);
        let scenario = self.options.pattern.entry().scenario;
        let mut steps = vec![
            format!("Press Start. The work takes {work}."),
            scenario.by_hand().to_owned(),
            "The Freeze Lab plots each frame of this window.".to_owned(),
        ];
        if scenario != Scenario::Closed {
            steps.push("Close this window when you are done.".to_owned());
        }
        for (step, number) in steps.iter().zip(1..) {
            ui.label(format!("{number}. {step}"));
        }
    }

    /// Something that moves, something to click, something to type into.
    fn widgets_ui(&mut self, ui: &mut Ui) {
        ui.horizontal(|ui| {
            if self.spins {
                ui.spinner();
            }
            let clicks = usize::try_from(self.clicks).unwrap_or(usize::MAX);
            let clicks = format::plural(clicks, "time", "times");
            let counter = ui.button(format!("Clicked {clicks}"));
            self.counter_at = counter.rect.center();
            if counter.clicked() {
                self.clicks += 1;
                let clicks = self.clicks;
                self.log.note(Fact::DidCount { clicks });
            }
        });
        let label = ui.label("Type here").id;
        ui.text_edit_singleline(&mut self.text).labelled_by(label);
    }
}

impl eframe::App for Twin {
    fn raw_input_hook(&mut self, _ctx: &Context, input: &mut RawInput) {
        for _ in 0..self.input.take_clicks() {
            click(self.counter_at, input);
        }
        if self.input.take_start() {
            click(self.start_at, input);
        }
    }

    fn logic(&mut self, ctx: &Context, _frame: &mut eframe::Frame) {
        self.begin_frame();
        self.note_begin(ctx);
        for probe in self.input.take_probes() {
            let waited = probe.elapsed().as_nanos();
            let waited_ns = u64::try_from(waited).unwrap_or(u64::MAX);
            self.log.note(Fact::DidAnswer { waited_ns });
        }
        self.pattern.logic(ctx);
        self.end_frame();
    }

    fn ui(&mut self, ui: &mut Ui, _frame: &mut eframe::Frame) {
        if self.frame.is_none() {
            self.begin_frame();
        }
        CentralPanel::default().show(ui, |ui| self.window_ui(ui));
        if self.is_open && !self.is_in_front {
            // A click on the window of the Lab would hide it, and a hidden window draws nothing to measure. X11
            // takes that only of a window that is shown, which this one is after its first frame.
            self.is_in_front = true;
            let level = ViewportCommand::WindowLevel(WindowLevel::AlwaysOnTop);
            ui.ctx().send_viewport_cmd(level);
        }
        if !self.is_open {
            self.is_open = true;
            ui.ctx().request_repaint();
            self.log.note(Fact::DidOpen(self.display.clone()));
            self.input.set_open();
        }
        let text_hash = hash_of_text(ui.ctx());
        let cpu_ns = cpu::of_thread();
        self.log.note(Fact::DidDraw {
            cpu_ns: cpu_ns - self.cpu_ns,
            changed: text_hash != self.text_hash,
        });
        self.text_hash = text_hash;
        self.cpu_ns = cpu_ns;
        self.end_frame();
    }

    fn on_exit(&mut self, _gl: Option<&eframe::glow::Context>) {
        self.begin_frame();
        let _label = self.guard("closing");
        self.pattern.on_exit();
        self.frame = None;
    }

    fn persist_egui_memory(&self) -> bool {
        false
    }
}

/// Notes frames that are late, and why.
fn watchdog(log: FactLog) -> Option<Watchdog> {
    let watchdog = late_frame::watchdog(MAX_FRAME_TIME, move |incident| {
        let because = incident.because();
        let cause = incident.cause.zip(because).map(|(cause, because)| {
            let kind = match cause {
                Cause::Waits { what, .. } => what,
                Cause::Starved(_) => "starved".to_owned(),
                other => other.to_string(),
            };
            LateCause { kind, because }
        });
        log.note(Fact::IsLate {
            number: incident.number,
            lasted_ns: u64::try_from(incident.lasted.as_nanos()).unwrap_or(u64::MAX),
            has_ended: incident.has_ended,
            cause,
        });
    });
    watchdog.ok()
}

/// Adds a mouse click, as the window system would report it.
fn click(pos: Pos2, input: &mut RawInput) {
    let button = |pressed| Event::PointerButton {
        pos,
        button: PointerButton::Primary,
        pressed,
        modifiers: Modifiers::NONE,
    };
    input.events.push(Event::PointerMoved(pos));
    input.events.push(button(true));
    input.events.push(button(false));
}

/// A hash of all text in the frame. Frames with the same text look the same to the user.
fn hash_of_text(ctx: &egui::Context) -> u64 {
    let mut hasher = DefaultHasher::new();
    ctx.graphics(|layers| {
        let shapes = layers.get(LayerId::background()).into_iter();
        for shape in shapes.flat_map(PaintList::all_entries) {
            hash_text(&shape.shape, &mut hasher);
        }
    });
    hasher.finish()
}

fn hash_text(shape: &Shape, hasher: &mut DefaultHasher) {
    match shape {
        Shape::Text(text) => text.galley.text().hash(hasher),
        Shape::Vec(shapes) => shapes.iter().for_each(|shape| hash_text(shape, hasher)),
        _ => {}
    }
}
