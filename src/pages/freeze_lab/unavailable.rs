//! The page on systems without a Freeze Lab.

pub mod incidents;

use std::time::SystemTime;

use eframe::egui::{CentralPanel, Panel, Ui};
use serde::{Deserialize, Serialize};

use super::commands::UiCommand;
use super::{Page, PageContext, PageId, PageInfo, PageSetup};
use crate::ui::widgets;

pub(crate) const ID: PageId = PageId::new("freeze_lab");
pub(super) const INFO: &PageInfo = &PageInfo {
    id: ID,
    title: "Freeze Lab",
    commands: &[incidents::ROW],
    guide: "freeze-lab.md",
};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LabChoices {}

impl LabChoices {
    #[must_use]
    pub fn sanitized(self) -> Self {
        self
    }
}

pub(crate) struct FreezeLab;

impl FreezeLab {
    pub(super) fn new(_setup: &PageSetup) -> Self {
        Self
    }
}

impl Page for FreezeLab {
    fn info(&self) -> &'static PageInfo {
        INFO
    }

    fn ui(&mut self, context: &mut PageContext, ui: &mut Ui) {
        Panel::bottom("incidents").show(ui, |ui| {
            incidents::incidents_ui(&mut context.state.incidents, SystemTime::now(), ui);
        });
        CentralPanel::default().show(ui, |ui| {
            let hint = "It measures windows by means that only Linux offers.";
            widgets::empty_ui(ui, "The Freeze Lab needs Linux", hint);
        });
    }

    fn run_command(&mut self, _clear: UiCommand, context: &mut PageContext) {
        context.state.incidents.clear();
    }
}
