//! The process group of a new process.

/// The process group of a new process.
///
/// A terminal sends the signal of Ctrl-C, `SIGINT`, to every process of its foreground group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProcessGroup {
    /// The group of this program, as with std: Ctrl-C in a terminal reaches the process too.
    #[default]
    Inherited,
    /// A group of its own: Ctrl-C reaches this program alone, which then has to stop the process.
    /// A process that reads from the terminal is stopped by the system, because its group is in the
    /// background. With its own group, [`Process::stop`](super::Process::stop) also finds the
    /// processes of a tree that have lost their parent and hide their environment.
    Own,
    /// As [`Own`](Self::Own), and in a session of its own, which has no terminal: a process that opens
    /// `/dev/tty` to ask for something gets an error at once. Only for a process that is
    /// [launched](super::Builder::launched_by); otherwise the spawn fails.
    Session,
}
