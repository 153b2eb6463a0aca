//! The page of the lessons on systems without them.

use eframe::egui::{CentralPanel, Ui};
use serde::{Deserialize, Serialize};

use super::{Page, PageId, PageSetup, Shell};
use crate::ui::widgets;

pub(crate) const ID: PageId = PageId::new("lessons");

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
        "Lessons"
    }

    fn ui(&mut self, _shell: &mut Shell, ui: &mut Ui) {
        CentralPanel::default().show(ui, |ui| {
            let hint = "They start and stop processes with features of Unix.";
            widgets::empty_ui(ui, "The lessons need Linux or macOS", hint);
        });
    }
}
