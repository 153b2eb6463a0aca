//! What sockets and X11 say of the display servers of Linux.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::net::{self, AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{Atom, AtomEnum, ConnectionExt as _};

/// The socket that the environment names, by the rules of libwayland.
fn wayland_socket() -> Option<PathBuf> {
    let name = PathBuf::from(std::env::var_os("WAYLAND_DISPLAY")?);
    if name.is_absolute() {
        return Some(name);
    }
    let folder = std::env::var_os("XDG_RUNTIME_DIR")?;
    Some(PathBuf::from(folder).join(name))
}

/// Whether a Wayland compositor listens; else why it can't be reached, in one sentence.
pub(super) fn wayland_answers() -> Result<(), String> {
    let Some(path) = wayland_socket() else {
        return Err(
            "WAYLAND_DISPLAY names a socket in the folder XDG_RUNTIME_DIR, which is not set."
                .to_owned(),
        );
    };
    match connection(&path) {
        // Its queue is full: it hangs, or is busy.
        Ok(_) | Err(Errno::AGAIN) => Ok(()),
        Err(error) => Err(format!(
            "WAYLAND_DISPLAY names {}, where no compositor answers ({error}).",
            path.display()
        )),
    }
}

/// Never waits.
fn connection(path: &Path) -> Result<OwnedFd, Errno> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    net::connect(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(socket)
}

/// The name of the compositor's program.
pub(super) fn compositor() -> Option<String> {
    let peer = net::sockopt::socket_peercred(connection(&wayland_socket()?).ok()?).ok()?;
    let name = std::fs::read_to_string(format!("/proc/{}/comm", peer.pid)).ok()?;
    Some(name.trim_end().to_owned())
}

/// The name that the window manager has for itself.
pub(super) fn window_manager() -> Option<String> {
    let (connection, screen) = x11rb::connect(None).ok()?;
    let root = connection.setup().roots.get(screen)?.root;
    let property = |window, name: &[u8], kind: Atom, length| {
        let atom = connection.intern_atom(false, name).ok()?.reply().ok()?.atom;
        let property = connection.get_property(false, window, atom, kind, 0, length);
        property.ok()?.reply().ok()
    };
    let check = property(
        root,
        b"_NET_SUPPORTING_WM_CHECK",
        AtomEnum::WINDOW.into(),
        1,
    )?;
    let window = check.value32()?.next()?;
    let name = property(window, b"_NET_WM_NAME", AtomEnum::ANY.into(), 64)?;
    String::from_utf8(name.value).ok()
}
