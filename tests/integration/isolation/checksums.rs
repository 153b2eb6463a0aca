//! A real job: checksums.

use std::os::unix::fs::symlink;
use std::path::PathBuf;

use meanwhile::jobs::checksum::{self, Algorithm};
use meanwhile::jobs::{JobSpec, Options, Priority, RunOn};
use meanwhile::record::ItemState;

use crate::util::files::{bytes, folder, name, write};
use crate::util::test_board::TestBoard;

#[test]
fn checksums_are_equal_on_processes_and_pool() {
    let folder = odd_tree();
    let on = |run_on| {
        let mut board = TestBoard::new();
        let options = Options::Checksum(checksum::Options {
            algorithm: Algorithm::Sha256,
            ..checksum::Options::default()
        });
        let job = board.start(JobSpec {
            inputs: vec![folder.path().to_owned(), folder.path().join("missing")].into(),
            run_on,
            workers: 3,
            priority: Priority::Normal,
            ..JobSpec::new(options)
        });
        board.until_ended(job);
        let items = board.job(job).items().iter();
        let results = items.map(|item| (item.input.clone(), item.state.clone(), item.done));
        results.collect::<Vec<(PathBuf, ItemState, u64)>>()
    };
    let on_pool = on(RunOn::Pool);
    let labels: Vec<_> = on_pool.iter().map(|(_, state, _)| state.label()).collect();
    assert!(labels.contains(&"failed") && labels.contains(&"returned"));
    assert!(on_pool.iter().any(|(path, ..)| path.to_str().is_none()));
    assert_eq!(on(RunOn::Process), on_pool);
}

/// Files whose names are not UTF-8 or have a line break, dangling and circular links, a pipe.
fn odd_tree() -> tempfile::TempDir {
    let folder = folder();
    let path = folder.path();
    write(path, name(b"not \xff utf-8 \xfe"), "one");
    write(path, "two\nlines \"quoted\" \u{1f980}", "two");
    write(path, "empty", "");
    write(path, "below/big", bytes(3_000_000));
    write(path, name(b"\xc3\x28/deep"), bytes(70_000));
    symlink("nowhere", path.join("dangling")).expect("a link can be made");
    symlink("loop", path.join("loop")).expect("a link can be made");
    let fifo = nix::unistd::mkfifo(&path.join("fifo"), nix::sys::stat::Mode::S_IRWXU);
    fifo.expect("a pipe can be made");
    folder
}
