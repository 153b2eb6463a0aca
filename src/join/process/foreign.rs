//! The end of a process that something else has started and reaps.
//!
//! Only its parent may wait for it, but a pidfd tells everybody that it has ended. How it ended stands in
//! the process table until its parent reaps it, and from Linux 6.15 on in the pidfd once that was done.
//! That is read by an `ioctl` for which there is no safe interface in Rust, so an interpreter is asked to
//! call it.

use std::env;
use std::io::{self, Read as _};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::super::callback_threads;
use super::exit::Exit;
use super::system::{self, EndedEntry, Pidfd};

/// How long a process of another user is awaited that has ended and was not reaped. The system hides how
/// it ended until then.
const HIDDEN_TIMEOUT: Duration = Duration::from_secs(1);

/// The time that an interpreter has to answer. It takes some milliseconds.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// `PIDFD_GET_INFO`, the same number on all kinds of processors.
const GET_INFO: u32 = 0xc040_ff0b;

/// `PIDFD_INFO_EXIT`, the bit of the mask for the exit.
const EXIT: u64 = 1 << 3;

/// The size of a `struct pidfd_info`, which begins with the mask and ends with the exit.
const INFO_BYTES: usize = 64;

/// The interpreters that can call `ioctl`, and what each needs. They get the number of the call and the
/// bytes in hexadecimal digits, and print the bytes after it. The pidfd is their stdin.
const INTERPRETERS: [(&str, &[&str]); 2] = [
    (
        "perl",
        &[
            "-e",
            r#"my $b = pack("H*", $ARGV[1]); ioctl(STDIN, $ARGV[0], $b) or exit 1; print unpack("H*", $b)"#,
        ],
    ),
    (
        "python3",
        &[
            "-I",
            "-S",
            "-c",
            "import fcntl, sys; b = bytearray.fromhex(sys.argv[2]); fcntl.ioctl(0, int(sys.argv[1]), b); print(b.hex(), end='')",
        ],
    ),
];

/// What is known of a process that something else reaps.
pub(super) struct Foreign {
    /// Its process group when it was adopted.
    pub(super) group: i32,
    answer: Arc<OnceLock<Exit>>,
    is_asked: AtomicBool,
    ended_at: OnceLock<Instant>,
}

impl Foreign {
    pub(super) fn new(group: i32) -> Self {
        Self {
            group,
            answer: Arc::default(),
            is_asked: AtomicBool::new(false),
            ended_at: OnceLock::new(),
        }
    }

    /// Returns how the process has ended. `None` if it runs, or if that is still being found out: then the
    /// caller asks again later.
    pub(super) fn exit(&self, pid: i32, pidfd: &Arc<Pidfd>) -> Option<Exit> {
        if let Some(answer) = self.answer.get() {
            return Some(*answer);
        }
        if !pidfd.has_ended() {
            return None;
        }
        // An entry is that of another process if this one was reaped by then.
        match (system::ended_entry(pid), pidfd.is_reaped()) {
            (Ok(EndedEntry::Status(status)), Ok(false)) => Some(exit_of(status)),
            (Ok(EndedEntry::Hidden), Ok(false)) => {
                let ended_at = self.ended_at.get_or_init(Instant::now);
                (ended_at.elapsed() > HIDDEN_TIMEOUT).then_some(Exit::Unknown)
            }
            // No more files can be opened at the moment.
            (Err(_limit), _) | (_, Err(_limit)) => None,
            (_, Ok(true)) => {
                self.ask(pidfd);
                None
            }
            // It is just being reaped.
            (Ok(EndedEntry::Gone), Ok(false)) => None,
        }
    }

    /// Has an interpreter asked, once. It takes some milliseconds, so another thread waits for that.
    fn ask(&self, pidfd: &Arc<Pidfd>) {
        if self.is_asked.swap(true, Ordering::Relaxed) {
            return;
        }
        let (answer, pidfd) = (self.answer.clone(), pidfd.clone());
        callback_threads::run(vec![Box::new(move || {
            answer.get_or_init(|| exit_of_reaped(&pidfd));
        })]);
    }
}

/// Makes an exit of a wait status in the form that `wait` returns.
fn exit_of(status: i32) -> Exit {
    let signal = status & 0x7f;
    let code = (signal == 0).then_some((status >> 8) & 0xff);
    Exit::from_status(code, Some(signal), status & 0x80 != 0)
}

fn exit_of_reaped(pidfd: &Pidfd) -> Exit {
    let mut interpreters = INTERPRETERS.iter();
    let status = interpreters.find_map(|(program, args)| {
        let answer = answer_of(program, args, pidfd).ok()?;
        status_in(&answer)
    });
    status.map_or(Exit::Unknown, exit_of)
}

/// Returns what an interpreter prints.
///
/// # Errors
/// The interpreter is not installed, or it does not answer.
fn answer_of(program: &str, args: &[&str], pidfd: &Pidfd) -> io::Result<String> {
    let mut command = Command::new(program);
    command.args(args).arg(GET_INFO.to_string()).arg(question());
    // No variable makes the interpreter load anything else.
    command
        .env_clear()
        .envs(env::var_os("PATH").map(|path| ("PATH", path)));
    command.stdin(pidfd.duplicate()?);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let answer = read_answer(&mut child);
    // It has ended, unless it takes too long.
    child.kill().ok();
    reap(child);
    answer
}

/// The `struct pidfd_info` that asks for the exit.
fn question() -> String {
    let mask = u64::from_be_bytes(EXIT.to_ne_bytes());
    let rest = INFO_BYTES - size_of_val(&mask);
    format!("{mask:016x}{}", "00".repeat(rest))
}

fn read_answer(child: &mut Child) -> io::Result<String> {
    let mut stdout = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let timeout = Timespec::try_from(ANSWER_TIMEOUT).ok();
    let mut polled = [PollFd::new(&stdout, PollFlags::IN)];
    if poll(&mut polled, timeout.as_ref())? == 0 {
        return Err(io::ErrorKind::TimedOut.into());
    }
    // It is printed at once, or never.
    let mut answer = [0; 2 * INFO_BYTES];
    let length = stdout.read(&mut answer)?;
    let answer = answer.get(..length).unwrap_or_default();
    Ok(String::from_utf8_lossy(answer).into_owned())
}

#[expect(
    clippy::disallowed_methods,
    reason = "it was killed, and this thread runs callbacks, which may block"
)]
fn reap(mut child: Child) {
    // Where the program ignores the ends of its children, the system reaps it.
    child.wait().ok();
}

/// Returns the wait status in a `struct pidfd_info`, if that has one.
fn status_in(answer: &str) -> Option<i32> {
    let digits = answer.as_bytes().chunks_exact(2);
    let bytes: Option<Vec<u8>> = digits
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    let bytes = bytes.filter(|bytes| bytes.len() == INFO_BYTES)?;
    let mask = u64::from_ne_bytes(*bytes.first_chunk()?);
    let status = i32::from_ne_bytes(*bytes.last_chunk()?);
    (mask & EXIT != 0).then_some(status)
}
