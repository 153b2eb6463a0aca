//! Runtimes that know more of their threads than the system does, and say so when they are asked.
//!
//! Nobody is asked without being named: a [`Question`] is a program of the runtime's makers, which may
//! interrupt the process for a moment. The caller runs it and hands its output to [`Runtime::read`].

mod java;
mod postgresql;
mod python;

use std::collections::BTreeMap;
use std::fmt;

use crate::graph::Lock;

/// A runtime that can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Runtime {
    /// The JVM, by `jcmd`: the monitors and the locks of `java.util.concurrent`, and where each thread is.
    Java,
    /// `CPython`, by `py-spy`: where each thread is. Who holds a lock is not recorded in it.
    Python,
    /// `PostgreSQL`, by `psql`, with the connection that its environment says: who holds what a session waits
    /// for, and their last statements.
    Postgresql,
}

/// A program to run, to learn more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The program, looked for as a shell does.
    pub program: &'static str,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Where the program comes from.
    pub origin: &'static str,
}

/// What a runtime has said. Ids are those of the pid namespace of the process that was asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    runtime: Runtime,
    /// The process that it is about. Nothing if it is about all of the runtime.
    pid: Option<u32>,
    waits: BTreeMap<u32, LockWait>,
    places: BTreeMap<u32, String>,
}

/// A wait for a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LockWait {
    /// The threads that hold it.
    pub(crate) holders: Vec<u32>,
    /// The waiter gives up after some time.
    pub(crate) has_limit: bool,
}

/// The output of a program is not what it is known to print.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what `{0}` has printed is not understood")]
pub struct AnswerError(&'static str);

impl Runtime {
    /// Returns what to run to ask about a process.
    #[must_use]
    pub fn question(self, pid: u32) -> Question {
        let pid = pid.to_string();
        let (program, origin, arguments) = match self {
            Self::Java => (
                "jcmd",
                "the JDK",
                vec![pid, "Thread.print".into(), "-l".into()],
            ),
            Self::Python => (
                "py-spy",
                "`pip install py-spy`",
                ["dump", "--json", "--nonblocking", "--pid", &pid]
                    .map(String::from)
                    .into(),
            ),
            Self::Postgresql => (
                "psql",
                "the clients of PostgreSQL",
                ["-XAtw", "-F", "\t", "-c", postgresql::QUERY]
                    .map(String::from)
                    .into(),
            ),
        };
        Question {
            program,
            arguments,
            origin,
        }
    }

    /// Reads what the program of [`question`](Self::question) has printed.
    ///
    /// # Errors
    /// It is something else.
    pub fn read(self, pid: u32, output: &str) -> Result<Answer, AnswerError> {
        let (parts, pid) = match self {
            Self::Java => (java::read(output), Some(pid)),
            Self::Python => (python::read(output), Some(pid)),
            Self::Postgresql => (postgresql::read(output), None),
        };
        let parts = parts.ok_or(AnswerError(self.question(0).program))?;
        Ok(Answer {
            runtime: self,
            pid,
            waits: parts.waits,
            places: parts.places,
        })
    }
}

impl fmt::Display for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Java => "Java",
            Self::Python => "Python",
            Self::Postgresql => "PostgreSQL",
        })
    }
}

impl Answer {
    /// Returns what is the same in another answer to the same question, and so has been true in between.
    #[must_use]
    pub fn confirmed_by(mut self, later: &Self) -> Self {
        self.waits
            .retain(|waiter, wait| later.waits.get(waiter) == Some(wait));
        self.places
            .retain(|thread, place| later.places.get(thread) == Some(place));
        self
    }

    /// Returns whether this is about a process.
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "only Linux has what looks at processes")
    )]
    pub(crate) fn is_about(&self, pid: u32, name: &str) -> bool {
        self.pid
            .map_or_else(|| name == "postgres", |about| about == pid)
    }

    /// Returns the kind of the locks, and the waits for them by the thread that waits.
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "only Linux has what looks at processes")
    )]
    pub(crate) fn waits(&self) -> (Lock, &BTreeMap<u32, LockWait>) {
        let lock = match self.runtime {
            Runtime::Postgresql => Lock::Database,
            Runtime::Java | Runtime::Python => Lock::Monitor,
        };
        (lock, &self.waits)
    }

    /// Returns what each thread is at.
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "only Linux has what looks at processes")
    )]
    pub(crate) fn places(&self) -> &BTreeMap<u32, String> {
        &self.places
    }
}

/// What the reader of an output has found.
#[derive(Debug, Default)]
struct Parts {
    /// By the id of a thread that waits for a lock.
    waits: BTreeMap<u32, LockWait>,
    /// By the id of a thread, what it is at.
    places: BTreeMap<u32, String>,
}

/// One call that a thread is in.
struct Frame<'a> {
    function: &'a str,
    line: String,
    /// It belongs to the runtime, and not to the program.
    is_library: bool,
}

/// Says where a thread is: in the newest of its frames, and where the program itself has called that.
fn place(frames: &[Frame<'_>]) -> Option<String> {
    let newest = frames.first()?;
    let own = frames.iter().find(|frame| !frame.is_library);
    let caller = own.filter(|_| newest.is_library);
    let caller = caller.map_or_else(String::new, |own| {
        format!(", called from `{}` ({})", own.function, own.line)
    });
    Some(format!(
        "in `{}` ({}){caller}",
        newest.function, newest.line
    ))
}
