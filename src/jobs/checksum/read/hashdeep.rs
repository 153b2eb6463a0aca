//! The lists of hashdeep: columns with commas, the name last.

use super::plain::size;
use super::{Entry, Line, digest};

/// The most columns of a list.
const MAX_COLUMNS: usize = 16;

/// The names of the columns, once a heading has named them.
#[derive(Debug, Default)]
pub(super) struct Hashdeep {
    columns: Vec<String>,
}

impl Hashdeep {
    /// Understands a line if the list is one of hashdeep.
    pub(super) fn line(&mut self, line: &[u8]) -> Option<Line> {
        if let Some(head) = line.strip_prefix(b"%%%% ") {
            let head = String::from_utf8_lossy(head);
            if head.ends_with(",filename") {
                let columns = head.split(',').take(MAX_COLUMNS);
                self.columns = columns.map(str::to_owned).collect();
            }
            return Some(Line::Nothing);
        }
        if self.columns.is_empty() {
            return None;
        }
        if line.starts_with(b"## ") || line == b"##" || line.is_empty() {
            return Some(Line::Nothing);
        }
        Some(self.row(line).map_or(Line::NoChecksum, Line::Entry))
    }

    fn row(&self, line: &[u8]) -> Option<Entry> {
        let mut entry = Entry::default();
        let fields = line.splitn(self.columns.len(), |&byte| byte == b',');
        for (column, field) in self.columns.iter().zip(fields) {
            match column.as_str() {
                "size" => entry.bytes = Some(size(field)?),
                "filename" => entry.names.push(field.to_vec()),
                // An algorithm that can't be computed here has another beside it.
                algorithm => entry.claims.extend(digest::tagged(algorithm, field)),
            }
        }
        let is_whole = !entry.claims.is_empty() && entry.names.iter().any(|name| !name.is_empty());
        is_whole.then_some(entry)
    }
}
