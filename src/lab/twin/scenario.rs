//! The simulated user, on its own thread: clicks `Start`, clicks the counter, closes the window.

use parking_lot::{Mutex, MutexGuard};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use eframe::egui::{Context, ViewportCommand};

use crate::join::{self, SpawnError};
use crate::lab::fact::{Fact, FactLog};
use crate::lab::pattern::Scenario;
use crate::lab::run::TwinRunOptions;

/// A new window draws more frames at first.
const SETTLE_TIME: Duration = Duration::from_millis(500);

/// The interval of the probe: 60 Hz.
const PROBE_INTERVAL: Duration = Duration::from_micros(16_667);

/// The counter is clicked ten times a second.
const PROBES_PER_CLICK: u32 = 6;

/// From the click on `Start` until the window is minimised or asked to close.
const ACTION_DELAY: Duration = Duration::from_millis(300);

/// The time that a window without input has to show the result after the end of the work.
const RESULT_TIMEOUT: Duration = Duration::from_secs(1);

/// The time for which a window is watched after the result.
const TAIL_TIME: Duration = Duration::from_secs(1);

/// The time of a pattern in addition to its work. After that its window needs input, or never
/// responds.
const MAX_OVERRUN: Duration = Duration::from_secs(2);

const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// The input that the scenario makes and the window handles.
#[derive(Clone, Default)]
pub(super) struct ScriptedInput(Arc<Inner>);

#[derive(Default)]
struct Inner {
    is_open: AtomicBool,
    start: AtomicBool,
    clicks: AtomicU64,
    probes: Mutex<Vec<Instant>>,
}

impl ScriptedInput {
    /// The window has drawn its first frame.
    pub(super) fn set_open(&self) {
        self.0.is_open.store(true, Ordering::Release);
    }

    /// Whether to click `Start`. Returns true once.
    pub(super) fn take_start(&self) -> bool {
        self.0.start.swap(false, Ordering::AcqRel)
    }

    /// The number of clicks on the counter since the last call.
    pub(super) fn take_clicks(&self) -> u64 {
        self.0.clicks.swap(0, Ordering::AcqRel)
    }

    /// The times at which the probe sent an input since the last call.
    pub(super) fn take_probes(&self) -> Vec<Instant> {
        std::mem::take(&mut *self.probes())
    }

    fn probe(&self) {
        self.probes().push(Instant::now());
    }

    fn probes(&self) -> MutexGuard<'_, Vec<Instant>> {
        self.0.probes.lock()
    }
}

pub(super) fn start(
    ctx: &Context,
    options: &TwinRunOptions,
    log: FactLog,
    input: ScriptedInput,
) -> Result<(), SpawnError> {
    let user = SimulatedUser {
        ctx: ctx.clone(),
        log,
        input,
        timeout: options.length + MAX_OVERRUN,
    };
    let scenario = options.pattern.entry().scenario;
    join::Builder::new("simulated user")
        .daemon(true)
        .spawn(move |_| user.run_scenario(scenario))?;
    Ok(())
}

struct SimulatedUser {
    ctx: Context,
    log: FactLog,
    input: ScriptedInput,
    /// The time that the window has after the click on `Start`.
    timeout: Duration,
}

impl SimulatedUser {
    fn run_scenario(&self, scenario: Scenario) {
        while !self.input.0.is_open.load(Ordering::Acquire) {
            sleep(POLL_INTERVAL);
        }
        sleep(SETTLE_TIME);
        self.log.note_threads();
        self.input.0.start.store(true, Ordering::Release);
        self.ctx.request_repaint();
        let started = Instant::now();
        match scenario {
            Scenario::Probed => self.probe(started),
            Scenario::Untouched => self.leave_untouched(started),
            Scenario::Minimised => self.minimise(started),
            Scenario::Closed => self.close(started),
        }
        self.log.note_threads();
        self.log.note(Fact::Over);
        self.ctx.send_viewport_cmd(ViewportCommand::Close);
    }

    /// Sends input and clicks until the result is shown.
    fn probe(&self, started: Instant) {
        let mut probes = 0_u32;
        let mut shown_at = None;
        loop {
            let now = Instant::now();
            if self.log.has_shown() && shown_at.is_none() {
                shown_at = Some(now);
            }
            let is_done = shown_at.is_some_and(|at| now.duration_since(at) >= TAIL_TIME);
            if is_done || now.duration_since(started) >= self.timeout {
                return;
            }
            self.input.probe();
            if probes.is_multiple_of(PROBES_PER_CLICK) {
                self.input.0.clicks.fetch_add(1, Ordering::AcqRel);
                self.log.note(Fact::DidClick);
            }
            self.ctx.request_repaint();
            probes += 1;
            let next = started + PROBE_INTERVAL * probes;
            sleep(next.saturating_duration_since(Instant::now()));
        }
    }

    /// Sends no input unless the result does not appear.
    fn leave_untouched(&self, started: Instant) {
        if !self.is_shown_without_input(started) {
            self.log.note(Fact::DidMoveMouse);
            self.ctx.request_repaint();
        }
        sleep(TAIL_TIME);
    }

    fn minimise(&self, started: Instant) {
        sleep(ACTION_DELAY);
        self.ctx.send_viewport_cmd(ViewportCommand::Minimized(true));
        self.ctx.request_repaint();
        if !self.is_shown_without_input(started) {
            self.ctx
                .send_viewport_cmd(ViewportCommand::Minimized(false));
            self.ctx.request_repaint();
        }
        sleep(TAIL_TIME);
    }

    /// Waits for the result, up to [`RESULT_TIMEOUT`] after the end of the work.
    fn is_shown_without_input(&self, started: Instant) -> bool {
        let mut ended_at = None;
        loop {
            let now = Instant::now();
            if self.log.has_ended() && ended_at.is_none() {
                ended_at = Some(now);
            }
            if self.log.has_shown() {
                return true;
            }
            let is_late = ended_at.is_some_and(|at| now.duration_since(at) >= RESULT_TIMEOUT);
            if is_late || now.duration_since(started) >= self.timeout {
                return false;
            }
            sleep(POLL_INTERVAL);
        }
    }

    /// Asks the window to close and waits until the process ends.
    fn close(&self, started: Instant) {
        sleep(ACTION_DELAY);
        self.log.note(Fact::DidAskToClose);
        self.ctx.send_viewport_cmd(ViewportCommand::Close);
        self.ctx.request_repaint();
        sleep((started + self.timeout).saturating_duration_since(Instant::now()));
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a simulated user mostly waits, on a thread of its own"
)]
fn sleep(time: Duration) {
    std::thread::sleep(time);
}
