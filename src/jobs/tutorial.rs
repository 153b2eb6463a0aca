//! The job of the tutorial in CONTRIBUTING.md, compiled and run. `tests/readme.rs` compares its files
//! with the tutorial.

#[path = "../../tests/tutorial/lines/mod.rs"]
pub mod lines;

use std::path::Path;

use super::{Item, ItemError, Job, JobInterface, Output, Plan, Step};
use crate::join::{self, Cancelled};

#[test]
fn tutorial_job_counts_lines_of_a_file() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let file = folder.path().join("poem");
    std::fs::write(&file, "one\n\ntwo\n").expect("the folder is ours");
    assert!(lines_in(&file, &[]).ends_with("poem has 3 lines"));
    assert!(lines_in(&file, &["--skip-empty"]).ends_with("poem has 2 lines"));
}

/// Runs the job with these arguments of the shell.
fn lines_in(file: &Path, args: &[&str]) -> String {
    let mut job = lines::Options::default();
    let command = job.add_args(clap::Command::new("lines"));
    let file = file.to_str().expect("a plain name");
    let args = ["lines", file].into_iter().chain(args.iter().copied());
    let matches = command.try_get_matches_from(args).expect("good arguments");
    let inputs = job.read_args(&matches).expect("good arguments").inputs;
    let task = join::spawn("lines", move |context| {
        let mut outputs = Vec::new();
        job.plan(&inputs, context, &mut |item| {
            outputs.push(job.run_item(&item, context));
        })?;
        Ok::<_, Cancelled>(outputs)
    });
    let task = task.expect("there is room for a thread");
    let outputs = task.join().expect("it returns");
    match outputs.as_deref().expect("nothing cancels it") {
        [Ok(Output::Text { text })] => text.clone(),
        other => panic!("one text was expected: {other:?}"),
    }
}
