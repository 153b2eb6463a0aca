//! The client of a worker, which uses a connection again for the next request.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{
    ConnectProxyConnector, ConnectionDetails, Connector, RustlsConnector, SocksConnector,
    TcpConnector, Transport,
};
use ureq::{Agent, Error};

use super::forward::ForwardConnector;

/// Identifies this program to the server.
const USER_AGENT: &str = concat!("Meanwhile/", env!("CARGO_PKG_VERSION"));

/// The most bytes that are read at once. The caches have room for them.
pub(super) const READ_BYTES: usize = 128 << 10;

/// Sends one request at a time.
#[derive(Clone, Debug)]
pub(super) struct Client {
    agent: Agent,
    connects: Arc<AtomicUsize>,
}

impl Client {
    pub(super) fn new() -> Self {
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::PlatformVerifier)
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .user_agent(USER_AGENT)
            // What is saved is what was sent: the checksum that was published of it must fit.
            .accept_encoding("identity")
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .input_buffer_size(READ_BYTES)
            .proxy(None)
            .build();
        let forward = ForwardConnector {
            direct: config.clone(),
        };
        let connects = Arc::default();
        let connector =
            ().chain(Counter(Arc::clone(&connects)))
                .chain(forward)
                .chain(SocksConnector::default())
                .chain(ConnectProxyConnector::default())
                .chain(TcpConnector::default())
                .chain(RustlsConnector::default());
        let agent = Agent::with_parts(config, connector, DefaultResolver::default());
        Self { agent, connects }
    }

    /// Sends the request that `send` makes. If it fails on a connection that was kept, because the server has
    /// closed that meanwhile, it is sent once more.
    pub(super) fn call<T>(&self, send: impl Fn(&Agent) -> Result<T, Error>) -> Result<T, Error> {
        let before = self.connects.load(Ordering::Relaxed);
        match send(&self.agent) {
            Err(Error::Io(_)) if self.connects.load(Ordering::Relaxed) == before => {
                send(&self.agent)
            }
            sent => sent,
        }
    }

    /// Closes the connections, also the one of a request that another thread sends.
    pub(super) fn shut_down(self) {
        self.agent.shutdown();
    }
}

/// Counts the connections that are opened.
#[derive(Debug)]
struct Counter(Arc<AtomicUsize>);

impl<In: Transport> Connector<In> for Counter {
    type Out = In;

    fn connect(
        &self,
        _details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<In>, Error> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(chained)
    }
}
