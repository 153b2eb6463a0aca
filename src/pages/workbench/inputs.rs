//! The inputs of the next job, and which of them are there.
//!
//! However many come at once, a frame takes only those that it has time for, and a task looks whether they exist.

use std::collections::VecDeque;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::vec;

use indexmap::IndexMap;

use crate::jobs::pattern;
use crate::join::{self, Context, Task};

/// A frame takes new inputs no longer than this.
const MAX_TIME: Duration = Duration::from_millis(4);

/// So many are taken between two looks at the clock.
const PER_LOOK: usize = 256;

/// So many stand for all in the form of a job.
const FIRST: usize = 16;

/// A task looks at so many.
const PER_TASK: usize = 8_192;

/// Whether there is something at a path, as far as it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Presence {
    /// Nobody has looked yet, or the system does not say.
    #[default]
    Unknown,
    There,
    /// It stands for the files in it.
    Folder,
    /// It stands for the paths that it matches.
    Pattern,
    Missing,
}

/// Paths that were picked, dropped, typed or given on the command line: absolute, so that they keep their meaning,
/// each once, and in the order in which they came.
#[derive(Debug, Default)]
pub struct Inputs {
    paths: IndexMap<PathBuf, Presence>,
    missing: usize,
    arriving: VecDeque<vec::IntoIter<PathBuf>>,
    /// The number of paths, from the first, that the task looks at or has looked at.
    looked_at: usize,
    look: Option<Task<Vec<(PathBuf, Presence)>>>,
}

impl Inputs {
    /// Takes what there is time for; [`poll`](Self::poll) takes the rest.
    pub(super) fn add(&mut self, paths: Vec<PathBuf>) {
        self.arriving.push_back(paths.into_iter());
        self.take_arriving();
    }

    /// Takes in more of what arrives, and what the task has found out. Returns whether to come back at once; a task
    /// calls `wake` when it has ended.
    pub(super) fn poll(&mut self, wake: impl Fn() + Send + 'static) -> bool {
        self.take_arriving();
        let ended = self.look.take_if(|look| look.is_finished());
        for (path, presence) in ended.iter().filter_map(Task::poll).flatten().flatten() {
            self.set(path, *presence);
        }
        if self.look.is_none() && self.looked_at < self.paths.len() {
            self.start_look(wake);
        }
        self.is_arriving()
    }

    /// Whether some were added that are not among the paths yet.
    pub fn is_arriving(&self) -> bool {
        !self.arriving.is_empty()
    }

    pub fn len(&self) -> usize {
        self.paths.len()
    }

    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// The number of paths at which nothing is.
    pub fn missing(&self) -> usize {
        self.missing
    }

    pub fn get(&self, index: usize) -> Option<(&Path, Presence)> {
        let (path, presence) = self.paths.get_index(index)?;
        Some((path, *presence))
    }

    /// The first few files, for what depends on the kind of inputs. What stands for other files is none.
    pub(super) fn first(&self) -> Vec<PathBuf> {
        let is_file =
            |presence: &Presence| !matches!(presence, Presence::Folder | Presence::Pattern);
        let first = self.paths.iter().take(FIRST);
        let files = first.filter(|(_, presence)| is_file(presence));
        files.map(|(path, _)| path.clone()).collect()
    }

    pub fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        self.paths.keys()
    }

    /// Does nothing if there is no such input.
    pub(super) fn remove(&mut self, index: usize) {
        let Some((_, presence)) = self.paths.shift_remove_index(index) else {
            return;
        };
        if index < self.looked_at {
            self.looked_at -= 1;
        }
        self.missing -= usize::from(presence == Presence::Missing);
    }

    fn take_arriving(&mut self) {
        let began = Instant::now();
        while let Some(paths) = self.arriving.front_mut() {
            for path in paths.by_ref().take(PER_LOOK) {
                let path = std::path::absolute(&path).unwrap_or(path);
                self.paths.entry(path).or_default();
            }
            if paths.as_slice().is_empty() {
                self.arriving.pop_front();
            }
            if began.elapsed() >= MAX_TIME {
                return;
            }
        }
    }

    fn start_look(&mut self, wake: impl Fn() + Send + 'static) {
        let paths = self.paths.keys().skip(self.looked_at).take(PER_TASK);
        let paths: Vec<_> = paths.cloned().collect();
        self.looked_at += paths.len();
        let look = join::spawn("look for inputs", move |context| {
            let presences = paths.into_iter().map(|path| {
                let presence = presence(&path, context);
                (path, presence)
            });
            presences.collect()
        });
        // Without a thread, it stays unknown whether they are there. A job says it of each.
        if let Ok(look) = look {
            look.on_finish(wake);
            self.look = Some(look);
        }
    }

    fn set(&mut self, path: &Path, presence: Presence) {
        if let Some(known) = self.paths.get_mut(path) {
            self.missing -= usize::from(*known == Presence::Missing);
            self.missing += usize::from(presence == Presence::Missing);
            *known = presence;
        }
    }
}

fn presence(path: &Path, context: &Context) -> Presence {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Presence::Folder,
        Ok(_) => Presence::There,
        Err(error) if error.kind() != ErrorKind::NotFound => Presence::Unknown,
        Err(_) if pattern::may_be_pattern(path) => match pattern::has_match(path, context) {
            Some(true) => Presence::Pattern,
            Some(false) => Presence::Missing,
            None => Presence::Unknown,
        },
        Err(_) => Presence::Missing,
    }
}
