//! Responses: saved, redirected, compressed, too large.

use std::fs;
use std::io::Write as _;

use meanwhile::jobs::JobSpec;
use meanwhile::jobs::fetch::Options;

use super::{Server, answer, is_empty, kind_of, one, options, outcomes, send, spec, stay_silent};
use crate::util::files::{folder, name};
use crate::util::gate::Gate;
use crate::util::test_board::{PLACES, TestBoard};

#[test]
fn response_is_saved_and_described() {
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
        let fetched = outcomes(spec).remove(0).unwrap();
        assert_eq!(
            (fetched.status, fetched.bytes, fetched.tries),
            (Some(200), 5, 1)
        );
        assert_eq!(fetched.content_type.as_deref(), Some("text/plain"));
        assert_eq!(fetched.redirected_to, None);
        let file = fetched.saved_to.unwrap();
        assert_eq!(file, options.to.join("b c.txt"));
        assert_eq!(fs::read(file).unwrap(), b"hello");
    }
}

#[test]
fn response_without_folder_is_only_measured() {
    let server = Server::start(|_, stream| answer(stream, "200 OK", "", &[7; 10_000]));
    let fetched = one(&options(&[server.url("/")])).unwrap();
    assert_eq!((fetched.bytes, fetched.saved_to), (10_000, None));
}

#[test]
fn endless_timeouts_are_no_error() {
    let server = Server::start(|_, stream| answer(stream, "200 OK", "", b"hello"));
    let endless = Options {
        connect_secs: 1.8e19,
        timeout_secs: 1.8e19,
        ..options(&[server.url("/")])
    };
    assert_eq!(one(&endless).unwrap().bytes, 5);
}

#[test]
fn absurd_lengths_of_responses_are_harmless() {
    let server = Server::start(|_, stream| {
        send(
            stream,
            format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\nhello",
                u64::MAX
            ),
        );
        stay_silent(stream);
    });
    let options = Options {
        limit_mib: u64::MAX,
        ..options(&[server.url("/a"), server.url("/b")])
    };
    let mut board = TestBoard::new();
    let job = board.start(spec(&options, &[]));
    board.until("both have begun", |record| {
        let items = record.job(job).unwrap().items();
        items.len() == 2 && items.iter().all(|item| item.total == u64::MAX)
    });
    let sums = board.job(job);
    assert_eq!((sums.done_bytes(), sums.total_bytes()), (10, u64::MAX));
    board.cancel(job);
    board.until_ended(job);
}

#[test]
fn redirects_are_followed_within_limits() {
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
    assert_eq!(server.requests("/loop"), 11);
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
fn location_is_asked_for_byte_by_byte() {
    for (location, asked) in [
        (
            &b"/a%2Fb%7e%c3?x=%20|^`{y}&z=%zz"[..],
            "/a%2Fb%7e%c3?x=%20|^`{y}&z=%zz",
        ),
        (b"/f\xfcr", "/f%FCr"),
        (b"/f\xc3\xbcr?\xff", "/f%C3%BCr?%FF"),
    ] {
        let server = Server::start(move |path, stream| {
            if path != "/" {
                return answer(stream, "200 OK", "", b"there");
            }
            send(
                stream,
                "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: ",
            );
            send(stream, [location, b"\r\n\r\n"].concat());
        });
        let fetched = one(&options(&[server.url("/")])).unwrap();
        assert_eq!(fetched.redirected_to, Some(server.url(asked)));
        assert_eq!(server.requests(asked), 1);
    }
}

#[test]
fn part_that_nobody_asked_for_is_an_error() {
    let server = Server::start(|_, stream| {
        let range = "Content-Range: bytes 0-4/100\r\n";
        answer(stream, "206 Partial Content", range, b"hello");
    });
    let folder = folder();
    let options = Options {
        to: folder.path().to_owned(),
        ..options(&[server.url("/")])
    };
    assert_eq!(kind_of(&options), "partial");
    assert!(is_empty(folder.path()));
}

#[test]
fn server_names_are_used_on_request() {
    let server = Server::start(|_, stream| {
        let name = "Content-Disposition: attachment; filename=\"../report-7.pdf\"\r\n";
        answer(stream, "200 OK", name, b"%PDF");
    });
    let folder = folder();
    let names = |path, server_names, skip_existing| {
        let url = server.url(path);
        let options = Options {
            to: folder.path().to_owned(),
            server_names,
            skip_existing,
            ..options(&[url.clone(), url])
        };
        let saved = outcomes(spec(&options, &[])).into_iter().map(|outcome| {
            let saved = outcome.unwrap().saved_to.unwrap();
            saved.file_name().unwrap().to_str().unwrap().to_owned()
        });
        saved.collect::<Vec<_>>()
    };
    assert_eq!(names("/latest", false, false), ["latest", "latest-2"]);
    // The response that comes first gets the first name.
    let sorted = |mut names: Vec<String>| {
        names.sort();
        names
    };
    let named = ["report-7-2.pdf", "report-7.pdf"];
    assert_eq!(sorted(names("/latest", true, false)), named);
    // A URL with a query names a program.
    let named = ["report-7-3.pdf", "report-7-4.pdf"];
    assert_eq!(sorted(names("/download.php?id=7", false, false)), named);
    // What exists can be skipped only if its name is known before.
    let known = ["download.php", "download-2.php"];
    assert_eq!(names("/download.php?id=7", false, true), known);
}

#[test]
fn endless_response_fails_and_leaves_no_file() {
    let gone = Gate::new();
    let server = {
        let gone = gone.clone();
        Server::start(move |_, stream| {
            send(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
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
    assert_eq!(server.requests("/endless"), 1);
}

#[test]
fn too_long_content_length_fails_at_once() {
    let server = Server::start(|_, stream| {
        send(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Length: 9000000000\r\n\r\n",
        );
        stay_silent(stream);
    });
    assert_eq!(kind_of(&options(&[server.url("/")])), "too_large");
}

#[test]
fn packed_response_is_saved_as_sent() {
    let server = Server::reading(|request, stream| {
        assert_eq!(request.header("accept-encoding"), Some("identity"));
        let encoding = format!("Content-Encoding: {}\r\n", &request.path[1..]);
        answer(stream, "200 OK", &encoding, b"\x1f\x8bpacked");
    });
    for encoding in ["gzip", "x-gzip", "deflate", "br", "zstd"] {
        let folder = folder();
        let options = Options {
            to: folder.path().to_owned(),
            ..options(&[server.url(&format!("/{encoding}"))])
        };
        let fetched = one(&options).unwrap();
        assert_eq!(fetched.content_encoding.as_deref(), Some(encoding));
        assert!(
            fetched
                .to_string()
                .contains(&format!("packed as {encoding}"))
        );
        assert_eq!(
            fs::read(fetched.saved_to.unwrap()).unwrap(),
            b"\x1f\x8bpacked"
        );
    }
}

#[test]
fn fast_responses_have_their_size() {
    let server = Server::start(|path, stream| {
        let len = path.trim_start_matches('/').parse().unwrap();
        answer(stream, "200 OK", "", &vec![b'a'; len]);
    });
    let sizes: Vec<u64> = (1..=40).collect();
    let urls = sizes.iter().map(|size| server.url(&format!("/{size}")));
    let options = options(&urls.collect::<Vec<_>>());
    for run_on in PLACES {
        let mut board = TestBoard::new();
        let job = board.start(JobSpec {
            run_on,
            ..spec(&options, &[])
        });
        board.until_ended(job);
        let items = board.job(job).items().iter();
        let known = items.map(|item| (item.done, item.total));
        let expected = sizes.iter().map(|&size| (size, size));
        assert_eq!(known.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
        let sum = sizes.iter().sum();
        let job = board.job(job);
        assert_eq!((job.done_bytes(), job.total_bytes()), (sum, sum));
    }
}

#[test]
fn urls_with_equal_names_all_have_a_file() {
    let server = Server::start(|path, stream| answer(stream, "200 OK", "", path.as_bytes()));
    let folder = folder();
    let urls: Vec<String> = (0..20)
        .map(|number| server.url(&format!("/{number}/same.txt")))
        .collect();
    let options = Options {
        to: folder.path().to_owned(),
        ..options(&urls)
    };
    let outcomes = outcomes(spec(&options, &[]));
    for (number, outcome) in outcomes.into_iter().enumerate() {
        let text = fs::read_to_string(outcome.unwrap().saved_to.unwrap()).unwrap();
        assert_eq!(text, format!("/{number}/same.txt"));
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 20);
    assert!(folder.path().join("same-20.txt").exists());
}
