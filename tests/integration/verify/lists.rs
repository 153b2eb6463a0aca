//! Verification: each line of a list is an item of its own.

use std::fs;
use std::path::Path;

use meanwhile::jobs::checksum::Algorithm;
use meanwhile::jobs::verify::Options;
use meanwhile::jobs::{ItemError, Step};

use super::{outcomes, plan, run_item, verified};
use crate::util::files::{bytes, folder, name, run, write};

const ABC_MD5: &str = "900150983cd24fb0d6963f7d28e17f72";
const ABC_SHA256: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const ABC_BLAKE3: &str = "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85";

fn preferring(algorithm: Algorithm) -> Options {
    Options {
        algorithm: Some(algorithm),
        ..Options::default()
    }
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
        "folder: folder",
        "/proc/self/mem: unreadable",
        "right: ok",
    ];
    assert_eq!(verified(folder.path(), "list"), expected);
}

fn error_of(folder: &Path, list: &str) -> ItemError {
    let options = Options::default();
    let planned = plan(&options, &folder.join(list));
    run_item(&options, &planned.items[0]).expect_err("the test's list is wrong")
}

#[test]
fn other_lines_are_counted_in_one_note() {
    let folder = folder();
    write(folder.path(), "file", "abc");
    let lines = format!("prose\n{ABC_MD5}  file\n\n# comment\nmore prose\n");
    let list = write(folder.path(), "list", lines);
    let planned = plan(&Options::default(), &list);
    let note = format!("2 lines of {} are no checksums.", list.display());
    assert_eq!((planned.items.len(), planned.notes), (1, vec![note]));
    let strict = Options {
        strict: true,
        ..Options::default()
    };
    let outcomes = outcomes(&strict, folder.path(), &list);
    assert_eq!(outcomes, ["file: ok", "list: malformed"]);
}

#[test]
fn list_without_checksums_fails() {
    let folder = folder();
    for text in [
        "",
        "\n\n",
        "# only a comment\n",
        "; of SFV\n",
        "some prose\n",
    ] {
        write(folder.path(), "empty.sha256", text);
        let outcomes = verified(folder.path(), "empty.sha256");
        assert_eq!(outcomes, ["empty.sha256: no_checksums"], "{text:?}");
    }
}

#[test]
fn missing_files_can_be_left_out() {
    let folder = folder();
    write(folder.path(), "here", "abc");
    let options = Options {
        ignore_missing: true,
        ..Options::default()
    };
    let list = format!("{ABC_MD5}  gone\n{ABC_MD5}  here\n");
    let list = write(folder.path(), "list", list);
    assert_eq!(outcomes(&options, folder.path(), &list), ["here: ok"]);
    assert_eq!(plan(&options, &list).notes.len(), 1);
    fs::remove_file(folder.path().join("here")).unwrap();
    assert_eq!(outcomes(&options, folder.path(), &list), ["list: missing"]);
}

#[test]
fn names_begin_in_the_base() {
    let (folder, elsewhere) = (folder(), crate::util::files::folder());
    write(folder.path(), "sub/file", "abc");
    let list = write(elsewhere.path(), "list", format!("{ABC_MD5}  sub/file\n"));
    assert_eq!(
        outcomes(&Options::default(), elsewhere.path(), &list),
        ["sub/file: missing"]
    );
    let options = Options {
        base: folder.path().to_owned(),
        ..Options::default()
    };
    assert_eq!(outcomes(&options, folder.path(), &list), ["sub/file: ok"]);
}

#[test]
fn given_digest_is_compared_with_each_file() {
    let folder = folder();
    let right = write(folder.path(), "right", "abc");
    let wrong = write(folder.path(), "wrong", "abd");
    let spaced = ABC_SHA256.to_ascii_uppercase();
    let spaced = format!("{} {}", &spaced[..32], &spaced[32..]);
    let forms = [
        ABC_SHA256.to_owned(),
        ABC_BLAKE3.to_owned(),
        ABC_MD5.to_owned(),
        spaced,
        format!("sha256:{ABC_SHA256}"),
        "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=".to_owned(),
    ];
    for digest in forms {
        let options = Options {
            digest: digest.clone(),
            ..Options::default()
        };
        assert_eq!(
            outcomes(&options, folder.path(), &right),
            ["right: ok"],
            "{digest}"
        );
        assert_eq!(
            outcomes(&options, folder.path(), &wrong),
            ["wrong: mismatch"]
        );
    }
}

#[test]
fn folder_is_compared_with_its_lists() {
    let folder = folder();
    write(folder.path(), "a", "abc");
    write(folder.path(), "sub/b", "abc");
    write(folder.path(), "sub/c", "abc");
    assert_eq!(verified(folder.path(), ""), [": no_list"]);
    write(folder.path(), "MD5SUMS", format!("{ABC_MD5}  ./a\n"));
    write(
        folder.path(),
        "SHA256SUMS",
        format!("{ABC_SHA256}  sub/b\n"),
    );
    assert_eq!(verified(folder.path(), ""), ["a: ok", "sub/b: ok"]);
    let options = Options {
        extra: true,
        ..Options::default()
    };
    let outcomes = outcomes(&options, folder.path(), folder.path());
    assert_eq!(outcomes, ["a: ok", "sub/b: ok", "sub/c: not_listed"]);
}

#[test]
fn weak_algorithm_is_tried_only_if_named() {
    let folder = folder();
    write(folder.path(), "file", "abc");
    let xxh128 = "06b05ab6733a618578af5f94892f3950  file\n";
    write(folder.path(), "list", xxh128);
    write(folder.path(), "list.xxh128", xxh128);
    assert_eq!(verified(folder.path(), "list"), ["file: mismatch"]);
    assert_eq!(verified(folder.path(), "list.xxh128"), ["file: ok"]);
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
            let outcomes = outcomes(&preferring(algorithm), folder.path(), &list);
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
            let items = plan(&preferring(chosen), &list).items;
            let Step::Verify(expected) = &items[0].step else {
                panic!("{items:?}")
            };
            let kinds = &expected.digests[0].candidates.kinds;
            assert_eq!(kinds[0].algorithm(), first);
        }
    }
}

#[test]
fn short_digest_is_crc32_or_xxh32() {
    let folder = folder();
    write(folder.path(), "file", "123456789");
    for digest in ["cbf43926", "937bad67"] {
        write(folder.path(), "list", format!("{digest}  file\n"));
        assert_eq!(verified(folder.path(), "list"), ["file: ok"], "{digest}");
    }
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
    let prose = "all work and no play\n".repeat(100_000);
    write(folder.path(), "prose", prose);
    for list in ["binary", "one long line", "prose"] {
        let expected = [format!("{list}: not_a_list")];
        assert_eq!(verified(folder.path(), list), expected);
    }
}

#[test]
fn device_as_list_fails() {
    assert_eq!(verified(Path::new("/dev"), "zero"), ["zero: special_file"]);
}
