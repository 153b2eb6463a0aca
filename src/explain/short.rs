//! The fewest words for what a thread does.

use crate::graph::{Activity, File, FileKind, Lock};

impl Activity {
    /// Says in two to five words what a thread does or waits for, for the node of a picture.
    #[must_use]
    pub fn short(&self) -> String {
        let text = match self {
            Self::Computes => "computes",
            Self::Starved => "gets no processor",
            Self::Joins => "joins a thread",
            Self::Locks(Lock::File) => "waits for a file lock",
            Self::Locks(Lock::Mutex | Lock::PriorityMutex) => "waits for a mutex",
            Self::Locks(_) => "waits for a lock",
            Self::Woken => "waits to be woken",
            Self::Children(_) => "waits for a child",
            Self::Reads(file) => return format!("reads a {}", kind(file)),
            Self::Writes(file) => return format!("writes to a {}", kind(file)),
            Self::Accepts(_) => "waits for a connection",
            Self::Connects(_) => "connects",
            Self::OpensFifo { .. } => "opens a FIFO",
            Self::Polls(files) => match files.as_slice() {
                [file] => return format!("waits for a {}", kind(file)),
                _ => "waits for events",
            },
            Self::Sleeps => "sleeps",
            Self::Signal => "waits for a signal",
            Self::Queue => "waits for a queue",
            Self::Device(_) => "waits for a device",
            Self::FileSystem(_) => "waits for a file system",
            Self::Stopped | Self::StoppedByTerminal => "is stopped",
            Self::Traced => "is held by a debugger",
            Self::Frozen => "is frozen",
            Self::Vfork => "waits for its new child",
            Self::Ended => "has ended",
            Self::SystemCall(name) => return format!("waits in {name}"),
            Self::NotPermitted => "can't be looked at",
        };
        text.to_owned()
    }

    /// Names what is between a thread and who it waits for, for the arrow of a picture.
    #[must_use]
    pub fn link(&self) -> &'static str {
        match self {
            Self::Joins => "joins",
            Self::Locks(Lock::File) => "file lock",
            Self::Locks(Lock::Mutex | Lock::PriorityMutex) => "mutex",
            Self::Locks(_) => "lock",
            Self::Children(_) | Self::Vfork => "child",
            Self::Reads(file) | Self::Writes(file) => kind(file),
            Self::Polls(files) => match files.as_slice() {
                [file] => kind(file),
                _ => "any of several",
            },
            Self::Accepts(_) | Self::Connects(_) => "connection",
            Self::OpensFifo { .. } => "FIFO",
            Self::Traced => "debugger",
            Self::Device(_) | Self::FileSystem(_) => "file system",
            _ => "",
        }
    }
}

fn kind(file: &File) -> &'static str {
    match file.kind {
        FileKind::Pipe => "pipe",
        FileKind::Fifo => "FIFO",
        FileKind::UnixSocket | FileKind::Socket => "socket",
        FileKind::Tcp => "connection",
        FileKind::Terminal | FileKind::TerminalMaster => "terminal",
        FileKind::Timer => "timer",
        FileKind::FileChanges => "change of files",
        FileKind::Signals => "signal",
        FileKind::Process => "process",
        FileKind::Event | FileKind::Several => "set of events",
        FileKind::Other => "file",
    }
}
