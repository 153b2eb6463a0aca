use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::LazyLock;

type Names = BTreeSet<PathBuf>;

/// The names of the items to which a job is limited.
///
/// The plan of the job makes them: of a million items, that takes longer than several frames.
pub struct ItemNames(LazyLock<Names, Box<dyn FnOnce() -> Names + Send>>);

impl ItemNames {
    pub fn of(names: impl FnOnce() -> BTreeSet<PathBuf> + Send + 'static) -> Self {
        Self(LazyLock::new(Box::new(names)))
    }

    pub(super) fn names(&self) -> &BTreeSet<PathBuf> {
        &self.0
    }
}
