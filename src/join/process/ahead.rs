//! The shims that a launcher has started ahead, so that a command need not wait for the start of one.
//!
//! A shim that waits has inherited from this program what it hands on to the command. So it is used only
//! if all of that is still the same; the environment, the folder and the streams come with the request.
//! It ends with its launcher, with this program, and when no command was started for a while.

use std::collections::VecDeque;
use std::io;
use std::num::NonZero;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::{Arc, LazyLock, Mutex, Weak};
use std::time::{Duration, Instant};

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use super::super::CallbackGuard;
use super::super::after;
use super::super::callback_threads;
use super::super::sync::lock;
use super::handover::Handover;
use super::shim::{self, Target};
use super::spawner;
use super::streams::ProcessEnds;
use super::system::{self, Inherited};

/// The time after the last start of a command until the shims that wait are ended.
const IDLE_TIME: Duration = Duration::from_secs(10);

/// The shims that wait for a command.
pub(super) struct Ahead(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// The one that has waited longest comes first.
    waiting: VecDeque<Waiting>,
    /// The number of shims that are being started.
    starting: usize,
    /// The number of commands since there was none for a while.
    commands: usize,
    last_command: Option<Instant>,
    /// Whether a call is to come that ends them if no command was started for a while.
    is_watched: bool,
    /// Counts the times at which all were ended, so that none stays that was being started.
    ends: usize,
}

/// A shim that becomes a command.
pub(super) struct Shim {
    pub(super) child: Child,
    pub(super) handover: Handover,
    /// The pid that was given last before the command could start a process. `None` is the command's own.
    pub(super) newest_pid: Option<i32>,
}

/// A shim that waits.
struct Waiting {
    child: Child,
    handover: Handover,
    program: Arc<Path>,
    inherited: Inherited,
}

impl Ahead {
    pub(super) fn new() -> Self {
        Self(Arc::default())
    }

    /// Has a shim that waits become the command. Returns `None` if there is none that can.
    pub(super) fn use_one(
        &self,
        program: &Arc<Path>,
        target: &Target<'_>,
        ends: &ProcessEnds,
    ) -> Option<Shim> {
        let waiting = lock(&self.0).waiting.pop_front()?;
        let is_usable = Arc::ptr_eq(program, &waiting.program) && waiting.is_as_if_started_now();
        let newest_pid = system::newest_pid();
        if is_usable && waiting.request(target, ends).is_ok() {
            return Some(Shim {
                child: waiting.child,
                handover: waiting.handover,
                newest_pid,
            });
        }
        waiting.end();
        // What does not fit one fits none.
        self.end_all();
        None
    }

    /// Has shims started for the commands after one that was started, without waiting for that: as many
    /// as commands were started lately, and at most one for each processor.
    pub(super) fn start_more(&self, program: &Arc<Path>) {
        let processors = processors();
        let (count, ends) = {
            let mut state = lock(&self.0);
            state.commands += 1;
            state.last_command = Some(Instant::now());
            let wanted = state.commands.min(processors);
            let count = wanted.saturating_sub(state.waiting.len() + state.starting);
            state.starting += count;
            (count, state.ends)
        };
        if count > 0 && !watch(&self.0) {
            lock(&self.0).starting -= count;
            return;
        }
        for _ in 0..count {
            let state = Arc::downgrade(&self.0);
            let program = program.clone();
            let start = Box::new(move || {
                // The launcher may be gone by now.
                if let Some(state) = state.upgrade() {
                    start_one(&state, program, ends);
                }
            });
            if !spawner::spawn_later(start) {
                lock(&self.0).starting -= 1;
            }
        }
    }

    /// Ends all.
    pub(super) fn end_all(&self) {
        end(take_all(&mut lock(&self.0)));
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.end_all();
    }
}

/// The number of processors. To find it takes as long as a tenth of a start.
pub(super) fn processors() -> usize {
    static PROCESSORS: LazyLock<usize> =
        LazyLock::new(|| std::thread::available_parallelism().map_or(1, NonZero::get));
    *PROCESSORS
}

/// Starts a shim that waits, and ends it if all others were ended since this was wanted.
fn start_one(state: &Mutex<State>, program: Arc<Path>, ends: usize) {
    let started = Waiting::start(program);
    let unwanted = {
        let mut state = lock(state);
        state.starting -= 1;
        match started {
            Some(started) if state.ends == ends => {
                state.waiting.push_back(started);
                None
            }
            other => other,
        }
    };
    end(unwanted);
}

/// Has the shims ended when no command was started for a while. Returns `false` if the system refuses the
/// thread that waits for that.
fn watch(state: &Arc<Mutex<State>>) -> bool {
    let last = {
        let mut state = lock(state);
        if state.is_watched {
            return true;
        }
        state.is_watched = true;
        state.last_command
    };
    let idle = last.map_or(Duration::ZERO, |last| last.elapsed());
    let watched = Arc::downgrade(state);
    let call = after(IDLE_TIME.saturating_sub(idle), move || end_idle(&watched));
    let is_watched = call.map(CallbackGuard::keep).is_ok();
    if !is_watched {
        lock(state).is_watched = false;
    }
    is_watched
}

/// Ends the shims if no command was started for a while; otherwise looks again later.
fn end_idle(state: &Weak<Mutex<State>>) {
    let Some(state) = state.upgrade() else {
        return;
    };
    let idle = {
        let mut state = lock(&state);
        state.is_watched = false;
        let is_idle = state
            .last_command
            .is_none_or(|last| last.elapsed() >= IDLE_TIME);
        is_idle.then(|| take_all(&mut state))
    };
    match idle {
        Some(idle) => callback_threads::run(vec![Box::new(move || end(idle))]),
        // If the system refuses the thread now, the next command tries again.
        None => drop(watch(&state)),
    }
}

fn take_all(state: &mut State) -> VecDeque<Waiting> {
    state.ends += 1;
    state.commands = 0;
    std::mem::take(&mut state.waiting)
}

fn end(all: impl IntoIterator<Item = Waiting>) {
    for waiting in all {
        waiting.end();
    }
}

impl Waiting {
    /// Starts one. Returns `None` if that fails, or if the system does not tell what it inherits.
    fn start(program: Arc<Path>) -> Option<Self> {
        let inherited = Inherited::now()?;
        let (handover, stdin) = Handover::for_later().ok()?;
        let child = shim::waiting(&program)
            .stdin(Stdio::from(stdin))
            .spawn()
            .ok()?;
        Some(Self {
            child,
            handover,
            program,
            inherited,
        })
    }

    fn is_as_if_started_now(&self) -> bool {
        let pid = Pid::from_child(&self.child);
        let options = WaitIdOptions::STOPPED | WaitIdOptions::EXITED;
        let look = options | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        // One that somebody has stopped, or ended, does not answer.
        matches!(waitid(WaitId::Pid(pid), look), Ok(None)) && self.inherited.is_current(pid)
    }

    /// Tells it to become the command.
    fn request(&self, target: &Target<'_>, ends: &ProcessEnds) -> io::Result<()> {
        let folder = system::own_folder()?;
        let request = target.request(self.inherited.group()).to_bytes();
        let descriptors = [&ends.stdin, &ends.stdout, &ends.stderr, &folder];
        self.handover
            .request(&request, &descriptors.map(AsFd::as_fd))
    }

    /// Ends it, and reaps it.
    #[expect(clippy::disallowed_methods, reason = "a killed process exits at once")]
    fn end(mut self) {
        // Both fail only if it has exited and was reaped by other code.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::*;

    fn start(call: impl FnOnce() + Send + 'static) {
        assert!(spawner::spawn_later(Box::new(call)), "few starts wait");
    }

    /// Has starts of shims wanted before `happens`, and made after it. Returns how many of them wait then. The
    /// state lives on as while another start is under way.
    fn left_after(happens: impl FnOnce(&mut Option<Ahead>)) -> usize {
        let ahead = Ahead::new();
        let state = ahead.0.clone();
        let (hold, held) = sync_channel::<()>(0);
        start(move || held.into_iter().for_each(drop));
        // What that program does does not matter.
        ahead.start_more(&Path::new("/bin/sh").into());
        assert!(lock(&state).starting > 0, "no start is wanted");
        let (made, are_made) = sync_channel::<()>(0);
        start(move || drop(made));
        let mut ahead = Some(ahead);
        happens(&mut ahead);
        drop(hold);
        are_made.into_iter().for_each(drop);
        let left = take_all(&mut lock(&state));
        let count = left.len();
        end(left);
        count
    }

    #[test]
    fn shim_of_a_late_start_waits_unless_all_were_ended() {
        // Elsewhere the system does not tell what a shim inherits.
        let is_started = cfg!(all(target_os = "linux", not(other_unix)));
        assert_eq!(left_after(|_ahead| ()) > 0, is_started);
        let after_end = left_after(|ahead| ahead.iter().for_each(Ahead::end_all));
        assert_eq!(after_end, 0);
        assert_eq!(left_after(|ahead| *ahead = None), 0, "the launcher is gone");
    }
}
