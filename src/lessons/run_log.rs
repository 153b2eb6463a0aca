//! The log of a run: its timeline, its transcript and its results.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::lesson::WorkerKind;
use super::python::PYTHON;
use super::shared::{Event, EventBody, is_lane_of};
use crate::format;
use crate::record::{Lane, LaneId, LaneOutcome, Message, Timeline, TimelineEvent, TimelineKind};

/// Everything that a run has recorded, and the settings that it ran with.
#[derive(Clone, Debug)]
pub struct RunLog {
    worker_kind: WorkerKind,
    speed: f64,
    parameters: BTreeMap<String, f64>,
    timeline: Timeline,
    results: BTreeMap<String, String>,
    table: Vec<Vec<String>>,
    /// The numbers of the messages that are rows of the table.
    rows: BTreeSet<usize>,
    source_lines: BTreeMap<LaneId, u32>,
    revision: u64,
}

impl RunLog {
    pub(super) fn new(
        worker_kind: WorkerKind,
        speed: f64,
        parameters: BTreeMap<String, f64>,
    ) -> Self {
        Self {
            worker_kind,
            speed,
            parameters,
            timeline: Timeline::default(),
            results: BTreeMap::new(),
            table: Vec::new(),
            rows: BTreeSet::new(),
            source_lines: BTreeMap::new(),
            revision: 0,
        }
    }

    /// Whether the lesson used tasks or processes.
    pub fn worker_kind(&self) -> WorkerKind {
        self.worker_kind
    }

    /// The factor by which every sleep was shortened.
    pub fn speed(&self) -> f64 {
        self.speed
    }

    /// A parameter as it was set; 0 if there is none. Times are not divided by the speed.
    pub fn parameter(&self, id: &str) -> f64 {
        self.parameters.get(id).copied().unwrap_or_default()
    }

    /// A parameter in seconds, divided by the speed.
    pub fn seconds(&self, id: &str) -> f64 {
        self.parameter(id) / self.speed
    }

    /// A parameter that is a count.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count is whole and within the range of its parameter"
    )]
    pub fn count(&self, id: &str) -> usize {
        self.parameter(id) as usize
    }

    /// All parameters as they were set.
    pub fn parameters(&self) -> &BTreeMap<String, f64> {
        &self.parameters
    }

    /// The settings, to tell the run from another one: `thread, speed 1, seconds 2`.
    pub fn settings_text(&self) -> String {
        let parameters = self.parameters.iter();
        let parameters = parameters.map(|(id, value)| format!(", {id} {value}"));
        let kind = self.worker_kind.title().to_lowercase();
        let parameters = parameters.collect::<String>();
        format!("{kind}, speed {}{parameters}", self.speed)
    }

    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// The lines of the transcript, in the order of their times.
    pub fn messages(&self) -> &[Message] {
        self.timeline.messages()
    }

    /// The lines of the transcript that are not rows of the table.
    pub fn messages_outside_table(&self) -> impl Iterator<Item = &Message> {
        let messages = self.messages().iter();
        messages.filter(|message| !self.rows.contains(&message.number))
    }

    /// A message as a line of the transcript: time, lane and text.
    pub fn transcript_line(&self, message: &Message) -> String {
        let time = format::transcript_time(message.at);
        let lane = self.timeline.name(message.lane);
        format!("{time}  {lane:<12} {}", message.text)
    }

    pub fn result(&self, name: &str) -> Option<&str> {
        self.results.get(name).map(String::as_str)
    }

    /// A named result that is a number.
    ///
    /// # Errors
    /// If there is no such result, or if it is not a number.
    pub fn number(&self, name: &str) -> anyhow::Result<f64> {
        let result = self.result(name);
        let result = result.with_context(|| format!("no result \u{201c}{name}\u{201d}"))?;
        let number = result.parse();
        number.with_context(|| format!("\u{201c}{name}\u{201d} is not a number: {result}"))
    }

    /// The rows of the table, the header first; empty if there is no table.
    pub fn table(&self) -> &[Vec<String>] {
        &self.table
    }

    /// The line of the lesson's file that a lane has reached, from 1.
    pub fn source_line(&self, lane: LaneId) -> Option<u32> {
        self.source_lines.get(&lane).copied()
    }

    /// A number that changes with every event.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The time of the first message of a lane that contains `text`.
    ///
    /// # Errors
    /// If there is no such message.
    pub fn time_of(&self, lane: &str, text: &str) -> anyhow::Result<Duration> {
        let is_from = |message: &Message| self.timeline.name(message.lane) == lane;
        let mut messages = self.messages().iter();
        let message = messages.find(|message| is_from(message) && message.text.contains(text));
        let message =
            message.with_context(|| format!("{lane} never printed \u{201c}{text}\u{201d}"))?;
        Ok(message.at)
    }

    /// The first lane with this name.
    ///
    /// # Errors
    /// If there is no such lane.
    pub fn lane(&self, name: &str) -> anyhow::Result<&Lane> {
        let lane = self.timeline.lane(name);
        lane.with_context(|| format!("{name} never ran"))
    }

    /// The lanes whose names begin with `prefix`, in the order in which they opened.
    pub fn lanes_with_prefix<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a Lane> {
        let lanes = self.timeline.lanes().iter();
        lanes.filter(move |lane| lane.name.starts_with(prefix))
    }

    /// Whether Python ran its version of the lesson, even if it failed.
    pub fn has_python(&self) -> bool {
        self.timeline.lane(PYTHON).is_some()
    }

    /// Checks the order of messages, given as pairs of lane and part of the text.
    ///
    /// # Errors
    /// If a message is missing or comes too early.
    pub fn in_order(&self, expected: &[(&str, &str)]) -> anyhow::Result<()> {
        let times = expected.iter().map(|(lane, text)| self.time_of(lane, text));
        let times = times.collect::<anyhow::Result<Vec<_>>>()?;
        for (index, pair) in times.windows(2).enumerate() {
            let ((first, before), (second, after)) = (expected[index], expected[index + 1]);
            ensure!(
                pair[0] <= pair[1],
                "{second} printed \u{201c}{after}\u{201d} before {first} printed \
                 \u{201c}{before}\u{201d}"
            );
        }
        Ok(())
    }

    /// Whether the lane of an event is known, or opened by the event itself.
    pub(super) fn knows_lane_of(&self, event: &Event) -> bool {
        let opens = matches!(
            event.body,
            EventBody::Timeline(TimelineKind::DidOpen { .. })
        );
        opens || self.timeline.has(event.lane)
    }

    pub(super) fn apply(&mut self, event: Event) {
        self.revision += 1;
        let Event {
            at,
            lane,
            line,
            body,
        } = event;
        if line > 0 {
            self.source_lines.insert(lane, line);
        }
        let kind = match body {
            EventBody::Timeline(kind) => kind,
            EventBody::Result(name, value) => {
                let text = format!("{name}: {value}");
                self.results.insert(name, value);
                TimelineKind::Message { text }
            }
            EventBody::Row(cells) => {
                let text = cells.join(" \u{b7} ");
                self.table.push(cells);
                self.rows.insert(self.messages().len());
                TimelineKind::Message { text }
            }
            EventBody::DidExit(process) => return self.close_lanes_of(process, at),
        };
        self.timeline.apply(TimelineEvent { at, lane, kind });
    }

    /// Closes the lanes that a process left open when it exited.
    fn close_lanes_of(&mut self, process: u32, at: Duration) {
        let lanes = self.timeline.lanes().iter();
        let open = lanes.filter(|lane| lane.closed.is_none() && is_lane_of(lane.id, process));
        let open: Vec<_> = open.map(|lane| lane.id).collect();
        for lane in open {
            let how = LaneOutcome::Failed("ended with its process".to_owned());
            let kind = TimelineKind::DidClose { how };
            self.timeline.apply(TimelineEvent { at, lane, kind });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RunLog;
    use crate::lessons::{LessonId, LessonRunOptions};

    #[test]
    fn no_lesson_verifies_an_empty_log() {
        for id in LessonId::all() {
            for &kind in id.lesson().worker_kinds {
                let empty = RunLog::new(kind, 1.0, LessonRunOptions::of(id).values());
                assert!((id.lesson().verify)(&empty).is_err(), "{id} with {kind}");
            }
        }
    }
}
