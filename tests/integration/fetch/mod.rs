//! The job `fetch`, with a local server.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod connections;
mod cookies;
mod existing;
mod lists;
mod proxies;
mod responses;
mod resuming;
mod retries;
mod servers;
#[cfg(target_os = "linux")]
mod syncing;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use meanwhile::jobs::fetch::{Fetched, Options};
use meanwhile::jobs::{self, ItemError, JobSpec, Output, Priority, RunOn};
use meanwhile::record::ItemState;

use super::util::test_board::TestBoard;

/// A local server. Each connection has a thread, on which the test answers one request.
struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<BTreeMap<String, usize>>>,
    is_stopped: Arc<AtomicBool>,
}

/// A request as it came.
struct Request {
    method: String,
    /// Through a proxy, the whole URL.
    path: String,
    headers: Vec<(String, String)>,
}

impl Request {
    fn read(stream: &TcpStream) -> Option<Self> {
        let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
        let first = lines.next()?;
        let mut words = first.split(' ').map(ToOwned::to_owned);
        let (method, path) = (words.next()?, words.next()?);
        let headers = lines.map_while(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        });
        Some(Self {
            method,
            path,
            headers: headers.collect(),
        })
    }

    /// The value of a header, whose name is in lower case.
    fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|(known, _)| known == name);
        header.map(|(_, value)| &**value)
    }
}

impl Server {
    fn start(answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> Self {
        Self::reading(move |request, stream| answer(&request.path, stream))
    }

    /// A server whose answers depend on more than the path.
    fn reading(answer: impl Fn(&Request, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            requests: Arc::default(),
            is_stopped: Arc::default(),
        };
        let (requests, is_stopped) = (Arc::clone(&server.requests), Arc::clone(&server.is_stopped));
        let answer = Arc::new(answer);
        thread(move || {
            for stream in listener.incoming() {
                if is_stopped.load(Ordering::SeqCst) {
                    break;
                }
                let mut stream = stream.unwrap();
                let (requests, answer) = (Arc::clone(&requests), Arc::clone(&answer));
                thread(move || {
                    if let Some(request) = Request::read(&stream) {
                        let path = request.path.clone();
                        *requests.lock().unwrap().entry(path).or_default() += 1;
                        answer(&request, &mut stream);
                    }
                });
            }
        });
        server
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The number of requests for a path.
    fn requests(&self, path: &str) -> usize {
        self.requests
            .lock()
            .unwrap()
            .get(path)
            .copied()
            .unwrap_or(0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_stopped.store(true, Ordering::SeqCst);
        // A connection ends the wait for the next one.
        TcpStream::connect(self.address).ok();
    }
}

fn thread(work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().spawn(work).unwrap();
}

/// Sends bytes. The client may have closed the connection.
fn send(stream: &mut TcpStream, text: impl AsRef<[u8]>) {
    stream.write_all(text.as_ref()).ok();
}

fn answer(stream: &mut TcpStream, status: &str, headers: &str, body: &[u8]) {
    let len = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {len}\r\n{headers}\r\n");
    send(stream, [head.as_bytes(), body].concat());
}

/// Sends nothing until the client closes the connection.
fn stay_silent(stream: &mut TcpStream) {
    drop(stream.read(&mut [0; 16]));
}

fn options(urls: &[String]) -> Options {
    Options {
        urls: urls.join("\n"),
        pause_secs: 0.001,
        ..Options::default()
    }
}

fn spec(options: &Options, lists: &[&Path]) -> JobSpec {
    JobSpec {
        options: jobs::Options::Fetch(options.clone()),
        inputs: lists.iter().map(PathBuf::from).collect(),
        run_on: RunOn::Pool,
        workers: 4,
        priority: Priority::Normal,
    }
}

fn outcomes(spec: JobSpec) -> Vec<Result<Fetched, ItemError>> {
    let mut board = TestBoard::new();
    let job = board.start(spec);
    board.until_ended(job);
    let items = board.job(job).items().iter();
    items
        .map(|item| match &item.state {
            ItemState::Returned(Output::Fetched(fetched)) => Ok(fetched.clone()),
            ItemState::Failed(error) => Err(error.clone()),
            other => panic!("{}: {other:?}", item.input.display()),
        })
        .collect()
}

fn one(options: &Options) -> Result<Fetched, ItemError> {
    let mut outcomes = outcomes(spec(options, &[]));
    assert_eq!(outcomes.len(), 1);
    outcomes.remove(0)
}

#[track_caller]
fn kind_of(options: &Options) -> String {
    one(options).expect_err("it fails").kind
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().next().is_none()
}
