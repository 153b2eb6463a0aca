//! What is known of a run: who did what when, and what was found out.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::house::{Act, Event, is_lane_of};
use super::lesson::Cast;
use super::python::PYTHON;

use crate::record::{Lane, LaneId, LaneOutcome, Message, Timeline, TimelineEvent, TimelineKind};

/// Everything that a run has told.
#[derive(Clone, Debug)]
pub struct Told {
    cast: Cast,
    speed: f64,
    parameters: BTreeMap<String, f64>,
    timeline: Timeline,
    notes: BTreeMap<String, String>,
    table: Vec<Vec<String>>,
    /// The numbers of the sayings that are rows of the table.
    rows: BTreeSet<usize>,
    lines: BTreeMap<LaneId, u32>,
    revision: u64,
}

impl Told {
    pub(super) fn new(cast: Cast, speed: f64, parameters: BTreeMap<String, f64>) -> Self {
        Self {
            cast,
            speed,
            parameters,
            timeline: Timeline::default(),
            notes: BTreeMap::new(),
            table: Vec::new(),
            rows: BTreeSet::new(),
            lines: BTreeMap::new(),
            revision: 0,
        }
    }

    /// With what it ran.
    pub fn cast(&self) -> Cast {
        self.cast
    }

    /// By how much every pause was shortened.
    pub fn speed(&self) -> f64 {
        self.speed
    }

    /// What a parameter was, as it was chosen: its time is not shortened.
    pub fn parameter(&self, id: &str) -> f64 {
        self.parameters.get(id).copied().unwrap_or_default()
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

    /// All parameters, as they were chosen.
    pub fn parameters(&self) -> &BTreeMap<String, f64> {
        &self.parameters
    }

    /// A time of the run as it would have been at speed 1.
    pub fn unscaled(&self, time: Duration) -> f64 {
        time.as_secs_f64() * self.speed
    }

    /// Who did what when.
    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// What was said, in the order of its time.
    pub fn said(&self) -> &[Message] {
        self.timeline.messages()
    }

    /// What was said beside the rows of its table, in the order of its time.
    pub fn said_beside_table(&self) -> impl Iterator<Item = &Message> {
        let said = self.said().iter();
        said.filter(|said| !self.rows.contains(&said.number))
    }

    /// What was found out under that name.
    pub fn note(&self, name: &str) -> Option<&str> {
        self.notes.get(name).map(String::as_str)
    }

    /// A number that was found out under that name.
    ///
    /// # Errors
    /// There is none, or it is no number.
    pub fn number(&self, name: &str) -> anyhow::Result<f64> {
        let note = self.note(name);
        let note = note.with_context(|| format!("nothing is known of \u{201c}{name}\u{201d}"))?;
        let number = note.parse();
        number.with_context(|| format!("\u{201c}{name}\u{201d} is no number: {note}"))
    }

    /// The rows of its table, the header first; empty when it has none.
    pub fn table(&self) -> &[Vec<String>] {
        &self.table
    }

    /// Which line of the lesson's file somebody has come to, from 1.
    pub fn line_of(&self, lane: LaneId) -> Option<u32> {
        self.lines.get(&lane).copied()
    }

    /// A number that changes whenever anything else does.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// When somebody first said something that contains `text`.
    ///
    /// # Errors
    /// Nobody of that name said it.
    pub fn when(&self, who: &str, text: &str) -> anyhow::Result<Duration> {
        let mut said = self.said().iter();
        let said =
            said.find(|said| self.timeline.name(said.lane) == who && said.text.contains(text));
        let said = said.with_context(|| format!("{who} never said \u{201c}{text}\u{201d}"))?;
        Ok(said.at)
    }

    /// The lane of somebody.
    ///
    /// # Errors
    /// Nobody of that name ever ran.
    pub fn lane(&self, who: &str) -> anyhow::Result<&Lane> {
        let lane = self.timeline.lane(who);
        lane.with_context(|| format!("nobody called {who} ever ran"))
    }

    /// Whether a text in Python ran beside it, however that ended.
    pub fn has_python(&self) -> bool {
        self.timeline.lane(PYTHON).is_some()
    }

    /// Whether these were said in this order: who, and a part of what.
    ///
    /// # Errors
    /// Which of them was not said, or came too early.
    pub fn in_order(&self, expected: &[(&str, &str)]) -> anyhow::Result<()> {
        let times = expected.iter().map(|(who, text)| self.when(who, text));
        let times = times.collect::<anyhow::Result<Vec<_>>>()?;
        for (index, pair) in times.windows(2).enumerate() {
            let ((first, before), (second, after)) = (expected[index], expected[index + 1]);
            ensure!(
                pair[0] <= pair[1],
                "{second} said \u{201c}{after}\u{201d} before {first} said \u{201c}{before}\u{201d}"
            );
        }
        Ok(())
    }

    /// Whether the lane of an event is open, or opens with it.
    pub(super) fn is_announced(&self, event: &Event) -> bool {
        let opens = matches!(event.act, Act::Timeline(TimelineKind::DidOpen { .. }));
        opens || self.timeline.has(event.lane)
    }

    pub(super) fn take(&mut self, event: Event) {
        self.revision += 1;
        let Event {
            at,
            lane,
            line,
            act,
        } = event;
        if line > 0 {
            self.lines.insert(lane, line);
        }
        let kind = match act {
            Act::Timeline(kind) => kind,
            Act::Noted(name, value) => {
                let text = format!("{name}: {value}");
                self.notes.insert(name, value);
                TimelineKind::Message { text }
            }
            Act::Row(cells) => {
                let text = cells.join(" \u{b7} ");
                self.table.push(cells);
                self.rows.insert(self.said().len());
                TimelineKind::Message { text }
            }
            Act::DidExit(process) => return self.cut_off(process, at),
        };
        self.timeline.apply(TimelineEvent { at, lane, kind });
    }

    /// Closes the lanes of those who ended with their process, and could not say so.
    fn cut_off(&mut self, process: u32, at: Duration) {
        let lanes = self.timeline.lanes().iter();
        let open = lanes.filter(|lane| lane.closed.is_none() && is_lane_of(lane.id, process));
        let open: Vec<_> = open.map(|lane| lane.id).collect();
        for lane in open {
            let how = LaneOutcome::Failed("cut off with its process".to_owned());
            let kind = TimelineKind::DidClose { how };
            self.timeline.apply(TimelineEvent { at, lane, kind });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Told;
    use crate::lessons::{Choice, LessonId};

    #[test]
    fn no_lesson_holds_where_nothing_happened() {
        for id in LessonId::all() {
            for &cast in id.lesson().cast {
                let nothing = Told::new(cast, 1.0, Choice::of(id).values());
                assert!((id.lesson().holds)(&nothing).is_err(), "{id} as {cast}");
            }
        }
    }
}
