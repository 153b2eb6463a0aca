//! Finds the files of the runs.

use std::fs::Metadata;
use std::path::{Path, PathBuf};

use super::{Files, Options};
use crate::jobs::checksum::{Visitor, walk_files};
use crate::jobs::{Item, ItemError, Plan, Step};
use crate::join::{Cancelled, Context};

/// One run for all files can't have more: far more than a system passes to a program.
const MAX_FILES: usize = 1_000_000;

pub(super) fn plan(
    options: &Options,
    inputs: &[PathBuf],
    context: &Context,
    plan: &mut dyn Plan,
) -> Result<(), Cancelled> {
    if let Err(error) = options.check(!inputs.is_empty()) {
        plan.item(Item::failed(options.run_title(), error));
        return Ok(());
    }
    let mut runs = Runs {
        options,
        plan,
        files: Vec::new(),
        has_too_many: false,
    };
    if options.whole_folders {
        for input in inputs {
            context.check()?;
            runs.takes(input);
        }
    } else {
        walk_files(inputs, context, &mut runs)?;
    }
    let files = std::mem::take(&mut runs.files);
    let is_one_run = inputs.is_empty() || (options.files == Files::All && !files.is_empty());
    if runs.has_too_many {
        let error = ItemError::new(
            "too_many_files",
            "There are too many files for one run; run the command once for each.",
        );
        plan.item(Item::failed(options.run_title(), error));
    } else if is_one_run {
        plan.item(Item {
            input: options.run_title(),
            bytes: 0,
            step: Step::Command { files },
        });
    }
    Ok(())
}

/// Makes a run of each file, or keeps all for one run.
struct Runs<'a> {
    options: &'a Options,
    plan: &'a mut dyn Plan,
    files: Vec<PathBuf>,
    has_too_many: bool,
}

impl Visitor for Runs<'_> {
    fn file(&mut self, item: Item, _metadata: &Metadata) {
        self.takes(&item.input);
    }

    /// What is no folder need not be there: the command may make it.
    fn takes(&mut self, input: &Path) -> bool {
        let input = input.to_owned();
        match self.options.files {
            Files::One => self.plan.item(Item {
                input,
                bytes: 0,
                step: Step::Run,
            }),
            Files::All if self.files.len() < MAX_FILES => self.files.push(input),
            Files::All => self.has_too_many = true,
        }
        true
    }

    fn plan(&mut self) -> &mut dyn Plan {
        self.plan
    }
}
