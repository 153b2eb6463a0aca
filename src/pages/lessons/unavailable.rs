//! The page of the lessons on systems without them.

use eframe::egui::{CentralPanel, Ui};
use serde::{Deserialize, Serialize};

use super::{Page, PageContext, PageId, PageInfo, PageSetup};
use crate::ui::widgets;

pub(crate) const ID: PageId = PageId::new("lessons");
pub(super) const INFO: &PageInfo = &PageInfo {
    id: ID,
    title: "Lessons",
    commands: &[],
    guide: "lessons.md",
};

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
    fn info(&self) -> &'static PageInfo {
        INFO
    }

    fn ui(&mut self, _context: &mut PageContext, ui: &mut Ui) {
        CentralPanel::default().show(ui, |ui| {
            let hint = "They start and stop processes with features of Unix.";
            widgets::empty_ui(ui, "The lessons need Linux or macOS", hint);
        });
    }
}
