//! The settings file.
//!
//! eframe can save on its own, but it writes in place, so a program that is killed while it saves
//! leaves half a file; and it silently replaces a file that it can't read. This module replaces the
//! file in one step, and moves an unreadable one aside with a notice.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::jobs::save;
use crate::join::{self, Task};
use crate::pages::State;
use crate::ui::notices::Notice;

/// The environment variable that names another folder for the settings file.
pub const CONFIG_DIR_VARIABLE: &str = "MEANWHILE_CONFIG_DIR";

const FILE_NAME: &str = "settings.json";

/// Saving waits this long after a change, so that dragging a number saves once.
const SAVE_DELAY: Duration = Duration::from_millis(700);

/// A larger file is not read. Settings take a thousandth of this.
const MAX_LEN: u64 = 4 * 1024 * 1024;

/// The settings file and the task that saves it.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    /// The state saved last. `panes` stays as loaded, because scrolling changes it.
    saved: State,
    changed_at: Option<Duration>,
    saving: Option<Task<Result<(), String>>>,
    did_warn: bool,
}

impl Store {
    /// The folder of the settings: [`CONFIG_DIR_VARIABLE`], else the usual one of the desktop, else
    /// the current folder.
    pub fn default_dir() -> PathBuf {
        if let Some(dir) = std::env::var_os(CONFIG_DIR_VARIABLE) {
            return PathBuf::from(dir);
        }
        directories::ProjectDirs::from("", "", "meanwhile")
            .map_or_else(PathBuf::new, |dirs| dirs.config_dir().to_owned())
    }

    /// Reads the settings of a folder. Moves an unreadable file aside and returns the defaults with a
    /// notice.
    pub fn open(dir: &Path) -> (Self, State, Option<Notice>) {
        let path = dir.join(FILE_NAME);
        let (state, notice) = match read(&path) {
            Ok(state) => (state, None),
            Err(problem) => (State::default(), Some(set_aside(&path, &problem))),
        };
        let store = Self {
            path,
            saved: state.clone(),
            changed_at: None,
            saving: None,
            did_warn: false,
        };
        (store, state, notice)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Saves `state` with `panes` in the background, once it has not changed for a moment. Returns a
    /// notice if a save failed, and the time until the next call is due.
    pub fn keep(
        &mut self,
        state: &State,
        now: Duration,
        wake: impl Fn() + Send + 'static,
        panes: impl FnOnce() -> String,
    ) -> (Option<Notice>, Option<Duration>) {
        let notice = self.poll();
        if self.saving.is_some() {
            return (notice, None);
        }
        if self.saved == *state {
            self.changed_at = None;
            return (notice, None);
        }
        let since = now.saturating_sub(*self.changed_at.get_or_insert(now));
        let early = SAVE_DELAY.saturating_sub(since);
        if !early.is_zero() {
            return (notice, Some(early));
        }
        self.changed_at = None;
        self.start_save(state, panes(), wake);
        (notice, None)
    }

    /// Saves unsaved changes and waits up to `timeout`. For the end of the program.
    pub fn finish(&mut self, state: &State, timeout: Duration) {
        let began = Instant::now();
        // One after the other, or the older state could win. A failure can't be shown any more.
        if let Some(saving) = self.saving.take() {
            drop(saving.join_timeout(timeout));
        }
        if self.saved != *state {
            self.start_save(state, state.panes.clone(), || {});
        }
        if let Some(saving) = self.saving.take() {
            drop(saving.join_timeout(timeout.saturating_sub(began.elapsed())));
        }
    }

    fn start_save(&mut self, state: &State, panes: String, wake: impl Fn() + Send + 'static) {
        let path = self.path.clone();
        let kept = State {
            panes,
            ..state.clone()
        };
        let task = join::spawn("save settings", move |_| write(&path, &kept));
        if let Ok(task) = task {
            task.on_finish(wake);
            self.saving = Some(task);
        }
        self.saved = state.clone();
    }

    /// A notice for the first save that fails; repeating it every second would not help.
    fn poll(&mut self) -> Option<Notice> {
        let result = match self.saving.as_ref()?.poll()? {
            Ok(result) => result.clone(),
            Err(error) => Err(error.to_string()),
        };
        self.saving = None;
        let problem = result.err()?;
        let is_first = !std::mem::replace(&mut self.did_warn, true);
        is_first.then(|| {
            let path = self.path.display();
            Notice::warning(format!("The settings can't be saved to {path}: {problem}"))
        })
    }
}

fn read(path: &Path) -> Result<State, String> {
    let text = match read_bounded(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(State::default()),
        Err(error) => return Err(format!("it can't be read ({error})")),
    };
    let state: State =
        serde_json::from_slice(&text).map_err(|error| format!("it is damaged ({error})"))?;
    if state.version > State::VERSION {
        return Err("it was written by a newer version of Meanwhile".to_owned());
    }
    Ok(state.sanitized())
}

/// Opens regular files only: a FIFO would block until it has a writer.
fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    if metadata.len() > MAX_LEN {
        return Err(io::Error::other("it is too large for a settings file"));
    }
    std::fs::read(path)
}

fn write(path: &Path, state: &State) -> Result<(), String> {
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir).map_err(|error| error.to_string())?;
    }
    save::remove_abandoned(path);
    let text = serde_json::to_vec_pretty(state).map_err(|error| error.to_string())?;
    save::save(path, &text).map_err(|error| error.to_string())
}

fn set_aside(path: &Path, problem: &str) -> Notice {
    let aside = (1..=9999_u32)
        .map(|number| path.with_file_name(format!("{FILE_NAME}.damaged-{number}")))
        .find(|candidate| !candidate.exists());
    let aside = aside.unwrap_or_else(|| path.with_file_name(format!("{FILE_NAME}.damaged")));
    let shown = path.display();
    let text = match std::fs::rename(path, &aside) {
        Ok(()) => format!(
            "The settings file {shown} was not used: {problem}. The defaults are in place; the file is kept as {}.",
            aside.display()
        ),
        Err(error) => format!(
            "The settings file {shown} was not used: {problem}. The defaults are in place; it could not be moved aside ({error})."
        ),
    };
    Notice::warning(text)
}
