use std::sync::atomic::{AtomicU64, Ordering};

use crate::record::ThreadNumber;

static LAST: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static OWN: ThreadNumber = ThreadNumber::new(LAST.fetch_add(1, Ordering::Relaxed) + 1);
}

/// The number of the calling thread.
pub(super) fn own_thread_number() -> ThreadNumber {
    OWN.with(|number| *number)
}
