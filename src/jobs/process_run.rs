//! The run of a process, as plain data.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::JobOutput;
use crate::format::plural;
#[cfg(unix)]
use crate::join::process::{StopReport, TreeMember};

/// One run of an item's process, from start to end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProcessRun {
    #[serde(flatten)]
    pub end: ExitStatus,
    pub elapsed_secs: f64,
    pub stdout: CapturedOutput,
    pub stderr: CapturedOutput,
    /// The processes that still held its output open shortly after its end, such as `sleep (4711)`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holders: Vec<String>,
    /// The processes that it had started and that ran on when it had ended by itself, such as
    /// `screen (4711)`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<String>,
    /// The result of stopping it, or what it left running; `None` if it ended by itself and nothing was
    /// stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<StopSummary>,
}

impl JobOutput for Arc<ProcessRun> {}

/// The last line that it printed or, if it printed nothing, how it ended.
impl fmt::Display for ProcessRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = self.stdout.last_lines(1);
        if line.is_empty() {
            self.end.fmt(f)?;
        } else {
            f.write_str(&line)?;
        }
        if self.left.is_empty() {
            return Ok(());
        }
        write!(f, " (left running: {})", self.left.join(", "))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "snake_case")]
pub enum ExitStatus {
    Exited {
        /// With this code, 0 to 255.
        code: i32,
    },
    /// A signal killed it.
    Signalled {
        /// The number of the signal.
        signal: i32,
        /// Its name, such as `SIGKILL`, if it has one.
        name: Option<String>,
        /// Whether the system wrote a core file.
        core_dumped: bool,
    },
    /// It is still alive, because it could not be killed or has not exited yet.
    Escaped,
    /// It exited, but other code reaped its status.
    Unknown,
    /// It runs on: something else has started it, and it is no longer waited for.
    RunsOn,
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited { code } => write!(f, "exited with code {code}"),
            Self::Signalled {
                signal,
                name,
                core_dumped,
            } => {
                write!(f, "was killed by signal {signal}")?;
                if let Some(name) = name {
                    write!(f, " ({name})")?;
                }
                f.write_str(if *core_dumped {
                    " and left a core file"
                } else {
                    ""
                })
            }
            Self::Escaped => f.write_str("could not be killed"),
            Self::Unknown => f.write_str("exited, but its status was reaped by other code"),
            Self::RunsOn => f.write_str("runs on"),
        }
    }
}

/// The last bytes that a process printed on one stream.
///
/// A document has `text`, in which bytes that are not UTF-8 are replaced; `bytes_hex` if any were
/// replaced; `total` and `dropped`, in bytes; and `begins_within_line`, which is `true` if the last line is
/// too long to be kept whole. Without it the text begins with a line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Document", into = "Document")]
pub struct CapturedOutput {
    /// The last bytes.
    pub bytes: Vec<u8>,
    /// The number of bytes that it printed in total.
    pub total: u64,
    /// Whether a descendant still held the stream open when the process had ended.
    pub held_open: bool,
    /// Whether the bytes begin within a line, as far as that is known.
    pub begins_within_line: bool,
}

impl CapturedOutput {
    /// The number of bytes that were dropped before the kept ones.
    pub fn dropped(&self) -> u64 {
        self.total.saturating_sub(self.bytes.len() as u64)
    }

    /// The last `count` lines as text, without a line end at the end.
    pub fn last_lines(&self, count: usize) -> String {
        let end = self.bytes.trim_ascii_end();
        let mut lines = end.rsplitn(count + 1, |&byte| byte == b'\n');
        let mut last: Vec<_> = lines.by_ref().take(count).collect();
        last.reverse();
        String::from_utf8_lossy(&last.join(&b'\n')).into_owned()
    }

    /// Drops the beginning that may be a part of a line, unless there is no other line.
    #[cfg_attr(not(unix), expect(dead_code, reason = "commands run on Unix only"))]
    pub(super) fn begin_with_line(&mut self) {
        let end = self.bytes.iter().position(|&byte| byte == b'\n');
        match end.filter(|end| end + 1 < self.bytes.len()) {
            Some(end) => {
                self.bytes.drain(..=end);
            }
            None => self.begins_within_line = !self.bytes.is_empty(),
        }
    }

    /// Drops all but the last `limit` bytes, or fewer so that they begin with a whole line.
    #[cfg_attr(not(unix), expect(dead_code, reason = "commands run on Unix only"))]
    pub(super) fn shorten(&mut self, limit: usize) {
        let Some(cut) = self.bytes.len().checked_sub(limit).filter(|&cut| cut > 0) else {
            return;
        };
        // A line that begins exactly at the cut is whole.
        let line = self.bytes[cut - 1..].iter().position(|&byte| byte == b'\n');
        let line = line.filter(|at| cut + at < self.bytes.len());
        self.begins_within_line = line.is_none() && limit > 0;
        self.bytes.drain(..cut + line.unwrap_or(0));
        self.bytes.shrink_to_fit();
    }
}

#[derive(Serialize, Deserialize)]
struct Document {
    text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bytes_hex: Option<String>,
    total: u64,
    dropped: u64,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    held_open: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    begins_within_line: bool,
}

impl From<CapturedOutput> for Document {
    fn from(printed: CapturedOutput) -> Self {
        let dropped = printed.dropped();
        let (text, bytes_hex) = match String::from_utf8(printed.bytes) {
            Ok(text) => (text, None),
            Err(error) => {
                let bytes = error.as_bytes();
                let text = String::from_utf8_lossy(bytes).into_owned();
                (text, Some(hex::encode(bytes)))
            }
        };
        Self {
            text,
            bytes_hex,
            total: printed.total,
            dropped,
            held_open: printed.held_open,
            begins_within_line: printed.begins_within_line,
        }
    }
}

impl From<Document> for CapturedOutput {
    fn from(document: Document) -> Self {
        let bytes = document
            .bytes_hex
            .as_deref()
            .and_then(|digits| hex::decode(digits).ok());
        Self {
            bytes: bytes.unwrap_or_else(|| document.text.into_bytes()),
            total: document.total,
            held_open: document.held_open,
            begins_within_line: document.begins_within_line,
        }
    }
}

/// The result of stopping a process and everything that it started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopSummary {
    /// The processes that were asked to end, such as `sleep (4711)`.
    #[serde(default)]
    pub asked: Vec<String>,
    /// The number of processes that ended without being killed: when asked or, if they were started
    /// during the stop, by themselves.
    pub ended: usize,
    /// Processes that had to be killed, such as `sleep (4711)`.
    pub forced: Vec<String>,
    /// Processes that are still alive.
    pub escaped: Vec<String>,
}

impl StopSummary {
    /// Whether there was no process left to stop.
    pub fn is_empty(&self) -> bool {
        self.ended == 0 && self.forced.is_empty() && self.escaped.is_empty()
    }
}

/// Such as `sleep (13) ended when asked` or `asked sh (12), sleep (13) to end, killed sh (12)`.
impl fmt::Display for StopSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all_ended = self.forced.is_empty() && self.escaped.is_empty();
        let mut parts = Vec::new();
        if !self.asked.is_empty() {
            let asked = listed(&self.asked);
            parts.push(if all_ended {
                format!("{asked} ended when asked")
            } else {
                format!("asked {asked} to end")
            });
        } else if self.ended > 0 {
            let processes = plural(self.ended, "process", "processes");
            parts.push(format!("{processes} ended"));
        }
        if !self.forced.is_empty() {
            parts.push(format!("killed {}", listed(&self.forced)));
        }
        if !self.escaped.is_empty() {
            parts.push(format!("could not kill {}", listed(&self.escaped)));
        }
        if parts.is_empty() {
            parts.push("no process was left to stop".to_owned());
        }
        f.write_str(&parts.join(", "))
    }
}

/// Such as `sleep (4711)`.
#[cfg(unix)]
pub(super) fn process_name(process: &TreeMember) -> String {
    format!("{} ({})", process.name, process.pid)
}

#[cfg(unix)]
impl From<&StopReport> for StopSummary {
    fn from(report: &StopReport) -> Self {
        let names = |processes: &[TreeMember]| processes.iter().map(process_name).collect();
        Self {
            asked: names(&report.asked),
            ended: report.ended.len(),
            forced: names(&report.forced),
            escaped: names(&report.escaped),
        }
    }
}

/// Names a few and counts the rest.
pub(crate) fn listed(names: &[String]) -> String {
    const MAX_NAMED: usize = 4;
    let shown = names[..names.len().min(MAX_NAMED)].join(", ");
    match names.len().saturating_sub(MAX_NAMED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(text: &[u8]) -> CapturedOutput {
        CapturedOutput {
            bytes: text.to_vec(),
            total: text.len() as u64,
            ..CapturedOutput::default()
        }
    }

    #[test]
    fn last_lines_have_no_final_line_end() {
        let text = printed(b"one\ntwo\nthree\n\n");
        assert_eq!(text.last_lines(1), "three");
        assert_eq!(text.last_lines(2), "two\nthree");
        assert_eq!(text.last_lines(9), "one\ntwo\nthree");
        assert_eq!(text.last_lines(0), "");
        assert_eq!(printed(b"\n").last_lines(1), "");
    }

    #[test]
    fn stop_summary_names_the_processes() {
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        let mut stopped = StopSummary {
            asked: names(&["sh (12)", "cat (13)"]),
            ended: 2,
            ..StopSummary::default()
        };
        assert_eq!(stopped.to_string(), "sh (12), cat (13) ended when asked");
        stopped.ended = 1;
        stopped.forced = names(&["sh (12)"]);
        let killed = "asked sh (12), cat (13) to end, killed sh (12)";
        assert_eq!(stopped.to_string(), killed);
        stopped.escaped = names(&["cat (13)"]);
        let escaped = format!("{killed}, could not kill cat (13)");
        assert_eq!(stopped.to_string(), escaped);
        let started_late = StopSummary {
            ended: 1,
            ..StopSummary::default()
        };
        assert_eq!(started_late.to_string(), "1 process ended");
    }

    #[test]
    fn shorten_keeps_whole_lines() {
        for (limit, kept) in [
            (100, "one\ntwo\nthree\n"),
            (10, "two\nthree\n"),
            (9, "three\n"),
            (6, "three\n"),
            (4, "ree\n"),
        ] {
            let mut text = printed(b"one\ntwo\nthree\n");
            text.shorten(limit);
            assert_eq!(text.bytes, kept.as_bytes(), "{limit}");
            assert_eq!(text.begins_within_line, kept == "ree\n");
            assert_eq!(text.dropped(), 14 - kept.len() as u64);
        }
    }

    #[test]
    fn every_byte_survives_a_document() {
        for text in [&b"plain\n"[..], b"not \xff UTF-8", b""] {
            let mut before = printed(text);
            before.total += 7;
            before.begins_within_line = true;
            let document = serde_json::to_string(&before).unwrap();
            let after: CapturedOutput = serde_json::from_str(&document).unwrap();
            assert_eq!(after, before);
        }
    }
}
