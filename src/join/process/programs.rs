//! The programs that can be shim and supervisor: a small one, and one that is always there.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The file name of the small program.
const SMALL_PROGRAM: &str = "meanwhile-supervise";

/// What this program and its shim or supervisor say to each other. Raise the number with each change of
/// that: a program of another version must not be used.
pub(super) const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "-3");

pub(super) struct Programs {
    small: Option<Arc<Path>>,
    full: Arc<Path>,
    /// Whether the small program is missing or of another version.
    small_is_unusable: AtomicBool,
}

impl Programs {
    pub(super) fn only(program: PathBuf) -> Self {
        Self {
            small: None,
            full: program.into(),
            small_is_unusable: AtomicBool::new(false),
        }
    }

    /// This program, and the small one if it is in the same folder.
    pub(super) fn own(own: PathBuf) -> Self {
        let file = std::env::current_exe().ok();
        let small = file.map(|file| file.with_file_name(SMALL_PROGRAM));
        Self {
            small: small.filter(|small| small.is_file()).map(Into::into),
            ..Self::only(own)
        }
    }

    /// The program that is always there.
    pub(super) fn full(&self) -> &Path {
        &self.full
    }

    pub(super) fn has_small(&self) -> bool {
        self.small.is_some()
    }

    /// The program to start.
    pub(super) fn current(&self) -> &Arc<Path> {
        // Each start that finds the small one unusable says so itself.
        let is_unusable = self.small_is_unusable.load(Ordering::Relaxed);
        let small = self.small.as_ref().filter(|_| !is_unusable);
        small.unwrap_or(&self.full)
    }

    /// Uses the small program no more. Returns whether `failed`, which could not be used, was it.
    pub(super) fn leave_small(&self, failed: &Arc<Path>) -> bool {
        let is_small = self
            .small
            .as_ref()
            .is_some_and(|small| Arc::ptr_eq(small, failed));
        if is_small {
            self.small_is_unusable.store(true, Ordering::Relaxed);
        }
        is_small
    }
}
