//! Long responses are brought to the disk while they arrive.

#![expect(
    clippy::disallowed_methods,
    reason = "a test waits for the program it started, which it also ends"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Options, Server, one, options, send};
use crate::util::files::folder;
use crate::util::gate::TIMEOUT;
use crate::util::interrupt::hear_interrupt;

/// More than the length at which the first sync begins.
const LEN: usize = 40 << 20;

/// A fetch through `strace`, which keeps each sync from ending and writes what it sees into a file. Both are
/// ended on drop.
struct Traced {
    strace: Child,
    log: PathBuf,
}

impl Traced {
    fn start(folder: &Path, to: &Path, url: &str) -> Self {
        hear_interrupt();
        let log = folder.join("log");
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-o"]).arg(&log);
        // Ten minutes are longer than the test waits.
        command.args([
            "--trace=fdatasync",
            "--inject=fdatasync:delay_enter=600000000",
        ]);
        command
            .arg(env!("CARGO_BIN_EXE_meanwhile"))
            .args(["run", "fetch", "--priority", "normal", "--to"])
            .arg(to)
            .arg(url)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let strace = command.spawn().expect("strace is installed");
        Self { strace, log }
    }

    /// What `strace` has seen.
    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The field of this name in what Linux says of the thread that syncs.
    fn status(&self, field: &str) -> Option<String> {
        let log = self.log();
        let (thread, _) = log.split_once(' ')?;
        let status = fs::read_to_string(format!("/proc/{thread}/status")).ok()?;
        let mut lines = status.lines();
        let value = lines.find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
        Some(value.trim().to_owned())
    }

    /// The program; `None` before its first sync, and when it has ended.
    fn pid(&self) -> Option<Pid> {
        self.status("Tgid")?.parse().map(Pid::from_raw).ok()
    }

    /// Whether the main thread has ended. `strace` keeps the others from ending.
    fn has_ended(&self) -> bool {
        let stat = self
            .pid()
            .map(|pid| fs::read_to_string(format!("/proc/{pid}/stat")));
        match stat {
            Some(Ok(stat)) => stat
                .rsplit_once(") ")
                .is_some_and(|(_, rest)| rest.starts_with('Z')),
            _ => true,
        }
    }
}

impl Drop for Traced {
    /// Ends the program, and with it its hold of the files.
    fn drop(&mut self) {
        let pid = self.pid();
        if let Some(pid) = pid {
            kill(pid, Signal::SIGKILL).ok();
        }
        self.strace.kill().ok();
        self.strace.wait().ok();
        if let Some(pid) = pid
            && !std::thread::panicking()
        {
            let threads = || fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count);
            // The main thread may be left as a zombie.
            until("the other threads end", &mut || threads() <= 1);
        }
    }
}

fn until(what: &str, condition: &mut dyn FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < TIMEOUT, "{what}");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

#[test]
#[ignore = "needs strace; tests/all.sh runs it"]
fn cancel_does_not_wait_for_a_sync() {
    let folder = folder();
    let to = folder.path().join("to");
    let server = Server::reading(|request, stream| {
        let from = request.header("range").map_or(0, |range| {
            let from = range
                .strip_prefix("bytes=")
                .and_then(|it| it.strip_suffix('-'));
            from.expect("an open range").parse().expect("a number")
        });
        let status = match from {
            0 => "200 OK".to_owned(),
            from => format!(
                "206 Partial\r\nContent-Range: bytes {from}-{}/{LEN}",
                LEN - 1
            ),
        };
        let len = LEN - from;
        let headers = format!("Content-Length: {len}\r\nETag: \"a\"\r\nConnection: close\r\n\r\n");
        send(stream, format!("HTTP/1.1 {status}\r\n{headers}"));
        send(stream, vec![b'x'; len]);
    });
    let url = server.url("/big.iso");
    let traced = Traced::start(folder.path(), &to, &url);
    let has_all = || {
        let entries = fs::read_dir(&to).into_iter().flatten().flatten();
        let mut files = entries.filter_map(|entry| entry.metadata().ok());
        files.any(|file| file.len() == LEN as u64)
    };
    until("all has arrived and is synced", &mut || {
        has_all() && traced.log().contains("fdatasync(")
    });
    kill(traced.pid().expect("it runs"), Signal::SIGINT).expect("it runs");
    until("the program ends", &mut || traced.has_ended());
    let log = traced.log();
    assert!(!log.contains("= 0"), "no sync has ended: {log}");
    drop(traced);
    assert!(!to.join("big.iso").exists());

    let fetched = one(&Options {
        to: to.clone(),
        ..options(&[url])
    });
    let resumed_from = fetched.expect("the rest is fetched").resumed_from;
    assert!(resumed_from >= LEN as u64 - 1, "{resumed_from}");
    assert!(fs::read(to.join("big.iso")).expect("it is whole") == vec![b'x'; LEN]);
}
