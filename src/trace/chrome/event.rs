//! An event as files have it: what may be a number or a text is taken either way.

use std::borrow::Cow;

use serde::de::{Error, IgnoredAny};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::trace::SpanOutcome;

/// One event. The names of its fields are those of the format.
#[derive(Deserialize)]
pub(super) struct Event<'a> {
    #[serde(borrow, default)]
    pub(super) ph: Cow<'a, str>,
    #[serde(default)]
    pub(super) ts: Option<Micros>,
    #[serde(default)]
    pub(super) dur: Option<Micros>,
    #[serde(default)]
    pub(super) pid: Option<Ident>,
    #[serde(default)]
    pub(super) tid: Option<Ident>,
    #[serde(borrow, default)]
    pub(super) name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(super) cat: Option<Cow<'a, str>>,
    #[serde(default)]
    pub(super) id: Option<Ident>,
    #[serde(default)]
    pub(super) id2: Option<Id2>,
    /// Connects a span with others, in place of events for flows.
    #[serde(default)]
    pub(super) bind_id: Option<IgnoredAny>,
    /// What asked for a frame, as this program writes it; others may have anything.
    #[serde(borrow, default)]
    pub(super) cause: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) args: Option<&'a RawValue>,
}

/// What the number of an asynchronous event is about.
#[derive(Deserialize)]
pub(super) struct Id2 {
    #[serde(default)]
    pub(super) local: Option<Ident>,
    #[serde(default)]
    pub(super) global: Option<Ident>,
}

/// The argument of a counter.
#[derive(Deserialize)]
struct CounterArgs {
    value: u64,
}

/// The arguments that are read; all others are left out.
#[derive(Default, Deserialize)]
pub(super) struct Args<'a> {
    #[serde(borrow, default)]
    pub(super) name: Option<Cow<'a, str>>,
    #[serde(default)]
    pub(super) sort_index: Option<i64>,
    #[serde(borrow, default)]
    pub(super) kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(super) state: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    outcome: Option<Cow<'a, str>>,
    #[serde(default)]
    pub(super) item: Option<u32>,
    #[serde(default)]
    pub(super) open: bool,
    #[serde(default)]
    pub(super) took: Option<f64>,
    /// What clang has in the events that are no spans, but sums of their times.
    #[serde(default, rename = "avg ms")]
    average: Option<IgnoredAny>,
    /// What nextest has at the end of a test; others may have anything.
    #[serde(borrow, default)]
    result: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct TestResult<'a> {
    #[serde(borrow)]
    status: Cow<'a, str>,
}

impl Args<'_> {
    /// How a span ended, as this program or nextest has it.
    pub(super) fn outcome(&self) -> Option<SpanOutcome> {
        if let Some(label) = &self.outcome {
            return SpanOutcome::from_label(label);
        }
        let result: TestResult<'_> = serde_json::from_str(self.result?.get()).ok()?;
        match &*result.status {
            "pass" | "leak" => Some(SpanOutcome::Returned),
            "fail" | "exec-fail" => Some(SpanOutcome::Failed),
            "timeout" => Some(SpanOutcome::TimedOut),
            _ => None,
        }
    }

    pub(super) fn is_sum(&self) -> bool {
        self.average.is_some()
    }
}

impl Event<'_> {
    /// The arguments, as far as they have the types that are expected of them.
    pub(super) fn args(&self) -> Args<'_> {
        let args = self
            .args
            .and_then(|args| serde_json::from_str(args.get()).ok());
        args.unwrap_or_default()
    }

    /// What asked for a frame, if the event says that.
    pub(super) fn frame_cause(&self) -> Option<Cow<'_, str>> {
        serde_json::from_str(self.cause?.get()).ok()
    }

    /// The value of a counter, if it has one that is a whole number.
    pub(super) fn counter_value(&self) -> Option<u64> {
        let args: CounterArgs = serde_json::from_str(self.args?.get()).ok()?;
        Some(args.value)
    }

    /// The bytes of all texts that may be kept, without the name.
    pub(super) fn text_len(&self) -> usize {
        let ids = [&self.pid, &self.tid, &self.id];
        let ids = ids.into_iter().flatten().map(|id| id.0.len());
        let id2 = self.id2.iter().flat_map(|id2| [&id2.local, &id2.global]);
        let id2 = id2.flatten().map(|id| id.0.len());
        let cat = self.cat.iter().map(|cat| cat.len());
        ids.chain(id2).chain(cat).sum()
    }

    /// The number of an asynchronous event or of a flow, with all that makes it unique.
    pub(super) fn key(&self) -> Option<String> {
        let cat = self.cat.as_deref().unwrap_or("");
        let id2 = self.id2.as_ref();
        let id = self.id.as_ref().or_else(|| id2?.global.as_ref());
        if let Some(id) = id {
            return Some(format!("{cat}\n{}", id.0));
        }
        let (local, pid) = (id2?.local.as_ref()?, self.pid.as_ref());
        Some(format!(
            "{cat}\n{}\n{}",
            pid.map_or("", |pid| &pid.0),
            local.0
        ))
    }
}

/// A time in nanoseconds, which files have in microseconds.
#[derive(Clone, Copy)]
pub(super) struct Micros(pub(super) i64);

/// What names something.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(from = "NumberOrText")]
pub(super) struct Ident(pub(super) String);

#[derive(Deserialize)]
#[serde(untagged)]
enum NumberOrText {
    Number(serde_json::Number),
    Text(String),
}

/// The latest time that is read: far enough from the ends for sums and differences.
pub(super) const FAR: i64 = 4_000_000_000_000_000_000;

impl From<NumberOrText> for Ident {
    fn from(value: NumberOrText) -> Self {
        Self(match value {
            NumberOrText::Number(number) => number.to_string(),
            NumberOrText::Text(text) => text,
        })
    }
}

impl<'de> Deserialize<'de> for Micros {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = <&RawValue>::deserialize(deserializer)?.get();
        let text = if json.starts_with('"') {
            serde_json::from_str(json).map_err(D::Error::custom)?
        } else {
            Cow::from(json)
        };
        let nanos = exact_nanos(text.trim()).or_else(|| nanos_of_float(text.trim()));
        match nanos {
            Some(nanos) => Ok(Self(nanos.clamp(-FAR, FAR))),
            None => Err(D::Error::custom("a time that is no number")),
        }
    }
}

/// The nanoseconds of a decimal number of microseconds. A floating-point number has no nanoseconds of a time since 1970,
/// nor of what is 104 days after the begin of a trace.
fn exact_nanos(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let digit = |place: usize| {
        let digit = fraction.as_bytes().get(place);
        digit.map_or(0, |digit| i64::from(digit - b'0'))
    };
    let nanos = digit(0) * 100 + digit(1) * 10 + digit(2) + i64::from(digit(3) >= 5);
    let nanos = whole
        .parse::<i64>()
        .ok()?
        .checked_mul(1_000)?
        .checked_add(nanos)?;
    Some(if digits == text { nanos } else { -nanos })
}

#[expect(clippy::cast_possible_truncation, reason = "it saturates")]
fn nanos_of_float(text: &str) -> Option<i64> {
    let micros = text.parse().ok().filter(|micros| f64::is_finite(*micros))?;
    Some((micros * 1e3).round() as i64)
}
