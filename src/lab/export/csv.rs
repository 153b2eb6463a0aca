//! Comma-separated values, as RFC 4180 defines them.

use crate::format::csv_line;
use crate::lab::figure_table::FIGURES;
use crate::lab::report::LabReport;

impl LabReport {
    /// One line for each variant with every figure; of repeated runs, the median.
    pub fn csv(&self) -> String {
        let names = ["id", "variant", "runs"].into_iter();
        let names = names.chain(FIGURES.iter().map(|figure| figure.id));
        let names = names
            .chain(["because", "ending", "machine"])
            .map(Into::into);
        let mut text = csv_line(names);
        for row in &self.rows {
            let head = [
                row.pattern.to_string(),
                row.variant.to_string(),
                row.runs.to_string(),
            ];
            let figures = FIGURES.iter().map(|figure| {
                let centre = row.centre(figure.value);
                centre.map_or_else(String::new, |centre| csv_number(centre.median))
            });
            let because = row.because().unwrap_or_default().to_owned();
            let tail = [because, row.ending.to_string(), self.machine.text()];
            let fields = head.into_iter().chain(figures).chain(tail);
            text += &csv_line(fields.map(Into::into));
        }
        text
    }
}

/// At most three decimals, without trailing zeros.
fn csv_number(value: f64) -> String {
    ((value * 1e3).round() / 1e3).to_string()
}
