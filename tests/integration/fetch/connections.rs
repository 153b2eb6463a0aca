//! Connections that are kept open from one request to the next.

use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, channel};

use meanwhile::jobs::JobSpec;
use meanwhile::jobs::fetch::Options;

use super::{Request, Server, answer, options, outcomes, send, spec, stay_silent, thread};
use crate::util::gate::TIMEOUT;
use crate::util::test_board::TestBoard;

/// A server that answers so many requests on each connection, and closes it when the next one has come. The
/// channel gets the number of requests of each connection that ends.
fn keeping(most: usize) -> (SocketAddr, Receiver<usize>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let (ended, requests) = channel();
    thread(move || {
        for stream in listener.incoming() {
            let (mut stream, ended) = (stream.unwrap(), ended.clone());
            thread(move || {
                let mut count = 0;
                while Request::read(&stream).is_some() {
                    count += 1;
                    if count > most {
                        break;
                    }
                    send(
                        &mut stream,
                        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
                    );
                }
                drop(stream);
                // The test may have seen enough.
                ended.send(count).ok();
            });
        }
    });
    (address, requests)
}

/// The URLs are fetched one after the other, and none twice.
fn in_turn(address: SocketAddr, urls: usize) -> JobSpec {
    let urls: Vec<_> = (0..urls)
        .map(|number| format!("http://{address}/{number}"))
        .collect();
    let options = Options {
        retries: 0,
        ..options(&urls)
    };
    JobSpec {
        workers: 1,
        ..spec(&options, &[])
    }
}

#[test]
fn requests_of_a_worker_share_a_connection() {
    let (address, requests) = keeping(usize::MAX);
    let mut board = TestBoard::new();
    let job = board.start(in_turn(address, 3));
    board.until_ended(job);
    // The board is still there, but the connection ends with the job.
    assert_eq!(requests.recv_timeout(TIMEOUT), Ok(3));
}

#[test]
fn kept_connection_that_was_closed_is_no_failure() {
    let (address, requests) = keeping(1);
    for outcome in outcomes(in_turn(address, 2)) {
        assert_eq!(outcome.unwrap().tries, 1);
    }
    let mut counts = [(); 2].map(|()| requests.recv_timeout(TIMEOUT).unwrap());
    counts.sort_unstable();
    assert_eq!(counts, [1, 2]);
}

#[test]
fn new_connection_that_is_closed_is_a_failure() {
    let (address, requests) = keeping(0);
    for outcome in outcomes(in_turn(address, 2)) {
        assert_eq!(outcome.unwrap_err().kind, "cut_short");
        assert_eq!(requests.recv_timeout(TIMEOUT), Ok(1));
    }
    assert!(requests.try_recv().is_err());
}

#[test]
fn url_after_one_that_timed_out_is_fetched() {
    let server = Server::start(|path, stream| {
        if path == "/slow" {
            send(stream, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
            return stay_silent(stream);
        }
        answer(stream, "200 OK", "", b"whole");
    });
    let options = Options {
        retries: 0,
        timeout_secs: 0.1,
        ..options(&["/slow", "/quick"].map(|path| server.url(path)))
    };
    let spec = JobSpec {
        workers: 1,
        ..spec(&options, &[])
    };
    let outcomes = outcomes(spec);
    assert_eq!(outcomes[0].as_ref().unwrap_err().kind, "timed_out");
    assert_eq!(outcomes[1].as_ref().unwrap().bytes, 5);
}
