//! Asks a runtime what its threads wait for, for `meanwhile why --ask`.

use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::ValueEnum;

use crate::explain::{self, Answer, Runtime, WaitGraph};
use crate::format;
use crate::join::process::{Builder, SpawnError};

/// A runtime that has not answered by then hangs itself.
const PATIENCE: Duration = Duration::from_secs(10);

/// No answer is longer: a thousand threads of Java take some megabytes.
const MAX_ANSWER: usize = 64 << 20;

/// A runtime that can be asked, by the name for the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Asked {
    /// The JVM, by jcmd.
    Java,
    /// Python, by py-spy.
    Python,
    #[value(help = "PostgreSQL, by psql and the connection of its environment")]
    Postgresql,
}

impl Asked {
    /// Looks at a process, with what its runtime says before and after the look.
    pub(super) fn look(self, pid: u32, tree: bool) -> anyhow::Result<WaitGraph> {
        let runtime = match self {
            Self::Java => Runtime::Java,
            Self::Python => Runtime::Python,
            Self::Postgresql => Runtime::Postgresql,
        };
        let before = answer(runtime, pid)?;
        let graph = explain::with_answer(pid, tree, &before)?;
        let after = answer(runtime, pid)?;
        if before == after {
            return Ok(graph);
        }
        Ok(explain::with_answer(
            pid,
            tree,
            &before.confirmed_by(&after),
        )?)
    }
}

fn answer(runtime: Runtime, pid: u32) -> anyhow::Result<Answer> {
    let question = runtime.question(pid);
    let program = question.program;
    let process = Builder::new(program)
        .args(&question.arguments)
        .output_limit(MAX_ANSWER)
        .kill_on_drop(true)
        .spawn();
    let process = match process {
        Err(SpawnError::NotFound { .. }) => bail!(
            "{runtime} can't be asked: the program {program} is not installed; it comes with {}",
            question.origin
        ),
        process => process.with_context(|| format!("{runtime} can't be asked"))?,
    };
    if process.join_timeout(PATIENCE).is_err() {
        let patience = format::rough(PATIENCE);
        bail!("{program} has not said within {patience} what {runtime} waits for");
    }
    let output = process
        .join_checked()
        .with_context(|| format!("{runtime} can't be asked"))?;
    if output.stdout.dropped > 0 {
        bail!("what {program} has printed is too long to be read");
    }
    Ok(runtime.read(pid, &output.stdout.text())?)
}
