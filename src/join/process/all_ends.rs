//! The ends of several processes, as a future awaits them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::task::Wake;

use super::super::sync::lock;
use super::super::waiters::{Awaited, Waiter};
use super::shared::ProcessShared;

/// The end of the last of several processes.
pub(super) struct AllEnds {
    processes: Arc<[Arc<ProcessShared>]>,
    waits: Mutex<Waits>,
}

#[derive(Default)]
struct Waits {
    next_ticket: u64,
    /// For each ticket, the tickets of the processes that had not ended.
    tickets: BTreeMap<u64, Vec<(usize, u64)>>,
}

/// A waiter that the end of the last process wakes.
struct LastWakes {
    processes: Arc<[Arc<ProcessShared>]>,
    waiter: Mutex<Option<Waiter>>,
}

impl AllEnds {
    pub(super) fn of(processes: Vec<Arc<ProcessShared>>) -> Arc<dyn Awaited> {
        Arc::new(Self {
            processes: processes.into(),
            waits: Mutex::default(),
        })
    }
}

fn have_ended(processes: &[Arc<ProcessShared>]) -> bool {
    processes.iter().all(|process| process.exit().is_some())
}

impl Wake for LastWakes {
    /// Each process calls it once it has ended.
    fn wake(self: Arc<Self>) {
        if have_ended(&self.processes) {
            // Two that end at the same time both find that all have ended.
            let waiter = lock(&self.waiter).take();
            waiter.into_iter().for_each(Waiter::wake);
        }
    }
}

impl Awaited for AllEnds {
    fn is_ready(&self) -> bool {
        have_ended(&self.processes)
    }

    fn add_waiter(&self, waiter: Waiter) -> Option<u64> {
        let waker = Arc::new(LastWakes {
            processes: self.processes.clone(),
            waiter: Mutex::new(Some(waiter)),
        });
        let processes = self.processes.iter().enumerate();
        let tickets = processes.filter_map(|(index, process)| {
            let ticket = process.add_waiter(Waiter::Future(waker.clone().into()))?;
            Some((index, ticket))
        });
        let tickets: Vec<_> = tickets.collect();
        // The last one may have ended before it was to wake the waiter.
        if self.is_ready() {
            return None;
        }
        let mut waits = lock(&self.waits);
        waits.next_ticket += 1;
        let ticket = waits.next_ticket;
        waits.tickets.insert(ticket, tickets);
        Some(ticket)
    }

    fn remove_waiter(&self, ticket: u64) {
        let tickets = lock(&self.waits).tickets.remove(&ticket);
        for (index, ticket) in tickets.into_iter().flatten() {
            self.processes[index].remove_waiter(ticket);
        }
    }
}
