//! Sockets: which is connected to which.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;

use netlink_packet_core::{
    NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::unix::{ShowFlags, StateFlags, UnixRequest, UnixResponse};
use netlink_sys::protocols::NETLINK_SOCK_DIAG;
use netlink_sys::{Socket, SocketAddr as NetlinkAddress};
use procfs::net::{TcpNetEntry, TcpState};

use crate::graph::FileKind;

/// Room for what one receive returns. The system sends at most this much at once.
const RECEIVE_SIZE: usize = 32 * 1024;

/// The sockets of this machine, by inode.
#[derive(Debug)]
pub(super) struct Sockets {
    unix_peers: BTreeMap<u64, u64>,
    unix: BTreeMap<u64, String>,
    tcp: BTreeMap<u64, (SocketAddr, SocketAddr)>,
    tcp_by_addresses: BTreeMap<(SocketAddr, SocketAddr), u64>,
    tcp_listeners: Vec<(SocketAddr, u64)>,
}

impl Sockets {
    /// What the system does not tell is left out.
    pub(super) fn read() -> Self {
        let entries = procfs::net::tcp()
            .into_iter()
            .chain(procfs::net::tcp6())
            .flatten();
        let entries: Vec<TcpNetEntry> = entries.collect();
        let addresses = |entry: &TcpNetEntry| {
            (
                canonical(entry.local_address),
                canonical(entry.remote_address),
            )
        };
        let unix = procfs::net::unix().unwrap_or_default().into_iter();
        let path_of = |path: Option<std::path::PathBuf>| {
            path.map(|path| path.to_string_lossy().into_owned())
                .unwrap_or_default()
        };
        Self {
            unix_peers: unix_peers().unwrap_or_default(),
            unix: unix
                .map(|entry| (entry.inode, path_of(entry.path)))
                .collect(),
            tcp: entries
                .iter()
                .map(|entry| (entry.inode, addresses(entry)))
                .collect(),
            tcp_by_addresses: entries
                .iter()
                // One that nobody has, and that is not new, is on its way out.
                .filter(|entry| entry.inode != 0 || entry.state == TcpState::Established)
                .map(|entry| (addresses(entry), entry.inode))
                .collect(),
            tcp_listeners: entries
                .iter()
                .filter(|entry| entry.state == TcpState::Listen)
                .map(|entry| (canonical(entry.local_address), entry.inode))
                .collect(),
        }
    }

    pub(super) fn kind(&self, inode: u64) -> FileKind {
        if self.unix.contains_key(&inode) || self.unix_peers.contains_key(&inode) {
            FileKind::UnixSocket
        } else if self.tcp.contains_key(&inode) {
            FileKind::Tcp
        } else {
            FileKind::Socket
        }
    }

    /// Returns the socket that this one is connected to, or the one that has not accepted it yet.
    pub(super) fn peer(&self, inode: u64) -> Option<u64> {
        if let Some(peer) = self.unix_peers.get(&inode) {
            return Some(*peer);
        }
        let (local, remote) = self.tcp.get(&inode)?;
        match self.tcp_by_addresses.get(&(*remote, *local))? {
            // Nobody has accepted it.
            0 => self.tcp_listener(*remote),
            inode => Some(*inode),
        }
    }

    /// Returns the socket that takes connections to an address, unless several do.
    fn tcp_listener(&self, address: SocketAddr) -> Option<u64> {
        let takes = |(own, _): &&(SocketAddr, u64)| {
            own.port() == address.port() && (own.ip() == address.ip() || own.ip().is_unspecified())
        };
        let mut listeners = self.tcp_listeners.iter().filter(takes);
        match (listeners.next(), listeners.next()) {
            (Some((_, inode)), None) => Some(*inode),
            _ => None,
        }
    }

    /// Returns the listening socket of this path.
    pub(super) fn listener(&self, path: &str) -> Option<u64> {
        let mut named = self.unix.iter().filter(|(_, name)| *name == path);
        named.next().map(|(inode, _)| *inode)
    }

    /// Returns what a connection is called: where it leads to, or the path of the socket.
    pub(super) fn name(&self, inode: u64) -> Option<String> {
        if let Some((local, remote)) = self.tcp.get(&inode) {
            let listens = remote.port() == 0;
            return Some(if listens {
                local.to_string()
            } else {
                remote.to_string()
            });
        }
        let own = self.unix.get(&inode).filter(|name| !name.is_empty());
        let peer = || self.unix.get(self.unix_peers.get(&inode)?);
        own.or_else(|| peer().filter(|name| !name.is_empty()))
            .cloned()
    }
}

/// Returns the address of IPv4 that an address of IPv6 stands for, if it does.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// Asks the system for all Unix sockets that are connected, and for those that wait to be accepted.
fn unix_peers() -> io::Result<BTreeMap<u64, u64>> {
    let mut socket = Socket::new(NETLINK_SOCK_DIAG)?;
    socket.bind_auto()?;
    socket.connect(&NetlinkAddress::new(0, 0))?;
    socket.send(&request(), 0)?;
    let mut peers = BTreeMap::new();
    let mut buffer = Vec::with_capacity(RECEIVE_SIZE);
    loop {
        buffer.clear();
        socket.recv(&mut buffer, 0)?;
        let mut rest = &buffer[..];
        while !rest.is_empty() {
            let message = NetlinkMessage::<SockDiagMessage>::deserialize(rest)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
            match message.payload {
                NetlinkPayload::InnerMessage(SockDiagMessage::UnixResponse(response)) => {
                    add(&mut peers, &response);
                }
                NetlinkPayload::Done(_) => return Ok(peers),
                NetlinkPayload::Error(error) => return Err(error.to_io()),
                _ => {}
            }
            // Each message begins at a multiple of four bytes.
            let length = (message.header.length as usize).next_multiple_of(4).max(4);
            rest = rest.get(length..).unwrap_or_default();
        }
    }
}

fn request() -> Vec<u8> {
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | NLM_F_DUMP;
    let request = SockDiagMessage::UnixRequest(UnixRequest {
        state_flags: StateFlags::all(),
        inode: 0,
        show_flags: ShowFlags::PEER | ShowFlags::ICONS,
        cookie: [0xff; 8],
    });
    let mut packet = NetlinkMessage::new(header, request.into());
    packet.finalize();
    let mut buffer = vec![0; packet.buffer_len()];
    packet.serialize(&mut buffer);
    buffer
}

fn add(peers: &mut BTreeMap<u64, u64>, response: &UnixResponse) {
    let inode = u64::from(response.header.inode);
    if let Some(peer) = response.peer() {
        peers.entry(inode).or_insert(u64::from(peer));
    }
    // A client that has connected, and that nobody has accepted, can be answered by the listener alone.
    for client in response.pending_connections().unwrap_or_default() {
        peers.insert(u64::from(*client), inode);
    }
}
