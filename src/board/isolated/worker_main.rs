//! The worker's side: this program, started by itself, runs one item after the other until its
//! input ends.
//!
//! Each item is a task here as well, so panics, cancellation and progress work as anywhere else. A
//! fault that no task survives ends the worker, and the program handles that.
//!
//! An item may call code that prints or reads, or start a process that does. So the worker moves its
//! pipes to other descriptors before the first item: standard input is then empty, and standard
//! output goes to standard error.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};
use rustix::stdio::{dup2_stdin, dup2_stdout};

use super::protocol::{
    Decoder, FromWorker, ProtocolError, RawItem, ReportedOutcome, ToWorker, VERSION, encode,
};
use crate::format;
use crate::jobs::{Item, ItemError, Options, Output, stdin};
use crate::join::{self, Changes, JoinError, PanicReport, Select, SpawnError, Task};
use crate::record::Panic;

/// The first argument of a program that is started as a worker.
pub(super) const ARGUMENT: &str = "--meanwhile-worker";

/// The shortest interval between two messages about an item's progress.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(50);

/// The number of messages that may be queued. The program sends one item at a time, and a cancel for
/// it.
const MAX_QUEUED_MESSAGES: usize = 16;

const READ_BYTES: usize = 64 * 1024;

/// The exit code of a worker that could not continue.
const EXIT_FAILURE: u8 = 2;

/// The exit code of a worker whose threads the system refused: `EX_TEMPFAIL` of sysexits(3).
pub(super) const EXIT_REFUSED: u8 = 75;

/// Runs as an isolated worker if this program was started as one, and returns the exit code; `None`
/// otherwise.
///
/// Call it early in `main`, after [`Launcher::install`](crate::join::process::Launcher): a worker
/// takes over standard input and output, which are pipes to the program. Items that print to
/// standard output print to standard error instead.
pub fn run_as_worker() -> Option<ExitCode> {
    if std::env::args_os().nth(1)? != ARGUMENT {
        return None;
    }
    // Process lists show this name instead of `exe`, from /proc/self/exe. Failing is harmless.
    fs::write("/proc/self/comm", "meanwhile-worker").ok();
    Some(match serve() {
        Ok(()) => ExitCode::SUCCESS,
        // The program is gone.
        Err(WorkerError::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(error) => {
            print_error(&format!("the worker stopped: {error}"));
            ExitCode::from(match error {
                WorkerError::Thread(_) => EXIT_REFUSED,
                _ => EXIT_FAILURE,
            })
        }
    })
}

/// The reason that a worker can't continue.
#[derive(Debug, thiserror::Error)]
enum WorkerError {
    #[error("protocol error: {0}")]
    Protocol(#[from] ProtocolError),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Thread(#[from] SpawnError),
}

enum LoopMessage {
    DidReceive(ToWorker),
    ItemDidEnd,
    InputDidEnd(Result<(), WorkerError>),
}

struct WorkerLoop {
    messages: Receiver<LoopMessage>,
    inbox: Sender<LoopMessage>,
    output: MessageWriter,
    has_hello: bool,
    options: Option<Arc<Options>>,
    current: Option<Current>,
    changes: Changes,
    /// Has a message when there are changes.
    changed: Receiver<()>,
    /// The time before which no progress is sent.
    quiet_until: Instant,
}

struct Current {
    number: u64,
    task: Task<Result<Output, ItemError>>,
    /// Done and total as last sent.
    sent: (u64, u64),
}

fn serve() -> Result<(), WorkerError> {
    let (input, output) = take_pipes()?;
    let (inbox, messages) = crossbeam_channel::bounded(MAX_QUEUED_MESSAGES);
    let reader = inbox.clone();
    join::Builder::new("read requests")
        .daemon(true)
        .spawn(move |_| {
            let end = LoopMessage::InputDidEnd(read_messages(input, &reader));
            // It fails only while the process exits.
            reader.send(end).ok();
        })?;
    print_task_panics();
    let (wake, changed) = crossbeam_channel::bounded(1);
    let worker = WorkerLoop {
        messages,
        inbox,
        output: MessageWriter(output),
        has_hello: false,
        options: None,
        current: None,
        // If it is full, the loop is being woken already.
        changes: Changes::new(move || wake.try_send(()).unwrap_or_default()),
        changed,
        quiet_until: Instant::now(),
    };
    worker.run()
}

/// Moves the pipes to and from the program away from standard input and output, which items and the
/// processes that they start may use.
fn take_pipes() -> io::Result<(File, File)> {
    let input = io::stdin().as_fd().try_clone_to_owned()?;
    let output = io::stdout().as_fd().try_clone_to_owned()?;
    dup2_stdin(File::open("/dev/null")?)?;
    stdin::take();
    dup2_stdout(io::stderr())?;
    Ok((input.into(), output.into()))
}

/// Forwards messages until the input ends.
fn read_messages(mut input: File, inbox: &Sender<LoopMessage>) -> Result<(), WorkerError> {
    let mut decoder = Decoder::default();
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let len = match input.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(len) => len,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        decoder.push(&buffer[..len]);
        while let Some(message) = decoder.next()? {
            if inbox.send(LoopMessage::DidReceive(message)).is_err() {
                return Ok(());
            }
        }
    }
}

/// Prints the panics of tasks. A panic that cannot be caught, such as one in a destructor during
/// another panic, leaves no other trace.
fn print_task_panics() {
    let inner = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if join::current().is_some() {
            let place = info.location().map(ToString::to_string).unwrap_or_default();
            let text = info.to_string();
            print_error(&text.replacen(&place, &format::source_place(&place), 1));
        }
        inner(info);
    }));
}

impl WorkerLoop {
    fn run(mut self) -> Result<(), WorkerError> {
        self.output.send(&FromWorker::Hello { version: VERSION })?;
        loop {
            match self.next() {
                Some(LoopMessage::DidReceive(message)) => self.handle(message)?,
                Some(LoopMessage::ItemDidEnd) => self.end_item()?,
                Some(LoopMessage::InputDidEnd(result)) => return result,
                None => self.send_progress()?,
            }
        }
    }

    /// The next message; `None` when there is progress to send.
    fn next(&self) -> Option<LoopMessage> {
        loop {
            let mut select = Select::new().receiver(&self.messages);
            select = if Instant::now() < self.quiet_until {
                select.deadline(self.quiet_until)
            } else {
                select.receiver(&self.changed)
            };
            if select.wait() == Ok(1) {
                self.changed.try_recv().ok();
                self.changes.take(usize::MAX);
                return None;
            }
            // There is none if the quiet time is over.
            if let Ok(message) = self.messages.try_recv() {
                return Some(message);
            }
        }
    }

    fn handle(&mut self, message: ToWorker) -> Result<(), WorkerError> {
        match message {
            ToWorker::Hello { version } if version != VERSION => {
                return Err(ProtocolError::Version { theirs: version }.into());
            }
            ToWorker::Hello { .. } if !self.has_hello => self.has_hello = true,
            ToWorker::Options(options) if self.has_hello && self.options.is_none() => {
                self.options = Some(Arc::new(options));
            }
            ToWorker::Run { number, task, item } if self.current.is_none() => {
                let options = self.options.clone();
                let options = options.ok_or(ProtocolError::Unexpected { what: "Run" })?;
                self.begin_item(number, task, item, options)?;
            }
            ToWorker::Cancel { number } => {
                let current = self.current.as_ref();
                if let Some(current) = current.filter(|current| current.number == number) {
                    current.task.cancel();
                }
            }
            ToWorker::Hello { .. } => {
                return Err(ProtocolError::Unexpected { what: "Hello" }.into());
            }
            ToWorker::Options(_) => {
                return Err(ProtocolError::Unexpected { what: "Options" }.into());
            }
            ToWorker::Run { .. } => return Err(ProtocolError::Unexpected { what: "Run" }.into()),
        }
        Ok(())
    }

    fn begin_item(
        &mut self,
        number: u64,
        name: String,
        item: RawItem,
        options: Arc<Options>,
    ) -> Result<(), WorkerError> {
        self.output.send(&FromWorker::Started { number })?;
        let item = Item::from(item);
        let spawned = join::Builder::new(name)
            .report_to(&self.changes)
            .spawn(move |context| options.job().run_isolated(&item, context));
        let task = match spawned {
            Ok(task) => task,
            Err(error) => {
                let result = ReportedOutcome::Failed(no_thread(&error));
                return self.output.send_end(number, result);
            }
        };
        let inbox = self.inbox.clone();
        task.on_finish(move || {
            // It fails only while the process exits.
            inbox.send(LoopMessage::ItemDidEnd).ok();
        });
        let sent = (0, 0);
        self.current = Some(Current { number, task, sent });
        Ok(())
    }

    fn send_progress(&mut self) -> Result<(), WorkerError> {
        let Some(current) = &mut self.current else {
            return Ok(());
        };
        let progress = current.task.progress();
        let (done, total) = (progress.done, progress.total);
        if (done, total) == current.sent {
            return Ok(());
        }
        current.sent = (done, total);
        self.quiet_until = Instant::now() + PROGRESS_INTERVAL;
        let number = current.number;
        self.output.send(&FromWorker::Progress {
            number,
            done,
            total,
        })
    }

    fn end_item(&mut self) -> Result<(), WorkerError> {
        self.send_progress()?;
        let Some(current) = self.current.take() else {
            return Ok(());
        };
        let result = match current.task.poll() {
            Some(Ok(Ok(output))) => ReportedOutcome::Returned(output.clone()),
            Some(Ok(Err(error))) if !error.is_cancel() => ReportedOutcome::Failed(error.clone()),
            Some(Err(JoinError::Panicked(report))) => panicked(&report),
            _ => ReportedOutcome::Cancelled,
        };
        self.output.send_end(current.number, result)
    }
}

/// Writes messages to the program.
struct MessageWriter(File);

impl MessageWriter {
    /// Sends an item's result. One that cannot be encoded becomes an error.
    fn send_end(&mut self, number: u64, end: ReportedOutcome) -> Result<(), WorkerError> {
        match encode(&FromWorker::Ended { number, end }) {
            Ok(frame) => Ok(self.0.write_all(&frame)?),
            Err(error) => self.send(&FromWorker::Ended {
                number,
                end: ReportedOutcome::Failed(ItemError::new(
                    "not_transferable",
                    format!("the result could not be sent to the program: {error}"),
                )),
            }),
        }
    }

    fn send(&mut self, message: &FromWorker) -> Result<(), WorkerError> {
        Ok(self.0.write_all(&encode(message)?)?)
    }
}

fn panicked(report: &PanicReport) -> ReportedOutcome {
    ReportedOutcome::Panicked {
        panic: Panic::from(report),
        backtrace: format::backtrace(report.backtrace()),
    }
}

fn no_thread(error: &SpawnError) -> ItemError {
    ItemError::new("no_thread", error.to_string())
}

/// Prints to standard error, which the program shows when a worker dies.
fn print_error(message: &str) {
    // Without a reader it does not matter.
    writeln!(io::stderr().lock(), "{message}").ok();
}
