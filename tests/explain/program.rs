//! Builds and runs `waits.c`.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use meanwhile_explain::WaitGraph;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tempfile::TempDir;

/// How long a process may be on its way into its wait. It takes milliseconds, if no other program has the processors.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Looks at a process until `is_right` finds it so, and returns that graph; the last one if it does not become so.
pub(crate) fn look_until(pid: u32, is_right: impl Fn(&WaitGraph) -> bool) -> WaitGraph {
    let until = Instant::now() + TIMEOUT;
    loop {
        let graph = meanwhile_explain::process(pid).expect("it waits");
        if is_right(&graph) || Instant::now() > until {
            return graph;
        }
    }
}

/// The C library with which the program is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Library {
    Gnu,
    Musl,
}

/// A program that waits, with all its processes. They end when it is dropped.
pub(crate) struct Waiting {
    child: Child,
    folder: TempDir,
    /// What it has said of itself, line by line.
    pub(crate) lines: Vec<String>,
}

impl Waiting {
    /// Starts a case, and returns when it says that all is set up. Returns nothing if there is no
    /// compiler for `library`.
    pub(crate) fn start(library: Library, case: &str) -> Option<Self> {
        let program = built(library)?;
        let folder = tempfile::tempdir().expect("a folder for the test");
        let mut command = Command::new(program);
        command.arg(case).arg(folder.path());
        Some(Self::of(&mut command, folder))
    }

    /// Starts a command that says `ready` when all is set up.
    pub(crate) fn of(command: &mut Command, folder: TempDir) -> Self {
        let command = command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut child = command.spawn().expect("the program was just built");
        let output = BufReader::new(child.stdout.take().expect("it is piped"));
        let lines: Vec<String> = output
            .lines()
            .map(|line| line.expect("the lines are text"))
            .take_while(|line| line != "ready")
            .collect();
        Self {
            child,
            folder,
            lines,
        }
    }

    /// The folder in which it runs, or which it was given.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let group = Pid::from_raw(self.child.id().cast_signed());
        killpg(group, Signal::SIGKILL).expect("its first process has not been awaited");
        self.child.wait().expect("it is a child");
    }
}

pub(crate) fn built(library: Library) -> Option<&'static Path> {
    static GNU: OnceLock<Option<PathBuf>> = OnceLock::new();
    static MUSL: OnceLock<Option<PathBuf>> = OnceLock::new();
    let (place, compiler) = match library {
        Library::Gnu => (&GNU, "cc"),
        Library::Musl => (&MUSL, "musl-gcc"),
    };
    place.get_or_init(|| build(compiler)).as_deref()
}

fn build(compiler: &str) -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/explain/waits.c");
    // A name for each run: two may build at the same time.
    let name = format!("waits-{compiler}-{}", std::process::id());
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let mut command = Command::new(compiler);
    command
        .args(["-Wall", "-O1", "-pthread", "-o"])
        .arg(&program)
        .arg(source);
    let status = command.status().ok()?;
    assert!(status.success(), "{compiler} can't build waits.c");
    Some(program)
}
