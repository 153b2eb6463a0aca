//! Finds out which files of the folders differ from the list, or have to be read to know it.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

use super::gone::{Gone, is_gone};
use super::list::{self, AuditList, Entry};
use super::{AuditError, Audited, Check, FileState, Options, missing, read};
use crate::format;
use crate::jobs::checksum::read::signed_note;
use crate::jobs::checksum::{ChecksumError, Visitor, walk_files};
use crate::jobs::identity::{FileIdentity, identity};
use crate::jobs::{Item, Plan, Step};
use crate::join::Context;

pub(super) fn plan(options: &Options, inputs: &[PathBuf], context: &Context, plan: &mut dyn Plan) {
    let list = match list::read(&options.against, &|| context.checkpoint()) {
        Ok(list) => list,
        Err(AuditError::Checksum(ChecksumError::Missing { .. })) if options.renew => {
            AuditList::default()
        }
        Err(error) => {
            return plan.item(Item::failed(options.against.clone(), error));
        }
    };
    if list.is_signed {
        plan.note(signed_note(&options.against));
    }
    let own_list = fs::metadata(&options.against).ok();
    let mut audit = Audit {
        options,
        plan,
        entries: by_path(list.entries),
        own_list: own_list.map(|metadata| identity(&metadata)),
        new: Vec::new(),
        same: 0,
    };
    walk_files(inputs, context, &mut audit);
    audit.finish(inputs, context);
}

struct Audit<'a> {
    options: &'a Options,
    plan: &'a mut dyn Plan,
    entries: HashMap<OsString, Known>,
    own_list: Option<FileIdentity>,
    /// Files that the list does not have.
    new: Vec<Item>,
    /// The number of files that are not read, because size and time are as in the list.
    same: usize,
}

/// What the list says of a file, and whether it was found.
struct Known {
    entry: Entry,
    is_found: bool,
}

impl Visitor for Audit<'_> {
    fn file(&mut self, item: Item, metadata: &Metadata) {
        if self.own_list == Some(identity(metadata)) {
            return;
        }
        let Some(known) = self.entries.get_mut(&full(&item.input)) else {
            self.new.push(item);
            return;
        };
        if std::mem::replace(&mut known.is_found, true) {
            return;
        }
        let entry = &known.entry;
        let has_same_stamp = entry.modified.is_some()
            && entry.modified == metadata.modified().ok().and_then(list::nanos)
            && entry.bytes == Some(metadata.len());
        if has_same_stamp && !self.options.thorough {
            self.same += 1;
        } else {
            let step = Step::Audit(Check::Compare(entry.clone()));
            self.plan.item(Item { step, ..item });
        }
    }

    fn plan(&mut self) -> &mut dyn Plan {
        self.plan
    }
}

impl Audit<'_> {
    fn finish(mut self, inputs: &[PathBuf], context: &Context) {
        let mut gone = self.gone(inputs, context);
        for item in std::mem::take(&mut self.new) {
            context.checkpoint();
            let check = find_moved(&item, &mut gone, context)
                .map_or(Check::New, |moved| Check::Done(Box::new(moved)));
            let step = Step::Audit(check);
            self.plan.item(Item { step, ..item });
        }
        for entry in gone.into_entries() {
            let error = missing(&entry.name, &self.options.against);
            self.plan.item(Item::failed(entry.path, error));
        }
        if self.same > 0 {
            let files = format::plural(self.same, "file has", "files have");
            let note = format!("{files} the size and the time in the list; not read.");
            self.plan.note(note);
        }
    }

    /// What the list has in the inputs and is not there.
    fn gone(&mut self, inputs: &[PathBuf], context: &Context) -> Gone {
        let inputs: Vec<_> = inputs.iter().map(|input| full(input)).collect();
        let known = std::mem::take(&mut self.entries).into_values();
        let mut unseen: Vec<_> = known.filter(|known| !known.is_found).collect();
        unseen.sort_unstable_by(|left, right| left.entry.path.cmp(&right.entry.path));
        let mut gone = Gone::default();
        for Known { entry, .. } in unseen {
            context.checkpoint();
            let is_inside = inputs.iter().any(|input| entry.path.starts_with(input));
            if is_inside && is_gone(&entry.path) {
                gone.push(entry);
            }
        }
        gone
    }
}

/// Reads a new file here if it has the length of one that is gone. If the content is the same, too, it was
/// moved, and is no longer gone.
fn find_moved(item: &Item, gone: &mut Gone, context: &Context) -> Option<Audited> {
    for kind in gone.kinds(item.bytes) {
        context.checkpoint();
        // What can't be read fails when it is run.
        let audited = read(&item.input, kind, context).ok()?;
        if let Some(old) = gone.take(kind, &audited.checksum.digest, &item.input) {
            return Some(Audited {
                state: FileState::Moved,
                from: Some(old.name),
                ..audited
            });
        }
    }
    None
}

fn by_path(entries: Vec<Entry>) -> HashMap<OsString, Known> {
    let with_path = |entry: Entry| {
        let path = entry.path.clone().into_os_string();
        let is_found = false;
        (path, Known { entry, is_found })
    };
    entries.into_iter().map(with_path).collect()
}

/// The path as the list has it, seen from the root.
fn full(path: &Path) -> OsString {
    let full = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    full.into_os_string()
}
