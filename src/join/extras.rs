//! The parts of a task that are made when it first needs one of them.

use std::sync::{Arc, OnceLock};

use super::calls::Calls;
use super::cancel_tree::CancelNode;
use super::changes::Subscription;
use super::panic::PanicReport;
use super::parking::Parking;
use super::progress::Reports;
use super::sync::AtomicUsize;

/// The registry key of a task that was not added.
pub(crate) const NO_KEY: usize = usize::MAX;

/// What most tasks of a pool never have.
pub(crate) struct Extras {
    pub(crate) subscription: Subscription,
    pub(crate) name: OnceLock<Arc<str>>,
    pub(crate) registry_key: AtomicUsize,
    pub(crate) cancel: CancelNode,
    pub(crate) parking: OnceLock<Arc<Parking>>,
    pub(crate) progress: Reports,
    pub(crate) calls: OnceLock<Arc<Calls>>,
    pub(crate) panic: OnceLock<Arc<PanicReport>>,
}

impl Extras {
    pub(crate) fn new(name: Option<Arc<str>>, subscription: Subscription) -> Box<Self> {
        Box::new(Self {
            subscription,
            name: name.map_or_else(OnceLock::new, OnceLock::from),
            registry_key: AtomicUsize::new(NO_KEY),
            cancel: CancelNode::new(),
            parking: OnceLock::new(),
            progress: Reports::new(),
            calls: OnceLock::new(),
            panic: OnceLock::new(),
        })
    }
}
