//! Responses that broke, and what is kept of them.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use meanwhile::jobs::fetch::Options;
use meanwhile::record::JobState;

use super::{Request, Server, answer, is_empty, kind_of, one, options, send, spec, stay_silent};
use crate::util::files::{bytes, folder};
use crate::util::gate::Gate;
use crate::util::test_board::TestBoard;

const LEN: usize = 200_000;
const HALF: usize = LEN / 2;

/// A file on a server, which sends parts of it.
#[derive(Clone)]
struct Served {
    contents: Vec<u8>,
    tag: String,
}

impl Served {
    fn new(tag: &str) -> Self {
        let mut contents = bytes(LEN);
        contents[0] = tag.as_bytes()[0];
        Self {
            contents,
            tag: format!("\"{tag}\""),
        }
    }

    /// The first byte that a request wants, if it wants the rest of this file.
    fn rest(&self, request: &Request) -> Option<usize> {
        let range = request.header("range")?.strip_prefix("bytes=")?;
        let is_this = request.header("if-range") == Some(&self.tag);
        is_this.then(|| range.strip_suffix('-').unwrap().parse().unwrap())
    }

    /// Sends the head and up to `most` bytes.
    fn send(&self, request: &Request, stream: &mut TcpStream, most: usize) {
        let from = self.rest(request);
        let body = &self.contents[from.unwrap_or(0)..];
        let status = match from {
            Some(from) => {
                format!(
                    "206 Partial\r\nContent-Range: bytes {from}-{}/{LEN}",
                    LEN - 1
                )
            }
            None => "200 OK".to_owned(),
        };
        let (len, tag) = (body.len(), &self.tag);
        send(
            stream,
            format!(
                "HTTP/1.1 {status}\r\nContent-Length: {len}\r\nETag: {tag}\r\nConnection: close\r\n\r\n"
            ),
        );
        send(stream, &body[..most.min(len)]);
    }
}

/// Sends half of the file, then all that is asked for. Returns the ranges that were asked for, too.
fn breaking(served: Served) -> (Server, Arc<Mutex<Vec<Option<usize>>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let server = {
        let asked = Arc::clone(&asked);
        Server::reading(move |request, stream| {
            let mut asked = asked.lock().unwrap();
            let most = if asked.is_empty() { HALF } else { LEN };
            asked.push(served.rest(request));
            served.send(request, stream, most);
        })
    };
    (server, asked)
}

fn saving(folder: &Path, server: &Server, retries: u32) -> Options {
    Options {
        to: folder.to_owned(),
        retries,
        ..options(&[server.url("/big.iso")])
    }
}

/// The one file of the folder that ends in `.part`.
fn part(folder: &Path) -> PathBuf {
    let entries = fs::read_dir(folder).unwrap();
    let mut paths = entries.map(|entry| entry.unwrap().path());
    paths
        .find(|path| {
            path.extension()
                .is_some_and(|extension| extension == "part")
        })
        .unwrap()
}

/// Makes the attempt that breaks. Returns its part.
#[track_caller]
fn broken(options: &Options) -> PathBuf {
    let error = one(&Options {
        retries: 0,
        ..options.clone()
    })
    .unwrap_err();
    assert_eq!(error.kind, "cut_short");
    let part = part(&options.to);
    assert!(error.message.contains(part.to_str().unwrap()), "{error}");
    assert_eq!(fs::metadata(&part).unwrap().len(), HALF as u64);
    part
}

/// The folder has the whole file and nothing else.
#[track_caller]
fn assert_whole(folder: &Path, contents: &[u8]) {
    assert!(fs::read(folder.join("big.iso")).unwrap() == contents);
    assert_eq!(fs::read_dir(folder).unwrap().count(), 1);
}

#[test]
fn broken_response_goes_on_where_it_broke() {
    let (served, folder) = (Served::new("a"), folder());
    let (server, asked) = breaking(served.clone());
    let fetched = one(&saving(folder.path(), &server, 1)).unwrap();
    assert_eq!(*asked.lock().unwrap(), [None, Some(HALF)]);
    assert_eq!((fetched.tries, fetched.resumed_from), (2, HALF as u64));
    assert_eq!((fetched.bytes, fetched.discarded), (LEN as u64, 0));
    assert_whole(folder.path(), &served.contents);
}

#[test]
fn next_run_goes_on_where_the_last_broke() {
    let (served, folder) = (Served::new("a"), folder());
    let (server, asked) = breaking(served.clone());
    let options = saving(folder.path(), &server, 0);
    broken(&options);
    assert!(
        one(&options)
            .unwrap()
            .to_string()
            .contains("went on at 97.7 KiB")
    );
    assert_eq!(*asked.lock().unwrap(), [None, Some(HALF)]);
    assert_whole(folder.path(), &served.contents);
}

#[test]
fn changed_file_is_fetched_as_a_whole() {
    let (old, new, folder) = (Served::new("a"), Served::new("b"), folder());
    let count = AtomicUsize::new(0);
    let server = {
        let new = new.clone();
        Server::reading(
            move |request, stream| match count.fetch_add(1, Ordering::SeqCst) {
                0 => old.send(request, stream, HALF),
                _ => new.send(request, stream, LEN),
            },
        )
    };
    let options = saving(folder.path(), &server, 0);
    broken(&options);
    let fetched = one(&options).unwrap();
    assert_eq!((fetched.resumed_from, fetched.discarded), (0, HALF as u64));
    assert_whole(folder.path(), &new.contents);
}

#[test]
fn part_that_does_not_fit_is_dropped() {
    for wrong in [
        "416 No Range",
        "206 Partial\r\nContent-Range: bytes 0-4/200000",
        "206 Partial\r\nContent-Range: bytes 100000-100004/300000",
        "206 Partial\r\nContent-Range: bytes 100000-100004/200000\r\nETag: \"b\"",
        "206 Partial",
    ] {
        let (served, folder) = (Served::new("a"), folder());
        let count = AtomicUsize::new(0);
        let server = {
            let served = served.clone();
            Server::reading(
                move |request, stream| match count.fetch_add(1, Ordering::SeqCst) {
                    0 => served.send(request, stream, HALF),
                    1 => answer(stream, wrong, "", b"hello"),
                    _ => served.send(request, stream, LEN),
                },
            )
        };
        let options = saving(folder.path(), &server, 0);
        broken(&options);
        let fetched = one(&options).unwrap();
        assert_eq!(
            (fetched.tries, fetched.discarded),
            (1, HALF as u64),
            "{wrong}"
        );
        assert_whole(folder.path(), &served.contents);
    }
}

#[test]
fn whole_part_only_needs_its_last_byte() {
    let (served, folder) = (Served::new("a"), folder());
    let (server, asked) = breaking(served.clone());
    let options = saving(folder.path(), &server, 0);
    fs::write(broken(&options), &served.contents).unwrap();
    one(&options).unwrap();
    assert_eq!(*asked.lock().unwrap(), [None, Some(LEN - 1)]);
    assert_whole(folder.path(), &served.contents);
}

#[test]
fn damaged_part_is_found_by_the_digest() {
    let (served, folder) = (Served::new("a"), folder());
    let (server, _) = breaking(served.clone());
    let crc = crc32fast::hash(&served.contents);
    let options = Options {
        urls: format!("{} crc32:{crc:08x}", server.url("/big.iso")),
        ..saving(folder.path(), &server, 1)
    };
    fs::write(broken(&options), vec![0; HALF]).unwrap();
    let fetched = one(&options).unwrap();
    assert_eq!((fetched.tries, fetched.resumed_from), (2, 0));
    assert_whole(folder.path(), &served.contents);
}

#[test]
fn response_without_identity_is_not_kept() {
    for headers in ["", "ETag: W/\"a\"", "ETag: \"a\"\r\nAccept-Ranges: none"] {
        let server = Server::start(move |_, stream| {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LEN}\r\n{headers}");
            send(stream, format!("{}\r\n\r\n", head.trim_end()));
            send(stream, vec![0; HALF]);
        });
        let folder = folder();
        assert_eq!(kind_of(&saving(folder.path(), &server, 0)), "cut_short");
        assert!(is_empty(folder.path()));
    }
}

#[test]
fn cancelled_response_is_kept_for_the_next_run() {
    let (served, folder) = (Served::new("a"), folder());
    let server = {
        let served = served.clone();
        Server::reading(move |request, stream| {
            let is_first = served.rest(request).is_none();
            served.send(request, stream, if is_first { HALF } else { LEN });
            if is_first {
                stay_silent(stream);
            }
        })
    };
    let options = saving(folder.path(), &server, 0);
    let mut board = TestBoard::new();
    let job = board.start(spec(&options, &[]));
    board.until("half has arrived", |record| {
        record.job(job).unwrap().done_bytes() == HALF as u64
    });
    board.board.cancel(job);
    board.until_ended(job);
    assert_eq!(*board.job(job).state(), JobState::Cancelled);
    assert_eq!(one(&options).unwrap().resumed_from, HALF as u64);
    assert_whole(folder.path(), &served.contents);
}

#[test]
fn second_run_at_once_has_a_file_of_its_own() {
    let (served, folder, gate) = (Served::new("a"), folder(), Gate::new());
    let server = {
        let (served, gate) = (served.clone(), gate.clone());
        let count = AtomicUsize::new(0);
        Server::reading(move |request, stream| {
            assert_eq!(served.rest(request), None);
            if count.fetch_add(1, Ordering::SeqCst) == 1 {
                return served.send(request, stream, LEN);
            }
            served.send(request, stream, HALF);
            gate.pass();
            send(stream, &served.contents[HALF..]);
        })
    };
    let options = saving(folder.path(), &server, 0);
    let mut board = TestBoard::new();
    let job = board.start(spec(&options, &[]));
    board.until("half has arrived", |record| {
        record.job(job).unwrap().done_bytes() == HALF as u64
    });
    one(&options).unwrap();
    gate.open();
    board.until_ended(job);
    assert_eq!(*board.job(job).state(), JobState::Returned);
    for name in ["big.iso", "big-2.iso"] {
        assert!(fs::read(folder.path().join(name)).unwrap() == served.contents);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn link_with_the_name_of_a_part_is_not_written() {
    let (served, folder) = (Served::new("a"), folder());
    let (server, _) = breaking(served.clone());
    let mut options = saving(&folder.path().join("out"), &server, 0);
    fs::create_dir(&options.to).unwrap();
    let part = broken(&options);
    let precious = folder.path().join("precious");
    for is_hard in [true, false] {
        fs::write(&precious, vec![7; HALF]).unwrap();
        fs::remove_file(&part).unwrap();
        if is_hard {
            fs::hard_link(&precious, &part).unwrap();
        } else {
            std::os::unix::fs::symlink(&precious, &part).unwrap();
        }
        options.retries = 0;
        let fetched = one(&options).unwrap();
        assert!(fs::read(fetched.saved_to.unwrap()).unwrap() == served.contents);
        assert!(fs::read(&precious).unwrap() == vec![7; HALF]);
    }
}

#[test]
fn full_disk_keeps_what_has_arrived() {
    let (served, folder) = (Served::new("a"), folder());
    let server = {
        let served = served.clone();
        Server::reading(move |request, stream| served.send(request, stream, LEN))
    };
    // No file may be longer than 100 KiB.
    let script = "trap '' XFSZ; ulimit -f 200; exec \"$@\"";
    let program = env!("CARGO_BIN_EXE_meanwhile");
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh", program, "run", "fetch", "--to"]);
    command
        .arg(folder.path())
        .args(["--url", &server.url("/big.iso")]);
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(
        error.contains(part(folder.path()).to_str().unwrap()),
        "{error}"
    );
    let fetched = one(&saving(folder.path(), &server, 0)).unwrap();
    assert_eq!(fetched.resumed_from, 200 * 512);
    assert_whole(folder.path(), &served.contents);
}
