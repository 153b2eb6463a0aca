//! The launcher: this program, started as a shim that prepares itself and becomes another program.
//!
//! Some things a process can only do to itself before it runs its program: ask to be killed when
//! its parent ends, take limits, lower its priority. Between `fork` and `exec` no safe Rust may
//! run, and `fork` copies the page tables of a large program. So the program starts itself anew,
//! which is cheap and flat in its size; the shim does those things in ordinary code, then executes
//! the command, under the same pid.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, getppid, setrlimit};

use super::builder::Builder;
use super::error::SpawnError;
use super::warden::{self, Warden};
use super::{reaper, spawner, system};
use crate::join::Priority;
use crate::join::sync::lock;

/// The first argument of a program that is started as a shim.
const LAUNCH: &str = "--meanwhile-launch";

/// The first argument of a program that is started as a warden.
pub(super) const WARDEN: &str = "--meanwhile-warden";

/// Exit code of a shim whose program can't be executed, and of one whose program is not there: as
/// shells have them.
const NOT_EXECUTED: i32 = 126;
const NOT_FOUND: i32 = 127;

/// Starts processes that end with this program and keep to limits.
///
/// The first line of `main` makes one; in a program that was started as the shim, it never returns.
///
/// ```no_run
/// use meanwhile::join::process::{Builder, LaunchOptions, Launcher};
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let launcher = Launcher::install();
///     let limits = LaunchOptions {
///         address_space_bytes: Some(1 << 30),
///         ..LaunchOptions::default()
///     };
///     let process = Builder::new("make").launched_by(&launcher, limits).spawn()?;
///     println!("{}", process.join()?);
///     Ok(())
/// }
/// ```
///
/// A process that is started so is killed when this program ends in whatever way, `SIGKILL`
/// included, and so is everything it has started. Clones are the same launcher.
///
/// Only Linux kills a process together with its parent. Elsewhere a second process does it, which
/// outlives the program and knows its own by a mark in the environment; of programs that macOS
/// protects, such as its own `/bin/sleep`, it can't read that, and they live on.
#[derive(Clone, Debug)]
pub struct Launcher(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    program: PathBuf,
    warden: Mutex<Option<Warden>>,
}

/// What a launched process gets.
///
/// ```standalone_crate
/// use meanwhile::join::process::{Builder, LaunchOptions, Launcher};
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let launcher = Launcher::install();
///     let options = LaunchOptions { open_files: Some(64), ..LaunchOptions::default() };
///     let shell = Builder::new("sh").args(["-c", "ulimit -n"]);
///     let shell = shell.launched_by(&launcher, options).spawn()?;
///     shell.join()?;
///     assert_eq!(shell.output().stdout.text(), "64\n");
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LaunchOptions {
    /// How urgently the system runs it.
    pub priority: Priority,
    /// The most address space it may use, in bytes; an allocation beyond fails. macOS knows no such
    /// limit: there the process exits with code 126 and says so.
    pub address_space_bytes: Option<u64>,
    /// The most CPU time it may use, in whole seconds; then the system kills it.
    pub cpu_time: Option<Duration>,
    /// The most files it may have open.
    pub open_files: Option<u64>,
}

static INSTALLED: OnceLock<Launcher> = OnceLock::new();

impl Launcher {
    /// Makes this program its own launcher. Stands first in `main`, before any thread is started.
    ///
    /// Where the program was started as the shim, this executes the command and never returns. Else
    /// it also starts the threads that serve processes, so that children begin with the priority
    /// that the program has now.
    pub fn install() -> Self {
        let mut args = std::env::args_os().skip(1);
        match args.next() {
            Some(arg) if arg == LAUNCH => end(become_command(args)),
            Some(arg) if arg == WARDEN => end(warden::run()),
            _ => {}
        }
        // Whoever spawns tries again, and says what the system says then.
        drop(spawner::start().and_then(|()| reaper::start()));
        INSTALLED
            .get_or_init(|| Self::of_program(system::own_program()))
            .clone()
    }

    /// The launcher that `main` has installed.
    pub fn installed() -> Option<Self> {
        INSTALLED.get().cloned()
    }

    /// A launcher that starts another program, whose `main` installs one.
    pub fn of_program(program: impl Into<PathBuf>) -> Self {
        Self(Arc::new(Inner {
            program: program.into(),
            warden: Mutex::new(None),
        }))
    }

    /// The program as it was installed or given: the one that is started as the shim.
    fn program(&self) -> &Path {
        &self.0.program
    }

    /// The launcher's own program as a child, with these options.
    ///
    /// ```no_run
    /// use meanwhile::join::process::{LaunchOptions, Launcher};
    ///
    /// let launcher = Launcher::install();
    /// let child = launcher.itself(LaunchOptions::default()).arg("--worker").spawn()?;
    /// # Ok::<(), meanwhile::join::process::SpawnError>(())
    /// ```
    pub fn itself(&self, options: LaunchOptions) -> Builder {
        // In the shim that becomes the child, this is the file it runs from, even where another
        // stands under its name by now.
        #[cfg(all(target_os = "linux", not(other_unix)))]
        let program = "/proc/self/exe";
        #[cfg(any(not(target_os = "linux"), other_unix))]
        let program = self.program();
        Builder::new(program).launched_by(self, options)
    }

    pub(super) fn command(
        &self,
        options: &LaunchOptions,
        program: &OsStr,
        args: &[OsString],
    ) -> Command {
        let mut command = Command::new(self.program());
        command.arg(LAUNCH).args(options.to_args());
        command.arg("--").arg(program).args(args);
        command
    }

    /// Has the warden end what carries `mark` once this program is gone.
    pub(super) fn watch(&self, mark: &str) -> Result<Watch, SpawnError> {
        let mut warden = lock(&self.0.warden);
        if !warden.as_mut().is_some_and(|warden| warden.watch(mark)) {
            let mut fresh = Warden::start(self.program())?;
            fresh.watch(mark);
            *warden = Some(fresh);
        }
        Ok(Watch {
            launcher: self.clone(),
            mark: mark.to_owned(),
            holders: Mutex::new(1),
        })
    }
}

/// A tree that ends with this program: as long as its process runs, and while it is being stopped,
/// which may take longer.
pub(super) struct Watch {
    launcher: Launcher,
    mark: String,
    /// The process itself, and everybody who stops the tree.
    holders: Mutex<usize>,
}

impl Watch {
    /// Keeps the tree watched until the guard is dropped.
    pub(super) fn hold(&self) -> impl Drop {
        let mut holders = lock(&self.holders);
        *holders += 1;
        if *holders == 1
            && let Some(warden) = &mut *lock(&self.launcher.0.warden)
        {
            // One that is gone watches nothing, and the tree is being stopped anyway.
            warden.watch(&self.mark);
        }
        Held(self)
    }

    /// One holder less. The process is the first.
    pub(super) fn end(&self) {
        let mut holders = lock(&self.holders);
        *holders -= 1;
        if *holders == 0
            && let Some(warden) = &mut *lock(&self.launcher.0.warden)
        {
            warden.release(&self.mark);
        }
    }
}

struct Held<'a>(&'a Watch);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl LaunchOptions {
    fn to_args(&self) -> Vec<String> {
        let mut args = vec![format!("parent={}", std::process::id())];
        if self.priority == Priority::Background {
            args.push("background".to_owned());
        }
        let limits = [
            ("as", self.address_space_bytes),
            ("cpu", self.cpu_time.map(|time| time.as_secs().max(1))),
            ("nofile", self.open_files),
        ];
        let limits = limits.into_iter();
        args.extend(limits.filter_map(|(name, limit)| Some(format!("{name}={}", limit?))));
        args
    }
}

/// Prepares this process and executes the command; comes back with the exit code if that fails.
fn become_command(mut args: impl Iterator<Item = OsString>) -> i32 {
    for option in args.by_ref().take_while(|arg| arg != "--") {
        if let Err(error) = apply(&option.to_string_lossy()) {
            return refuse(
                &format!("can't set {}: {error}", option.display()),
                NOT_EXECUTED,
            );
        }
    }
    let Some(program) = args.next() else {
        return refuse("there is no program to run", NOT_FOUND);
    };
    let error = Command::new(&program).args(args).exec();
    let code = match error.kind() {
        io::ErrorKind::NotFound => NOT_FOUND,
        _ => NOT_EXECUTED,
    };
    refuse(&format!("can't run `{}`: {error}", program.display()), code)
}

fn apply(option: &str) -> io::Result<()> {
    let unknown = || io::Error::other("this launcher does not know it");
    if option == "background" {
        system::yield_to_everybody();
        return Ok(());
    }
    let (name, value) = option.split_once('=').ok_or_else(unknown)?;
    let value: u64 = value.parse().map_err(io::Error::other)?;
    match name {
        "parent" => die_with(value),
        "as" => limit(Resource::As, value),
        "cpu" => limit(Resource::Cpu, value),
        "nofile" => limit(Resource::Nofile, value),
        _ => Err(unknown()),
    }
}

/// Asks to be killed when the parent ends; fails when it has ended before.
fn die_with(parent: u64) -> io::Result<()> {
    system::die_with_parent()?;
    let parent_now = getppid().map_or(0, Pid::as_raw_pid);
    if u64::try_from(parent_now) == Ok(parent) {
        Ok(())
    } else {
        Err(io::Error::other("the program that asked for it has ended"))
    }
}

fn limit(resource: Resource, value: u64) -> io::Result<()> {
    let both = Rlimit {
        current: Some(value),
        maximum: Some(value),
    };
    Ok(setrlimit(resource, both)?)
}

#[expect(
    clippy::print_stderr,
    reason = "the shim has no other way to say why it did not become the program"
)]
fn refuse(sentence: &str, code: i32) -> i32 {
    eprintln!("{sentence}");
    code
}

#[expect(clippy::exit, reason = "a shim has done what it was started for")]
fn end(code: i32) -> ! {
    std::process::exit(code)
}
