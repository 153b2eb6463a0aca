use std::path::PathBuf;

use eframe::egui;
use serde::{Deserialize, Serialize};

use crate::jobs::{self, Options, Priority, RunOn};

/// What a person chose for the next job; remembered between runs.
///
/// ```
/// use meanwhile::ui::Choices;
///
/// // As it may come from a file that somebody edited.
/// let choices = Choices { chosen: 99, timeout_secs: f64::NAN, ..Choices::default() }.sanitized();
/// assert_eq!(choices.options().job().id(), "misbehave");
/// assert_eq!(choices.timeout_secs, Choices::default().timeout_secs);
///
/// // From a program that knew fewer jobs.
/// let last = Choices::default().jobs.pop().unwrap();
/// let choices = Choices { jobs: vec![last], chosen: 0, ..Choices::default() }.sanitized();
/// assert_eq!(choices.options().job().id(), "misbehave");
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Choices {
    /// The options of every job of the catalogue, as last left.
    pub jobs: Vec<Options>,
    /// Which of [`Choices::jobs`] is chosen.
    pub chosen: usize,
    /// Where items run.
    pub run_on: RunOn,
    /// How many items run at once, at least 1.
    pub workers: usize,
    /// How urgently they run.
    pub priority: Priority,
    /// For `Join with timeout`, in seconds.
    pub timeout_secs: f64,
    /// Whether joins block the window. Not remembered: it is a thing to try, not to forget about.
    #[serde(skip)]
    pub wait_on_ui_thread: bool,
}

impl Default for Choices {
    fn default() -> Self {
        Self {
            jobs: jobs::catalogue(),
            chosen: 0,
            run_on: RunOn::default(),
            workers: jobs::cores(),
            priority: Priority::default(),
            timeout_secs: 2.0,
            wait_on_ui_thread: false,
        }
    }
}

impl Choices {
    /// The longest timeout that can be chosen, in seconds.
    pub const MAX_TIMEOUT_SECS: f64 = 86_400.0;

    /// The most workers that can be chosen.
    pub const MAX_WORKERS: usize = 256;

    /// The chosen job with its options.
    pub fn options(&self) -> &Options {
        &self.jobs[self.chosen]
    }

    /// Makes `folder` the one that the chosen job saves to, where it saves to one.
    pub(crate) fn save_to(&mut self, folder: PathBuf) {
        match &mut self.jobs[self.chosen] {
            Options::Fetch(options) => options.to = folder,
            Options::Images(options) => options.to = folder,
            Options::Checksum(_) | Options::Command(_) | Options::Misbehave(_) => {}
        }
    }

    /// Brings values that came from a file back into what the window can show.
    #[must_use]
    pub fn sanitized(mut self) -> Self {
        let chosen = self.jobs.get(self.chosen).map(|options| options.job().id());
        let jobs = jobs::catalogue().into_iter();
        let jobs: Vec<_> = jobs.map(|default| self.remembered(default)).collect();
        // Where there are more jobs than there were, the same job has another place.
        let place = jobs
            .iter()
            .position(|options| Some(options.job().id()) == chosen);
        self.chosen = place.unwrap_or(self.chosen).min(jobs.len() - 1);
        self.jobs = jobs;
        self.workers = self.workers.clamp(1, Self::MAX_WORKERS);
        if !(0.0..=Self::MAX_TIMEOUT_SECS).contains(&self.timeout_secs) {
            self.timeout_secs = Self::default().timeout_secs;
        }
        self
    }

    fn remembered(&self, default: Options) -> Options {
        let id = default.job().id();
        let remembered = self.jobs.iter().find(|options| options.job().id() == id);
        remembered.cloned().unwrap_or(default)
    }
}

/// What a person chose for the runs of the Freeze Lab; remembered between runs.
///
/// ```
/// use meanwhile::ui::LabChoices;
///
/// let choices = LabChoices { secs: f64::NAN, repeat: 0, ..LabChoices::default() };
/// assert_eq!(choices.sanitized(), LabChoices::default());
/// ```
#[cfg(target_os = "linux")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LabChoices {
    /// What is worked on.
    pub kind: crate::lab::WorkKind,
    /// How long the work takes, in seconds.
    pub secs: f64,
    /// How often each half is run.
    pub repeat: usize,
}

#[cfg(target_os = "linux")]
impl Default for LabChoices {
    fn default() -> Self {
        Self {
            kind: crate::lab::WorkKind::default(),
            secs: 2.0,
            repeat: 1,
        }
    }
}

#[cfg(target_os = "linux")]
impl LabChoices {
    /// How long the work can take, in seconds.
    pub const SECS: std::ops::RangeInclusive<f64> = 0.1..=60.0;

    /// How often a half can be run.
    pub const REPEAT: std::ops::RangeInclusive<usize> = 1..=20;

    /// Brings values that came from a file back into what the window can show.
    #[must_use]
    pub fn sanitized(mut self) -> Self {
        if !Self::SECS.contains(&self.secs) {
            self.secs = Self::default().secs;
        }
        self.repeat = self
            .repeat
            .clamp(*Self::REPEAT.start(), *Self::REPEAT.end());
        self
    }
}

/// How the window looks and behaves; remembered between runs.
///
/// ```
/// use meanwhile::ui::Settings;
///
/// let settings = Settings { zoom: 40.0, ..Settings::default() }.sanitized();
/// assert!(Settings::ZOOM.contains(&settings.zoom));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Which theme.
    pub theme: ThemeChoice,
    /// How much larger everything is drawn.
    pub zoom: f32,
    /// Whether the window asks for attention when long work ends behind another window.
    pub ask_attention: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: ThemeChoice::default(),
            zoom: 1.0,
            ask_attention: true,
        }
    }
}

impl Settings {
    /// The smallest and largest zoom.
    pub const ZOOM: std::ops::RangeInclusive<f32> = 0.5..=3.0;

    /// Brings values that came from a file back into what the window can show.
    #[must_use]
    pub fn sanitized(mut self) -> Self {
        if !Self::ZOOM.contains(&self.zoom) {
            self.zoom = 1.0;
        }
        self
    }
}

/// Which theme a person wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThemeChoice {
    /// What the desktop says.
    #[default]
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl ThemeChoice {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// The name on screen.
    pub fn title(self) -> &'static str {
        match self {
            Self::System => "System",
            Self::Light => "Light",
            Self::Dark => "Dark",
        }
    }
}

impl From<ThemeChoice> for egui::ThemePreference {
    fn from(choice: ThemeChoice) -> Self {
        match choice {
            ThemeChoice::System => Self::System,
            ThemeChoice::Light => Self::Light,
            ThemeChoice::Dark => Self::Dark,
        }
    }
}
