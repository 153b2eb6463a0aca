//! What runs in a slot: a task, and the starts that the timer makes.

use std::sync::Arc;

use super::callback_guard::CallbackGuard;
use super::changes::Changes;
use super::error::SpawnError;
use super::header::Header;
use super::owned::OwnedTask;
use super::panic::drop_contained;
use super::registry;
use super::slot_state::SlotError;
use super::sync::{Mutex, lock};

/// A start in a slot, with its task. Another start has another one, so what this one still does can't
/// reach the slot any more.
pub(crate) struct Run<T>(Mutex<State<T>>);

struct State<T> {
    phase: Phase<T>,
    news: News<T>,
    /// Takes back the next start.
    timer: Option<CallbackGuard>,
    /// Whether it was cancelled. Then nothing starts any more.
    is_cancelled: bool,
}

/// What no frame has taken yet. A value is kept when a later task fails.
pub(crate) struct News<T> {
    pub(crate) value: Option<T>,
    pub(crate) error: Option<SlotError>,
    /// Whether a task runs, or the first is yet to start.
    pub(crate) is_loading: bool,
}

enum Phase<T> {
    /// The first start is yet to come.
    Waiting,
    Running(OwnedTask<T>),
    /// The latest task has ended.
    Idle,
}

impl<T> Run<T> {
    /// A run whose task is started later.
    pub(crate) fn waiting() -> Arc<Self> {
        Self::new(Phase::Waiting)
    }

    pub(crate) fn of(task: OwnedTask<T>) -> Arc<Self> {
        Self::new(Phase::Running(task))
    }

    fn new(phase: Phase<T>) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State {
            phase,
            news: News::none(),
            timer: None,
            is_cancelled: false,
        })))
    }

    /// Sets the next start. `add` adds it to the timers.
    pub(crate) fn arm(&self, add: impl FnOnce() -> CallbackGuard) {
        let mut state = lock(&self.0);
        if !state.is_cancelled {
            state.timer = Some(add());
        }
    }

    /// Starts a task with `spawn`, unless the run was cancelled or the task before still runs. Then wakes
    /// the window: the task may have ended before it was noted here, and a frame that its end has caused
    /// has not found it.
    pub(crate) fn start(
        &self,
        changes: Option<&Changes>,
        spawn: impl FnOnce() -> Result<OwnedTask<T>, SpawnError>,
    ) {
        if self.may_begin() {
            self.began(spawn());
            if let Some(changes) = changes {
                changes.wake();
            }
        }
    }

    fn may_begin(&self) -> bool {
        let mut state = lock(&self.0);
        let replaced = state.collect();
        let may_begin = !state.is_cancelled && !matches!(state.phase, Phase::Running(_));
        drop(state);
        drop_contained(replaced);
        may_begin
    }

    /// Notes a start. After a cancel, its task is cancelled too.
    fn began(&self, started: Result<OwnedTask<T>, SpawnError>) {
        let mut state = lock(&self.0);
        if state.is_cancelled {
            drop(state);
            if let Ok(task) = started {
                task.cancel();
            }
            return;
        }
        match started {
            Ok(task) => state.phase = Phase::Running(task),
            Err(error) => {
                state.phase = Phase::Idle;
                state.news.error = Some(SlotError::NotStarted(error));
            }
        }
    }

    /// Ends the starts, and requests that the task stop.
    pub(crate) fn cancel(&self) {
        let mut state = lock(&self.0);
        state.is_cancelled = true;
        let timer = state.timer.take();
        let task = match &state.phase {
            Phase::Running(task) => Some(Arc::clone(task.header())),
            Phase::Idle => None,
            Phase::Waiting => {
                state.phase = Phase::Idle;
                state.news.error = Some(SlotError::Cancelled);
                None
            }
        };
        drop(state);
        // Both may run foreign code.
        drop(timer);
        if let Some(task) = task {
            registry::cancel(&task);
        }
    }

    /// Returns what is new since the last call.
    pub(crate) fn take_news(&self) -> News<T> {
        let mut state = lock(&self.0);
        let replaced = state.collect();
        let mut news = std::mem::replace(&mut state.news, News::none());
        news.is_loading = !matches!(state.phase, Phase::Idle);
        drop(state);
        drop_contained(replaced);
        news
    }

    /// Returns the task that runs.
    pub(crate) fn task(&self) -> Option<Arc<Header>> {
        match &lock(&self.0).phase {
            Phase::Running(task) => Some(Arc::clone(task.header())),
            Phase::Waiting | Phase::Idle => None,
        }
    }
}

impl<T> State<T> {
    /// Notes the outcome of the task if it has ended. Returns what that replaces, which the caller must
    /// drop after the lock is released.
    #[must_use]
    fn collect(&mut self) -> Option<(Phase<T>, Option<T>)> {
        let Phase::Running(task) = &mut self.phase else {
            return None;
        };
        let outcome = task.try_take()?;
        let phase = std::mem::replace(&mut self.phase, Phase::Idle);
        let value = match outcome {
            Ok(value) => {
                self.news.error = None;
                self.news.value.replace(value)
            }
            Err(error) => {
                self.news.error = Some(SlotError::of(error));
                None
            }
        };
        Some((phase, value))
    }
}

impl<T> News<T> {
    fn none() -> Self {
        Self {
            value: None,
            error: None,
            is_loading: false,
        }
    }
}
