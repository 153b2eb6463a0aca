//! The result of an item in words.

use crate::record::{ItemRecord, ItemState};

/// The result of an item in one line, such as of a table.
pub(super) fn result_line(item: &ItemRecord) -> String {
    let text = result_text(item);
    if text.contains('\n') {
        return text.lines().collect::<Vec<_>>().join(" · ");
    }
    text
}

/// The result of an item; empty while it has not ended. Below the sentence of an error may be the last lines
/// that a command has printed.
pub fn result_text(item: &ItemRecord) -> String {
    match &item.state {
        ItemState::Waiting | ItemState::Running => String::new(),
        ItemState::Cancelled => item.stopped_text(),
        ItemState::Returned(output) => with_verdict(output.verdict(), output.to_string()),
        ItemState::Failed(error) => with_verdict(error.verdict(), error.message.clone()),
        ItemState::Crashed(crash) => crash.message.clone(),
        ItemState::Panicked(panic) => match &panic.location {
            Some(location) => format!("{} ({location})", panic.message),
            None => panic.message.clone(),
        },
    }
}

/// The verdict comes first, because a narrow column cuts off the rest.
fn with_verdict(verdict: Option<&str>, text: String) -> String {
    match verdict {
        Some(verdict) => format!("{verdict}: {text}"),
        None => text,
    }
}
