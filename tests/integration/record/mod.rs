//! The record of jobs, built from events without a thread or a clock.

mod export;
mod frames;
mod history;
mod statistics;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use meanwhile::jobs::misbehave;
use meanwhile::jobs::{ItemError, JobSpec, Options, Output};
use meanwhile::record::{
    Crash, EventKind, FoundItem, ItemId, ItemState, JobEvent, JobId, JobRecord, JobState, Panic,
    Record, ThreadNumber, write_json,
};

const JOB: JobId = JobId::new(1);

/// Applies events to the record of one job.
struct Replay {
    record: Record,
    at: Duration,
}

impl Replay {
    fn new() -> Self {
        let replay = Self {
            record: Record::default(),
            at: Duration::ZERO,
        };
        let spec = JobSpec::new(Options::Misbehave(misbehave::Options::default()));
        replay.apply(EventKind::JobDidStart {
            spec: Arc::new(spec),
        })
    }

    fn at(mut self, millis: u64) -> Self {
        self.at = Duration::from_millis(millis);
        self
    }

    fn apply(mut self, kind: EventKind) -> Self {
        self.record.apply(JobEvent {
            job: JOB,
            at: self.at,
            kind,
        });
        self
    }

    fn item(self, input: impl Into<PathBuf>, bytes: u64) -> Self {
        self.apply(EventKind::ItemDidAppear {
            item: FoundItem {
                input: input.into(),
                bytes,
                fails: false,
            },
        })
    }

    fn start(self, item: usize) -> Self {
        self.apply(EventKind::ItemDidStart {
            item: ItemId::new(item),
            thread: ThreadNumber::new(1),
        })
    }

    fn progress(self, item: usize, done: u64, total: u64) -> Self {
        self.apply(EventKind::ItemDidProgress {
            item: ItemId::new(item),
            done,
            total,
        })
    }

    fn end(self, item: usize, state: ItemState) -> Self {
        self.apply(EventKind::ItemDidFinish {
            item: ItemId::new(item),
            state,
        })
    }

    fn finish(self, state: JobState) -> Self {
        self.apply(EventKind::JobDidFinish { state })
    }

    fn job(&self) -> &JobRecord {
        self.record.job(JOB).expect("it was started")
    }

    fn json(&self) -> serde_json::Value {
        let mut bytes = Vec::new();
        write_json(self.job(), self.at, &mut bytes).expect("a vector takes everything");
        serde_json::from_slice(&bytes).expect("it is JSON")
    }
}

fn text(text: &str) -> ItemState {
    ItemState::Returned(Output::Text {
        text: text.to_owned(),
    })
}

fn failed(message: &str) -> ItemState {
    ItemState::Failed(ItemError::new("broken", message))
}

fn panic(message: &str) -> Arc<Panic> {
    Arc::new(Panic {
        message: message.to_owned(),
        location: Some("src/some.rs:1:2".to_owned()),
        thread: "worker-1".to_owned(),
        task: "misbehave #1 a".to_owned(),
        task_id: 7,
    })
}

fn crash() -> ItemState {
    ItemState::Crashed(Arc::new(Crash {
        message: "its worker was killed by signal 6 (SIGABRT)".to_owned(),
        signal: Some(6),
        signal_name: Some("SIGABRT"),
        stderr: "one\ntwo".to_owned(),
        ..Crash::default()
    }))
}
