//! What a program and its shim tell each other while a command starts.
//!
//! They share a pair of sockets. The shim has its end as its stdin, so no other child can inherit it.
//! The program sends the stdin of the command through it. The shim answers why it could not execute the
//! command. If it could, the system closes the shim's end, and the program reads an end without an
//! answer. So the exit code of a command is never mistaken for an error of its start. A shim that waits for
//! a request confirms it first: one that ends before that was no command.

use std::io::{self, IoSlice, IoSliceMut, Read as _, Write as _};
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::retry_on_intr;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

use super::super::CancelToken;

/// The descriptors that a shim does not use: those of the standard streams.
const STREAMS: i32 = 3;

/// Why a shim did not become the command.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The shim itself could not be started.
    NotStarted(io::Error),
    /// The error of the `exec`.
    NotExecuted(io::Error),
    /// An option of the launch could not be set.
    Option(String),
    /// The shim is of another version of this program.
    OtherVersion,
    /// The shim has ended before it read the request.
    NotReceived,
}

/// The program's end.
pub(super) struct Handover {
    socket: Arc<UnixStream>,
    /// Whether the answer begins with [`RECEIPT`].
    expects_receipt: bool,
}

/// What a shim sends when it has received a request.
const RECEIPT: u8 = b'+';

/// The most bytes of a request. The system keeps as many for a shim that does not read yet.
const MAX_REQUEST: usize = 64 * 1024;

/// The most descriptors of a message.
const MAX_DESCRIPTORS: usize = 4;

impl Handover {
    /// Returns the program's end, and the stdin of a shim that waits for a request.
    pub(super) fn for_later() -> io::Result<(Self, OwnedFd)> {
        let (ours, theirs) = UnixStream::pair()?;
        Ok((Self::of(ours, true), theirs.into()))
    }

    fn of(socket: UnixStream, expects_receipt: bool) -> Self {
        Self {
            socket: Arc::new(socket),
            expects_receipt,
        }
    }

    /// Sends a request to a shim that waits for one: what it reads, then the descriptors.
    ///
    /// # Errors
    /// The shim has ended, or the request is too long.
    pub(super) fn request(&self, request: &[u8], descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
        if request.len() > MAX_REQUEST {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let length = u32::try_from(request.len()).unwrap_or_default();
        let message = [&length.to_ne_bytes(), request].concat();
        let sent = send(&self.socket, &message, descriptors)?;
        // The system takes a message of this length in one piece, unless it is set up oddly.
        if sent == message.len() {
            Ok(())
        } else {
            Err(io::ErrorKind::WriteZero.into())
        }
    }

    /// Returns the program's end, and the stdin of a shim that takes over `stdin`.
    pub(super) fn new(stdin: &OwnedFd) -> io::Result<(Self, OwnedFd)> {
        let (ours, theirs) = UnixStream::pair()?;
        send(&ours, &[0], &[stdin.as_fd()])?;
        Ok((Self::of(ours, false), theirs.into()))
    }

    /// Waits until the shim has become the command or was killed. Returns `false` if the start was given up
    /// before that: then it may become the command.
    ///
    /// # Errors
    /// It has not become the command.
    pub(super) fn wait(self, given_up: &CancelToken) -> Result<bool, Refusal> {
        let was_cut = Arc::new(AtomicBool::new(false));
        let _ends_the_wait = given_up.on_cancel({
            let (socket, was_cut) = (self.socket.clone(), was_cut.clone());
            move || {
                if !is_closed(&socket) {
                    was_cut.store(true, Ordering::Release);
                    // Fails if the other end was closed just now, and then the wait has ended.
                    socket.shutdown(Shutdown::Both).ok();
                }
            }
        });
        let mut answer = Vec::new();
        // An error means that the shim was killed, which its exit shows.
        (&*self.socket).read_to_end(&mut answer).ok();
        let was_cut = was_cut.load(Ordering::Acquire);
        let refusal = match answer.split_first() {
            Some((&RECEIPT, refusal)) if self.expects_receipt => refusal,
            _ if self.expects_receipt && !was_cut => return Err(Refusal::NotReceived),
            _ => &answer,
        };
        let refusal = String::from_utf8_lossy(refusal);
        match refusal.split_once(' ') {
            None => Ok(!was_cut),
            Some(("version", _)) => Err(Refusal::OtherVersion),
            Some(("option", sentence)) => Err(Refusal::Option(sentence.to_owned())),
            Some((_, errno)) => Err(Refusal::NotExecuted(match errno.parse() {
                Ok(errno) => io::Error::from_raw_os_error(errno),
                Err(_) => io::Error::other(errno.to_owned()),
            })),
        }
    }
}

/// Whether the other end is closed.
fn is_closed(socket: &UnixStream) -> bool {
    let mut polled = [PollFd::new(socket, PollFlags::empty())];
    let polls = retry_on_intr(|| poll(&mut polled, Some(&Timespec::default())));
    polls.is_ok() && polled[0].revents().contains(PollFlags::HUP)
}

/// The shim's end.
pub(super) struct Answer(UnixStream);

impl Answer {
    /// Takes over the stdin of the command. The answer is closed when the command is executed.
    pub(super) fn take_over_stdin() -> io::Result<Self> {
        let answer = Self::of_stdin()?;
        let mut byte = [0];
        let (_one, descriptors) = receive(&answer.0, &mut byte)?;
        let stdin = descriptors.into_iter().next();
        rustix::stdio::dup2_stdin(stdin.ok_or(io::ErrorKind::UnexpectedEof)?)?;
        Ok(answer)
    }

    /// Takes the socket, which is the stdin until there is another one.
    fn of_stdin() -> io::Result<Self> {
        let socket = rustix::io::fcntl_dupfd_cloexec(io::stdin(), STREAMS)?;
        Ok(Self(socket.into()))
    }

    /// Confirms the request.
    ///
    /// # Errors
    /// The program does not want the command any more.
    pub(super) fn confirm(&self) -> io::Result<()> {
        (&self.0).write_all(&[RECEIPT])
    }

    pub(super) fn send(&self, refusal: &Refusal) {
        let answer = match refusal {
            Refusal::OtherVersion => "version ".to_owned(),
            // A shim can't say that.
            Refusal::NotReceived => return,
            Refusal::Option(sentence) => format!("option {sentence}"),
            Refusal::NotStarted(error) | Refusal::NotExecuted(error) => {
                match error.raw_os_error() {
                    Some(errno) => format!("exec {errno}"),
                    None => format!("exec {error}"),
                }
            }
        };
        // Fails if the program has ended. Then nobody wants to know.
        (&self.0).write_all(answer.as_bytes()).ok();
    }
}

/// A request as a shim that waits for it receives it.
pub(super) struct Received {
    pub(super) answer: Answer,
    pub(super) request: Vec<u8>,
    pub(super) descriptors: Vec<OwnedFd>,
}

impl Received {
    /// Waits for a request. Returns `None` if there comes none, because the program has closed its end.
    pub(super) fn wait() -> io::Result<Option<Self>> {
        let answer = Answer::of_stdin()?;
        let mut buffer = [0; 16 * 1024];
        let (count, descriptors) = receive(&answer.0, &mut buffer)?;
        let received = buffer.get(..count).unwrap_or_default();
        let Some((length, begin)) = received.split_first_chunk() else {
            return Ok(None);
        };
        let length = usize::try_from(u32::from_ne_bytes(*length)).unwrap_or(MAX_REQUEST);
        let mut request = begin.to_vec();
        let rest = u64::try_from(length.saturating_sub(request.len())).unwrap_or_default();
        (&answer.0).take(rest).read_to_end(&mut request)?;
        Ok((request.len() == length).then_some(Self {
            answer,
            request,
            descriptors,
        }))
    }
}

fn send(socket: &UnixStream, bytes: &[u8], descriptors: &[BorrowedFd<'_>]) -> io::Result<usize> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(descriptors));
    // Without a signal if the other end is closed. macOS knows that from the socket.
    #[cfg(not(target_vendor = "apple"))]
    let flags = SendFlags::NOSIGNAL;
    #[cfg(target_vendor = "apple")]
    let flags = SendFlags::empty();
    Ok(sendmsg(
        socket,
        &[IoSlice::new(bytes)],
        &mut control,
        flags,
    )?)
}

/// Receives one message. Returns its number of bytes and its descriptors.
fn receive(socket: &UnixStream, bytes: &mut [u8]) -> io::Result<(usize, Vec<OwnedFd>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut bytes = [IoSliceMut::new(bytes)];
    let received = retry_on_intr(|| recvmsg(socket, &mut bytes, &mut control, RecvFlags::empty()))?;
    let descriptors = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
        _ => None,
    });
    Ok((received.bytes, descriptors.flatten().collect()))
}
