//! Cookies, within one run.

use meanwhile::jobs::JobSpec;

use super::{Server, answer, one, options, outcomes, spec};

/// Answers `yes` to a request with the cookie, else sets it and sends the client to the same URL again.
fn server() -> Server {
    Server::reading(|request, stream| {
        if request.header("cookie") == Some("seen=yes") {
            return answer(stream, "200 OK", "", b"yes");
        }
        let headers = format!(
            "Set-Cookie: seen=yes; Path=/\r\nLocation: {}\r\n",
            request.path
        );
        answer(stream, "302 Found", &headers, b"");
    })
}

#[test]
fn cookie_is_sent_back_after_a_redirect() {
    let server = server();
    let options = options(&[server.url("/a")]);
    assert_eq!(one(&options).unwrap().bytes, 3);
    assert_eq!(server.requests("/a"), 2);
    // Another run has none.
    assert_eq!(one(&options).unwrap().bytes, 3);
    assert_eq!(server.requests("/a"), 4);
}

#[test]
fn cookies_are_those_of_the_run_and_the_host() {
    let (server, other) = (
        server(),
        Server::start(|_, stream| answer(stream, "200 OK", "", b"")),
    );
    let other_host = other.url("/").replace("127.0.0.1", "localhost");
    let options = options(&[server.url("/a"), server.url("/b"), other_host]);
    let spec = JobSpec {
        workers: 1,
        ..spec(&options, &[])
    };
    assert!(outcomes(spec).iter().all(Result::is_ok));
    assert_eq!((server.requests("/a"), server.requests("/b")), (2, 1));
}
