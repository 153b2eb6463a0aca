//! What is around a list in a clear-signed message.

/// Where in a message a line is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Part {
    #[default]
    Outside,
    /// Between the first line and the first empty one.
    Head,
    Text,
    Signature,
}

#[derive(Debug, Default)]
pub(super) struct Signed {
    part: Part,
    was_seen: bool,
}

impl Signed {
    pub(super) fn was_seen(&self) -> bool {
        self.was_seen
    }

    /// The line of the list; `None` if the line is around it.
    pub(super) fn inner<'a>(&mut self, line: &'a [u8]) -> Option<&'a [u8]> {
        let trimmed = line.trim_ascii_end();
        if trimmed == b"-----BEGIN PGP SIGNED MESSAGE-----" {
            self.part = Part::Head;
            self.was_seen = true;
            return None;
        }
        if trimmed == b"-----BEGIN PGP SIGNATURE-----" {
            self.part = Part::Signature;
            self.was_seen = true;
            return None;
        }
        match self.part {
            Part::Outside => Some(line),
            Part::Head => {
                if trimmed.is_empty() {
                    self.part = Part::Text;
                }
                None
            }
            // A line that begins with a hyphen has another before it.
            Part::Text => Some(line.strip_prefix(b"- ").unwrap_or(line)),
            Part::Signature => {
                if trimmed == b"-----END PGP SIGNATURE-----" {
                    self.part = Part::Outside;
                }
                None
            }
        }
    }
}
