//! Where a path leads that a user has typed.

use std::path::{Path, PathBuf};

use url::Url;

use super::form::{Form, Note};
use super::text::shown;

/// Typed paths often begin with `~/`, and paths copied from a file manager with `file://`.
pub(crate) fn typed(text: &str) -> PathBuf {
    if let Some(path) = path_of_uri(text) {
        return path;
    }
    let home = directories::UserDirs::new();
    match (text.strip_prefix('~'), home) {
        (Some(""), Some(dirs)) => dirs.home_dir().to_owned(),
        (Some(rest), Some(dirs)) if rest.starts_with('/') => {
            dirs.home_dir().join(rest.trim_start_matches('/'))
        }
        _ => PathBuf::from(text),
    }
}

/// The file of a URI such as `file:///home/me/a%20b`; `None` if it is not on this machine.
fn path_of_uri(text: &str) -> Option<PathBuf> {
    let uri = text.starts_with("file://").then(|| Url::parse(text))?;
    uri.ok()?.to_file_path().ok()
}

/// The path from the root on; an empty one stays empty.
pub(crate) fn full(path: &Path) -> PathBuf {
    if path.as_os_str().is_empty() {
        return PathBuf::new();
    }
    let path = path.to_str().map_or_else(|| path.to_owned(), typed);
    std::path::absolute(&path).unwrap_or(path)
}

/// Says where the results really go, if the path does not.
pub(super) fn note(path: &Path, form: &mut dyn Form) {
    let full = full(path);
    if full != path {
        form.note(Note::Hint, &format!("Results go to {}", shown(&full)));
    }
}
