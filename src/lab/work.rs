//! The work behind every pattern, and what comes of it.

use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::time::{Duration, Instant};

use eframe::egui::Ui;
use serde::{Deserialize, Serialize};

use super::fact::{Fact, Log};

/// In how many steps the work is done.
const STEPS: u32 = 20;

/// How much is hashed between two looks at the clock, in bytes: well below a millisecond.
const BLOCK: usize = 256 * 1024;

/// What the work consists of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Hashing bytes that are in memory: keeps a processor busy.
    #[default]
    Hash,
    /// Waiting, as for an answer from a network.
    Sleep,
    /// Hashing a file, the twin's own program, again and again.
    File,
}

impl Kind {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::Hash, Self::Sleep, Self::File];

    /// The name on the command line.
    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Hash => "hash",
            Self::Sleep => "sleep",
            Self::File => "file",
        }
    }

    /// The name on screen.
    pub fn title(self) -> &'static str {
        match self {
            Self::Hash => "Hash data",
            Self::Sleep => "Sleep",
            Self::File => "Hash a file",
        }
    }
}

/// Work that takes a known time, whatever the machine.
#[derive(Clone)]
pub struct Work {
    kind: Kind,
    length: Duration,
    log: Log,
}

impl Work {
    pub(super) fn new(kind: Kind, length: Duration, log: Log) -> Self {
        Self { kind, length, log }
    }

    /// Does all of it.
    pub fn run(&self) -> Digest {
        self.steps().for_each(drop);
        self.digest()
    }

    /// Does it step by step: each `next` takes a twentieth of the time and says how many steps are
    /// done. Afterwards [`digest`](Self::digest) is the result.
    pub fn steps(&self) -> impl Iterator<Item = u32> + use<> {
        let mut labour = Labour::new(self.kind);
        let step = self.length / STEPS;
        let start = Instant::now();
        (1..=STEPS).inspect(move |&done| labour.until(start + step * done))
    }

    /// In how many steps the work is done.
    pub fn step_count(&self) -> u32 {
        STEPS
    }

    /// Does it in the smallest steps, of about a microsecond each, and says how many are done. Afterwards
    /// [`digest`](Self::digest) is the result.
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

    /// Shows why there is no result.
    pub fn failure_ui(&self, why: &str, ui: &mut Ui) {
        ui.label(why);
        self.log.note_show();
    }

    /// What came of it. Whoever asks says by that that the work is done.
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
    log: Log,
}

impl Digest {
    /// Shows it.
    pub fn ui(&self, ui: &mut Ui) {
        let secs = self.length.as_secs_f64();
        ui.label(format!("Result after {secs:.1} s of work"));
        self.log.note_show();
    }

    /// Has it serve its purpose without being looked at: saved, sent, handed on.
    pub fn hand_on(&self) {
        self.log.note_show();
    }
}

/// What keeps a thread busy.
enum Labour {
    Hash(Box<blake3::Hasher>, Vec<u8>),
    Sleep,
    File(Box<blake3::Hasher>, Option<File>),
}

impl Labour {
    fn new(kind: Kind) -> Self {
        match kind {
            Kind::Hash => Self::Hash(Box::default(), vec![0x5a; BLOCK]),
            Kind::Sleep => Self::Sleep,
            // One that can't be read is as quick as one that is empty, and the time is the same.
            Kind::File => Self::File(Box::default(), open_program().ok()),
        }
    }

    fn until(&mut self, deadline: Instant) {
        while Instant::now() < deadline {
            match self {
                Self::Hash(hasher, block) => drop(hasher.update(block)),
                Self::Sleep => sleep_until(deadline),
                Self::File(hasher, file) => read_on(hasher, file.as_mut()),
            }
        }
    }
}

fn open_program() -> io::Result<File> {
    File::open(std::env::current_exe()?)
}

/// Hashes the next block of the file, which begins again where it ends.
fn read_on(hasher: &mut blake3::Hasher, file: Option<&mut File>) {
    let Some(file) = file else {
        return;
    };
    let mut block = vec![0; BLOCK];
    let read = file.read(&mut block).unwrap_or(0);
    hasher.update(&block[..read]);
    if read == 0 {
        let _unreadable_stays_so = file.rewind();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the work that a pattern waits for, on whatever thread"
)]
fn sleep_until(deadline: Instant) {
    std::thread::sleep(deadline.saturating_duration_since(Instant::now()));
}
