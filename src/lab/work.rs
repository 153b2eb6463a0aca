//! The work that every pattern does in the background, and its result.

use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::time::{Duration, Instant};

use eframe::egui::Ui;
use serde::{Deserialize, Serialize};

use super::fact::{Fact, FactLog};
use crate::choice::choices;
use crate::format;

/// The number of steps of the work.
const STEPS: u32 = 20;

/// The bytes hashed between two checks of the clock, which takes well below a millisecond.
const BLOCK_BYTES: usize = 256 * 1024;

/// The content of the work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum WorkKind {
    /// Hashing bytes in memory, which keeps a core busy.
    #[default]
    Hash,
    /// Sleeping, like a wait for a network.
    Sleep,
    /// Hashing a file, the program itself, again and again.
    File,
}

choices!(pub WorkKind {
    Hash => "Hash data",
    Sleep => "Sleep",
    File => "Hash a file",
});

impl WorkKind {
    /// The name on the command line.
    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Hash => "hash",
            Self::Sleep => "sleep",
            Self::File => "file",
        }
    }
}

/// Work that takes the same time on every machine.
#[derive(Clone)]
pub struct Work {
    kind: WorkKind,
    length: Duration,
    log: FactLog,
}

impl Work {
    pub(super) fn new(kind: WorkKind, length: Duration, log: FactLog) -> Self {
        Self { kind, length, log }
    }

    /// Does all of the work.
    pub fn run(&self) -> Digest {
        self.steps().for_each(drop);
        self.digest()
    }

    /// Does the work in twenty steps of equal length; each `next` does one and returns how many are
    /// done. After the last one, [`digest`](Self::digest) returns the result.
    pub fn steps(&self) -> impl Iterator<Item = u32> + use<> {
        let mut load = Load::new(self.kind);
        let step = self.length / STEPS;
        let start = Instant::now();
        (1..=STEPS).inspect(move |&done| load.run_until(start + step * done))
    }

    /// The number of [`steps`](Self::steps).
    pub fn step_count(&self) -> u32 {
        STEPS
    }

    /// Does the work in steps of about a microsecond; each `next` does one and returns how many are
    /// done. After the last one, [`digest`](Self::digest) returns the result.
    pub fn small_steps(&self) -> impl Iterator<Item = u64> + use<> {
        let mut hasher = blake3::Hasher::new();
        let deadline = Instant::now() + self.length;
        let log = self.log.clone();
        (1..).take_while(move |&steps: &u64| {
            hasher.update(&steps.to_le_bytes());
            let goes_on = Instant::now() < deadline;
            if !goes_on {
                log.note(Fact::DidSteps { steps });
            }
            goes_on
        })
    }

    /// Shows an error in place of the result.
    pub fn failure_ui(&self, why: &str, ui: &mut Ui) {
        ui.label(why);
        self.log.note_show();
    }

    /// Returns the result and notes that the work has ended.
    pub fn digest(&self) -> Digest {
        self.log.note_end();
        Digest {
            length: self.length,
            log: self.log.clone(),
        }
    }
}

/// The result of the work.
#[derive(Clone)]
pub struct Digest {
    length: Duration,
    log: FactLog,
}

impl Digest {
    pub fn ui(&self, ui: &mut Ui) {
        let length = format::duration(self.length);
        ui.label(format!("Result after {length} of work"));
        self.log.note_show();
    }

    /// Uses the result without showing it, like saving it to a file.
    pub fn mark_used(&self) {
        self.log.note_show();
    }
}

/// The load of a thread.
enum Load {
    Hash(Box<blake3::Hasher>, Vec<u8>),
    Sleep,
    File(Box<blake3::Hasher>, Option<File>),
}

impl Load {
    fn new(kind: WorkKind) -> Self {
        match kind {
            WorkKind::Hash => Self::Hash(Box::default(), vec![0x5a; BLOCK_BYTES]),
            WorkKind::Sleep => Self::Sleep,
            // An unreadable file is treated like an empty one; the work takes the same time.
            WorkKind::File => Self::File(Box::default(), open_program().ok()),
        }
    }

    fn run_until(&mut self, deadline: Instant) {
        while Instant::now() < deadline {
            match self {
                Self::Hash(hasher, block) => drop(hasher.update(block)),
                Self::Sleep => sleep_until(deadline),
                Self::File(hasher, file) => hash_next_block(hasher, file.as_mut()),
            }
        }
    }
}

fn open_program() -> io::Result<File> {
    File::open(std::env::current_exe()?)
}

/// Hashes the next block of the file, from the beginning again at its end.
fn hash_next_block(hasher: &mut blake3::Hasher, file: Option<&mut File>) {
    let Some(file) = file else {
        return;
    };
    let mut block = vec![0; BLOCK_BYTES];
    let read = file.read(&mut block).unwrap_or(0);
    hasher.update(&block[..read]);
    if read == 0 {
        // After a failed rewind the next read returns nothing, and tries again.
        file.rewind().ok();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the work that a pattern waits for"
)]
fn sleep_until(deadline: Instant) {
    std::thread::sleep(deadline.saturating_duration_since(Instant::now()));
}
