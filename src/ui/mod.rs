//! What the window draws: one file per panel, all of them `(&data, ui, &mut Vec<Command>)`.
//!
//! A panel reads the [`Record`](crate::record::Record) and never changes it. What a person asks
//! for is pushed as a [`Command`], which the app runs once, at the end of the frame. Nothing here
//! waits, reads a file or computes over all items of a job.

pub(crate) mod close_question;
#[cfg(unix)]
pub(crate) mod code_view;
mod command_options;
mod fetch_options;
pub(crate) mod files_panel;
mod form;
#[cfg(target_os = "linux")]
pub mod frame_plot;
mod images_options;
pub(crate) mod incidents;
pub(crate) mod job_panel;
pub(crate) mod jobs_panel;
#[cfg(target_os = "linux")]
pub(crate) mod lab_figures;
#[cfg(target_os = "linux")]
pub mod lab_page;
#[cfg(target_os = "linux")]
pub(crate) mod lab_report;
mod legend;
#[cfg(unix)]
pub mod lesson_page;
#[cfg(unix)]
mod lesson_transcript;
pub(crate) mod notices;
pub(crate) mod options_panel;
pub(crate) mod output_log;
pub(crate) mod output_pane;
pub(crate) mod panic_pane;
pub mod results_pane;
pub(crate) mod settings_page;
pub(crate) mod status_bar;
mod time_axis;
pub mod timeline_view;
pub mod tokens;
pub(crate) mod waits_pane;
pub(crate) mod widgets;

mod choices;
mod command;
#[cfg(unix)]
mod lesson_choices;
mod results_rows;
mod view;

#[cfg(target_os = "linux")]
pub use choices::LabChoices;
pub use choices::{Choices, Settings, ThemeChoice};
#[cfg(target_os = "linux")]
pub use command::LabCommand;
#[cfg(unix)]
pub use command::LessonCommand;
pub use command::{Command, Notice, Severity};
#[cfg(unix)]
pub use lesson_choices::LessonChoices;
pub(crate) use view::ShownOutput;
pub use view::{
    BlockedFor, Column, Draft, Order, OutputView, Page, Pane, ResultsView, Sort, Stream, View,
};
