//! Two traces that have some events in common.
#![no_main]

use libfuzzer_sys::fuzz_target;
use meanwhile_fuzz::trace::{MAX_DIFFERENCES, compare};
use meanwhile_fuzz::{Document, read};

fuzz_target!(|input: (Document, Document, u8)| {
    let (before, mut after, shared) = input;
    after.share(&before, usize::from(shared));
    let (Some(before), Some(after)) = (
        read(before.as_object().text.as_bytes()),
        read(after.as_object().text.as_bytes()),
    ) else {
        return;
    };
    let (before, after) = (before.trace, after.trace);
    let there = compare(&before, &after);
    let back = compare(&after, &before);
    assert_eq!(there.common, back.common, "both have as many in common");
    assert!(there.common <= before.len().min(after.len()));
    assert_eq!(there.differences.len(), back.differences.len());
    assert!(there.differences.len() <= MAX_DIFFERENCES);
    for difference in &there.differences {
        assert!(!difference.text().is_empty() && difference.count > 0);
        let (a, b) = difference.spans;
        assert!(a.is_none_or(|id| before.span(id).is_some()));
        assert!(b.is_none_or(|id| after.span(id).is_some()));
    }
});
