//! What a person would do, done by a thread: click on `Start`, click on the counter, close.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use eframe::egui::{Context, ViewportCommand};

use super::TwinOptions;
use crate::join::{self, SpawnError};
use crate::lab::fact::{Fact, Log};
use crate::lab::pattern::Script;

/// A window that has just opened draws more than later on.
const SETTLE: Duration = Duration::from_millis(500);

/// How often the probe knocks: at 60 Hz.
const PROBE_INTERVAL: Duration = Duration::from_micros(16_667);

/// Every so many knocks the counter is clicked: ten times a second.
const KNOCKS_A_CLICK: u32 = 6;

/// When a window is minimised or asked to close, after `Start`.
const SOON: Duration = Duration::from_millis(300);

/// How long after the work has ended a window that nobody touches has to show it.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long a window is watched when everything is done.
const TAIL: Duration = Duration::from_secs(1);

/// How much longer than its work a pattern may take. After that it is ended by the Lab: its window
/// needs a hand, or will never answer.
const LIMIT: Duration = Duration::from_secs(2);

/// How often it is looked whether something has come about.
const GLANCE: Duration = Duration::from_millis(5);

/// What the script wants the window to take for a person's doing, and what the window answers.
#[derive(Clone, Default)]
pub(super) struct Cues(Arc<Inner>);

#[derive(Default)]
struct Inner {
    is_open: AtomicBool,
    start: AtomicBool,
    clicks: AtomicU64,
    knocks: Mutex<Vec<Instant>>,
}

impl Cues {
    /// The window has drawn its first frame.
    pub(super) fn set_open(&self) {
        self.0.is_open.store(true, Ordering::Release);
    }

    /// Whether `Start` is to be clicked, once.
    pub(super) fn take_start(&self) -> bool {
        self.0.start.swap(false, Ordering::AcqRel)
    }

    /// How often the counter is to be clicked.
    pub(super) fn take_clicks(&self) -> u64 {
        self.0.clicks.swap(0, Ordering::AcqRel)
    }

    /// When the probe has knocked since this was asked last.
    pub(super) fn take_knocks(&self) -> Vec<Instant> {
        std::mem::take(&mut *self.knocks())
    }

    fn knock(&self) {
        self.knocks().push(Instant::now());
    }

    fn knocks(&self) -> MutexGuard<'_, Vec<Instant>> {
        self.0.knocks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn start(
    ctx: &Context,
    options: &TwinOptions,
    log: Log,
    cues: Cues,
) -> Result<(), SpawnError> {
    let player = Player {
        ctx: ctx.clone(),
        log,
        cues,
        limit: options.length + LIMIT,
    };
    let script = options.pattern.entry().script;
    join::Builder::new("plays the person")
        .daemon(true)
        .spawn(move |_| player.play(script))?;
    Ok(())
}

struct Player {
    ctx: Context,
    log: Log,
    cues: Cues,
    /// How long after `Start` the window may take.
    limit: Duration,
}

impl Player {
    fn play(&self, script: Script) {
        while !self.cues.0.is_open.load(Ordering::Acquire) {
            rest(GLANCE);
        }
        rest(SETTLE);
        self.log.note_threads();
        self.cues.0.start.store(true, Ordering::Release);
        self.ctx.request_repaint();
        let started = Instant::now();
        match script {
            Script::Probed => self.probe(started),
            Script::Untouched => self.leave_alone(started),
            Script::Minimised => self.minimise(started),
            Script::Closed => self.close(started),
        }
        self.log.note_threads();
        self.log.note(Fact::Over);
        self.ctx.send_viewport_cmd(ViewportCommand::Close);
    }

    /// Knocks and clicks until the result is there.
    fn probe(&self, started: Instant) {
        let mut knocks = 0_u32;
        let mut shown_at = None;
        loop {
            let now = Instant::now();
            if self.log.has_shown() && shown_at.is_none() {
                shown_at = Some(now);
            }
            let is_done = shown_at.is_some_and(|at| now.duration_since(at) >= TAIL);
            if is_done || now.duration_since(started) >= self.limit {
                return;
            }
            self.cues.knock();
            if knocks.is_multiple_of(KNOCKS_A_CLICK) {
                self.cues.0.clicks.fetch_add(1, Ordering::AcqRel);
                self.log.note(Fact::DidClick);
            }
            self.ctx.request_repaint();
            knocks += 1;
            let next = started + PROBE_INTERVAL * knocks;
            rest(next.saturating_duration_since(Instant::now()));
        }
    }

    /// Touches nothing unless the result does not come.
    fn leave_alone(&self, started: Instant) {
        if !self.is_shown_by_itself(started) {
            self.log.note(Fact::DidMoveMouse);
            self.ctx.request_repaint();
        }
        rest(TAIL);
    }

    fn minimise(&self, started: Instant) {
        rest(SOON);
        self.ctx.send_viewport_cmd(ViewportCommand::Minimized(true));
        self.ctx.request_repaint();
        if !self.is_shown_by_itself(started) {
            self.ctx
                .send_viewport_cmd(ViewportCommand::Minimized(false));
            self.ctx.request_repaint();
        }
        rest(TAIL);
    }

    /// Waits until the result is shown, for some time after the work has ended.
    fn is_shown_by_itself(&self, started: Instant) -> bool {
        let mut ended_at = None;
        loop {
            let now = Instant::now();
            if self.log.has_ended() && ended_at.is_none() {
                ended_at = Some(now);
            }
            if self.log.has_shown() {
                return true;
            }
            let is_late = ended_at.is_some_and(|at| now.duration_since(at) >= PATIENCE);
            if is_late || now.duration_since(started) >= self.limit {
                return false;
            }
            rest(GLANCE);
        }
    }

    /// Asks the window to close, and waits until the program has.
    fn close(&self, started: Instant) {
        rest(SOON);
        self.log.note(Fact::DidAskToClose);
        self.ctx.send_viewport_cmd(ViewportCommand::Close);
        self.ctx.request_repaint();
        rest((started + self.limit).saturating_duration_since(Instant::now()));
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this thread plays a person, who mostly waits"
)]
fn rest(time: Duration) {
    std::thread::sleep(time);
}
