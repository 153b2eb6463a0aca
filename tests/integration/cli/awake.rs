//! `--stay-awake`, with a desktop of the test on a bus of its own.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, PipeReader, Read as _, pipe};
use std::process::{Command, Stdio};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use tempfile::TempDir;
use zbus::connection::Builder;
use zbus::object_server::{Interface, ObjectServer};
use zbus::zvariant::{ObjectPath, OwnedFd, OwnedObjectPath, OwnedValue};
use zbus::{Connection, block_on, interface};

use super::{Running, meanwhile};
use crate::util::files::folder;
use crate::util::gate::TIMEOUT;

/// The names and paths of the services.
const DESKTOP: (&str, &str) = (
    "org.freedesktop.portal.Desktop",
    "/org/freedesktop/portal/desktop",
);
const SYSTEM: (&str, &str) = ("org.freedesktop.login1", "/org/freedesktop/login1");

const REQUEST: &str = "/org/freedesktop/portal/desktop/request/1";

/// What the desktop was asked.
#[derive(Debug, PartialEq)]
enum Asked {
    /// To inhibit what these flags say, for this reason.
    Inhibit(u32, String),
    Close,
}

struct Portal(Sender<Asked>);

#[interface(name = "org.freedesktop.portal.Inhibit")]
impl Portal {
    async fn inhibit(
        &self,
        window: &str,
        flags: u32,
        options: HashMap<String, OwnedValue>,
        #[zbus(object_server)] server: &ObjectServer,
    ) -> OwnedObjectPath {
        assert_eq!(window, "");
        let request = Request(self.0.clone());
        server.at(REQUEST, request).await.expect("it is the first");
        let reason = options["reason"].to_string();
        self.0
            .send(Asked::Inhibit(flags, reason))
            .expect("the test runs");
        ObjectPath::from_static_str_unchecked(REQUEST).into()
    }
}

struct Request(Sender<Asked>);

#[interface(name = "org.freedesktop.portal.Request")]
impl Request {
    fn close(&self) {
        self.0.send(Asked::Close).expect("the test runs");
    }
}

/// The service of a system without a desktop.
struct Logind(Sender<Lock>);

/// What it was asked, and the end of a pipe that closes when the asker lets go.
type Lock = ([String; 4], PipeReader);

#[interface(name = "org.freedesktop.login1.Manager")]
impl Logind {
    fn inhibit(&self, what: String, who: String, why: String, mode: String) -> OwnedFd {
        let (reader, writer) = pipe().expect("a few files are open");
        self.0
            .send(([what, who, why, mode], reader))
            .expect("the test runs");
        std::os::fd::OwnedFd::from(writer).into()
    }
}

/// Starts a bus. Returns it with its address.
fn bus() -> (Running, String) {
    let mut bus = Command::new("dbus-daemon");
    bus.args(["--session", "--nofork", "--nosyslog", "--print-address=1"]);
    let bus = bus.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut bus = Running(bus.spawn().expect("dbus-daemon is installed"));
    let mut address = String::new();
    let stdout = bus.0.stdout.take().expect("it is piped");
    let read = BufReader::new(stdout).read_line(&mut address);
    read.expect("an address is text");
    (bus, address.trim().to_owned())
}

/// A bus on which `service` answers by this name. What it is asked is received.
#[expect(clippy::disallowed_methods, reason = "it holds a few messages")]
fn served<T, S: Interface>(
    (name, path): (&str, &str),
    service: fn(Sender<T>) -> S,
) -> (Running, String, Connection, Receiver<T>) {
    let (bus, address) = bus();
    let (sender, asked) = unbounded();
    let connection = async {
        let builder = Builder::address(address.as_str())?.name(name)?;
        builder.serve_at(path, service(sender))?.build().await
    };
    let connection = block_on(connection).expect("the bus runs");
    (bus, address, connection, asked)
}

/// A run with `--stay-awake` that lasts until the test ends it.
struct Work {
    run: Running,
    folder: TempDir,
}

impl Work {
    /// Starts it where only the bus of this variable can be reached.
    fn start(bus: &str, address: &str) -> Self {
        let folder = folder();
        let gate = folder.path().join("gate");
        mkfifo(&gate, Mode::S_IRWXU).expect("our own folder");
        let gate = gate.display().to_string();
        let mut run = meanwhile(&["run", "command", "--stay-awake", "--", "cat", &gate]);
        without_a_bus(&mut run, &folder).env(bus, address);
        let run = Running(run.stdout(Stdio::piped()).spawn().expect("it starts"));
        Self { run, folder }
    }

    fn end(self) {
        std::fs::write(self.folder.path().join("gate"), "go\n").expect("cat reads it");
        let (ended, _) = self.run.end();
        assert_eq!(ended.code(), Some(0));
    }
}

fn without_a_bus<'a>(run: &'a mut Command, folder: &TempDir) -> &'a mut Command {
    let nowhere = format!("unix:path={}/none", folder.path().display());
    run.env("DBUS_SESSION_BUS_ADDRESS", &nowhere)
        .env("DBUS_SYSTEM_BUS_ADDRESS", &nowhere)
}

#[test]
#[ignore = "needs dbus-daemon; tests/all.sh runs it"]
fn run_keeps_the_machine_awake_to_its_end() {
    let (_bus, address, _desktop, asked) = served(DESKTOP, Portal);
    let work = Work::start("DBUS_SESSION_BUS_ADDRESS", &address);
    let first = asked.recv_timeout(TIMEOUT).expect("it asks the desktop");
    assert_eq!(first, Asked::Inhibit(4, "\"Work is running\"".to_owned()));
    assert!(asked.recv_timeout(Duration::from_millis(100)).is_err());
    work.end();
}

#[test]
#[ignore = "needs dbus-daemon; tests/all.sh runs it"]
fn run_without_a_desktop_asks_the_system() {
    let (_bus, address, _system, locks) = served(SYSTEM, Logind);
    let work = Work::start("DBUS_SYSTEM_BUS_ADDRESS", &address);
    let (asked, mut held) = locks.recv_timeout(TIMEOUT).expect("it asks the system");
    assert_eq!(
        asked,
        ["sleep:idle", "Meanwhile", "Work is running", "block"]
    );
    work.end();
    assert_eq!(held.read(&mut [0]).expect("it is a pipe"), 0);
}

#[test]
fn run_without_a_bus_says_that_the_machine_sleeps() {
    let folder = folder();
    let gate = folder.path().join("gate");
    mkfifo(&gate, Mode::S_IRWXU).expect("our own folder");
    let path = gate.display().to_string();
    let mut run = meanwhile(&["run", "command", "--stay-awake", "--", "cat", &path]);
    let run = without_a_bus(&mut run, &folder).stdout(Stdio::piped());
    let mut run = Running(run.stderr(Stdio::piped()).spawn().expect("it starts"));
    let mut stderr = BufReader::new(run.0.stderr.take().expect("it is piped"));
    let mut said = String::new();
    stderr.read_line(&mut said).expect("stderr is text");
    assert!(said.contains("the machine may go to sleep"), "{said}");
    std::fs::write(&gate, "go\n").expect("cat reads it");
    let (ended, out) = run.end();
    assert_eq!((ended.code(), out.as_str()), (Some(0), "go\n"));
    said.clear();
    stderr.read_to_string(&mut said).expect("stderr is text");
    assert_eq!(said, "");
}
