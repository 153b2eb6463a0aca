//! One run of a command: starts it, waits for it, and stops it with everything that it started.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::forward::Forward;
use super::helpers::{Helpers, LAST_OUTPUT_TIME};
use super::prepared::Prepared;
use super::terminal::{self, Turn};
use super::{Leave, Options};
use crate::format;
use crate::jobs::{
    CapturedOutput, ExitStatus, Item, ItemError, Output, OutputStream, Priority, ProcessObserver,
    ProcessRun, Step, StopSummary, Stopwatch, process_name,
};
use crate::join::process::{
    Builder, Captured, Exit, LaunchOptions, Launcher, Process, ProcessGroup, Redirect, SpawnError,
    StopReport,
};
use crate::join::{self, Context, Select, SelectError};

/// The length of each stream that an ended run keeps if an observer has taken all of it: enough for an
/// error.
const MAX_TAKEN_BYTES: usize = 1024;

/// The output that may wait for an observer that takes it.
const BUFFER_BYTES: usize = 64 * 1024;

/// The time that the helpers of a command have to end before they are said to be left running.
const LAST_HELPER_TIME: Duration = Duration::from_millis(50);

/// The lines and bytes of standard error that go into an error.
const MAX_ERROR_LINES: usize = 5;
const MAX_ERROR_BYTES: usize = 1024;

/// Runs the command for an item, and stops it when the item is cancelled or times out.
pub(super) fn run(
    options: &Options,
    item: &Item,
    context: &Context,
    observer: &dyn ProcessObserver,
) -> Result<Output, ItemError> {
    let prepared = Prepared::new(options)?;
    let files: Cow<'_, [PathBuf]> = match &item.step {
        Step::Fail(error) => return Err(error.clone()),
        Step::Command { files } => files.into(),
        _ => vec![item.input.clone()].into(),
    };
    context.checkpoint();
    let _turn = options.tty.then(|| Turn::wait(context));
    let time = RunTime {
        elapsed: Stopwatch::start(),
        limit: options.timeout(),
    };
    let mut builder = builder(options, &prepared, &files, observer)?;
    let takes_output = observer.takes_output() && !options.tty;
    if takes_output {
        builder = builder
            .stdout(Redirect::Buffered)
            .stderr(Redirect::Buffered)
            .output_limit(BUFFER_BYTES);
    }
    let process = start_process(builder, time.deadline(), context)?;
    observer.did_run(&process);
    let mut output = Forward::new(&process, observer);
    let (exit, stop) = wait(&process, &mut output, options, time, context);
    let (reason, stopped) = stop.unzip();
    let elapsed = time.elapsed.elapsed();
    let helpers = Helpers::of(&process);
    let keep = if takes_output {
        output.await_helpers(&helpers, context);
        Some(MAX_TAKEN_BYTES)
    } else {
        while !process.wait_for_output(LAST_OUTPUT_TIME)
            && !context.is_cancelled()
            && helpers.are_busy()
        {}
        options.keep.limit()
    };
    let mut left = Left::default();
    if stopped.is_none() && exit.is_some() {
        left = Left::of(&process, &mut output, options, context);
    }
    let mut holders = exit.map_or_else(Vec::new, |_| holders(&process));
    // What was printed meanwhile. The end of a stream that nobody holds is about to be noticed.
    let rest = if holders.is_empty() {
        LAST_OUTPUT_TIME
    } else {
        Duration::ZERO
    };
    output.go_on(rest, context);
    let open = output.release();
    let captured = process.output();
    let is_held_open = |stream, captured: &Captured| {
        exit.is_some() && (captured.is_open || open.contains(&stream))
    };
    let held_open = [
        is_held_open(OutputStream::Stdout, &captured.stdout),
        is_held_open(OutputStream::Stderr, &captured.stderr),
    ];
    if held_open == [false; 2] {
        holders.clear();
    }
    let ran = Arc::new(ProcessRun {
        end: exit.map_or(ExitStatus::Escaped, end),
        elapsed_secs: elapsed.as_secs_f64(),
        stdout: printed(captured.stdout, held_open[0], keep),
        stderr: printed(captured.stderr, held_open[1], keep),
        holders,
        left: left.named,
        stopped: stopped.or(left.stopped),
    });
    observer.did_end(&ran);
    let report = Report {
        prepared: &prepared,
        item,
        ran: &ran,
    };
    match reason {
        Some(StopReason::TimedOut) => return Err(report.timed_out(options)),
        Some(StopReason::Cancelled) if !report.all_ended() => return Err(report.escaped()),
        Some(StopReason::Cancelled) => context.checkpoint(),
        None => {}
    }
    report
        .conclude(options)
        .map(|()| Output::Process(ran.clone()))
}

/// Starts the item's process. The start itself may hang, when a disk does not respond, so it ends
/// when the item is cancelled or times out, unless the process runs by then and can be stopped.
fn start_process(
    builder: Builder,
    deadline: Option<Instant>,
    context: &Context,
) -> Result<Process, ItemError> {
    let started = builder.spawn_until(deadline, &context.token());
    if matches!(started, Err(SpawnError::Cancelled { .. })) {
        context.checkpoint();
    }
    started.map_err(|error| not_started(&error))
}

/// Describes the item's process.
fn builder(
    options: &Options,
    prepared: &Prepared,
    files: &[PathBuf],
    observer: &dyn ProcessObserver,
) -> Result<Builder, ItemError> {
    let words = if options.dir.as_os_str().is_empty() {
        prepared.words(files)
    } else {
        let absolute = |file: &PathBuf| std::path::absolute(file).unwrap_or_else(|_| file.clone());
        prepared.words(&files.iter().map(absolute).collect::<Vec<_>>())
    };
    let mut words = words.into_iter();
    let program = words.next().unwrap_or_default();
    let mut builder = Builder::new(program)
        .args(words)
        .name(&prepared.name)
        .output_limit(options.output_limit);
    if !options.dir.as_os_str().is_empty() {
        builder = builder.current_dir(&options.dir);
    }
    for (name, value) in &prepared.env {
        builder = builder.env(name, value);
    }
    let launcher = observer.launcher();
    let builder = on_terminal(builder, options, launcher.is_some());
    launched(builder, options, launcher, observer.priority())
}

/// Lends it the terminal, or takes it away. Without one, who asks for a password fails at once instead of
/// waiting unseen, and Ctrl-C reaches this program alone, which stops the run in its own time.
fn on_terminal(builder: Builder, options: &Options, is_launched: bool) -> Builder {
    if options.tty {
        return builder
            .group(ProcessGroup::Inherited)
            .stdin_file(terminal::PATH)
            .stdout(Redirect::Inherit)
            .stderr(Redirect::Inherit);
    }
    builder.group(if is_launched {
        ProcessGroup::Session
    } else {
        ProcessGroup::Own
    })
}

/// Starts it through the launcher if there is one, which ends the run when this program ends for any
/// reason.
fn launched(
    builder: Builder,
    options: &Options,
    launcher: Option<Launcher>,
    priority: Priority,
) -> Result<Builder, ItemError> {
    let limit = |value: u64| Some(value).filter(|&value| value > 0);
    let address_space_bytes = limit(options.memory_mib).map(|mib| mib.saturating_mul(1 << 20));
    let cpu_time = limit(options.cpu_secs).map(Duration::from_secs);
    let Some(launcher) = launcher else {
        if address_space_bytes.is_some() || cpu_time.is_some() {
            let message = "This program can't set limits, because it has no launcher; remove them.";
            return Err(ItemError::new("no_launcher", message));
        }
        return Ok(builder);
    };
    let options = LaunchOptions::default()
        .priority(priority.into())
        .address_space_bytes(address_space_bytes)
        .cpu_time(cpu_time);
    Ok(builder.launched_by(&launcher, options))
}

/// The time of a run, without that in which the program stood still.
#[derive(Clone, Copy)]
struct RunTime {
    elapsed: Stopwatch,
    limit: Option<Duration>,
}

impl RunTime {
    /// `None` if there is no limit. It is later after the program stood still.
    fn deadline(&self) -> Option<Instant> {
        let left = self.limit?.saturating_sub(self.elapsed.elapsed());
        Instant::now().checked_add(left)
    }

    fn is_over(&self) -> bool {
        self.limit
            .is_some_and(|limit| self.elapsed.elapsed() >= limit)
    }
}

/// Why a run was stopped.
enum StopReason {
    Cancelled,
    TimedOut,
}

/// Waits for the end of the process. Returns its exit, `None` if it could not even be killed; and,
/// unless it ended by itself, why it was stopped and what happened to its tree.
fn wait(
    process: &Process,
    output: &mut Forward<'_>,
    options: &Options,
    time: RunTime,
    context: &Context,
) -> (Option<Exit>, Option<(StopReason, StopSummary)>) {
    let waited = loop {
        let select = context.select().process(process);
        let select = select.deadline(time.deadline());
        let waited = output.add_to(select).wait();
        output.hand_over();
        if let Some(exit) = process.poll() {
            return (Some(exit), None);
        }
        let is_early = waited == Err(SelectError::TimedOut) && !time.is_over();
        if waited.is_err() && !is_early {
            break waited;
        }
    };
    let reason = match waited {
        Err(SelectError::TimedOut) => StopReason::TimedOut,
        _ => StopReason::Cancelled,
    };
    let report = stop(process, output, options.grace());
    let stopped = StopSummary::from(&report);
    // It may have ended by itself in the meantime.
    let stop = (!stopped.is_empty()).then_some((reason, stopped));
    (report.exit, stop)
}

/// Stops the process with everything that it started. Meanwhile its last output is handed over, or it
/// could not go on to its end.
fn stop(process: &Process, output: &mut Forward<'_>, grace: Duration) -> StopReport {
    let stopped = process.clone();
    let Ok(stopping) = join::spawn("stop", move |_| stopped.stop(grace)) else {
        return process.stop(grace);
    };
    while !stopping.is_finished() {
        // No source of it fails.
        output.add_to(Select::new().task(&stopping)).wait().ok();
        output.hand_over();
    }
    stopping.join().cloned().unwrap_or_default()
}

pub(super) fn end(exit: Exit) -> ExitStatus {
    match exit {
        Exit::Unknown => ExitStatus::Unknown,
        Exit::Code(code) => ExitStatus::Exited { code },
        Exit::Signal {
            signal,
            core_dumped,
        } => ExitStatus::Signalled {
            signal,
            name: exit.signal_name().map(str::to_owned),
            core_dumped,
        },
    }
}

/// The processes that hold the output open, such as `sleep (4711)`.
fn holders(process: &Process) -> Vec<String> {
    let holders = process.output_holders();
    holders.iter().map(process_name).collect()
}

/// What a run that ended by itself has left running.
#[derive(Default)]
struct Left {
    named: Vec<String>,
    stopped: Option<StopSummary>,
}

impl Left {
    fn of(
        process: &Process,
        output: &mut Forward<'_>,
        options: &Options,
        context: &Context,
    ) -> Self {
        if !has_descendants(process) {
            return Self::default();
        }
        if options.leave == Leave::Stop {
            let stopped = StopSummary::from(&stop(process, output, options.grace()));
            return Self {
                named: Vec::new(),
                stopped: Some(stopped).filter(|stopped| !stopped.is_empty()),
            };
        }
        // A helper ends soon after the command. A cancel ends the wait, too.
        let later = Instant::now().checked_add(LAST_HELPER_TIME);
        context.select().deadline(later).wait().ok();
        let left = process.descendants().unwrap_or_default();
        Self {
            named: left.iter().map(process_name).collect(),
            stopped: None,
        }
    }
}

/// Whether the process has left any running. If the system does not say, there is none to name.
fn has_descendants(process: &Process) -> bool {
    process.descendants().is_ok_and(|left| !left.is_empty())
}

/// Keeps the last `limit` bytes, or all without one.
fn printed(captured: Captured, held_open: bool, limit: Option<usize>) -> CapturedOutput {
    let is_cut = captured.dropped > 0;
    let mut printed = CapturedOutput {
        total: captured.total,
        held_open,
        bytes: captured.bytes,
        begins_within_line: false,
    };
    if is_cut {
        printed.begin_with_line();
    }
    if let Some(limit) = limit {
        printed.shorten(limit);
    }
    printed
}

/// Explains a run that failed.
struct Report<'a> {
    prepared: &'a Prepared,
    item: &'a Item,
    ran: &'a ProcessRun,
}

impl Report<'_> {
    fn conclude(&self, options: &Options) -> Result<(), ItemError> {
        let kind = match &self.ran.end {
            ExitStatus::Exited { code } if self.prepared.expected.contains(*code) => return Ok(()),
            ExitStatus::Exited { .. } => "exit_code",
            ExitStatus::Signalled { .. } => "signal",
            ExitStatus::Unknown => "unknown_exit",
            ExitStatus::Escaped | ExitStatus::RunsOn => "escaped",
        };
        let expected = match kind {
            "exit_code" => format!(", but {} was expected", self.prepared.expected),
            _ => String::new(),
        };
        let hint = if !options.tty && terminal::is_missed(&self.ran.stderr.bytes) {
            "; it asked for a terminal, which `meanwhile run command --tty` lends in a shell"
        } else {
            ""
        };
        let sentence = format!("{} {}{expected}{hint}", self.subject(), self.ran.end);
        Err(self.error(kind, sentence))
    }

    fn timed_out(&self, options: &Options) -> ItemError {
        let stopped = self.stopped_text();
        let timeout = format::duration(options.timeout().unwrap_or_default());
        let sentence = format!(
            "{} did not end within {timeout} and was stopped: {stopped}",
            self.subject()
        );
        self.error("timed_out", sentence)
    }

    fn escaped(&self) -> ItemError {
        let stopped = self.stopped_text();
        let sentence = format!(
            "{} was cancelled but could not be stopped: {stopped}",
            self.subject()
        );
        self.error("escaped", sentence)
    }

    /// Whether all stopped processes have ended.
    fn all_ended(&self) -> bool {
        let stopped = self.ran.stopped.as_ref();
        stopped.is_none_or(|stopped| stopped.escaped.is_empty())
    }

    fn stopped_text(&self) -> String {
        let stopped = self.ran.stopped.as_ref();
        stopped.map(ToString::to_string).unwrap_or_default()
    }

    /// Such as `a.txt: grep`.
    fn subject(&self) -> String {
        match &self.item.step {
            Step::Command { .. } => self.prepared.name.clone(),
            _ => format!("{}: {}", self.item.input.display(), self.prepared.name),
        }
    }

    /// The sentence, and below it the last lines that the command printed on standard error.
    fn error(&self, kind: &str, mut sentence: String) -> ItemError {
        let mut stderr = self.ran.stderr.clone();
        stderr.shorten(MAX_ERROR_BYTES);
        let lines = stderr.last_lines(MAX_ERROR_LINES);
        if !lines.is_empty() {
            sentence.push('\n');
            sentence.push_str(&lines);
        }
        ItemError::new(kind, sentence)
    }
}

fn not_started(error: &SpawnError) -> ItemError {
    let kind = match error {
        SpawnError::NotFound { .. } => "not_found",
        SpawnError::InterpreterNotFound { .. } => "interpreter_not_found",
        SpawnError::WorkingDirectory { .. } => "working_directory",
        SpawnError::EmptyName => "empty_name",
        SpawnError::IsFolder { .. } => "is_folder",
        SpawnError::PermissionDenied { .. } => "permission_denied",
        SpawnError::NotExecutable { .. } => "not_executable",
        SpawnError::ArgumentsTooLong { .. } => "arguments_too_long",
        SpawnError::BeingWritten { .. } => "being_written",
        SpawnError::Nul { .. } => "nul",
        SpawnError::Input { .. } => "input",
        SpawnError::TooManyOpenFiles { .. } => "too_many_open_files",
        SpawnError::TooManyProcesses { .. } => "too_many_processes",
        SpawnError::Thread(_) => "no_thread",
        SpawnError::GivenUp { .. } => "timed_out",
        SpawnError::Output { .. } => "output",
        // `User` can't be met, as no option sets a user or a group, and a cancel is the item's own.
        _ => "not_started",
    };
    ItemError::new(kind, error.to_string())
}
