use serde::{Deserialize, Serialize};

use super::PageId;
use super::freeze_lab::LabChoices;
use super::lessons::LessonChoices;
use super::settings::Settings;
use super::workbench::Choices;
use crate::record::Incidents;

/// Everything that is remembered between runs, in one struct of its own.
///
/// ```
/// use meanwhile::app::{State, WindowPlace};
///
/// let off_screen = WindowPlace { position: None, size: [0.0, 0.0], maximized: false };
/// let state = State { window: Some(off_screen), ..State::default() }.sanitized();
/// assert_eq!(state, State::default());
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// Which form of this struct it is; see [`State::VERSION`].
    pub version: u32,
    /// What was chosen for the next job.
    pub choices: Choices,
    /// What was chosen for the runs of the Freeze Lab.
    pub lab: LabChoices,
    /// What was chosen and answered in the lessons, and how far one came.
    pub lessons: LessonChoices,
    /// Look and behaviour.
    pub settings: Settings,
    /// The page that was shown.
    pub page: PageId,
    /// Where the window was.
    pub window: Option<WindowPlace>,
    /// What egui remembers: widths of columns and panels, what is unfolded. In egui's own form,
    /// and of no use to anyone else; what can't be read any more is forgotten.
    pub panes: String,
    /// The frames that took too long.
    pub incidents: Incidents,
}

impl State {
    /// Raised when an older program could misread what a newer one wrote.
    pub const VERSION: u32 = 1;

    /// Brings values that came from a file back into what the window can show.
    #[must_use]
    pub fn sanitized(mut self) -> Self {
        self.version = Self::VERSION;
        self.choices = self.choices.sanitized();
        self.lab = self.lab.sanitized();
        self.lessons = self.lessons.sanitized();
        self.settings = self.settings.sanitized();
        self.incidents = self.incidents.sanitized();
        self.window = self.window.filter(WindowPlace::is_sane);
        self
    }
}

impl Default for State {
    fn default() -> Self {
        Self {
            version: Self::VERSION,
            choices: Choices::default(),
            lab: LabChoices::default(),
            lessons: LessonChoices::default(),
            settings: Settings::default(),
            page: PageId::default(),
            window: None,
            panes: String::new(),
            incidents: Incidents::default(),
        }
    }
}

/// Where the window was and how large, in points.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WindowPlace {
    /// The outer top left corner; `None` where the desktop does not tell.
    pub position: Option<[f32; 2]>,
    /// The inner width and height.
    pub size: [f32; 2],
    /// Whether it filled the screen. Its size is then the one it had before.
    pub maximized: bool,
}

impl WindowPlace {
    fn is_sane(&self) -> bool {
        let [width, height] = self.size;
        let position_is_sane = self
            .position
            .is_none_or(|[x, y]| x.abs() < 50_000.0 && y.abs() < 50_000.0);
        (200.0..20_000.0).contains(&width)
            && (150.0..20_000.0).contains(&height)
            && position_is_sane
    }
}
