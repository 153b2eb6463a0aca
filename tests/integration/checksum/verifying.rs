//! Verification: each line of a list is an item of its own.

use std::fs;
use std::path::Path;

use meanwhile::jobs::checksum::Algorithm;
use meanwhile::jobs::{ItemError, Step};

use super::{outcomes, plan, run_item, verify};
use crate::util::files::{bytes, folder, name, run, write};

const ABC_MD5: &str = "900150983cd24fb0d6963f7d28e17f72";
const ABC_SHA256: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const ABC_BLAKE3: &str = "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85";

fn verified(folder: &Path, list: &str) -> Vec<String> {
    let path = folder.join(list);
    outcomes(&verify(Algorithm::Blake3), folder, &[&path])
}

#[test]
fn each_line_is_verified_separately() {
    let folder = folder();
    write(folder.path(), "right", "abc");
    write(folder.path(), "wrong", "abd");
    fs::create_dir(folder.path().join("folder")).unwrap();
    let lines = [
        "# of today".to_owned(),
        format!("{ABC_MD5}  right"),
        format!("{ABC_MD5}  wrong"),
        String::new(),
        format!("{ABC_MD5}  missing"),
        "nonsense".to_owned(),
        format!("{ABC_MD5}  folder"),
        format!("{ABC_MD5}  /proc/self/mem"),
        format!("MD5 (right) = {ABC_MD5}"),
    ];
    write(folder.path(), "list", lines.join("\r\n"));
    let expected = [
        "right: ok",
        "wrong: mismatch",
        "missing: missing",
        "list: malformed",
        "folder: folder",
        "/proc/self/mem: unreadable",
        "right: ok",
    ];
    assert_eq!(verified(folder.path(), "list"), expected);
}

fn error_of(folder: &Path, list: &str) -> ItemError {
    let options = verify(Algorithm::Blake3);
    let items = plan(&options, &[&folder.join(list)]);
    match &items[0].step {
        Step::Fail(error) => error.clone(),
        _ => run_item(&options, &items[0]).expect_err("the test's list is wrong"),
    }
}

#[test]
fn malformed_line_has_its_number() {
    let folder = folder();
    write(folder.path(), "list", "\n# comment\nnonsense\n");
    let message = error_of(folder.path(), "list").message;
    assert!(message.starts_with("Line 3 of "), "{message}");
}

#[test]
fn mismatch_names_both_digests() {
    let folder = folder();
    write(folder.path(), "file", "abc");
    let zeros = "0".repeat(32);
    write(folder.path(), "list", format!("{zeros}  file"));
    let message = error_of(folder.path(), "list").message;
    assert!(
        message.contains(&zeros) && message.contains(ABC_MD5),
        "{message}"
    );
}

#[test]
fn lists_of_coreutils_verify() {
    let folder = folder();
    let names: [&[u8]; 6] = [
        b"plain",
        b"new\nline",
        b"back\\slash",
        b"end\r",
        b" space ",
        b"caf\xe9 (x) = y",
    ];
    for bytes in names {
        write(folder.path(), name(bytes), bytes);
    }
    let scripts = [
        "sha256sum -- * > ../list",
        "sha256sum -b -- * > ../list",
        "sha256sum --tag -- * > ../list",
        "md5sum -- * > ../list",
        "sha1sum --tag -- * > ../list",
        "sha512sum -- * > ../list",
    ];
    let lists = crate::util::files::folder();
    for script in scripts {
        let script = script.replace("../list", &lists.path().join("SUMS").display().to_string());
        assert!(
            run(folder.path(), "sh", &["-c".as_ref(), script.as_ref()]).0,
            "{script}"
        );
        fs::copy(lists.path().join("SUMS"), folder.path().join("SUMS")).unwrap();
        let mut outcomes = verified(folder.path(), "SUMS");
        fs::remove_file(folder.path().join("SUMS")).unwrap();
        outcomes.retain(|outcome| !outcome.ends_with(": ok"));
        assert_eq!(outcomes, [""; 0], "{script}");
    }
}

#[test]
fn digest_of_64_digits_may_be_blake3_or_sha256() {
    let folder = folder();
    write(folder.path(), "file", "abc");
    for list in ["SHA256SUMS", "B3SUMS", "sums.txt"] {
        write(
            folder.path(),
            list,
            format!("{ABC_SHA256}  file\n{ABC_BLAKE3}  file\n"),
        );
        for algorithm in [Algorithm::Blake3, Algorithm::Sha256, Algorithm::Md5] {
            let list = folder.path().join(list);
            let outcomes = outcomes(&verify(algorithm), folder.path(), &[&list]);
            assert_eq!(outcomes, ["file: ok", "file: ok"]);
        }
    }
}

#[test]
fn list_name_decides_the_first_algorithm() {
    let folder = folder();
    for (list, first) in [
        ("SHA256SUMS", Algorithm::Sha256),
        ("x.b3", Algorithm::Blake3),
    ] {
        let list = write(folder.path(), list, format!("{ABC_SHA256}  file\n"));
        for chosen in [Algorithm::Blake3, Algorithm::Sha256] {
            let items = plan(&verify(chosen), &[&list]);
            let Step::Verify(expected) = &items[0].step else {
                panic!("{items:?}")
            };
            assert_eq!(expected.algorithms[0], first);
        }
    }
}

#[test]
fn short_digest_needs_the_chosen_algorithm() {
    let folder = folder();
    write(folder.path(), "file", "123456789");
    let list = write(folder.path(), "list", "cbf43926  file\n");
    let with = |algorithm| outcomes(&verify(algorithm), folder.path(), &[&list]);
    assert_eq!(with(Algorithm::Crc32), ["file: ok"]);
    assert_eq!(with(Algorithm::Blake3), ["list: malformed"]);
}

#[test]
fn names_are_relative_to_the_list_first() {
    let folder = folder();
    write(folder.path(), "Cargo.toml", "abc");
    let list = format!("{ABC_MD5}  Cargo.toml\n{ABC_MD5}  src/lib.rs\n{ABC_MD5}  neither\n");
    write(folder.path(), "list", list);
    let expected = ["Cargo.toml: ok", "src/lib.rs: mismatch", "neither: missing"];
    assert_eq!(verified(folder.path(), "list"), expected);
}

#[test]
fn other_files_are_one_not_a_list_error() {
    let folder = folder();
    write(folder.path(), "binary", bytes(1024 * 1024));
    write(folder.path(), "one long line", vec![b'x'; 8 * 1024 * 1024]);
    write(folder.path(), "utf-16", b"\xff\xfea\0b\0");
    for list in ["binary", "one long line", "utf-16"] {
        assert_eq!(
            verified(folder.path(), list),
            [format!("{list}: not_a_list")]
        );
    }
    write(
        folder.path(),
        "prose",
        "all work and no play\n".repeat(100_000),
    );
    let outcomes = verified(folder.path(), "prose");
    assert_eq!(outcomes.len(), 1001);
    assert_eq!(outcomes[1000], "prose: not_a_list");
}

#[test]
fn special_file_as_list_fails() {
    assert_eq!(verified(Path::new("/dev"), "zero"), ["zero: special_file"]);
}
