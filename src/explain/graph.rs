//! Who waits for whom: processes, their threads, and what each thread waits for.

use std::time::Duration;

use serde::Serialize;

/// A process of a [`WaitGraph`], by its place in [`WaitGraph::processes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct ProcessIndex(pub usize);

/// A thread of a [`WaitGraph`], by its place in [`WaitGraph::threads`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct ThreadIndex(pub usize);

/// What was seen of some processes, all within a tenth of a second or so.
///
/// It begins with the process that was asked for (or with several), and goes on with whatever that waits for.
#[derive(Clone, Debug, Serialize)]
pub struct WaitGraph {
    /// The processes. The first is the one that was asked for.
    pub processes: Vec<Process>,
    /// The threads of all of them.
    pub threads: Vec<Thread>,
    /// What could not be seen, a sentence each.
    pub notes: Vec<String>,
}

/// A process.
#[derive(Clone, Debug, Serialize)]
pub struct Process {
    /// Its process id.
    pub pid: u32,
    /// When it started, in clock ticks since the system did. Together with the pid it tells a process
    /// from a later one with the same pid.
    pub started: u64,
    /// Its name, of at most 15 bytes, with control characters escaped.
    pub name: String,
    /// What it says of itself in place of its command line, as servers do, such as
    /// `sshd: anna@pts/0` or `postgres: anna shop [local] UPDATE waiting`.
    pub title: Option<String>,
    /// The process that started it, or has adopted it.
    pub parent: u32,
    /// Its threads.
    pub threads: Vec<ThreadIndex>,
    /// False if the system does not show what its threads wait for: it belongs to another user or
    /// does not allow that.
    pub permitted: bool,
    /// It has ended, and its parent has not asked for its exit status yet.
    pub zombie: bool,
}

/// A thread.
#[derive(Clone, Debug, Serialize)]
pub struct Thread {
    /// Its thread id. That of a process's first thread is the process id.
    pub tid: u32,
    /// When it started, in clock ticks since the system did.
    pub started: u64,
    /// The process that it belongs to.
    pub process: ProcessIndex,
    /// Its name, of at most 15 bytes, with control characters escaped.
    pub name: String,
    /// What it does or waits for.
    pub activity: Activity,
    /// Who can end its wait. Any one of them is enough. Empty if it does not wait, or if it is not
    /// known who can.
    pub awaits: Vec<Target>,
    /// Others may end its wait, too, of whom the system does not show which files they have.
    pub others_unseen: bool,
    /// When its wait ends by itself, if it does.
    pub deadline: Option<Deadline>,
    /// How much of one processor it used while it was looked at: 1.0 is all of it.
    pub processor_share: f64,
    /// Where it is in its program, if its runtime was asked and says so.
    pub place: Option<String>,
    /// It ran while it was looked at, so what it waits for is what it waited for at the end.
    pub ran: bool,
    /// How long it has run since it was started.
    pub run_time: Duration,
    /// How often it has got a processor since it was started. A wait that is seen in two graphs with the same number
    /// has lasted all the while. 0 if the system does not count that.
    pub runs: u64,
}

/// Who is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// This very thread.
    Thread(ThreadIndex),
    /// Any thread of this process.
    Process(ProcessIndex),
}

/// When a wait ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Deadline {
    /// It ends this long after the look.
    In(Duration),
    /// It was asked to last this long. How much of that has passed is not known.
    Of(Duration),
    /// It ends at some time, which is not known.
    Sometime,
}

/// What a thread does or waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Activity {
    /// It runs.
    Computes,
    /// It could run, and has not got a processor.
    Starved,
    /// It waits for a thread of its process to end.
    Joins,
    /// It waits for a lock.
    Locks(Lock),
    /// It waits to be woken by another thread. By which one is not recorded anywhere: conditions,
    /// semaphores, channels, and the locks of Rust, Go and Java look like that.
    Woken,
    /// It waits for children to end.
    Children(Children),
    /// It waits to read from this.
    Reads(File),
    /// It waits until this takes what it writes.
    Writes(File),
    /// It waits for a connection to this.
    Accepts(File),
    /// It waits until this takes its connection.
    Connects(File),
    /// It waits for the other side of a FIFO to be opened.
    OpensFifo {
        /// The path of the FIFO.
        path: String,
        /// It opens the FIFO to read from it.
        reads: bool,
    },
    /// It waits until something happens on one of these.
    Polls(Vec<File>),
    /// It sleeps.
    Sleeps,
    /// It waits for a signal.
    Signal,
    /// It waits for a message or a semaphore of System V, or a POSIX message queue.
    Queue,
    /// It waits for a disk or another device.
    Device(Option<File>),
    /// It waits for a file system that a process serves.
    FileSystem(Option<File>),
    /// It has been stopped by a signal.
    Stopped,
    /// It has been stopped because it used its terminal in the background.
    StoppedByTerminal,
    /// A debugger has stopped it.
    Traced,
    /// Its control group is frozen.
    Frozen,
    /// It waits for a child that has not executed its program yet (`vfork`).
    Vfork,
    /// It has ended: other threads of its process go on, or the parent of the process has not asked for the
    /// exit status.
    Ended,
    /// It waits in this system call, of which no more is known here.
    SystemCall(String),
    /// The system does not show what it waits for.
    NotPermitted,
}

/// A lock that a thread waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Lock {
    /// A mutex, of pthreads.
    Mutex,
    /// A mutex that lends its holder the priority of who waits (PI).
    PriorityMutex,
    /// A read-write lock.
    ReadWrite,
    /// The lock of a stream of the C library, such as `stdout`.
    Stream,
    /// A lock of a file.
    File,
    /// A monitor or another lock of Java, as the JVM says.
    Monitor,
    /// A lock of a database, as that says.
    Database,
}

/// Which children a thread waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Children {
    /// The one that it awaits.
    One,
    /// Any of those that it awaits.
    Any,
}

/// A file that a thread waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct File {
    /// What kind of file it is.
    pub kind: FileKind,
    /// Its path, or the name that the system has for it, with control characters escaped.
    pub name: String,
}

/// What kind of file a thread waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FileKind {
    /// A pipe without a name.
    Pipe,
    /// A pipe with a name.
    Fifo,
    /// A socket of this machine.
    UnixSocket,
    /// A connection of TCP.
    Tcp,
    /// Another socket.
    Socket,
    /// A terminal.
    Terminal,
    /// The other side of a terminal.
    TerminalMaster,
    /// A counter that wakes (`eventfd`).
    Event,
    /// A timer.
    Timer,
    /// Changes of files (`inotify`).
    FileChanges,
    /// Signals (`signalfd`).
    Signals,
    /// The end of a process (`pidfd`).
    Process,
    /// Several files (`epoll`).
    Several,
    /// Anything else.
    Other,
}

impl Process {
    /// Returns what it says of itself, or its name.
    #[must_use]
    pub fn title_or_name(&self) -> &str {
        self.title.as_deref().unwrap_or(&self.name)
    }
}

impl WaitGraph {
    /// Returns the process that was asked for.
    ///
    /// # Panics
    /// Never: a graph has that process.
    #[must_use]
    pub fn asked(&self) -> &Process {
        &self.processes[0]
    }

    /// Returns the thread at `index`.
    ///
    /// # Panics
    /// `index` is of another graph.
    #[must_use]
    pub fn thread(&self, index: ThreadIndex) -> &Thread {
        &self.threads[index.0]
    }

    /// Returns the process at `index`.
    ///
    /// # Panics
    /// `index` is of another graph.
    #[must_use]
    pub fn process(&self, index: ProcessIndex) -> &Process {
        &self.processes[index.0]
    }

    /// Returns the first thread of a process, or the one that lives longest if that has ended.
    #[must_use]
    pub fn first_thread(&self, process: ProcessIndex) -> Option<ThreadIndex> {
        let process = self.process(process);
        let lives = |index: &&ThreadIndex| self.thread(**index).activity != Activity::Ended;
        process
            .threads
            .iter()
            .find(lives)
            .or(process.threads.first())
            .copied()
    }
}
