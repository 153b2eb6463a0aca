//! The worker's side: this program, started by itself, does one item after the other until its
//! input ends.
//!
//! Each item is a task here as well, so a panic, a cancel and progress work as they do anywhere
//! else. What a task does not survive ends the worker, and the program sees to that.
//!
//! An item may call code that prints or reads, or starts a process that does. So the worker talks
//! over descriptors of its own: by the time an item runs, standard input is empty and standard output
//! goes where standard error goes.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use rustix::stdio::{dup2_stdin, dup2_stdout};

use super::protocol::{Decoder, Down, End, ProtocolError, RawItem, Up, VERSION, encode};
use crate::jobs::{Item, ItemError, Options, Output};
use crate::join::{self, JoinError, PanicReport, SpawnError, Task};
use crate::record::Panic;

/// The first argument of a program that is started as a worker.
pub(super) const ARGUMENT: &str = "--meanwhile-worker";

/// How often an item's progress is told.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(50);

/// How many orders may wait: they come one by one, and a cancel behind them.
const INBOX_LEN: usize = 16;

const READ_LEN: usize = 64 * 1024;

/// The exit code of a worker that could not go on.
const GAVE_UP: u8 = 2;

/// Works as an isolated worker where this program was started as one, and returns the exit code
/// then.
///
/// For the beginning of `main`, behind [`Launcher::install`](crate::join::process::Launcher): a
/// worker takes over standard input, where its orders come from, and standard output, where it
/// answers. What an item prints there is treated like what it prints on standard error.
///
/// ```no_run
/// # use std::process::ExitCode;
/// fn main() -> ExitCode {
///     meanwhile::join::process::Launcher::install();
///     if let Some(code) = meanwhile::board::run_as_worker() {
///         return code;
///     }
///     // The program itself: its boards can run jobs on processes.
///     ExitCode::SUCCESS
/// }
/// ```
pub fn run_as_worker() -> Option<ExitCode> {
    if std::env::args_os().nth(1)? != ARGUMENT {
        return None;
    }
    // As a worker it is listed under the name of the link that it was started through.
    let _only_looks = fs::write("/proc/self/comm", "meanwhile-worker");
    Some(match serve() {
        Ok(()) => ExitCode::SUCCESS,
        // Nobody is left to answer.
        Err(GiveUp::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("the worker gave up: {error}"));
            ExitCode::from(GAVE_UP)
        }
    })
}

/// Why a worker can't go on.
#[derive(Debug, thiserror::Error)]
enum GiveUp {
    #[error("it was told {0}")]
    Protocol(#[from] ProtocolError),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Thread(#[from] SpawnError),
}

enum Message {
    DidHear(Down),
    DidEnd,
    /// The orders have ended.
    Over(Result<(), GiveUp>),
}

type ItemTask = Task<Result<Output, ItemError>>;

struct Worker {
    messages: Receiver<Message>,
    inbox: Sender<Message>,
    answers: Answers,
    greeted: bool,
    options: Option<Arc<Options>>,
    current: Option<Current>,
}

struct Current {
    number: u64,
    task: ItemTask,
    /// Done and total as last told.
    told: (u64, u64),
}

fn serve() -> Result<(), GiveUp> {
    let (orders, answers) = take_pipes()?;
    let (inbox, messages) = crossbeam_channel::bounded(INBOX_LEN);
    let reader = inbox.clone();
    join::Builder::new("reads orders")
        .daemon(true)
        .spawn(move |_| {
            let over = Message::Over(hear(orders, &reader));
            // The worker ends first only together with the process.
            drop(reader.send(over));
        })?;
    speak_of_panics();
    let worker = Worker {
        messages,
        inbox,
        answers: Answers(answers),
        greeted: false,
        options: None,
        current: None,
    };
    worker.run()
}

/// The pipes to the program, away from where an item would read or print, or a process that it
/// starts.
fn take_pipes() -> io::Result<(File, File)> {
    let orders = io::stdin().as_fd().try_clone_to_owned()?;
    let answers = io::stdout().as_fd().try_clone_to_owned()?;
    dup2_stdin(File::open("/dev/null")?)?;
    dup2_stdout(io::stderr())?;
    Ok((orders.into(), answers.into()))
}

/// Hands on what comes in, until it ends.
fn hear(mut orders: File, inbox: &Sender<Message>) -> Result<(), GiveUp> {
    let mut decoder = Decoder::default();
    let mut buffer = vec![0; READ_LEN];
    loop {
        let len = match orders.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(len) => len,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        decoder.push(&buffer[..len]);
        while let Some(message) = decoder.next()? {
            if inbox.send(Message::DidHear(message)).is_err() {
                return Ok(());
            }
        }
    }
}

/// Prints each panic of a task as well: of one that can't be caught, such as one in a destructor
/// that runs because of another, what is printed is all that will be known.
fn speak_of_panics() {
    let inner = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if join::current().is_some() {
            complain(&info.to_string());
        }
        inner(info);
    }));
}

impl Worker {
    fn run(mut self) -> Result<(), GiveUp> {
        self.answers.say(&Up::Hello { version: VERSION })?;
        loop {
            match self.next() {
                Some(Message::DidHear(order)) => self.obey(order)?,
                Some(Message::DidEnd) => self.end_item()?,
                Some(Message::Over(result)) => return result,
                None => self.tell_progress()?,
            }
        }
    }

    /// The next message; `None` when it is time to tell about progress.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where a worker waits; the end of its input comes here too"
    )]
    fn next(&self) -> Option<Message> {
        let over = || Message::Over(Ok(()));
        if self.current.is_none() {
            return Some(self.messages.recv().unwrap_or_else(|_| over()));
        }
        match self.messages.recv_timeout(PROGRESS_INTERVAL) {
            Ok(message) => Some(message),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(over()),
        }
    }

    fn obey(&mut self, order: Down) -> Result<(), GiveUp> {
        match order {
            Down::Hello { version } if version != VERSION => {
                return Err(ProtocolError::Version { theirs: version }.into());
            }
            Down::Hello { .. } if !self.greeted => self.greeted = true,
            Down::Options(options) if self.greeted && self.options.is_none() => {
                self.options = Some(Arc::new(options));
            }
            Down::Run { number, task, item } if self.current.is_none() => {
                let options = self.options.clone();
                let options = options.ok_or(ProtocolError::Unexpected { what: "Run" })?;
                self.begin_item(number, task, item, options)?;
            }
            Down::Cancel { number } => {
                let current = self.current.as_ref();
                if let Some(current) = current.filter(|current| current.number == number) {
                    current.task.cancel();
                }
            }
            Down::Hello { .. } => return Err(ProtocolError::Unexpected { what: "Hello" }.into()),
            Down::Options(_) => return Err(ProtocolError::Unexpected { what: "Options" }.into()),
            Down::Run { .. } => return Err(ProtocolError::Unexpected { what: "Run" }.into()),
        }
        Ok(())
    }

    fn begin_item(
        &mut self,
        number: u64,
        name: String,
        item: RawItem,
        options: Arc<Options>,
    ) -> Result<(), GiveUp> {
        self.answers.say(&Up::Started { number })?;
        let item = Item::from(item);
        let spawned = join::Builder::new(name)
            .spawn(move |context| options.job().run_isolated(&item, context));
        let task = match spawned {
            Ok(task) => task,
            Err(error) => return self.answers.say_end(number, End::Failed(no_thread(&error))),
        };
        let inbox = self.inbox.clone();
        task.on_finish(move || {
            // The worker ends first only together with the process.
            drop(inbox.send(Message::DidEnd));
        });
        let told = (0, 0);
        self.current = Some(Current { number, task, told });
        Ok(())
    }

    fn tell_progress(&mut self) -> Result<(), GiveUp> {
        let Some(current) = &mut self.current else {
            return Ok(());
        };
        let progress = current.task.progress();
        let (done, total) = (progress.done, progress.total);
        if (done, total) == current.told {
            return Ok(());
        }
        current.told = (done, total);
        let number = current.number;
        self.answers.say(&Up::Progress {
            number,
            done,
            total,
        })
    }

    fn end_item(&mut self) -> Result<(), GiveUp> {
        self.tell_progress()?;
        let Some(current) = self.current.take() else {
            return Ok(());
        };
        let end = match current.task.poll() {
            Some(Ok(Ok(output))) => End::Returned(output.clone()),
            Some(Ok(Err(error))) => End::Failed(error.clone()),
            Some(Err(JoinError::Panicked(report))) => panicked(&report),
            _ => End::Cancelled,
        };
        self.answers.say_end(current.number, end)
    }
}

/// The way to the program.
struct Answers(File);

impl Answers {
    /// Says how an item ended, or that this can't be said.
    fn say_end(&mut self, number: u64, end: End) -> Result<(), GiveUp> {
        match encode(&Up::Ended { number, end }) {
            Ok(frame) => Ok(self.0.write_all(&frame)?),
            Err(error) => self.say(&Up::Ended {
                number,
                end: End::Failed(ItemError {
                    kind: "unspeakable".to_owned(),
                    message: format!("what came back could not be handed over: {error}"),
                }),
            }),
        }
    }

    fn say(&mut self, message: &Up) -> Result<(), GiveUp> {
        Ok(self.0.write_all(&encode(message)?)?)
    }
}

fn panicked(report: &PanicReport) -> End {
    End::Panicked {
        panic: Panic::from(report),
        backtrace: report.backtrace().to_owned(),
    }
}

fn no_thread(error: &SpawnError) -> ItemError {
    ItemError {
        kind: "no_thread".to_owned(),
        message: error.to_string(),
    }
}

/// Says something where the program looks for the reason when a worker has gone.
fn complain(sentence: &str) {
    // Where stderr can't be written nobody is there to be told.
    let _unwritable = writeln!(io::stderr().lock(), "{sentence}");
}
