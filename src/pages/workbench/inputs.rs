//! The inputs of the next job, and which of them are there.
//!
//! However many come at once, no frame waits: a task takes them in, and another looks whether they exist.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexSet;

use crate::jobs::{JobInputs, pattern};
use crate::join::{self, Cancelled, Context, Task, cancellable};
use crate::pages::background_tasks::drop_in_task;

/// A frame takes in so many by itself: they are shown at once.
const AT_ONCE: usize = 256;

/// So many stand for all in the form of a job.
const FIRST: usize = 16;

/// A task looks at so many.
const PER_LOOK: usize = 8_192;

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

type Paths = IndexSet<PathBuf>;

/// Paths that were picked, dropped, typed or given on the command line: absolute, so that they keep their meaning,
/// each once, and in the order in which they came.
#[derive(Debug, Default)]
pub struct Inputs {
    /// Shared with the task that takes in others, which makes a new set.
    paths: Arc<Paths>,
    /// That of each path.
    presences: Vec<Presence>,
    missing: usize,
    /// Those that wait for the task that takes them in.
    arriving: Vec<Arc<Vec<PathBuf>>>,
    taking: Option<Task<Result<Arc<Paths>, Cancelled>>>,
    /// The number of paths, from the first, that the other task looks at or has looked at.
    looked_at: usize,
    look: Option<Task<Vec<(PathBuf, Presence)>>>,
}

impl Inputs {
    /// Adds paths, a few at once; [`poll`](Self::poll) starts the task that adds many.
    pub(super) fn add(&mut self, added: impl Into<Arc<Vec<PathBuf>>>) {
        let added = added.into();
        // A set that a job has not read yet can't be changed, only copied.
        let is_shared = self.len() > AT_ONCE && Arc::strong_count(&self.paths) > 1;
        if added.len() > AT_ONCE || self.is_arriving() || is_shared {
            self.arriving.push(added);
            return;
        }
        let paths = Arc::make_mut(&mut self.paths);
        paths.extend(added.iter().map(full));
        self.presences.resize(paths.len(), Presence::Unknown);
    }

    /// Those that `paths` returns, which the task calls if there is a thread for it.
    pub(super) fn of(
        paths: impl Fn() -> Vec<PathBuf> + Send + Sync + 'static,
        wake: impl Fn() + Send + 'static,
    ) -> Self {
        let mut inputs = Self::default();
        let paths = Arc::new(paths);
        let in_task = Arc::clone(&paths);
        if !inputs.start_taking(move || vec![Arc::new(in_task())], wake) {
            inputs.add(paths());
        }
        inputs
    }

    /// Takes over what the tasks have made, and starts the next ones. Returns whether to come back at once, which
    /// shows how far they are; a task calls `wake` when it has ended.
    pub(super) fn poll(&mut self, wake: impl Fn() + Clone + Send + 'static) -> bool {
        let taken = self.taking.take_if(|taking| taking.is_finished());
        // One that was cancelled has nothing.
        if let Some(Ok(Ok(paths))) = taken.as_ref().and_then(Task::poll) {
            let before = std::mem::replace(&mut self.paths, Arc::clone(paths));
            self.presences.resize(paths.len(), Presence::Unknown);
            drop_in_task("drop inputs", before);
        }
        if self.taking.is_none() && !self.arriving.is_empty() {
            let arriving = self.arriving.clone();
            // Without a thread, the next frame tries again.
            if self.start_taking(|| arriving, wake.clone()) {
                self.arriving.clear();
            }
        }
        let looked = self.look.take_if(|look| look.is_finished());
        for (path, presence) in looked.iter().filter_map(Task::poll).flatten().flatten() {
            self.set(path, *presence);
        }
        if self.look.is_none() && self.looked_at < self.paths.len() {
            self.start_look(wake);
        }
        self.is_arriving()
    }

    /// Whether some were added that are not among the paths yet.
    pub fn is_arriving(&self) -> bool {
        self.taking.is_some() || !self.arriving.is_empty()
    }

    /// The number of paths, with those that a task has taken in so far.
    pub fn count(&self) -> usize {
        let taken = self.taking.as_ref().map(|taking| taking.progress().done);
        let taken = taken.and_then(|taken| usize::try_from(taken).ok());
        self.len().max(taken.unwrap_or_default())
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
        let path = self.paths.get_index(index)?;
        Some((path, *self.presences.get(index)?))
    }

    /// The first few files, for what depends on the kind of inputs. What stands for other files is none.
    pub(super) fn first(&self) -> Vec<PathBuf> {
        let is_file =
            |presence: &Presence| !matches!(presence, Presence::Folder | Presence::Pattern);
        let first = self.paths.iter().zip(&self.presences).take(FIRST);
        let files = first.filter(|(_, presence)| is_file(presence));
        files.map(|(path, _)| path.clone()).collect()
    }

    /// Those of a job that starts now.
    pub(super) fn shared(&self) -> JobInputs {
        let paths = Arc::clone(&self.paths);
        JobInputs::made_by(paths.is_empty(), move || paths.iter().cloned().collect())
    }

    /// Does nothing if there is no such input, or while a task takes in others.
    pub(super) fn remove(&mut self, index: usize) {
        if self.is_arriving() || index >= self.len() {
            return;
        }
        Arc::make_mut(&mut self.paths).shift_remove_index(index);
        let presence = self.presences.remove(index);
        if index < self.looked_at {
            self.looked_at -= 1;
        }
        self.missing -= usize::from(presence == Presence::Missing);
    }

    /// Ends the tasks, and frees the paths in another one.
    pub(super) fn close(self) {
        if let Some(taking) = &self.taking {
            taking.cancel();
        }
        drop_in_task("drop inputs", self);
    }

    /// Starts the task that takes in what `arriving` returns. Returns whether there was a thread for it.
    fn start_taking(
        &mut self,
        arriving: impl FnOnce() -> Vec<Arc<Vec<PathBuf>>> + Send + 'static,
        wake: impl Fn() + Send + 'static,
    ) -> bool {
        let known = Arc::clone(&self.paths);
        let take = cancellable(move |context| taken(&known, &arriving(), context));
        let taking = join::Builder::new("take in inputs")
            .daemon(true)
            .spawn(take);
        if let Ok(taking) = taking {
            taking.on_finish(wake);
            self.taking = Some(taking);
        }
        self.taking.is_some()
    }

    fn start_look(&mut self, wake: impl Fn() + Send + 'static) {
        let paths = self.paths.iter().skip(self.looked_at).take(PER_LOOK);
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
        let index = self.paths.get_index_of(path);
        if let Some(known) = index.and_then(|index| self.presences.get_mut(index)) {
            self.missing -= usize::from(*known == Presence::Missing);
            self.missing += usize::from(presence == Presence::Missing);
            *known = presence;
        }
    }
}

/// The known paths, and after them those that arrive and are not known.
fn taken(
    known: &Paths,
    arriving: &[Arc<Vec<PathBuf>>],
    context: &Context,
) -> Result<Arc<Paths>, Cancelled> {
    let mut paths = known.clone();
    for path in arriving.iter().flat_map(|paths| paths.iter()) {
        if paths.len().is_multiple_of(AT_ONCE) {
            context.check()?;
            context.set_progress(paths.len() as u64, 0);
        }
        paths.insert(full(path));
    }
    Ok(Arc::new(paths))
}

fn full(path: impl AsRef<Path>) -> PathBuf {
    let path = path.as_ref();
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
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
