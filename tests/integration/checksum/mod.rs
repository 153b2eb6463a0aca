//! The job `checksum`.

mod digests;
mod faults;
mod lists;
mod walking;

use std::path::{Path, PathBuf};

use meanwhile::jobs::checksum::{Algorithm, Checksum, DigestMonitor, Options};
use meanwhile::jobs::{Item, ItemError, Job as _, Output, Step};
use meanwhile::join::{self, Context};

/// Ignores progress and never cancels.
struct NoMonitor;

impl DigestMonitor for NoMonitor {
    fn did_read(&self, _done: u64, _total: u64) {}

    fn is_cancelled(&self) -> bool {
        false
    }
}

/// Runs `work` as a task and waits for it.
pub(crate) fn in_task<T: Send + Sync + 'static>(
    work: impl FnOnce(&Context) -> T + Send + 'static,
) -> T {
    let task = join::spawn("test", work).expect("a thread is available");
    task.join()
        .map(drop)
        .expect("the work neither panics nor is cancelled");
    task.into_output()
        .unwrap_or_else(|_| panic!("a joined task with one handle gives its output"))
}

fn compute(algorithm: Algorithm) -> Options {
    Options {
        algorithm,
        ..Options::default()
    }
}

fn plan(options: &Options, inputs: &[&Path]) -> Vec<Item> {
    let options = options.clone();
    let inputs: Vec<PathBuf> = inputs.iter().map(PathBuf::from).collect();
    in_task(move |context| {
        let mut items = Vec::new();
        let planned = options.plan(&inputs, context, &mut |item| items.push(item));
        planned.expect("nothing cancels it");
        items
    })
}

fn run_item(options: &Options, item: &Item) -> Result<Checksum, ItemError> {
    let (options, item) = (options.clone(), item.clone());
    match in_task(move |context| options.run_item(&item, context))? {
        Output::Checksum(checksum) => Ok(checksum),
        other => panic!("{other} instead of a checksum"),
    }
}

/// Plans and runs. Returns `relative path: digest` or `relative path: kind` for each item.
fn outcomes(options: &Options, folder: &Path, inputs: &[&Path]) -> Vec<String> {
    plan(options, inputs)
        .iter()
        .map(|item| {
            let name = item.input.strip_prefix(folder).unwrap_or(&item.input);
            let outcome = match &item.step {
                Step::Fail(error) => error.kind.clone(),
                _ => match run_item(options, item) {
                    Ok(checksum) if checksum.verified => "ok".to_owned(),
                    Ok(checksum) => checksum.digest,
                    Err(error) => error.kind,
                },
            };
            format!("{}: {outcome}", name.display())
        })
        .collect()
}
