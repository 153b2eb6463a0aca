//! One JSON document with the machine and every figure of each variant.

use std::io;

use serde::Serialize;

use crate::lab::figures::{Figures, TwinOutcome};
use crate::lab::metric::Verdict;
use crate::lab::pattern::Variant;
use crate::lab::report::{LabReport, Machine, Row};
use crate::record::statistics::Centre;

#[derive(Serialize)]
struct Document<'a> {
    machine: &'a Machine,
    patterns: Vec<RowDocument<'a>>,
}

#[derive(Serialize)]
struct RowDocument<'a> {
    id: &'static str,
    variant: Variant,
    runs: usize,
    metric: &'static str,
    value: Option<Centre>,
    verdict: Option<Verdict>,
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<&'static str>,
    ending: &'a TwinOutcome,
    #[serde(flatten)]
    figures: Option<&'a Figures>,
}

impl LabReport {
    /// Writes one JSON document.
    ///
    /// # Errors
    /// Writing to `out` failed.
    pub fn write_json(&self, out: impl io::Write) -> io::Result<()> {
        let patterns = self.rows.iter().map(|row| RowDocument::of(self, row));
        let document = Document {
            machine: &self.machine,
            patterns: patterns.collect(),
        };
        Ok(serde_json::to_writer_pretty(out, &document)?)
    }
}

impl<'a> RowDocument<'a> {
    fn of(report: &LabReport, row: &'a Row) -> Self {
        let entry = row.pattern.entry();
        Self {
            id: entry.id,
            variant: row.variant,
            runs: row.runs,
            metric: entry.metric.title(),
            value: row.value,
            verdict: report.verdict(row.pattern),
            missing: report.missing(row.pattern),
            ending: &row.ending,
            figures: row.figures.as_ref(),
        }
    }
}
