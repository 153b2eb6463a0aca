//! Takes the bytes of a response: saves them, and computes their digest.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use url::Url;

use super::behind::Behind;
use super::digest::Digest;
use super::part::{self, Part};
use super::range::Known;
use crate::jobs::checksum::Hasher;
use crate::jobs::save::PendingFile;
use crate::join::Context;

/// The place for the bytes.
#[derive(Debug)]
enum Place {
    /// They are only counted.
    Nowhere,
    /// A file that is deleted unless it becomes the result.
    Pending(PendingFile),
    /// A file that is kept for the next attempt.
    Part(Part),
}

/// The bytes of a response that have arrived.
pub(super) struct Received {
    place: Place,
    hasher: Option<Hasher>,
    len: u64,
    behind: Behind,
    is_damaged: bool,
}

impl Received {
    /// None so far. They are saved in `folder`, if there is one; in a part if the server can send the rest
    /// of the `known` response later.
    pub(super) fn none(
        folder: Option<&Path>,
        name: &str,
        url: &Url,
        known: Option<Known>,
        digest: Option<&Digest>,
    ) -> io::Result<Self> {
        let known = known.filter(|known| part::is_worth_keeping(known.len));
        let place = match (folder, known) {
            (None, _) => Place::Nowhere,
            (Some(folder), None) => Place::Pending(PendingFile::create(folder)?),
            (Some(folder), Some(known)) => match Part::create(folder, name, url, known)? {
                Some(part) => Place::Part(part),
                None => Place::Pending(PendingFile::create(folder)?),
            },
        };
        Ok(Self {
            place,
            hasher: digest.map(Digest::hasher),
            len: 0,
            behind: Behind::default(),
            is_damaged: false,
        })
    }

    /// Those of the part. Reads them if there is a digest to compute.
    pub(super) fn part(
        mut part: Part,
        digest: Option<&Digest>,
        context: &Context,
    ) -> io::Result<Self> {
        let mut hasher = digest.map(Digest::hasher);
        if let Some(hasher) = &mut hasher {
            part.read(|bytes| {
                context.checkpoint();
                hasher.update(bytes);
            })?;
        }
        Ok(Self {
            len: part.len(),
            place: Place::Part(part),
            hasher,
            behind: Behind::default(),
            is_damaged: false,
        })
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    pub(super) fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.place {
            Place::Nowhere => {}
            Place::Pending(file) => file.write_all(bytes)?,
            Place::Part(part) => part.write_all(bytes)?,
        }
        if let Some(hasher) = &mut self.hasher {
            hasher.update(bytes);
        }
        self.len += bytes.len() as u64;
        self.syncing(Behind::did_grow)
    }

    /// Waits until the disk has the bytes of a long response. A cancel of the task of `context` unwinds.
    ///
    /// # Errors
    /// Some of them could not be written. They are damaged then.
    pub(super) fn sync(&mut self, context: &Context) -> io::Result<()> {
        self.syncing(|behind, file, _| behind.finish(file, context))
    }

    fn syncing(
        &mut self,
        sync: impl FnOnce(&mut Behind, &File, u64) -> io::Result<()>,
    ) -> io::Result<()> {
        let file = match &self.place {
            Place::Nowhere => return Ok(()),
            Place::Pending(file) => file.as_file(),
            Place::Part(part) => part.as_file(),
        };
        let synced = sync(&mut self.behind, file, self.len);
        self.is_damaged |= synced.is_err();
        synced
    }

    /// Whether nothing can go on with these bytes.
    pub(super) fn is_damaged(&self) -> bool {
        self.is_damaged
    }

    /// The digest of all bytes, if one was wanted; once.
    pub(super) fn digest(&mut self) -> Option<String> {
        self.hasher.take().map(Hasher::finish)
    }

    /// The file that is kept if no more bytes come, and its length.
    pub(super) fn kept(&self) -> Option<(&Path, u64)> {
        match &self.place {
            Place::Part(part) if part.len() > 0 => Some((part.path(), part.len())),
            _ => None,
        }
    }

    /// Deletes what was saved.
    pub(super) fn discard(self) {
        if let Place::Part(part) = self.place {
            part.remove();
        }
    }

    /// Gives what was saved its name, with a free number from `number` on. Returns the path.
    pub(super) fn save(
        self,
        folder: &Path,
        name: &str,
        number: u32,
    ) -> io::Result<Option<PathBuf>> {
        let file = match self.place {
            Place::Nowhere => return Ok(None),
            Place::Pending(file) => file,
            Place::Part(part) => part.into_file()?,
        };
        file.persist_numbered(folder, name.as_ref(), number)
            .map(Some)
    }
}
