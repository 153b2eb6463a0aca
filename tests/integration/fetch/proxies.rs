//! Proxies of the environment, which only a process of its own can have.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output};

use super::{Server, answer, thread};

/// The name of a host that only a proxy knows.
const HOST: &str = "files.example.test";

/// Runs `meanwhile run fetch` with these variables and no others about proxies.
pub(super) fn fetch(url: &str, variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meanwhile"));
    command.args(["run", "fetch", "--retries", "0", "--url", url]);
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        command.env_remove(name);
        command.env_remove(name.to_ascii_uppercase());
    }
    command.envs(variables.iter().copied());
    command.output().expect("the program starts")
}

#[track_caller]
pub(super) fn assert_fetched(output: &Output) {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    assert!(output.stdout.starts_with(b"200\t5\t"), "{error}");
}

#[track_caller]
fn assert_failed(output: &Output, why: &str) {
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains(why), "{error}");
}

#[test]
fn http_url_is_forwarded_by_its_proxy() {
    let url = format!("http://{HOST}/a.txt");
    let proxy = {
        let url = url.clone();
        Server::reading(move |request, stream| {
            let is_forwarded = request.method == "GET" && request.path == url;
            // "me:p@ss" in base64.
            let user = request.header("proxy-authorization") == Some("Basic bWU6cEBzcw==");
            let host = request.header("host") == Some(HOST);
            let is_right = is_forwarded && user && host;
            let status = if is_right { "200" } else { "403" };
            answer(stream, status, "", b"hello");
        })
    };
    let proxy_url = format!("http://me:p%40ss@{}", proxy.address);
    for name in ["http_proxy", "HTTP_PROXY", "all_proxy"] {
        assert_fetched(&fetch(&url, &[(name, &proxy_url)]));
    }
    assert_eq!(proxy.requests(&url), 3);
}

#[test]
fn https_url_is_tunnelled_by_its_proxy() {
    let proxy = Server::start(|_, stream| answer(stream, "403", "", b""));
    let proxy_url = format!("http://{}", proxy.address);
    let output = fetch(&format!("https://{HOST}/"), &[("https_proxy", &proxy_url)]);
    assert_failed(&output, "403");
    assert_eq!(proxy.requests(&format!("{HOST}:443")), 1);
}

/// A SOCKS proxy whose tunnels all end at one server. Accepts one connection.
fn socks_proxy(server: &Server) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let target = server.address;
    thread(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut greeting = [0; 3];
        client.read_exact(&mut greeting).unwrap();
        client.write_all(&[5, 0]).unwrap();
        // Version, connect, reserved, a name with its length, a port.
        let mut request = vec![0; 5 + HOST.len() + 2];
        client.read_exact(&mut request).unwrap();
        assert_eq!(&request[5..][..HOST.len()], HOST.as_bytes());
        client.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 0]).unwrap();
        let mut server = TcpStream::connect(target).unwrap();
        let (mut from_client, mut to_server) =
            (client.try_clone().unwrap(), server.try_clone().unwrap());
        thread(move || drop(std::io::copy(&mut from_client, &mut to_server)));
        std::io::copy(&mut server, &mut client).ok();
    });
    format!("socks5h://{address}")
}

#[test]
fn socks_proxy_is_used() {
    let server = Server::start(|_, stream| answer(stream, "200", "", b"hello"));
    let url = format!("http://{HOST}/a.txt");
    for name in ["ALL_PROXY", "http_proxy", "https_proxy"] {
        assert_fetched(&fetch(&url, &[(name, &socks_proxy(&server))]));
    }
    assert_eq!(server.requests("/a.txt"), 3);
}

#[test]
fn unusable_proxy_is_an_error() {
    let url = format!("http://{HOST}/");
    for value in ["ht!tp://x", "socks6://x:1"] {
        let output = fetch(&url, &[("all_proxy", value)]);
        assert_failed(&output, "the value of all_proxy is not a proxy");
    }
    let nobody = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    for scheme in ["http", "socks5h"] {
        let proxy = format!("{scheme}://{address}");
        let output = fetch(&url, &[("http_proxy", &proxy)]);
        assert_failed(&output, &format!("through the proxy {address}"));
    }
}

#[test]
fn this_machine_needs_no_proxy() {
    let server = Server::start(|_, stream| answer(stream, "200", "", b"hello"));
    let output = fetch(&server.url("/"), &[("all_proxy", "ht!tp://x")]);
    assert_fetched(&output);
}
