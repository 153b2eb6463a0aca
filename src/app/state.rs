use serde::{Deserialize, Serialize};

use crate::record::Incidents;
#[cfg(target_os = "linux")]
use crate::ui::LabChoices;
#[cfg(unix)]
use crate::ui::LessonChoices;
use crate::ui::{Choices, Page, Settings};

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
    #[cfg(target_os = "linux")]
    pub lab: LabChoices,
    /// What was chosen and answered in the lessons, and how far one came.
    #[cfg(unix)]
    pub lessons: LessonChoices,
    /// Look and behaviour.
    pub settings: Settings,
    /// The page that was shown.
    pub page: Page,
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
        #[cfg(target_os = "linux")]
        {
            self.lab = self.lab.sanitized();
        }
        #[cfg(unix)]
        {
            self.lessons = self.lessons.sanitized();
        }
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
            #[cfg(target_os = "linux")]
            lab: LabChoices::default(),
            #[cfg(unix)]
            lessons: LessonChoices::default(),
            settings: Settings::default(),
            page: Page::default(),
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
