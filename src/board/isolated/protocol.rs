//! The messages between the program and an isolated worker, and their framing.
//!
//! A message is JSON after its length in four bytes, little-endian. Both sides begin with a
//! [`Hello`](ToWorker::Hello) that carries [`VERSION`], and stop when the other's differs. Neither
//! side trusts the other: a message that is too long, malformed or out of turn ends the session.

use std::ffi::OsString;
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::jobs::{Item, ItemError, Options, Output, Step};
use crate::record::Panic;

/// The version of the protocol. It changes with every change of a message.
pub(super) const VERSION: u32 = 1;

/// The longest message, in bytes.
const MAX_MESSAGE_BYTES: usize = 16 * 1024 * 1024;

const LENGTH_BYTES: usize = 4;

/// From the program to its worker.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum ToWorker {
    /// The first message.
    Hello { version: u32 },
    /// The options of the job; once, before any item.
    Options(Options),
    /// Run an item. The next one is sent only after this one has ended.
    Run {
        /// Counts up. Every message about the item carries it.
        number: u64,
        /// The name of the task.
        task: String,
        item: RawItem,
    },
    /// Cancel that item, which may have ended by now.
    Cancel { number: u64 },
}

/// From a worker to the program.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum FromWorker {
    /// The first message.
    Hello {
        version: u32,
    },
    /// The item begins: if the worker dies from now on, the item is the cause.
    Started {
        number: u64,
    },
    /// The item's progress in bytes.
    Progress {
        number: u64,
        done: u64,
        total: u64,
    },
    Ended {
        number: u64,
        end: ReportedOutcome,
    },
}

/// The outcome of an item that did not crash its worker.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum ReportedOutcome {
    Returned(Output),
    Failed(ItemError),
    /// The worker resolves the backtrace, from the debug information that it has loaded.
    Panicked {
        panic: Panic,
        backtrace: String,
    },
    Cancelled,
}

/// An [`Item`] as JSON, whose path may be any bytes.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct RawItem {
    input: OsString,
    bytes: u64,
    step: Step,
}

impl From<&Item> for RawItem {
    fn from(item: &Item) -> Self {
        Self {
            input: item.input.as_os_str().to_owned(),
            bytes: item.bytes,
            step: item.step.clone(),
        }
    }
}

impl From<RawItem> for Item {
    fn from(raw: RawItem) -> Self {
        Self {
            input: PathBuf::from(raw.input),
            bytes: raw.bytes,
            step: raw.step,
        }
    }
}

/// The reason that a session ends early.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProtocolError {
    #[error("message of {len} bytes exceeds the limit of {MAX_MESSAGE_BYTES}")]
    TooLong { len: usize },
    #[error("malformed message: {0}")]
    Malformed(serde_json::Error),
    #[error("message could not be encoded: {0}")]
    Unencodable(serde_json::Error),
    #[error("protocol version {theirs} instead of {VERSION}")]
    Version { theirs: u32 },
    #[error("unexpected message `{what}`")]
    Unexpected { what: &'static str },
}

/// Encodes a message with its length.
pub(super) fn encode(message: &impl Serialize) -> Result<Vec<u8>, ProtocolError> {
    let mut frame = vec![0; LENGTH_BYTES];
    serde_json::to_writer(&mut frame, message).map_err(ProtocolError::Unencodable)?;
    let len = frame.len() - LENGTH_BYTES;
    let length = u32::try_from(len).ok().filter(|_| len <= MAX_MESSAGE_BYTES);
    let length = length.ok_or(ProtocolError::TooLong { len })?;
    frame[..LENGTH_BYTES].copy_from_slice(&length.to_le_bytes());
    Ok(frame)
}

/// Decodes messages from bytes that arrive in pieces of any size.
///
/// It never holds more bytes than it was given, whatever a length claims.
#[derive(Default)]
pub(super) struct Decoder {
    bytes: Vec<u8>,
    taken: usize,
}

impl Decoder {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.taken);
        self.taken = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next message; `None` while it is not complete.
    pub(super) fn next<M: DeserializeOwned>(&mut self) -> Result<Option<M>, ProtocolError> {
        let rest = &self.bytes[self.taken..];
        let Some((length, rest)) = rest.split_first_chunk::<LENGTH_BYTES>() else {
            return Ok(None);
        };
        let len = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        if len > MAX_MESSAGE_BYTES {
            return Err(ProtocolError::TooLong { len });
        }
        let Some(message) = rest.get(..len) else {
            return Ok(None);
        };
        self.taken += LENGTH_BYTES + len;
        let message = serde_json::from_slice(message).map_err(ProtocolError::Malformed)?;
        Ok(Some(message))
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    use proptest::prelude::*;

    use super::*;
    use crate::jobs::{checksum, misbehave};

    fn run(number: u64, name: &[u8]) -> ToWorker {
        ToWorker::Run {
            number,
            task: "checksum #1".to_owned(),
            item: RawItem::from(&Item {
                input: PathBuf::from(OsStr::from_bytes(name)),
                bytes: 7,
                step: Step::Run,
            }),
        }
    }

    fn decode<M: DeserializeOwned>(frame: &[u8]) -> Result<Option<M>, ProtocolError> {
        let mut decoder = Decoder::default();
        decoder.push(frame);
        decoder.next()
    }

    #[test]
    fn options_of_every_job_round_trip() {
        for options in crate::jobs::catalogue() {
            let frame = encode(&ToWorker::Options(options.clone())).unwrap();
            assert_eq!(decode(&frame).unwrap(), Some(ToWorker::Options(options)));
        }
    }

    #[test]
    fn every_item_result_round_trips() {
        let checksum = checksum::Checksum {
            algorithm: checksum::Algorithm::Sha256,
            digest: "ab".repeat(32),
            bytes: u64::MAX,
            verified: true,
            also: Vec::new(),
        };
        let text = "a\u{0}\u{2028}\u{1f980}".to_owned();
        let results = [
            ReportedOutcome::Returned(Output::Checksum(checksum)),
            ReportedOutcome::Returned(Output::Text { text: text.clone() }),
            ReportedOutcome::Failed(ItemError::new("special_file", &text)),
            ReportedOutcome::Panicked {
                panic: Panic {
                    message: text.clone(),
                    location: None,
                    thread: String::new(),
                    task: text,
                    task_id: 3,
                },
                backtrace: "0: main\n".to_owned(),
            },
            ReportedOutcome::Cancelled,
        ];
        for end in results {
            let message = FromWorker::Ended {
                number: u64::MAX,
                end,
            };
            let frame = encode(&message).unwrap();
            assert_eq!(decode(&frame).unwrap(), Some(message));
        }
    }

    #[test]
    fn longest_message_arrives_and_longer_is_refused() {
        let text = |len: usize| "x".repeat(len);
        // The quotes count, too.
        let longest = text(MAX_MESSAGE_BYTES - 2);
        let frame = encode(&longest).unwrap();
        assert_eq!(decode::<String>(&frame).unwrap(), Some(longest));
        let beyond = encode(&text(MAX_MESSAGE_BYTES - 1)).unwrap_err();
        assert!(matches!(beyond, ProtocolError::TooLong { len } if len == MAX_MESSAGE_BYTES + 1));
    }

    #[test]
    fn excessive_length_is_refused_before_its_bytes() {
        let length = u32::try_from(MAX_MESSAGE_BYTES + 1).unwrap().to_le_bytes();
        let refused = decode::<FromWorker>(&length).unwrap_err();
        assert!(matches!(refused, ProtocolError::TooLong { .. }));
    }

    #[test]
    fn deep_nesting_is_an_error_not_a_stack_overflow() {
        let deep = vec![b'['; 1 << 20];
        let mut frame = u32::try_from(deep.len()).unwrap().to_le_bytes().to_vec();
        frame.extend_from_slice(&deep);
        let refused = decode::<FromWorker>(&frame).unwrap_err();
        assert!(matches!(refused, ProtocolError::Malformed(_)));
    }

    #[test]
    fn unknown_option_value_is_refused() {
        let mut frame = encode(&ToWorker::Options(Options::Misbehave(
            misbehave::Options::default(),
        )))
        .unwrap();
        let at = frame.windows(6).position(|bytes| bytes == b"return");
        let at = at.expect("the default end is in it");
        frame[at] = b'x';
        assert!(decode::<ToWorker>(&frame).is_err());
    }

    proptest! {
        #[test]
        fn messages_arrive_in_order_from_any_pieces(
            names in prop::collection::vec(prop::collection::vec(1_u8.., 0..40), 0..8),
            cut in 1_usize..50,
        ) {
            let mut numbers = 0..;
            let messages: Vec<ToWorker> = names
                .iter()
                .map(|name| run(numbers.next().unwrap(), name))
                .collect();
            let frames = messages.iter().flat_map(|message| encode(message).unwrap());
            let bytes: Vec<u8> = frames.collect();
            let mut decoder = Decoder::default();
            let mut arrived = Vec::new();
            for piece in bytes.chunks(cut) {
                decoder.push(piece);
                while let Some(message) = decoder.next::<ToWorker>().unwrap() {
                    arrived.push(message);
                }
            }
            prop_assert_eq!(arrived, messages);
        }

        #[test]
        fn arbitrary_bytes_never_hang_or_grow_the_decoder(
            bytes in prop::collection::vec(any::<u8>(), 0..4096),
            cut in 1_usize..600,
        ) {
            decode_all(&bytes, cut);
        }

        #[test]
        fn damaged_messages_never_hang_or_grow_the_decoder(
            name in prop::collection::vec(1_u8.., 0..40),
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
            len in any::<prop::sample::Index>(),
        ) {
            let mut bytes = encode(&run(1, &name)).unwrap();
            bytes.extend(encode(&ToWorker::Cancel { number: 1 }).unwrap());
            let at = at.index(bytes.len());
            bytes[at] = byte;
            bytes.truncate(len.index(bytes.len() + 1));
            decode_all(&bytes, 7);
        }
    }

    /// Decodes `bytes` in pieces. Every message consumes bytes, so this ends; the decoder never holds
    /// more than it was given.
    fn decode_all(bytes: &[u8], cut: usize) {
        let mut decoder = Decoder::default();
        for piece in bytes.chunks(cut) {
            decoder.push(piece);
            assert!(decoder.bytes.capacity() <= 2 * bytes.len().max(16));
            loop {
                match decoder.next::<ToWorker>() {
                    Ok(Some(_)) => {}
                    Ok(None) => break,
                    Err(_) => return,
                }
            }
        }
    }
}
