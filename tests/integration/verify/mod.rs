//! The job `verify`.

mod forms;
mod lists;
mod names;
mod vectors;
#[cfg(target_os = "linux")]
mod writers;

use std::path::{Path, PathBuf};

use meanwhile::jobs::checksum::Checksum;
use meanwhile::jobs::verify::Options;
use meanwhile::jobs::{Item, ItemError, Job as _, Output, Plan, Step};

use crate::checksum::in_task;

/// What a plan found.
#[derive(Default)]
struct Planned {
    items: Vec<Item>,
    notes: Vec<String>,
}

impl Plan for Planned {
    fn item(&mut self, item: Item) {
        self.items.push(item);
    }

    fn note(&mut self, note: String) {
        self.notes.push(note);
    }
}

fn plan(options: &Options, input: &Path) -> Planned {
    let options = options.clone();
    let inputs = [PathBuf::from(input)];
    in_task(move |context| {
        let mut planned = Planned::default();
        let plan = options.plan(&inputs, context, &mut planned);
        plan.expect("nothing cancels it");
        planned
    })
}

fn run_item(options: &Options, item: &Item) -> Result<Checksum, ItemError> {
    if let Step::Fail(error) = &item.step {
        return Err(error.clone());
    }
    let (options, item) = (options.clone(), item.clone());
    match in_task(move |context| options.run_item(&item, context))? {
        Output::Checksum(checksum) => Ok(checksum),
        other => panic!("{other} instead of a checksum"),
    }
}

/// Plans and runs. Returns `relative path: ok` or `relative path: kind` for each item.
fn outcomes(options: &Options, folder: &Path, input: &Path) -> Vec<String> {
    let items = plan(options, input).items;
    let outcome = |item: &Item| {
        let name = item.input.strip_prefix(folder).unwrap_or(&item.input);
        let outcome = match run_item(options, item) {
            Ok(_) => "ok".to_owned(),
            Err(error) => error.kind,
        };
        format!("{}: {outcome}", name.display())
    };
    items.iter().map(outcome).collect()
}

/// The outcomes of a list in `folder`, with the default options.
fn verified(folder: &Path, list: &str) -> Vec<String> {
    outcomes(&Options::default(), folder, &folder.join(list))
}
