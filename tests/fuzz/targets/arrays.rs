//! An array of events that ends anywhere.
#![no_main]

use libfuzzer_sys::fuzz_target;
use meanwhile_fuzz::{Document, read};

fuzz_target!(|input: (Document, u16)| {
    let (document, cut) = input;
    let written = document.as_array();
    // Most are cut near their end, where there is more to read.
    let len = written.text.len().saturating_sub(usize::from(cut));
    document.check(&written, len, read(&written.text.as_bytes()[..len]));
});
