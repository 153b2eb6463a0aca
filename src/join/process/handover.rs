//! What a program and its shim tell each other while a command starts.
//!
//! They share a pair of sockets. The shim has its end as its stdin, so no other child can inherit it.
//! The program sends the stdin of the command through it. The shim answers why it could not execute the
//! command. If it could, the system closes the shim's end, and the program reads an end without an
//! answer. So the exit code of a command is never mistaken for an error of its start.

use std::io::{self, IoSlice, IoSliceMut, Read as _, Write as _};
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

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
}

/// The program's end.
pub(super) struct Handover(Arc<UnixStream>);

impl Handover {
    /// Returns the program's end, and the stdin of a shim that takes over `stdin`.
    pub(super) fn new(stdin: &OwnedFd) -> io::Result<(Self, OwnedFd)> {
        let (ours, theirs) = UnixStream::pair()?;
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        let stdin = [stdin.as_fd()];
        control.push(SendAncillaryMessage::ScmRights(&stdin));
        sendmsg(
            &ours,
            &[IoSlice::new(&[0])],
            &mut control,
            SendFlags::empty(),
        )?;
        Ok((Self(Arc::new(ours)), theirs.into()))
    }

    /// Waits until the shim has become the command, was killed or the start was given up. Returns why it
    /// has not become the command.
    pub(super) fn wait(self, given_up: &CancelToken) -> Result<(), Refusal> {
        let socket = self.0.clone();
        let _ends_the_wait = given_up.on_cancel(move || {
            // Fails if the other end is closed, and then the wait has ended.
            socket.shutdown(Shutdown::Both).ok();
        });
        let mut answer = Vec::new();
        // An error means that the shim was killed, which its exit shows.
        (&*self.0).read_to_end(&mut answer).ok();
        let answer = String::from_utf8_lossy(&answer);
        match answer.split_once(' ') {
            None => Ok(()),
            Some(("version", _)) => Err(Refusal::OtherVersion),
            Some(("option", sentence)) => Err(Refusal::Option(sentence.to_owned())),
            Some((_, errno)) => Err(Refusal::NotExecuted(match errno.parse() {
                Ok(errno) => io::Error::from_raw_os_error(errno),
                Err(_) => io::Error::other(errno.to_owned()),
            })),
        }
    }
}

/// The shim's end.
pub(super) struct Answer(UnixStream);

impl Answer {
    /// Takes over the stdin of the command. The answer is closed when the command is executed.
    pub(super) fn take_over_stdin() -> io::Result<Self> {
        let socket = rustix::io::fcntl_dupfd_cloexec(io::stdin(), STREAMS)?;
        let stdin = receive(&socket)?;
        rustix::stdio::dup2_stdin(&stdin)?;
        Ok(Self(socket.into()))
    }

    pub(super) fn send(mut self, refusal: &Refusal) {
        let answer = match refusal {
            Refusal::OtherVersion => "version ".to_owned(),
            Refusal::Option(sentence) => format!("option {sentence}"),
            Refusal::NotStarted(error) | Refusal::NotExecuted(error) => {
                match error.raw_os_error() {
                    Some(errno) => format!("exec {errno}"),
                    None => format!("exec {error}"),
                }
            }
        };
        // Fails if the program has ended. Then nobody wants to know.
        self.0.write_all(answer.as_bytes()).ok();
    }
}

fn receive(socket: &OwnedFd) -> io::Result<OwnedFd> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    let mut bytes = [IoSliceMut::new(&mut byte)];
    recvmsg(socket, &mut bytes, &mut control, RecvFlags::empty())?;
    let descriptors = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    descriptors.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}
