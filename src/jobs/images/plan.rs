//! Finds the images, and names the result of each.

use std::collections::{BTreeMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use icu_normalizer::DecomposingNormalizerBorrowed;

use super::error::ImageError;
use super::{IfExists, Options, format_of};
use crate::jobs::checksum::{FileIdentity, identity, walk};
use crate::jobs::save::{create_folder, first_free, numbered};
use crate::jobs::{Item, Plan, Step};
use crate::join::Context;

pub(super) fn plan(options: &Options, inputs: &[PathBuf], context: &Context, plan: &mut dyn Plan) {
    if let Err(error) = options.check(!inputs.is_empty()) {
        return plan.item(Item::failed(options.to.clone(), error));
    }
    let folder = match create_folder(&options.to) {
        Ok(metadata) => identity(&metadata),
        Err(error) => return plan.item(Item::failed(options.to.clone(), error)),
    };
    for input in inputs.iter().filter(|input| is_folder(input, folder)) {
        let path = input.clone();
        plan.item(Item::failed(input.clone(), ImageError::SameFolder { path }));
    }
    let items = collect(inputs, folder, context, plan);
    let mut names = Names {
        options,
        folder,
        inputs: identities(&items, context),
        assigned: BTreeMap::new(),
    };
    for item in items {
        context.checkpoint();
        plan.item(match item.step {
            Step::Run => names.named(item),
            _ => item,
        });
    }
}

/// Finds the images.
fn collect(
    inputs: &[PathBuf],
    results: FileIdentity,
    context: &Context,
    plan: &mut dyn Plan,
) -> Vec<Item> {
    let mut images = Images {
        named: inputs.iter().map(PathBuf::as_path).collect(),
        results,
        items: Vec::new(),
        plan,
    };
    walk(inputs, context, &mut images);
    images.items
}

/// Takes the images of what is found. In a folder, only files with the name of an image, and none in
/// the folder for results, where an earlier job may have saved them.
struct Images<'a> {
    /// The inputs of the job.
    named: HashSet<&'a Path>,
    results: FileIdentity,
    items: Vec<Item>,
    plan: &'a mut dyn Plan,
}

impl Plan for Images<'_> {
    fn item(&mut self, item: Item) {
        let is_named = self.named.contains(&*item.input);
        if is_named || is_likely(&item) && !is_in_folder(&item.input, self.results) {
            self.items.push(item);
        }
    }

    fn note(&mut self, note: String) {
        self.plan.note(note);
    }
}

/// Whether an entry of a folder becomes an item: it has the name of an image, or is a subfolder that
/// can't be walked.
fn is_likely(item: &Item) -> bool {
    match &item.step {
        Step::Fail(error) if !["special_file", "dangling_link"].contains(&&*error.kind) => true,
        _ => format_of(&item.input).is_some(),
    }
}

fn is_folder(path: &Path, folder: FileIdentity) -> bool {
    fs::metadata(path).is_ok_and(|there| identity(&there) == folder)
}

fn is_in_folder(path: &Path, folder: FileIdentity) -> bool {
    path.parent().is_some_and(|parent| {
        let is_here = parent.as_os_str().is_empty();
        is_folder(if is_here { Path::new(".") } else { parent }, folder)
    })
}

fn identities(items: &[Item], context: &Context) -> HashSet<FileIdentity> {
    let metadata = items.iter().filter_map(|item| {
        context.checkpoint();
        fs::metadata(&item.input).ok()
    });
    metadata.map(|it| identity(&it)).collect()
}

/// Names the results.
struct Names<'a> {
    options: &'a Options,
    folder: FileIdentity,
    /// Every image that the job reads.
    inputs: HashSet<FileIdentity>,
    /// The input of each assigned name, by its [key](key_of).
    assigned: BTreeMap<OsString, PathBuf>,
}

impl Names<'_> {
    fn named(&mut self, item: Item) -> Item {
        match self.name(&item.input) {
            Ok(name) => Item {
                step: Step::SaveAs { name },
                ..item
            },
            Err(error) => Item::failed(item.input, error),
        }
    }

    fn name(&mut self, input: &Path) -> Result<OsString, ImageError> {
        let path = input.to_owned();
        if is_in_folder(input, self.folder) {
            return Err(ImageError::SameFolder { path });
        }
        let name = self.options.target_name(input).into_os_string();
        let name = match self.options.existing {
            IfExists::Number => self.free_name(&name),
            IfExists::Refuse | IfExists::Overwrite => name,
        };
        let target = self.options.to.join(&name);
        let key = key_of(&name);
        if let Some(other) = self.assigned.get(&key).cloned() {
            return Err(ImageError::SameName {
                path,
                target,
                other,
            });
        }
        if fs::metadata(&target).is_ok_and(|it| self.inputs.contains(&identity(&it))) {
            return Err(ImageError::OverInput { path, target });
        }
        self.assigned.insert(key, path);
        Ok(name)
    }

    /// The name, with a number if no file may have the name itself.
    fn free_name(&self, name: &OsStr) -> OsString {
        let is_taken = |number| {
            let name = numbered(name, number);
            let is_assigned = self.assigned.contains_key(&key_of(&name));
            is_assigned || self.options.to.join(name).symlink_metadata().is_ok()
        };
        let number = first_free(1, is_taken).expect("no folder has as many files");
        numbered(name, number)
    }
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
