//! What the desktop does with files, behind a trait so that tests open no programs.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

/// Hands files over to other programs. Called in a task, because it may block.
pub trait Opener: Send + Sync {
    /// Opens a file or folder with the program that the desktop has for it.
    ///
    /// # Errors
    /// There is no such program, or it could not be started.
    fn open(&self, path: &Path) -> io::Result<()>;

    /// Shows files in their folders, selected if the file manager can do that.
    ///
    /// # Errors
    /// There is no file manager, or it could not be started.
    fn show(&self, paths: &[PathBuf]) -> io::Result<()>;
}

/// The programs of the desktop.
#[derive(Clone, Copy, Debug, Default)]
pub struct DesktopOpener;

impl Opener for DesktopOpener {
    fn open(&self, path: &Path) -> io::Result<()> {
        open::that_detached(path)
    }

    fn show(&self, paths: &[PathBuf]) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        if file_manager::show(paths).is_ok() {
            return Ok(());
        }
        // A folder does not have the file selected, but every desktop opens one.
        let folders: BTreeSet<_> = paths.iter().filter_map(|path| path.parent()).collect();
        folders.into_iter().try_for_each(|folder| self.open(folder))
    }
}

#[cfg(target_os = "linux")]
mod file_manager {
    use std::path::PathBuf;
    use std::time::Duration;

    use url::Url;
    use zbus::connection::Builder;
    use zbus::{Error, Result, block_on};

    /// A file manager that is not running has to start first.
    const TIMEOUT: Duration = Duration::from_secs(20);

    /// Asks the file manager, as <https://www.freedesktop.org/wiki/Specifications/file-manager-interface/> says.
    pub(super) fn show(paths: &[PathBuf]) -> Result<()> {
        let uris = paths.iter().map(|path| match Url::from_file_path(path) {
            Ok(url) => Ok(url.to_string()),
            Err(()) => Err(Error::Failure("the path is not absolute".to_owned())),
        });
        let uris = uris.collect::<Result<Vec<_>>>()?;
        block_on(async {
            let bus = Builder::session()?.method_timeout(TIMEOUT).build().await?;
            let arguments = (uris, "");
            let reply = bus.call_method(
                Some("org.freedesktop.FileManager1"),
                "/org/freedesktop/FileManager1",
                Some("org.freedesktop.FileManager1"),
                "ShowItems",
                &arguments,
            );
            reply.await?;
            Ok(())
        })
    }
}
