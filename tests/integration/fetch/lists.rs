//! Lists of URLs, and the command line.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};

use meanwhile::jobs::fetch::{FetchOptionsError, Options};
use meanwhile::jobs::{ItemError, JobSpec};
use serde_json::Value;

use super::{Server, answer, options, outcomes, spec};
use crate::util::files::{folder, write};

#[test]
fn fetch_needs_a_url_or_a_list() {
    let mut options = Options::default();
    assert_eq!(options.check(false), Err(FetchOptionsError::NoUrls));
    assert_eq!(options.check(true), Ok(()));
    options.urls = "https://example.com/".to_owned();
    assert_eq!(options.check(false), Ok(()));
}

#[test]
fn thousand_urls_are_fetched_once_eight_at_a_time() {
    const WORKERS: usize = 8;
    const URLS: usize = 1_000;
    let at_once = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let server = {
        let (at_once, most) = (Arc::clone(&at_once), Arc::clone(&most));
        // No request is answered before there are eight.
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
    let outcomes = outcomes(spec);
    assert_eq!(outcomes.len(), URLS);
    for (number, outcome) in outcomes.into_iter().enumerate() {
        let path = format!("/{number}");
        let file = outcome.unwrap().saved_to.unwrap();
        assert_eq!(file, options.to.join(&path[1..]));
        assert_eq!(fs::read(file).unwrap(), path.as_bytes());
        assert_eq!(server.requests(&path), 1);
    }
    assert_eq!(fs::read_dir(&options.to).unwrap().count(), URLS);
    assert_eq!(most.load(Ordering::SeqCst), WORKERS);
}

#[test]
fn invalid_lines_fail_with_their_number() {
    let folder = folder();
    let text = b"\xef\xbb\xbf# a list\r\n\r\n  example.com/a\r\nfile:///etc/passwd\nftp://h/\n\
        data:,x\nhttp://n:w@h/\nhttp://[\n\xff\nhttp:///\n";
    let list = write(folder.path(), "list", text);
    let options = Options {
        urls: "\n# typed\nnonsense".to_owned(),
        ..Options::default()
    };
    let errors: Vec<ItemError> = outcomes(spec(&options, &[&list]))
        .into_iter()
        .map(|outcome| outcome.unwrap_err())
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
    assert!(messages[0].starts_with("Line 3 of the URLs was not fetched: "));
    let named = format!("Line 4 of {} was not fetched: only http", list.display());
    assert!(messages[2].starts_with(&named), "{}", messages[2]);
}

/// Runs `meanwhile run fetch` with this list, and gives it the text through a pipe.
fn fetch_piped(list: &str, text: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meanwhile"));
    command.args(["run", "fetch", list]).stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    write!(child.stdin.take().unwrap(), "{text}").unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn list_may_come_from_a_pipe() {
    let server = Server::start(|_, stream| answer(stream, "200 OK", "", b"hello"));
    for list in ["-", "/dev/stdin"] {
        let output = fetch_piped(
            list,
            &format!("# these\n{}\n{}", server.url("/a"), server.url("/b")),
        );
        assert_eq!(output.status.code(), Some(0));
        let lines = String::from_utf8(output.stdout).unwrap();
        assert_eq!(lines.lines().count(), 2);
    }
    let output = fetch_piped("-", "# none\n");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("The list - has no URLs."), "{error}");
}

#[test]
fn invalid_list_fails_and_the_others_are_read() {
    let server = Server::start(|_, stream| answer(stream, "200 OK", "", b""));
    let folder = folder();
    let list = write(folder.path(), "list", server.url("/a"));
    let long = write(folder.path(), "long", vec![b'a'; 1 << 20]);
    let outcomes = outcomes(spec(
        &Options::default(),
        &[
            Path::new("/dev/zero"),
            folder.path(),
            &folder.path().join("nothing"),
            &long,
            &list,
        ],
    ));
    let words: Vec<&str> = outcomes
        .iter()
        .map(|outcome| {
            outcome
                .as_ref()
                .map_or_else(|error| &*error.kind, |_| "fetched")
        })
        .collect();
    assert_eq!(
        words,
        [
            "special_file",
            "fetched",
            "no_url",
            "missing",
            "no_url",
            "fetched"
        ]
    );
}

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_meanwhile"))
        .args(["run", "fetch", "--priority", "normal"])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[test]
fn url_may_stand_among_the_lists() {
    let server = Server::start(|path, stream| answer(stream, "200 OK", "", path.as_bytes()));
    let folder = folder();
    let list = write(folder.path(), "list", server.url("/listed"));
    let url = server.url("/typed").replace("http", "HTTP");
    let output = run(&[&url, list.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0));
    for path in ["/typed", "/listed"] {
        assert_eq!(server.requests(path), 1);
    }
}

#[test]
fn command_line_prints_a_line_per_url_or_json() {
    let server = Server::start(|path, stream| match path {
        "/a" => answer(stream, "200 OK", "Content-Type: text/html\r\n", b"abc"),
        _ => answer(stream, "404 Not Found", "", b""),
    });
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
        err.contains(&format!("{bad}: the server answered 404 Not Found.")),
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
