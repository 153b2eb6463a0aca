//! CPython beside a lesson: the lesson's Python version, run by the `python3` of this machine.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::time::Duration;

use anyhow::Context as _;

use super::trace::Trace;
use crate::join::process::{Builder, Process, SpawnError};
use crate::join::{self, Task};

/// The name of the lane.
pub(super) const PYTHON: &str = "Python";

/// A running Python program, or nothing if this machine has no `python3`.
pub struct Python(Option<Running>);

struct Running {
    process: Process,
    /// Prints each line in the lane of the process, and keeps it.
    lines: Task<Vec<String>>,
}

/// The output of a Python program; empty if it could not run.
#[derive(Debug, Default)]
pub struct PythonOutput(Vec<String>);

impl Trace {
    /// Starts a Python program in a lane of its own. Its arguments are the kind of worker and the
    /// times in seconds. Its output is printed to the transcript.
    ///
    /// Without `python3` a message says so, and the lesson goes on.
    ///
    /// # Errors
    /// If its file can't be written, or if the process or a thread can't be started.
    #[track_caller]
    pub fn python(&self, program: &str, times: &[Duration]) -> anyhow::Result<Python> {
        let file = self.folder().join("lesson.py");
        fs::write(&file, program)?;
        let times = times.iter().map(|time| time.as_secs_f64().to_string());
        let python = Builder::new("python3")
            // Isolated: neither the environment nor installed packages change the outcome.
            .arg("-I")
            .arg(file)
            .arg(self.worker_kind().to_string())
            .args(times)
            // Its temporary files are deleted with the run.
            .env("TMPDIR", self.folder())
            .name(PYTHON)
            .stdout_piped();
        let (process, lane) = match self.spawn_traced(python) {
            Err(
                SpawnError::NotFound { .. }
                | SpawnError::InterpreterNotFound { .. }
                | SpawnError::PermissionDenied { .. },
            ) => {
                self.print("python3 is not installed: skipping the Python version");
                return Ok(Python(None));
            }
            spawned => spawned?,
        };
        let stdout = process.take_stdout().context("stdout is piped")?;
        let lines = self.untraced_task(move || {
            let lines = BufReader::new(stdout).lines().map_while(Result::ok);
            lines.inspect(|line| lane.forward(line)).collect()
        });
        let lines = join::spawn("output of Python", lines)?;
        Ok(Python(Some(Running { process, lines })))
    }
}

impl Python {
    /// Waits for the program to end, prints the last line of its stderr, and returns its output.
    ///
    /// # Errors
    /// If the run was stopped.
    #[track_caller]
    pub fn join(&self, trace: &Trace) -> anyhow::Result<PythonOutput> {
        let Some(Running { process, lines }) = &self.0 else {
            return Ok(PythonOutput::default());
        };
        trace.wait(PYTHON, || process.join())?;
        let output = PythonOutput(lines.join()?.clone());
        if let Some(line) = process.output().stderr.text().lines().last() {
            trace.print(format!("Python's stderr: {line}"));
        }
        Ok(output)
    }
}

impl PythonOutput {
    /// The text after `name: ` in the line with this index among all that begin so.
    pub fn value(&self, name: &str, index: usize) -> &str {
        let value = |line| str::strip_prefix(line, name)?.strip_prefix(": ");
        let mut values = self.0.iter().filter_map(|line| value(line.as_str()));
        values.nth(index).unwrap_or("not run")
    }
}
