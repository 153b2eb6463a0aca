//! Half an hour of everything at once: floods of jobs, storms of cancels, the Freeze Lab, lessons, and a window whose
//! size changes all along. What the program has then has to be what it had after the first rounds.
//!
//! `tests/all.sh soak` runs this with a release build, `MEANWHILE_SOAK_MINUTES` says for how long.

use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use meanwhile::app::Store;
use meanwhile::jobs::Options;
use meanwhile::jobs::command::CommandLine;

use crate::cost;
use crate::process_resources::Resources;
use crate::session::{Session, pause, wait_until};
use crate::setup::GRACE;
use crate::sleeper::Sleeper;
use crate::window::{OTHER_PROGRAM, Tree, Window, program};

/// After these rounds each lesson and pattern has run once, and each kind of job: fonts, caches, the memory of the
/// allocator and the threads that are kept have the size that they need.
const WARM_UP: usize = CYCLE;

/// The rounds until everything begins again.
const CYCLE: usize = 3;

const PANICS: [&str; CYCLE] = ["Panic with &str", "Panic in Drop", "Panic while planning"];
const CRASHES: [&str; CYCLE] = ["Abort", "Segmentation fault", "Exit"];
const ALGORITHMS: [&str; CYCLE] = ["SHA-256", "BLAKE3", "XXH3"];
const PATTERNS: [&str; CYCLE] = ["join-in-click", "lock-held-by-worker", "wake-per-update"];
const LESSONS: [&str; CYCLE] = ["join-timeout", "pool", "cancel"];
const PANES: [&str; 4] = ["Output", "Panic", "Waits", "Results"];

/// The small files of the jobs. Every fiftieth makes the command start processes that end by a cancel alone.
const FILES: usize = 5_000;

/// The sizes of the window, in pixels: the smallest that it may have, and that of the screen.
const SIZES: [(usize, usize); 2] = [(640, 400), (1600, 1000)];

/// The size in which it rests, because what it draws is a part of its memory.
const REST_SIZE: (usize, usize) = (1180, 780);

const RESIZE_INTERVAL: Duration = Duration::from_millis(250);

/// After this time a press was lost.
const PRESS_TIME: Duration = Duration::from_secs(10);

/// The threads that start processes never end, because the system would kill what they have started. There are more of
/// them once starts take long.
const SPAWNER: &str = "process spawner";
/// The most that there may be, as `src/join/process/spawner.rs` says.
const MAX_SPAWNERS: usize = 16;
/// Longer than any thread is kept for the next task.
const SETTLING: Duration = Duration::from_secs(30);

/// The memory at the end, in that after the warm-up.
const MAX_GROWTH: f64 = 1.1;

/// The 99th percentile of the processor time of a frame, at most: the aim, which is for a release build.
const MAX_P99_MS: f64 = 4.0;

/// So many times that in a build without optimisation.
const DEBUG_FACTOR: f64 = 10.0;

#[test]
#[ignore = "takes half an hour; tests/all.sh runs it"]
fn half_an_hour_of_everything_leaves_nothing() {
    let minutes = std::env::var("MEANWHILE_SOAK_MINUTES");
    let minutes = minutes.map_or(30, |minutes| minutes.parse().expect("a number of minutes"));
    let length = Duration::from_mins(minutes);
    let session = Session::start("soak");
    let soak = Soak::open(&session);
    let report = std::thread::scope(|scope| {
        let stop = StopOnDrop(&soak.is_over);
        scope.spawn(|| soak.resize());
        let report = soak.run(length);
        drop(stop);
        report
    });
    println!("{report}");
    let failed = report.failed_gates();
    assert!(failed.is_empty(), "{failed:#?}");
}

/// Ends the resizing, also when the driver panics.
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The window, and what was done in it.
struct Soak<'s> {
    session: &'s Session,
    window: Window<'s>,
    /// The window's number on the screen.
    on_screen: String,
    files: PathBuf,
    sleeper: Sleeper,
    is_over: AtomicBool,
    rests: AtomicBool,
    jobs: AtomicUsize,
    cancels: AtomicUsize,
    resizes: AtomicUsize,
    /// The most threads, descriptors and children that were seen at once.
    most: [AtomicUsize; 3],
}

impl<'s> Soak<'s> {
    fn open(session: &'s Session) -> Self {
        let files = session.home().join("files");
        fs::create_dir(&files).expect("the home is ours");
        for number in 0..FILES {
            let kind = if number % 50 == 49 { "stays" } else { "ends" };
            let file = files.join(format!("{number:04}.{kind}"));
            fs::write(file, number.to_string().repeat(500)).expect("the home is ours");
        }
        let sleeper = Sleeper::new(session.home());
        store_choices(session, &sleeper);
        let window = Window::open(session, &[]);
        let on_screen = session
            .tool(
                "xdotool",
                &["search", "--onlyvisible", "--name", "^Meanwhile$"],
            )
            .expect("it is open");
        Self {
            session,
            window,
            on_screen,
            files,
            sleeper,
            is_over: AtomicBool::new(false),
            rests: AtomicBool::new(false),
            jobs: AtomicUsize::new(0),
            cancels: AtomicUsize::new(0),
            resizes: AtomicUsize::new(0),
            most: Default::default(),
        }
    }

    /// Changes the size of the window until all is over.
    fn resize(&self) {
        let [least, most] = SIZES;
        let between = |least: usize, most: usize, step: usize| least + step % (most - least + 1);
        for number in 0.. {
            if self.is_over.load(Ordering::Relaxed) {
                return;
            }
            if !self.rests.load(Ordering::Relaxed) {
                let size = match number % 8 {
                    0 => least,
                    4 => most,
                    _ => (
                        between(least.0, most.0, number * 397),
                        between(least.1, most.1, number * 283),
                    ),
                };
                self.set_size(size);
                self.resizes.fetch_add(1, Ordering::Relaxed);
                for (most, now) in self
                    .most
                    .iter()
                    .zip(counts(&Resources::of(self.window.pid())))
                {
                    most.fetch_max(now, Ordering::Relaxed);
                }
            }
            pause(RESIZE_INTERVAL);
        }
    }

    fn set_size(&self, (width, height): (usize, usize)) {
        let size = [width, height].map(|length| length.to_string());
        let [width, height] = &size;
        self.session
            .keyboard(&["windowsize", &self.on_screen, width, height]);
    }

    #[expect(clippy::print_stdout, reason = "half an hour is long without a word")]
    fn run(&self, length: Duration) -> Report {
        let began = Instant::now();
        let mut rests = Vec::new();
        for round in 0.. {
            self.round(round);
            let is_last = began.elapsed() >= length && round >= WARM_UP;
            let settles = is_last || round + 1 == WARM_UP;
            let rest = self.rest(settles);
            println!("after round {}: {rest}", round + 1);
            rests.push(rest);
            if is_last {
                break;
            }
        }
        let count = |of: &AtomicUsize| of.load(Ordering::Relaxed);
        Report {
            minutes: began.elapsed().as_secs_f64() / 60.0,
            rests,
            jobs: count(&self.jobs),
            cancels: count(&self.cancels),
            resizes: count(&self.resizes),
            most: self.most.each_ref().map(count),
            frames: self.frames(),
        }
    }

    fn round(&self, round: usize) {
        let turn = round % CYCLE;
        self.flood(turn);
        self.start_lab(PATTERNS[turn]);
        self.start_lesson(LESSONS[turn]);
        self.storm();
        for page in ["Settings", "Freeze Lab", "Workbench"] {
            self.window.press("page tab", page);
        }
        for pane in PANES {
            self.window.press_any(pane);
        }
        self.end_lesson();
        self.end_lab();
        self.remove_jobs();
    }

    /// Starts jobs of all kinds, which run side by side.
    fn flood(&self, turn: usize) {
        let window = &self.window;
        window.press("page tab", "Workbench");
        self.choose("Job", "Misbehave");
        self.choose("Ends by", PANICS[turn]);
        for threads in ["Shared threads", "A thread each"] {
            self.choose("Run on", threads);
            self.start();
        }
        self.choose("Ends by", CRASHES[turn]);
        self.choose("Run on", "A process each");
        self.start();
        self.choose("Run on", "Shared threads");
        // As a second start from a terminal does.
        let folder = self.files.to_string_lossy();
        self.session
            .tool(&program(), &[&folder])
            .expect("the open window takes it");
        window.wait_for_text("1 input");
        self.choose("Job", "Checksums");
        self.choose("Algorithm", ALGORITHMS[turn]);
        for _ in 0..3 {
            self.start();
        }
        self.choose("Job", "Command");
        self.start();
    }

    /// Picks an entry of a combo box. Nobody changes the size of a window while its list is open: it would close.
    fn choose(&self, name: &str, choice: &str) {
        let window = &self.window;
        self.rests.store(true, Ordering::Relaxed);
        let pick = || {
            let tree = window.tree()?;
            let is_open = tree.find("list box", "").is_some();
            let shown = tree.find("combo box", name);
            if shown.is_some_and(|shown| shown.description.contains(choice)) {
                if is_open {
                    self.session.keyboard(&["key", "Escape"]);
                }
                return (!is_open)
                    .then_some(())
                    .ok_or("the list is open".to_owned());
            }
            let mut named = tree.nodes.iter().filter(|node| node.name == choice);
            match named.find(|node| node.role != "label") {
                Some(entry) => window.try_press(&entry.role, choice),
                None => window.try_press("combo box", name),
            };
            Err("it is not chosen".to_owned())
        };
        wait_until(&format!("{name:?} to be {choice:?}"), pick, || {
            window.describe()
        });
        self.rests.store(false, Ordering::Relaxed);
    }

    /// Starts the chosen job.
    fn start(&self) {
        let before = self.jobs.load(Ordering::Relaxed);
        self.press_until("Start", |tree| {
            let newest = newest_job(tree);
            self.jobs.fetch_max(newest, Ordering::Relaxed);
            newest > before
        });
    }

    /// Presses a button until it has done its work. A press is lost if the parts of the page change places before it
    /// arrives.
    fn press_until(&self, button: &str, is_done: impl Fn(&Tree) -> bool) {
        let mut pressed = None;
        let press = || {
            if is_done(&self.window.tree()?) {
                return Ok(());
            }
            if pressed.is_none_or(|at: Instant| at.elapsed() > PRESS_TIME) {
                pressed = Some(Instant::now());
                self.window.try_press("push button", button);
            }
            Err("nothing has come of it".to_owned())
        };
        wait_until(&format!("{button:?} to do its work"), press, || {
            self.window.describe()
        });
    }

    /// Cancels jobs that have just begun, and those that run, twice each.
    fn storm(&self) {
        self.window.press("page tab", "Workbench");
        for _ in 0..3 {
            self.window.press("push button", "Start");
            self.cancel();
            self.cancel();
        }
        // Their cards have these names; what is said at their end is longer.
        let titles = self.window.wait_for("the jobs", |tree| {
            self.jobs.fetch_max(newest_job(tree), Ordering::Relaxed);
            let names = tree.nodes.iter().filter(|node| node.role != "label");
            let titles =
                names.filter(|node| node.name.starts_with('#') && !node.name.contains(':'));
            Some(titles.map(|card| card.name.clone()).collect::<Vec<_>>())
        });
        for title in titles {
            self.window.press_any(&title);
            self.cancel();
            self.cancel();
        }
    }

    fn cancel(&self) {
        let has_cancelled = self.window.try_press("push button", "Cancel");
        self.cancels
            .fetch_add(usize::from(has_cancelled), Ordering::Relaxed);
    }

    fn start_lab(&self, pattern: &str) {
        self.window.press("page tab", "Freeze Lab");
        self.window.press_any(pattern);
        self.press_until("Run both", |tree| is_enabled(tree, "Stop"));
    }

    fn end_lab(&self) {
        self.window.press("page tab", "Freeze Lab");
        self.window.wait_for_text("Nothing is running.");
    }

    fn start_lesson(&self, lesson: &str) {
        self.window.press("page tab", "Lessons");
        self.window.press_any(lesson);
        self.press_until("Run", |tree| is_enabled(tree, "Reset"));
    }

    fn end_lesson(&self) {
        self.window.press("page tab", "Lessons");
        self.window.press("push button", "Reset");
    }

    /// Cancels and removes all jobs, as well as the inputs and the messages.
    fn remove_jobs(&self) {
        self.window.press("page tab", "Workbench");
        let is_empty = || {
            let tree = self.window.tree()?;
            for (name, ends) in [("Remove", true), ("Cancel", false), ("Dismiss", true)] {
                let button = tree.find("push button", name);
                if button.is_some() && self.window.try_press("push button", name) && ends {
                    return Ok(false);
                }
            }
            // In place of the list. The page that was shown before has no such buttons either.
            let is_empty = tree.find("label", "None yet").is_some();
            is_empty.then_some(true).ok_or("jobs are left".to_owned())
        };
        while !wait_until("the next job to go", is_empty, || self.window.describe()) {}
        self.window.press("push button", "Clear");
    }

    /// The figures once nothing runs and nothing is drawn. With `settles` after the time in which threads without
    /// work end.
    fn rest(&self, settles: bool) -> Rest {
        self.rests.store(true, Ordering::Relaxed);
        pause(RESIZE_INTERVAL);
        self.set_size(REST_SIZE);
        for nothing in ["0 tasks running", "0 processes running"] {
            self.window.wait_for_text(nothing);
        }
        cost::wait_until_idle(&self.window);
        if settles {
            pause(SETTLING);
        }
        let mut has = Resources::of(self.window.pid());
        let all = has.threads.len();
        has.threads.retain(|name| name.trim() != SPAWNER);
        assert!(all - has.threads.len() <= MAX_SPAWNERS, "{all} threads");
        let rest = Rest {
            has,
            resident: cost::resident(&self.window),
            anonymous: cost::anonymous(&self.window),
            sleepers: self.sleeper.running().len(),
        };
        self.rests.store(false, Ordering::Relaxed);
        rest
    }

    /// What `Copy diagnostics` says of the frames, pasted into a field of the window.
    fn frames(&self) -> Frames {
        self.rests.store(true, Ordering::Relaxed);
        self.window.press("page tab", "Settings");
        self.window.press("push button", "Copy diagnostics");
        self.window
            .wait_for_text("The diagnostics are on the clipboard.");
        self.window.press("page tab", "Workbench");
        self.window.fill("Path", "");
        self.session.keyboard(&["key", "ctrl+v"]);
        Frames::read(&self.window.wait_for_text("Frames: "))
    }
}

/// The number of the newest job in the list; 0 without one.
fn newest_job(tree: &Tree) -> usize {
    let names = tree
        .nodes
        .iter()
        .filter_map(|node| node.name.strip_prefix('#'));
    let numbers = names.filter_map(|name| name.split(' ').next()?.parse().ok());
    numbers.max().unwrap_or(0)
}

fn is_enabled(tree: &Tree, button: &str) -> bool {
    let button = tree.find("push button", button);
    button.is_some_and(|button| button.states.iter().any(|state| state == "enabled"))
}

/// Stores what an earlier window would have: the command, and numbers of items that make a flood.
fn store_choices(session: &Session, sleeper: &Sleeper) {
    let dir = session.home().join("config/meanwhile");
    let (mut store, mut state, _) = Store::open(&dir);
    let sleep = sleeper.command();
    for options in &mut state.pages.choices.jobs {
        match options {
            Options::Command(options) => {
                let script = format!(
                    "case $1 in *.stays) setsid {sleep} & {sleep} & exec {sleep} ;; \
                     *) echo \"$1\"; exec sleep 0.05 ;; esac"
                );
                options.command = CommandLine::Line(script);
                options.shell = true;
                options.grace_secs = GRACE.as_secs_f64();
            }
            Options::Misbehave(options) => {
                options.item = 0;
                options.count = 1_000;
                options.after = 0.05;
            }
            _ => {}
        }
    }
    state.pages.choices.workers = 8;
    state.pages.lab.secs = 1.0;
    store.finish(&state, Duration::from_secs(20));
}

/// What the program has while nothing runs.
struct Rest {
    has: Resources,
    /// Bytes in memory.
    resident: u64,
    /// Those of them that the program has allocated.
    anonymous: u64,
    /// Processes of commands that nobody waits for any more.
    sleepers: usize,
}

impl fmt::Display for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [threads, files, children] = counts(&self.has);
        write!(
            f,
            "{threads} threads, {files} descriptors, {children} children, {} zombies, {} processes left, {:.1} MiB, {:.1} MiB of it allocated",
            self.has.zombies.len(),
            self.sleepers,
            mebibytes(self.resident),
            mebibytes(self.anonymous)
        )
    }
}

/// The numbers of threads, descriptors and children.
fn counts(has: &Resources) -> [usize; 3] {
    [has.threads.len(), has.files.len(), has.children.len()]
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// The frames, as the diagnostics tell them.
struct Frames {
    text: String,
    p99_ms: f64,
}

impl Frames {
    fn read(diagnostics: &str) -> Self {
        let (_, text) = diagnostics
            .split_once("Frames: ")
            .expect("it was waited for");
        let (text, _) = text.split_once(" File dialogs: ").unwrap_or((text, ""));
        // That of the code comes before that with painting.
        let p99 = text.split_once("99th percentile ");
        let p99 = p99.and_then(|(_, rest)| in_millis(rest.split(',').next()?));
        Self {
            text: text.to_owned(),
            p99_ms: p99.unwrap_or_else(|| panic!("no percentile in {diagnostics}")),
        }
    }
}

/// `80 µs`, `6.3 ms` or `1.20 s`, in milliseconds.
fn in_millis(time: &str) -> Option<f64> {
    let (number, unit) = time.split_once(' ')?;
    let factor = match unit {
        "µs" => 1e-3,
        "ms" => 1.0,
        "s" => 1e3,
        _ => return None,
    };
    number.parse::<f64>().ok().map(|number| number * factor)
}

struct Report {
    minutes: f64,
    /// After each round.
    rests: Vec<Rest>,
    jobs: usize,
    cancels: usize,
    resizes: usize,
    most: [usize; 3],
    frames: Frames,
}

/// A figure that may not grow.
struct Gate {
    name: &'static str,
    before: f64,
    /// Under load; `None` if it was not looked for.
    most: Option<f64>,
    after: f64,
    limit: f64,
}

impl Gate {
    fn holds(&self) -> bool {
        self.after <= self.limit
    }
}

impl Report {
    fn before(&self) -> &Rest {
        &self.rests[WARM_UP - 1]
    }

    fn after(&self) -> &Rest {
        self.rests.last().expect("there was a round")
    }

    fn gates(&self) -> Vec<Gate> {
        let (before, after) = (self.before(), self.after());
        let names = ["threads", "descriptors", "children"];
        let [befores, afters] =
            [before, after].map(|rest| counts(&rest.has).map(|count| count as f64));
        let of_counts = (0..names.len()).map(|index| Gate {
            name: names[index],
            before: befores[index],
            most: Some(self.most[index] as f64),
            after: afters[index],
            limit: befores[index],
        });
        // In any rest.
        let most =
            |count: fn(&Rest) -> usize| self.rests.iter().map(count).max().unwrap_or(0) as f64;
        let none = |name, count: fn(&Rest) -> usize| Gate {
            name,
            before: count(before) as f64,
            most: None,
            after: most(count),
            limit: 0.0,
        };
        let memory = |name, bytes: fn(&Rest) -> u64| Gate {
            name,
            before: mebibytes(bytes(before)),
            most: None,
            after: mebibytes(bytes(after)),
            limit: mebibytes(bytes(before)) * MAX_GROWTH,
        };
        let p99 = self.frames.p99_ms;
        let of_release = std::env::var_os(OTHER_PROGRAM).is_some();
        let rest = [
            none("zombies", |rest| rest.has.zombies.len()),
            none("processes left by commands", |rest| rest.sleepers),
            memory("memory (MiB)", |rest| rest.resident),
            memory("of it allocated (MiB)", |rest| rest.anonymous),
            Gate {
                name: "99th percentile of a frame (ms)",
                before: f64::NAN,
                most: None,
                after: p99,
                limit: MAX_P99_MS * if of_release { 1.0 } else { DEBUG_FACTOR },
            },
        ];
        of_counts.chain(rest).collect()
    }

    /// What is beyond its limit, and what has come since the warm-up.
    fn failed_gates(&self) -> Vec<String> {
        let gates = self.gates().into_iter().filter(|gate| !gate.holds());
        let failed: Vec<_> = gates
            .map(|gate| format!("{}: {} is above {}", gate.name, gate.after, gate.limit))
            .collect();
        if failed.is_empty() {
            return failed;
        }
        let (before, after) = (&self.before().has, &self.after().has);
        let files = |has: &Resources| {
            has.files
                .iter()
                .map(|file| file.display().to_string())
                .collect()
        };
        let came = [
            ("threads", new_in(&after.threads, before.threads.clone())),
            ("descriptors", new_in(&files(after), files(before))),
            ("children", new_in(&after.children, before.children.clone())),
        ];
        let came = came.map(|(name, new)| format!("{name} that have come: {new:?}"));
        [failed, came.into()].concat()
    }
}

/// What `after` has more of than `before`.
fn new_in(after: &Vec<String>, mut before: Vec<String>) -> Vec<String> {
    let mut new = Vec::new();
    for name in after {
        match before.iter().position(|other| other == name) {
            Some(index) => drop(before.swap_remove(index)),
            None => new.push(name.trim().to_owned()),
        }
    }
    new
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\n{:.1} minutes, {} rounds, {} jobs, {} cancels, {} new sizes of the window",
            self.minutes,
            self.rests.len(),
            self.jobs,
            self.cancels,
            self.resizes
        )?;
        writeln!(f, "Frames: {}\n", self.frames.text)?;
        writeln!(
            f,
            "| | after {WARM_UP} rounds | most under load | at the end | limit | |"
        )?;
        writeln!(f, "|---|---|---|---|---|---|")?;
        let number = |value: f64| match value {
            _ if value.is_nan() => "–".to_owned(),
            _ if value.fract() == 0.0 => format!("{value:.0}"),
            _ => format!("{value:.1}"),
        };
        for gate in self.gates() {
            let most = gate.most.map_or_else(|| number(f64::NAN), number);
            let [before, after, limit] = [gate.before, gate.after, gate.limit].map(number);
            let verdict = if gate.holds() { "held" } else { "**missed**" };
            writeln!(
                f,
                "| {} | {before} | {most} | {after} | {limit} | {verdict} |",
                gate.name
            )?;
        }
        Ok(())
    }
}
