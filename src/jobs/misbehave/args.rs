use std::path::PathBuf;
use std::time::Duration;

use super::{Misbehaviour, Options};
use crate::jobs::{Arguments, duration};

/// End one item or all in a chosen way, such as a panic or a crash.
#[derive(Debug, clap::Args)]
pub(super) struct MisbehaveArgs {
    /// How the chosen item ends.
    #[arg(long, value_enum, default_value_t)]
    end: Misbehaviour,
    /// The chosen item, from 1; 0 chooses every item.
    #[arg(long, default_value_t = 1)]
    item: usize,
    /// How long an item works before it ends.
    #[arg(long, value_name = "TIME", default_value = "0", value_parser = duration)]
    after: Duration,
    /// How many items there are if no names are given.
    #[arg(long, default_value_t = Options::default().count)]
    count: usize,
    /// The names of the items.
    #[arg(value_name = "NAMES")]
    files: Vec<PathBuf>,
}

impl MisbehaveArgs {
    pub(super) fn split(self) -> (Options, Arguments) {
        let options = Options {
            end: self.end,
            item: self.item,
            after: self.after.as_secs_f64(),
            count: self.count,
        };
        let arguments = Arguments {
            inputs: self.files,
            output: None,
        };
        (options, arguments)
    }
}
