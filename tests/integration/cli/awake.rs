//! `--stay-awake`, with a desktop of the test on a bus of its own.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use zbus::connection::Builder;
use zbus::object_server::ObjectServer;
use zbus::zvariant::{ObjectPath, OwnedObjectPath, OwnedValue};
use zbus::{Connection, block_on, interface};

use super::{Running, code, meanwhile};
use crate::util::files::folder;
use crate::util::gate::TIMEOUT;

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

#[expect(clippy::disallowed_methods, reason = "it holds a few messages")]
fn desktop_on(address: &str) -> (Connection, Receiver<Asked>) {
    let (sender, asked) = unbounded();
    let desktop = async {
        let builder = Builder::address(address)?;
        let builder = builder.name("org.freedesktop.portal.Desktop")?;
        let portal = builder.serve_at("/org/freedesktop/portal/desktop", Portal(sender))?;
        portal.build().await
    };
    (block_on(desktop).expect("the bus runs"), asked)
}

#[test]
#[ignore = "needs dbus-daemon; tests/all.sh runs it"]
fn run_keeps_the_machine_awake_to_its_end() {
    let (_bus, address) = bus();
    let (_desktop, asked) = desktop_on(&address);
    let folder = folder();
    let gate = folder.path().join("gate");
    mkfifo(&gate, Mode::S_IRWXU).expect("our own folder");
    let gate_text = gate.display().to_string();
    let args = ["run", "command", "--stay-awake", "--", "cat", &gate_text];
    let mut command = meanwhile(&args);
    command.env("DBUS_SESSION_BUS_ADDRESS", &address);
    let running = Running(command.stdout(Stdio::piped()).spawn().expect("it starts"));
    let first = asked.recv_timeout(TIMEOUT).expect("it asks the desktop");
    assert_eq!(first, Asked::Inhibit(4, "\"Work is running\"".to_owned()));
    assert!(asked.recv_timeout(Duration::from_millis(100)).is_err());
    std::fs::write(&gate, "go\n").expect("cat reads it");
    let (ended, _) = running.end();
    assert_eq!(ended.code(), Some(0));
}

#[test]
fn run_without_a_desktop_needs_no_bus() {
    let folder = folder();
    let nowhere = format!("unix:path={}/none", folder.path().display());
    let mut command = meanwhile(&["run", "command", "--stay-awake", "--", "true"]);
    for bus in ["DBUS_SESSION_BUS_ADDRESS", "DBUS_SYSTEM_BUS_ADDRESS"] {
        command.env(bus, &nowhere);
    }
    let output = command.output().expect("it starts");
    assert_eq!(code(&output), 0);
    assert!(output.stderr.is_empty());
}
