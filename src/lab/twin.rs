//! The twin: a window in a child process, in which a pattern runs and is measured.
//!
//! Three threads share the work. The UI thread runs the pattern and notes its frames. The thread of
//! the [`scenario`] simulates a user. The [`fact_writer`] sends every fact to the Lab, also
//! while the window is frozen.

mod fact_writer;
mod scenario;
mod unfocused;
mod window;

use anyhow::Context as _;
use eframe::egui;

use self::scenario::ScriptedInput;
use self::window::Twin;
use super::fact::Fact;
use super::run::TwinRunOptions;
use super::work::Work;
use crate::desktop::{self, Display};

/// Opens the window of a twin and prints facts to standard output. Returns when the window closes.
///
/// # Errors
/// The window could not be opened, or a thread not started.
pub fn run_twin(options: &TwinRunOptions) -> anyhow::Result<()> {
    let (log, writer) =
        fact_writer::start().context("could not start the thread that writes facts")?;
    let input = ScriptedInput::default();
    let work = Work::new(options.work, options.length, log.clone());
    let title = format!("{} · {}", options.pattern, options.variant);
    let mut viewport = egui::ViewportBuilder::default()
        .with_app_id("meanwhile-twin")
        .with_title(&title)
        .with_inner_size(options.inner_size())
        // A desktop that tiles its windows lets one of a fixed size float. Tiled, it would be large and draw slowly, and
        // resize the window of the Lab beside it.
        .with_resizable(options.is_manual);
    if let Some(position) = options.position {
        viewport = viewport.with_position(position);
    }
    let display = Display::find().map_err(anyhow::Error::msg)?;
    let mut native = eframe::NativeOptions {
        viewport,
        renderer: desktop::RENDERER,
        persist_window: false,
        ..eframe::NativeOptions::default()
    };
    display.use_for_windows(&mut native);
    let opened = {
        let (options, log) = (*options, log.clone());
        eframe::run_native(
            "meanwhile-twin",
            native,
            Box::new(move |creation| {
                if !options.is_manual {
                    unfocused::open_without_keyboard(creation);
                }
                let twin = Twin::new(creation, &options, work, log.clone(), input.clone());
                if !options.is_manual {
                    scenario::start(&creation.egui_ctx, &options, log, input)?;
                }
                Ok(Box::new(twin))
            }),
        )
    };
    if opened.is_ok() {
        log.note(Fact::DidClose);
    }
    writer.finish();
    opened.map_err(|error| {
        let why = desktop::reason(&error);
        anyhow::anyhow!("could not open the measured window: {why}")
    })
}
