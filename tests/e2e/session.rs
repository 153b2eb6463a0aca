//! A screen for one test: an X server, a session bus and a window manager of its own, in a throw-away
//! home. Tests share nothing, so they run side by side, and what one starts ends with it.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::owned::Owned;

/// How long anything on the screen may take to appear. A debug build drawn in software on a busy
/// machine needs seconds now and then.
const PATIENCE: Duration = Duration::from_mins(1);

/// An empty screen with everything a desktop program expects around it.
pub(crate) struct Session {
    name: String,
    env: Vec<(&'static str, OsString)>,
    // Fields are dropped in this order: clients before the servers they need, the home last.
    window_manager: Option<Owned>,
    bus: Option<Owned>,
    _screen: Owned,
    home: TempDir,
}

impl Session {
    /// Starts the screen. `name` is the test's: its pictures are called so.
    pub(crate) fn start(name: &str) -> Self {
        Self::start_in(name, new_home())
    }

    /// Likewise, on a desktop whose file dialogs cannot be started.
    pub(crate) fn start_without_portal(name: &str) -> Self {
        let home = new_home();
        let services = home.path().join("data/dbus-1/services");
        let portal = "org.freedesktop.portal.Desktop";
        let service = format!("[D-BUS Service]\nName={portal}\nExec=/bin/false\n");
        fs::create_dir_all(&services).expect("the home is ours");
        fs::write(services.join(format!("{portal}.service")), service).expect("the home is ours");
        Self::start_in(name, home)
    }

    fn start_in(name: &str, home: TempDir) -> Self {
        let mut screen = server("Xvfb");
        screen.args([
            "-displayfd",
            "1",
            "-screen",
            "0",
            "1600x1000x24",
            "-nolisten",
            "tcp",
            // Otherwise it starts afresh whenever the last client leaves, and drops who is just coming.
            "-noreset",
        ]);
        let (screen, display) = started_and_said("Xvfb", screen);
        let mut session = Self {
            name: name.to_owned(),
            env: environment(home.path(), &display),
            window_manager: None,
            bus: None,
            _screen: screen,
            home,
        };
        session.start_bus();
        session.start_window_manager();
        session.switch_accessibility_on();
        session
    }

    /// The throw-away home: `$HOME` of everything that runs here.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// A command that runs on this screen, with nothing inherited but `PATH`.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .envs(self.env.iter().cloned())
            .stdin(Stdio::null());
        command
    }

    /// Runs a tool to its end and gives back what it printed, or what it complained about.
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

    /// Types keys and text at whatever has the keyboard, as a person would.
    pub(crate) fn keyboard(&self, args: &[&str]) {
        self.tool("xdotool", args).expect("xdotool types");
    }

    /// Saves what the screen shows as `target/e2e/<test>.png`; says where, or why there is no picture.
    pub(crate) fn picture(&self) -> String {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("e2e");
        let file = folder.join(format!("{}.png", self.name));
        let saved = fs::create_dir_all(&folder).map_err(|error| error.to_string());
        match saved
            .and_then(|()| self.tool("import", &["-window", "root", &file.to_string_lossy()]))
        {
            Ok(_) => format!("picture: {}", file.display()),
            Err(error) => format!("no picture: {error}"),
        }
    }

    fn start_bus(&mut self) {
        let mut bus = server("dbus-daemon");
        bus.env_clear().envs(self.env.iter().cloned());
        bus.args(["--session", "--nofork", "--nosyslog", "--print-address=1"]);
        let (bus, address) = started_and_said("dbus-daemon", bus);
        self.bus = Some(bus);
        self.env.push(("DBUS_SESSION_BUS_ADDRESS", address.into()));
    }

    /// Without a window manager no window gets the keyboard.
    fn start_window_manager(&mut self) {
        self.window_manager = Some(Owned::start(
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
    }

    /// As a screen reader does when it starts; the bus starts the accessibility service for it.
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

/// Tries `attempt` until it succeeds and gives that back. When it does not for long, panics with the
/// last reason and whatever `seen` tells about the screen.
pub(crate) fn wait_until<T>(
    what: &str,
    mut attempt: impl FnMut() -> Result<T, String>,
    seen: impl FnOnce() -> String,
) -> T {
    let started = Instant::now();
    loop {
        match attempt() {
            Ok(value) => return value,
            Err(reason) if started.elapsed() >= PATIENCE => {
                panic!(
                    "waited {} s for {what}: {reason}\n{}",
                    PATIENCE.as_secs(),
                    seen()
                )
            }
            Err(_) => pause(Duration::from_millis(100)),
        }
    }
}

/// Lets other programs run before they are looked at again.
#[expect(
    clippy::disallowed_methods,
    reason = "other programs offer nothing to wait on but their looks"
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

/// A server ends with this process even when that is killed; its clients end with the server.
fn server(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", program]);
    command
}

/// Starts a server that prints one line once it is ready, and gives back that line.
fn started_and_said(name: &str, mut command: Command) -> (Owned, String) {
    let mut server = Owned::start(name, command.stdout(Stdio::piped()).stderr(Stdio::null()));
    let mut line = String::new();
    let stdout = server.stdout().expect("its stdout is a pipe");
    BufReader::new(stdout)
        .read_line(&mut line)
        .expect("its stdout is text");
    assert!(!line.is_empty(), "{name} ended instead of getting ready");
    (server, line.trim().to_owned())
}

fn environment(home: &Path, display: &str) -> Vec<(&'static str, OsString)> {
    let runtime = home.join("runtime");
    fs::DirBuilder::new()
        .mode(0o700)
        .create(&runtime)
        .expect("the home is ours");
    fs::create_dir(home.join("tmp")).expect("the home is ours");
    let inside = |name: &str| -> OsString { PathBuf::from(home).join(name).into() };
    vec![
        ("PATH", std::env::var_os("PATH").unwrap_or_default()),
        ("DISPLAY", format!(":{display}").into()),
        ("HOME", home.into()),
        ("LANG", "C.UTF-8".into()),
        ("LIBGL_ALWAYS_SOFTWARE", "1".into()),
        ("TMPDIR", inside("tmp")),
        ("XDG_CACHE_HOME", inside("cache")),
        ("XDG_CONFIG_HOME", inside("config")),
        // Newer portals ask which desktop this is before they choose the GTK dialog.
        ("XDG_CURRENT_DESKTOP", "GNOME".into()),
        ("XDG_DATA_HOME", inside("data")),
        ("XDG_RUNTIME_DIR", runtime.into()),
    ]
}
