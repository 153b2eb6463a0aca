//! The window.

use std::path::PathBuf;

/// Opens the window with these files picked, and returns when it is closed.
///
/// # Errors
/// There is no window yet.
#[expect(clippy::needless_pass_by_value, reason = "the window keeps the files")]
pub fn run(files: Vec<PathBuf>) -> anyhow::Result<()> {
    anyhow::bail!(
        "there is no window for {} files yet; `meanwhile run checksum FILES…` works without one",
        files.len()
    )
}
