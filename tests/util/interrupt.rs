//! Ctrl-C for programs that tests start, also where the tests run in the background of a shell.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Once};

use signal_hook::consts::SIGINT;
use signal_hook::flag::register_conditional_default;

/// Has Ctrl-C do here, and in programs started from now on, what it does to any program. A shell has programs
/// in the background ignore it. That is inherited, and a handler is not.
pub(crate) fn hear_interrupt() {
    static HEARS: Once = Once::new();
    HEARS.call_once(|| {
        let is_default = Arc::new(AtomicBool::new(true));
        register_conditional_default(SIGINT, is_default).expect("the signal may be handled");
    });
}
