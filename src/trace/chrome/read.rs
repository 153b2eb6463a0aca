//! Reads a file of events, one after the other: as much as there is room for, however long it is.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read};

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
}

/// Reads a trace in the format of Chrome: an object with `traceEvents`, or an array of events, which may end early. It may
/// be compressed with gzip. What [`write_chrome`](super::write_chrome) has written comes back as it was.
///
/// Complete events, begins with ends, asynchronous events, flows, instants and the names of processes and threads
/// become lanes. Spans that overlap others of their thread get a lane of their own. What else there is is counted in
/// the notes. At most [`MAX_SPANS`](crate::trace::MAX_SPANS) spans are kept.
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
    let mut json = serde_json::Deserializer::from_reader(input);
    let mut notes = Vec::new();
    if let Err(error) = (Top(&mut file)).deserialize(&mut json) {
        if error.is_io() {
            return Err(ReadTraceError::Io(error.into()));
        }
        if file.events.is_empty() {
            return Err(ReadTraceError::NoTrace(error.to_string()));
        }
        // Chrome itself does not write the end of an array.
        if !(error.is_eof() && file.is_array) {
            notes.push(format!(
                "The file is damaged, and what follows is left out: {error}."
            ));
        }
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

/// What is read of a file.
#[derive(Default)]
struct File {
    events: Collected,
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
        Events(&mut self.0.events).visit_seq(events)
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
                    fields.next_value_seed(Events(&mut self.0.events))?;
                }
                "meanwhile" => self.0.version = Some(fields.next_value::<Own>()?.version),
                "dropped" if self.0.version.is_some() => self.0.dropped = fields.next_value()?,
                _ => drop(fields.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// Why a file with an array is no trace.
const NO_EVENT: &str = "nothing in it is an event";

struct Events<'a>(&'a mut Collected);

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
                Ok(event) => self.0.add(&event),
                Err(_) => self.0.leave_out("events that are not as the format says"),
            }
            if self.0.is_hopeless() {
                return Err(A::Error::custom(NO_EVENT));
            }
        }
        Ok(())
    }
}
