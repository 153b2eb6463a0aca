//! Paths and arguments in a document: text if they are UTF-8, a list of bytes if they are not.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum OsText {
    Text(String),
    Bytes(Vec<u8>),
}

impl From<&OsStr> for OsText {
    fn from(text: &OsStr) -> Self {
        match text.to_str() {
            Some(text) => Self::Text(text.to_owned()),
            None => Self::Bytes(text.as_encoded_bytes().to_vec()),
        }
    }
}

impl From<OsText> for OsString {
    fn from(text: OsText) -> Self {
        match text {
            OsText::Text(text) => text.into(),
            OsText::Bytes(bytes) => os_string(bytes),
        }
    }
}

/// For a field that is a path or an optional path.
pub(crate) fn serialize<S: Serializer, P: PathField>(
    field: &P,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let path = field.path().map(|path| OsText::from(path.as_os_str()));
    path.serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>, P: PathField>(
    deserializer: D,
) -> Result<P, D::Error> {
    let path = Option::<OsText>::deserialize(deserializer)?;
    Ok(P::of(path.map(|path| PathBuf::from(OsString::from(path)))))
}

/// A path or an optional path.
pub(crate) trait PathField {
    fn path(&self) -> Option<&PathBuf>;

    fn of(path: Option<PathBuf>) -> Self;
}

impl PathField for PathBuf {
    fn path(&self) -> Option<&PathBuf> {
        Some(self)
    }

    fn of(path: Option<PathBuf>) -> Self {
        path.unwrap_or_default()
    }
}

impl PathField for Option<PathBuf> {
    fn path(&self) -> Option<&PathBuf> {
        self.as_ref()
    }

    fn of(path: Option<PathBuf>) -> Self {
        path
    }
}

#[cfg(unix)]
pub(crate) fn os_string(bytes: Vec<u8>) -> OsString {
    std::os::unix::ffi::OsStringExt::from_vec(bytes)
}

#[cfg(not(unix))]
pub(crate) fn os_string(bytes: Vec<u8>) -> OsString {
    String::from_utf8_lossy(&bytes).into_owned().into()
}
