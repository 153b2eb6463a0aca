//! The worker publishes its result and wakes the window. The bad variant wakes it first.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use eframe::egui::{Context, Ui};
use meanwhile::join;
use meanwhile::lab::{Digest, Pattern, Work};

type Slot = Arc<Mutex<Option<Digest>>>;

fn publish(slot: &Slot, result: Digest) {
    *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
}

fn slot_ui(slot: &Slot, ui: &mut Ui) {
    let slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
    match &*slot {
        Some(result) => result.ui(ui),
        None => drop(ui.label("No result yet")),
    }
}

/// Closes files, writes a log.
fn tidy_up() {
    thread::sleep(Duration::from_millis(50));
}

#[derive(Default)]
pub(super) struct Bad {
    slot: Slot,
}

impl Pattern for Bad {
    fn start(&mut self, work: Work, ctx: &Context) {
        let (slot, ctx) = (self.slot.clone(), ctx.clone());
        drop(join::spawn("work", move |_| {
            let result = work.run();
            ctx.request_repaint(); // ← the window draws now, without the result
            tidy_up();
            publish(&slot, result);
        }));
    }

    fn ui(&mut self, ui: &mut Ui) {
        slot_ui(&self.slot, ui);
    }
}

#[derive(Default)]
pub(super) struct Fixed {
    slot: Slot,
}

impl Pattern for Fixed {
    fn start(&mut self, work: Work, ctx: &Context) {
        let (slot, ctx) = (self.slot.clone(), ctx.clone());
        drop(join::spawn("work", move |_| {
            let result = work.run();
            publish(&slot, result);
            ctx.request_repaint(); // ← the window draws the result
            tidy_up();
        }));
    }

    fn ui(&mut self, ui: &mut Ui) {
        slot_ui(&self.slot, ui);
    }
}
