//! One running job: a [`planner`] that finds items, and a [`coordinator`] that gives each a task, or a part of
//! one if it is short ([`batch`]).
//!
//! Both are tasks themselves. The coordinator waits in one place, for the messages of its inbox: an
//! item was found, an item ended, planning ended, cancel. The planner may be [`MAX_PLANNED`] items
//! ahead of the workers: enough to know early how much work there is, and a bound on the memory for
//! a tree of any size. Few of those items are tasks at any time.

mod batch;
mod control;
mod coordinator;
mod planner;

use std::sync::Arc;

use self::control::CoordinatorMessage;
pub(super) use self::control::{Control, KeptBacktrace, missing_backtrace};
use self::coordinator::Coordinator;
pub(super) use self::coordinator::JobOutcome;
use self::planner::Planner;
use super::backpressure::Backpressure;
use super::event_sender::EventSender;
use super::executor::Executor;
use super::isolated::Isolation;
use super::item_names::ItemNames;
use super::long_wait::LongWait;
use super::output_sink::OutputSink;
use crate::jobs::JobSpec;
use crate::join::{self, SpawnError, Task, cancellable};
use crate::record::{EventKind, JobId};

/// The number of found items that no worker has taken yet.
const MAX_PLANNED: usize = 1 << 16;

/// Starts a job, or with `only` the items with these names: its pool, if it has one, its planner and its
/// coordinator.
///
/// # Errors
/// The system refused a thread; then nothing of the job runs on.
#[expect(
    clippy::disallowed_methods,
    reason = "the inbox is bounded by its content: planned items and items in flight"
)]
pub(super) fn start(
    job: JobId,
    spec: &Arc<JobSpec>,
    only: Option<Arc<ItemNames>>,
    events: &EventSender,
    isolation: &Isolation,
    output: Option<Arc<dyn OutputSink>>,
) -> Result<(Task<JobOutcome>, Arc<Control>), SpawnError> {
    let name = format!("{} {job}", spec.options.job().id());
    let (sender, inbox) = crossbeam_channel::unbounded();
    let control = Arc::new(Control::new(sender.clone(), spec.run_on));
    let backpressure = Arc::new(Backpressure::new(MAX_PLANNED));
    let executor = Executor::new(&name, spec, isolation, control.force_stop_token())?;
    if let Some(note) = executor.note_of_threads(spec) {
        events.publish(EventKind::PlanDidNote { note: note.into() });
    }
    let planner = Planner {
        spec: Arc::clone(spec),
        only,
        events: events.clone(),
        backpressure: Arc::clone(&backpressure),
        inbox: sender.clone(),
    };
    let planner = join::Builder::new(format!("{name} plan"))
        .priority(spec.priority.into())
        .spawn(cancellable(move |context| planner.run(context)))?;
    planner.on_finish(move || control::send(&sender, CoordinatorMessage::PlanDidEnd));

    let coordinator = Coordinator {
        name: name.clone(),
        spec: Arc::clone(spec),
        events: events.clone(),
        control: Arc::clone(&control),
        inbox,
        executor,
        backpressure,
        planner: planner.clone(),
        output,
        #[cfg(unix)]
        launcher: isolation.launcher(),
        long_wait: LongWait::of_job(events.clone()),
        state: coordinator::CoordinatorState::default(),
    };
    match join::Builder::new(name).spawn(move |context| coordinator.run(context)) {
        Ok(task) => Ok((task, control)),
        Err(error) => {
            planner.cancel();
            Err(error)
        }
    }
}
