//! Children that something else has started.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ExitStatus};

use super::builder::Builder;
use super::error::SpawnError;
use super::exit::Exit;
use super::group::ProcessGroup;
use super::handle::Process;
use super::start::Started;
use super::streams::OwnEnds;
use super::{reaper, stopper, system};

// It is here because the module `builder` does not depend on the start of processes.
impl Builder {
    /// Takes over a child that something else in this program has started, such as another library. From
    /// then on it is a process as any other: it is listed, joined, reaped, and stopped by
    /// [`shutdown`](crate::shutdown).
    ///
    /// Of this builder, these settings hold: [`name`](Self::name), by default the program of the builder,
    /// [`output_limit`](Self::output_limit), [`on_line`](Self::on_line), [`daemon`](Self::daemon),
    /// [`kill_on_drop`](Self::kill_on_drop), [`cancel_token`](Self::cancel_token),
    /// [`report_to`](Self::report_to) and, for pipes, the streams. The others are those of a start, and
    /// have no effect.
    ///
    /// Its pipes, as far as nobody has taken them from the child: stdout and stderr are captured, unless
    /// the builder says [`Piped`](super::Redirect::Piped) or [`Buffered`](super::Redirect::Buffered). Stdin
    /// is closed, unless the builder says that it is piped, buffered or has bytes. Take a pipe from the
    /// child before, to use it yourself.
    ///
    /// Its descendants have no tag. So [`stop`](Process::stop), [`pause`](Process::pause) and the like find
    /// them by their parents, and by its group if it leads one. One that has outlived its parent and left
    /// that group is not found. If it holds captured output, a stop names it. The child does not end with
    /// this program.
    ///
    /// A child that has ended already is a process that has ended, with its exit, also if
    /// [`Child::wait`] was called before.
    ///
    /// ```
    /// use meanwhile_join::process::{Builder, Exit};
    /// use std::process::{Command, Stdio};
    ///
    /// let mut command = Command::new("sh");
    /// let child = command.args(["-c", "echo hello; exit 3"]).stdout(Stdio::piped()).spawn()?;
    /// let process = Builder::new("greeter").adopt(child)?;
    /// assert_eq!(process.join()?, Exit::Code(3));
    /// assert_eq!(process.output().stdout.text(), "hello\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The system refused one of the threads that serve all processes. Then the child runs on, its pipes
    /// are closed, and nothing waits for it. Where the system has no pidfds, and refused the thread that
    /// waits for this child alone, the child is killed.
    pub fn adopt(mut self, mut child: Child) -> Result<Process, SpawnError> {
        reaper::start()?;
        stopper::start()?;
        let own = OwnEnds {
            stdin: child.stdin.take().map(Into::into),
            stdout: child.stdout.take().map(Into::into),
            stderr: child.stderr.take().map(Into::into),
        };
        let ended = exit_of(&mut child);
        self.launch = None;
        self.streams.stderr_is_stdout = false;
        self.group = if ended.is_none() && leads_group(&child) {
            ProcessGroup::Own
        } else {
            ProcessGroup::Inherited
        };
        self.take_over(Started::elsewhere(child, own, ended))
    }
}

/// Returns the exit of a child that has ended. After that it is reaped.
fn exit_of(child: &mut Child) -> Option<Exit> {
    let of_status = |status: ExitStatus| {
        Exit::from_status(status.code(), status.signal(), status.core_dumped())
    };
    match child.try_wait() {
        Ok(status) => status.map(of_status),
        // Other code of this program has reaped it.
        Err(_) => Some(Exit::Unknown),
    }
}

fn leads_group(child: &Child) -> bool {
    let pid = child.id().cast_signed();
    system::group_of(pid) == Some(pid)
}
