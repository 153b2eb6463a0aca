//! What the program and an isolated worker say to each other, and how it is framed.
//!
//! A message is JSON behind its length in four bytes, lowest first. Both sides begin with a
//! [`Hello`](Down::Hello) that carries [`VERSION`]; a side that hears another one gives up. Each
//! side trusts the other with nothing: what is too long, no message, or not this side's turn ends
//! the conversation.

use std::ffi::OsString;
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::jobs::{Item, ItemError, Options, Output, Step};
use crate::record::Panic;

/// Changes whenever a message does.
pub(super) const VERSION: u32 = 1;

/// The longest message, in bytes.
pub(super) const MAX_LEN: usize = 16 * 1024 * 1024;

const HEAD_LEN: usize = 4;

/// From the program to its worker.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Down {
    /// First of all.
    Hello { version: u32 },
    /// Once, before any item: the job.
    Options(Options),
    /// Do an item. The next one comes only after this one has ended.
    Run {
        /// Counts up; it is in all that is said about the item.
        number: u64,
        /// The name of the task.
        task: String,
        item: RawItem,
    },
    /// Stop doing that item, which may have ended meanwhile.
    Cancel { number: u64 },
}

/// From a worker to the program.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Up {
    /// First of all.
    Hello { version: u32 },
    /// The item is in hand: if the worker dies now, it is because of the item.
    Started { number: u64 },
    /// How far the item is; now and then.
    Progress { number: u64, done: u64, total: u64 },
    /// The item ended.
    Ended { number: u64, end: End },
}

/// How an item ended that did not take its worker along.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum End {
    Returned(Output),
    Failed(ItemError),
    /// The backtrace is resolved where the program's debug information was used already.
    Panicked {
        panic: Panic,
        backtrace: String,
    },
    Cancelled,
}

/// An [`Item`] whose path may be any bytes.
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

/// What makes a conversation end.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProtocolError {
    #[error("a message of {len} bytes, where {MAX_LEN} are the limit")]
    TooLong { len: usize },
    #[error("something that is no message: {0}")]
    Malformed(serde_json::Error),
    #[error("a message that could not be written: {0}")]
    Unwritable(serde_json::Error),
    #[error("version {theirs} of the protocol, where this program speaks {VERSION}")]
    Version { theirs: u32 },
    #[error("`{what}` out of turn")]
    Unexpected { what: &'static str },
}

/// A message as it is sent.
pub(super) fn encode(message: &impl Serialize) -> Result<Vec<u8>, ProtocolError> {
    let mut frame = vec![0; HEAD_LEN];
    serde_json::to_writer(&mut frame, message).map_err(ProtocolError::Unwritable)?;
    let len = frame.len() - HEAD_LEN;
    let head = u32::try_from(len).ok().filter(|_| len <= MAX_LEN);
    let head = head.ok_or(ProtocolError::TooLong { len })?;
    frame[..HEAD_LEN].copy_from_slice(&head.to_le_bytes());
    Ok(frame)
}

/// Turns bytes, in whatever pieces they come, back into messages.
///
/// It never holds more than it was given, whatever a length says.
#[derive(Default)]
pub(super) struct Decoder {
    bytes: Vec<u8>,
    taken: usize,
}

impl Decoder {
    /// Adds bytes as they came.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.taken);
        self.taken = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next message; `None` when more bytes have to come first.
    pub(super) fn next<M: DeserializeOwned>(&mut self) -> Result<Option<M>, ProtocolError> {
        let rest = &self.bytes[self.taken..];
        let Some((head, rest)) = rest.split_first_chunk::<HEAD_LEN>() else {
            return Ok(None);
        };
        let len = usize::try_from(u32::from_le_bytes(*head)).unwrap_or(usize::MAX);
        if len > MAX_LEN {
            return Err(ProtocolError::TooLong { len });
        }
        let Some(message) = rest.get(..len) else {
            return Ok(None);
        };
        self.taken += HEAD_LEN + len;
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

    fn run(number: u64, name: &[u8]) -> Down {
        Down::Run {
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
    fn the_options_of_every_job_arrive_as_they_were_sent() {
        for options in crate::jobs::catalogue() {
            let frame = encode(&Down::Options(options.clone())).unwrap();
            assert_eq!(decode(&frame).unwrap(), Some(Down::Options(options)));
        }
    }

    #[test]
    fn every_end_arrives_as_it_was_sent() {
        let checksum = checksum::Checksum {
            algorithm: checksum::Algorithm::Sha256,
            digest: "ab".repeat(32),
            bytes: u64::MAX,
            verified: true,
        };
        let text = "a\u{0}\u{2028}\u{1f980}".to_owned();
        let ends = [
            End::Returned(Output::Checksum(checksum)),
            End::Returned(Output::Text { text: text.clone() }),
            End::Failed(ItemError {
                kind: "special_file".to_owned(),
                message: text.clone(),
            }),
            End::Panicked {
                panic: Panic {
                    message: text.clone(),
                    location: None,
                    thread: String::new(),
                    task: text,
                    task_id: 3,
                },
                backtrace: "0: main\n".to_owned(),
            },
            End::Cancelled,
        ];
        for end in ends {
            let message = Up::Ended {
                number: u64::MAX,
                end,
            };
            let frame = encode(&message).unwrap();
            assert_eq!(decode(&frame).unwrap(), Some(message));
        }
    }

    #[test]
    fn a_message_at_the_limit_arrives_and_one_beyond_is_never_sent() {
        let text = |len: usize| "x".repeat(len);
        // The quotes count.
        let longest = text(MAX_LEN - 2);
        let frame = encode(&longest).unwrap();
        assert_eq!(decode::<String>(&frame).unwrap(), Some(longest));
        let beyond = encode(&text(MAX_LEN - 1)).unwrap_err();
        assert!(matches!(beyond, ProtocolError::TooLong { len } if len == MAX_LEN + 1));
    }

    #[test]
    fn a_length_beyond_the_limit_is_refused_before_its_bytes_come() {
        let head = u32::try_from(MAX_LEN + 1).unwrap().to_le_bytes();
        let refused = decode::<Up>(&head).unwrap_err();
        assert!(matches!(refused, ProtocolError::TooLong { .. }));
    }

    #[test]
    fn deep_nesting_is_an_error_not_a_stack_overflow() {
        let deep = vec![b'['; 1 << 20];
        let mut frame = u32::try_from(deep.len()).unwrap().to_le_bytes().to_vec();
        frame.extend_from_slice(&deep);
        let refused = decode::<Up>(&frame).unwrap_err();
        assert!(matches!(refused, ProtocolError::Malformed(_)));
    }

    #[test]
    fn unknown_ends_of_a_known_job_are_refused() {
        let mut frame = encode(&Down::Options(Options::Misbehave(
            misbehave::Options::default(),
        )))
        .unwrap();
        let at = frame.windows(6).position(|bytes| bytes == b"return");
        let at = at.expect("the default end is in it");
        frame[at] = b'x';
        assert!(decode::<Down>(&frame).is_err());
    }

    proptest! {
        #[test]
        fn messages_arrive_in_order_however_the_bytes_are_cut(
            names in prop::collection::vec(prop::collection::vec(1_u8.., 0..40), 0..8),
            cut in 1_usize..50,
        ) {
            let mut numbers = 0..;
            let messages: Vec<Down> = names
                .iter()
                .map(|name| run(numbers.next().unwrap(), name))
                .collect();
            let frames = messages.iter().flat_map(|message| encode(message).unwrap());
            let bytes: Vec<u8> = frames.collect();
            let mut decoder = Decoder::default();
            let mut arrived = Vec::new();
            for piece in bytes.chunks(cut) {
                decoder.push(piece);
                while let Some(message) = decoder.next::<Down>().unwrap() {
                    arrived.push(message);
                }
            }
            prop_assert_eq!(arrived, messages);
        }

        #[test]
        fn any_bytes_end_in_messages_an_error_or_a_wait_for_more(
            bytes in prop::collection::vec(any::<u8>(), 0..4096),
            cut in 1_usize..600,
        ) {
            survive(&bytes, cut);
        }

        #[test]
        fn damaged_messages_end_in_messages_an_error_or_a_wait_for_more(
            name in prop::collection::vec(1_u8.., 0..40),
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
            len in any::<prop::sample::Index>(),
        ) {
            let mut bytes = encode(&run(1, &name)).unwrap();
            bytes.extend(encode(&Down::Cancel { number: 1 }).unwrap());
            let at = at.index(bytes.len());
            bytes[at] = byte;
            bytes.truncate(len.index(bytes.len() + 1));
            survive(&bytes, 7);
        }
    }

    /// Feeds a decoder. Every message takes bytes out of it, so that it comes to an end; and it
    /// holds no more than it was given.
    fn survive(bytes: &[u8], cut: usize) {
        let mut decoder = Decoder::default();
        for piece in bytes.chunks(cut) {
            decoder.push(piece);
            assert!(decoder.bytes.capacity() <= 2 * bytes.len().max(16));
            loop {
                match decoder.next::<Down>() {
                    Ok(Some(_)) => {}
                    Ok(None) => break,
                    Err(_) => return,
                }
            }
        }
    }
}
