//! Reads a file of events, one after the other: as much as there is room for, however long it is.

use std::cell::Cell;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::VERSION;
use super::collect::Collected;
use crate::trace::Trace;

/// A trace that was read, and what has to be said about it.
#[derive(Debug)]
pub struct ReadTrace {
    pub trace: Trace,
    /// What was left out and why, a sentence each.
    pub notes: Vec<String>,
}

/// The file has no trace.
#[derive(Debug, thiserror::Error)]
pub enum ReadTraceError {
    #[error("it could not be read: {0}")]
    Io(#[from] io::Error),
    #[error("it is no trace: {0}")]
    NoTrace(String),
    #[error("something in it is longer than 16 MiB, which no event is")]
    TooLong,
}

/// Reads a trace in the format of Chrome: an object with `traceEvents`, or an array of events, which may end early. It may
/// be compressed with gzip. What [`write_chrome`](super::write_chrome) has written comes back as it was.
///
/// Complete events, begins with ends, asynchronous events, flows, instants and the names of processes and threads
/// become lanes. Spans that overlap others of their thread get a lane of their own. What else there is is counted in
/// the notes. The file is read piece by piece, however long it is, and no event of more than 16 MiB is read into memory.
/// Spans that overlap by a microsecond, because their times are rounded, are fitted into each other. At most [`MAX_SPANS`](crate::trace::MAX_SPANS) spans are kept.
///
/// # Errors
/// The input could not be read, or has no event at all.
pub fn read_chrome(input: impl Read) -> Result<ReadTrace, ReadTraceError> {
    let mut input = BufReader::with_capacity(1 << 16, input);
    let is_gzip = input.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    if is_gzip {
        read_json(BufReader::with_capacity(
            1 << 16,
            MultiGzDecoder::new(input),
        ))
    } else {
        read_json(input)
    }
}

fn read_json(input: impl Read) -> Result<ReadTrace, ReadTraceError> {
    let mut file = File::default();
    let limit = Limit::default();
    file.limit = limit.clone();
    let input = Limited { input, limit };
    let mut json = serde_json::Deserializer::from_reader(input);
    let mut notes = Vec::new();
    if let Err(error) = (Top(&mut file)).deserialize(&mut json) {
        notes.extend(early_end(&file, error)?);
    } else if !file.has_events {
        return Err(ReadTraceError::NoTrace("it has no traceEvents".to_owned()));
    } else if file.events.is_empty() && file.events.has_left_out() {
        return Err(ReadTraceError::NoTrace(NO_EVENT.to_owned()));
    }
    if file.version.is_some_and(|version| version > VERSION) {
        notes.push(
            "A newer version of Meanwhile has written the file; what is new in it is left out."
                .to_owned(),
        );
    }
    let mut trace = file.events.into_trace(file.version.is_some(), &mut notes);
    trace.note_dropped(file.dropped);
    Ok(ReadTrace { trace, notes })
}

/// What there is to say if the file ends early; nothing if that is usual.
fn early_end(file: &File, error: serde_json::Error) -> Result<Option<String>, ReadTraceError> {
    let is_too_long = file.limit.is_reached();
    if file.events.is_empty() {
        return Err(match () {
            () if is_too_long => ReadTraceError::TooLong,
            () if error.is_io() => ReadTraceError::Io(error.into()),
            () => ReadTraceError::NoTrace(error.to_string()),
        });
    }
    // Chrome itself does not write the end of an array.
    let is_usual = error.is_eof() && file.is_array;
    let what = match () {
        () if is_too_long => ReadTraceError::TooLong.to_string(),
        () if error.is_io() => format!("the file could not be read to its end: {error}"),
        () => format!("the file is damaged: {error}"),
    };
    Ok((!is_usual).then(|| format!("What follows is left out, for {what}.")))
}

/// The longest event that is read, in bytes: an event is in memory as a whole.
const MAX_EVENT: u64 = 16 << 20;

/// How many bytes more may be read before the next event or field has to begin.
#[derive(Clone)]
struct Limit(Rc<Cell<u64>>);

impl Default for Limit {
    fn default() -> Self {
        Self(Rc::new(Cell::new(MAX_EVENT)))
    }
}

impl Limit {
    /// Another event or field begins.
    fn reset(&self) {
        self.0.set(MAX_EVENT);
    }

    /// What follows is not kept, so it may be of any length.
    fn lift(&self) {
        self.0.set(u64::MAX);
    }

    fn is_reached(&self) -> bool {
        self.0.get() == 0
    }
}

/// An input that fails when the limit is reached.
struct Limited<R> {
    input: R,
    limit: Limit,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.limit.0.get();
        if left == 0 {
            return Err(io::Error::other(ReadTraceError::TooLong));
        }
        let room = usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let read = self.input.read(&mut buffer[..room])?;
        self.limit.0.set(left - read as u64);
        Ok(read)
    }
}

/// What is read of a file.
#[derive(Default)]
struct File {
    events: Collected,
    limit: Limit,
    is_array: bool,
    has_events: bool,
    /// The version of this program's own fields; `None` in a file of another program.
    version: Option<u32>,
    dropped: u64,
}

struct Top<'a>(&'a mut File);

impl<'de> DeserializeSeed<'de> for Top<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Top<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with traceEvents, or an array of events")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, events: A) -> Result<(), A::Error> {
        self.0.is_array = true;
        self.0.has_events = true;
        Events(self.0).visit_seq(events)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        #[derive(Deserialize)]
        struct Own {
            version: u32,
        }
        while let Some(field) = fields.next_key::<String>()? {
            match field.as_str() {
                "traceEvents" => {
                    self.0.has_events = true;
                    fields.next_value_seed(Events(self.0))?;
                }
                "meanwhile" => self.0.version = Some(fields.next_value::<Own>()?.version),
                "dropped" if self.0.version.is_some() => self.0.dropped = fields.next_value()?,
                _ => {
                    self.0.limit.lift();
                    fields.next_value::<IgnoredAny>()?;
                }
            }
            self.0.limit.reset();
        }
        Ok(())
    }
}

/// Why a file with an array is no trace.
const NO_EVENT: &str = "nothing in it is an event";

struct Events<'a>(&'a mut File);

impl<'de> DeserializeSeed<'de> for Events<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Events<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of events")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut events: A) -> Result<(), A::Error> {
        while let Some(event) = events.next_element::<Box<RawValue>>()? {
            // An event that is odd is left out; only what is no JSON ends the file.
            match serde_json::from_str(event.get()) {
                Ok(event) => self.0.events.add(&event),
                Err(_) => self
                    .0
                    .events
                    .leave_out("events that are not as the format says"),
            }
            self.0.limit.reset();
            if self.0.events.is_hopeless() {
                return Err(A::Error::custom(NO_EVENT));
            }
        }
        Ok(())
    }
}
