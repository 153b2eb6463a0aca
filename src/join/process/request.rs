//! What a program tells a shim that it has started ahead.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::PathBuf;

/// The request to become a command: what a shim that is started for it has in its arguments, its
/// environment and its folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Request {
    /// The arguments of that other shim.
    pub(super) args: Vec<OsString>,
    /// The folder, if it is not that of the program.
    pub(super) folder: Option<PathBuf>,
    /// The whole environment, each variable as `name=value`.
    pub(super) variables: Vec<OsString>,
}

impl Request {
    /// Returns the bytes of the request: each text ends with a NUL character, which no text contains.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let count = OsString::from(self.args.len().to_string());
        let folder = self.folder.as_ref();
        let folder = folder.map_or(OsStr::new(""), |folder| folder.as_os_str());
        let head = [count.as_os_str(), folder].into_iter();
        let texts = head
            .chain(self.args.iter().map(AsRef::as_ref))
            .chain(self.variables.iter().map(AsRef::as_ref));
        let mut bytes = Vec::with_capacity(8 * 1024);
        for text in texts {
            bytes.extend_from_slice(text.as_bytes());
            bytes.push(0);
        }
        bytes
    }

    /// Reads a request; `None` if the bytes are none.
    pub(super) fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let texts = bytes.strip_suffix(&[0])?.split(|byte| *byte == 0);
        let mut texts = texts.map(|text| OsString::from_vec(text.to_vec()));
        let count: usize = texts.next()?.to_str()?.parse().ok()?;
        let folder = texts.next()?;
        let mut args: Vec<_> = texts.collect();
        let variables = args.split_off(count.min(args.len()));
        Some(Self {
            args,
            folder: Some(folder).filter(|it| !it.is_empty()).map(Into::into),
            variables,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_is_read_as_it_was_written() {
        let odd = OsString::from_vec(vec![b'a', 0xff, b'\n', b'=']);
        let request = Request {
            args: vec!["--".into(), odd.clone(), OsString::new(), "last".into()],
            folder: Some("/".into()),
            variables: vec!["A=".into(), odd],
        };
        assert_eq!(Request::of_bytes(&request.to_bytes()), Some(request));
        let empty = Request::default();
        assert_eq!(Request::of_bytes(&empty.to_bytes()), Some(empty));
        assert_eq!(Request::of_bytes(b""), None);
    }
}
