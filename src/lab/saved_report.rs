//! Reports that were saved as JSON, such as those of other machines.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::metric::Verdict;
use super::pattern::Variant;
use super::patterns::PatternId;
use super::report::Machine;
use crate::format;

/// A report of all patterns, each run twenty times, has less than 10 MiB.
const MAX_BYTES: u64 = 32 << 20;

/// A report from a file.
#[derive(Clone, Debug)]
pub struct SavedReport {
    /// The name of the file without its ending.
    pub name: String,
    pub machine: Machine,
    /// The patterns in it that this program does not have, once for each variant.
    pub unknown: Vec<String>,
    values: BTreeMap<(PatternId, Variant), f64>,
    /// The patterns that needed something that was not there.
    without_need: BTreeSet<PatternId>,
}

#[derive(Deserialize)]
struct Document {
    machine: Machine,
    patterns: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    id: String,
    variant: Variant,
    /// Reports before version 0.1 say `judged`.
    #[serde(alias = "judged")]
    value: Option<Value>,
    missing: Option<String>,
}

#[derive(Deserialize)]
struct Value {
    /// `None` if it is without end, which JSON can't say.
    median: Option<f64>,
}

impl SavedReport {
    /// Reads a report.
    ///
    /// # Errors
    /// A sentence: the file can't be read, or is no report.
    pub fn read(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        let file =
            fs::metadata(path).map_err(|error| format!("{shown} can't be read: {error}."))?;
        if !file.is_file() || file.len() > MAX_BYTES {
            return Err(format!(
                "{shown} is no report of the Freeze Lab: it is no file of at most {}.",
                format::bytes(MAX_BYTES)
            ));
        }
        let text = fs::read(path).map_err(|error| format!("{shown} can't be read: {error}."))?;
        let document: Document = serde_json::from_slice(&text).map_err(|error| {
            format!("{shown} is no report of the Freeze Lab in JSON ({error}). Save report… writes one as .json.")
        })?;
        let name = path.file_stem().unwrap_or_default();
        let name = format::one_line(&name.to_string_lossy()).into_owned();
        Ok(Self::of(name, document))
    }

    fn of(name: String, document: Document) -> Self {
        let mut report = Self {
            name,
            machine: document.machine,
            unknown: Vec::new(),
            values: BTreeMap::new(),
            without_need: BTreeSet::new(),
        };
        for entry in document.patterns {
            let Ok(pattern) = entry.id.parse::<PatternId>() else {
                report.unknown.push(entry.id);
                continue;
            };
            if entry.missing.is_some() {
                report.without_need.insert(pattern);
            }
            if let Some(value) = entry.value {
                let median = value.median.unwrap_or(f64::INFINITY);
                report.values.insert((pattern, entry.variant), median);
            }
        }
        report
    }

    /// The metric of one variant of a pattern, if it was measured.
    pub fn value(&self, pattern: PatternId, variant: Variant) -> Option<f64> {
        self.values.get(&(pattern, variant)).copied()
    }

    /// The comparison of both variants, once both were measured.
    pub fn verdict(&self, pattern: PatternId) -> Option<Verdict> {
        let bad = self.value(pattern, Variant::Bad)?;
        let fixed = self.value(pattern, Variant::Fixed)?;
        let verdict = Verdict::of(pattern.entry().metric, bad, fixed);
        Some(if self.without_need.contains(&pattern) {
            verdict.without_need()
        } else {
            verdict
        })
    }

    /// Both variants of a pattern, such as `2.00 s / 20 ms`.
    pub fn values_text(&self, pattern: PatternId) -> String {
        let metric = pattern.entry().metric;
        let text = |variant| {
            let value = self.value(pattern, variant);
            value.map_or("–".to_owned(), |value| metric.short_text(value))
        };
        format!("{} / {}", text(Variant::Bad), text(Variant::Fixed))
    }

    /// How much worse the bad variant was, such as `100×`; empty if that is no number.
    pub fn ratio_text(&self, pattern: PatternId) -> String {
        match self.verdict(pattern) {
            Some(verdict) if !verdict.reproduced => "not reproduced".to_owned(),
            verdict => {
                let ratio = verdict.and_then(|verdict| verdict.ratio);
                ratio.map_or_else(String::new, format::ratio)
            }
        }
    }

    /// The machine in one sentence, and what of the report is not shown.
    pub fn text(&self) -> String {
        let unknown = match self.unknown.as_slice() {
            [] => String::new(),
            unknown => format!(" This version does not know {}.", unknown.join(", ")),
        };
        format!("{}: {}{unknown}", self.name, self.machine.text())
    }
}

/// A Markdown table with a column for each report, and the machines below it.
pub fn comparison(reports: &[SavedReport]) -> String {
    let mut text = String::from("| pattern | metric |");
    for report in reports {
        write!(text, " {} |", report.name.replace('|', "\\|")).expect("a string takes any text");
    }
    text.push_str("\n|---|---|");
    text.push_str(&"---|".repeat(reports.len()));
    for pattern in PatternId::all() {
        let metric = pattern.entry().metric.title();
        write!(text, "\n| {pattern} | {metric} |").expect("a string takes any text");
        for report in reports {
            let (values, ratio) = (report.values_text(pattern), report.ratio_text(pattern));
            let ratio = if ratio.is_empty() {
                ratio
            } else {
                format!(" ({ratio})")
            };
            write!(text, " {values}{ratio} |").expect("a string takes any text");
        }
    }
    text.push('\n');
    for report in reports {
        write!(text, "\n{}\n", report.text()).expect("a string takes any text");
    }
    text
}
