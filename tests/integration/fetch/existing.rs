//! Files that are there, and digests that are expected.

use std::fs;
use std::path::Path;

use meanwhile::jobs::JobOutput as _;
use meanwhile::jobs::fetch::{FetchOptionsError, Options};

use super::{Server, answer, is_empty, kind_of, one, options, outcomes, spec};
use crate::util::files::{folder, write};

const ABC: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

fn skipping(folder: &Path, urls: &[String]) -> Options {
    Options {
        to: folder.to_owned(),
        skip_existing: true,
        ..options(urls)
    }
}

/// Answers each path with itself.
fn echo() -> Server {
    Server::start(|path, stream| answer(stream, "200 OK", "", path.as_bytes()))
}

#[test]
fn existing_file_is_skipped_without_a_request() {
    let (server, folder) = (echo(), folder());
    write(folder.path(), "a.txt", "old");
    let options = skipping(folder.path(), &[server.url("/a.txt"), server.url("/b.txt")]);
    for requests in [0, 0] {
        let outcomes = outcomes(spec(&options, &[]));
        let skipped = outcomes[0].as_ref().unwrap();
        assert_eq!((skipped.status, skipped.bytes), (None, 3));
        assert!(skipped.to_string().starts_with("already there · 3 B → "));
        assert_eq!(server.requests("/a.txt"), requests);
        assert_eq!(server.requests("/b.txt"), 1);
    }
    assert_eq!(fs::read(folder.path().join("a.txt")).unwrap(), b"old");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn skipped_name_is_that_of_the_same_url() {
    let (server, folder) = (echo(), folder());
    let urls = ["/1/a.txt", "/2/a.txt", "/3/a.txt"].map(|path| server.url(path));
    let options = skipping(folder.path(), &urls);
    assert!(outcomes(spec(&options, &[])).iter().all(Result::is_ok));
    let second = folder.path().join("a-2.txt");
    assert_eq!(fs::read(&second).unwrap(), b"/2/a.txt");
    fs::remove_file(&second).unwrap();
    assert!(outcomes(spec(&options, &[])).iter().all(Result::is_ok));
    assert_eq!(fs::read(&second).unwrap(), b"/2/a.txt");
    let requests = ["/1/a.txt", "/2/a.txt", "/3/a.txt"].map(|path| server.requests(path));
    assert_eq!(requests, [1, 2, 1]);
}

#[test]
fn folder_of_the_name_is_no_existing_file() {
    let (server, folder) = (echo(), folder());
    fs::create_dir(folder.path().join("a.txt")).unwrap();
    let fetched = one(&skipping(folder.path(), &[server.url("/a.txt")])).unwrap();
    assert_eq!(fetched.saved_to, Some(folder.path().join("a-2.txt")));
}

#[test]
fn existing_files_need_names_of_urls() {
    let options = Options {
        skip_existing: true,
        server_names: true,
        ..options(&["http://h/".to_owned()])
    };
    assert_eq!(options.check(false), Err(FetchOptionsError::Names));
}

#[test]
fn response_with_its_digest_is_saved() {
    let server = Server::start(|_, stream| answer(stream, "200 OK", "", b"abc"));
    let folder = folder();
    let line = format!("{}\t {}", server.url("/abc"), ABC.to_uppercase());
    let list = write(folder.path(), "list", line);
    let options = Options {
        to: folder.path().join("out"),
        ..options(&[])
    };
    let fetched = outcomes(spec(&options, &[&list])).remove(0).unwrap();
    assert_eq!(fetched.digest.as_ref().unwrap().to_string(), ABC);
    assert!(fetched.to_string().contains(" · sha256 matches → "));
    assert_eq!(fs::read(options.to.join("abc")).unwrap(), b"abc");
    let digits = ABC.split_once(':').unwrap().1;
    assert_eq!(fetched.digests(), [("SHA-256".to_owned(), digits)]);
    assert_eq!(fetched.has_digest(&digits.to_uppercase()), Ok(true));
    assert_eq!(fetched.has_digest(&"0".repeat(64)), Ok(false));
    let other = fetched.has_digest(&"0".repeat(32)).unwrap_err();
    assert_eq!(other, "That is no digest of this kind (SHA-256).");
}

#[test]
fn response_with_another_digest_gets_no_name() {
    let server = Server::start(|_, stream| answer(stream, "200 OK", "", b"abd"));
    let folder = folder();
    let mut options = options(&[format!("{} {ABC}", server.url("/abc"))]);
    for to in [folder.path(), Path::new("")] {
        to.clone_into(&mut options.to);
        let error = one(&options).unwrap_err();
        assert_eq!(error.kind, "mismatch");
        assert!(error.message.contains(ABC), "{error}");
    }
    assert!(is_empty(folder.path()));
    assert_eq!(server.requests("/abc"), 2);
}

#[test]
fn existing_file_must_have_its_digest() {
    let (server, folder) = (echo(), folder());
    let options = skipping(folder.path(), &[format!("{} {ABC}", server.url("/abc"))]);
    write(folder.path(), "abc", "abc");
    assert_eq!(one(&options).unwrap().status, None);
    write(folder.path(), "abc", "abd");
    assert_eq!(kind_of(&options), "mismatch");
    assert_eq!(fs::read(folder.path().join("abc")).unwrap(), b"abd");
    assert_eq!(server.requests("/abc"), 0);
}

#[test]
fn wrong_digest_of_a_line_is_an_error() {
    let lines = ["sha256:abc", "sha257:abc", "md4:00", "sha256:"]
        .map(|digest| format!("http://127.0.0.1:1/ {digest}"));
    let outcomes = outcomes(spec(
        &Options {
            retries: 0,
            ..options(&lines)
        },
        &[],
    ));
    let kinds: Vec<_> = outcomes
        .into_iter()
        .map(|outcome| outcome.unwrap_err().kind)
        .collect();
    // The last one has no digits, so it is part of the URL.
    assert_eq!(
        kinds,
        ["bad_digest", "bad_digest", "bad_digest", "connection"]
    );
}
