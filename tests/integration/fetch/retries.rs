//! Failures: which are retried, and how a cancel ends a wait.

use std::io::Write as _;
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use meanwhile::jobs::fetch::Options;
use meanwhile::record::{JobId, JobState};

use super::{Server, answer, is_empty, kind_of, one, options, send, spec, stay_silent};
use crate::util::files::folder;
use crate::util::gate::{Gate, TIMEOUT};
use crate::util::test_board::{FOREVER, TestBoard};

#[test]
fn permanent_status_is_not_retried() {
    let server = Server::start(|path, stream| answer(stream, &path[1..], "", b"body"));
    for status in ["400", "401", "403", "404", "410"] {
        let path = format!("/{status}");
        let error = one(&options(&[server.url(&path)])).unwrap_err();
        assert_eq!(error.kind, "status");
        assert!(error.message.contains(status), "{}", error.message);
        assert_eq!(server.requests(&path), 1);
    }
}

#[test]
fn transient_status_is_retried() {
    let count = AtomicUsize::new(0);
    let server = Server::start(move |path, stream| {
        if path == "/500" && count.fetch_add(1, Ordering::SeqCst) == 1 {
            answer(stream, "200 OK", "", b"at last");
        } else {
            answer(stream, &path[1..], "", b"");
        }
    });
    let fetched = one(&options(&[server.url("/500")])).unwrap();
    assert_eq!((fetched.tries, fetched.bytes), (2, 7));
    for status in ["408", "425", "429", "502", "503"] {
        let path = format!("/{status}");
        let options = Options {
            retries: 2,
            ..options(&[server.url(&path)])
        };
        let error = one(&options).unwrap_err();
        assert!(error.message.ends_with(", after 3 attempts."), "{error}");
        assert_eq!(server.requests(&path), 3, "{status}");
    }
}

#[test]
fn long_retry_after_is_final() {
    let server = Server::start(|path, stream| {
        let headers = format!("Retry-After: {}\r\n", &path[1..]);
        answer(stream, "503 Busy", &headers, b"");
    });
    for (path, asked) in [("/0", 4), ("/3600", 1), ("/soon", 4)] {
        assert_eq!(kind_of(&options(&[server.url(path)])), "status");
        assert_eq!(server.requests(path), asked, "{path}");
    }
}

#[test]
fn short_retry_after_is_honoured() {
    let server = Server::start(|_, stream| answer(stream, "429", "Retry-After: 1\r\n", b""));
    let options = Options {
        retries: 1,
        ..options(&[server.url("/")])
    };
    let start = Instant::now();
    assert_eq!(kind_of(&options), "status");
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert_eq!(server.requests("/"), 2);
}

#[test]
fn retry_after_may_be_a_date() {
    let server = Server::start(|path, stream| {
        let date = SystemTime::now() + Duration::from_secs(path[1..].parse().unwrap());
        let headers = format!("Retry-After: {}\r\n", httpdate::fmt_http_date(date));
        answer(stream, "503 Busy", &headers, b"");
    });
    let options = |path| Options {
        retries: 1,
        ..options(&[server.url(path)])
    };
    assert_eq!(kind_of(&options("/3600")), "status");
    assert_eq!(server.requests("/3600"), 1);
    let start = Instant::now();
    assert_eq!(kind_of(&options("/3")), "status");
    // The date has whole seconds.
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert_eq!(server.requests("/3"), 2);
}

#[test]
fn slow_response_that_goes_on_is_not_late() {
    let server = Server::start(|_, stream| {
        send(stream, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n");
        for _ in 0..8 {
            std::thread::park_timeout(Duration::from_millis(200));
            send(stream, "a");
        }
    });
    let options = Options {
        timeout_secs: 1.0,
        retries: 0,
        ..options(&[server.url("/")])
    };
    assert_eq!(one(&options).unwrap().bytes, 8);
}

#[test]
fn short_response_is_retried_and_never_saved() {
    let server = Server::start(|_, stream| {
        send(stream, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort");
    });
    let folder = folder();
    let options = Options {
        to: folder.path().to_owned(),
        retries: 1,
        ..options(&[server.url("/short")])
    };
    assert_eq!(kind_of(&options), "cut_short");
    assert_eq!(server.requests("/short"), 2);
    assert!(is_empty(folder.path()));
}

#[test]
fn packed_response_that_breaks_is_retried() {
    let whole: &[u8] = b"\x1f\x8b0123456789";
    let server = Server::start(move |path, stream| {
        let head = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n";
        send(stream, head);
        if path == "/chunked" {
            send(stream, "Transfer-Encoding: chunked\r\n\r\nc\r\n");
        } else {
            send(stream, format!("Content-Length: {}\r\n\r\n", whole.len()));
        }
        send(stream, &whole[..5]);
    });
    for path in ["/chunked", "/length"] {
        let options = Options {
            retries: 2,
            ..options(&[server.url(path)])
        };
        assert_eq!(kind_of(&options), "cut_short", "{path}");
        assert_eq!(server.requests(path), 3, "{path}");
    }
}

#[test]
fn invalid_response_fails() {
    let server = Server::start(|path, stream| match path {
        "/closed" => {}
        "/noise" => send(stream, "SSH-2.0-OpenSSH\r\n\r\n"),
        _ => {
            send(stream, "HTTP/1.1 200 OK\r\n");
            while stream.write_all(b"X: 0123456789abcdef\r\n").is_ok() {}
        }
    });
    for path in ["/closed", "/noise", "/headers"] {
        assert!(one(&options(&[server.url(path)])).is_err(), "{path}");
    }
    let nobody = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}/", nobody.local_addr().unwrap());
    drop(nobody);
    let options = Options {
        retries: 1,
        ..options(&[url])
    };
    let error = one(&options).unwrap_err();
    assert_eq!(error.kind, "connection");
    assert!(error.message.ends_with(", after 2 attempts."), "{error}");
}

#[test]
fn silent_server_times_out() {
    let server = Server::start(|path, stream| {
        if path == "/half" {
            send(stream, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
        }
        stay_silent(stream);
    });
    for path in ["/silent", "/half"] {
        let options = Options {
            timeout_secs: 0.1,
            retries: 1,
            ..options(&[server.url(path)])
        };
        let error = one(&options).unwrap_err();
        assert_eq!(error.kind, "timed_out");
        assert!(error.message.ends_with(", after 2 attempts."), "{error}");
    }
}

/// Polls until a condition holds that does not wake the test board.
fn until(board: &mut TestBoard, job: JobId, done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        board.poll();
        assert!(!board.job(job).state().is_ended(), "it ended early");
        assert!(start.elapsed() < TIMEOUT, "timed out");
        std::thread::yield_now();
    }
}

#[test]
fn cancel_closes_the_connection() {
    let gone = Gate::new();
    let server = {
        let gone = gone.clone();
        Server::start(move |path, stream| {
            if path == "/half" {
                send(stream, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
            }
            stay_silent(stream);
            gone.open();
        })
    };
    for path in ["/silent", "/half"] {
        let folder = folder();
        let options = Options {
            timeout_secs: FOREVER,
            to: folder.path().to_owned(),
            ..options(&[server.url(path)])
        };
        let mut board = TestBoard::new();
        let job = board.start(spec(&options, &[]));
        until(&mut board, job, || server.requests(path) == 1);
        board.board.cancel(job);
        board.until_ended(job);
        assert_eq!(*board.job(job).state(), JobState::Cancelled);
        gone.pass();
        assert!(is_empty(folder.path()));
    }
}

#[test]
fn cancel_ends_the_pause_before_a_retry() {
    let server = Server::start(|_, stream| answer(stream, "500", "", b""));
    let options = Options {
        pause_secs: FOREVER,
        ..options(&[server.url("/")])
    };
    let mut board = TestBoard::new();
    let job = board.start(spec(&options, &[]));
    until(&mut board, job, || server.requests("/") == 1);
    board.board.cancel(job);
    board.until_ended(job);
    assert_eq!(*board.job(job).state(), JobState::Cancelled);
    assert_eq!(server.requests("/"), 1);
}
