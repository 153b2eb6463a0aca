//! Servers and a proxy that others wrote, each on a free port of this machine.

#![expect(
    clippy::disallowed_methods,
    reason = "a test waits for the program it started, which it also ends"
)]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use meanwhile::jobs::fetch::Options;

use super::proxies::{assert_fetched, fetch};
use super::{one, options, outcomes, spec, thread};
use crate::util::files::{bytes, folder, write};
use crate::util::gate::TIMEOUT;

const BIG: usize = 3_000_000;

/// A program that serves a folder. Ended on drop.
struct Program {
    child: Child,
    address: SocketAddr,
}

impl Program {
    /// Starts it, and waits until it accepts connections.
    fn start(command: impl FnOnce(u16) -> Command) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let mut command = command(address.port());
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.stderr(Stdio::null()).spawn().unwrap();
        let program = Self { child, address };
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(
                start.elapsed() < TIMEOUT,
                "{:?} does not listen",
                program.child
            );
            std::thread::park_timeout(Duration::from_millis(10));
        }
        program
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn nginx(folder: &Path, port: u16) -> Command {
    let dir = folder.display();
    let places = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {dir}/{name};"))
        .concat();
    let settings = format!(
        "daemon off; master_process off; pid {dir}/pid; error_log {dir}/log; events {{}}
        http {{ access_log off; {places} types {{ text/html html; }}
            gzip on; gzip_types *; gzip_min_length 1;
            server {{ listen 127.0.0.1:{port}; root {dir}/www; }} }}"
    );
    let settings = write(folder, "nginx.conf", settings);
    let mut command = Command::new("/usr/sbin/nginx");
    command
        .arg("-p")
        .arg(folder)
        .arg("-e")
        .arg(folder.join("log"));
    command.arg("-c").arg(settings);
    command
}

fn lighttpd(folder: &Path, port: u16) -> Command {
    // Files without a type have no identity there, and it looks at a file again after a second only.
    let settings = format!(
        "server.document-root = \"{}/www\"\nserver.bind = \"127.0.0.1\"\nserver.port = {port}\n\
         mimetype.assign = (\"\" => \"application/octet-stream\")\n\
         server.stat-cache-engine = \"disable\"\n",
        folder.display()
    );
    let settings = write(folder, "lighttpd.conf", settings);
    let mut command = Command::new("/usr/sbin/lighttpd");
    command.arg("-D").arg("-f").arg(settings);
    command
}

fn python(folder: &Path, port: u16) -> Command {
    let mut command = Command::new("python3");
    command.args(["-m", "http.server", "--bind", "127.0.0.1", "--directory"]);
    command.arg(folder.join("www")).arg(port.to_string());
    command
}

/// The command that serves the folder `www` of a folder at a port.
type ServerCommand = fn(&Path, u16) -> Command;

const SERVERS: [(&str, ServerCommand, bool); 3] = [
    ("nginx", nginx, true),
    ("lighttpd", lighttpd, true),
    // It sends no parts.
    ("python3", python, false),
];

/// A port of this machine that leads to the address. The first connection breaks in the middle of the big
/// file.
fn breaking(address: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let breaking = listener.local_addr().unwrap();
    thread(move || {
        for (number, client) in listener.incoming().enumerate() {
            let mut client = client.unwrap();
            let server = TcpStream::connect(address).unwrap();
            let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            thread(move || drop(std::io::copy(&mut from, &mut to)));
            let most = if number == 0 {
                BIG as u64 / 2
            } else {
                u64::MAX
            };
            thread(move || {
                std::io::copy(&mut server.take(most), &mut client).ok();
                client.flush().ok();
                client.shutdown(std::net::Shutdown::Both).ok();
            });
        }
    });
    breaking
}

#[test]
#[ignore = "needs nginx and lighttpd; tests/all.sh runs it"]
fn files_of_real_servers_are_saved_as_they_are() {
    for (server, command, _) in SERVERS {
        let folder = folder();
        let www = folder.path().join("www");
        fs::create_dir(&www).unwrap();
        let files = [
            ("empty", vec![]),
            ("page.html", b"<p>hello".repeat(100)),
            ("a b.tar.gz", b"\x1f\x8b".to_vec()),
            ("big.iso", bytes(BIG)),
        ];
        for (name, contents) in &files {
            write(&www, name, contents);
        }
        let program = Program::start(|port| command(folder.path(), port));
        let urls = files
            .each_ref()
            .map(|(name, _)| format!("http://{}/{name}", program.address));
        let options = Options {
            to: folder.path().join("out"),
            skip_existing: true,
            ..options(&urls)
        };
        for status in [Some(200), None] {
            let outcomes = outcomes(spec(&options, &[]));
            for (outcome, (name, contents)) in outcomes.into_iter().zip(&files) {
                assert_eq!(outcome.unwrap().status, status, "{server}: {name}");
                let saved = fs::read(options.to.join(name)).unwrap();
                assert!(saved == *contents, "{server}: {name}");
            }
        }
    }
}

#[test]
#[ignore = "needs nginx and lighttpd; tests/all.sh runs it"]
fn broken_file_of_a_real_server_goes_on() {
    for (server, command, sends_parts) in SERVERS {
        for is_changed in [false, true] {
            let folder = folder();
            let www = folder.path().join("www");
            fs::create_dir(&www).unwrap();
            let mut contents = bytes(BIG);
            let file = write(&www, "big.iso", &contents);
            // Longer ago than the precision of a date.
            let long_ago = std::time::SystemTime::now() - Duration::from_mins(1);
            fs::File::options()
                .write(true)
                .open(&file)
                .unwrap()
                .set_modified(long_ago)
                .unwrap();
            let program = Program::start(|port| command(folder.path(), port));
            let options = Options {
                to: folder.path().join("out"),
                retries: 0,
                ..options(&[format!("http://{}/big.iso", breaking(program.address))])
            };
            assert_eq!(one(&options).unwrap_err().kind, "cut_short", "{server}");
            if is_changed {
                contents.reverse();
                write(&www, "big.iso", &contents);
            }
            let fetched = one(&options).unwrap();
            let goes_on = sends_parts && !is_changed;
            assert_eq!(fetched.resumed_from > 0, goes_on, "{server}");
            assert_eq!(fetched.discarded > 0, !goes_on, "{server}");
            assert!(
                fs::read(options.to.join("big.iso")).unwrap() == contents,
                "{server}"
            );
            assert_eq!(fs::read_dir(&options.to).unwrap().count(), 1, "{server}");
        }
    }
}

#[test]
#[ignore = "needs tinyproxy; tests/all.sh runs it"]
fn real_proxy_forwards_http() {
    let folder = folder();
    let www = folder.path().join("www");
    fs::create_dir(&www).unwrap();
    write(&www, "a.txt", "hello");
    let server = Program::start(|port| python(folder.path(), port));
    let proxy = Program::start(|port| {
        let settings = format!("Listen 127.0.0.1\nPort {port}\nAllow 127.0.0.1\nConnectPort 443\n");
        let settings = write(folder.path(), "tinyproxy.conf", settings);
        let mut command = Command::new("tinyproxy");
        command.arg("-d").arg("-c").arg(settings);
        command
    });
    // This machine, by an address that counts as another one.
    let url = format!("http://0.0.0.0:{}/a.txt", server.address.port());
    let proxy = format!("http://{}", proxy.address);
    assert_fetched(&fetch(&url, &[("http_proxy", &proxy)]));
}
