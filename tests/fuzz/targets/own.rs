//! Traces that this program made: written, and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use meanwhile_fuzz::{Op, check_trace, made};

fuzz_target!(|ops: Vec<Op>| check_trace(&made(&ops)));
