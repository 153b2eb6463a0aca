use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::event_sender::EventSender;
use crate::jobs::retry;
use crate::record::EventKind;

/// Whether it was said that a job waits for other programs.
#[derive(Clone)]
pub(super) struct LongWait {
    is_noted: Arc<AtomicBool>,
    events: EventSender,
}

impl LongWait {
    pub(super) fn of_job(events: EventSender) -> Self {
        Self {
            is_noted: Arc::default(),
            events,
        }
    }

    /// Says it, once.
    pub(super) fn note(&self) {
        if !self.is_noted.swap(true, Ordering::Relaxed) {
            let note = retry::waiting_text().into();
            self.events.publish(EventKind::PlanDidNote { note });
            self.events.wake();
        }
    }
}
