//! The proxy of a URL, from the environment as curl reads it.
//!
//! A proxy that can't be used is an error: whoever names one may rely on it to stay unseen.

use std::ffi::OsString;
use std::net::IpAddr;

use ureq::{Proxy, ProxyProtocol};
use url::{Host, Url};

/// The variables of each scheme, the first that is set counts. The servers of some web applications set
/// `HTTP_PROXY` to a header of the request.
const HTTP: [&str; 4] = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];
const HTTPS: [&str; 4] = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];

/// A variable that names a proxy which can't be used. Its value may contain a password.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not fetched, because the value of {0} is not a proxy; expected one such as http://HOST:PORT or socks5h://HOST:PORT"
)]
pub(super) struct ProxyError(&'static str);

/// The proxy for the URL; `None` if it is asked for directly. `variable` returns the value of an
/// environment variable.
///
/// A SOCKS proxy that is named for the other scheme alone counts for this one, too: it carries every
/// connection, and whoever uses one may want to hide.
pub(super) fn proxy_for(
    url: &Url,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Option<Proxy>, ProxyError> {
    if is_local(url) {
        return Ok(None);
    }
    let (own, other) = match url.scheme() {
        "https" => (HTTPS, HTTP),
        _ => (HTTP, HTTPS),
    };
    let mut proxy = first(&own, &variable)?;
    if proxy.is_none() {
        proxy = first(&other, &variable)?.filter(is_socks);
    }
    let excluded = variable("no_proxy").or_else(|| variable("NO_PROXY"));
    let excluded = excluded.unwrap_or_default();
    Ok(proxy.filter(|_| !is_excluded(url, &excluded.to_string_lossy())))
}

/// The proxy that the first variable with a value names.
fn first(
    names: &[&'static str],
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Option<Proxy>, ProxyError> {
    let is_gateway = variable("REQUEST_METHOD").is_some();
    let named = names
        .iter()
        .filter(|&&name| !(is_gateway && name == "HTTP_PROXY"))
        .find_map(|&name| Some((name, variable(name).filter(|value| !value.is_empty())?)));
    let Some((name, value)) = named else {
        return Ok(None);
    };
    let proxy = value.to_str().and_then(|text| Proxy::new(text.trim()).ok());
    let proxy = proxy.filter(|proxy| !proxy.host().is_empty());
    proxy.map(Some).ok_or(ProxyError(name))
}

fn is_socks(proxy: &Proxy) -> bool {
    !matches!(proxy.protocol(), ProxyProtocol::Http | ProxyProtocol::Https)
}

/// Whether the URL is on this machine, which a proxy could not reach.
fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Whether `NO_PROXY` names the host: itself, a domain above it, or a network such as `10.0.0.0/8`; `*`
/// stands for all. Names are separated by commas or spaces.
fn is_excluded(url: &Url, no_proxy: &str) -> bool {
    let mut names = no_proxy.split(|c: char| c == ',' || c.is_ascii_whitespace());
    names.any(|name| {
        name == "*"
            || match url.host() {
                Some(Host::Domain(host)) => is_within(host, name),
                Some(Host::Ipv4(address)) => contains(name, address.into()),
                Some(Host::Ipv6(address)) => contains(name, address.into()),
                None => false,
            }
    })
}

/// Whether the host is the domain or in it.
fn is_within(host: &str, domain: &str) -> bool {
    let domain = domain.strip_prefix('.').unwrap_or(domain);
    let domain = domain.trim_end_matches('.').to_ascii_lowercase();
    let rest = host.trim_end_matches('.').strip_suffix(&domain);
    !domain.is_empty() && rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Whether the network, or the single address, contains the address.
fn contains(network: &str, address: IpAddr) -> bool {
    let (base, len) = match network.split_once('/') {
        Some((base, len)) => (base, len.parse().ok()),
        None => (network, Some(u32::MAX)),
    };
    let base = base.trim_start_matches('[').trim_end_matches(']');
    let (Ok(base), Some(len)) = (base.parse(), len) else {
        return false;
    };
    match (base, address) {
        (IpAddr::V4(base), IpAddr::V4(address)) => {
            let differing = u32::from(base) ^ u32::from(address);
            differing.leading_zeros() >= len.min(32)
        }
        (IpAddr::V6(base), IpAddr::V6(address)) => {
            let differing = u128::from(base) ^ u128::from(address);
            differing.leading_zeros() >= len.min(128)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The proxy of the URL with these variables, such as `http://proxy:80`, or the variable that is wrong.
    fn proxy_of(url: &str, variables: &[(&str, &str)]) -> Result<Option<String>, &'static str> {
        let url = Url::parse(url).unwrap();
        let variable = |name: &str| {
            let named = variables.iter().find(|(known, _)| *known == name);
            named.map(|(_, value)| value.into())
        };
        let proxy = proxy_for(&url, variable).map_err(|error| error.0)?;
        Ok(proxy.map(|proxy| {
            let protocol = proxy.protocol().to_string().to_ascii_lowercase();
            format!("{protocol}://{}:{}", proxy.host(), proxy.port())
        }))
    }

    fn is_direct(host: &str, no_proxy: &str) -> bool {
        let variables = [("ALL_PROXY", "http://p"), ("NO_PROXY", no_proxy)];
        let proxy = proxy_of(&format!("http://{host}/"), &variables);
        proxy.unwrap().is_none()
    }

    #[test]
    fn proxy_is_that_of_the_scheme() {
        let both = [("http_proxy", "a:1"), ("https_proxy", "http://b:2")];
        for (url, proxy) in [("http://h/", "http://a:1"), ("https://h/", "http://b:2")] {
            assert_eq!(proxy_of(url, &both), Ok(Some(proxy.to_owned())));
        }
        assert_eq!(proxy_of("http://h/", &both[1..]), Ok(None));
        assert_eq!(proxy_of("https://h/", &both[..1]), Ok(None));
        let all = [("all_proxy", "c:3"), ("http_proxy", "")];
        assert_eq!(proxy_of("http://h/", &all), Ok(Some("http://c:3".into())));
    }

    #[test]
    fn socks_proxy_counts_for_every_url() {
        for name in [
            "http_proxy",
            "HTTP_PROXY",
            "https_proxy",
            "HTTPS_PROXY",
            "all_proxy",
            "ALL_PROXY",
        ] {
            for url in ["http://h/", "https://h/"] {
                let proxy = proxy_of(url, &[(name, "socks5h://s:9")]);
                assert_eq!(proxy, Ok(Some("socks5h://s:9".into())), "{name} {url}");
            }
        }
    }

    #[test]
    fn proxy_that_is_none_is_an_error() {
        for value in ["ht!tp://x", "ftp://x", "http://", "socks6://x", ":", "a b"] {
            for name in ["http_proxy", "ALL_PROXY", "HTTPS_PROXY"] {
                assert_eq!(
                    proxy_of("http://h/", &[(name, value)]),
                    Err(name),
                    "{value}"
                );
            }
            let local = proxy_of("http://127.0.0.1/", &[("http_proxy", value)]);
            assert_eq!(local, Ok(None));
        }
    }

    #[test]
    fn header_of_a_request_is_no_proxy() {
        let variables = [("REQUEST_METHOD", "GET"), ("HTTP_PROXY", "http://evil")];
        assert_eq!(proxy_of("http://h/", &variables), Ok(None));
    }

    #[test]
    fn excluded_host_is_asked_directly() {
        for (host, no_proxy) in [
            ("example.com", "example.com"),
            ("a.example.com", "example.com"),
            ("a.b.example.com", "x, .example.com"),
            ("example.com", ".example.com"),
            ("example.com.", "Example.COM."),
            ("anything", "*"),
            ("10.1.2.3", "10.1.2.3"),
            ("10.1.2.3", "192.168.0.0/16 10.0.0.0/8"),
            ("10.1.2.3", "0.0.0.0/0"),
            ("[fd00::1]", "fd00::1"),
            ("[fd00::1]", "[fd00::1]"),
            ("[fd00::1]", "fd00::/8"),
        ] {
            assert!(is_direct(host, no_proxy), "{host} {no_proxy}");
        }
        for (host, no_proxy) in [
            ("example.com", ""),
            ("example.com", ",. ,"),
            ("notexample.com", "example.com"),
            ("example.com", "a.example.com"),
            ("a.example.com", "*.example.com"),
            ("10.1.2.3", "1.2.3"),
            ("10.1.2.3", "10.1.2.4/31x"),
            ("10.1.2.3", "10.1.2.4"),
            ("10.1.2.3", "11.0.0.0/8"),
            ("10.1.2.3", "::/0"),
            ("[fd00::1]", "fe00::/8"),
        ] {
            assert!(!is_direct(host, no_proxy), "{host} {no_proxy}");
        }
    }
}
