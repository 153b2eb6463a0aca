use serde::{Deserialize, Serialize};

use super::{PageChoices, PageId};
use crate::record::Incidents;

/// The state that is saved between runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// See [`State::VERSION`].
    pub version: u32,
    #[serde(flatten)]
    pub pages: PageChoices,
    pub page: PageId,
    pub window: Option<WindowPlace>,
    /// Widths of columns and panels, in egui's own format. Ignored if egui can't read it.
    pub panes: String,
    /// The frames that took too long.
    pub incidents: Incidents,
}

impl State {
    /// Raised when an older program could misread the file of a newer one.
    pub const VERSION: u32 = 1;

    /// Brings values from a file into the ranges that the window can show.
    #[must_use]
    pub fn sanitized(mut self) -> Self {
        self.version = Self::VERSION;
        self.pages = self.pages.sanitized();
        self.incidents = self.incidents.sanitized();
        self.window = self.window.filter(WindowPlace::is_sane);
        self
    }
}

impl Default for State {
    fn default() -> Self {
        Self {
            version: Self::VERSION,
            pages: PageChoices::default(),
            page: PageId::default(),
            window: None,
            panes: String::new(),
            incidents: Incidents::default(),
        }
    }
}

/// The position and size of the window, in points.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WindowPlace {
    /// The outer top left corner; `None` if the desktop does not report it.
    pub position: Option<[f32; 2]>,
    /// The inner width and height.
    pub size: [f32; 2],
    /// Whether it filled the screen. The size is then the one before.
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
