//! A look at a process of a thousand threads that wait, compared with debuggers that print their stacks.
//!
//! Ours is the time of both looks, without the pause between them, in which nothing is done.
//!
//! And the time from the limit of a frame until the watchdog hands over why it is late.
//!
//! `cargo bench -p meanwhile-explain --bench explain`, with gdb and elfutils

#![expect(
    clippy::disallowed_methods,
    reason = "it measures threads that wait without a deadline"
)]

mod harness;

use std::error::Error;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use harness::{Bench, Contender, timed};
use meanwhile_explain::OwnThread;
use meanwhile_join as join;
use meanwhile_join::watchdog::{Cause, Incident, Look, Watchdog};

/// The argument with which this program is the process that waits.
const WAITS: &str = "waits";

const THREADS: usize = 1_000;

const ROUNDS: usize = 9;

/// The frames of each kind that are late.
const FREEZES: usize = 50;

/// A frame that takes longer is late.
const LIMIT: Duration = Duration::from_millis(100);

fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().nth(1).as_deref() == Some(WAITS) {
        return wait();
    }
    let bench = Bench::from_args();
    let waiting = Waiting::start()?;
    let pid = waiting.0.id();
    let ours = || {
        let look = timed(|| drop(meanwhile_explain::process(pid).expect("it waits")));
        look.saturating_sub(meanwhile_explain::INTERVAL)
    };
    let debuggers: [(&'static str, [&str; 4]); 2] = [
        ("gdb", ["gdb", "-batch", "-ex", "thread apply all bt 1"]),
        ("eu-stack", ["eu-stack", "-n", "1", "-q"]),
    ];
    let mut contenders: Vec<Contender<'_>> = vec![("both looks", Box::new(ours))];
    for (name, words) in debuggers {
        let run = move || {
            let mut command = Command::new(words[0]);
            command.args(&words[1..]).arg("-p").arg(pid.to_string());
            let command = command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            timed(|| drop(command.status()))
        };
        if Command::new(words[0]).arg("--version").output().is_ok() {
            contenders.push((name, Box::new(run)));
        }
    }
    let title = format!("a process of {THREADS} threads that wait");
    bench.compare(&title, ROUNDS, 0.5, 1.0, contenders)?;
    drop(waiting);
    for (quantile, name) in [(0.5, "median"), (0.95, "95th percentile")] {
        late_frames(&bench, quantile, name)?;
    }
    Ok(())
}

/// The incidents of late frames, each with the time at which it was handed over.
struct Watched {
    watchdog: Watchdog,
    incidents: Arc<Mutex<Receiver<(Incident, Instant)>>>,
}

impl Watched {
    fn start() -> Result<Self, join::SpawnError> {
        let (reports, incidents) = channel();
        let mut thread = None;
        let on_look = move |look: Look| {
            if look.is_first {
                thread = look.thread.map(OwnThread::new);
            }
            let look = thread.as_mut()?.look()?;
            let cause = look.wait.map_or(Cause::Computes, |wait| Cause::Waits {
                what: wait.what,
                because: wait.because,
            });
            Some((cause, look.elapsed))
        };
        let report = move |incident| drop(reports.send((incident, Instant::now())));
        Ok(Self {
            watchdog: Watchdog::with_cause(LIMIT, on_look, report)?,
            incidents: Arc::new(Mutex::new(incidents)),
        })
    }

    /// Draws a frame that lasts until the cause is known, and returns the time for which it was late by then.
    fn late(
        &self,
        cause: &str,
        freeze: impl FnOnce(Arc<Mutex<Receiver<(Incident, Instant)>>>) -> (Incident, Instant),
    ) -> Duration {
        let began = Instant::now();
        let frame = self.watchdog.frame();
        let (incident, at) = freeze(self.incidents.clone());
        drop(frame);
        assert_eq!(incident.because().as_deref(), Some(cause));
        next(&self.incidents);
        at.duration_since(began).saturating_sub(LIMIT)
    }
}

fn next(incidents: &Mutex<Receiver<(Incident, Instant)>>) -> (Incident, Instant) {
    let incidents = incidents.lock().expect("nothing panics");
    incidents.recv().expect("the watchdog reports")
}

fn late_frames(bench: &Bench, quantile: f64, name: &str) -> Result<(), Box<dyn Error>> {
    let watched = Watched::start()?;
    let thread = || {
        watched.late("waits for thread `decode` to end, which waits to be woken by another thread, which one is not recorded", |incidents| {
            let decode = thread::Builder::new().name("decode".to_owned());
            let decode = decode.spawn(move || next(&incidents));
            decode.expect("a thread is left").join().expect("it reports")
        })
    };
    let task = || {
        watched.late("waits for task `decode` to end", |incidents| {
            let decode =
                join::spawn("decode", move |_| next(&incidents)).expect("a thread is left");
            decode.join().expect("it reports").clone()
        })
    };
    let computes = || {
        watched.late("computes", |incidents| {
            let incidents = incidents.lock().expect("nothing panics");
            loop {
                if let Ok(incident) = incidents.try_recv() {
                    return incident;
                }
            }
        })
    };
    let title = format!("from the limit of a frame until its cause is handed over, {name}");
    let contenders: Vec<Contender<'_>> = vec![
        ("joins a thread", Box::new(thread)),
        ("joins a task of the library", Box::new(task)),
        ("computes", Box::new(computes)),
    ];
    bench.compare(&title, FREEZES, quantile, 1.0, contenders)?;
    Ok(())
}

/// Starts threads that wait for a lock, and never ends.
fn wait() -> Result<(), Box<dyn Error>> {
    static LOCK: Mutex<()> = Mutex::new(());
    let _held = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
    for _ in 0..THREADS {
        thread::Builder::new().spawn(|| drop(LOCK.lock()))?;
    }
    std::io::stdout().write_all(b"ready\n")?;
    loop {
        thread::park();
    }
}

struct Waiting(Child);

impl Waiting {
    fn start() -> Result<Self, Box<dyn Error>> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut child = command.arg(WAITS).stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take().ok_or("it is piped")?;
        BufReader::new(output).read_line(&mut String::new())?;
        Ok(Self(child))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.kill().ok();
    }
}
