//! Names in sentences.

use std::path::Path;

use crate::format::is_disruptive;

/// The path as part of a sentence: a name with line breaks, bytes that are not UTF-8 or characters
/// that reorder text is quoted and escaped.
pub(super) fn shown(path: &Path) -> String {
    match path.to_str() {
        Some(text) if !text.chars().any(is_disruptive) => text.to_owned(),
        #[expect(
            clippy::unnecessary_debug_formatting,
            reason = "the quotes and escapes are wanted here"
        )]
        _ => format!("{path:?}"),
    }
}
