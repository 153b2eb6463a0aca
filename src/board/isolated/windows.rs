//! Windows, where there are no isolated workers: their items fail and say so.

use std::convert::Infallible;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::run::Outcome;
use crate::jobs::{Item, ItemError, JobSpec};
use crate::join::Context;

/// Who can start workers: nobody.
#[derive(Clone)]
pub(super) struct Isolation;

impl Isolation {
    pub(super) fn of_this_program() -> Self {
        Self
    }

    pub(super) fn crew(
        &self,
        _name: &str,
        _spec: &JobSpec,
        _hurry: Arc<AtomicBool>,
    ) -> Result<Crew, ItemError> {
        Err(ItemError {
            kind: "no_worker".to_owned(),
            message: "there are no isolated processes on this system; run it on the pool"
                .to_owned(),
        })
    }
}

/// No worker was ever started.
pub(super) struct Crew(Infallible);

impl Crew {
    pub(super) fn run(&self, _task: &str, _item: &Item, _context: &Context, _host: &()) -> Outcome {
        match self.0 {}
    }

    pub(super) fn dismiss(&self) {
        match self.0 {}
    }
}

/// Works as an isolated worker where this program was started as one: never.
pub fn run_as_worker() -> Option<ExitCode> {
    None
}
