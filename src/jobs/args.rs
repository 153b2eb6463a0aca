//! Parsers that the command-line arguments of several jobs share.

use std::time::Duration;

/// Parses a number of seconds such as `0.5`.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let number: f64 = text
        .parse()
        .map_err(|error| format!("not a number of seconds: {error}"))?;
    Duration::try_from_secs_f64(number).map_err(|error| format!("not a valid duration: {error}"))
}
