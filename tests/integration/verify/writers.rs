//! The lists of the tools that Debian has, beside intact files and beside altered ones.

use std::path::Path;

use super::verified;
use crate::util::files::{folder, run, write};

/// Names that a careless writer or reader would damage.
const NAMES: [&str; 11] = [
    " lead.txt",
    "#hash.txt",
    "*star.txt",
    "-dash.txt",
    "a b.txt",
    "back\\slash.txt",
    "car\rret.txt",
    "new\nline.txt",
    "p (1) = x).txt",
    "plain.txt",
    "trail  ",
];

/// What a tool writes, and the names that it damages itself.
struct Writer {
    /// Run by a shell beside the files; writes the list to stdout.
    command: &'static str,
    list: &'static str,
    /// The names that its list can't have.
    damages: &'static [&'static str],
}

const fn all(command: &'static str, list: &'static str) -> Writer {
    Writer {
        command,
        list,
        damages: &[],
    }
}

const fn but(
    command: &'static str,
    list: &'static str,
    damages: &'static [&'static str],
) -> Writer {
    Writer {
        command,
        list,
        damages,
    }
}

/// For tools that escape nothing.
const LINE: &[&str] = &["new\nline.txt"];

const COREUTILS: [Writer; 20] = [
    all("sha256sum -- *", "SUMS"),
    all("sha256sum --tag -- *", "SUMS"),
    all("sha256sum -z -- *", "SUMS"),
    all("sha256sum --tag -z -- *", "SUMS"),
    all("cksum -a sha256 --untagged -- *", "SUMS"),
    all("cksum -a sm3 -- *", "SUMS"),
    all("cksum -a sm3 --untagged -- *", "SUMS"),
    all("cksum -a sha384 -- *", "SUMS"),
    all("cksum -a blake2b -l 256 -- *", "SUMS"),
    all("cksum -a blake2b -- *", "SUMS"),
    all("b2sum -- *", "SUMS"),
    all("b2sum -- *", "B2SUMS"),
    all("b2sum -l 256 -- *", "B2SUMS"),
    all("b2sum -l 256 -- *", "SUMS"),
    all("b2sum --tag -- *", "SUMS"),
    all("md5sum -b -- *", "SUMS"),
    all("sha1sum -- *", "SUMS"),
    all("sha224sum -- *", "SUMS"),
    all("sha384sum -- *", "SUMS"),
    all("sha512sum -- *", "SUMS"),
];

const OTHERS: [Writer; 46] = [
    all("b3sum -- *", "SUMS"),
    all("b3sum --length 16 -- *", "SUMS"),
    all("b3sum --length 64 -- *", "SUMS"),
    all("shasum -a 256 -- *", "SUMS"),
    all("shasum -a 256 --tag -- *", "SUMS"),
    all("shasum -a 512256 -- *", "SUMS"),
    all("shasum -a 512256 --tag -- *", "SUMS"),
    all("shasum -a 512224 -- *", "SUMS"),
    but("rhash -- *", "SUMS.sfv", RHASH),
    but("rhash -- *", "SUMS", RHASH),
    but("rhash --bsd -- *", "SUMS", RHASH),
    but("rhash --simple --crc32 -- *", "SUMS", RHASH),
    but("rhash --sha256 -- *", "SUMS", RHASH),
    but("rhash --sha256 --bsd -- *", "SUMS", RHASH),
    but("rhash --sha256 --base32 -- *", "SUMS", RHASH),
    but("rhash --sha256 --base64 -- *", "SUMS", RHASH),
    but("rhash --md5 --sha1 -- *", "SUMS", COMMENT),
    but("rhash --sha3-256 -- *", "SUMS", RHASH),
    but("rhash --blake2s -- *", "SUMS", RHASH),
    but("rhash --ripemd160 -- *", "SUMS", RHASH),
    but("hashdeep -l -- *", "SUMS", LINE),
    but("hashdeep -c sha1,sha256,tiger -l -- *", "SUMS", LINE),
    but("md5deep -l -- *", "SUMS", LINE),
    but("sha256deep -z -l -- *", "SUMS", LINE),
    but("sha256deep -k -l -- *", "SUMS", LINE),
    but("cksfv -- ./*", "SUMS.sfv", LINE),
    but("cksfv -- ./*", "SUMS", LINE),
    but("xxhsum -H0 -- ./*", "SUMS", LINE),
    but("xxhsum -H1 -- ./*", "SUMS", LINE),
    but("xxhsum -H2 -- ./*", "SUMS.xxh128", LINE),
    but("xxhsum -H3 -- ./*", "SUMS", LINE),
    but("xxhsum -H3 --tag --little-endian -- ./*", "SUMS", LINE),
    but("xxhsum -H1 --tag -- ./*", "SUMS", LINE),
    but("xxhsum -H2 --tag -- ./*", "SUMS", LINE),
    but("openssl dgst -sha256 ./*", "SUMS", LINE),
    all("openssl dgst -sha256 -r ./*", "SUMS"),
    but("openssl dgst -sha256 -c ./*", "SUMS", LINE),
    but("openssl dgst -sha512-256 ./*", "SUMS", LINE),
    but("openssl dgst -sha3-256 ./*", "SUMS", LINE),
    but("openssl dgst -md5 ./*", "SUMS", LINE),
    but("busybox sha256sum -- *", "SUMS", LINE),
    but("busybox sha3sum -- *", "SUMS", LINE),
    but("toybox sha256sum -- *", "SUMS", LINE),
    but(
        "bsdtar -cf - --format=mtree --options=sha256 -- *",
        "SUMS",
        &[],
    ),
    but("mtree -c -K sha256 -p .", "SUMS", &[]),
    but("gpg --print-md SHA512 ./*", "SUMS", LINE),
];

/// rhash can't open a name with a backslash.
const RHASH: &[&str] = &["new\nline.txt", "back\\slash.txt"];

/// A name that begins as a comment is one, where names come first.
const COMMENT: &[&str] = &["new\nline.txt", "back\\slash.txt", "#hash.txt"];

/// Writes the files, runs the tool, and verifies its list beside intact and beside altered files. The error
/// says what was wrong.
fn verify_list_of(writer: &Writer) -> Result<(), String> {
    let folder = folder();
    let is_possible = |name: &&str| !writer.damages.contains(name);
    let names: Vec<_> = NAMES.into_iter().filter(is_possible).collect();
    for name in &names {
        write(folder.path(), name, format!("contents of {name}"));
    }
    let (_, list) = run(
        folder.path(),
        "sh",
        &["-c".as_ref(), writer.command.as_ref()],
    );
    write(folder.path(), writer.list, &list);
    let intact = outcomes(folder.path(), writer.list);
    for name in &names {
        write(folder.path(), name, format!("CONTENTS OF {name}"));
    }
    let altered = outcomes(folder.path(), writer.list);
    if intact == expected(&names, "ok") && altered == expected(&names, "mismatch") {
        return Ok(());
    }
    let list = String::from_utf8_lossy(&list);
    Err(format!(
        "{}: {intact:#?} {altered:#?}\n{list}",
        writer.command
    ))
}

fn outcomes(folder: &Path, list: &str) -> Vec<String> {
    let mut outcomes = verified(folder, list);
    for outcome in &mut outcomes {
        *outcome = outcome.trim_start_matches("./").to_owned();
    }
    outcomes.sort();
    outcomes
}

fn expected(names: &[&str], outcome: &str) -> Vec<String> {
    let mut expected: Vec<_> = names
        .iter()
        .map(|name| format!("{name}: {outcome}"))
        .collect();
    expected.sort();
    expected
}

fn assert_verified(writers: &[Writer]) {
    let failed: Vec<_> = writers
        .iter()
        .filter_map(|writer| verify_list_of(writer).err())
        .collect();
    assert!(
        failed.is_empty(),
        "{} failed:\n{}",
        failed.len(),
        failed.join("\n")
    );
}

#[test]
fn lists_of_coreutils_are_verified() {
    assert_verified(&COREUTILS);
}

#[test]
#[ignore = "needs many small tools; tests/all.sh runs it"]
fn lists_of_other_tools_are_verified() {
    assert_verified(&OTHERS);
}
