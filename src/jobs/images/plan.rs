//! Finds the images.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::error::ImageError;
use super::names::{Named, Names, folder_of};
use super::{Options, is_image_name};
use crate::format;
use crate::jobs::checksum::walk;
use crate::jobs::save::create_folder;
use crate::jobs::text::shown;
use crate::jobs::{Item, Plan, Step};
use crate::join::{Cancelled, Context};

/// Formats of images that can't be read, by the extensions of their names.
///
/// AVIF: `rav1d` decodes frames in Rust, but has the interface of C alone, which needs unsafe code here; `re_rav1d`
/// has another one, and whether it decodes well was not tried. `avif-parse` and `zenavif-parse`, which find the
/// frames in a file, have the licence MPL 2.0, and `zenavif`, which does it all, the AGPL. HEIC: of those in Rust
/// with a permissive licence, one gives wrong colours to files of `heif-enc`, and the other has no limit of
/// pixels or memory to set.
const UNREADABLE: [(&str, &[&str]); 6] = [
    ("AVIF", &["avif", "avifs"]),
    ("HEIC", &["heic", "heics", "heif", "hif"]),
    ("JPEG 2000", &["j2c", "j2k", "jp2", "jpf", "jpx"]),
    ("PSD", &["psb", "psd"]),
    (
        "raw",
        &[
            "arw", "cr2", "cr3", "dng", "nef", "nrw", "orf", "pef", "raf", "raw", "rw2", "srw",
        ],
    ),
    ("SVG", &["svg", "svgz"]),
];

pub(super) fn plan(
    options: &Options,
    inputs: &[PathBuf],
    context: &Context,
    plan: &mut dyn Plan,
) -> Result<(), Cancelled> {
    if let Err(error) = options.check(!inputs.is_empty()) {
        plan.item(Item::failed(options.to.clone(), error));
        return Ok(());
    }
    if let Err(error) = create_folder(&options.to) {
        plan.item(Item::failed(options.to.clone(), error));
        return Ok(());
    }
    let results = fs::canonicalize(&options.to).unwrap_or_else(|_| options.to.clone());
    for input in inputs.iter().filter(|input| is_at(input, &results)) {
        let path = input.clone();
        plan.item(Item::failed(input.clone(), ImageError::SameFolder { path }));
    }
    let items = collect(inputs, &results, context, plan)?;
    let mut names = Names::new(options, inputs, &items, context)?;
    let mut skipped = 0;
    for item in items {
        context.check()?;
        if item.step != Step::Run {
            plan.item(item);
            continue;
        }
        match names.name(&item.input) {
            Ok(Named::SaveAs(name)) => plan.item(Item {
                step: Step::SaveAs { name: name.into() },
                ..item
            }),
            Ok(Named::Skip) => skipped += 1,
            Err(error) => plan.item(Item::failed(item.input, error)),
        }
    }
    if skipped > 0 {
        let images = format::plural(skipped, "image was", "images were");
        let results = if skipped == 1 {
            "its result exists"
        } else {
            "their results exist"
        };
        plan.note(format!("{images} left out: {results}."));
    }
    Ok(())
}

fn is_at(path: &Path, canonical: &Path) -> bool {
    fs::canonicalize(path).is_ok_and(|path| path == canonical)
}

/// Finds the images, and says which files of folders are images that can't be read.
fn collect(
    inputs: &[PathBuf],
    results: &Path,
    context: &Context,
    plan: &mut dyn Plan,
) -> Result<Vec<Item>, Cancelled> {
    let is_below_input =
        |input: &PathBuf| fs::canonicalize(input).is_ok_and(|input| results.starts_with(input));
    let mut images = Images {
        named: inputs.iter().map(PathBuf::as_path).collect(),
        results: inputs.iter().any(is_below_input).then_some(results),
        folders: HashMap::new(),
        items: Vec::new(),
        others: HashSet::new(),
        unreadable: BTreeMap::new(),
        plan,
    };
    walk(inputs, context, &mut images)?;
    Ok(images.finish(inputs))
}

/// Takes the images of what is found. In a folder, only files with the name of an image, and none
/// below the folder for results, where an earlier job may have saved them.
struct Images<'a> {
    /// The inputs of the job.
    named: HashSet<&'a Path>,
    /// The folder for results, if it is within an input.
    results: Option<&'a Path>,
    /// Whether each folder is below that for results.
    folders: HashMap<PathBuf, bool>,
    items: Vec<Item>,
    /// The folders with files that are no images.
    others: HashSet<PathBuf>,
    /// The number of files of each format that can't be read, and the first.
    unreadable: BTreeMap<&'static str, (usize, PathBuf)>,
    plan: &'a mut dyn Plan,
}

impl Plan for Images<'_> {
    fn item(&mut self, item: Item) {
        if self.named.contains(&*item.input) {
            self.items.push(item);
        } else if self.is_result(&item.input) {
            // It is no input.
        } else if let Some(format) = unreadable_format(&item.input) {
            let (count, _) = self.unreadable.entry(format).or_insert((0, item.input));
            *count += 1;
        } else if is_likely(&item) {
            self.items.push(item);
        } else {
            self.others.insert(folder_of(&item.input).to_owned());
        }
    }

    fn note(&mut self, note: String) {
        self.plan.note(note);
    }
}

impl Images<'_> {
    fn is_result(&mut self, file: &Path) -> bool {
        let Some(results) = self.results else {
            return false;
        };
        let folder = folder_of(file);
        if let Some(&is_result) = self.folders.get(folder) {
            return is_result;
        }
        let is_result = fs::canonicalize(folder).is_ok_and(|it| it.starts_with(results));
        self.folders.insert(folder.to_owned(), is_result);
        is_result
    }

    fn finish(self, inputs: &[PathBuf]) -> Vec<Item> {
        for (format, (count, first)) in &self.unreadable {
            self.plan.note(if *count == 1 {
                format!("{} was left out: {format} files can't be read here.", shown(first))
            } else {
                let files = format::count(*count);
                let first = shown(first);
                format!("{files} {format} files were left out, such as {first}: they can't be read here.")
            });
        }
        if self.items.is_empty() && self.unreadable.is_empty() {
            // Of an empty folder, a note says so already.
            let has_other = |input: &&PathBuf| self.others.iter().any(|it| it.starts_with(input));
            for input in inputs.iter().filter(has_other) {
                self.plan
                    .note(format!("The folder {} has no images.", shown(input)));
            }
        }
        self.items
    }
}

/// The format of an image that can't be read, by its name.
fn unreadable_format(name: &Path) -> Option<&'static str> {
    let extension = name.extension()?.to_str()?.to_lowercase();
    let is_one = |(_, extensions): &&(_, &[&str])| extensions.contains(&&*extension);
    UNREADABLE.iter().find(is_one).map(|(format, _)| *format)
}

/// Whether an entry of a folder becomes an item: it has the name of an image, or is a subfolder that
/// can't be walked.
fn is_likely(item: &Item) -> bool {
    match &item.step {
        Step::Fail(error) if !["special_file", "dangling_link"].contains(&&*error.kind) => true,
        _ => is_image_name(&item.input),
    }
}
