//! The page of the lessons on systems without them.

use eframe::egui::{CentralPanel, Ui};
use serde::{Deserialize, Serialize};

use super::commands::CommandInfo;
use super::{Page, PageContext, PageId, PageSetup};
use crate::ui::widgets;

pub(crate) const ID: PageId = PageId::new("lessons");
pub(super) const TITLE: &str = "Lessons";
pub(super) static COMMANDS: &[CommandInfo] = &[];

/// There is nothing to choose.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LessonChoices {}

impl LessonChoices {
    /// Returns the choices as they are.
    #[must_use]
    pub fn sanitized(self) -> Self {
        self
    }
}

pub(crate) struct Lessons;

impl Lessons {
    pub(super) fn new(_setup: &PageSetup) -> Self {
        Self
    }
}

impl Page for Lessons {
    fn id(&self) -> PageId {
        ID
    }

    fn title(&self) -> &'static str {
        TITLE
    }

    fn commands(&self) -> &'static [CommandInfo] {
        COMMANDS
    }

    fn ui(&mut self, _context: &mut PageContext, ui: &mut Ui) {
        CentralPanel::default().show(ui, |ui| {
            let hint = "They start and stop processes with features of Unix.";
            widgets::empty_ui(ui, "The lessons need Linux or macOS", hint);
        });
    }
}
