//! What the program prints about itself on stderr.

use std::io::Write as _;

/// A message as a line.
pub(crate) fn message_line(message: &str) -> String {
    format!("meanwhile: {message}\n")
}

/// Prints a message in a line on stderr. Nobody may be there to read it, and there is no other place for it.
pub(crate) fn print_message(message: &str) {
    std::io::stderr()
        .lock()
        .write_all(message_line(message).as_bytes())
        .ok();
}
