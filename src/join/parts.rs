//! The progress of a task that has parts.

use std::fmt;
use std::sync::Arc;

use super::context::Context;
use super::header::Header;
use super::sync::{AtomicU64, Mutex, Ordering, lock};

/// The parts of a task, or of one of its parts. Returned by [`Context::parts`] and [`Part::parts`].
#[derive(Clone)]
pub struct Parts(Arc<Whole>);

/// A part of a task, which reports its own progress. The task reports the sum of its parts.
///
/// It may be sent to any thread.
pub struct Part {
    whole: Arc<Whole>,
    weight: u64,
    /// What this part adds to the sum of the whole. Changed under the lock of the sum.
    share: AtomicU64,
}

struct Whole {
    total: u64,
    sum: Mutex<u128>,
    target: Target,
}

/// Where the progress of a whole goes.
enum Target {
    Task(Arc<Header>),
    Part(Part),
}

impl Context {
    /// Divides the progress of the task into parts, whose weights should add up to `total`.
    ///
    /// [`Parts::part`] makes the parts, one by one. Each reports its own progress, in any unit; the
    /// progress of the task is the sum of what is done of the weights, and `total`. So the weights are in
    /// the unit of the task, such as bytes, or hundredths. If they add up to more, the progress stays at
    /// `total`.
    ///
    /// Do not mix it with [`set_progress`](Self::set_progress) of the task: the last report counts.
    ///
    /// ```
    /// use meanwhile_join::{self as join, Part};
    ///
    /// fn download(files: u64, part: &Part) {
    ///     for file in 1..=files {
    ///         // and download it
    ///         part.set_progress(file, files);
    ///     }
    /// }
    ///
    /// let update = join::spawn("update", |context| {
    ///     let parts = context.parts(100);
    ///     let (getting, building) = (parts.part(70), parts.part(30));
    ///     download(12, &getting);
    ///     let steps = building.parts(2); // a part of parts
    ///     let (compile, link) = (steps.part(1), steps.part(1));
    ///     compile.set_progress(400, 400);
    ///     link.set_progress(1, 3);
    /// })?;
    /// update.join()?;
    /// assert_eq!((update.progress().done, update.progress().total), (85, 100));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn parts(&self, total: u64) -> Parts {
        Parts::new(total, Target::Task(self.header().clone()))
    }
}

impl Parts {
    fn new(total: u64, target: Target) -> Self {
        Self(Arc::new(Whole {
            total,
            sum: Mutex::new(0),
            target,
        }))
    }

    /// Returns a new part with this weight.
    pub fn part(&self, weight: u64) -> Part {
        Part {
            whole: self.0.clone(),
            weight,
            share: AtomicU64::new(0),
        }
    }
}

impl Part {
    /// Reports the work done and the whole work of this part, in a unit of its choice. A `total` of 0
    /// means unknown: then nothing counts as done. What is done is rounded down to whole units of the
    /// weight. Takes a lock for each level of parts.
    pub fn set_progress(&self, done: u64, total: u64) {
        let share = share_of(self.weight, done, total);
        let mut sum = lock(&self.whole.sum);
        let before = self.share.swap(share, Ordering::Relaxed);
        *sum = *sum - u128::from(before) + u128::from(share);
        let done = u64::try_from(*sum).unwrap_or(u64::MAX);
        // Under the lock, so that the report of the latest sum is the last.
        self.whole.report(done.min(self.whole.total));
    }

    /// Divides the progress of this part into parts; see [`Context::parts`].
    #[must_use]
    pub fn parts(self, total: u64) -> Parts {
        Parts::new(total, Target::Part(self))
    }
}

fn share_of(weight: u64, done: u64, total: u64) -> u64 {
    let product = u128::from(weight) * u128::from(done.min(total));
    let share = product.checked_div(total.into()).unwrap_or(0);
    u64::try_from(share).unwrap_or(weight)
}

impl Whole {
    fn report(&self, done: u64) {
        match &self.target {
            Target::Task(task) => task.set_progress(done, self.total),
            Target::Part(part) => part.set_progress(done, self.total),
        }
    }
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts")
            .field("total", &self.0.total)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part")
            .field("weight", &self.weight)
            .finish_non_exhaustive()
    }
}
