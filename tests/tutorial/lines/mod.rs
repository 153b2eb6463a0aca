//! The job `lines`: counts the lines of files.

mod interface;

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Item, ItemError, Job, Output, Plan, Step};
use crate::join::{Cancelled, Context};

/// Which lines count.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// Leave out empty lines.
    pub skip_empty: bool,
}

impl Job for Options {
    fn id(&self) -> &'static str {
        "lines"
    }

    fn title(&self) -> &'static str {
        "Lines"
    }

    fn plan(
        &self,
        inputs: &[PathBuf],
        context: &Context,
        plan: &mut dyn Plan,
    ) -> Result<(), Cancelled> {
        for input in inputs {
            context.check()?;
            plan.item(Item {
                input: input.clone(),
                bytes: input.metadata().map_or(0, |metadata| metadata.len()),
                step: Step::Run,
            });
        }
        Ok(())
    }

    fn run_item(&self, item: &Item, context: &Context) -> Result<Output, ItemError> {
        let error = |error: std::io::Error| {
            ItemError::new("io", format!("{}: {error}", item.input.display()))
        };
        let file = BufReader::new(File::open(&item.input).map_err(error)?);
        let (mut lines, mut done) = (0_u64, 0);
        for line in file.split(b'\n') {
            context.check()?;
            let line = line.map_err(error)?;
            done += line.len() as u64 + 1;
            context.set_progress(done, item.bytes);
            lines += u64::from(!(self.skip_empty && line.is_empty()));
        }
        let text = format!("{} has {lines} lines", item.input.display());
        Ok(Output::Text { text })
    }
}
