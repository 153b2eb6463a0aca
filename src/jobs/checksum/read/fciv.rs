//! The XML documents of Microsoft's File Checksum Integrity Verifier, which may have all in one line.

use super::{Entry, Line, digest, windows};

/// Whether a list that begins so is such a document.
pub(super) fn is_fciv(sample: &[u8]) -> bool {
    let is_xml = sample.trim_ascii_start().starts_with(b"<");
    is_xml && sample.windows(6).any(|six| six == b"<FCIV>")
}

/// The entry of the elements so far.
#[derive(Debug, Default)]
pub(super) struct Fciv {
    is_inside: bool,
    entry: Entry,
}

impl Fciv {
    /// Understands what stands before a `>` and behind the one before it: a text and a tag.
    pub(super) fn piece(&mut self, piece: &[u8]) -> Line {
        let Some(open) = piece.iter().rposition(|&byte| byte == b'<') else {
            // The end of a cut document is counted once.
            let is_nothing = self.is_inside || piece.trim_ascii().is_empty();
            return if is_nothing {
                Line::Nothing
            } else {
                Line::NoChecksum
            };
        };
        let (text, tag) = (piece[..open].trim_ascii(), &piece[open + 1..]);
        match tag {
            b"FILE_ENTRY" => {
                *self = Self {
                    is_inside: true,
                    ..Self::default()
                }
            }
            b"/FILE_ENTRY" => return self.finish(),
            b"/name" if self.is_inside => self.entry.names = windows::names(&unescape(text)),
            _ if self.is_inside => self.entry.claims.extend(claim(tag, text)),
            _ => {}
        }
        Line::Nothing
    }

    /// Whether the document has ended inside an entry.
    pub(super) fn is_cut(&self) -> bool {
        self.is_inside
    }

    fn finish(&mut self) -> Line {
        let Self { is_inside, entry } = std::mem::take(self);
        let is_whole = is_inside && !entry.names.is_empty() && !entry.claims.is_empty();
        if is_whole {
            Line::Entry(entry)
        } else {
            Line::NoChecksum
        }
    }
}

/// The digest in base64 before an end tag such as `/SHA1`.
fn claim(tag: &[u8], text: &[u8]) -> Option<super::Claim> {
    let algorithm = str::from_utf8(tag.strip_prefix(b"/")?).ok()?;
    digest::tagged(algorithm, text)
}

/// A text without the entities that XML itself has.
fn unescape(text: &[u8]) -> Vec<u8> {
    const ENTITIES: [(&[u8], u8); 5] = [
        (b"&amp;", b'&'),
        (b"&apos;", b'\''),
        (b"&gt;", b'>'),
        (b"&lt;", b'<'),
        (b"&quot;", b'"'),
    ];
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, after @ ..] = rest {
        let entity = ENTITIES.iter().find(|(name, _)| rest.starts_with(name));
        let (byte, after) =
            entity.map_or((*first, after), |(name, byte)| (*byte, &rest[name.len()..]));
        plain.push(byte);
        rest = after;
    }
    plain
}
