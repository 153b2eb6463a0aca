//! Any bytes, which begin with those of real traces.
#![no_main]

use libfuzzer_sys::fuzz_target;
use meanwhile_fuzz::{check_read, read};

fuzz_target!(|bytes: &[u8]| {
    if let Some(found) = read(bytes) {
        check_read(&found);
    }
});
