//! The page of the lessons where there are none.

use eframe::egui::{CentralPanel, Ui};
use serde::{Deserialize, Serialize};

use super::{Page, PageId, PageSetup, Shell};
use crate::ui::widgets;

pub(crate) const ID: PageId = PageId::new("lessons");

/// Nothing can be chosen.
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
            let hint = "They start and end processes by means that only Unix has.";
            widgets::empty_ui(ui, "The lessons need Linux or macOS", hint);
        });
    }
}
