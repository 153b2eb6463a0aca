//! An event as files have it: what may be a number or a text is taken either way.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};
use serde_json::value::RawValue;

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
    pub(super) outcome: Option<Cow<'a, str>>,
    #[serde(default)]
    pub(super) open: bool,
    #[serde(default)]
    pub(super) took: Option<f64>,
}

impl Event<'_> {
    /// The arguments, as far as they have the types that are expected of them.
    pub(super) fn args(&self) -> Args<'_> {
        let args = self
            .args
            .and_then(|args| serde_json::from_str(args.get()).ok());
        args.unwrap_or_default()
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

/// A time in nanoseconds, which files have in microseconds, as a number or as a text.
#[derive(Clone, Copy)]
pub(super) struct Micros(pub(super) i64);

/// A number or a text that names something.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Ident(pub(super) String);

impl Micros {
    #[expect(clippy::cast_possible_truncation, reason = "it saturates")]
    fn new<E: Error>(micros: f64) -> Result<Self, E> {
        if micros.is_finite() {
            // Far enough from the ends for sums and differences.
            Ok(Self((micros * 1e3).round().clamp(-4e18, 4e18) as i64))
        } else {
            Err(E::custom("a time that is no number"))
        }
    }
}

impl<'de> Deserialize<'de> for Micros {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MicrosVisitor)
    }
}

struct MicrosVisitor;

impl Visitor<'_> for MicrosVisitor {
    type Value = Micros;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("microseconds")
    }

    fn visit_u64<E: Error>(self, micros: u64) -> Result<Micros, E> {
        Micros::new(micros as f64)
    }

    fn visit_i64<E: Error>(self, micros: i64) -> Result<Micros, E> {
        Micros::new(micros as f64)
    }

    fn visit_f64<E: Error>(self, micros: f64) -> Result<Micros, E> {
        Micros::new(micros)
    }

    fn visit_str<E: Error>(self, micros: &str) -> Result<Micros, E> {
        Micros::new(micros.trim().parse().map_err(E::custom)?)
    }
}

impl<'de> Deserialize<'de> for Ident {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IdentVisitor)
    }
}

struct IdentVisitor;

impl Visitor<'_> for IdentVisitor {
    type Value = Ident;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number or a text")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Ident, E> {
        Ok(Ident(number.to_string()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Ident, E> {
        Ok(Ident(number.to_string()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Ident, E> {
        Ok(Ident(number.to_string()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Ident, E> {
        Ok(Ident(text.to_owned()))
    }
}
