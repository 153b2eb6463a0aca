//! Pipelines: processes of which each reads what the one before it prints.

use std::io::{self, PipeReader};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::super::sync::lock;
use super::super::{JoinError, Select, wait};
use super::builder::Builder;
use super::error::SpawnError;
use super::exit::Exit;
use super::exit_error::ExitError;
use super::handle::Process;
use super::output::Output;
use super::shared::ProcessShared;
use super::stop::StopReport;
use super::stop_all::{end_all, stop_all};
use super::streams::Redirect;
use super::tree::Root as _;
use super::tree_signal;

/// Configures and starts a pipeline, begun by [`Builder::pipe_to`].
#[derive(Clone, Debug)]
#[must_use]
pub struct PipelineBuilder {
    first: Builder,
    /// At least one.
    others: Vec<Builder>,
}

// It is here because the module `builder` does not depend on pipelines.
impl Builder {
    /// Begins a pipeline, in which `next` reads the stdout of this process. That replaces the stdout
    /// set on this builder, and the stdin set on `next`. All other settings of both hold.
    ///
    /// ```
    /// use meanwhile_join::process::Builder;
    ///
    /// let numbers = Builder::new("seq").arg("1000");
    /// let sevens = Builder::new("grep").arg("7");
    /// let count = Builder::new("wc").arg("-l");
    /// let pipeline = numbers.pipe_to(sevens).pipe_to(count).spawn()?;
    /// assert_eq!(pipeline.join_checked()?.stdout.text().trim(), "271");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn pipe_to(self, next: Self) -> PipelineBuilder {
        PipelineBuilder {
            first: self,
            others: vec![next],
        }
    }
}

impl PipelineBuilder {
    /// Adds a process that reads the stdout of the last one; see [`Builder::pipe_to`].
    pub fn pipe_to(mut self, next: Builder) -> Self {
        self.others.push(next);
        self
    }

    /// Starts all processes, the first one first.
    ///
    /// The pipes lead from one process to the next. This program keeps no copy of them, so it holds
    /// up no data, and a process whose reader has ended gets `SIGPIPE`, as in a shell.
    ///
    /// # Errors
    /// Fails as [`Builder::spawn`] does. Then the processes that have been started are killed with
    /// their descendants.
    pub fn spawn(self) -> Result<Pipeline, SpawnError> {
        let mut started = Vec::with_capacity(self.others.len() + 1);
        match spawn_all(self, &mut started) {
            Ok(()) => Ok(Pipeline(started.into())),
            Err(error) => {
                // The caller has not got them, so it needs no report.
                drop(end_all(&shared(&started), Duration::ZERO));
                Err(error)
            }
        }
    }
}

fn spawn_all(pipeline: PipelineBuilder, started: &mut Vec<Process>) -> Result<(), SpawnError> {
    let mut last = pipeline.first;
    for next in pipeline.others {
        let (process, stdout) = spawn_with_reader(last)?;
        started.push(process);
        last = next.stdin_from(stdout);
    }
    started.push(last.spawn()?);
    Ok(())
}

/// Starts a process that is not the last one. Returns it with the reading end of its stdout.
fn spawn_with_reader(builder: Builder) -> Result<(Process, PipeReader), SpawnError> {
    let pipe = io::pipe();
    let (reader, writer) = pipe.map_err(|cause| builder.refusal(cause))?;
    let process = builder.stdout(Redirect::to(writer)).spawn()?;
    Ok((process, reader))
}

pub(super) fn shared(processes: &[Process]) -> Vec<Arc<ProcessShared>> {
    let processes = processes.iter().map(Process::shared);
    processes.cloned().collect()
}

/// A handle of the processes of a pipeline, started by [`PipelineBuilder::spawn`]. Clones are cheap
/// and mean the same processes.
///
/// ```
/// use meanwhile_join::process::{Builder, Exit};
/// use std::time::Duration;
///
/// let yes = Builder::new("yes");
/// let pipeline = yes.pipe_to(Builder::new("head").args(["-n", "1"])).spawn()?;
/// let exits = pipeline.join_timeout(Duration::from_secs(60))?;
/// assert_eq!(exits[0].signal_name(), Some("SIGPIPE"));
/// assert_eq!(exits[1], Exit::Code(0));
/// assert_eq!(pipeline.output().stdout.text(), "y\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "without a handle, their ends are not known; drop it to detach them"]
pub struct Pipeline(Arc<[Process]>);

impl Pipeline {
    /// Returns the processes, the first one first. There are at least two. Only the last one has its
    /// stdout captured, unless its builder says otherwise.
    pub fn processes(&self) -> &[Process] {
        &self.0
    }

    /// Returns the last process, whose stdout is that of the pipeline.
    ///
    /// ```
    /// use meanwhile_join::process::{Builder, Stream};
    ///
    /// let pipeline = Builder::new("seq").arg("3").pipe_to(Builder::new("tac")).spawn()?;
    /// let mut lines = pipeline.last().lines(Stream::Stdout);
    /// assert_eq!(lines.next().map(|line| line.to_string()).as_deref(), Some("3"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn last(&self) -> &Process {
        &self.0[self.0.len() - 1]
    }

    /// Blocks until all processes have ended. Returns their exits, that of the first one first.
    ///
    /// # Errors
    /// Fails as [`Process::join`] does.
    pub fn join(&self) -> Result<Vec<Exit>, JoinError> {
        self.0.iter().map(Process::join).collect()
    }

    /// Like [`join`](Self::join), but times out after `timeout`, and never earlier.
    ///
    /// # Errors
    /// [`TimedOut`](JoinError::TimedOut) if the timeout expires first. The processes go on.
    pub fn join_timeout(&self, timeout: Duration) -> Result<Vec<Exit>, JoinError> {
        self.join_deadline(wait::deadline(Some(timeout)))
    }

    /// Like [`join_timeout`](Self::join_timeout), but times out at this time, and never earlier. `None` is
    /// no deadline.
    ///
    /// # Errors
    /// As [`join_timeout`](Self::join_timeout).
    pub fn join_deadline(
        &self,
        deadline: impl Into<Option<Instant>>,
    ) -> Result<Vec<Exit>, JoinError> {
        let deadline = deadline.into();
        let processes = self.0.iter();
        let exits = processes.map(|process| process.shared().wait(deadline));
        exits.collect::<Option<_>>().ok_or(JoinError::TimedOut)
    }

    /// Returns the exits without waiting, or `None` while a process runs.
    pub fn poll(&self) -> Option<Vec<Exit>> {
        self.0.iter().map(Process::poll).collect()
    }

    /// Blocks until all processes have ended. Returns the captured output of the last one if all
    /// have exited with code 0.
    ///
    /// A process that `SIGPIPE` has ended did not fail, because the next one needed no more of its
    /// output. That does not hold for the last one.
    ///
    /// # Errors
    /// The [`ExitError`] of a process that failed; that of the last one of several.
    pub fn join_checked(&self) -> Result<Output, ExitError> {
        let exits: Vec<Exit> = self.0.iter().map(|it| it.shared().join()).collect();
        let output = self.last().join_checked()?;
        let writers = self.0.iter().zip(exits).rev().skip(1);
        for (writer, exit) in writers {
            if exit.signal_name() != Some("SIGPIPE") {
                writer.join_checked()?;
            }
        }
        Ok(output)
    }

    /// Returns the captured output of the last process so far. The stderr of each other process is
    /// in its own [`output`](Process::output).
    pub fn output(&self) -> Output {
        self.last().output()
    }

    /// Sends the signal with this number to each process alone; see [`Process::signal`]. Those that have
    /// ended are left out.
    ///
    /// ```
    /// use meanwhile_join::process::Builder;
    ///
    /// let sleeper = || Builder::new("sleep").arg("60");
    /// let pipeline = sleeper().pipe_to(sleeper()).spawn()?;
    /// pipeline.signal(14)?;
    /// let exits = pipeline.join()?;
    /// assert!(exits.iter().all(|exit| exit.signal_name() == Some("SIGALRM")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Fails as [`Process::signal`] does, with the first error, after all others have got the signal.
    pub fn signal(&self, number: i32) -> io::Result<()> {
        let signal = tree_signal::named(number)?;
        let sent = self.0.iter().map(|it| it.shared().signal(signal));
        // All get it before the first error is returned.
        sent.collect::<Vec<_>>().into_iter().collect()
    }

    /// Pauses all processes and their descendants with `SIGSTOP`, until [`resume`](Self::resume); see
    /// [`Process::pause`]. The first process is paused first.
    ///
    /// ```
    /// use meanwhile_join::process::{Builder, ProcessState};
    ///
    /// let sleeper = || Builder::new("sleep").arg("60");
    /// let pipeline = sleeper().pipe_to(sleeper()).spawn()?;
    /// pipeline.pause();
    /// for process in pipeline.processes() {
    ///     while process.state() != ProcessState::Stopped {} // the system takes a moment
    /// }
    /// pipeline.resume();
    /// pipeline.signal(15)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn pause(&self) {
        for process in &*self.0 {
            process.pause();
        }
    }

    /// Continues all processes and their descendants with `SIGCONT`, whoever has stopped them.
    pub fn resume(&self) {
        for process in &*self.0 {
            process.resume();
        }
    }

    /// Ends all processes with their descendants, at the same time; see [`Process::stop`]. Returns
    /// their reports, that of the first one first. Takes as long as for one process.
    ///
    /// ```
    /// use meanwhile_join::process::Builder;
    /// use std::time::Duration;
    ///
    /// let sleeper = || Builder::new("sleep").arg("60");
    /// let pipeline = sleeper().pipe_to(sleeper()).spawn()?;
    /// let reports = pipeline.stop(Duration::from_secs(5));
    /// assert!(reports.iter().all(|report| report.escaped.is_empty()));
    /// assert!(pipeline.poll().is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn stop(&self, grace: Duration) -> Vec<StopReport> {
        stop_all(&shared(&self.0), grace)
    }

    /// Runs `callback` when all processes have ended; otherwise like [`Process::on_finish`].
    pub fn on_finish(&self, callback: impl FnOnce() + Send + 'static) {
        let running = Arc::new(AtomicUsize::new(self.0.len()));
        let callback = Arc::new(Mutex::new(Some(callback)));
        for process in &*self.0 {
            let (running, callback) = (running.clone(), callback.clone());
            process.on_finish(move || {
                // `AcqRel`, so that the callback sees what was done before the other ends.
                let is_last = running.fetch_sub(1, Ordering::AcqRel) == 1;
                let callback = is_last.then(|| lock(&callback).take()).flatten();
                if let Some(callback) = callback {
                    callback();
                }
            });
        }
    }
}

impl Select<'_> {
    /// Adds a pipeline as a source. It is ready when all its processes have ended.
    ///
    /// ```
    /// use meanwhile_join::{Select, process::Builder};
    ///
    /// let sleeper = Builder::new("sleep").arg("60").spawn()?;
    /// let quick = Builder::new("echo").pipe_to(Builder::new("cat")).spawn()?;
    /// assert_eq!(Select::new().process(&sleeper).pipeline(&quick).wait(), Ok(1));
    /// sleeper.kill()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn pipeline(self, pipeline: &Pipeline) -> Self {
        self.others(pipeline.0.iter().map(Process::awaited))
    }
}
