//! Tells a [`WaitGraph`] in plain words.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::graph::{
    Activity, Children, Deadline, File, FileKind, Lock, ProcessIndex, Target, ThreadIndex,
    WaitGraph,
};

/// Of a chain that is longer, the rest is left out.
const MAX_STEPS: usize = 12;

/// The programs that pass the messages of D-Bus on.
const BUSES: [&str; 2] = ["dbus-daemon", "dbus-broker"];

impl WaitGraph {
    /// Tells what the process that was asked for waits for: the chain from its first thread to the cause.
    ///
    /// If other threads of it are in a ring, that is a second sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        self.words().sentence()
    }

    /// Returns what tells about many threads of the graph: it looks once for those that can't go on.
    #[must_use]
    pub fn words(&self) -> Words<'_> {
        Words {
            graph: self,
            stuck: self.stuck(),
        }
    }
}

/// Tells a [`WaitGraph`] in plain words; see [`WaitGraph::words`].
#[derive(Clone, Debug)]
pub struct Words<'a> {
    graph: &'a WaitGraph,
    /// All who can never go on.
    stuck: BTreeSet<ThreadIndex>,
}

impl Words<'_> {
    pub(crate) fn sentence(&self) -> String {
        let Some(first) = self.graph.first_thread(ProcessIndex(0)) else {
            let asked = self.graph.asked();
            return format!("`{}` (pid {}) has ended.", asked.name, asked.pid);
        };
        let mut shown = BTreeSet::new();
        let mut text = self.chain_sentence(first, &mut shown);
        for ring in self.graph.rings_among(&self.stuck) {
            let is_new = !ring.iter().any(|thread| shown.contains(thread));
            if let Some(begin) = ring.first().filter(|_| is_new) {
                text.push(' ');
                text.push_str(&self.chain_sentence(*begin, &mut shown));
            }
        }
        text
    }

    /// Tells what a thread waits for: the chain from it to the cause.
    ///
    /// # Panics
    /// `thread` is of another graph.
    #[must_use]
    pub fn sentence_of(&self, thread: ThreadIndex) -> String {
        self.chain_sentence(thread, &mut BTreeSet::new())
    }

    /// Says in a few words what a thread does or waits for, without whom it waits for in turn.
    ///
    /// # Panics
    /// `thread` is of another graph.
    #[must_use]
    pub fn activity(&self, thread: ThreadIndex) -> String {
        let next = self.next(thread);
        self.phrase(
            thread,
            next.map(|next| self.label(next, Some(thread))).as_deref(),
        )
    }

    fn chain_sentence(&self, first: ThreadIndex, shown: &mut BTreeSet<ThreadIndex>) -> String {
        let mut text = capitalised(self.label(first, None));
        let mut own = BTreeSet::new();
        let mut thread = first;
        for step in 0.. {
            own.insert(thread);
            let next = self.next(thread);
            let label = next.map(|next| self.label(next, Some(thread)));
            let separator = if step == 0 { " " } else { ", which " };
            text.push_str(separator);
            text.push_str(&self.phrase(thread, label.as_deref()));
            let Some(next) = next else { break };
            if own.contains(&next) {
                if self.stuck.contains(&next) {
                    text.push_str(": a ring, nothing but a signal will move it");
                }
                break;
            }
            if step == MAX_STEPS {
                text.push_str(", and so on");
                break;
            }
            thread = next;
        }
        shown.extend(own);
        text.push('.');
        text
    }

    /// Returns the thread with which the chain goes on: one that can't go on either if this can't,
    /// otherwise one that works.
    fn next(&self, thread: ThreadIndex) -> Option<ThreadIndex> {
        if self.stuck.contains(&thread) {
            return self.graph.stuck_target(thread, &self.stuck);
        }
        // What a bus waits for itself says nothing.
        if self.bus(thread).is_some() {
            return None;
        }
        let candidates = self.graph.awaited_threads(thread);
        let computes =
            |index: &&ThreadIndex| self.graph.thread(**index).activity == Activity::Computes;
        candidates
            .iter()
            .find(computes)
            .or(candidates.first())
            .copied()
    }

    /// Names the program whose messages alone a thread waits for, if that is a bus, which passes on what others send.
    fn bus(&self, index: ThreadIndex) -> Option<String> {
        let thread = self.graph.thread(index);
        let file = match &thread.activity {
            Activity::Reads(file) => file,
            Activity::Polls(files) if files.len() == 1 => &files[0],
            _ => return None,
        };
        let awaited = thread.awaits.iter().map(|target| match target {
            Target::Process(process) => Some(*process),
            Target::Thread(_) => None,
        });
        let awaited: Vec<ProcessIndex> = awaited.collect::<Option<_>>()?;
        let process = |index: &ProcessIndex| self.graph.process(*index);
        let is_bus = |index: &ProcessIndex| BUSES.contains(&process(index).name.as_str());
        // A bus forks to start programs, and its copy keeps the sockets.
        let is_copy = |index: &ProcessIndex| {
            let mut others = awaited.iter().map(process);
            others.any(|other| other.pid == process(index).parent)
        };
        let original = awaited.iter().find(|index| !is_copy(index))?;
        let bus = self.graph.representative(*original)?;
        let passes_on = matches!(self.graph.thread(bus).activity, Activity::Polls(_));
        let is_wait = file.kind == FileKind::UnixSocket && !self.stuck.contains(&index);
        (awaited.iter().all(is_bus) && passes_on && is_wait).then(|| self.label(bus, Some(index)))
    }

    /// Names a thread. `before` is the one that waits for it.
    fn label(&self, index: ThreadIndex, before: Option<ThreadIndex>) -> String {
        let thread = self.graph.thread(index);
        let process = self.graph.process(thread.process);
        let same = before.is_some_and(|before| self.graph.thread(before).process == thread.process);
        let place = thread
            .place
            .as_ref()
            .map_or_else(String::new, |place| format!(", {place}"));
        let (name, tid, pid) = (&thread.name, thread.tid, process.pid);
        let title = process.title_or_name();
        if before == Some(index) {
            "itself".to_owned()
        } else if same && pid == tid {
            format!("the first thread of `{}`{place}", process.name)
        } else if same {
            format!("thread `{name}` ({tid}{place})")
        } else if pid == tid || process.threads.len() == 1 {
            format!("`{title}` (pid {pid}{place})")
        } else {
            format!("thread `{name}` ({tid}{place}) of `{title}` (pid {pid})")
        }
    }

    /// Says what a thread does. `next` is the one with which the chain goes on.
    fn phrase(&self, index: ThreadIndex, next: Option<&str>) -> String {
        let thread = self.graph.thread(index);
        let mut text = self.unlimited_phrase(index, next);
        if let Some(deadline) = thread.deadline {
            text.push_str(&limit(&thread.activity, deadline));
        }
        text
    }

    /// Says what a thread does, without how long at most.
    fn unlimited_phrase(&self, index: ThreadIndex, next: Option<&str>) -> String {
        let thread = self.graph.thread(index);
        let count = thread.awaits.len();
        if let Some(bus) = self.bus(index) {
            return format!("waits for a message over D-Bus, which {bus} passes on");
        }
        match &thread.activity {
            Activity::Computes => {
                format!("computes ({:.0} % of one processor)", thread.processor_share * 100.0)
            }
            Activity::Starved => "could run, but gets no processor".to_owned(),
            Activity::Joins => format!("waits for {} to end", next.unwrap_or("another thread")),
            Activity::Locks(lock) => locked(*lock, next),
            Activity::Woken => "waits to be woken by another thread, which one is not recorded".to_owned(),
            Activity::Children(which) => children(*which, count, next),
            Activity::Reads(file) => self.reads(index, file, next),
            Activity::Writes(file) => self.writes(index, file, next),
            Activity::Accepts(file) => format!("waits for a connection to {}", named(file)),
            Activity::Connects(file) => {
                let to = next.map_or_else(String::new, |next| format!(", which {next} has to accept"));
                format!("connects to {}{to}", named(file))
            }
            Activity::OpensFifo { path, reads } => opens(path, *reads, next),
            Activity::Polls(files) => polls(files, count, next),
            Activity::Sleeps => "sleeps".to_owned(),
            Activity::Signal => "waits for a signal".to_owned(),
            Activity::Queue => "waits for a message queue or a semaphore of the system".to_owned(),
            Activity::Device(file) => format!("waits for {}", device(file.as_ref())),
            Activity::FileSystem(file) => served(file.as_ref(), next),
            Activity::Stopped => "has been stopped by a signal (SIGCONT lets it go on)".to_owned(),
            Activity::StoppedByTerminal => {
                "has been stopped because it uses its terminal in the background (`fg` lets it go on)"
                    .to_owned()
            }
            Activity::Traced => {
                format!("is held by the debugger {}", next.unwrap_or("that traces it"))
            }
            Activity::Frozen => "is frozen with its control group".to_owned(),
            Activity::Vfork => {
                format!("waits until {} has executed its program", next.unwrap_or("its child"))
            }
            Activity::Ended if self.graph.process(thread.process).zombie => {
                "has ended, and its parent has not asked for its exit status".to_owned()
            }
            Activity::Ended => "has ended, and other threads of its process go on".to_owned(),
            Activity::SystemCall(name) => format!("waits in the system call `{name}`"),
            Activity::NotPermitted => {
                "can't be looked at: it belongs to another user or does not allow it".to_owned()
            }
        }
    }

    /// Tells the chain from a thread to the cause, of a brief look, in which who has the other end of a file is
    /// left out: what each of the chain does, in few words.
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "only Linux has what looks at threads")
    )]
    pub(crate) fn brief_chain(&self, first: ThreadIndex) -> Vec<String> {
        let mut phrases = Vec::new();
        let mut seen = BTreeSet::new();
        let mut thread = Some(first);
        while let Some(index) = thread.filter(|index| seen.insert(*index)) {
            let next = self.next(index);
            let label = next.map(|next| self.brief_label(next, index));
            phrases.push(self.brief_phrase(index, label.as_deref()));
            thread = next.filter(|_| phrases.len() < MAX_STEPS);
        }
        phrases
    }

    fn brief_label(&self, index: ThreadIndex, before: ThreadIndex) -> String {
        let thread = self.graph.thread(index);
        let same = self.graph.thread(before).process == thread.process;
        if same && index != before && self.graph.process(thread.process).pid != thread.tid {
            format!("thread `{}`", thread.name)
        } else {
            self.label(index, Some(before))
        }
    }

    fn brief_phrase(&self, index: ThreadIndex, next: Option<&str>) -> String {
        match &self.graph.thread(index).activity {
            Activity::Computes => "computes".to_owned(),
            Activity::Reads(file) if has_ends(file) => format!("reads from {}", named(file)),
            Activity::Writes(file) if has_ends(file) => format!("writes to {}", named(file)),
            Activity::OpensFifo { path, reads } => opens(path, *reads, None),
            Activity::Locks(Lock::File) if next.is_none() => {
                "waits for the lock of a file".to_owned()
            }
            _ => self.unlimited_phrase(index, next),
        }
    }

    fn is_only_itself(&self, index: ThreadIndex) -> bool {
        let thread = self.graph.thread(index);
        thread.awaits == [Target::Process(thread.process)]
    }

    fn reads(&self, index: ThreadIndex, file: &File, next: Option<&str>) -> String {
        let thread = self.graph.thread(index);
        let count = thread.awaits.len();
        if matches!(file.kind, FileKind::Terminal | FileKind::TerminalMaster) {
            return format!("waits for input from {}", named(file));
        }
        if self.is_only_itself(index) && !thread.others_unseen {
            return format!(
                "reads from {} that only its own process can write",
                named(file)
            );
        }
        let from = named(file);
        match (next, count) {
            (_, 1) if thread.others_unseen && has_ends(file) => {
                let next = next.unwrap_or("its own process");
                format!(
                    "reads from {from} that {next} can write, and perhaps others who can't be looked at"
                )
            }
            (Some(next), 1) if has_ends(file) => {
                format!("reads from {from} that only {next} can write")
            }
            (Some(next), 1) => format!("reads from {from}, whose other end {next} has"),
            (Some(next), _) => {
                format!("reads from {from} that {count} processes can write, among them {next}")
            }
            (None, 0) if has_ends(file) => format!("reads from {from} that nobody known can write"),
            (None, _) => format!("reads from {from}"),
        }
    }

    fn writes(&self, index: ThreadIndex, file: &File, next: Option<&str>) -> String {
        if self.is_only_itself(index) && !self.graph.thread(index).others_unseen {
            return format!(
                "writes to {}, which is full, and only its own process can read it",
                named(file)
            );
        }
        match next {
            Some(next) if has_ends(file) => {
                format!(
                    "writes to {}, which is full until {next} reads from it",
                    named(file)
                )
            }
            Some(next) => format!("writes to {} until {next} reads from it", named(file)),
            None => format!("writes to {}, which takes no more", named(file)),
        }
    }
}

/// A name in backquotes stays as it is.
fn capitalised(mut text: String) -> String {
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}

fn locked(lock: Lock, holder: Option<&str>) -> String {
    let name = match lock {
        Lock::Mutex => "a mutex",
        Lock::PriorityMutex => "a mutex with priority inheritance",
        Lock::ReadWrite => "a read-write lock",
        Lock::Stream => "the lock of a stream of the C library",
        Lock::File => "the lock of a file",
        Lock::Monitor => "a lock of Java",
        Lock::Database => "a lock of the database",
    };
    match holder {
        Some(holder) => format!("waits for {name} held by {holder}"),
        None => format!("waits for {name}, whose holder is not known"),
    }
}

fn children(which: Children, count: usize, next: Option<&str>) -> String {
    match (which, count, next) {
        (_, 1, Some(next)) => format!("waits for its child {next} to end"),
        (_, _, Some(next)) => {
            format!("waits for one of its {count} children to end, among them {next}")
        }
        (Children::One, _, None) => "waits for a child to end".to_owned(),
        (Children::Any, _, None) => "waits for a child to end, and has none".to_owned(),
    }
}

fn opens(path: &str, reads: bool, next: Option<&str>) -> String {
    let other = if reads { "write to" } else { "read from" };
    let who = next.unwrap_or("someone");
    format!("opens the FIFO `{path}`, and waits until {who} opens it to {other} it")
}

fn polls(files: &[File], count: usize, next: Option<&str>) -> String {
    let what = match files {
        [] => "waits for events".to_owned(),
        [file] => format!("waits for {}", named(file)),
        files => format!("waits for any of {} files", files.len()),
    };
    match next {
        Some(next) if count == 1 => format!("{what}, whose other end {next} has"),
        Some(next) => format!("{what}, of which others have the other ends, among them {next}"),
        None => what,
    }
}

fn served(file: Option<&File>, server: Option<&str>) -> String {
    let what = file.map_or_else(|| "a file system".to_owned(), named);
    match server {
        Some(server) => format!("waits for {what}, which {server} has to serve"),
        None => format!("waits for {what}, which a program has to serve"),
    }
}

fn device(file: Option<&File>) -> String {
    file.map_or_else(|| "a disk or another device".to_owned(), named)
}

/// It has an end to write and one to read.
fn has_ends(file: &File) -> bool {
    matches!(file.kind, FileKind::Pipe | FileKind::Fifo)
}

fn named(file: &File) -> String {
    let name = &file.name;
    match file.kind {
        FileKind::Pipe => "a pipe".to_owned(),
        FileKind::Fifo => format!("the FIFO `{name}`"),
        FileKind::UnixSocket if name.starts_with('/') || name.starts_with('@') => {
            format!("the socket `{name}`")
        }
        FileKind::UnixSocket | FileKind::Socket => "a socket".to_owned(),
        FileKind::Tcp => format!("the network address {name}"),
        FileKind::Terminal => format!("the terminal `{name}`"),
        FileKind::TerminalMaster => "the programs of a terminal".to_owned(),
        FileKind::Event => "an event of its own".to_owned(),
        FileKind::Timer => "a timer".to_owned(),
        FileKind::FileChanges => "changes of files".to_owned(),
        FileKind::Signals => "a signal".to_owned(),
        FileKind::Process => "the end of a process".to_owned(),
        FileKind::Several => "several files".to_owned(),
        FileKind::Other => format!("`{name}`"),
    }
}

fn limit(activity: &Activity, deadline: Deadline) -> String {
    let sleeps = *activity == Activity::Sleeps;
    match deadline {
        Deadline::In(time) if sleeps => format!(" for another {}", seconds(time)),
        Deadline::In(time) => format!(", for another {} at most", seconds(time)),
        Deadline::Of(time) if sleeps => format!(" for {}", seconds(time)),
        Deadline::Of(time) => format!(", for {} at most", seconds(time)),
        Deadline::Sometime => ", with a time limit".to_owned(),
    }
}

fn seconds(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 1.0 {
        format!("{:.0} ms", seconds * 1000.0)
    } else if seconds < 100.0 {
        format!("{seconds:.1} s")
    } else {
        format!("{seconds:.0} s")
    }
}
