//! The modes of `shasum` whose digests are not of the bytes of a file: `digest Uname`, `digest ^name`.

/// What `shasum` has read in the place of the bytes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// With `-0`, each digit 0 or 1 as a bit.
    Bits,
    /// With `-U`, all line ends as those of Unix.
    Newlines,
}

impl Mode {
    /// The mode that the part of a line behind its digest may name before the name.
    pub(super) fn of(rest: &[u8]) -> Option<Self> {
        match rest {
            [b' ', b'U', _, ..] => Some(Self::Newlines),
            [b' ', b'^', _, ..] => Some(Self::Bits),
            _ => None,
        }
    }

    /// The option of `shasum`, and what it does.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Bits => "shasum -0: digits read as bits",
            Self::Newlines => "shasum -U: text with its line ends changed",
        }
    }
}
