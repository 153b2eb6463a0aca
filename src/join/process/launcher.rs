//! The launcher, which starts processes through a shim and a supervisor. Both are this program too.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::ahead::Ahead;
use super::error::SpawnError;
use super::exit::ProcessInfo;
use super::guard::TreeGuard;
use super::keeper::Keeper;
use super::launcher_id::LauncherId;
use super::programs::Programs;
use super::shim::{self, SHIM_ARGUMENT};
use super::supervisor::{self, SUPERVISOR_ARGUMENT};
use super::{children, orphans, reaper, spawner, stopper, system};

/// The starter of processes that end with this program and keep to limits.
///
/// Install it in the first line of `main`. If the program was started as the shim or the
/// supervisor, [`install`](Self::install) never returns.
///
/// ```no_run
/// use meanwhile_join::process::{Builder, LaunchOptions, Launcher};
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let launcher = Launcher::install();
///     let limits = LaunchOptions::default().address_space_bytes(1 << 30);
///     let process = Builder::new("make").launched_by(&launcher, limits).spawn()?;
///     println!("{}", process.join()?);
///     Ok(())
/// }
/// ```
///
/// A process that is started this way is killed with its descendants when this program exits for
/// any reason, including `SIGKILL`. Clones are the same launcher.
///
/// On Linux the supervisor does its work even if a signal has stopped it, and one that was killed
/// is replaced within milliseconds. A program that is killed in just that time leaves descendants
/// alive, and so does a supervisor that was stopped for about a thousand starts. In process lists it
/// is named `meanwhile-supervisor`.
///
/// On Linux the process and its descendants have a number in their limit on file locks
/// (`ulimit -x`), which Linux does not enforce. By that they are found even if they have cleared their
/// environment, changed their user or entered a container. Where a program with a launcher runs in a program
/// with a launcher and so on, a process has the numbers of the innermost and of the outermost of those
/// programs; those between find it by its environment alone. What is no descendant is not found: for
/// example, what `atd` or `systemd` starts for the process.
///
/// The shim and the supervisor are this program, or `meanwhile-supervise` of the package of that name, if that
/// is in the same folder and of the same version: it starts several times as fast.
///
/// On Linux a command does not wait for the start of a shim either, apart from the first one: after each
/// command the launcher starts shims for the next ones, at most one for each processor. They wait, as children
/// of this program named `meanwhile-shim`, for ten seconds after the last command, and end earlier with the
/// launcher or with [`shutdown`](Self::shutdown). A command inherits what one started now would:
/// if the file mode mask, a limit, the niceness, the user, a privilege, an ignored signal or the control
/// group has changed since, the shims are not used. The exception is a file that the program itself has opened
/// without close-on-exec: the command has it only if the shim was started later. Pass it with
/// [`Redirect::to`](super::Redirect::to).
///
/// Only Linux kills a process together with its parent. On other systems the supervisor does it.
/// The supervisor is a second process that outlives the program, and finds the processes by a tag
/// in their environment. macOS does not show the environment of its own protected programs, such as
/// `/bin/sleep`, so those survive.
#[derive(Clone)]
pub struct Launcher {
    keeper: Arc<Keeper>,
    ahead: Arc<Ahead>,
    id: LauncherId,
}

static INSTALLED: OnceLock<Launcher> = OnceLock::new();

impl Launcher {
    /// Makes this program its own launcher, and returns it. Call it first in `main`, before any
    /// thread is started.
    ///
    /// In a shim this executes the command, and in a supervisor it waits for the program to exit.
    /// In both it never returns. Otherwise it also starts the threads that serve processes, so that
    /// children inherit the priority that the program has now.
    pub fn install() -> Self {
        let mut args = std::env::args_os().skip(1);
        match args.next() {
            Some(arg) if arg == SHIM_ARGUMENT => exit(shim::run(args)),
            Some(arg) if arg == SUPERVISOR_ARGUMENT => exit(supervisor::run(args)),
            _ => {}
        }
        // On an error, each spawn tries again and reports the error then.
        let threads = spawner::start().and_then(|()| reaper::start());
        threads.and_then(|()| stopper::start()).ok();
        INSTALLED
            .get_or_init(|| Self::of_programs(Programs::own(system::own_executable())))
            .clone()
    }

    /// Has this program adopt the orphans below it on Linux: what a process has started that ended before, and
    /// that would be a child of the first process of the system otherwise. This program reaps them.
    ///
    /// So what has hidden its tag and its mark, and has left its parents, is found, too: the report of a
    /// [stop](super::Process::stop) names it in [`escaped`](super::StopReport::escaped), and
    /// [`descendants`](super::Process::descendants) returns it. It is named for each process
    /// that ran when it began, because nothing shows which one has started it.
    ///
    /// Call it only in a program that starts all its children through a launcher: it reaps also children
    /// that other code has started, and that code then does not get their exit.
    ///
    /// # Errors
    /// The system does not do that: it is not Linux, or an old one.
    pub fn adopt_orphans(&self) -> io::Result<()> {
        reaper::start().map_err(|refusal| refusal.cause)?;
        orphans::adopt()
    }

    /// Returns the launcher that `main` has installed; `None` if it has installed none.
    pub fn installed() -> Option<Self> {
        INSTALLED.get().cloned()
    }

    /// Returns a launcher that uses another program as shim and supervisor. The `main` of that
    /// program must install a launcher.
    pub fn of_program(program: impl Into<PathBuf>) -> Self {
        Self::of_programs(Programs::only(program.into()))
    }

    fn of_programs(programs: Programs) -> Self {
        Self {
            keeper: Arc::new(Keeper::new(programs)),
            ahead: Arc::new(Ahead::new()),
            id: LauncherId::next(),
        }
    }

    /// Returns the processes that this launcher or a clone of it has started and that have not ended,
    /// oldest first. The list of all is [`live_processes`](super::live_processes).
    pub fn live_processes(&self) -> Vec<ProcessInfo> {
        children::live(Some(self.id))
    }

    pub(crate) fn id(&self) -> LauncherId {
        self.id
    }

    /// The program that is started as shim and supervisor.
    pub(super) fn program(&self) -> &Arc<Path> {
        self.keeper.programs().current()
    }

    /// The shims that wait for a command.
    pub(super) fn ahead(&self) -> &Ahead {
        &self.ahead
    }

    pub(crate) fn end_waiting_shims(&self) {
        self.ahead.end_all();
    }

    /// The path by which a shim executes the launcher's own program, even if its file was replaced.
    pub(super) fn path_in_shim(&self) -> PathBuf {
        let programs = self.keeper.programs();
        if programs.has_small() {
            return system::executable_of_parent(programs.full());
        }
        // The shim is that program.
        system::executable_of_itself(programs.full())
    }

    /// Has another program started as shim and supervisor from now on. Returns `false` if there is no
    /// other than `failed`.
    pub(super) fn leave_program(&self, failed: &Arc<Path>) -> bool {
        self.keeper.programs().leave_small(failed)
    }

    /// Has the supervisor kill the processes that carry `tag` or its mark when this program exits.
    pub(super) fn guard(&self, tag: &str) -> Result<TreeGuard, SpawnError> {
        TreeGuard::new(&self.keeper, tag)
    }
}

impl fmt::Debug for Launcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Launcher")
            .field("program", &self.program())
            .finish_non_exhaustive()
    }
}

#[expect(
    clippy::exit,
    reason = "a shim or supervisor must not return into the program's own main"
)]
fn exit(code: i32) -> ! {
    std::process::exit(code)
}
