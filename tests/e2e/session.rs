//! A screen for one test: an X server or a Wayland compositor, a session bus and a window manager, in a temporary
//! home. Tests share nothing, so they run side by side. Everything that a test starts ends with it.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::child_guard::ChildGuard;

/// How long anything on the screen may take to appear. A debug build that is drawn in software on a busy
/// machine may need seconds.
const TIMEOUT: Duration = Duration::from_mins(1);

/// An empty screen with everything that a desktop program expects.
pub(crate) struct Session {
    name: String,
    env: Vec<(&'static str, OsString)>,
    // Fields are dropped in this order: clients before their servers, the home last.
    window_manager: Option<ChildGuard>,
    bus: Option<ChildGuard>,
    _screen: Option<ChildGuard>,
    home: TempDir,
    user: User,
}

/// Who runs the programs of a screen. Compositors refuse to be run by root.
#[derive(Clone, Copy)]
enum User {
    OfTheTest,
    Nobody,
}

/// The user and the group `nobody`, everywhere.
const NOBODY: u32 = 65_534;

impl User {
    fn unprivileged() -> Self {
        if nix::unistd::geteuid().is_root() {
            Self::Nobody
        } else {
            Self::OfTheTest
        }
    }

    /// A command that this user runs.
    fn command(self, program: &str, options: &[&str]) -> Command {
        let id = NOBODY.to_string();
        let as_nobody = ["--reuid", &id, "--regid", &id, "--clear-groups"];
        let options = match self {
            Self::OfTheTest => options.to_vec(),
            Self::Nobody => [&as_nobody, options].concat(),
        };
        if options.is_empty() {
            return Command::new(program);
        }
        let mut command = Command::new("setpriv");
        command.args(options).arg(program);
        command
    }

    fn own(self, path: &Path) {
        if let Self::Nobody = self {
            chown(path, Some(NOBODY), Some(NOBODY)).expect("root may give it away");
        }
    }
}

impl Session {
    /// Starts the screen. `name` is unique to the test, and the name of its pictures.
    pub(crate) fn start(name: &str) -> Self {
        Self::start_in(name, new_home())
    }

    /// Starts a screen on which the bus can't start this service.
    pub(crate) fn start_without(name: &str, service: &str) -> Self {
        let home = new_home();
        let services = home.path().join("data/dbus-1/services");
        let text = format!("[D-BUS Service]\nName={service}\nExec=/bin/false\n");
        fs::create_dir_all(&services).expect("the home is ours");
        fs::write(services.join(format!("{service}.service")), text).expect("the home is ours");
        Self::start_in(name, home)
    }

    fn start_in(name: &str, home: TempDir) -> Self {
        let mut screen = User::OfTheTest.command("Xvfb", &["--pdeathsig", "KILL"]);
        screen.args([
            "-displayfd",
            "1",
            "-screen",
            "0",
            "1600x1000x24",
            "-nolisten",
            "tcp",
            // Otherwise it resets when the last client disconnects, and drops the one that just connects.
            "-noreset",
        ]);
        let (screen, display) = start_server("Xvfb", screen);
        let mut session = Self {
            name: name.to_owned(),
            env: environment(home.path()),
            window_manager: None,
            bus: None,
            _screen: Some(screen),
            home,
            user: User::OfTheTest,
        };
        session.env.push(("DISPLAY", format!(":{display}").into()));
        session.start_bus();
        session.start_window_manager();
        session.switch_accessibility_on();
        session
    }

    /// Starts a Wayland compositor without a screen, `compositor` being `sway`, `weston` or `cage`, as a user who is
    /// not root. There is no X server.
    pub(crate) fn start_on(compositor: &str, name: &str) -> Self {
        let home = new_home();
        let mut session = Self {
            name: name.to_owned(),
            env: environment(home.path()),
            window_manager: None,
            bus: None,
            _screen: None,
            home,
            user: User::unprivileged(),
        };
        for folder in ["", "runtime", "tmp"] {
            session.user.own(&session.home().join(folder));
        }
        session.env.extend([
            ("WLR_BACKENDS", "headless".into()),
            ("WLR_LIBINPUT_NO_DEVICES", "1".into()),
            ("WLR_RENDERER", "pixman".into()),
            ("WLR_RENDERER_ALLOW_SOFTWARE", "1".into()),
        ]);
        session.start_bus();
        session.start_compositor(compositor);
        session.switch_accessibility_on();
        session
    }

    fn start_compositor(&mut self, compositor: &str) {
        let settings = self.home().join("sway.conf");
        let lines = "xwayland disable\noutput HEADLESS-1 resolution 1600x1000\n";
        fs::write(&settings, lines).expect("the home is ours");
        let settings = settings.to_string_lossy().into_owned();
        let args = match compositor {
            "sway" => vec!["--unsupported-gpu", "-c", &settings],
            "weston" => vec!["--backend=headless-backend.so", "--use-pixman"],
            _ => vec!["--", "sleep", "infinity"],
        };
        let mut server = self.server(compositor);
        let log = fs::File::create(self.home().join("compositor.log")).expect("the home is ours");
        server.args(args).stdout(Stdio::null()).stderr(log);
        self.window_manager = Some(ChildGuard::start(compositor, &mut server));
        let runtime = self.home().join("runtime");
        let socket = |start: &str, end: &str| {
            let files = fs::read_dir(&runtime).map_err(|error| error.to_string())?;
            let mut names = files.filter_map(|file| file.ok()?.file_name().into_string().ok());
            let found = names.find(|name| name.starts_with(start) && name.ends_with(end));
            found.ok_or_else(|| format!("there is no socket {start}…{end}"))
        };
        let log = self.home().join("compositor.log");
        let log = || fs::read_to_string(&log).unwrap_or_default();
        let display = wait_until(
            compositor,
            || {
                let names = socket("wayland-", "")?;
                Ok(names.trim_end_matches(".lock").to_owned())
            },
            log,
        );
        self.env.push(("WAYLAND_DISPLAY", display.into()));
        if compositor == "sway" {
            let control = wait_until("sway's control", || socket("sway-ipc.", ".sock"), log);
            self.env.push(("SWAYSOCK", runtime.join(control).into()));
        }
        // What the bus starts, such as the file dialog, needs the display too.
        self.tool("dbus-update-activation-environment", &["--all"])
            .expect("it comes with the bus");
    }

    /// Ends the compositor at once, as a crash does.
    pub(crate) fn kill_compositor(&self) {
        let compositor = self.window_manager.as_ref().expect("it runs");
        let pid = nix::unistd::Pid::from_raw(compositor.pid().cast_signed());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).expect("it is ours");
    }

    /// Gives a folder of the home and the files in it to who runs the programs of this screen.
    pub(crate) fn hand_over(&self, folder: &Path) {
        let files = fs::read_dir(folder).expect("a folder of the home");
        let files = files.map(|file| file.expect("a folder of the home").path());
        let above = folder.ancestors().take_while(|it| *it != self.home());
        files
            .chain(above.map(Path::to_owned))
            .for_each(|path| self.user.own(&path));
    }

    /// The place of a file that the programs of this screen can read, even if they run as another user.
    pub(crate) fn readable(&self, file: &str) -> String {
        let User::Nobody = self.user else {
            return file.to_owned();
        };
        let file = Path::new(file);
        let folder = self.home().join("readable");
        let copy = folder.join(file.file_name().expect("it names a file"));
        if !copy.exists() {
            fs::create_dir_all(&folder).expect("the home is ours");
            fs::copy(file, &copy).expect("a copy of a file of the build");
        }
        copy.to_string_lossy().into_owned()
    }

    /// A server ends with this process, even when this process is killed. Clients end with their server.
    fn server(&self, program: &str) -> Command {
        let mut command = self.user.command(program, &["--pdeathsig", "KILL"]);
        command.env_clear().envs(self.env.iter().cloned());
        command
    }

    /// The temporary home: `$HOME` of everything that runs here.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// A command that runs on this screen and inherits `PATH` alone, behind the programs that the test adds.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = self.user.command(program, &[]);
        command
            .env_clear()
            .envs(self.env.iter().cloned())
            .stdin(Stdio::null());
        command
    }

    /// Adds a shell script that stands in for a program.
    pub(crate) fn add_program(&self, name: &str, script: &str) {
        let file = programs_of(self.home()).join(name);
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).expect("the home is ours");
        let executable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(&file, executable).expect("it is ours");
    }

    /// Runs a tool to its end and returns its output, or its error messages.
    pub(crate) fn tool(&self, program: &str, args: &[&str]) -> Result<String, String> {
        let output = self
            .command(program)
            .args(args)
            .output()
            .map_err(|error| format!("{program}: {error}"))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() {
            Ok(text(&output.stdout))
        } else {
            Err(text(&output.stderr))
        }
    }

    /// Types keys and text into the focused window, by the arguments of xdotool.
    pub(crate) fn keyboard(&self, args: &[&str]) {
        self.tool("xdotool", args).expect("xdotool types");
    }

    /// Saves a screenshot as `target/e2e/<test>.png`. Returns a sentence with its path, or with the reason
    /// why there is none.
    pub(crate) fn save_picture(&self) -> String {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("e2e");
        let file = folder.join(format!("{}.png", self.name));
        let saved = fs::create_dir_all(&folder).map_err(|error| error.to_string());
        let shot = self.home().join("picture.png");
        let is_wayland = self.env.iter().any(|(name, _)| *name == "WAYLAND_DISPLAY");
        let taken = |()| {
            let file = shot.to_string_lossy();
            if is_wayland {
                self.tool("grim", &[&file])
            } else {
                self.tool("import", &["-window", "root", &file])
            }
        };
        let copied = |_| fs::copy(&shot, &file).map_err(|error| error.to_string());
        match saved.and_then(taken).and_then(copied) {
            Ok(_) => format!("picture: {}", file.display()),
            Err(error) => format!("no picture: {error}"),
        }
    }

    fn start_bus(&mut self) {
        let mut bus = self.server("dbus-daemon");
        bus.args(["--session", "--nofork", "--nosyslog", "--print-address=1"]);
        let (bus, address) = start_server("dbus-daemon", bus);
        self.bus = Some(bus);
        self.env.push(("DBUS_SESSION_BUS_ADDRESS", address.into()));
    }

    /// Without a window manager, no window gets the keyboard focus.
    fn start_window_manager(&mut self) {
        self.window_manager = Some(ChildGuard::start(
            "openbox",
            self.command("openbox")
                .stdout(Stdio::null())
                .stderr(Stdio::null()),
        ));
        wait_until(
            "openbox to manage the screen",
            || self.tool("xdotool", &["get_desktop"]),
            String::new,
        );
        // The first key of a screen makes openbox register its shortcuts again, and one that comes
        // meanwhile is lost. So the first key is one that no test needs.
        self.keyboard(&["key", "shift"]);
    }

    /// As a screen reader does when it starts. The bus then starts the accessibility service.
    fn switch_accessibility_on(&self) {
        for property in ["IsEnabled", "ScreenReaderEnabled"] {
            let set = [
                "--method",
                "org.freedesktop.DBus.Properties.Set",
                "org.a11y.Status",
                property,
                "<true>",
            ];
            let to = [
                "call",
                "--session",
                "--dest",
                "org.a11y.Bus",
                "--object-path",
                "/org/a11y/bus",
            ];
            self.tool("gdbus", &[&to[..], &set[..]].concat())
                .expect("the accessibility bus is installed");
        }
    }
}

/// Waits until the file has this text.
pub(crate) fn wait_for_file(file: &Path, text: &str) {
    let read = || fs::read_to_string(file).unwrap_or_default();
    let has_text = || (read() == text).then_some(()).ok_or_else(read);
    wait_until(&format!("{text:?} in {}", file.display()), has_text, read);
}

/// Repeats `attempt` until it succeeds, and returns its value. After the timeout it panics with the last
/// reason and with what `describe` says about the screen.
pub(crate) fn wait_until<T>(
    what: &str,
    mut attempt: impl FnMut() -> Result<T, String>,
    describe: impl FnOnce() -> String,
) -> T {
    let started = Instant::now();
    loop {
        match attempt() {
            Ok(value) => return value,
            Err(reason) if started.elapsed() >= TIMEOUT => {
                panic!(
                    "waited {} s for {what}: {reason}\n{}",
                    TIMEOUT.as_secs(),
                    describe()
                )
            }
            Err(_) => pause(Duration::from_millis(100)),
        }
    }
}

/// Lets other programs run before the next look at them.
#[expect(
    clippy::disallowed_methods,
    reason = "other programs have no event to wait for"
)]
pub(crate) fn pause(length: Duration) {
    std::thread::sleep(length);
}

fn new_home() -> TempDir {
    let mut home = tempfile::Builder::new();
    home.prefix("meanwhile-e2e-")
        .tempdir()
        .expect("a temporary directory")
}

/// Starts a server that prints one line when it is ready. Returns that line.
fn start_server(name: &str, mut command: Command) -> (ChildGuard, String) {
    let mut server = ChildGuard::start(name, command.stdout(Stdio::piped()).stderr(Stdio::null()));
    let mut line = String::new();
    let stdout = server.take_stdout().expect("its stdout is a pipe");
    BufReader::new(stdout)
        .read_line(&mut line)
        .expect("its stdout is text");
    assert!(!line.is_empty(), "{name} ended before it was ready");
    (server, line.trim().to_owned())
}

/// The folder of the programs that tests add.
fn programs_of(home: &Path) -> PathBuf {
    home.join("programs")
}

fn environment(home: &Path) -> Vec<(&'static str, OsString)> {
    let runtime = home.join("runtime");
    fs::DirBuilder::new()
        .mode(0o700)
        .create(&runtime)
        .expect("the home is ours");
    for folder in [home.join("tmp"), programs_of(home)] {
        fs::create_dir(folder).expect("the home is ours");
    }
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&inherited);
    let path = std::env::join_paths(std::iter::once(programs_of(home)).chain(folders))
        .expect("a home has no colon");
    let inside = |name: &str| -> OsString { PathBuf::from(home).join(name).into() };
    vec![
        ("PATH", path),
        ("HOME", home.into()),
        ("LANG", "C.UTF-8".into()),
        ("LIBGL_ALWAYS_SOFTWARE", "1".into()),
        ("TMPDIR", inside("tmp")),
        ("XDG_CACHE_HOME", inside("cache")),
        ("XDG_CONFIG_HOME", inside("config")),
        // Newer portals choose the GTK dialog by the name of the desktop.
        ("XDG_CURRENT_DESKTOP", "GNOME".into()),
        ("XDG_DATA_HOME", inside("data")),
        ("XDG_RUNTIME_DIR", runtime.into()),
    ]
}
