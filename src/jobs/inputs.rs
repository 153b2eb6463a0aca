//! The inputs of a job, which may be a million.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

type Paths = LazyLock<Vec<PathBuf>, Box<dyn FnOnce() -> Vec<PathBuf> + Send>>;

/// The files and folders that the user picked, in their order. Copies share them, so a frame has time for one.
#[derive(Clone)]
pub struct JobInputs {
    is_empty: bool,
    paths: Arc<Paths>,
}

impl JobInputs {
    /// Those that `paths` returns. The plan of the job calls it: to make a list of a million takes longer than a frame.
    pub fn made_by(is_empty: bool, paths: impl FnOnce() -> Vec<PathBuf> + Send + 'static) -> Self {
        Self {
            is_empty,
            paths: Arc::new(LazyLock::new(Box::new(paths))),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// All of them. The first call makes them.
    pub fn paths(&self) -> &[PathBuf] {
        &self.paths
    }
}

impl Default for JobInputs {
    fn default() -> Self {
        Self::from(Vec::new())
    }
}

impl From<Vec<PathBuf>> for JobInputs {
    fn from(paths: Vec<PathBuf>) -> Self {
        Self::made_by(paths.is_empty(), move || paths)
    }
}

impl FromIterator<PathBuf> for JobInputs {
    fn from_iter<I: IntoIterator<Item = PathBuf>>(paths: I) -> Self {
        Self::from(Vec::from_iter(paths))
    }
}

impl fmt::Debug for JobInputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the paths: nothing but the plan should make them.
        f.debug_struct("JobInputs")
            .field("is_empty", &self.is_empty)
            .finish_non_exhaustive()
    }
}
