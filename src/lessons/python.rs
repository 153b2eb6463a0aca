//! CPython beside a lesson: the lesson's own text in Python, run by the `python3` of this machine.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::time::Duration;

use anyhow::Context as _;

use super::stage::Stage;
use crate::join::process::{Builder, Process, SpawnError};
use crate::join::{self, Task};

/// The name of its lane.
pub(super) const PYTHON: &str = "Python";

/// A text in Python that runs; nothing where this machine has no `python3`.
pub struct Python(Option<Running>);

struct Running {
    process: Process,
    /// Says every line in the lane of the process when it is printed, and keeps it.
    lines: Task<Vec<String>>,
}

/// What a text in Python has printed; nothing where it could not run.
#[derive(Debug, Default)]
pub struct Printed(Vec<String>);

impl Stage {
    /// Starts a text in Python, in a lane of its own in which it says what it prints. Its arguments
    /// are with what the lesson runs, and these times in seconds.
    ///
    /// Where there is no `python3` that can be run this is said, and the lesson goes on without.
    ///
    /// # Errors
    /// There was no room for its file, or the system refused the process or a thread.
    #[track_caller]
    pub fn python(&self, text: &str, times: &[Duration]) -> anyhow::Result<Python> {
        let file = self.folder().join("lesson.py");
        fs::write(&file, text)?;
        let times = times.iter().map(|time| time.as_secs_f64().to_string());
        let python = Builder::new("python3")
            // Alone: what a person has set or installed changes nothing.
            .arg("-I")
            .arg(file)
            .arg(self.cast().to_string())
            .args(times)
            // Where it puts files aside they go with the run.
            .env("TMPDIR", self.folder())
            .name(PYTHON)
            .stdout_piped();
        let (process, lane) = match self.launch(python) {
            Err(
                SpawnError::NotFound { .. }
                | SpawnError::InterpreterNotFound { .. }
                | SpawnError::PermissionDenied { .. },
            ) => {
                self.say("there is no python3 here to run the same in Python");
                return Ok(Python(None));
            }
            launched => launched?,
        };
        let stdout = process.take_stdout().context("its stdout is piped")?;
        let lines = self.unseen(move || {
            let lines = BufReader::new(stdout).lines().map_while(Result::ok);
            lines.inspect(|line| lane.echo(line)).collect()
        });
        let lines = join::spawn("what Python prints", lines)?;
        Ok(Python(Some(Running { process, lines })))
    }
}

impl Python {
    /// Waits for its end and gives what it has printed. The last line of its stderr is said.
    ///
    /// # Errors
    /// The run was stopped.
    #[track_caller]
    pub fn join(&self, stage: &Stage) -> anyhow::Result<Printed> {
        let Some(Running { process, lines }) = &self.0 else {
            return Ok(Printed::default());
        };
        stage.waits(PYTHON, || process.join())?;
        let printed = Printed(lines.join()?.clone());
        if let Some(line) = process.output().stderr.text().lines().last() {
            stage.say(format!("on Python's stderr: {line}"));
        }
        Ok(printed)
    }
}

impl Printed {
    /// What stands in the line of that number, from 0, of those that begin with `name` and a colon.
    pub fn value(&self, name: &str, number: usize) -> &str {
        let value = |line| str::strip_prefix(line, name)?.strip_prefix(": ");
        let values = self.0.iter().filter_map(|line| value(line.as_str()));
        values.clone().nth(number).unwrap_or("not run")
    }
}
