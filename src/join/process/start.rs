//! The start of a process.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use rustix::process::Pid;

use super::super::changes::Subscription;
use super::super::priority::{Priority, spawn_thread};
use super::super::{CancelToken, SpawnError as ThreadError};
use super::ahead::Shim;
use super::builder::Builder;
use super::error::SpawnError;
use super::exit::Exit;
use super::follower::Follower;
use super::group::ProcessGroup;
use super::guard::TreeGuard;
use super::handle::Process;
use super::handover::{Handover, Refusal};
use super::input::{InputEnd, InputQueue};
use super::invocation::Invocation;
use super::launch_options::LaunchOptions;
use super::launcher::Launcher;
use super::output::StreamCapture;
use super::patient::Attempt;
use super::reaper::{self, WatchedChild};
use super::shared::{Origin, PipeEnds, ProcessShared, Spawned};
use super::shim::Target;
use super::streams::{Input, OpenStreams, OwnEnds, ProcessEnds, Redirect};
use super::system::Pidfd;
use super::tree::StartTime;
use super::{children, patient, spawner, stopper, tag};

impl Builder {
    /// Starts the process, and returns its handle once the program is loaded.
    ///
    /// This takes a millisecond or so, but as long as the system needs: for ever if the program, its
    /// folder or its input is on a disk that does not respond, or if its input is a named pipe without
    /// a writer. [`spawn_until`](Self::spawn_until) does not wait for ever. With a
    /// [`cancel_token`](Self::cancel_token), a cancel ends the wait as it does there.
    ///
    /// # Errors
    /// [`SpawnError`] lists the causes. They are the same with a launcher. The exit code of a process that
    /// has started is always its own.
    pub fn spawn(self) -> Result<Process, SpawnError> {
        match self.cancel_token.clone() {
            Some(token) => self.spawn_until(None, &token),
            None => self.start_now(&Attempt::default()),
        }
    }

    /// Starts the process on this thread. Returns [`SpawnError::Cancelled`] if the start is given up before
    /// the program is loaded, and then has killed what was started.
    fn start_now(mut self, attempt: &Attempt) -> Result<Process, SpawnError> {
        self.invocation.check()?;
        if self.launch.is_some() {
            self.invocation.find()?;
        } else if self.group == ProcessGroup::Session {
            let text = "only a launcher can give it a session of its own";
            return Err(self.refusal(io::Error::new(io::ErrorKind::Unsupported, text)));
        }
        reaper::start()?;
        stopper::start()?;
        let started = match &self.launch {
            Some((launcher, options)) => self.launch(launcher, options, attempt)?,
            None => self.start_child(attempt)?,
        };
        let is_loaded = started.is_loaded;
        let process = self.take_over(started)?;
        if is_loaded {
            return Ok(process);
        }
        // The caller does not get it, so it needs no report.
        drop(process.stop(Duration::ZERO));
        Err(SpawnError::Cancelled {
            program: process.name().to_owned(),
        })
    }

    /// Notes that the command may run from now on.
    ///
    /// # Errors
    /// The start was given up.
    fn begin(&self, attempt: &Attempt) -> Result<(), SpawnError> {
        if attempt.begin() {
            return Ok(());
        }
        Err(SpawnError::Cancelled {
            program: self.invocation.program_name(),
        })
    }

    /// Starts the process without a launcher.
    fn start_child(&self, attempt: &Attempt) -> Result<Started, SpawnError> {
        let key = next_key();
        let tag = tag::new_tag(key);
        let Invocation {
            program,
            arg0,
            args,
            ..
        } = &self.invocation;
        let mut command = Command::new(program);
        command.arg0(arg0.as_ref().unwrap_or(program)).args(args);
        let OpenStreams { of_process, own } = self.open_streams()?;
        command.stdin(of_process.stdin);
        command.stdout(of_process.stdout).stderr(of_process.stderr);
        self.prepare(&mut command, &tag);
        self.invocation.user.set_on(&mut command);
        self.begin(attempt)?;
        let child = self.start(command)?.map_err(|cause| self.refusal(cause))?;
        Ok(Started::new(child, own, key, tag, None))
    }

    /// Starts the process through the shim of a launcher.
    fn launch(
        &self,
        launcher: &Launcher,
        options: &LaunchOptions,
        attempt: &Attempt,
    ) -> Result<Started, SpawnError> {
        let shim = launcher.program();
        let start =
            |program, is_again| self.launch_with(launcher, program, options, is_again, attempt);
        let mut launched = start(shim, false)?;
        if matches!(launched, Err(Refusal::NotReceived)) {
            launcher.ahead().end_all();
            launched = start(shim, true)?;
        }
        match launched {
            Ok(started) => Ok(started),
            Err(refusal) if is_of_program(&refusal) && launcher.leave_program(shim) => {
                let again = start(launcher.program(), true)?;
                again.map_err(|refusal| self.explain(refusal))
            }
            Err(refusal) => Err(self.explain(refusal)),
        }
    }

    /// The inner error is the one of the shim. Only a first try uses one that waits: another of them could
    /// end as early as the one before.
    fn launch_with(
        &self,
        launcher: &Launcher,
        program: &Arc<Path>,
        options: &LaunchOptions,
        is_again: bool,
        attempt: &Attempt,
    ) -> Result<Result<Started, Refusal>, SpawnError> {
        let key = next_key();
        let tag = tag::new_tag(key);
        let OpenStreams { of_process, own } = self.open_streams()?;
        let target = Target {
            tag: &tag,
            options,
            group: self.group,
            invocation: &self.invocation,
        };
        let guard = Arc::new(launcher.guard(&tag)?);
        self.begin(attempt)?;
        let began = StartTime::now();
        let waiting = (!is_again).then(|| launcher.ahead().use_one(program, &target, &of_process));
        let shim = match waiting.flatten() {
            Some(shim) => {
                drop(of_process);
                shim
            }
            None => match self.start_shim(program, &target, of_process)? {
                Ok(shim) => shim,
                Err(error) => return Ok(Err(Refusal::NotStarted(error))),
            },
        };
        let is_loaded = match shim.handover.wait(attempt.given_up()) {
            Ok(is_loaded) => is_loaded,
            Err(refusal) => {
                reap_refused(shim.child);
                return Ok(Err(refusal));
            }
        };
        if is_loaded {
            launcher.ahead().start_more(program);
        }
        let started = Started::new(shim.child, own, key, tag, Some(guard));
        Ok(Ok(Started {
            newest_pid: shim.newest_pid,
            began,
            is_loaded,
            ..started
        }))
    }

    /// Starts a shim for this process alone. The inner error is the one of its start.
    fn start_shim(
        &self,
        program: &Path,
        target: &Target<'_>,
        ends: ProcessEnds,
    ) -> Result<io::Result<Shim>, SpawnError> {
        let mut command = target.command(program);
        let handover = Handover::new(&ends.stdin);
        let (handover, stdin) = handover.map_err(|cause| self.refusal(cause))?;
        drop(ends.stdin);
        command.stdin(stdin).stdout(ends.stdout).stderr(ends.stderr);
        self.prepare(&mut command, target.tag);
        Ok(spawner::spawn(command)?.map(|child| Shim {
            child,
            handover,
            newest_pid: None,
        }))
    }

    /// Like [`spawn`](Self::spawn), but gives up at this time, or when the token is cancelled. `None` is no
    /// deadline.
    ///
    /// A start that was given up goes on in a daemon task of its own, and what it has started is killed. If
    /// the program was loaded by then, the process is returned all the same, and the caller may stop it. So
    /// nothing runs unknown to the caller, unless a disk does not respond for two seconds.
    ///
    /// ```
    /// use meanwhile_join::CancelToken;
    /// use meanwhile_join::process::{Builder, Exit};
    /// use std::time::{Duration, Instant};
    ///
    /// let deadline = Instant::now() + Duration::from_secs(60);
    /// let process = Builder::new("true").spawn_until(deadline, &CancelToken::new())?;
    /// assert_eq!(process.join()?, Exit::Code(0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`SpawnError::GivenUp`] at the deadline, [`SpawnError::Cancelled`] after a cancel. Otherwise fails
    /// as `spawn` does.
    pub fn spawn_until(
        self,
        deadline: impl Into<Option<Instant>>,
        token: &CancelToken,
    ) -> Result<Process, SpawnError> {
        let program = self.invocation.program_name();
        let own = self.cancel_token.iter();
        let tokens: Vec<_> = own.chain([token]).cloned().collect();
        let is_launched = self.launch.is_some();
        let start = move |attempt: &Attempt| self.start_now(attempt);
        patient::spawn_until(program, is_launched, start, deadline.into(), &tokens)
    }

    /// Starts a command without a launcher, at the priority that was set.
    fn start(&self, mut command: Command) -> Result<io::Result<Child>, SpawnError> {
        match self.priority {
            // The child inherits the priority of the thread that starts it.
            Some(Priority::Background) => {
                let (reply, replies) = sync_channel(1);
                let thread = std::thread::Builder::new();
                spawn_thread(thread, Priority::Background, move || {
                    let spawned = command.spawn();
                    // Closes the files that the child uses before the caller continues.
                    drop(command);
                    // The caller waits for the reply, so it is received.
                    reply.send(spawned).ok();
                })
                .map_err(|cause| ThreadError::new("background", cause))?;
                let gone = || Err(io::Error::other("the thread that starts it has ended"));
                Ok(replies.into_iter().next().unwrap_or_else(gone))
            }
            Some(Priority::Normal) if Priority::current() == Priority::Background => {
                Ok(spawner::spawn(command)?)
            }
            Some(Priority::Normal) | None => Ok(command.spawn()),
        }
    }

    /// Hands a child to the reaper.
    pub(super) fn take_over(&self, mut started: Started) -> Result<Process, SpawnError> {
        let pid = Pid::from_child(&started.child);
        let pipes = self.pipes(&mut started);
        let pidfd = started.pidfd.take().map(Arc::new);
        let name = self.name.clone();
        let limit = self.output_limit;
        let PipeEnds {
            stdout_reader,
            stderr_reader,
            ..
        } = pipes.ends;
        let stdout = StreamCapture::new(limit, pipes.stdout.clone(), stdout_reader);
        let stderr = StreamCapture::new(limit, pipes.stderr.clone(), stderr_reader);
        let spawned = Spawned {
            key: started.key,
            pid,
            newest_pid: started.newest_pid.unwrap_or(pid.as_raw_pid()),
            began: started.began,
            group: self.group,
            name: name.unwrap_or_else(|| self.invocation.file_name()).into(),
            tag: started.tag,
            daemon: self.daemon,
            kill_on_drop: self.kill_on_drop,
            pidfd: pidfd.clone(),
            stdout: Arc::new(stdout),
            stderr: Arc::new(stderr),
            stderr_is_stdout: self.streams.stderr_is_stdout,
            launcher: self.launch.as_ref().map(|(launcher, _)| launcher.id()),
            guard: started.guard,
            origin: started.origin,
            subscription: Subscription::new(self.changes.as_ref()),
        };
        let shared = Arc::new(ProcessShared::new(spawned, pipes.ends));
        let process = Process::new(shared.clone());
        children::add(&shared);
        let watched = WatchedChild {
            followers: self.followers(&shared),
            shared: shared.clone(),
            stdin: pipes.stdin,
            stdout: pipes.stdout,
            stderr: pipes.stderr,
            pidfd,
            held: None,
        };
        reaper::watch(watched).map_err(|error| self.refusal(error.cause))?;
        if let Some(token) = &self.cancel_token {
            shared.stop_on_cancel(token);
        }
        Ok(process)
    }

    fn followers(&self, shared: &ProcessShared) -> Vec<Arc<Follower>> {
        let on_line = self.on_line.iter().cloned();
        on_line
            .map(|on_line| {
                let capture = shared.capture(on_line.stream).clone();
                Follower::new(on_line, capture)
            })
            .collect()
    }

    /// Divides the pipes of a child between the caller and the reaper.
    fn pipes(&self, started: &mut Started) -> Pipes {
        let OwnEnds {
            stdin,
            stdout,
            stderr,
        } = std::mem::take(&mut started.own);
        let mut pipes = Pipes::default();
        match &self.streams.stdin {
            Input::Piped => pipes.ends.stdin = stdin.map(Into::into),
            Input::Bytes(bytes) => {
                let pipe = stdin.map(non_blocking);
                let queue = pipe.map(|pipe| InputQueue::of_bytes(pipe, bytes.clone()));
                pipes.stdin = queue.map(Arc::new);
            }
            Input::Buffered => {
                let pipe = stdin.map(non_blocking);
                pipes.stdin = pipe.map(InputQueue::new).map(Arc::new);
                pipes.ends.input = pipes.stdin.clone().map(InputEnd);
            }
            Input::Empty | Input::Inherit | Input::File(_) | Input::Descriptor(_) => {}
        }
        if matches!(self.streams.stdout, Redirect::Piped) {
            pipes.ends.stdout = stdout.map(Into::into);
        } else {
            pipes.stdout = stdout.map(non_blocking).map(Arc::new);
        }
        if matches!(self.streams.stderr, Redirect::Piped) {
            pipes.ends.stderr = stderr.map(Into::into);
        } else {
            pipes.stderr = stderr.map(non_blocking).map(Arc::new);
        }
        let is_buffered = |redirect: &Redirect| matches!(redirect, Redirect::Buffered);
        pipes.ends.stdout_reader = is_buffered(&self.streams.stdout);
        pipes.ends.stderr_reader = is_buffered(&self.streams.stderr) && pipes.stderr.is_some();
        pipes
    }

    fn explain(&self, refusal: Refusal) -> SpawnError {
        self.refusal(match refusal {
            Refusal::NotStarted(error) | Refusal::NotExecuted(error) => error,
            Refusal::Option(sentence) => io::Error::other(sentence),
            Refusal::OtherVersion => io::Error::other("its launcher is of another version"),
            Refusal::NotReceived => io::Error::other("its launcher has ended"),
        })
    }

    fn open_streams(&self) -> Result<OpenStreams, SpawnError> {
        self.streams.open(&self.invocation.program_name())
    }

    /// Sets the environment, the folder and the group of a command.
    fn prepare(&self, command: &mut Command, tag: &str) {
        self.invocation.apply_to(command);
        command.env(tag::TAG_VARIABLE, tag::variable_for(tag));
        if self.group == ProcessGroup::Own {
            command.process_group(0);
        }
    }
}

/// Whether the program of the launcher is to blame, and not the command.
fn is_of_program(refusal: &Refusal) -> bool {
    use io::ErrorKind::{NotFound, PermissionDenied};
    match refusal {
        Refusal::OtherVersion | Refusal::NotReceived => true,
        Refusal::NotStarted(error) => matches!(error.kind(), NotFound | PermissionDenied),
        Refusal::NotExecuted(_) | Refusal::Option(_) => false,
    }
}

/// Reaps a shim that has refused to become the command, and exits.
#[expect(clippy::disallowed_methods, reason = "it exits right after its answer")]
fn reap_refused(mut shim: Child) {
    // Both fail only if it has exited and other code has reaped it.
    shim.kill().ok();
    shim.wait().ok();
}

/// A child that the reaper does not know yet.
pub(super) struct Started {
    child: Child,
    own: OwnEnds,
    pidfd: Option<Pidfd>,
    key: u64,
    tag: String,
    guard: Option<Arc<TreeGuard>>,
    /// The pid that was given last before the process could start another one. `None` is its own.
    newest_pid: Option<i32>,
    /// A moment before the process could start another one.
    began: StartTime,
    /// Whether it is the program. Otherwise it may be a shim that becomes it.
    is_loaded: bool,
    origin: Origin,
}

impl Started {
    fn new(
        child: Child,
        own: OwnEnds,
        key: u64,
        tag: String,
        guard: Option<Arc<TreeGuard>>,
    ) -> Self {
        Self {
            // Only the reaper reaps the child, so the pid can't be another process's yet.
            pidfd: Pidfd::of_child(&child),
            child,
            own,
            key,
            tag,
            guard,
            newest_pid: None,
            began: StartTime::now(),
            is_loaded: true,
            origin: Origin::Own,
        }
    }

    /// A child that something else has started. If it was reaped, this is its exit.
    pub(super) fn elsewhere(child: Child, own: OwnEnds, ended: Option<Exit>) -> Self {
        let key = next_key();
        Self {
            // If it was reaped, its pid may be another process's.
            pidfd: ended.is_none().then(|| Pidfd::of_child(&child)).flatten(),
            child,
            own,
            key,
            tag: tag::new_tag(key),
            guard: None,
            newest_pid: None,
            began: StartTime::now(),
            is_loaded: true,
            origin: Origin::Other(ended),
        }
    }
}

/// The pipes of a child that was just started.
#[derive(Default)]
struct Pipes {
    ends: PipeEnds,
    stdin: Option<Arc<InputQueue>>,
    stdout: Option<Arc<OwnedFd>>,
    stderr: Option<Arc<OwnedFd>>,
}

fn non_blocking(pipe: OwnedFd) -> OwnedFd {
    // Fails for no pipe.
    rustix::io::ioctl_fionbio(&pipe, true).ok();
    pipe
}

pub(super) fn next_key() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    // Only the number must be unique; it orders nothing.
    NEXT.fetch_add(1, Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::super::super::JoinError;
    use super::*;

    /// Spawns as on a system without pidfds.
    fn spawn_without_pidfd(builder: &Builder) -> Process {
        let started = builder
            .start_child(&Attempt::default())
            .expect("the program starts");
        let adopted = builder.take_over(Started {
            pidfd: None,
            ..started
        });
        adopted.expect("the waiting thread starts")
    }

    #[test]
    fn process_without_pidfd_is_joined_and_stopped() {
        let shell = Builder::new("sh").args(["-c", "read line; echo $line; exit 3"]);
        let process = spawn_without_pidfd(&shell.stdin_piped());
        let early = process.join_timeout(Duration::from_millis(1));
        assert!(matches!(early, Err(JoinError::TimedOut)));
        drop(process.take_stdin());
        assert_eq!(process.join().expect("no timeout"), Exit::Code(3));
        assert_eq!(process.output().stdout.text(), "\n");
        process.kill().expect("no effect after the end");

        let sleeper = spawn_without_pidfd(&Builder::new("sleep").arg("60"));
        let report = sleeper.stop(Duration::from_mins(1));
        assert_eq!(report.exit.and_then(Exit::signal_name), Some("SIGTERM"));
    }
}
