//! The window of a twin: a button that starts the work, things to try meanwhile, and the pattern.

use std::hash::{DefaultHasher, Hash as _, Hasher};

use eframe::egui::layers::PaintList;
use eframe::egui::{
    self, CentralPanel, Context, Event, LayerId, Modifiers, PointerButton, Pos2, RawInput, Shape,
    Ui,
};
use eframe::glow::HasContext as _;

use super::TwinOptions;
use super::script::Cues;
use crate::lab::cpu;
use crate::lab::fact::{Display, Fact, Log, ThreadTime};
use crate::lab::pattern::{Pattern, PatternId, Script, Variant};
use crate::lab::work::Work;

pub(super) struct Twin {
    pattern: PatternId,
    variant: Variant,
    half: Box<dyn Pattern>,
    work: Work,
    log: Log,
    cues: Cues,
    /// A spinner asks for frames without end, which would hide what a window does by itself.
    spins: bool,
    display: Display,
    is_open: bool,
    clicks: u64,
    text: String,
    start_at: Pos2,
    counter_at: Pos2,
    cpu_ns: u64,
    picture: u64,
}

impl Twin {
    pub(super) fn new(
        creation: &eframe::CreationContext<'_>,
        options: &TwinOptions,
        work: Work,
        log: Log,
        cues: Cues,
    ) -> Self {
        let entry = options.pattern.entry();
        let monitor = creation
            .winit_window()
            .and_then(|window| window.current_monitor());
        Self {
            pattern: options.pattern,
            variant: options.variant,
            half: (entry.make)(options.variant),
            work,
            log,
            cues,
            spins: entry.script == Script::Probed,
            display: Display {
                refresh_millihertz: monitor.and_then(|monitor| monitor.refresh_rate_millihertz()),
                renderer: creation.gl.as_ref().map(|gl| renderer(gl)),
            },
            is_open: false,
            clicks: 0,
            text: String::new(),
            start_at: Pos2::ZERO,
            counter_at: Pos2::ZERO,
            cpu_ns: 0,
            picture: 0,
        }
    }

    fn window_ui(&mut self, ui: &mut Ui) {
        ui.heading(self.pattern.entry().bad.replace('`', ""));
        ui.weak(match self.variant {
            Variant::Bad => "as it is often done",
            Variant::Fixed => self.pattern.entry().fix,
        });
        ui.separator();
        self.toys_ui(ui);
        ui.separator();
        let start = ui.button("Start");
        self.start_at = start.rect.center();
        if start.clicked() {
            self.log.note(Fact::DidStart);
            let ctx = ui.ctx().clone();
            self.half.start(self.work.clone(), &ctx);
        }
        self.half.ui(ui);
    }

    /// Something that moves, something to click, something to type.
    fn toys_ui(&mut self, ui: &mut Ui) {
        ui.horizontal(|ui| {
            if self.spins {
                ui.spinner();
            }
            let counter = ui.button(format!("Clicked {} times", self.clicks));
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
        for _ in 0..self.cues.take_clicks() {
            click(self.counter_at, input);
        }
        if self.cues.take_start() {
            click(self.start_at, input);
        }
    }

    fn logic(&mut self, ctx: &Context, _frame: &mut eframe::Frame) {
        let hidden = ctx.input(|input| input.viewport().visible() == Some(false));
        self.log.note(Fact::DidBegin { hidden });
        for knock in self.cues.take_knocks() {
            let waited = knock.elapsed().as_nanos();
            let waited_ns = u64::try_from(waited).unwrap_or(u64::MAX);
            self.log.note(Fact::DidAnswer { waited_ns });
        }
        self.half.logic(ctx);
    }

    fn ui(&mut self, ui: &mut Ui, _frame: &mut eframe::Frame) {
        CentralPanel::default().show(ui, |ui| self.window_ui(ui));
        if !self.is_open {
            self.is_open = true;
            self.log.note(Fact::DidOpen(self.display.clone()));
            self.cues.set_open();
        }
        let picture = text_of(ui.ctx());
        let cpu_ns = cpu::of_thread();
        self.log.note(Fact::DidDraw {
            cpu_ns: cpu_ns - self.cpu_ns,
            changed: picture != self.picture,
        });
        self.picture = picture;
        self.cpu_ns = cpu_ns;
    }

    fn on_exit(&mut self, _gl: Option<&eframe::glow::Context>) {
        self.half.on_exit();
    }

    fn persist_egui_memory(&self) -> bool {
        false
    }
}

/// What draws, as it calls itself. Mesa's renderer in software is known by its threads alone: to ask
/// for its name is unsafe.
fn renderer(gl: &eframe::glow::Context) -> String {
    let version = gl.version();
    let embedded = if version.is_embedded { " ES" } else { "" };
    let (major, minor) = (version.major, version.minor);
    let mut text = format!("OpenGL{embedded} {major}.{minor} {}", version.vendor_info);
    let is_soft = |thread: &ThreadTime| thread.name.starts_with("llvmpipe");
    if cpu::of_threads().iter().any(is_soft) {
        text += ", llvmpipe";
    }
    text
}

/// A click of a mouse, as the window system would report it.
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

/// All the text in the picture: two frames with the same text tell a person the same.
fn text_of(ctx: &egui::Context) -> u64 {
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
