//! Words as a document: text where they are UTF-8, bytes where they are not.

use std::ffi::OsString;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::template::os_string;

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Word {
    Text(String),
    Bytes(Vec<u8>),
}

pub(super) fn serialize<S: Serializer>(
    words: &[OsString],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(words.iter().map(|word| match word.to_str() {
        Some(text) => Word::Text(text.to_owned()),
        None => Word::Bytes(word.as_encoded_bytes().to_vec()),
    }))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<OsString>, D::Error> {
    let words = Vec::<Word>::deserialize(deserializer)?.into_iter();
    let words = words.map(|word| match word {
        Word::Text(text) => text.into(),
        Word::Bytes(bytes) => os_string(bytes),
    });
    Ok(words.collect())
}
