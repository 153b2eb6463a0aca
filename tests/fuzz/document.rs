//! Files that resemble those of many programs, and what of them must be in the trace or in its notes.

use std::fmt::Write as _;

use arbitrary::Arbitrary;

use crate::check::check_read;
use crate::trace::ReadTrace;

/// A file: events, and what may be around them.
#[derive(Arbitrary, Debug)]
pub struct Document {
    /// Whether it says that this program has written it, and in which version.
    own: Option<u8>,
    dropped: Option<u16>,
    has_more_fields: bool,
    events: Vec<Event>,
}

/// The text of a document, and where each event ends in it.
#[derive(Debug)]
pub struct Written {
    pub text: String,
    ends: Vec<usize>,
}

#[derive(Arbitrary, Debug, Clone)]
struct Event {
    phase: Phase,
    ts: Time,
    dur: Time,
    pid: Id,
    tid: Id,
    name: Name,
    id: Number,
    args: Args,
    odd: Odd,
}

#[derive(Arbitrary, Debug, Clone, Copy, PartialEq)]
enum Phase {
    Complete,
    Begin,
    End,
    AsyncBegin,
    AsyncEnd,
    OldAsyncBegin,
    OldAsyncEnd,
    FlowBegin,
    FlowStep,
    FlowEnd,
    Instant,
    OldInstant,
    AsyncInstant,
    Counter,
    Metadata,
    Sample,
    Object,
    Other(char),
}

/// A time as files have it.
#[derive(Arbitrary, Debug, Clone)]
enum Time {
    None,
    Micros(u8),
    Nanos(u16),
    Text(i16),
    TextOfNanos(u32),
    Whole(i64),
    Unsigned(u64),
    Float(f64),
    Odd(u8),
}

#[derive(Arbitrary, Debug, Clone, Copy)]
enum Id {
    None,
    Number(u8),
    Text(u8),
    Negative(i64),
}

#[derive(Arbitrary, Debug, Clone, Copy)]
enum Name {
    None,
    Known(u8),
    Frame,
    Process,
    ProcessIndex,
    Thread,
    ThreadIndex,
}

/// What connects events.
#[derive(Arbitrary, Debug, Clone, Copy)]
enum Number {
    None,
    Whole(u8),
    Text(u8),
    Local(u8),
    Global(u8),
}

#[derive(Arbitrary, Debug, Clone)]
enum Args {
    None,
    Empty,
    Own {
        state: u8,
        outcome: u8,
        kind: u8,
        item: Option<Item>,
        open: bool,
    },
    Sum,
    Result(u8),
    Value(u64),
    Took(f64),
    Name(u8),
    Index(i64),
    Odd(u8),
}

#[derive(Arbitrary, Debug, Clone, Copy)]
enum Item {
    Low(u8),
    Any(u32),
}

/// What makes an event odd; most are not.
#[derive(Arbitrary, Debug, Clone, Copy, PartialEq)]
enum Odd {
    No,
    Nor,
    Neither,
    Space,
    Bind,
    Phase,
    NoObject(u8),
}

const NAMES: [&str; 6] = [
    "",
    "a",
    "b",
    "=1+\\\"x\\\"",
    "\\u00c4\\n\\ud83d\\ude00",
    "#1 c",
];
const CATEGORIES: [&str; 3] = ["", "a", "join"];
const STATES: [&str; 5] = ["runs", "queued", "waits_in_join", "frozen", "no state"];
const OUTCOMES: [&str; 4] = ["returned", "failed", "crashed", "no outcome"];
const KINDS: [&str; 5] = ["whole", "joins", "thread", "window", "no kind"];
const RESULTS: [&str; 4] = ["pass", "fail", "timeout", "else"];
const ODD_TIMES: [&str; 6] = ["\"x\"", "[]", "{}", "true", "\"\"", "\"nan\""];
const ODD_ARGS: [&str; 5] = [
    "[]",
    "1",
    "{\"name\":1}",
    "{\"result\":[{}]}",
    "{\"item\":-1}",
];
const NO_OBJECTS: [&str; 5] = ["null", "1", "\"x\"", "[[]]", "{\"ph\":1}"];

fn of<'a>(all: &[&'a str], number: u8) -> &'a str {
    all[usize::from(number) % all.len()]
}

impl Phase {
    fn text(self) -> String {
        match self {
            Self::Complete => "X".into(),
            Self::Begin => "B".into(),
            Self::End => "E".into(),
            Self::AsyncBegin => "b".into(),
            Self::AsyncEnd => "e".into(),
            Self::OldAsyncBegin => "S".into(),
            Self::OldAsyncEnd => "F".into(),
            Self::FlowBegin => "s".into(),
            Self::FlowStep => "t".into(),
            Self::FlowEnd => "f".into(),
            Self::Instant => "i".into(),
            Self::OldInstant => "I".into(),
            Self::AsyncInstant => "n".into(),
            Self::Counter => "C".into(),
            Self::Metadata => "M".into(),
            Self::Sample => "P".into(),
            Self::Object => "O".into(),
            // No letter, digit or sign: the kinds above say what they are.
            Self::Other(other) if !other.is_ascii() => other.into(),
            Self::Other(_) => "?".into(),
        }
    }

    fn begins_span(self) -> bool {
        matches!(self, Self::Complete | Self::Begin) || self.begins_async()
    }

    fn begins_async(self) -> bool {
        matches!(self, Self::AsyncBegin | Self::OldAsyncBegin)
    }

    fn is_mark(self) -> bool {
        matches!(self, Self::Instant | Self::OldInstant | Self::AsyncInstant)
    }

    fn is_flow(self) -> bool {
        matches!(self, Self::FlowBegin | Self::FlowStep | Self::FlowEnd)
    }
}

impl Time {
    /// As JSON; `None` if the field is not there.
    fn text(&self) -> Option<String> {
        Some(match self {
            Self::None => return None,
            Self::Micros(micros) => micros.to_string(),
            Self::Nanos(nanos) => format!("{}.{:03}", nanos / 1_000, nanos % 1_000),
            Self::Text(micros) => format!("\"{micros}\""),
            Self::TextOfNanos(nanos) => format!("\" {}.{:03}\"", nanos / 1_000, nanos % 1_000),
            Self::Whole(micros) => micros.to_string(),
            Self::Unsigned(micros) => micros.to_string(),
            Self::Float(micros) if micros.is_finite() => format!("{micros:e}"),
            Self::Float(_) => "0".into(),
            Self::Odd(odd) => of(&ODD_TIMES, *odd).into(),
        })
    }
}

impl Id {
    fn text(self) -> Option<String> {
        Some(match self {
            Self::None => return None,
            Self::Number(id) => (id % 4).to_string(),
            Self::Text(id) => format!("\"{}\"", id % 4),
            Self::Negative(id) => id.to_string(),
        })
    }
}

impl Name {
    fn text(self) -> Option<&'static str> {
        Some(match self {
            Self::None => return None,
            Self::Known(name) => of(&NAMES, name),
            Self::Frame => "frame time (ms)",
            Self::Process => "process_name",
            Self::ProcessIndex => "process_sort_index",
            Self::Thread => "thread_name",
            Self::ThreadIndex => "thread_sort_index",
        })
    }
}

impl Number {
    fn text(self) -> Option<String> {
        Some(match self {
            Self::None => return None,
            Self::Whole(id) => format!("\"id\":{}", id % 4),
            Self::Text(id) => format!("\"id\":\"0x{:x}\"", id % 4),
            Self::Local(id) => format!("\"id2\":{{\"local\":\"{}\"}}", id % 4),
            Self::Global(id) => format!("\"id2\":{{\"global\":{}}}", id % 4),
        })
    }
}

impl Args {
    fn text(&self) -> Option<String> {
        Some(match self {
            Self::None => return None,
            Self::Empty => "{}".into(),
            Self::Own {
                state,
                outcome,
                kind,
                item,
                open,
            } => {
                let mut text = format!(
                    "{{\"state\":\"{}\",\"outcome\":\"{}\",\"kind\":\"{}\",\"open\":{open},\"name\":\"{}\"",
                    of(&STATES, *state),
                    of(&OUTCOMES, *outcome),
                    of(&KINDS, *kind),
                    of(&NAMES, *kind)
                );
                let item = match item {
                    Some(Item::Low(item)) => Some(u32::from(*item % 8)),
                    Some(Item::Any(item)) => Some(*item),
                    None => None,
                };
                if let Some(item) = item {
                    write!(text, ",\"item\":{item}").expect("a string takes it");
                }
                text + "}"
            }
            Self::Sum => "{\"count\":3,\"avg ms\":1}".into(),
            Self::Result(result) => {
                format!(
                    "{{\"result\":{{\"status\":\"{}\"}}}}",
                    of(&RESULTS, *result)
                )
            }
            Self::Value(value) => format!("{{\"value\":{value}}}"),
            Self::Took(took) if took.is_finite() => format!("{{\"took\":{took:e}}}"),
            Self::Took(_) => "{\"took\":null}".into(),
            Self::Name(name) => format!("{{\"name\":\"{}\"}}", of(&NAMES, *name)),
            Self::Index(index) => format!("{{\"sort_index\":{index}}}"),
            Self::Odd(odd) => of(&ODD_ARGS, *odd).into(),
        })
    }
}

impl Event {
    fn write(&self, out: &mut String) {
        if let Odd::NoObject(odd) = self.odd {
            out.push_str(of(&NO_OBJECTS, odd));
            return;
        }
        let ph = match self.odd {
            Odd::Phase => None,
            _ => Some(format!("\"ph\":\"{}\"", self.phase.text())),
        };
        let field = |name: &str, value: Option<String>| value.map(|it| format!("\"{name}\":{it}"));
        let quoted = |text: &str| format!("\"{text}\"");
        let category = match self.id {
            Number::Whole(id) | Number::Text(id) => Some(quoted(of(&CATEGORIES, id / 4))),
            _ => None,
        };
        let bind = (self.odd == Odd::Bind).then(|| "\"bind_id\":[1]".to_owned());
        let fields = [
            ph,
            field("ts", self.ts.text()),
            field("dur", self.dur.text()),
            field("pid", self.pid.text()),
            field("tid", self.tid.text()),
            field("name", self.name.text().map(quoted)),
            field("cat", category),
            self.id.text(),
            field("args", self.args.text()),
            bind,
        ];
        let fields: Vec<String> = fields.into_iter().flatten().collect();
        let between = if self.odd == Odd::Space { " ,\n" } else { "," };
        write!(out, "{{{}}}", fields.join(between)).expect("a string takes it");
    }

    /// Whether it is as the format says.
    fn is_right(&self) -> bool {
        let is_number = |time: &Time| !matches!(time, Time::Odd(_));
        let has_number =
            !self.phase.begins_async() && !self.phase.is_flow() || !matches!(self.id, Number::None);
        is_number(&self.ts)
            && is_number(&self.dur)
            && !matches!(self.ts, Time::None)
            && has_number
            && !matches!(self.odd, Odd::NoObject(_) | Odd::Phase)
    }
}

impl Document {
    pub fn as_object(&self) -> Written {
        let mut text = "{".to_owned();
        if self.has_more_fields {
            text.push_str("\"metadata\":{\"a\":[1,null]},\"systemTraceEvents\":\"x\",");
        }
        if let Some(version) = self.own {
            write!(text, "\"meanwhile\":{{\"version\":{}}},", version % 3)
                .expect("a string takes it");
        }
        if let Some(dropped) = self.dropped {
            write!(text, "\"dropped\":{dropped},").expect("a string takes it");
        }
        text.push_str("\"traceEvents\":");
        let ends = self.write_events(&mut text);
        if self.has_more_fields {
            text.push_str(",\"samples\":[]");
        }
        text.push('}');
        Written { text, ends }
    }

    pub fn as_array(&self) -> Written {
        let mut text = String::new();
        let ends = self.write_events(&mut text);
        Written { text, ends }
    }

    fn write_events(&self, text: &mut String) -> Vec<usize> {
        text.push('[');
        let mut ends = Vec::new();
        for event in &self.events {
            if !ends.is_empty() {
                text.push_str(",\n");
            }
            event.write(text);
            ends.push(text.len());
        }
        text.push(']');
        ends
    }

    /// Takes the first events of another document in place of its own.
    pub fn share(&mut self, other: &Self, count: usize) {
        let shared = other.events.iter().take(count).cloned();
        let own = self.events.iter().skip(count).cloned();
        self.events = shared.chain(own).collect();
    }

    /// Checks what was read of the first `len` bytes of it: all is in the trace, or the notes say that it is not.
    pub fn check(&self, written: &Written, len: usize, found: Option<ReadTrace>) {
        let complete = written.ends.iter().filter(|end| **end <= len).count();
        let right = || self.events[..complete].iter().filter(|it| it.is_right());
        let number = |is_it: fn(Phase) -> bool| right().filter(|it| is_it(it.phase)).count();
        let (spans, marks) = (number(Phase::begins_span), number(Phase::is_mark));
        let flows = number(Phase::is_flow);
        let Some(found) = found else {
            let sums = right().filter(|it| matches!(it.args, Args::Sum)).count();
            assert_eq!(
                (spans.min(spans - sums.min(spans)), marks, flows),
                (0, 0, 0)
            );
            return;
        };
        check_read(&found);
        let trace = &found.trace;
        let left_out = left_out(&found.notes, &["spans that overlap", "sums of times"]);
        assert_eq!(trace.len() + left_out, spans, "{:?}", found.notes);
        assert_eq!(trace.marks().len(), marks);
        let ends = left_out_flows(&found.notes);
        assert!(
            2 * trace.flows().len() + ends >= flows,
            "{} flows of {flows} events: {:?}",
            trace.flows().len(),
            found.notes
        );
    }
}

fn left_out_flows(notes: &[String]) -> usize {
    left_out(notes, &["flows without"])
}

/// How many of these the notes say were left out.
fn left_out(notes: &[String], what: &[&str]) -> usize {
    let counts = notes.iter().filter_map(|note| {
        let (count, of) = note.strip_prefix("Left out: ")?.split_once(' ')?;
        let is_it = what.iter().any(|what| of.starts_with(what));
        is_it.then(|| count.parse::<usize>().expect("it is a number"))
    });
    counts.sum()
}
