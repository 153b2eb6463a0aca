//! The twin: a second window, in a process of its own, in which a pattern runs and is measured.
//!
//! Three threads share the work. The UI thread runs the pattern and notes when its frames begin and
//! end; the [`script`] does what a person would do; the [`wire`] tells the Lab all of it as it
//! happens, also while the window is frozen.

mod script;
mod window;
mod wire;

use std::time::Duration;

use anyhow::Context as _;
use eframe::egui;

use self::script::Cues;
use self::window::Twin;
use super::fact::Fact;
use super::pattern::{PatternId, Variant};
use super::work::{Kind, Work};
use crate::desktop;

/// What a twin is started with.
#[derive(Clone, Debug)]
pub struct TwinOptions {
    /// What runs in it.
    pub pattern: PatternId,
    /// Which half.
    pub variant: Variant,
    /// What is worked on.
    pub kind: Kind,
    /// How long the work takes.
    pub length: Duration,
    /// Whether a person does what else the script does.
    pub by_hand: bool,
    /// Where the window is to stand, in points from the corner of the screen.
    pub position: Option<[f32; 2]>,
}

/// Opens the window of a twin and tells on standard output what happens in it; comes back when the
/// window was closed.
///
/// # Errors
/// The desktop gave no window, or no thread.
pub fn run_twin(options: &TwinOptions) -> anyhow::Result<()> {
    let (log, wire) = wire::start().context("the twin can't tell what it measures")?;
    let cues = Cues::default();
    let work = Work::new(options.kind, options.length, log.clone());
    let title = format!("{} · {}", options.pattern, options.variant);
    let mut viewport = egui::ViewportBuilder::default()
        .with_app_id("meanwhile-twin")
        .with_title(&title)
        .with_inner_size([340.0, 300.0]);
    if let Some(position) = options.position {
        viewport = viewport.with_position(position);
    }
    let native = eframe::NativeOptions {
        viewport,
        renderer: desktop::RENDERER,
        persist_window: false,
        ..eframe::NativeOptions::default()
    };
    let opened = {
        let (options, log, cues) = (options.clone(), log.clone(), cues.clone());
        eframe::run_native(
            "meanwhile-twin",
            native,
            Box::new(move |creation| {
                let twin = Twin::new(creation, &options, work, log.clone(), cues.clone());
                if !options.by_hand {
                    script::start(&creation.egui_ctx, &options, log, cues)?;
                }
                Ok(Box::new(twin))
            }),
        )
    };
    if opened.is_ok() {
        log.note(Fact::DidClose);
    }
    wire.finish();
    opened.map_err(|error| {
        let why = desktop::reason(&error);
        anyhow::anyhow!("the desktop gave the twin no window: {why}")
    })
}
