//! The part of a response that has arrived, kept from one attempt or run to the next.
//!
//! Two files in the folder of the results: `NAME.XXXXXXXX.part` has the bytes, where the digits stand for
//! the URL, and `NAME.XXXXXXXX.part.json` says what they are. The first is locked while an attempt writes
//! it, so that a second one of the same URL begins a file of its own.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use url::Url;

use super::range::{Known, Resume};
use crate::jobs::identity::identity;
use crate::jobs::save::PendingFile;

/// A shorter response is fetched again as a whole.
const MIN_LEN: u64 = 128 << 10;

/// Whether a response of this length is worth two more files. Unknown lengths are.
pub(super) fn is_worth_keeping(len: Option<u64>) -> bool {
    len.is_none_or(|len| len >= MIN_LEN)
}

/// The second file.
#[derive(Serialize, Deserialize)]
struct Description {
    url: String,
    response: Known,
}

/// A locked part. Dropping it keeps the files, unless they have no bytes.
#[derive(Debug)]
pub(super) struct Part {
    file: File,
    path: PathBuf,
    known: Known,
    len: u64,
    is_handed_over: bool,
}

impl Part {
    /// The part of an earlier attempt; `None` if there is none that can be gone on with, or another attempt
    /// has it.
    pub(super) fn find(folder: &Path, name: &str, url: &Url) -> Option<Self> {
        let path = path(folder, name, url);
        let text = fs::read(description_path(&path)).ok()?;
        let description: Description = serde_json::from_slice(&text).ok()?;
        if description.url != url.as_str() {
            return None;
        }
        let file = lock(&path, false)?;
        let mut part = Self {
            len: file.metadata().ok()?.len(),
            file,
            path,
            known: description.response,
            is_handed_over: false,
        };
        // A whole part has no range that is left; the last byte stands in for it.
        let last = part.known.len.map_or(part.len, |len| len.saturating_sub(1));
        if part.len > last {
            part.file.set_len(last).ok()?;
            part.len = last;
        }
        part.file.seek(SeekFrom::Start(part.len)).ok()?;
        (part.len > 0).then_some(part)
    }

    /// A new, empty part; `None` where another attempt has it, or something else has its name.
    ///
    /// # Errors
    /// The files can't be written.
    pub(super) fn create(
        folder: &Path,
        name: &str,
        url: &Url,
        known: Known,
    ) -> io::Result<Option<Self>> {
        let path = path(folder, name, url);
        let Some(file) = lock(&path, true) else {
            return Ok(None);
        };
        let part = Self {
            file,
            path,
            known,
            len: 0,
            is_handed_over: false,
        };
        part.file.set_len(0)?;
        part.describe(url)?;
        Ok(Some(part))
    }

    fn describe(&self, url: &Url) -> io::Result<()> {
        let description = Description {
            url: url.as_str().to_owned(),
            response: self.known.clone(),
        };
        let text = serde_json::to_vec(&description)?;
        // A link of that name is replaced, not followed.
        let path = description_path(&self.path);
        fs::remove_file(&path).ok();
        File::create_new(path)?.write_all(&text)
    }

    /// What to ask the server for.
    pub(super) fn resume(&self) -> Resume {
        Resume {
            from: self.len,
            known: self.known.clone(),
        }
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn as_file(&self) -> &File {
        &self.file
    }

    /// Passes all bytes to `take`, in pieces.
    pub(super) fn read(&mut self, mut take: impl FnMut(&[u8])) -> io::Result<()> {
        let mut buffer = vec![0; 64 << 10];
        self.file.seek(SeekFrom::Start(0))?;
        loop {
            let len = self.file.read(&mut buffer)?;
            if len == 0 {
                return Ok(());
            }
            take(&buffer[..len]);
        }
    }

    /// Appends the bytes. What fits on a disk that is full counts, too.
    pub(super) fn write_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.file.write(bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    self.len += written as u64;
                    bytes = &bytes[written..];
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Deletes both files.
    pub(super) fn remove(mut self) {
        self.len = 0;
    }

    /// Hands over the file with the bytes and deletes the other. It keeps its name until it gets another.
    pub(super) fn into_file(mut self) -> io::Result<PendingFile> {
        let file = PendingFile::adopt(self.file.try_clone()?, &self.path)?;
        self.is_handed_over = true;
        Ok(file)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // The next attempt replaces what can't be deleted.
        if self.is_handed_over {
            fs::remove_file(description_path(&self.path)).ok();
        } else if self.len == 0 {
            fs::remove_file(&self.path).ok();
            fs::remove_file(description_path(&self.path)).ok();
        }
    }
}

fn path(folder: &Path, name: &str, url: &Url) -> PathBuf {
    let digits = crc32fast::hash(url.as_str().as_bytes());
    folder.join(format!("{name}.{digits:08x}.part"))
}

fn description_path(path: &Path) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(".json");
    path.into()
}

/// Opens the file and locks it; `None` if that is impossible, or its name does not lead to this file alone.
fn lock(path: &Path, create: bool) -> Option<File> {
    if path.symlink_metadata().is_ok_and(|found| !found.is_file()) {
        return None;
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(create);
    never_follow(&mut options);
    let file = options.open(path).ok()?;
    file.try_lock().ok()?;
    // Its name may have changed before the lock: then it is a result.
    let (opened, named) = (file.metadata().ok()?, path.symlink_metadata().ok()?);
    let is_same = identity(&opened) == identity(&named) && named.is_file();
    (is_same && has_one_name(&opened)).then_some(file)
}

#[cfg(unix)]
fn never_follow(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt as _;
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    options.custom_flags(flags.bits().cast_signed());
}

#[cfg(not(unix))]
fn never_follow(_options: &mut OpenOptions) {}

#[cfg(unix)]
fn has_one_name(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    metadata.nlink() == 1
}

#[cfg(not(unix))]
fn has_one_name(_metadata: &fs::Metadata) -> bool {
    true
}
