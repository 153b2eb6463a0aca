//! Lists match those of common tools, also with hostile names.

use std::path::{Path, PathBuf};

use meanwhile::jobs::checksum::list::{self, ListForm};
use meanwhile::jobs::checksum::read::{self, Entry, Hints, Line};
use meanwhile::jobs::checksum::{Algorithm, Checksum, digest_file};
use proptest::prelude::*;

use super::NoMonitor;
use crate::util::files::{folder, name, run, write};

/// Names that a careless writer or parser of lists would damage.
const HOSTILE: [&[u8]; 16] = [
    b"plain",
    b"new\nline",
    b"carriage\rreturn",
    b"return at the end\r",
    b"back\\slash",
    b"\\n",
    b"\\",
    b" leading space",
    b"trailing space ",
    b"*star",
    b"# comment",
    b"-dash",
    b"not utf-8 \xff\xfe",
    b"a (b) = c",
    b"SHA256 (x) = 00",
    "snow\u{2603}\u{202e}".as_bytes(),
];

/// Writes a file for each name. Returns the list of their checksums.
fn hostile_list(folder: &Path, algorithm: Algorithm, names: &[&[u8]]) -> Vec<u8> {
    let checksums: Vec<_> = names
        .iter()
        .map(|&bytes| {
            let path = write(folder, name(bytes), bytes);
            let checksum = digest_file(&path, algorithm, &NoMonitor);
            (
                checksum.expect("the file can be read"),
                PathBuf::from(name(bytes)),
            )
        })
        .collect();
    let lines = checksums
        .iter()
        .flat_map(|(checksum, name)| list::line(checksum, name, ListForm::default()));
    lines.collect()
}

#[test]
fn coreutils_accept_lists_of_hostile_names() {
    let tools = [
        (Algorithm::Sha256, "sha256sum"),
        (Algorithm::Sha512, "sha512sum"),
        (Algorithm::Sha1, "sha1sum"),
        (Algorithm::Md5, "md5sum"),
    ];
    for (algorithm, tool) in tools {
        let folder = folder();
        let list = hostile_list(folder.path(), algorithm, &HOSTILE);
        write(folder.path(), "the list", &list);
        let arguments = ["--strict", "-c", "the list"].map(AsRef::as_ref);
        let (all_ok, out) = run(folder.path(), tool, &arguments);
        assert!(all_ok, "{tool}: {}", String::from_utf8_lossy(&out));
    }
}

#[test]
fn lists_match_coreutils() {
    let folder = folder();
    for bytes in HOSTILE {
        let ours = hostile_list(folder.path(), Algorithm::Sha256, &[bytes]);
        let arguments = ["--".as_ref(), name(bytes).as_os_str()];
        let (_, theirs) = run(folder.path(), "sha256sum", &arguments);
        assert_eq!(
            ours.escape_ascii().to_string(),
            theirs.escape_ascii().to_string()
        );
    }
}

#[test]
#[ignore = "needs b3sum; tests/all.sh runs it"]
fn b3sum_accepts_lists() {
    let folder = folder();
    let names: Vec<_> = HOSTILE
        .into_iter()
        // b3sum rejects names that are not UTF-8, and `\r` before version 1.5.
        .filter(|name| std::str::from_utf8(name).is_ok() && !name.contains(&b'\r'))
        .collect();
    let list = hostile_list(folder.path(), Algorithm::Blake3, &names);
    write(folder.path(), "the list", &list);
    let (all_ok, out) = run(
        folder.path(),
        "b3sum",
        &["-c".as_ref(), "the list".as_ref()],
    );
    assert!(all_ok, "{}", String::from_utf8_lossy(&out));
}

#[test]
fn line_of_crc32_names_the_algorithm() {
    let mut checksum = Checksum {
        algorithm: Algorithm::Md5,
        digest: "900150983cd24fb0d6963f7d28e17f72".to_owned(),
        bytes: 3,
        verified: false,
        also: Vec::new(),
    };
    let path = Path::new("a.txt");
    let line = list::line(&checksum, path, ListForm::default());
    assert_eq!(line, b"900150983cd24fb0d6963f7d28e17f72  a.txt\n");
    checksum.algorithm = Algorithm::Crc32;
    checksum.digest = "352441c2".to_owned();
    let line = list::line(&checksum, path, ListForm::default());
    assert_eq!(line, b"CRC32 (a.txt) = 352441c2\n");
}

#[test]
fn names_of_xxhsum_and_b3sum_are_escaped_rarely() {
    let escaped = |algorithm, name: &str| {
        let checksum = Checksum {
            algorithm,
            digest: "00".repeat(algorithm.usual_len()),
            bytes: 0,
            verified: false,
            also: Vec::new(),
        };
        let line = list::line(&checksum, Path::new(name), ListForm::default());
        assert_eq!(entry_of(&line).names[0], name.as_bytes());
        line.starts_with(b"\\")
    };
    for (name, sha256, blake3, xxh3) in [
        ("a\\b", true, true, false),
        ("a\rb", true, false, false),
        ("a\r", true, true, true),
        ("a\nb", true, true, true),
        ("ab", false, false, false),
    ] {
        assert_eq!(escaped(Algorithm::Sha256, name), sha256, "{name:?}");
        assert_eq!(escaped(Algorithm::Blake3, name), blake3, "{name:?}");
        assert_eq!(escaped(Algorithm::Xxh3, name), xxh3, "{name:?}");
    }
}

/// What the only line of a list is.
fn read_line(line: &[u8]) -> Line {
    let mut lines = Vec::new();
    let take = |_, line| {
        lines.push(line);
        true
    };
    read::read(line, Hints::default(), take).expect("memory can be read");
    match <[Line; 1]>::try_from(lines) {
        Ok([line]) => line,
        Err(lines) => panic!("{lines:?} in {:?}", line.escape_ascii().to_string()),
    }
}

fn entry_of(line: &[u8]) -> Entry {
    match read_line(line) {
        Line::Entry(entry) => entry,
        other => panic!("{:?} is {other:?}", line.escape_ascii().to_string()),
    }
}

/// The likeliest name, the digest and the tag of a line.
fn parsed(line: &str) -> (String, String, Option<Algorithm>) {
    let entry = entry_of(line.as_bytes());
    let name = String::from_utf8(entry.names[0].clone()).expect("it is text");
    let claim = &entry.claims[0];
    (name, hex::encode(&claim.digest), claim.tag)
}

#[test]
fn forms_of_common_tools_parse() {
    const MD5: &str = "900150983cd24fb0d6963f7d28e17f72";
    let upper = MD5.to_ascii_uppercase();
    let forms = [
        (format!("{MD5}  a b"), "a b", None),
        (format!("{MD5} *a b"), "a b", None),
        (format!("{MD5} a b"), "a b", None),
        (format!("{MD5}   a"), " a", None),
        (format!("{MD5}   "), " ", None),
        (format!("{MD5} * "), " ", None),
        (format!("{MD5}  a\r"), "a", None),
        (format!("  {MD5}  a"), "a", None),
        (format!("{upper}  a"), "a", None),
        (format!("\\{MD5}  a\\\\b\\nc\\rd"), "a\\b\nc\rd", None),
        (format!("{MD5}  a\\nb"), "a\\nb", None),
        (format!("MD5 (a b) = {MD5}"), "a b", Some(Algorithm::Md5)),
        (format!("MD5(a b)= {MD5}"), "a b", Some(Algorithm::Md5)),
        (format!("MD5 (a) = {upper}"), "a", Some(Algorithm::Md5)),
        (
            format!("MD5 (a) = b) = {MD5}"),
            "a) = b",
            Some(Algorithm::Md5),
        ),
        (
            format!("\\MD5 (a\\nb) = {MD5}"),
            "a\nb",
            Some(Algorithm::Md5),
        ),
    ];
    for (line, name, tag) in forms {
        assert_eq!(
            parsed(&line),
            (name.to_owned(), MD5.to_owned(), tag),
            "{line:?}"
        );
    }
    let tags = [
        ("SHA256 (a) = ", Algorithm::Sha256),
        ("SHA2-256(a)= ", Algorithm::Sha256),
        ("SHA512 (a) = ", Algorithm::Sha512),
        ("SHA1 (a) = ", Algorithm::Sha1),
        ("BLAKE3 (a) = ", Algorithm::Blake3),
        ("CRC32 (a) = ", Algorithm::Crc32),
        ("XXH3 (a) = ", Algorithm::Xxh3),
    ];
    for (start, algorithm) in tags {
        let line = format!("{start}{}", "0".repeat(2 * algorithm.usual_len()));
        assert_eq!(parsed(&line).2, Some(algorithm), "{line}");
    }
}

#[test]
fn blank_lines_and_comments_are_ignored() {
    for line in ["\n", "\r\n", "   "] {
        assert_eq!(read_line(line.as_bytes()), Line::Nothing, "{line:?}");
    }
    for line in ["# a comment", "  # a comment\n"] {
        let comment = Line::Comment(b"# a comment".to_vec());
        assert_eq!(read_line(line.as_bytes()), comment, "{line:?}");
    }
}

#[test]
fn invalid_lines_are_no_checksums() {
    let digest = "0".repeat(64);
    let lines = [
        "no checksum".to_owned(),
        format!("\\{digest}  a\\b"),
        format!("\\{digest}  a\\"),
        format!("SHA256 (a) {digest}x"),
        format!("SHA256 () = {digest}"),
        format!("SHA512 (a) = {digest}"),
        format!("{digest}0  a"),
    ];
    for line in lines {
        assert_eq!(read_line(line.as_bytes()), Line::NoChecksum, "{line:?}");
    }
    let tiger = Line::Unknown("TIGER".to_owned());
    let line = format!("TIGER (a) = {digest}");
    assert_eq!(read_line(line.as_bytes()), tiger);
    let nul = format!("no checksum\0{digest}  a\0b");
    let reading = read::read(nul.as_bytes(), Hints::default(), |_, line| {
        panic!("{line:?}")
    });
    assert!(reading.expect("memory can be read").is_binary);
}

fn any_algorithm() -> impl Strategy<Value = Algorithm> {
    prop::sample::select(&Algorithm::ALL[..])
}

fn any_name() -> impl Strategy<Value = Vec<u8>> {
    // Bytes with a meaning in a list are as frequent as all others together.
    let byte = prop_oneof![prop::sample::select(&b"\\\n\r *()=#na"[..]), 1..=255_u8];
    prop::collection::vec(byte, 1..40)
}

proptest! {
    #[test]
    fn any_name_survives_a_list(
        bytes in any_name(),
        algorithm in any_algorithm(),
        digit in prop::sample::select(&b"0123456789abcdef"[..]),
    ) {
        let digest = char::from(digit).to_string().repeat(2 * algorithm.usual_len());
        let checksum = Checksum { algorithm, digest, bytes: 0, verified: false, also: Vec::new() };
        let line = list::line(&checksum, name(&bytes), ListForm::default());
        let (end, text) = line.split_last().unwrap();
        prop_assert_eq!(*end, b'\n');
        prop_assert!(!text.contains(&b'\n'));
        let entry = entry_of(&line);
        prop_assert_eq!(&entry.names[0], &bytes);
        let claim = &entry.claims[0];
        prop_assert_eq!(hex::encode(&claim.digest), checksum.digest);
        prop_assert!(claim.tag.is_none_or(|tag| tag == algorithm));
    }
}
