//! Names the result of each image.

use std::collections::{BTreeMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use icu_normalizer::DecomposingNormalizerBorrowed;

use super::error::ImageError;
use super::{IfExists, Options};
use crate::jobs::Item;
use crate::jobs::identity::{FileIdentity, identity, is_same_file};
use crate::jobs::save::{first_free, numbered};
use crate::join::{Cancelled, Context};

/// The names of the results of a job, and what they must not replace.
pub(super) struct Names<'a> {
    options: &'a Options,
    inputs: &'a [PathBuf],
    /// Every image that the job reads.
    images: HashSet<FileIdentity>,
    /// The input of each assigned name, by its [key](key_of).
    assigned: BTreeMap<OsString, PathBuf>,
}

/// The name of a result, or that it is not wanted.
pub(super) enum Named {
    /// Below the folder for the results.
    SaveAs(PathBuf),
    /// It exists already.
    Skip,
}

impl<'a> Names<'a> {
    pub(super) fn new(
        options: &'a Options,
        inputs: &'a [PathBuf],
        items: &[Item],
        context: &Context,
    ) -> Result<Self, Cancelled> {
        let mut images = HashSet::new();
        for item in items {
            context.check()?;
            images.extend(fs::metadata(&item.input).ok().map(|it| identity(&it)));
        }
        Ok(Self {
            options,
            inputs,
            images,
            assigned: BTreeMap::new(),
        })
    }

    /// Names the result of an image.
    pub(super) fn name(&mut self, input: &Path) -> Result<Named, ImageError> {
        let path = input.to_owned();
        let folder = self.folder_of(input);
        if is_same_file(folder_of(input), &self.options.to.join(&folder)) {
            return Err(ImageError::SameFolder { path });
        }
        let name = self.options.target_name(input).into_os_string();
        let name = match self.options.existing {
            IfExists::Number => self.free_name(&folder, &name),
            IfExists::Refuse | IfExists::Overwrite | IfExists::Skip => folder.join(name),
        };
        let target = self.options.to.join(&name);
        let key = key_of(name.as_os_str());
        if let Some(other) = self.assigned.get(&key).cloned() {
            return Err(ImageError::SameName {
                path,
                target,
                other,
            });
        }
        if fs::metadata(&target).is_ok_and(|it| self.images.contains(&identity(&it))) {
            return Err(ImageError::OverInput { path, target });
        }
        if self.options.existing == IfExists::Skip && target.symlink_metadata().is_ok() {
            return Ok(Named::Skip);
        }
        self.assigned.insert(key, path);
        Ok(Named::SaveAs(name))
    }

    /// The folder of a result below that for all results: as below the input folder in which the
    /// image was found, and with the name of that folder if there are other inputs.
    fn folder_of(&self, image: &Path) -> PathBuf {
        let is_input = |input: &PathBuf| input == image;
        if self.options.flatten || self.inputs.iter().any(is_input) {
            return PathBuf::new();
        }
        let below = |input: &PathBuf| Some((input.clone(), image.strip_prefix(input).ok()?));
        let Some((input, below)) = self.inputs.iter().find_map(below) else {
            return PathBuf::new();
        };
        let own = input.file_name().filter(|_| self.inputs.len() > 1);
        Path::new(own.unwrap_or_default()).join(below.parent().unwrap_or(Path::new("")))
    }

    /// The name, with a number if no file may have the name itself.
    fn free_name(&self, folder: &Path, name: &OsStr) -> PathBuf {
        let numbered = |number| folder.join(numbered(name, number));
        let is_taken = |number| {
            let name = numbered(number);
            let is_assigned = self.assigned.contains_key(&key_of(name.as_os_str()));
            is_assigned || self.options.to.join(name).symlink_metadata().is_ok()
        };
        let number = first_free(1, is_taken).expect("no folder has as many files");
        numbered(number)
    }
}

/// The folder of a file.
pub(super) fn folder_of(path: &Path) -> &Path {
    let folder = path.parent();
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// Equal for names that some file system takes for the same: it may ignore case, and whether an
/// accent is part of its letter or follows it.
fn key_of(name: &OsStr) -> OsString {
    let Some(text) = name.to_str() else {
        return name.to_owned();
    };
    let decomposed = DecomposingNormalizerBorrowed::new_nfd().normalize(text);
    decomposed.to_lowercase().into()
}
