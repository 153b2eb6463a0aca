//! The lists that a job writes are not among the files that it reads.

use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::read::{self, Hints, Line};
use super::walk::{Visitor, walk_files};
use super::{ChecksumError, written};
use crate::jobs::identity::{FileIdentity, identity};
use crate::jobs::stdin::is_stdin;
use crate::jobs::{Item, Plan, Step};
use crate::join::{Cancelled, Context};

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
) -> Result<(), Cancelled> {
    let lists = OwnLists::of(target);
    walk_files(inputs, context, &mut Others { lists, plan })
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

    fn takes(&mut self, input: &Path) -> bool {
        let is_stdin = is_stdin(input);
        if is_stdin {
            self.plan.item(Item {
                input: input.to_owned(),
                bytes: 0,
                step: Step::Run,
            });
        }
        is_stdin
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

/// Whether the file may be replaced by a list: it is one, blank, or a JSON document by its name.
pub(in crate::jobs) fn is_list(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    let is_json = extension.eq_ignore_ascii_case("json") && begins_with_brace(path);
    is_json || begins_as_list(path).unwrap_or(false)
}

fn begins_with_brace(path: &Path) -> bool {
    let mut first = [0];
    let read = File::open(path).and_then(|mut file| file.read(&mut first));
    read.is_ok() && first == *b"{"
}

/// Whether the first line that is no comment is one of a list, or all are blank.
fn begins_as_list(path: &Path) -> io::Result<bool> {
    let hints = Hints {
        is_sfv: written::is_sfv(path),
        only_usual: true,
    };
    let mut is_blank = true;
    let mut is_list = None;
    let reading = read::read(File::open(path)?, hints, |_, line| {
        is_blank &= line == Line::Nothing;
        is_list = match line {
            Line::Comment(_) | Line::Nothing => None,
            Line::Entry(entry) => Some(!entry.names.is_empty()),
            Line::NoChecksum | Line::Unknown(_) => Some(false),
        };
        is_list.is_none()
    })?;
    Ok(is_list.unwrap_or(is_blank && !reading.is_binary))
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
