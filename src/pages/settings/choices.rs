use eframe::egui;
use serde::{Deserialize, Serialize};

use crate::choice::choices;

/// The appearance and behaviour of the window; remembered between runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    pub theme: ThemeChoice,
    pub zoom: f32,
    /// Whether the window asks for attention when long work ends behind another window.
    pub ask_attention: bool,
    /// Whether the machine is kept from going to sleep while long work runs.
    pub stay_awake: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: ThemeChoice::default(),
            zoom: 1.0,
            ask_attention: true,
            stay_awake: true,
        }
    }
}

impl Settings {
    /// The smallest and largest zoom.
    pub const ZOOM: std::ops::RangeInclusive<f32> = 0.5..=3.0;

    /// Brings values from a file into the ranges that the window can show.
    #[must_use]
    pub fn sanitized(mut self) -> Self {
        if !Self::ZOOM.contains(&self.zoom) {
            self.zoom = 1.0;
        }
        self
    }
}

/// The theme that the user wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThemeChoice {
    /// The theme of the desktop.
    #[default]
    System,
    Light,
    Dark,
}

choices!(pub ThemeChoice {
    System => "System",
    Light => "Light",
    Dark => "Dark",
});

impl From<ThemeChoice> for egui::ThemePreference {
    fn from(choice: ThemeChoice) -> Self {
        match choice {
            ThemeChoice::System => Self::System,
            ThemeChoice::Light => Self::Light,
            ThemeChoice::Dark => Self::Dark,
        }
    }
}
