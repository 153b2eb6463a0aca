//! Events of all kinds in an object with `traceEvents`, of other programs and of this one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use meanwhile_fuzz::{Document, read};

fuzz_target!(|document: Document| {
    let written = document.as_object();
    document.check(&written, written.text.len(), read(written.text.as_bytes()));
});
