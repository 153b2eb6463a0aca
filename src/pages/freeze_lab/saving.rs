//! Saves the report.

use std::path::Path;

use crate::lab::LabReport;
use crate::pages::background_tasks::{TaskOutput, saved};

/// Writes the report: JSON or CSV if the file name ends so, else Markdown.
pub(super) fn save_lab_report(report: &LabReport, path: &Path) -> TaskOutput {
    let extension = path.extension().unwrap_or_default();
    let text = match extension.to_ascii_lowercase().to_str() {
        Some("json") => lab_json(report),
        Some("csv") => report.csv().into_bytes(),
        _ => report.markdown().into_bytes(),
    };
    saved(path, &text, "The report was")
}

fn lab_json(report: &LabReport) -> Vec<u8> {
    let mut text = Vec::new();
    let written = report.write_json(&mut text);
    written.expect("writing to memory does not fail");
    text
}
