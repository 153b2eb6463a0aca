//! Reads what processes print for the output pane, while the pane is shown.

use std::sync::Arc;
use std::time::Duration;

use eframe::egui;

use super::{Pane, ShownOutput, Stream, Workbench};
use crate::jobs::DEFAULT_OUTPUT_LIMIT;
use crate::jobs::{CapturedOutput, ProcessRun};
use crate::record::{ItemId, JobId};

/// The time between two reads of a flood: the next bytes would not fit anyway.
const FLOOD_READ_INTERVAL: Duration = Duration::from_millis(100);

/// More new bytes than this are a flood, of which only the last bytes are read.
const MIN_FLOOD_BYTES: u64 = 128 * 1024;

/// The time between two reads of a stream that outlives its process: its bytes don't wake the
/// window.
const HELD_OPEN_INTERVAL: Duration = Duration::from_millis(500);

/// The most bytes that a frame searches.
const MAX_SEARCH_BYTES: usize = 512 * 1024;

/// The output of an item: with its process, or in the record once the process is gone.
pub(super) struct OutputSource {
    #[cfg(unix)]
    process: Option<crate::join::process::Process>,
    ran: Option<Arc<ProcessRun>>,
}

impl OutputSource {
    /// The kept bytes of a stream after its first `offset` bytes.
    pub(super) fn since(&self, stream: Stream, offset: u64) -> CapturedOutput {
        #[cfg(unix)]
        if let Some(process) = &self.process {
            // Check first: bytes that arrive later may come from a descendant.
            let has_ended = process.is_finished();
            let captured = process.output_since(stream.into(), offset);
            return CapturedOutput {
                bytes: captured.bytes,
                total: captured.total,
                held_open: has_ended && captured.is_open,
                ..CapturedOutput::default()
            };
        }
        let Some(ran) = &self.ran else {
            return CapturedOutput::default();
        };
        let printed = match stream {
            Stream::Stdout => &ran.stdout,
            Stream::Stderr => &ran.stderr,
        };
        let bytes = if offset < printed.total {
            printed.bytes.clone()
        } else {
            Vec::new()
        };
        CapturedOutput {
            bytes,
            total: printed.total,
            ..CapturedOutput::default()
        }
    }
}

#[cfg(unix)]
impl From<Stream> for crate::join::process::Stream {
    fn from(stream: Stream) -> Self {
        match stream {
            Stream::Stdout => Self::Stdout,
            Stream::Stderr => Self::Stderr,
        }
    }
}

impl Workbench {
    /// Reads new output. Costs nothing while the pane is not shown.
    pub(super) fn update_output(&mut self, ctx: &egui::Context) {
        if self.state.pane != Pane::Output {
            return;
        }
        let Some((job, item)) = self.item_of_output() else {
            self.state.output.shown = None;
            return;
        };
        let (source, now) = (self.source(job, item), self.board.now());
        let limit = self.output_limit(job);
        let state = &mut self.state.output;
        let stream = state.stream;
        let shown = state.shown.take().filter(|shown| {
            let shown = (shown.job, shown.item, shown.stream);
            shown == (job, item, stream)
        });
        let shown = state
            .shown
            .insert(shown.unwrap_or_else(|| ShownOutput::new(job, item, stream)));
        read(shown, &source, limit, now);
        if shown.has_gap && !shown.scroll.is_frozen {
            ctx.request_repaint_after(FLOOD_READ_INTERVAL);
        }
        shown.is_searching = shown
            .found
            .search(&state.find, &shown.log, MAX_SEARCH_BYTES);
        if shown.is_searching {
            ctx.request_repaint();
        }
        if shown.is_held_open {
            ctx.request_repaint_after(HELD_OPEN_INTERVAL);
        }
    }

    /// The selected row, or the first item that has a process.
    fn item_of_output(&self) -> Option<(JobId, ItemId)> {
        let job = self.record.job(self.state.selected?)?;
        let selection = &self.state.results.selection;
        let selected = selection.lead().filter(|item| selection.contains(*item));
        let item = match selected.and_then(|item| job.item(item)) {
            Some(item) => item.process.is_some().then_some(item.id),
            None => job.first_process(),
        };
        Some((job.id(), item?))
    }

    pub(super) fn source(&self, job: JobId, item: ItemId) -> OutputSource {
        let record = self.record.job(job).and_then(|job| job.item(item));
        OutputSource {
            #[cfg(unix)]
            process: self.board.process(job, item),
            ran: record.and_then(|item| item.ran()).cloned(),
        }
    }

    /// The number of bytes that a job keeps of each stream of its processes.
    fn output_limit(&self, job: JobId) -> u64 {
        let job = self.record.job(job);
        let limit = job.map(|job| job.spec().options.job().output_limit());
        limit.unwrap_or(DEFAULT_OUTPUT_LIMIT) as u64
    }
}

/// Reads new output, unless a flood was read just now.
fn read(shown: &mut ShownOutput, source: &OutputSource, limit: u64, now: Duration) {
    if now < shown.next_read_at {
        return;
    }
    let total = source.since(shown.stream, u64::MAX).total;
    let is_flood = total.saturating_sub(shown.log.end()) > MIN_FLOOD_BYTES;
    if is_flood {
        shown.next_read_at = now + FLOOD_READ_INTERVAL;
    }
    let costs_lines = is_flood || shown.has_gap || !shown.log.has_room(total);
    shown.scroll.is_frozen = costs_lines && !shown.scroll.follows;
    if !shown.scroll.is_frozen {
        take_in(shown, source, is_flood.then_some(total));
    }
    let seen = source.since(shown.stream, u64::MAX);
    shown.total = seen.total;
    shown.dropped = seen.total.saturating_sub(limit).min(shown.log.dropped());
    shown.is_held_open = seen.held_open;
    shown.other_total = source.since(shown.stream.other(), u64::MAX).total;
    shown.pace.note(now, seen.total);
    shown.bytes_per_sec = shown.pace.bytes_per_sec(now, seen.total);
}

/// Reads the bytes that the log does not have yet. `flood` is the length of the stream during a
/// flood, of which only the last bytes are read.
fn take_in(shown: &mut ShownOutput, source: &OutputSource, flood: Option<u64>) {
    let from = match flood {
        Some(total) => total.saturating_sub(MIN_FLOOD_BYTES),
        // After a flood there is time for the bytes that were skipped.
        None if shown.has_gap => {
            shown.log.clear();
            0
        }
        None => shown.log.end(),
    };
    shown.has_gap = flood.is_some();
    let printed = source.since(shown.stream, from);
    shown.log.push(&printed.bytes, printed.total);
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io::Write as _;
    use std::process::ChildStdin;
    use std::time::Instant;

    use super::*;
    use crate::join::process::{Builder, Process, Stream as Captured};

    const TIMEOUT: Duration = Duration::from_mins(1);

    /// Bytes that it prints for each line that it reads.
    const PORTION: u64 = 10_000_000;

    /// A process that floods its standard output on request.
    struct Flood {
        process: Process,
        requests: ChildStdin,
    }

    impl Flood {
        fn start() -> Self {
            let script = format!("while read go; do yes | head -c {PORTION}; done");
            let shell = Builder::new("sh").args(["-c", &script]).stdin_piped();
            let process = shell.spawn().expect("there is a shell");
            let requests = process.take_stdin().expect("it is piped");
            Self { process, requests }
        }

        /// Requests another portion and waits for it. Returns the length of the stream.
        fn go_on(&mut self) -> u64 {
            let carried = || self.process.output_since(Captured::Stdout, u64::MAX).total;
            let end = carried() + PORTION;
            self.requests.write_all(b"\n").expect("it listens");
            let start = Instant::now();
            while carried() < end {
                assert!(start.elapsed() < TIMEOUT, "it does not flood");
                std::thread::yield_now();
            }
            end
        }

        fn source(&self) -> OutputSource {
            OutputSource {
                process: Some(self.process.clone()),
                ran: None,
            }
        }
    }

    #[test]
    fn frame_reads_a_bounded_part_of_a_flood() {
        let limit = DEFAULT_OUTPUT_LIMIT as u64;
        let mut flood = Flood::start();
        let mut shown = ShownOutput::new(JobId::new(1), ItemId::new(0), Stream::Stdout);
        let mut now = Duration::ZERO;
        for _ in 0..10 {
            let total = flood.go_on();
            read(&mut shown, &flood.source(), limit, now);
            assert_eq!(shown.log.end(), total);
            assert_eq!(total - shown.log.dropped(), MIN_FLOOD_BYTES);

            flood.go_on();
            read(
                &mut shown,
                &flood.source(),
                limit,
                now + FLOOD_READ_INTERVAL / 2,
            );
            assert_eq!(shown.log.end(), total, "the flood is left alone");
            now += FLOOD_READ_INTERVAL;
        }
        read(&mut shown, &flood.source(), limit, now);
        read(
            &mut shown,
            &flood.source(),
            limit,
            now + FLOOD_READ_INTERVAL,
        );
        assert_eq!(shown.log.end(), 20 * PORTION);
        assert_eq!(shown.log.end() - shown.log.dropped(), limit);
    }
}
