//! The lists that a job writes are not among the files that it reads.

use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use super::list_source::read_line;
use super::walk::{Visitor, walk_files};
use super::{ChecksumError, list};
use crate::jobs::identity::{FileIdentity, identity};
use crate::jobs::{Item, Plan};
use crate::join::Context;

/// Where the results of a job go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ListTarget {
    /// Nowhere yet: somebody may save them when the job has ended.
    #[default]
    Later,
    /// Into one file.
    File(PathBuf),
    /// Into a file of this name in each folder, with the files of that folder.
    EachFolder(OsString),
    /// To stdout, which may be a file in the folder that is read.
    Stdout,
}

/// Passes the files of `inputs` to `plan`, as [`walk`](super::walk), but for the lists that are written. A
/// file that would be lost through that fails.
pub(super) fn plan(
    target: &ListTarget,
    inputs: &[PathBuf],
    context: &Context,
    plan: &mut dyn Plan,
) {
    let lists = OwnLists::of(target);
    walk_files(inputs, context, &mut Others { lists, plan });
}

/// Leaves out the lists.
struct Others<'a> {
    lists: OwnLists,
    plan: &'a mut dyn Plan,
}

impl Visitor for Others<'_> {
    fn file(&mut self, item: Item, metadata: &Metadata) {
        match self.lists.find(&item.input, metadata) {
            Own::Other => self.plan.item(item),
            Own::List => {}
            Own::File => {
                let path = item.input.clone();
                let error = ChecksumError::ListOverFile { path };
                self.plan.item(Item::failed(item.input, error));
            }
        }
    }

    fn plan(&mut self) -> &mut dyn Plan {
        self.plan
    }
}

/// What a file is to the lists that are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Own {
    /// Such a list, maybe of the last run.
    List,
    /// No list, and would be lost if the list were written.
    File,
    /// Another file.
    Other,
}

enum OwnLists {
    None,
    Named(OsString),
    /// Exists already.
    File(FileIdentity),
    Stdout(FileIdentity),
}

impl OwnLists {
    fn of(target: &ListTarget) -> Self {
        match target {
            ListTarget::Later => Self::None,
            ListTarget::EachFolder(name) => Self::Named(name.clone()),
            // A list that does not exist yet can't be found, whatever its name is.
            ListTarget::File(path) => match fs::metadata(path) {
                Ok(metadata) => Self::File(identity(&metadata)),
                Err(_) => Self::None,
            },
            ListTarget::Stdout => match stdout_metadata() {
                Ok(metadata) if metadata.is_file() => Self::Stdout(identity(&metadata)),
                _ => Self::None,
            },
        }
    }

    fn find(&self, path: &Path, metadata: &Metadata) -> Own {
        let is_own = match self {
            Self::None => false,
            Self::Named(name) => path.file_name() == Some(name),
            Self::File(file) | Self::Stdout(file) => identity(metadata) == *file,
        };
        match self {
            _ if !is_own => Own::Other,
            // The shell has emptied it, or appends to it.
            Self::Stdout(_) => Own::List,
            _ if is_list(path) => Own::List,
            _ => Own::File,
        }
    }
}

/// Whether the file may be replaced by a list: it is one, empty, or a JSON document by its name.
pub(in crate::jobs) fn is_list(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    let first = first_line(path).unwrap_or_default();
    if extension.eq_ignore_ascii_case("sfv") {
        return first.is_empty() || list::is_sfv(&first);
    }
    extension.eq_ignore_ascii_case("json") && first.starts_with(b"{") || list::parse(&first).is_ok()
}

fn first_line(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let mut line = Vec::new();
    read_line(&mut BufReader::new(&file), &mut line)?;
    let end = line.iter().position(|byte| b"\n\0".contains(byte));
    line.truncate(end.unwrap_or(line.len()));
    Ok(line)
}

#[cfg(unix)]
fn stdout_metadata() -> io::Result<Metadata> {
    use std::os::fd::AsFd as _;

    File::from(io::stdout().as_fd().try_clone_to_owned()?).metadata()
}

#[cfg(not(unix))]
fn stdout_metadata() -> io::Result<Metadata> {
    Err(io::ErrorKind::Unsupported.into())
}
