//! The wait for a process that something else has started.

use std::sync::Arc;

use super::run::end;
use crate::format;
use crate::jobs::{
    CapturedOutput, ExitStatus, Item, ItemError, Output, ProcessObserver, ProcessRun, Step,
    Stopwatch,
};
use crate::join::Context;
use crate::join::process::RunningProcess;

/// The one item of such a job.
pub(super) fn item(running: &RunningProcess) -> Item {
    Item {
        input: name(running).into(),
        bytes: 0,
        step: Step::Run,
    }
}

fn name(running: &RunningProcess) -> String {
    format!("{} ({})", format::one_line(&running.name), running.pid)
}

/// Waits for the process. A cancel ends the wait alone, because the process is not that of this program.
pub(super) fn run(
    running: &RunningProcess,
    context: &Context,
    observer: &dyn ProcessObserver,
) -> Result<Output, ItemError> {
    let process = running
        .adopt()
        .map_err(|error| ItemError::new("not_adopted", error.to_string()))?;
    observer.did_run(&process);
    let elapsed = Stopwatch::start();
    // Ready or cancelled: the process says which.
    context.select().process(&process).wait().ok();
    let ran = Arc::new(ProcessRun {
        end: process.poll().map_or(ExitStatus::RunsOn, end),
        elapsed_secs: elapsed.elapsed().as_secs_f64(),
        stdout: CapturedOutput::default(),
        stderr: CapturedOutput::default(),
        holders: Vec::new(),
        left: Vec::new(),
        stopped: None,
    });
    observer.did_end(&ran);
    let kind = match &ran.end {
        ExitStatus::Exited { code: 0 } => return Ok(Output::Process(ran)),
        ExitStatus::Unknown => {
            let text = "ended, code unknown".to_owned();
            return Ok(Output::Text { text });
        }
        ExitStatus::Exited { .. } => "exit_code",
        ExitStatus::Signalled { .. } => "signal",
        ExitStatus::RunsOn | ExitStatus::Escaped => {
            context.checkpoint();
            "escaped"
        }
    };
    let sentence = format!("{} {}", name(running), ran.end);
    Err(ItemError::new(kind, sentence))
}
