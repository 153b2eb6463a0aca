//! Walking inputs: every file is found, no folder is entered twice, and the walk ends.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use meanwhile::jobs::checksum::Algorithm;
use meanwhile::jobs::{Item, Job as _, Step};
use meanwhile::join::{self, Cancelled};

use super::{compute, in_task, outcomes, plan};
use crate::util::files::{bytes, folder, name, run, write};
use crate::util::gate::Gate;

/// The planned items as paths relative to `folder`, with the kinds of errors.
fn planned(folder: &Path, inputs: &[&Path]) -> Vec<String> {
    plan(&compute(Algorithm::Blake3), inputs)
        .iter()
        .map(|item| {
            let name = item
                .input
                .strip_prefix(folder)
                .unwrap_or(&item.input)
                .display();
            match &item.step {
                Step::Fail(error) => format!("{name}: {}", error.kind),
                _ => name.to_string(),
            }
        })
        .collect()
}

#[test]
fn folder_is_walked_by_name() {
    let folder = folder();
    for file in ["b", "a/2", "a/10", "a/deep/er/x", ".hidden", "c"] {
        write(folder.path(), file, "x");
    }
    fs::create_dir(folder.path().join("empty")).unwrap();
    let expected = [".hidden", "a/10", "a/2", "a/deep/er/x", "b", "c"];
    assert_eq!(planned(folder.path(), &[folder.path()]), expected);
}

#[test]
fn files_behind_deep_folders_are_found() {
    let folder = folder();
    let depth = 20;
    let parent = |depth: usize| "b/".repeat(depth);
    let before = (0..depth).map(|depth| format!("{}a", parent(depth)));
    let after = (0..depth).rev().map(|depth| format!("{}c", parent(depth)));
    let expected: Vec<_> = before.chain(after).collect();
    for file in &expected {
        write(folder.path(), file, "x");
    }
    assert_eq!(planned(folder.path(), &[folder.path()]), expected);
}

#[test]
fn inputs_keep_order_and_items_have_length() {
    let folder = folder();
    let second = write(folder.path(), "2", "12345");
    let first = write(folder.path(), "1", "");
    let items = plan(&compute(Algorithm::Blake3), &[&second, &first]);
    let seen: Vec<_> = items
        .iter()
        .map(|item| (item.input.as_path(), item.bytes))
        .collect();
    assert_eq!(seen, [(second.as_path(), 5), (first.as_path(), 0)]);
}

#[test]
fn digests_of_a_tree_match_sha256sum() {
    let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let command = "find -L . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum";
    let (_, theirs) = run(&tree, "sh", &["-c".as_ref(), command.as_ref()]);
    let theirs: BTreeMap<_, _> = std::str::from_utf8(&theirs)
        .unwrap()
        .lines()
        .map(|line| line.split_once("  ./").unwrap())
        .map(|(digest, name)| (name.to_owned(), digest.to_owned()))
        .collect();
    let ours: BTreeMap<_, _> = outcomes(&compute(Algorithm::Sha256), &tree, &[&tree])
        .iter()
        .map(|outcome| outcome.split_once(": ").unwrap())
        .map(|(name, digest)| (name.to_owned(), digest.to_owned()))
        .collect();
    assert_eq!(ours, theirs);
}

#[test]
fn missing_input_fails_and_the_rest_continues() {
    let folder = folder();
    let file = write(folder.path(), "file", "x");
    let missing = folder.path().join("missing");
    let expected = ["missing: missing", "/dev/zero: special_file", "file"];
    let inputs: [&Path; 3] = [&missing, Path::new("/dev/zero"), &file];
    assert_eq!(planned(folder.path(), &inputs), expected);
}

#[test]
fn special_files_and_broken_links_fail_alone() {
    let folder = folder();
    assert!(run(folder.path(), "mkfifo", &["fifo".as_ref()]).0);
    symlink("nowhere", folder.path().join("dangling")).unwrap();
    symlink("itself", folder.path().join("itself")).unwrap();
    write(folder.path(), "file", "x");
    let expected = [
        "dangling: dangling_link",
        "fifo: special_file",
        "file",
        "itself: link_loop",
    ];
    assert_eq!(planned(folder.path(), &[folder.path()]), expected);
}

#[test]
fn link_to_a_file_is_a_file() {
    let folder = folder();
    write(folder.path(), "file", "x");
    symlink("file", folder.path().join("link")).unwrap();
    assert_eq!(planned(folder.path(), &[folder.path()]), ["file", "link"]);
}

#[test]
fn folder_is_entered_once_by_its_real_name() {
    let folder = folder();
    write(folder.path(), "real/file", "x");
    symlink("real", folder.path().join("a link")).unwrap();
    symlink("real", folder.path().join("z link")).unwrap();
    let inputs = [folder.path(), folder.path(), &folder.path().join("real")];
    assert_eq!(planned(folder.path(), &inputs), ["real/file"]);
}

#[test]
fn link_to_another_folder_is_followed_once() {
    let folder = folder();
    write(folder.path(), "elsewhere/file", "x");
    write(folder.path(), "picked/own", "x");
    let picked = folder.path().join("picked");
    symlink("../elsewhere", picked.join("link 1")).unwrap();
    symlink("../elsewhere", picked.join("link 2")).unwrap();
    assert_eq!(
        planned(folder.path(), &[&picked]),
        ["picked/own", "picked/link 1/file"]
    );
}

#[test]
fn input_that_is_a_link_is_followed() {
    let folder = folder();
    write(folder.path(), "real/file", "x");
    let link = folder.path().join("link");
    symlink("real", &link).unwrap();
    assert_eq!(planned(folder.path(), &[&link]), ["link/file"]);
}

#[test]
fn link_loops_end() {
    let folder = folder();
    write(folder.path(), "a/file", "x");
    write(folder.path(), "b/file", "x");
    symlink("../b", folder.path().join("a/to b")).unwrap();
    symlink("../a", folder.path().join("b/to a")).unwrap();
    symlink(".", folder.path().join("a/to itself")).unwrap();
    assert_eq!(
        planned(folder.path(), &[folder.path()]),
        ["a/file", "b/file"]
    );
}

#[test]
fn link_to_a_parent_folder_fails() {
    let folder = folder();
    write(folder.path(), "outside", "x");
    write(folder.path(), "picked/file", "x");
    let picked = folder.path().join("picked");
    symlink("..", picked.join("up")).unwrap();
    symlink("/", picked.join("root")).unwrap();
    let expected = [
        "picked/file",
        "picked/root: link_loop",
        "picked/up: link_loop",
    ];
    assert_eq!(planned(folder.path(), &[&picked]), expected);
}

#[test]
fn names_that_are_not_utf8_are_kept() {
    let folder = folder();
    let path = write(folder.path(), name(b"caf\xe9\n\\"), "abc");
    let items = plan(&compute(Algorithm::Md5), &[folder.path()]);
    assert_eq!(items.len(), 1);
    assert_eq!(items[0].input, path);
    let checksum = super::run_item(&compute(Algorithm::Md5), &items[0]).unwrap();
    assert_eq!(checksum.digest, "900150983cd24fb0d6963f7d28e17f72");
}

#[test]
fn hundred_thousand_files_are_found_in_order() {
    const COUNT: usize = 100_000;
    let folder = folder();
    for group in 0..10 {
        let group = folder.path().join(group.to_string());
        fs::create_dir(&group).unwrap();
        for file in 0..COUNT / 10 {
            fs::File::create(group.join(file.to_string())).unwrap();
        }
    }
    let root = folder.path().to_owned();
    let (count, is_sorted) = in_task(move |context| {
        let (mut count, mut is_sorted, mut last) = (0, true, std::path::PathBuf::new());
        let plan = compute(Algorithm::Blake3).plan(&[root], context, &mut |item: Item| {
            count += 1;
            is_sorted &= last < item.input;
            last = item.input;
        });
        plan.unwrap();
        (count, is_sorted)
    });
    assert_eq!((count, is_sorted), (COUNT, true));
}

#[test]
fn planning_obeys_a_cancel() {
    let folder = folder();
    for file in 0..100 {
        write(folder.path(), file.to_string(), bytes(1));
    }
    let (started, asked, count) = (Gate::new(), Gate::new(), Arc::new(AtomicUsize::new(0)));
    let task = join::spawn("plan", {
        let (started, asked, count) = (started.clone(), asked.clone(), count.clone());
        let inputs = [folder.path().to_owned()];
        move |context| {
            compute(Algorithm::Blake3).plan(&inputs, context, &mut |_| {
                count.fetch_add(1, Ordering::SeqCst);
                started.open();
                asked.pass();
            })
        }
    })
    .unwrap();
    started.pass();
    task.cancel();
    asked.open();
    assert_eq!(*task.join().unwrap(), Err(Cancelled));
    assert_eq!(count.load(Ordering::SeqCst), 1);
}
