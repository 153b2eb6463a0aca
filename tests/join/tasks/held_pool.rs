//! Tasks that stay queued until the test releases them.

use meanwhile_join::{Builder, Pool, Task};

use crate::util::gate::Gate;

/// A pool whose only worker is busy, so queued tasks do not begin.
pub(crate) struct HeldPool {
    pub(crate) pool: Pool,
    gate: Gate,
    holder: Task<()>,
}

impl HeldPool {
    pub(crate) fn new() -> Self {
        let pool = Pool::builder()
            .threads(1)
            .build()
            .expect("the system has a thread left");
        let gate = Gate::new();
        let holder = {
            let gate = gate.clone();
            Builder::new("holder")
                .spawn_on(&pool, move |_| gate.pass())
                .expect("a pool takes another task")
        };
        Self { pool, gate, holder }
    }

    /// Lets the worker run the queued tasks.
    pub(crate) fn release(&self) {
        self.gate.open();
        self.holder.join().expect("the gate is open");
    }
}
