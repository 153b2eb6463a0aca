//! What the window draws: one file per panel, all of them `(&data, ui, &mut Vec<Command>)`.
//!
//! A panel reads the [`Record`](crate::record::Record) and never changes it. What a person asks
//! for is pushed as a [`Command`], which the app runs once, at the end of the frame. Nothing here
//! waits, reads a file or computes over all items of a job.

pub mod close_question;
pub mod files_panel;
pub mod job_panel;
pub mod jobs_panel;
pub mod notices;
pub mod options_panel;
pub mod panic_pane;
pub mod results_pane;
pub mod settings_page;
pub mod status_bar;
pub mod tokens;
pub mod waits_pane;
pub mod widgets;
pub mod words;

mod choices;
mod command;
mod view;

pub use choices::{Choices, Settings, ThemeChoice};
pub use command::{Command, Notice, Severity};
pub use view::{BlockedFor, Column, Draft, Order, Page, Pane, ResultsView, Sort, View};
