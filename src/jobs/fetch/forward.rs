//! Requests of `http` URLs through an HTTP proxy, which forwards them.
//!
//! ureq asks every HTTP proxy for a tunnel to the server. Most proxies allow that for HTTPS alone. A
//! request that is sent to the proxy itself, with the whole URL in its first line, all of them forward.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use ureq::config::Config;
use ureq::http::Uri;
use ureq::http::uri::Scheme;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, NextTimeout, Transport,
};
use ureq::{Error, Proxy, ProxyProtocol};

/// The start of a first line that the [`Forwarded`] transport changes.
const METHOD: &[u8] = b"GET ";

/// Whether the proxy forwards the requests of URLs of this scheme.
pub(super) fn is_forwarded(scheme: Option<&str>, proxy: &Proxy) -> bool {
    let is_http = matches!(proxy.protocol(), ProxyProtocol::Http | ProxyProtocol::Https);
    is_http && scheme == Some(Scheme::HTTP.as_str())
}

/// The header `Proxy-Authorization` of the requests that the proxy forwards, if it asks for a user.
pub(super) fn authorization(proxy: &Proxy) -> Option<String> {
    let user = proxy.username()?;
    let password = proxy.password().unwrap_or_default();
    let encoded = BASE64_STANDARD.encode(format!("{user}:{password}"));
    Some(format!("Basic {encoded}"))
}

/// Connects to the proxy that forwards the request, if there is one.
#[derive(Debug)]
pub(super) struct ForwardConnector {
    /// The configuration of the agent, for the connection to the proxy itself.
    pub(super) direct: Config,
}

impl<In: Transport> Connector<In> for ForwardConnector {
    type Out = Either<In, Forwarded>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        if let Some(transport) = chained {
            return Ok(Some(Either::A(transport)));
        }
        let proxy = details.config.proxy();
        let Some(proxy) = proxy.filter(|proxy| is_forwarded(details.uri.scheme_str(), proxy))
        else {
            return Ok(None);
        };
        let resolver = details.resolver;
        let to_proxy = ConnectionDetails {
            uri: proxy.uri(),
            addrs: resolver.resolve(proxy.uri(), &self.direct, details.timeout)?,
            config: &self.direct,
            request_level: details.request_level,
            resolver,
            now: details.now,
            timeout: details.timeout,
            current_time: details.current_time.clone(),
            run_connector: details.run_connector.clone(),
            register_shutdown: details.register_shutdown.clone(),
        };
        Ok(Some(Either::B(Forwarded {
            to_proxy: (details.run_connector)(&to_proxy)?,
            origin: origin(details.uri),
        })))
    }
}

/// Such as `http://example.com:8080`.
fn origin(uri: &Uri) -> Vec<u8> {
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    format!("http://{authority}").into_bytes()
}

/// A connection to a proxy. Puts the origin before the path in the first line of each request.
#[derive(Debug)]
pub(super) struct Forwarded {
    to_proxy: Box<dyn Transport>,
    origin: Vec<u8>,
}

impl Transport for Forwarded {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.to_proxy.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let output = self.to_proxy.buffers().output();
        let mut total = amount;
        if output[..amount].starts_with(METHOD) {
            total += self.origin.len();
            if total > output.len() {
                return Err(Error::LargeResponseHeader(total, output.len()));
            }
            output.copy_within(METHOD.len()..amount, METHOD.len() + self.origin.len());
            output[METHOD.len()..][..self.origin.len()].copy_from_slice(&self.origin);
        }
        self.to_proxy.transmit_output(total, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.to_proxy.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.to_proxy.is_open()
    }

    fn is_tls(&self) -> bool {
        false
    }
}
