//! The job that fetches URLs, against a server of its own that behaves badly.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::time::{Duration, Instant};

use meanwhile::jobs::fetch::{Fetched, Options};
use meanwhile::jobs::{self, ItemError, JobSpec, Output, Priority, RunOn};
use meanwhile::record::{ItemState, JobId, JobState};
use serde_json::Value;

use super::util::files::{self, folder, name, write};
use super::util::gate::Gate;
use super::util::test_board::{FOREVER, PLACES, TestBoard};

/// A server on this machine. Each connection has a thread, on which the test answers one request.
struct Server {
    address: SocketAddr,
    asked: Arc<Mutex<BTreeMap<String, usize>>>,
    over: Arc<AtomicBool>,
}

impl Server {
    fn start(answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            asked: Arc::default(),
            over: Arc::default(),
        };
        let (asked, over) = (Arc::clone(&server.asked), Arc::clone(&server.over));
        let answer = Arc::new(answer);
        thread(move || {
            for stream in listener.incoming() {
                if over.load(Ordering::SeqCst) {
                    break;
                }
                let mut stream = stream.unwrap();
                let (asked, answer) = (Arc::clone(&asked), Arc::clone(&answer));
                thread(move || {
                    if let Some(path) = request(&stream) {
                        *asked.lock().unwrap().entry(path.clone()).or_default() += 1;
                        answer(&path, &mut stream);
                    }
                });
            }
        });
        server
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// How often a path was asked for.
    fn asked(&self, path: &str) -> usize {
        self.asked.lock().unwrap().get(path).copied().unwrap_or(0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        // It waits for somebody to come.
        drop(TcpStream::connect(self.address));
    }
}

fn thread(work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().spawn(work).unwrap();
}

/// The path that is asked for, once all of the request has come.
fn request(stream: &TcpStream) -> Option<String> {
    let mut lines = BufReader::new(stream).lines();
    let path = lines.next()?.ok()?.split(' ').nth(1)?.to_owned();
    while !lines.next()?.ok()?.is_empty() {}
    Some(path)
}

/// Whoever asked may have gone.
fn say(stream: &mut TcpStream, text: impl AsRef<[u8]>) {
    drop(stream.write_all(text.as_ref()));
}

fn answer(stream: &mut TcpStream, status: &str, headers: &str, body: &[u8]) {
    let len = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {len}\r\n{headers}\r\n");
    say(stream, [head.as_bytes(), body].concat());
}

/// Says nothing until the other side has gone.
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

fn ends(spec: JobSpec) -> Vec<Result<Fetched, ItemError>> {
    let mut desk = TestBoard::new();
    let job = desk.start(spec);
    desk.until_ended(job);
    let items = desk.job(job).items().iter();
    items
        .map(|item| match &item.state {
            ItemState::Returned(Output::Fetched(fetched)) => Ok(fetched.clone()),
            ItemState::Failed(error) => Err(error.clone()),
            other => panic!("{}: {other:?}", item.input.display()),
        })
        .collect()
}

fn one(options: &Options) -> Result<Fetched, ItemError> {
    let mut ends = ends(spec(options, &[]));
    assert_eq!(ends.len(), 1);
    ends.remove(0)
}

#[track_caller]
fn kind_of(options: &Options) -> String {
    one(options).expect_err("it fails").kind
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().next().is_none()
}

#[test]
fn an_answer_is_saved_and_described() {
    let server = Server::start(|_, stream| {
        answer(stream, "200 OK", "Content-Type: text/plain\r\n", b"hello");
    });
    for run_on in PLACES {
        let folder = folder();
        let options = Options {
            to: folder.path().join(name(b"new \xff")),
            ..options(&[server.url("/a/b%20c.txt?d=e")])
        };
        let spec = JobSpec {
            run_on,
            ..spec(&options, &[])
        };
        let fetched = ends(spec).remove(0).unwrap();
        assert_eq!((fetched.status, fetched.bytes, fetched.tries), (200, 5, 1));
        assert_eq!(fetched.content_type.as_deref(), Some("text/plain"));
        assert_eq!(fetched.redirected_to, None);
        let file = fetched.saved_to.unwrap();
        assert_eq!(file, options.to.join("b c.txt"));
        assert_eq!(fs::read(file).unwrap(), b"hello");
    }
}

#[test]
fn without_a_folder_an_answer_is_only_measured() {
    let server = Server::start(|_, stream| answer(stream, "200 OK", "", &[7; 10_000]));
    let fetched = one(&options(&[server.url("/")])).unwrap();
    assert_eq!((fetched.bytes, fetched.saved_to), (10_000, None));
}

#[test]
fn a_status_that_will_stay_is_asked_for_once() {
    let server = Server::start(|path, stream| answer(stream, &path[1..], "", b"body"));
    for status in ["400", "401", "403", "404", "410"] {
        let path = format!("/{status}");
        let error = one(&options(&[server.url(&path)])).unwrap_err();
        assert_eq!(error.kind, "status");
        assert!(error.message.contains(status), "{}", error.message);
        assert_eq!(server.asked(&path), 1);
    }
}

#[test]
fn a_status_that_may_pass_is_tried_again_as_often_as_one_wants() {
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
        assert!(error.message.ends_with("after 3 tries."), "{error}");
        assert_eq!(server.asked(&path), 3, "{status}");
    }
}

#[test]
fn a_server_that_asks_for_much_patience_is_left_alone() {
    let server = Server::start(|path, stream| {
        let headers = format!("Retry-After: {}\r\n", &path[1..]);
        answer(stream, "503 Busy", &headers, b"");
    });
    for (path, asked) in [("/0", 4), ("/3600", 1), ("/soon", 4)] {
        assert_eq!(kind_of(&options(&[server.url(path)])), "status");
        assert_eq!(server.asked(path), asked, "{path}");
    }
}

#[test]
fn a_pause_that_a_server_asks_for_is_kept() {
    let server = Server::start(|_, stream| answer(stream, "429", "Retry-After: 1\r\n", b""));
    let options = Options {
        retries: 1,
        ..options(&[server.url("/")])
    };
    let start = Instant::now();
    assert_eq!(kind_of(&options), "status");
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert_eq!(server.asked("/"), 2);
}

#[test]
fn redirects_are_followed_in_bounds_and_to_the_web_alone() {
    let server = Server::start(|path, stream| {
        let to = match path {
            "/file" => "file:///etc/passwd".to_owned(),
            "/ftp" => "ftp://localhost/".to_owned(),
            "/loop" => "/loop".to_owned(),
            "/secret" => "http://name:word@localhost/".to_owned(),
            "/nowhere" => "http://[".to_owned(),
            "/from/here" => "../there".to_owned(),
            _ => return answer(stream, "200 OK", "", path.as_bytes()),
        };
        answer(
            stream,
            "302 Found",
            &format!("Location: {to}\r\n"),
            b"moved",
        );
    });
    for (path, kind) in [
        ("/file", "redirect"),
        ("/ftp", "redirect"),
        ("/secret", "redirect"),
        ("/nowhere", "redirect"),
        ("/loop", "too_many_redirects"),
    ] {
        assert_eq!(kind_of(&options(&[server.url(path)])), kind, "{path}");
    }
    assert_eq!(server.asked("/loop"), 11);
    let folder = folder();
    let options = Options {
        to: folder.path().to_owned(),
        ..options(&[server.url("/from/here")])
    };
    let fetched = one(&options).unwrap();
    assert_eq!(fetched.redirected_to, Some(server.url("/there")));
    assert_eq!(fetched.saved_to, Some(folder.path().join("here")));
    assert_eq!(fs::read(folder.path().join("here")).unwrap(), b"/there");
}

#[test]
fn an_answer_without_end_is_cut_at_the_limit_and_nothing_is_left_of_it() {
    let gone = Gate::new();
    let server = {
        let gone = gone.clone();
        Server::start(move |_, stream| {
            say(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
            while stream.write_all(&[0; 16_000]).is_ok() {}
            gone.open();
        })
    };
    let folder = folder();
    let options = Options {
        limit_mib: 1,
        to: folder.path().to_owned(),
        ..options(&[server.url("/endless")])
    };
    assert_eq!(kind_of(&options), "too_large");
    gone.pass();
    assert!(is_empty(folder.path()));
    assert_eq!(server.asked("/endless"), 1);
}

#[test]
fn an_answer_that_says_that_it_is_too_long_is_not_waited_for() {
    let server = Server::start(|_, stream| {
        say(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Length: 9000000000\r\n\r\n",
        );
        stay_silent(stream);
    });
    assert_eq!(kind_of(&options(&[server.url("/")])), "too_large");
}

#[test]
fn an_answer_that_is_shorter_than_it_says_is_tried_again_and_never_saved() {
    let server = Server::start(|_, stream| {
        say(stream, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort");
    });
    let folder = folder();
    let options = Options {
        to: folder.path().to_owned(),
        retries: 1,
        ..options(&[server.url("/short")])
    };
    assert_eq!(kind_of(&options), "cut_short");
    assert_eq!(server.asked("/short"), 2);
    assert!(is_empty(folder.path()));
}

#[test]
fn an_answer_that_is_compressed_is_saved_as_it_was_and_measured_so() {
    let folder = folder();
    let zeros = write(folder.path(), "zeros", vec![0; 3 << 20]);
    let (made, packed) = files::run(
        folder.path(),
        "gzip",
        &[OsStr::new("-c"), zeros.as_os_str()],
    );
    assert!(made && packed.len() < 10_000);
    let server = Server::start(move |_, stream| {
        answer(stream, "200 OK", "Content-Encoding: gzip\r\n", &packed);
    });
    let mut options = Options {
        to: folder.path().join("out"),
        ..options(&[server.url("/zeros")])
    };
    let fetched = one(&options).unwrap();
    assert_eq!(fetched.bytes, 3 << 20);
    assert!(fs::read(fetched.saved_to.unwrap()).unwrap() == vec![0; 3 << 20]);
    options.limit_mib = 2;
    assert_eq!(kind_of(&options), "too_large");
}

#[test]
fn what_is_no_answer_is_an_error() {
    let server = Server::start(|path, stream| match path {
        "/closed" => {}
        "/noise" => say(stream, "SSH-2.0-OpenSSH\r\n\r\n"),
        _ => {
            say(stream, "HTTP/1.1 200 OK\r\n");
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
    assert!(error.message.ends_with("after 2 tries."), "{error}");
}

#[test]
fn a_server_that_says_nothing_runs_out_of_time() {
    let server = Server::start(|path, stream| {
        if path == "/half" {
            say(stream, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
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
        assert!(error.message.ends_with("after 2 tries."), "{error}");
    }
}

/// Polls until something holds that nobody wakes the desk for.
fn until(desk: &mut TestBoard, job: JobId, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        desk.poll();
        assert!(!desk.job(job).state().is_ended(), "it ended early");
        assert!(start.elapsed() < super::util::gate::LIMIT, "waited in vain");
        std::thread::yield_now();
    }
}

#[test]
fn a_cancel_ends_a_fetch_that_nobody_answers_and_its_connection() {
    let gone = Gate::new();
    let server = {
        let gone = gone.clone();
        Server::start(move |path, stream| {
            if path == "/half" {
                say(stream, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
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
        let mut desk = TestBoard::new();
        let job = desk.start(spec(&options, &[]));
        until(&mut desk, job, || server.asked(path) == 1);
        desk.board.cancel(job);
        desk.until_ended(job);
        assert_eq!(*desk.job(job).state(), JobState::Cancelled);
        gone.pass();
        assert!(is_empty(folder.path()));
    }
}

#[test]
fn a_cancel_ends_the_pause_before_another_try() {
    let server = Server::start(|_, stream| answer(stream, "500", "", b""));
    let options = Options {
        pause_secs: FOREVER,
        ..options(&[server.url("/")])
    };
    let mut desk = TestBoard::new();
    let job = desk.start(spec(&options, &[]));
    until(&mut desk, job, || server.asked("/") == 1);
    desk.board.cancel(job);
    desk.until_ended(job);
    assert_eq!(*desk.job(job).state(), JobState::Cancelled);
    assert_eq!(server.asked("/"), 1);
}

#[test]
fn a_thousand_urls_are_fetched_once_each_and_eight_at_a_time() {
    const WORKERS: usize = 8;
    const URLS: usize = 1_000;
    let at_once = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let server = {
        let (at_once, most) = (Arc::clone(&at_once), Arc::clone(&most));
        // So that eight at a time there are: nobody is answered before the eighth has asked.
        let eight = Barrier::new(WORKERS);
        Server::start(move |path, stream| {
            most.fetch_max(at_once.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            eight.wait();
            at_once.fetch_sub(1, Ordering::SeqCst);
            answer(stream, "200 OK", "", path.as_bytes());
        })
    };
    let folder = folder();
    let urls = (0..URLS).map(|number| server.url(&format!("/{number}\n")));
    let list = write(folder.path(), "list", urls.collect::<String>());
    let options = Options {
        to: folder.path().join("out"),
        ..options(&[])
    };
    let spec = JobSpec {
        workers: WORKERS,
        ..spec(&options, &[&list])
    };
    let ends = ends(spec);
    assert_eq!(ends.len(), URLS);
    for (number, end) in ends.into_iter().enumerate() {
        let path = format!("/{number}");
        let file = end.unwrap().saved_to.unwrap();
        assert_eq!(file, options.to.join(&path[1..]));
        assert_eq!(fs::read(file).unwrap(), path.as_bytes());
        assert_eq!(server.asked(&path), 1);
    }
    assert_eq!(fs::read_dir(&options.to).unwrap().count(), URLS);
    assert_eq!(most.load(Ordering::SeqCst), WORKERS);
}

#[test]
fn the_size_of_an_answer_is_known_however_fast_it_came() {
    let server = Server::start(|path, stream| {
        let len = path.trim_start_matches('/').parse().unwrap();
        answer(stream, "200 OK", "", &vec![b'a'; len]);
    });
    let sizes: Vec<u64> = (1..=40).collect();
    let urls = sizes.iter().map(|size| server.url(&format!("/{size}")));
    let options = options(&urls.collect::<Vec<_>>());
    for run_on in PLACES {
        let mut desk = TestBoard::new();
        let job = desk.start(JobSpec {
            run_on,
            ..spec(&options, &[])
        });
        desk.until_ended(job);
        let items = desk.job(job).items().iter();
        let known = items.map(|item| (item.done, item.total));
        let expected = sizes.iter().map(|&size| (size, size));
        assert_eq!(known.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
        let sum = sizes.iter().sum();
        let job = desk.job(job);
        assert_eq!((job.done_bytes(), job.total_bytes()), (sum, sum));
    }
}

#[test]
fn urls_that_end_alike_all_have_a_file() {
    let server = Server::start(|path, stream| answer(stream, "200 OK", "", path.as_bytes()));
    let folder = folder();
    let urls: Vec<String> = (0..20)
        .map(|number| server.url(&format!("/{number}/same.txt")))
        .collect();
    let options = Options {
        to: folder.path().to_owned(),
        ..options(&urls)
    };
    let ends = ends(spec(&options, &[]));
    for (number, end) in ends.into_iter().enumerate() {
        let text = fs::read_to_string(end.unwrap().saved_to.unwrap()).unwrap();
        assert_eq!(text, format!("/{number}/same.txt"));
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 20);
    assert!(folder.path().join("same-20.txt").exists());
}

#[test]
fn lines_that_are_no_urls_are_errors_that_say_where_they_are() {
    let folder = folder();
    let text = b"\xef\xbb\xbf# a list\r\n\r\n  example.com/a\r\nfile:///etc/passwd\nftp://h/\n\
        data:,x\nhttp://n:w@h/\nhttp://[\n\xff\nhttp:///\n";
    let list = write(folder.path(), "list", text);
    let options = Options {
        urls: "\n# typed\nnonsense".to_owned(),
        ..Options::default()
    };
    let errors: Vec<ItemError> = ends(spec(&options, &[&list]))
        .into_iter()
        .map(|end| end.unwrap_err())
        .collect();
    let kinds: Vec<&str> = errors.iter().map(|error| &*error.kind).collect();
    assert_eq!(
        kinds,
        [
            "no_url",
            "no_url",
            "scheme",
            "scheme",
            "scheme",
            "credentials",
            "no_url",
            "no_url",
            "no_url",
        ]
    );
    let messages: Vec<&str> = errors.iter().map(|error| &*error.message).collect();
    assert!(messages[0].starts_with("Line 3 of the URLs is not fetched: "));
    let named = format!("Line 4 of {} is not fetched: only http", list.display());
    assert!(messages[2].starts_with(&named), "{}", messages[2]);
}

#[test]
fn what_is_no_list_is_an_error_and_the_other_lists_are_read() {
    let server = Server::start(|_, stream| answer(stream, "200 OK", "", b""));
    let folder = folder();
    let (made, _) = files::run(folder.path(), "mkfifo", &[OsStr::new("fifo")]);
    assert!(made);
    let list = write(folder.path(), "list", server.url("/a"));
    let long = write(folder.path(), "long", vec![b'a'; 1 << 20]);
    let ends = ends(spec(
        &Options::default(),
        &[
            &folder.path().join("fifo"),
            Path::new("/dev/zero"),
            folder.path(),
            &folder.path().join("nothing"),
            &long,
            &list,
        ],
    ));
    let words: Vec<&str> = ends
        .iter()
        .map(|end| {
            end.as_ref()
                .map_or_else(|error| &*error.kind, |_| "fetched")
        })
        .collect();
    assert_eq!(
        words,
        [
            "special_file",
            "special_file",
            "folder",
            "missing",
            "no_url",
            "fetched"
        ]
    );
}

#[test]
fn the_command_line_prints_a_line_for_each_url_or_a_document() {
    let server = Server::start(|path, stream| match path {
        "/a" => answer(stream, "200 OK", "Content-Type: text/html\r\n", b"abc"),
        _ => answer(stream, "404 Not Found", "", b""),
    });
    let run = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_meanwhile"))
            .args(["run", "fetch", "--priority", "normal"])
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    };
    let (good, bad) = (server.url("/a"), server.url("/b"));
    let output = run(&["--url", &good, "--url", &bad]);
    assert_eq!(output.status.code(), Some(1));
    let out = String::from_utf8(output.stdout).unwrap();
    let fields: Vec<&str> = out.trim_end().split('\t').collect();
    assert_eq!(fields.len(), 6, "{out}");
    assert_eq!((fields[0], fields[1], fields[3]), ("200", "3", "text/html"));
    assert_eq!((fields[4], fields[5]), (&*good, "-"));
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(
        err.contains(&format!("{bad} answered 404 Not Found.")),
        "{err}"
    );

    let output = run(&["--format", "json", "--url", &good]);
    assert_eq!(output.status.code(), Some(0));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["items"][0]["input"], good);
    assert_eq!(json["items"][0]["output"]["status"], 200);
    assert_eq!(json["items"][0]["output"]["saved_to"], Value::Null);

    let output = run(&[]);
    assert_eq!(output.status.code(), Some(2));
}
