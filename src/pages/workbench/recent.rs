//! The files and folders that were inputs last.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::jobs::{os_text, pattern};
use crate::join::{self, Task};

/// The files and folders that were inputs last, the last one first. Remembered between runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Recent(Vec<RecentPath>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
struct RecentPath(#[serde(with = "os_text")] PathBuf);

impl Recent {
    /// The most that are remembered.
    pub const MAX: usize = 10;

    /// Remembers inputs; of more than can be remembered, the folder of the first.
    pub(crate) fn add(&mut self, inputs: &[PathBuf]) {
        let folder = inputs.first().and_then(|first| first.parent());
        match folder {
            Some(folder) if inputs.len() > Self::MAX => self.add_one(folder),
            _ => {
                let inputs = &inputs[..inputs.len().min(Self::MAX)];
                inputs.iter().rev().for_each(|input| self.add_one(input));
            }
        }
    }

    fn add_one(&mut self, path: &Path) {
        if path.as_os_str().is_empty() {
            return;
        }
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        self.0.retain(|recent| recent.0 != path);
        self.0.insert(0, RecentPath(path));
        self.0.truncate(Self::MAX);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().map(|recent| recent.0.as_path())
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Brings values from a file into their range.
    #[must_use]
    pub(super) fn sanitized(mut self) -> Self {
        self.0.retain(|recent| recent.0.is_absolute());
        self.0.truncate(Self::MAX);
        self
    }
}

/// A look, by a task, at which of them are there.
#[derive(Debug, Default)]
pub struct RecentLook {
    look: Option<Task<Vec<PathBuf>>>,
    missing: Vec<PathBuf>,
}

impl RecentLook {
    /// Looks again, unless a look has not ended: one at a network that does not answer takes its time.
    pub(super) fn start(&mut self, recent: &Recent, wake: impl Fn() + Send + 'static) {
        if self.look.is_some() {
            return;
        }
        let paths: Vec<_> = recent.paths().map(Path::to_owned).collect();
        let look = join::Builder::new("look for recent inputs").daemon(true);
        let look = look.spawn(move |_| {
            let missing = paths.into_iter().filter(|path| is_missing(path));
            missing.collect()
        });
        // Without a thread, all look as if they were there. A job says of each whether it is.
        if let Ok(look) = look {
            look.on_finish(wake);
            self.look = Some(look);
        }
    }

    pub(super) fn poll(&mut self) {
        let ended = self.look.take_if(|look| look.is_finished());
        if let Some(Ok(missing)) = ended.as_ref().and_then(Task::poll) {
            self.missing.clone_from(missing);
        }
    }

    /// Whether the last look found nothing there.
    pub(super) fn misses(&self, path: &Path) -> bool {
        self.missing.iter().any(|missing| missing == path)
    }
}

fn is_missing(path: &Path) -> bool {
    let error = fs::metadata(path).err();
    error.is_some_and(|error| error.kind() == ErrorKind::NotFound) && !pattern::may_be_pattern(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(recent: &Recent) -> Vec<&str> {
        recent.paths().map(|path| path.to_str().unwrap()).collect()
    }

    #[test]
    fn last_ten_are_remembered_once_each() {
        let mut recent = Recent::default();
        for number in 0..12 {
            recent.add(&[PathBuf::from(format!("/{number}"))]);
        }
        recent.add(&["/5".into(), "/new".into()]);
        let expected = [
            "/5", "/new", "/11", "/10", "/9", "/8", "/7", "/6", "/4", "/3",
        ];
        assert_eq!(paths(&recent), expected);
    }

    #[test]
    fn of_many_inputs_their_folder_is_remembered() {
        let mut recent = Recent::default();
        let many = (0..100_000).map(|number| format!("/many/{number}").into());
        recent.add(&many.collect::<Vec<_>>());
        assert_eq!(paths(&recent), ["/many"]);
        recent.add(&[]);
        assert_eq!(paths(&recent), ["/many"]);
    }

    #[cfg(unix)]
    #[test]
    fn name_that_is_not_utf_8_is_saved() {
        use std::os::unix::ffi::OsStringExt as _;

        let mut recent = Recent::default();
        let name = std::ffi::OsString::from_vec(b"/caf\xe9".to_vec());
        recent.add(&[name.into()]);
        let text = serde_json::to_string(&recent).unwrap();
        assert_eq!(serde_json::from_str::<Recent>(&text).unwrap(), recent);
    }
}
