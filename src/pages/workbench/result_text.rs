//! The result of an item in words.

use crate::jobs::Output;
use crate::record::{ItemRecord, ItemState};

/// The result of an item in one line; empty while it has not ended.
pub fn result_text(item: &ItemRecord) -> String {
    match &item.state {
        ItemState::Waiting | ItemState::Running => String::new(),
        ItemState::Cancelled => item.stopped_text(),
        ItemState::Returned(output) => with_verdict(item, output.to_string()),
        ItemState::Failed(error) => with_verdict(item, error.message.clone()),
        ItemState::Crashed(crash) => crash.message.clone(),
        ItemState::Panicked(panic) => match &panic.location {
            Some(location) => format!("{} ({location})", panic.message),
            None => panic.message.clone(),
        },
    }
}

/// The verdict on a line of a checksum list comes first, in the words of `sha256sum -c`, because a
/// narrow column cuts off the rest.
fn with_verdict(item: &ItemRecord, text: String) -> String {
    let verdict = match &item.state {
        ItemState::Returned(Output::Checksum(checksum)) if checksum.verified => "OK",
        ItemState::Failed(error) => match error.kind.as_str() {
            "mismatch" => "FAILED",
            "missing" => "missing",
            "malformed" => "malformed",
            _ => return text,
        },
        _ => return text,
    };
    format!("{verdict}: {text}")
}
