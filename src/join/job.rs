//! The code of a task, and a closure in one allocation with the place for its value.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};

use super::closure::run;
use super::context::Context;
use super::header::{ClosureOutcome, Header};
use super::panic::Contained;
use super::sync::{CountedArc, Mutex, lock};

/// A larger closure gets an allocation of its own, because the place of the closure stays as long as the
/// value.
const MAX_INLINE: usize = 64;

/// The code of a task, to be run once. Dropping it without running it drops the closure.
pub(crate) struct Body(Option<Arc<dyn Code>>);

pub(crate) trait Code: Send + Sync {
    /// Runs the closure as that of this task. Must be called once at most.
    fn run(&self, task: &Arc<Header>) -> ClosureOutcome;

    fn drop_closure(&self);
}

impl Body {
    /// A body whose closure stores its value itself.
    pub(crate) fn new(code: impl FnOnce(&Arc<Header>) -> ClosureOutcome + Send + 'static) -> Self {
        Self(Some(Arc::new(Closure(Mutex::new(Some(code))))))
    }

    /// The body of `f`, and the slot in which it stores its value.
    pub(crate) fn shared<T: Send + Sync + 'static>(
        f: impl FnOnce(&Context) -> T + Send + 'static,
    ) -> (Self, SharedSlot<T>) {
        if size_of_val(&f) <= MAX_INLINE {
            Self::inline(f)
        } else {
            let f = Box::new(f);
            Self::inline(move |context: &Context| f(context))
        }
    }

    fn inline<T: Send + Sync + 'static>(
        f: impl FnOnce(&Context) -> T + Send + 'static,
    ) -> (Self, SharedSlot<T>) {
        let job = Arc::new(Job {
            closure: Mutex::new(Some(Contained::new(f))),
            value: OnceLock::new(),
        });
        let slot = SharedSlot::Job(AssertUnwindSafe(job.clone()));
        (Self(Some(job)), slot)
    }

    pub(crate) fn of(code: Arc<dyn Code>) -> Self {
        Self(Some(code))
    }

    /// Returns the code, which is smaller. The caller must make a body of it again.
    pub(crate) fn into_code(mut self) -> Arc<dyn Code> {
        self.0.take().expect("it was not run")
    }

    /// Runs the code as that of this task, and drops it.
    pub(crate) fn run(mut self, task: &Arc<Header>) -> ClosureOutcome {
        let code = self.0.take();
        code.map_or(ClosureOutcome::Cancelled, |code| code.run(task))
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        if let Some(code) = &self.0 {
            code.drop_closure();
        }
    }
}

struct Closure<F>(Mutex<Option<F>>);

impl<F: FnOnce(&Arc<Header>) -> ClosureOutcome + Send> Code for Closure<F> {
    fn run(&self, task: &Arc<Header>) -> ClosureOutcome {
        let code = lock(&self.0).take();
        code.map_or(ClosureOutcome::Cancelled, |code| code(task))
    }

    fn drop_closure(&self) {
        let code = lock(&self.0).take();
        // Dropped after the lock is released.
        drop(code);
    }
}

/// A closure, and later its value.
struct Job<T, F> {
    closure: Mutex<Option<Contained<F>>>,
    value: OnceLock<Contained<T>>,
}

impl<T, F> Code for Job<T, F>
where
    T: Send + Sync,
    F: FnOnce(&Context) -> T + Send,
{
    fn run(&self, task: &Arc<Header>) -> ClosureOutcome {
        let closure = lock(&self.closure).take();
        closure.map_or(ClosureOutcome::Cancelled, |closure| {
            run(task, closure, |value| {
                self.value.get_or_init(|| value);
            })
        })
    }

    fn drop_closure(&self) {
        let closure = lock(&self.closure).take();
        // Dropped after the lock is released.
        drop(closure);
    }
}

/// The slot for a task's value. It stays empty when the task panicked or was cancelled.
pub(crate) enum SharedSlot<T> {
    /// Of a task without a closure.
    Alone(CountedArc<OnceLock<Contained<T>>>),
    /// Whether handles may pass an unwinding depends on the value alone, as in the other case.
    Job(AssertUnwindSafe<Arc<dyn Value<T>>>),
}

pub(crate) trait Value<T>: Send + Sync {
    fn get(&self) -> Option<&T>;

    fn take(&mut self) -> Option<T>;
}

impl<T, F> Value<T> for Job<T, F>
where
    T: Send + Sync,
    F: Send,
{
    fn get(&self) -> Option<&T> {
        self.value.get()?.get()
    }

    fn take(&mut self) -> Option<T> {
        self.value.take()?.into_inner()
    }
}

impl<T> SharedSlot<T> {
    /// The slot of a task without a closure.
    pub(crate) fn new() -> Self {
        Self::Alone(CountedArc::new(OnceLock::new()))
    }

    pub(crate) fn get(&self) -> Option<&T> {
        match self {
            Self::Alone(slot) => slot.get()?.get(),
            Self::Job(job) => job.0.get(),
        }
    }

    /// Returns the value if this is the last reference to the slot.
    ///
    /// # Errors
    /// Returns the slot if it is not.
    pub(crate) fn into_value(self) -> Result<Option<T>, Self> {
        match self {
            Self::Alone(slot) => CountedArc::try_unwrap(slot)
                .map(|slot| slot.into_inner().and_then(Contained::into_inner))
                .map_err(Self::Alone),
            Self::Job(mut job) => match Arc::get_mut(&mut job.0) {
                Some(last) => Ok(last.take()),
                None => Err(Self::Job(job)),
            },
        }
    }
}

impl<T> Clone for SharedSlot<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Alone(slot) => Self::Alone(slot.clone()),
            Self::Job(job) => Self::Job(AssertUnwindSafe(job.0.clone())),
        }
    }
}

/// Returns what stores the value of a task without a closure.
pub(crate) fn fill<T>(slot: SharedSlot<T>) -> impl FnOnce(Contained<T>) {
    move |value| {
        if let SharedSlot::Alone(slot) = slot {
            slot.get_or_init(|| value);
        }
    }
}
