//! Finds out which files of the folders differ from the list, or have to be read to know it.

use std::fs::{self, Metadata};
use std::path::PathBuf;

use super::gone::{Gone, is_gone};
use super::known::KnownFiles;
use super::list::{self, ListSource};
use super::{AuditError, Audited, Check, FileState, Options, missing};
use crate::format;
use crate::jobs::checksum::read::signed_note;
use crate::jobs::checksum::{ChecksumError, Visitor, digests_of_file, walk_files};
use crate::jobs::identity::{FileIdentity, identity};
use crate::jobs::{Item, Plan, Step};
use crate::join::{Cancelled, Context};

pub(super) fn plan(
    options: &Options,
    inputs: &[PathBuf],
    context: &Context,
    plan: &mut dyn Plan,
) -> Result<(), Cancelled> {
    let is_cancelled = || context.is_cancelled();
    let against = &options.against;
    let folder = list::folder_of(against);
    let source = ListSource::open(against, context);
    // The error may be the cancel.
    context.check()?;
    let source = match source {
        Ok(source) => source,
        Err(AuditError::Checksum(ChecksumError::Missing { .. })) if options.renew => {
            let known = KnownFiles::of_entries(Vec::new(), &folder);
            return compare(options, known, inputs, context, plan);
        }
        Err(error) => {
            plan.item(Item::failed(against.clone(), error));
            return Ok(());
        }
    };
    let lines = source.own_lines(&is_cancelled);
    context.check()?;
    if let Some(lines) = lines {
        let known = KnownFiles::of_lines(lines, &folder);
        return compare(options, known, inputs, context, plan);
    }
    let list = source.list(&is_cancelled);
    // The list ends early when the task is cancelled.
    context.check()?;
    match list {
        Ok(list) => {
            if list.is_signed {
                plan.note(signed_note(against));
            }
            let known = KnownFiles::of_entries(list.entries, &folder);
            compare(options, known, inputs, context, plan)
        }
        Err(error) => {
            plan.item(Item::failed(against.clone(), error));
            Ok(())
        }
    }
}

fn compare(
    options: &Options,
    known: KnownFiles<'_>,
    inputs: &[PathBuf],
    context: &Context,
    plan: &mut dyn Plan,
) -> Result<(), Cancelled> {
    let own_list = fs::metadata(&options.against).ok();
    let mut audit = Audit {
        options,
        plan,
        known,
        own_list: own_list.map(|metadata| identity(&metadata)),
        new: Vec::new(),
        same: 0,
    };
    walk_files(inputs, context, &mut audit)?;
    audit.finish(inputs, context)
}

struct Audit<'a> {
    options: &'a Options,
    plan: &'a mut dyn Plan,
    known: KnownFiles<'a>,
    own_list: Option<FileIdentity>,
    /// Files that the list does not have.
    new: Vec<Item>,
    /// The number of files that are not read, because size and time are as in the list.
    same: usize,
}

impl Visitor for Audit<'_> {
    fn file(&mut self, item: Item, metadata: &Metadata) {
        if self.own_list == Some(identity(metadata)) {
            return;
        }
        let Some(known) = self.known.find(&item.input) else {
            if self.known.is_empty() {
                // Nothing can have been moved, so it need not wait until all files are found.
                let step = Step::Audit(Check::New);
                self.plan.item(Item { step, ..item });
            } else {
                self.new.push(item);
            }
            return;
        };
        if known.was_found() {
            return;
        }
        let modified = metadata.modified().ok().and_then(list::nanos);
        if known.has_stamp(metadata.len(), modified) && !self.options.thorough {
            self.same += 1;
        } else {
            let step = Step::Audit(Check::Compare(known.entry()));
            self.plan.item(Item { step, ..item });
        }
    }

    fn plan(&mut self) -> &mut dyn Plan {
        self.plan
    }

    fn only_asks(&self) -> bool {
        !self.options.thorough
    }
}

impl Audit<'_> {
    fn finish(self, inputs: &[PathBuf], context: &Context) -> Result<(), Cancelled> {
        let mut gone = gone(self.known, inputs, context)?;
        for item in self.new {
            context.check()?;
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
        Ok(())
    }
}

/// What the list has in the inputs and is not there.
fn gone(known: KnownFiles<'_>, inputs: &[PathBuf], context: &Context) -> Result<Gone, Cancelled> {
    let full = |input: &PathBuf| std::path::absolute(input).unwrap_or_else(|_| input.clone());
    let inputs: Vec<_> = inputs.iter().map(full).collect();
    let mut gone = Gone::default();
    for entry in known.into_unseen() {
        context.check()?;
        let is_inside = inputs.iter().any(|input| entry.path.starts_with(input));
        if is_inside && is_gone(&entry.path) {
            gone.push(entry);
        }
    }
    Ok(gone)
}

/// Reads a new file here if it has the length of one that is gone. If the content is the same, too, it was
/// moved, and is no longer gone.
fn find_moved(item: &Item, gone: &mut Gone, context: &Context) -> Option<Audited> {
    let kinds = gone.kinds(item.bytes);
    if kinds.is_empty() {
        return None;
    }
    // What can't be read fails when it is run.
    let file = digests_of_file(&item.input, &kinds, context).ok()?;
    for (&kind, digest) in kinds.iter().zip(&file.digests) {
        if let Some(old) = gone.take(kind, digest, &item.input) {
            return Some(Audited {
                state: FileState::Moved,
                from: Some(old.name),
                ..Audited::of(&file, kind, digest.clone())
            });
        }
    }
    None
}
