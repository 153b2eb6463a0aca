//! The state of a process that its handles, the reaper and the list of children share.

use std::io;
use std::process::{ChildStderr, ChildStdin, ChildStdout};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, WaitIdStatus, kill_process, kill_process_group, waitid,
};

use super::super::callback_guard::CallbackGuard;
use super::super::callback_threads;
use super::super::changes::{ChangeMark, Subscription};
use super::super::clock::{Stamp, Time};
use super::super::graph::{self, Intent, Need};
use super::super::panic::contain;
use super::super::sync::lock;
use super::super::targets::Targets;
use super::super::token::CancelToken;
use super::super::waiters::{Awaited, Callback, Waiter};
use super::end::End;
use super::exit::{Exit, ProcessInfo, ProcessState};
use super::foreign::Foreign;
use super::group::ProcessGroup;
use super::guard::TreeGuard;
use super::input::InputEnd;
use super::last_use::LastUse;
use super::launcher_id::LauncherId;
use super::output::{Stream, StreamCapture};
use super::stop::{Ending, Order, StopReport};
use super::stopper;
use super::system::{self, Pidfd};
use super::trace::ProcessSpan;
use super::tree::{Root, StartTime};
use super::tree_signal;

/// The time that a process whose token was cancelled has to exit by itself.
const CANCEL_GRACE: Duration = Duration::from_secs(1);

/// The state of one process.
pub(super) struct ProcessShared {
    spawned: Spawned,
    pipe_ends: Mutex<PipeEnds>,
    spawned_at: Time,
    finished_at: Stamp,
    /// Locked while the process is signalled or reaped. A reaped process is never signalled,
    /// because its pid may belong to another one by then.
    is_reaped: Mutex<bool>,
    /// Closed when the process is reaped, so that handles of ended processes keep no file open.
    pidfd: Mutex<Option<Arc<Pidfd>>>,
    end: End<Exit>,
    /// Stops the process when a token is cancelled.
    on_cancel: Mutex<Option<CallbackGuard>>,
    last_use: LastUse,
    change_mark: ChangeMark,
    span: ProcessSpan,
}

/// Who has started a process.
pub(super) enum Origin {
    /// This library, which has put the tag in its environment.
    Own,
    /// Something else in this program. If it was reaped then, it has this exit.
    Other(Option<Exit>),
    /// Another program, which also reaps it.
    Foreign(Foreign),
}

impl Origin {
    fn exit(&self) -> Option<Exit> {
        match self {
            Self::Own | Self::Foreign(_) => None,
            Self::Other(exit) => *exit,
        }
    }

    fn foreign(&self) -> Option<&Foreign> {
        match self {
            Self::Foreign(foreign) => Some(foreign),
            Self::Own | Self::Other(_) => None,
        }
    }
}

/// A process that was just started.
pub(super) struct Spawned {
    pub(super) key: u64,
    pub(super) pid: Pid,
    /// The pid that was given last before the process could start another one.
    pub(super) newest_pid: i32,
    /// A moment before the process could start another one.
    pub(super) began: StartTime,
    pub(super) group: ProcessGroup,
    pub(super) name: Arc<str>,
    /// The tag in its environment and in that of its descendants.
    pub(super) tag: String,
    pub(super) daemon: bool,
    /// Whether the process ends with its last handle.
    pub(super) kill_on_drop: bool,
    /// `None` where the system has no pidfds. There a thread waits for the process.
    pub(super) pidfd: Option<Arc<Pidfd>>,
    pub(super) stdout: Arc<StreamCapture>,
    pub(super) stderr: Arc<StreamCapture>,
    pub(super) stderr_is_stdout: bool,
    /// `None` where the process was started without a launcher, as is its guard.
    pub(super) launcher: Option<LauncherId>,
    pub(super) guard: Option<Arc<TreeGuard>>,
    pub(super) origin: Origin,
    pub(super) subscription: Subscription,
}

/// What the caller uses itself: this program's ends of pipes, readers, and the writer.
#[derive(Default)]
pub(super) struct PipeEnds {
    pub(super) stdin: Option<ChildStdin>,
    pub(super) stdout: Option<ChildStdout>,
    pub(super) stderr: Option<ChildStderr>,
    pub(super) input: Option<InputEnd>,
    /// Whether there is a reader of stdout that was not taken yet.
    pub(super) stdout_reader: bool,
    pub(super) stderr_reader: bool,
}

impl ProcessShared {
    pub(super) fn new(mut spawned: Spawned, pipe_ends: PipeEnds) -> Self {
        let pid = spawned.pid.as_raw_nonzero().get().unsigned_abs();
        Self {
            span: ProcessSpan::new(&spawned.name, pid),
            pidfd: Mutex::new(spawned.pidfd.take()),
            is_reaped: Mutex::new(spawned.origin.exit().is_some()),
            spawned,
            pipe_ends: Mutex::new(pipe_ends),
            spawned_at: Time::now(),
            finished_at: Stamp::never(),
            end: End::new(),
            on_cancel: Mutex::new(None),
            last_use: LastUse::new(),
            change_mark: ChangeMark::default(),
        }
    }

    pub(super) fn key(&self) -> u64 {
        self.spawned.key
    }

    pub(super) fn pid(&self) -> u32 {
        self.spawned.pid.as_raw_nonzero().get().unsigned_abs()
    }

    pub(super) fn newest_pid(&self) -> i32 {
        self.spawned.newest_pid
    }

    pub(super) fn name(&self) -> &Arc<str> {
        &self.spawned.name
    }

    pub(super) fn is_daemon(&self) -> bool {
        self.spawned.daemon
    }

    /// Whether it was started by this launcher. `None` means all processes.
    pub(super) fn is_of(&self, launcher: Option<LauncherId>) -> bool {
        launcher.is_none() || self.spawned.launcher == launcher
    }

    pub(super) fn is_killed_on_drop(&self) -> bool {
        self.spawned.kill_on_drop
    }

    pub(super) fn is_launched(&self) -> bool {
        self.spawned.guard.is_some()
    }

    fn pidfd(&self) -> Option<Arc<Pidfd>> {
        lock(&self.pidfd).clone()
    }

    pub(super) fn capture(&self, stream: Stream) -> &Arc<StreamCapture> {
        match stream {
            Stream::Stdout => &self.spawned.stdout,
            Stream::Stderr => &self.spawned.stderr,
        }
    }

    pub(super) fn take_stdin(&self) -> Option<ChildStdin> {
        lock(&self.pipe_ends).stdin.take()
    }

    pub(super) fn take_stdout(&self) -> Option<ChildStdout> {
        lock(&self.pipe_ends).stdout.take()
    }

    pub(super) fn take_stderr(&self) -> Option<ChildStderr> {
        lock(&self.pipe_ends).stderr.take()
    }

    pub(super) fn take_input(&self) -> Option<InputEnd> {
        lock(&self.pipe_ends).input.take()
    }

    /// Returns whether the stream has a reader that was not taken before.
    pub(super) fn take_reader(&self, stream: Stream) -> bool {
        let mut ends = lock(&self.pipe_ends);
        std::mem::take(match stream {
            Stream::Stdout => &mut ends.stdout_reader,
            Stream::Stderr => &mut ends.stderr_reader,
        })
    }

    #[inline]
    pub(super) fn exit(&self) -> Option<Exit> {
        self.end.exit()
    }

    /// Blocks until the process has ended.
    pub(super) fn join(&self) -> Exit {
        // Without a deadline it ends with an exit.
        self.wait(None).unwrap_or(Exit::Unknown)
    }

    /// Shows that this thread waits for the process, until the returned value is dropped.
    ///
    /// A process waits for no task, and no callback runs on the reaper, so the wait can't close a
    /// cycle.
    pub(super) fn show_wait(&self, deadline: Option<Instant>) -> impl Drop + use<> {
        graph::global().enter(Intent {
            targets: Targets::Process(self.pid()),
            need: Need::All,
            deadline,
        })
    }

    /// The stream in which the process says why it fails.
    pub(super) fn error_stream(&self) -> Stream {
        if self.spawned.stderr_is_stdout {
            Stream::Stdout
        } else {
            Stream::Stderr
        }
    }

    pub(super) fn change_mark(&self) -> &ChangeMark {
        &self.change_mark
    }

    /// Tells the window that the process has changed. A window may block while it is woken, so another
    /// thread does that.
    pub(super) fn report_change(self: &Arc<Self>) {
        let subscription = &self.spawned.subscription;
        if let Some(changes) = subscription.queue_process(&self.change_mark, self) {
            callback_threads::run(vec![Box::new(move || changes.wake())]);
        }
    }

    pub(super) fn last_use(&self) -> &LastUse {
        &self.last_use
    }

    pub(super) fn info(&self) -> ProcessInfo {
        // The time is stored before the exit is published. So an exit that is read first decides whether
        // it is shown.
        let state = self.state();
        let has_ended = matches!(state, ProcessState::Ended(_));
        ProcessInfo {
            key: self.key(),
            pid: self.pid(),
            name: self.spawned.name.clone(),
            state,
            daemon: self.is_daemon(),
            spawned_at: self.spawned_at.instant(),
            finished_at: self.finished_at.get().filter(|_| has_ended),
        }
    }

    /// Returns how long it ran, once its end was noted.
    pub(super) fn run_time(&self) -> Option<Duration> {
        let finished_at = self.finished_at.get()?;
        Some(finished_at.saturating_duration_since(self.spawned_at.instant()))
    }

    /// A moment before it could start another process.
    pub(super) fn began(&self) -> StartTime {
        self.spawned.began
    }

    pub(super) fn state(&self) -> ProcessState {
        if let Some(exit) = self.exit() {
            return ProcessState::Ended(exit);
        }
        if self.spawned.origin.foreign().is_some() {
            // If it had ended before, the answer may be about another process.
            let is_stopped = system::is_stopped(Root::pid(self)) && !Root::is_reaped(self);
            return if is_stopped {
                ProcessState::Stopped
            } else {
                ProcessState::Running
            };
        }
        let is_reaped = lock(&self.is_reaped);
        let peek = WaitIdOptions::STOPPED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        if !*is_reaped && matches!(self.look(peek), Ok(Some(_))) {
            ProcessState::Stopped
        } else {
            ProcessState::Running
        }
    }

    /// Runs `callback` when the process has ended, or now if it has ended already. Returns its
    /// ticket, unless it has run.
    pub(super) fn on_finish(&self, callback: Callback) -> Option<u64> {
        self.end.add_callback(callback).map_err(contain).ok()
    }

    /// Like [`on_finish`](Self::on_finish). The guard takes the callback back.
    pub(super) fn on_finish_guarded(self: &Arc<Self>, callback: Callback) -> CallbackGuard {
        let Some(ticket) = self.on_finish(callback) else {
            return CallbackGuard::of_nothing();
        };
        let process = Arc::downgrade(self);
        CallbackGuard::new(move || {
            if let Some(process) = process.upgrade() {
                process.end.remove_callback(ticket);
            }
        })
    }

    /// Drops the ends of pipes that no caller has taken.
    pub(super) fn close_pipe_ends(&self) {
        let ends = std::mem::take(&mut *lock(&self.pipe_ends));
        // Dropped after the lock is released.
        drop(ends);
    }

    /// Has the process stopped when the token is cancelled, until it has ended.
    pub(super) fn stop_on_cancel(self: &Arc<Self>, token: &CancelToken) {
        let process = Arc::downgrade(self);
        let guard = token.on_cancel(move || {
            if let Some(process) = process.upgrade() {
                let ending = Ending::Terminate(CANCEL_GRACE);
                stopper::stop(vec![process.order(ending, None)]);
            }
        });
        *lock(&self.on_cancel) = Some(guard);
        if self.exit().is_some() {
            self.ignore_cancel();
        }
    }

    fn ignore_cancel(&self) {
        let guard = lock(&self.on_cancel).take();
        // Dropped after the lock is released.
        drop(guard);
    }

    /// Has the process killed with its descendants, without waiting for that.
    pub(super) fn kill_soon(self: &Arc<Self>) {
        if !system::SHOWS_ALL_TAGS || matches!(self.spawned.origin, Origin::Other(_)) {
            // Some are found only as long as their parents live.
            tree_signal::kill(&**self);
        }
        stopper::stop(vec![self.order(Ending::Kill, None)]);
        // The program may exit before the stopper looks.
        self.kill_group();
    }

    pub(super) fn order(
        self: &Arc<Self>,
        ending: Ending,
        reply: Option<Sender<StopReport>>,
    ) -> Order {
        Order {
            root: self.clone(),
            ending,
            reply,
            launcher: self.spawned.launcher,
            guarded: self.spawned.guard.as_ref().map(TreeGuard::add_holder),
        }
    }

    /// Whether something else has reaped it, with a known exit.
    pub(super) fn was_reaped_before(&self) -> bool {
        self.spawned.origin.exit().is_some()
    }

    /// Reaps the process if it has exited and was not reaped. Returns an exit that was known before until
    /// it is published. Something else reaps a foreign process; then this finds out its exit.
    pub(super) fn reap(&self) -> Option<Exit> {
        if let Some(foreign) = self.spawned.origin.foreign() {
            return self.end_of(foreign);
        }
        let mut is_reaped = lock(&self.is_reaped);
        if *is_reaped {
            return self.spawned.origin.exit().filter(|_| self.exit().is_none());
        }
        let exit = match system::reap(self.spawned.pid, self.pidfd().as_deref()) {
            Ok(Some(exit)) => exit,
            Ok(None) | Err(Errno::INTR) => return None,
            Err(_) => Exit::Unknown,
        };
        *is_reaped = true;
        *lock(&self.pidfd) = None;
        Some(exit)
    }

    /// Returns the exit of a foreign process until it is noted. Takes no lock while that is found out.
    fn end_of(&self, foreign: &Foreign) -> Option<Exit> {
        let exit = foreign.exit(Root::pid(self), &self.pidfd()?)?;
        *lock(&self.is_reaped) = true;
        *lock(&self.pidfd) = None;
        Some(exit)
    }

    /// Blocks until the process has exited, without reaping it.
    pub(super) fn block_until_exit(&self) {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while matches!(self.look(options), Err(Errno::INTR)) {}
    }

    fn look(&self, options: WaitIdOptions) -> Result<Option<WaitIdStatus>, Errno> {
        match self.pidfd() {
            Some(pidfd) => waitid(pidfd.wait_id(), options),
            None => waitid(WaitId::Pid(self.spawned.pid), options),
        }
    }

    /// Notes the end, before it is published.
    pub(super) fn note_end(&self) {
        if let Some(guard) = &self.spawned.guard {
            guard.release();
        }
        self.finished_at.set_now();
    }

    /// Publishes the exit, then wakes the waiters and the window, then has the callbacks run.
    pub(super) fn publish(self: &Arc<Self>, exit: Exit) {
        self.span.end(exit);
        let callbacks = self.end.publish(exit);
        self.report_change();
        self.ignore_cancel();
        callback_threads::run(callbacks);
    }
}

impl Awaited for ProcessShared {
    fn process_id(&self) -> Option<u32> {
        Some(self.pid())
    }

    fn is_ready(&self) -> bool {
        self.exit().is_some()
    }

    fn add_waiter(&self, waiter: Waiter) -> Option<u64> {
        self.end.add_waiter(waiter)
    }

    fn remove_waiter(&self, ticket: u64) {
        self.end.remove_waiter(ticket);
    }
}

impl Root for ProcessShared {
    fn pid(&self) -> i32 {
        self.spawned.pid.as_raw_pid()
    }

    fn group(&self) -> Option<i32> {
        match self.spawned.group {
            ProcessGroup::Own | ProcessGroup::Session => Some(self.spawned.pid.as_raw_pid()),
            ProcessGroup::Inherited => None,
        }
    }

    fn tag(&self) -> &str {
        &self.spawned.tag
    }

    fn home_group(&self) -> Option<i32> {
        let foreign = self.spawned.origin.foreign();
        let group = foreign.map(|foreign| foreign.group);
        group.or_else(|| self.group()).or_else(system::own_group)
    }

    fn is_reaped(&self) -> bool {
        // The pid of a foreign process may belong to another one as soon as it has ended.
        let has_ended = || self.pidfd().is_none_or(|pidfd| pidfd.has_ended());
        *lock(&self.is_reaped) || self.spawned.origin.foreign().is_some() && has_ended()
    }

    fn signal(&self, signal: Signal) -> io::Result<()> {
        let is_reaped = lock(&self.is_reaped);
        if *is_reaped {
            return Ok(());
        }
        let sent = match self.pidfd() {
            Some(pidfd) => pidfd.signal(signal),
            None => kill_process(self.spawned.pid, signal),
        };
        match sent {
            // Other code of this program has reaped it.
            Err(Errno::SRCH) => Ok(()),
            other => other.map_err(io::Error::from),
        }
    }

    fn kill_group(&self) {
        if self.group().is_none() {
            // A refusal shows in the exit, which is missing then.
            self.signal(Signal::KILL).ok();
            return;
        }
        let is_reaped = lock(&self.is_reaped);
        // After the process was reaped, its number may be another group's.
        if !*is_reaped {
            // An error means that the group has no process any more.
            kill_process_group(self.spawned.pid, Signal::KILL).ok();
        }
    }

    fn wait(&self, deadline: Option<Instant>) -> Option<Exit> {
        if let Some(exit) = self.exit() {
            return Some(exit);
        }
        let _shown = self.show_wait(deadline);
        self.end.wait(deadline)
    }
}
