//! The watchdog's thread.

use std::borrow::Cow;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, SystemTime};

use super::super::graph;
use super::super::sync::lock;
use super::cause::{Cause, Look};
use super::incident::Incident;
use super::shared::{Drawer, Ended, FrameTime, WatchdogShared, is_odd};
use super::stops::OwnTime;

/// The time between the first looks at a thread whose frame is late.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);

/// After so many looks the frame is reported, whether its cause is known or not.
const FIRST_LOOKS: u32 = 3;

/// The time between later looks.
const LATER_INTERVAL: Duration = Duration::from_millis(100);

/// Says what a thread did since the last look, and for how long.
pub(super) type OnLook = Box<dyn FnMut(Look) -> Option<(Cause, Duration)> + Send>;

struct Watcher<'a> {
    shared: &'a WatchdogShared,
    on_look: Option<OnLook>,
    own_time: OwnTime,
    /// The turn at the last check.
    seen: u64,
    last_number: u64,
    /// When the process stood still during the last sleep.
    last_stop: Option<FrameTime>,
    /// The frame that is late.
    late: Option<Late>,
}

/// A frame that is late and was not processed as ended.
struct Late {
    turn: u64,
    /// The number of its incident, once it was reported.
    number: Option<u64>,
    /// How long the process stood still since the report.
    stopped: Duration,
    looks: u32,
    last_look: Duration,
    /// The number of the wait through the library at the last look.
    wait: Option<u64>,
    /// What the thread did, and for how long.
    causes: Vec<(Cause, Duration)>,
    /// The time for which that is known or was looked for.
    watched: Duration,
}

/// Runs on the watchdog's thread. Incidents from before its end are still reported.
pub(super) fn watch(
    shared: &WatchdogShared,
    on_look: Option<OnLook>,
    on_incident: impl Fn(Incident),
) {
    let mut watcher = Watcher {
        shared,
        on_look,
        own_time: OwnTime::new(shared.now()),
        seen: 0,
        last_number: 0,
        last_stop: None,
        late: None,
    };
    // Whether the process stood still before is not known.
    shared.resume();
    loop {
        let is_over = shared.is_over.load(Ordering::SeqCst);
        watcher.notice_stop();
        let incidents = watcher.take_incidents();
        if !incidents.is_empty() {
            incidents.into_iter().for_each(&on_incident);
            // The callback may have waited.
            watcher.own_time.begin(shared.now());
        }
        if is_over {
            return;
        }
        watcher.sleep();
    }
}

impl Watcher<'_> {
    /// Takes the incidents to report now.
    fn take_incidents(&mut self) -> Vec<Incident> {
        let ended: Vec<Ended> = lock(&self.shared.state).ended.drain(..).collect();
        let mut incidents: Vec<_> = ended
            .into_iter()
            .filter_map(|ended| self.end(ended))
            .collect();
        let turn = self.shared.turns.load(Ordering::SeqCst);
        let time = self.shared.frame_time();
        if is_odd(turn) && time.lasted() >= self.shared.limit {
            self.look(turn, time);
            incidents.extend(self.report_ongoing(turn));
        }
        incidents
    }

    /// Looks at what the thread does that draws the frame of this turn, which is late.
    fn look(&mut self, turn: u64, time: FrameTime) {
        if self.late.as_ref().is_none_or(|late| late.turn != turn) {
            self.late = Some(Late::new(turn, time));
        }
        let (Some(late), Some(on_look)) = (&mut self.late, &mut self.on_look) else {
            return;
        };
        let drawer = lock(&self.shared.state).drawer;
        let own = drawer.and_then(|Drawer { thread, .. }| graph::global().wait_of(thread));
        let seen = on_look(Look {
            thread: drawer.and_then(|drawer| drawer.tid),
            is_first: late.looks == 0,
        });
        let now = self.shared.now();
        // To look may wait.
        self.own_time.begin(now);
        // What the thread did after the frame is no cause.
        if self.shared.is_drawn(turn) {
            late.add(time, now, own, seen);
        }
    }

    /// Reports the frame of this turn, which is late, unless that was done, or its cause is still looked for.
    fn report_ongoing(&mut self, turn: u64) -> Option<Incident> {
        let late = self.late.as_mut()?;
        let is_known = self.on_look.is_none() || late.looks >= FIRST_LOOKS;
        if late.number.is_some() || !(is_known || late.has_early_cause()) {
            return None;
        }
        // Under the lock, so that the frame does not end meanwhile.
        let mut state = lock(&self.shared.state);
        if !self.shared.is_drawn(turn) {
            return None;
        }
        let label = state.labels.last().map(|label| label.text.clone());
        // Records the current operation as the cause; later ones are ignored.
        state.slow_label.clone_from(&label);
        drop(state);
        self.last_number += 1;
        late.number = Some(self.last_number);
        let lasted = self.shared.frame_time().lasted();
        Some(incident(
            self.last_number,
            lasted,
            label,
            late.cause(),
            false,
        ))
    }

    /// Reports the end of a frame, unless it was not late but the process stood still.
    fn end(&mut self, ended: Ended) -> Option<Incident> {
        let late = self.late.take_if(|late| late.turn == ended.turn);
        let reported = late.as_ref().and_then(|late| late.number);
        let time = if reported.is_some() {
            ended.time
        } else {
            self.without_stop(ended.time)
        };
        if reported.is_none() && time.lasted() < self.shared.limit {
            return None;
        }
        let number = reported.unwrap_or_else(|| {
            self.last_number += 1;
            self.last_number
        });
        let stopped = late.as_ref().map_or(Duration::ZERO, |late| late.stopped);
        let lasted = time.lasted().saturating_sub(stopped);
        let cause = late.as_ref().and_then(Late::cause);
        Some(incident(number, lasted, ended.label, cause, true))
    }

    /// Sleeps until the next check is due, or the UI thread wakes this one.
    fn sleep(&mut self) {
        let time = self.time_to_sleep();
        let asleep_at = self.shared.now();
        match time {
            Some(time) => thread::park_timeout(time),
            None => thread::park(),
        }
        let slept = self.shared.now().saturating_sub(asleep_at);
        let meant = match time {
            Some(time) => slept.min(time),
            // The begin of a frame has woken it.
            None => match self.shared.began() {
                Some(began) if began > asleep_at => began.saturating_sub(asleep_at),
                _ => slept,
            },
        };
        self.own_time.sleeps(meant);
    }

    /// Notices that the process stood still since the last check.
    fn notice_stop(&mut self) {
        let stopped = self.own_time.stopped(self.shared.now());
        self.last_stop = stopped.map(|stopped| self.go_on_after(stopped));
    }

    /// Lets a frame count from now, because the process stood still until now.
    fn go_on_after(&mut self, stopped: Duration) -> FrameTime {
        let until = self.shared.now();
        match &mut self.late {
            Some(late) if late.number.is_some() => {
                late.stopped += stopped;
                late.last_look = until;
            }
            late => {
                *late = None;
                self.shared.resume();
            }
        }
        FrameTime {
            began: until.saturating_sub(stopped),
            until,
        }
    }

    /// Returns the time of a frame that has ended. If the process stood still meanwhile, that counts from then.
    fn without_stop(&self, frame: FrameTime) -> FrameTime {
        match self.last_stop {
            Some(stop) if frame.until > stop.began => FrameTime {
                began: frame.began.max(stop.until),
                ..frame
            },
            _ => frame,
        }
    }

    /// Returns the time to sleep before the next check, or `None` to sleep until woken. The thread checks
    /// periodically while the window draws, and not while it is idle.
    fn time_to_sleep(&mut self) -> Option<Duration> {
        let limit = self.shared.limit;
        let turn = self.shared.turns.load(Ordering::SeqCst);
        let last = std::mem::replace(&mut self.seen, turn);
        if is_odd(turn) {
            if self.shared.is_paused() {
                // The end of the pause wakes it.
                return None;
            }
            return Some(match &self.late {
                Some(late) if late.turn == turn && late.number.is_some() => LATER_INTERVAL,
                Some(late) if late.turn == turn => LOOK_INTERVAL,
                _ => limit.saturating_sub(self.shared.frame_time().lasted()),
            });
        }
        if last != turn {
            return Some(limit);
        }
        self.shared.is_asleep.store(true, Ordering::SeqCst);
        // A frame that started before it could see the flag has not woken the thread.
        let has_started = self.shared.turns.load(Ordering::SeqCst) != turn;
        if has_started {
            self.shared.is_asleep.store(false, Ordering::SeqCst);
        }
        has_started.then_some(limit)
    }
}

impl Late {
    fn new(turn: u64, time: FrameTime) -> Self {
        Self {
            turn,
            number: None,
            stopped: Duration::ZERO,
            looks: 0,
            last_look: time.until,
            wait: None,
            causes: Vec::new(),
            watched: Duration::ZERO,
        }
    }

    /// Adds what a look has found. `seen` is what the thread did since the look before, `own` what it waits for
    /// through this library now.
    fn add(
        &mut self,
        frame: FrameTime,
        now: Duration,
        own: Option<graph::ThreadWait>,
        seen: Option<(Cause, Duration)>,
    ) {
        let since_last = now.saturating_sub(self.last_look);
        let is_first = self.looks == 0;
        let own_number = own.as_ref().map(|own| own.number);
        // The library knows better than the system what it waits for itself.
        let own = own.and_then(|own| {
            let waited = own.since.elapsed();
            let time = if is_first { frame.lasted() } else { since_last };
            let is_most = waited >= time / 2;
            is_most.then(|| (cause_of(own.what), waited.min(time)))
        });
        if let Some((cause, time)) = own {
            self.watched += if is_first { frame.lasted() } else { since_last };
            self.note(cause, time);
        } else if !is_first {
            self.watched += since_last;
            // While it waited through the library, the system sees something else.
            let has_waited = own_number.is_some() || self.wait.is_some();
            if let Some((cause, time)) = seen.filter(|_| !has_waited) {
                self.note(cause, time.min(since_last));
            }
        }
        self.looks += 1;
        self.last_look = now;
        self.wait = own_number;
    }

    fn note(&mut self, cause: Cause, time: Duration) {
        match self
            .causes
            .iter_mut()
            .find(|(known, _)| known.is_same(&cause))
        {
            // The newest words, of what it waits for now.
            Some((known, sum)) => {
                *known = cause;
                *sum += time;
            }
            None => self.causes.push((cause, time)),
        }
    }

    /// What the thread did for most of the time.
    fn cause(&self) -> Option<(Cause, Duration)> {
        let most = self.causes.iter().max_by_key(|(_, time)| *time)?;
        (most.1 >= self.watched / 2).then(|| most.clone())
    }

    /// Whether the first look has shown all: the frame waits through this library.
    fn has_early_cause(&self) -> bool {
        self.looks == 1 && self.cause().is_some()
    }
}

fn cause_of(what: String) -> Cause {
    Cause::Waits {
        what,
        because: None,
    }
}

fn incident(
    number: u64,
    lasted: Duration,
    label: Option<Cow<'static, str>>,
    cause: Option<(Cause, Duration)>,
    has_ended: bool,
) -> Incident {
    let now = SystemTime::now();
    let (cause, caused_for) = cause.unzip();
    Incident {
        number,
        began: now.checked_sub(lasted).unwrap_or(now),
        lasted,
        label: label.map(Cow::into_owned),
        cause,
        caused_for: caused_for.unwrap_or_default(),
        has_ended,
    }
}
