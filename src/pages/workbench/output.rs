//! What processes have printed, read for the output pane while that is shown.

use std::sync::Arc;
use std::time::Duration;

use eframe::egui;

use super::{Pane, ShownOutput, Stream, Workbench};
use crate::jobs::Options;
use crate::jobs::command::{self, Printed, Ran};
use crate::record::{ItemId, JobId};

/// How long a flood is left alone after a look at it: what it carries in this time would not fit.
const FLOOD_PAUSE: Duration = Duration::from_millis(100);

/// How many bytes make a flood of what is new in one look: only the last of it is read.
const FLOOD: u64 = 128 * 1024;

/// How soon a stream is looked at again that outlives its process: nobody wakes the window for it.
const HELD_OPEN_PAUSE: Duration = Duration::from_millis(500);

/// How many bytes are searched in a frame.
const SEARCHED_AT_ONCE: usize = 512 * 1024;

/// Where the output of an item is: with its process, or in the record once that is gone.
pub(super) struct Source {
    #[cfg(unix)]
    process: Option<crate::join::process::Process>,
    ran: Option<Arc<Ran>>,
}

impl Source {
    /// What came after the first `offset` bytes of a stream, as far as it is kept.
    pub(super) fn since(&self, stream: Stream, offset: u64) -> Printed {
        #[cfg(unix)]
        if let Some(process) = &self.process {
            // Asked first: what comes between the two questions is no descendant's yet.
            let has_ended = !process.is_alive();
            let captured = process.output_since(stream.into(), offset);
            return Printed {
                bytes: captured.bytes,
                total: captured.total,
                held_open: has_ended && captured.is_open,
            };
        }
        let Some(ran) = &self.ran else {
            return Printed::default();
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
        Printed {
            bytes,
            total: printed.total,
            held_open: false,
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
    /// Reads what is new. Costs nothing while the pane is not shown.
    pub(super) fn update_output(&mut self, ctx: &egui::Context) {
        if self.view.pane != Pane::Output {
            return;
        }
        let Some((job, item)) = self.item_of_output() else {
            self.view.output.shown = None;
            return;
        };
        let (source, now) = (self.source(job, item), self.board.now());
        let limit = self.output_limit(job);
        let view = &mut self.view.output;
        let stream = view.stream;
        let shown = view.shown.take().filter(|shown| {
            let shown = (shown.job, shown.item, shown.stream);
            shown == (job, item, stream)
        });
        let shown = view
            .shown
            .insert(shown.unwrap_or_else(|| ShownOutput::new(job, item, stream)));
        read(shown, &source, limit, now);
        if shown.has_gap && !shown.scroll.stands_still {
            ctx.request_repaint_after(FLOOD_PAUSE);
        }
        shown.is_searching = shown.found.look(&view.find, &shown.log, SEARCHED_AT_ONCE);
        if shown.is_searching {
            ctx.request_repaint();
        }
        if shown.is_held_open {
            ctx.request_repaint_after(HELD_OPEN_PAUSE);
        }
    }

    /// The selected row, or the first item that has a process.
    fn item_of_output(&self) -> Option<(JobId, ItemId)> {
        let job = self.record.job(self.view.selected?)?;
        let selected = self.view.results.selected;
        let item = match selected.and_then(|item| job.item(item)) {
            Some(item) => item.process.is_some().then_some(item.id),
            None => job.first_process(),
        };
        Some((job.id(), item?))
    }

    pub(super) fn source(&self, job: JobId, item: ItemId) -> Source {
        let record = self.record.job(job).and_then(|job| job.item(item));
        Source {
            #[cfg(unix)]
            process: self.board.process(job, item),
            ran: record.and_then(|item| item.ran()).cloned(),
        }
    }

    /// How many bytes of each stream are kept of the processes of a job.
    fn output_limit(&self, job: JobId) -> u64 {
        let options = self.record.job(job).map(|job| &job.spec().options);
        let limit = match options {
            Some(Options::Command(options)) => options.output_limit,
            _ => command::Options::default().output_limit,
        };
        limit as u64
    }
}

/// Reads what is new, unless a flood is left alone just now.
fn read(shown: &mut ShownOutput, source: &Source, limit: u64, now: Duration) {
    if now < shown.next_read_at {
        return;
    }
    let total = source.since(shown.stream, u64::MAX).total;
    let is_flood = total.saturating_sub(shown.log.end()) > FLOOD;
    if is_flood {
        shown.next_read_at = now + FLOOD_PAUSE;
    }
    let costs_lines = is_flood || shown.has_gap || !shown.log.has_room(total);
    shown.scroll.stands_still = costs_lines && !shown.scroll.follows;
    if !shown.scroll.stands_still {
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

/// Reads what the log does not have yet; of a flood that has carried so many bytes the last.
fn take_in(shown: &mut ShownOutput, source: &Source, flood: Option<u64>) {
    let from = match flood {
        Some(total) => total.saturating_sub(FLOOD),
        // What was passed over in a flood is read when there is time for it.
        None if shown.has_gap => {
            shown.log.begin_again();
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

    const LIMIT: Duration = Duration::from_mins(1);

    /// What it prints for each line that it reads.
    const PORTION: u64 = 10_000_000;

    /// A process that floods its standard output when asked.
    struct Flood {
        process: Process,
        asks: ChildStdin,
    }

    impl Flood {
        fn start() -> Self {
            let script = format!("while read go; do yes | head -c {PORTION}; done");
            let shell = Builder::new("sh").args(["-c", &script]).stdin_piped();
            let process = shell.spawn().expect("there is a shell");
            let asks = process.take_stdin().expect("it is piped");
            Self { process, asks }
        }

        /// Has another portion printed, and waits until it has come.
        fn go_on(&mut self) -> u64 {
            let carried = || self.process.output_since(Captured::Stdout, u64::MAX).total;
            let end = carried() + PORTION;
            self.asks.write_all(b"\n").expect("it listens");
            let start = Instant::now();
            while carried() < end {
                assert!(start.elapsed() < LIMIT, "it does not flood");
                std::thread::yield_now();
            }
            end
        }

        fn source(&self) -> Source {
            Source {
                process: Some(self.process.clone()),
                ran: None,
            }
        }
    }

    #[test]
    fn of_a_flood_a_frame_takes_in_a_bounded_part_and_most_frames_nothing() {
        let limit = command::Options::default().output_limit as u64;
        let mut flood = Flood::start();
        let mut shown = ShownOutput::new(JobId(1), ItemId(0), Stream::Stdout);
        let mut now = Duration::ZERO;
        for _ in 0..10 {
            let total = flood.go_on();
            read(&mut shown, &flood.source(), limit, now);
            assert_eq!(shown.log.end(), total);
            assert_eq!(total - shown.log.dropped(), FLOOD);

            flood.go_on();
            read(&mut shown, &flood.source(), limit, now + FLOOD_PAUSE / 2);
            assert_eq!(shown.log.end(), total, "the flood is left alone");
            now += FLOOD_PAUSE;
        }
        read(&mut shown, &flood.source(), limit, now);
        read(&mut shown, &flood.source(), limit, now + FLOOD_PAUSE);
        assert_eq!(shown.log.end(), 20 * PORTION);
        assert_eq!(shown.log.end() - shown.log.dropped(), limit);
    }
}
