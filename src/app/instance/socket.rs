//! The socket at which the first window listens, and what goes through it.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, Metadata};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::sockopt::socket_peercred;
use rustix::net::{RecvFlags, Shutdown};
use rustix::process::geteuid;

use super::{GIVEN_UP, Instance, Request, Shared, Start, WAITING, change};
use crate::join::{self, Context};

/// A second start waits this long for the first window.
const PATIENCE: Duration = Duration::from_secs(2);

/// The window has this long to take a request, so that its sender still waits for the answer.
const TAKE_TIMEOUT: Duration = Duration::from_millis(1_500);

/// The pause before another attempt while the first start is not listening yet.
const RETRY: Duration = Duration::from_millis(20);

const MAGIC: &[u8] = b"meanwhile open 1\n";

/// The most bytes of a request. A command line is a few megabytes at most.
const MAX_LEN: usize = 256 * 1024 * 1024;

/// The requests that may wait for a frame, and the senders that are served at once.
const MAX_WAITING: usize = 64;

const YES: u8 = b'y';
const NO: u8 = b'n';

pub(super) fn start(runtime: &Path, key: &str, files: Vec<PathBuf>) -> Start {
    let Ok(place) = Place::new(runtime, key) else {
        return Start::Alone;
    };
    match place.lock() {
        Ok(Some(lock)) => return listen(&place, lock).unwrap_or(Start::Alone),
        Ok(None) => {}
        Err(_) => return Start::Alone,
    }
    // A connection to a frozen program may never end, so another thread tries.
    let handing = join::Builder::new("hand over files").daemon(true);
    let handing = handing.spawn_owned(move |context| hand(&place, &files, context));
    let Ok(handing) = handing else {
        return Start::Alone;
    };
    match handing.join_timeout_into(PATIENCE) {
        Ok(Ok(Ok(start))) => start,
        Ok(_) => Start::Alone,
        Err(late) => {
            late.cancel();
            Start::Alone
        }
    }
}

/// The files of the exchange.
struct Place {
    lock: PathBuf,
    socket: PathBuf,
}

impl Place {
    /// # Errors
    /// The folders can't be made, or are not the user's alone.
    fn new(runtime: &Path, key: &str) -> io::Result<Self> {
        check(&fs::symlink_metadata(runtime)?)?;
        let folder = runtime.join("meanwhile");
        match DirBuilder::new().mode(0o700).create(&folder) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            _ => check(&fs::symlink_metadata(&folder)?)?,
        }
        Ok(Self {
            lock: folder.join(format!("{key}.lock")),
            socket: folder.join(format!("{key}.socket")),
        })
    }

    /// The lock, unless another program has it.
    fn lock(&self) -> io::Result<Option<File>> {
        let mut options = File::options();
        options.create(true).truncate(false).write(true).mode(0o600);
        let file = options
            .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
            .open(&self.lock)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(error)) => Err(error),
        }
    }
}

/// Checks that it is a folder which nobody else can change.
fn check(folder: &Metadata) -> io::Result<()> {
    let is_own = folder.uid() == geteuid().as_raw();
    let for_others = folder.mode() & 0o077;
    if folder.is_dir() && is_own && for_others == 0 {
        Ok(())
    } else {
        Err(ErrorKind::PermissionDenied.into())
    }
}

/// Checks that the program at the other end is this user's.
fn check_peer(stream: &UnixStream) -> io::Result<()> {
    if socket_peercred(stream)?.uid == geteuid() {
        Ok(())
    } else {
        Err(ErrorKind::PermissionDenied.into())
    }
}

/// Sends the files to the first window, or becomes the first when that ends.
fn hand(place: &Place, files: &[PathBuf], context: &Context) -> io::Result<Start> {
    let mut request = Vec::new();
    for file in files {
        request.extend_from_slice(file.as_os_str().as_bytes());
        request.push(0);
    }
    if request.len() > MAX_LEN {
        return Ok(Start::Alone);
    }
    loop {
        match UnixStream::connect(&place.socket) {
            Ok(stream) => {
                context.check()?;
                return Ok(if send(stream, &request)? {
                    Start::Handed
                } else {
                    Start::Alone
                });
            }
            // It is about to listen, or has just ended.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::NotFound | ErrorKind::ConnectionRefused
                ) => {}
            Err(error) => return Err(error),
        }
        match place.lock() {
            Ok(Some(lock)) => return listen(place, lock),
            Ok(None) => context.sleep(RETRY)?,
            Err(error) => return Err(error),
        }
    }
}

/// Sends a request. Returns whether the window has taken it.
fn send(mut stream: UnixStream, request: &[u8]) -> io::Result<bool> {
    check_peer(&stream)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(MAGIC)?;
    stream.write_all(&(request.len() as u64).to_le_bytes())?;
    stream.write_all(request)?;
    let mut answer = [NO];
    stream.read_exact(&mut answer)?;
    Ok(answer == [YES])
}

/// Ends the listening when it is dropped.
#[derive(Debug)]
pub(super) struct Listening {
    listener: Arc<UnixListener>,
    socket: PathBuf,
    _lock: File,
}

impl Drop for Listening {
    /// The socket goes before the lock, which is freed last.
    fn drop(&mut self) {
        // If it is gone already, nobody finds it.
        fs::remove_file(&self.socket).ok();
        // Without it, the thread waits until the program ends.
        rustix::net::shutdown(&self.listener, Shutdown::Both).ok();
    }
}

fn listen(place: &Place, lock: File) -> io::Result<Start> {
    match fs::remove_file(&place.socket) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = Arc::new(UnixListener::bind(&place.socket)?);
    let (sender, requests) = crossbeam_channel::bounded(MAX_WAITING);
    let shared = Arc::new(Shared {
        requests: sender,
        wake: OnceLock::new(),
        is_closed: AtomicBool::new(false),
    });
    let listening = Listening {
        listener: listener.clone(),
        socket: place.socket.clone(),
        _lock: lock,
    };
    let serving = shared.clone();
    join::Builder::new("other starts")
        .daemon(true)
        .spawn(move |context| serve_all(&listener, &serving, context))
        .map_err(io::Error::other)?;
    Ok(Start::First(Instance {
        shared,
        requests,
        _listening: listening,
    }))
}

/// Serves each start on a thread of its own, so that a slow one delays no other.
fn serve_all(listener: &UnixListener, shared: &Arc<Shared>, context: &Context) {
    let served = Arc::new(AtomicUsize::new(0));
    for stream in listener.incoming() {
        if shared.is_closed.load(Ordering::Acquire) {
            return;
        }
        let Ok(stream) = stream else {
            // Such as too many open files. The next start may find them closed.
            if context.sleep(RETRY).is_err() {
                return;
            }
            continue;
        };
        if served.fetch_add(1, Ordering::AcqRel) >= MAX_WAITING {
            served.fetch_sub(1, Ordering::AcqRel);
            continue;
        }
        let (shared, count) = (shared.clone(), served.clone());
        let serving = join::Builder::new("another start").daemon(true);
        let serving = serving.spawn(move |_| {
            // Whoever sent it opens a window of its own.
            serve(stream, &shared).ok();
            count.fetch_sub(1, Ordering::AcqRel);
        });
        if serving.is_err() {
            served.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

fn serve(mut stream: UnixStream, shared: &Shared) -> io::Result<()> {
    check_peer(&stream)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let files = receive(&mut stream)?;
    let is_taken = !is_gone(&stream) && offer(files, stream.try_clone()?, shared);
    stream.write_all(&[if is_taken { YES } else { NO }])
}

/// Has the window take the files. Before it draws frames that is a promise, because it surely opens.
fn offer(files: Vec<PathBuf>, sender: UnixStream, shared: &Shared) -> bool {
    let (taken, answer) = crossbeam_channel::bounded(1);
    let state = Arc::new(AtomicU8::new(WAITING));
    let wake = shared.wake.get();
    let request = Request {
        files,
        state: state.clone(),
        taken,
        is_gone: match wake {
            Some(_) => Box::new(move || is_gone(&sender)),
            // What has the promise does not wait.
            None => Box::new(|| false),
        },
    };
    if shared.is_closed.load(Ordering::Acquire) || shared.requests.try_send(request).is_err() {
        return false;
    }
    let Some(wake) = wake else {
        return true;
    };
    (wake.0)();
    answer.recv_timeout(TAKE_TIMEOUT).is_ok() || !change(&state, GIVEN_UP)
}

/// Whether the sender has given up: it sends nothing more, so there is something to read only at its end.
fn is_gone(stream: &UnixStream) -> bool {
    let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
    let read = rustix::net::recv(stream, &mut [0; 1], flags);
    !matches!(read, Err(Errno::AGAIN | Errno::INTR))
}

/// Reads a request within [`PATIENCE`].
fn receive(stream: &mut UnixStream) -> io::Result<Vec<PathBuf>> {
    let until = Instant::now() + PATIENCE;
    let mut head = [0; MAGIC.len() + 8];
    read_until(stream, &mut head, until)?;
    let (magic, len) = head.split_at(MAGIC.len());
    let len = u64::from_le_bytes(len.try_into().map_err(io::Error::other)?);
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    if magic != MAGIC || len > MAX_LEN {
        return Err(ErrorKind::InvalidData.into());
    }
    let mut paths = Vec::new();
    while paths.len() < len {
        // Grows with what has arrived, whatever the length says.
        let begin = paths.len();
        paths.resize(len.min(begin + 1024 * 1024), 0);
        read_until(stream, &mut paths[begin..], until)?;
    }
    let paths = paths.strip_suffix(b"\0").unwrap_or(&paths);
    if paths.is_empty() {
        return Ok(Vec::new());
    }
    let paths = paths.split(|byte| *byte == 0).map(<[u8]>::to_vec);
    let paths = paths.map(|path| PathBuf::from(OsString::from_vec(path)));
    Ok(paths.collect())
}

fn read_until(stream: &mut UnixStream, mut bytes: &mut [u8], until: Instant) -> io::Result<()> {
    while !bytes.is_empty() {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(bytes) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => bytes = &mut bytes[count..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
