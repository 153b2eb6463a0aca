//! One window a user, display and settings folder: a second start hands its files to the window that is open.
//!
//! The first start holds the lock of a file in a folder of the user's runtime folder (`XDG_RUNTIME_DIR`), and listens
//! at a socket beside it. The system frees the lock when a program ends, however it ends, so a socket without a
//! listener is never taken for a window. A second start sends its files there. It opens a window of its own if none
//! takes them in time: the first may be frozen.
//!
//! A request is the magic line, the number of its bytes, and each path with a zero byte behind it. The answer is one
//! byte. The window takes a request in a frame, or not at all: a request whose sender no longer waits is dropped.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use crossbeam_channel::{Receiver, Sender};

use crate::desktop::Display;

#[cfg(target_os = "linux")]
mod socket;

/// What the start of a window has come to.
#[derive(Debug)]
pub enum Start {
    /// There is no other window. While this lives, later starts hand their files to it.
    First(Instance),
    /// Another window has taken the files.
    Handed,
    /// There can be no exchange, or the other window does not answer.
    Alone,
}

/// Starts the window of this user, or finds it. Waits up to two seconds for another window to take `files`, which are
/// absolute. `runtime` is a folder that belongs to the user alone, and `key` says which display and settings the
/// window has.
#[cfg(target_os = "linux")]
pub fn start(runtime: &std::path::Path, key: &str, files: Vec<PathBuf>) -> Start {
    socket::start(runtime, key, files)
}

/// Finds the window of this display and these settings, or starts it, in the runtime folder of the user.
#[cfg(target_os = "linux")]
pub(super) fn start_here(files: &[PathBuf], display: &Display) -> Start {
    let Some(runtime) = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from) else {
        return Start::Alone;
    };
    if !runtime.is_absolute() {
        return Start::Alone;
    }
    let settings = absolute(super::Store::default_dir());
    let mut key = display.name().unwrap_or_default();
    key.push("\0");
    key.push(settings);
    let key = blake3::hash(key.as_encoded_bytes()).to_hex();
    start(
        &runtime,
        &key[..16],
        files.iter().cloned().map(absolute).collect(),
    )
}

#[cfg(not(target_os = "linux"))]
pub(super) fn start_here(_files: &[PathBuf], _display: &Display) -> Start {
    Start::Alone
}

#[cfg(target_os = "linux")]
fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

/// The window that takes the files of later starts. When it is dropped, a later start opens a window.
#[derive(Debug)]
pub struct Instance {
    shared: Arc<Shared>,
    requests: Receiver<Request>,
    #[cfg(target_os = "linux")]
    _listening: socket::Listening,
}

impl Instance {
    /// Says that the window draws frames from now on. Requests call `wake`, and a window that does not
    /// [take](Self::take) them is frozen.
    pub fn open(&self, wake: impl Fn() + Send + Sync + 'static) {
        // It opens once.
        self.shared.wake.set(Wake(Box::new(wake))).ok();
    }

    /// The files of the starts since the last call, each start by itself; it may have none. Never waits.
    pub fn take(&self) -> Vec<Vec<PathBuf>> {
        let requests = self.requests.try_iter();
        requests.filter_map(Request::take).collect()
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.shared.is_closed.store(true, Ordering::Release);
    }
}

/// What the window and the tasks at the socket share.
#[derive(Debug)]
struct Shared {
    requests: Sender<Request>,
    wake: std::sync::OnceLock<Wake>,
    is_closed: AtomicBool,
}

struct Wake(Box<dyn Fn() + Send + Sync>);

impl std::fmt::Debug for Wake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wake")
    }
}

/// The states of a request.
const WAITING: u8 = 0;
const TAKEN: u8 = 1;
const GIVEN_UP: u8 = 2;

/// The files of a start, until the window takes them or the start gives up.
struct Request {
    files: Vec<PathBuf>,
    state: Arc<AtomicU8>,
    taken: Sender<()>,
    /// Whether the start is gone and may have opened a window itself.
    is_gone: Box<dyn Fn() -> bool + Send>,
}

impl Request {
    fn take(self) -> Option<Vec<PathBuf>> {
        if (self.is_gone)() || !change(&self.state, TAKEN) {
            return None;
        }
        // Nobody waits if it was promised before the window opened.
        self.taken.try_send(()).ok();
        Some(self.files)
    }
}

/// Whether this is the one change that a request makes.
fn change(state: &AtomicU8, to: u8) -> bool {
    let changed = state.compare_exchange(WAITING, to, Ordering::AcqRel, Ordering::Acquire);
    changed.is_ok()
}
