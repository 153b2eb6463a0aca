//! Arguments in a document: text if they are UTF-8, a list of bytes if they are not.

use std::ffi::OsString;

use serde::{Deserialize, Deserializer, Serializer};

use crate::jobs::os_text::OsText;

pub(super) fn serialize<S: Serializer>(
    words: &[OsString],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(words.iter().map(|word| OsText::from(word.as_os_str())))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<OsString>, D::Error> {
    let words = Vec::<OsText>::deserialize(deserializer)?;
    Ok(words.into_iter().map(OsString::from).collect())
}
