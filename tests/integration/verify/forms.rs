//! Lists in the forms of many tools, made by hand. `writers` has those that Debian's tools write.

use meanwhile::jobs::checksum::read::{self, Hints, Line};
use meanwhile::jobs::verify::Options;
use proptest::prelude::*;

use super::{outcomes, plan, verified};
use crate::util::files::{folder, name, write};

const MD5: &str = "900150983cd24fb0d6963f7d28e17f72";
const SHA1: &str = "a9993e364706816aba3e25717850c26c9cd0d89d";
const SHA256: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const SHA256_BASE64: &str = "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=";
const SHA512_256: &str = "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23";

/// Asserts that each text is the list of `name`, which has the contents `abc`, and of nothing else; and that
/// it is refused for other contents.
fn assert_lists_of(name: &[u8], texts: &[String]) {
    for text in texts {
        assert_list("list", name, text.as_bytes());
    }
}

fn assert_list(list: &str, bytes: &[u8], text: &[u8]) {
    let folder = folder();
    let file = name(bytes);
    let shown = text.escape_ascii();
    write(folder.path(), list, text);
    write(folder.path(), file, "abc");
    let ok = format!("{}: ok", file.display());
    assert_eq!(verified(folder.path(), list), [ok], "{list}: {shown}");
    write(folder.path(), file, "abd");
    let differs = format!("{}: mismatch", file.display());
    assert_eq!(verified(folder.path(), list), [differs], "{list}: {shown}");
}

#[test]
fn plain_and_tagged_lines_verify() {
    let upper = SHA256.to_ascii_uppercase();
    let colons: Vec<_> = SHA256
        .as_bytes()
        .chunks(2)
        .map(|two| str::from_utf8(two).unwrap())
        .collect();
    assert_lists_of(
        b"a b.txt",
        &[
            format!("{SHA256}  a b.txt\n"),
            format!("{SHA256} *a b.txt\n"),
            format!("{SHA256} a b.txt\n"),
            format!("{SHA256}\ta b.txt\n"),
            format!("{SHA256}   a b.txt\n"),
            format!("{SHA256}    a b.txt  \n"),
            format!("   {SHA256}  a b.txt\n"),
            format!("{upper}  a b.txt\r\n"),
            format!("{SHA256}  a b.txt"),
            format!("{SHA256}  a b.txt\0"),
            format!("{SHA256}  a b.txt\r"),
            format!("{SHA256}            18  a b.txt\n"),
            format!(" {SHA256}  3 a b.txt\n"),
            format!("         3  {SHA256}  a b.txt\n"),
            format!("sha256:{SHA256}  a b.txt\n"),
            format!("sha256-{SHA256_BASE64}  a b.txt\n"),
            format!("{SHA256_BASE64}  a b.txt\n"),
            format!("SHA256 (a b.txt) = {SHA256}\n"),
            format!("SHA256 (a b.txt) = {SHA256}\0"),
            format!("SHA256 (a b.txt) = {SHA256_BASE64}\n"),
            format!("SHA2-256(a b.txt)= {SHA256}\n"),
            format!("SHA2-256(a b.txt)= {}\n", colons.join(":")),
            format!("SHA2-512/256(a b.txt)= {SHA512_256}\n"),
            format!("{SHA512_256} *a b.txt\n"),
            format!("sha-256 (a b.txt)={upper}\n"),
            format!(
                "BLAKE2b-256 (a b.txt) = {}\n",
                "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319"
            ),
            "XXH3_LE (a b.txt) = 50392f89945faf78\n".to_owned(),
        ],
    );
}

#[test]
fn names_first_verify() {
    assert_lists_of(
        b"a b.txt",
        &[
            format!("a b.txt: {SHA256}\n"),
            format!("a b.txt  {MD5}  {SHA1}\n"),
            "; made by hand\na b.txt 352441C2\n".to_owned(),
            "a b.txt: BA7816BF 8F01CFEA 414140DE 5DAE2223 B00361A3 96177A9C B410FF61\n         F20015AD\n"
                .to_owned(),
            "a b.txt: 90 01 50 98 3C D2 4F B0  D6 96 3F 7D 28 E1 7F 72\n".to_owned(),
            format!("a%20b.txt:8:{}:\n", SHA256.to_ascii_uppercase()),
        ],
    );
    assert_list("x.sfv", b"#a b.txt", b"#a b.txt 352441c2\r\n");
}

#[test]
fn lists_of_windows_verify() {
    let upper = SHA256.to_ascii_uppercase();
    assert_lists_of(
        b"sub/a b.txt",
        &[
            format!("{MD5} *sub\\a b.txt\r\n"),
            format!("{MD5}  .\\sub\\a b.txt\r\n"),
            format!(
                "\r\nAlgorithm       Hash         Path\r\n---------       ----         ----\r\n\
                 SHA256          {upper}       C:\\work\\sub\\a b.txt\r\n"
            ),
            format!(
                "Algorithm : SHA256\r\nHash      : {upper}\r\nPath      : C:\\w\\sub\\a b.txt\r\n"
            ),
            format!(
                "\"Algorithm\",\"Hash\",\"Path\"\r\n\"SHA256\",\"{upper}\",\"C:\\sub\\a b.txt\"\r\n"
            ),
            format!(
                "SHA256 hash of sub\\a b.txt:\r\n{SHA256}\r\n\
                 CertUtil: -hashfile command completed successfully.\r\n"
            ),
        ],
    );
    let text = format!("{SHA256}  ä \u{1d11e}.txt\r\n");
    let units: Vec<u16> = "\u{feff}"
        .encode_utf16()
        .chain(text.encode_utf16())
        .collect();
    let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
    let utf8 = [b"\xef\xbb\xbf", text.as_bytes()].concat();
    for list in [little, big, utf8] {
        assert_list("list", "ä \u{1d11e}.txt".as_bytes(), &list);
    }
}

#[test]
fn tables_of_hashdeep_and_mtree_verify() {
    assert_lists_of(
        b"a,b.txt",
        &[format!(
            "%%%% HASHDEEP-1.0\n%%%% size,md5,sha256,filename\n## Invoked from: /\n## \n3,{MD5},{SHA256},a,b.txt\n"
        )],
    );
    assert_lists_of(
        b"sub/a b.txt",
        &[
            format!("#mtree\n./sub type=dir\n./sub/a\\040b.txt type=file size=3 sha256={SHA256}\n"),
            format!(
                "#\t user: me\n/set type=file uid=0\n.    type=dir\n    sub    type=dir\n\
                 a\\040b.txt  size=3 \\\n  sha256={SHA256}\n    ..\n..\n"
            ),
        ],
    );
}

#[test]
fn signature_around_a_list_is_no_damage() {
    let folder = folder();
    write(folder.path(), "-a", "abc");
    let text = format!(
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n# -a: 3 bytes\nMD5 (-a) = {MD5}\n\
         - -a: {MD5}\n-----BEGIN PGP SIGNATURE-----\n\niQEzBAEB\n=abcd\n-----END PGP SIGNATURE-----\n"
    );
    let list = write(folder.path(), "CHECKSUM", text);
    let options = Options {
        strict: true,
        ..Options::default()
    };
    assert_eq!(
        outcomes(&options, folder.path(), &list),
        ["-a: ok", "-a: ok"]
    );
    let notes = plan(&options, &list).notes;
    assert!(notes.len() == 1 && notes[0].contains("signed"), "{notes:?}");
}

#[test]
fn digest_alone_is_of_the_file_in_the_name() {
    let folder = folder();
    write(folder.path(), "a.iso", "abc");
    for (list, text) in [
        ("a.iso.sha256", SHA256.to_owned()),
        ("a.iso.md5", format!("{MD5}\n")),
        ("a.iso.sha1", format!("{SHA1}  -\n")),
        ("a.iso.sha256.txt", format!("sha256:{SHA256}\r\n")),
        ("a.iso.sha512-256", SHA512_256.to_owned()),
    ] {
        write(folder.path(), list, text);
        assert_eq!(verified(folder.path(), list), ["a.iso: ok"], "{list}");
    }
    write(folder.path(), "sums", SHA256);
    assert_eq!(verified(folder.path(), "sums"), ["sums: no_name"]);
}

#[test]
fn first_line_decides_what_spaces_mean() {
    let folder = folder();
    write(folder.path(), "good", "abc");
    write(folder.path(), " lead", "abc");
    write(folder.path(), "lead", "no");
    write(folder.path(), "list", format!("{MD5} good\n{MD5}  lead\n"));
    assert_eq!(verified(folder.path(), "list"), ["good: ok", " lead: ok"]);
}

#[test]
fn backslash_in_an_existing_name_is_none() {
    let folder = folder();
    write(folder.path(), "a\\b", "abc");
    write(folder.path(), "a/b", "no");
    write(folder.path(), "list", format!("{MD5}  a\\b\n"));
    assert_eq!(verified(folder.path(), "list"), ["a\\b: ok"]);
}

#[test]
fn digest_that_fits_several_is_tried_with_all() {
    let sha3 = "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532";
    let sm3 = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0";
    let blake2s = "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982";
    let ripemd = "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc";
    for digest in [sha3, sm3, blake2s, ripemd, SHA512_256] {
        assert_list("list", b"file", format!("{digest}  file\n").as_bytes());
    }
}

#[test]
fn documents_of_fciv_verify() {
    let md5 = "kAFQmDzST7DWlj99KOF/cg==";
    let sha1 = "qZk+NkcGgWq6PiVxeFDCbJzQ2J0=";
    let head = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<FCIV>";
    assert_lists_of(
        b"a&b.txt",
        &[
            format!(
                "{head}<FILE_ENTRY><name>a&amp;b.txt</name><MD5>{md5}</MD5></FILE_ENTRY></FCIV>"
            ),
            format!(
                "{head}\r\n\t<FILE_ENTRY>\r\n<name>c:\\x\\a&amp;b.txt</name>\r\n\
                 <MD5>{md5}</MD5><SHA1>{sha1}</SHA1>\r\n</FILE_ENTRY>\r\n</FCIV>\r\n"
            ),
        ],
    );
    let folder = folder();
    write(folder.path(), "sub/f", "abc");
    let entry = format!("<FILE_ENTRY><name>\\sub\\f</name><SHA1>{sha1}</SHA1></FILE_ENTRY>");
    // All in one line, which may be longer than that of another list.
    let many = format!("{head}{}", entry.repeat(1000));
    write(folder.path(), "list", format!("{many}</FCIV>"));
    assert_eq!(verified(folder.path(), "list"), vec!["sub/f: ok"; 1000]);
    for cut in [
        "<FILE_ENTRY><name>\\sub",
        "\n<FILE_ENTRY>\n<MD5></MD5></FILE_ENTRY>",
    ] {
        let list = write(folder.path(), "list", format!("{head}{entry}{cut}"));
        let notes = plan(&Options::default(), &list).notes;
        assert!(notes[0].contains("1 line of "), "{cut}: {notes:?}");
    }
}

#[test]
fn modes_of_shasum_are_named_and_no_damage() {
    let folder = folder();
    write(folder.path(), "a b.txt", "abc");
    for (mode, option) in [('U', "shasum -U"), ('^', "shasum -0")] {
        let line = format!("{SHA1} {mode}a b.txt\n");
        write(folder.path(), "list", &line);
        assert_eq!(verified(folder.path(), "list"), ["list: unknown_algorithm"]);
        let list = write(folder.path(), "list", format!("{SHA1}  a b.txt\n{line}"));
        let planned = plan(&Options::default(), &list);
        assert_eq!((planned.items.len(), planned.notes.len()), (1, 1));
        assert!(planned.notes[0].contains(option), "{:?}", planned.notes);
        // The letter may be the first of a name.
        let name = format!("{mode}a b.txt");
        write(folder.path(), &name, "abc");
        write(folder.path(), "list", &line);
        assert_eq!(verified(folder.path(), "list"), [format!("{name}: ok")]);
    }
    write(folder.path(), "list", format!("{SHA1} Ubuntu.iso\n"));
    assert_eq!(verified(folder.path(), "list"), ["Ubuntu.iso: missing"]);
}

#[test]
fn unknown_algorithm_is_named_in_a_note() {
    let folder = folder();
    write(folder.path(), "file", "abc");
    let text = format!("TIGER (file) = {MD5}\nMD5 (file) = {MD5}\nSIZE (file) = 3\n");
    let list = write(folder.path(), "list", text);
    let planned = plan(&Options::default(), &list);
    assert_eq!((planned.items.len(), planned.notes.len()), (1, 2));
    assert!(planned.notes[0].contains("TIGER"), "{:?}", planned.notes);
    write(folder.path(), "list", format!("TIGER (file) = {MD5}\n"));
    assert_eq!(verified(folder.path(), "list"), ["list: unknown_algorithm"]);
}

fn any_list() -> impl Strategy<Value = Vec<u8>> {
    let part = prop::sample::select(
        &[
            "-----BEGIN PGP SIGNED MESSAGE-----\n",
            "-----BEGIN PGP SIGNATURE-----\n",
            "%%%% size,md5,filename\n",
            "#mtree\n",
            "/set type=dir\n",
            "..\n",
            "\\",
            "\\040",
            "\u{feff}",
            "SHA256 (",
            ") = ",
            "MD5 hash of ",
            ":\n",
            "Algorithm : ",
            "Hash : ",
            "Path : ",
            "C:\\",
            "900150983cd24fb0d6963f7d28e17f72",
            "352441c2",
            "  ",
            " *",
            "\t",
            "\r\n",
            "\n",
            "\0",
            "a b",
            "%zz",
            ":8:",
            "BA7816BF 8F01",
            "size=",
            "sha256=",
            "\"MD5\",",
            "; x\n",
            "<FCIV>",
            "<FILE_ENTRY>",
            "<name>a</name>",
            "<MD5>kAFQmDzST7DWlj99KOF/cg==</MD5>",
            "</FILE_ENTRY>",
        ][..],
    );
    let bytes = prop::collection::vec(any::<u8>(), 0..6);
    let piece = prop_oneof![4 => part.prop_map(|part| part.as_bytes().to_vec()), 1 => bytes];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn reader_never_panics(
        list in any_list(),
        is_sfv in any::<bool>(),
        only_usual in any::<bool>(),
        utf16 in any::<bool>(),
    ) {
        let list = if utf16 { [b"\xff\xfe", &list[..]].concat() } else { list };
        let mut last = 0;
        read::read(&list[..], Hints { is_sfv, only_usual }, |number, line| {
            assert!(number >= last, "lines are in order");
            last = number;
            if let Line::Entry(entry) = line {
                assert!(!entry.claims.is_empty());
                assert!(entry.claims.iter().all(|claim| !claim.digest.is_empty()));
            }
            true
        }).expect("memory can be read");
    }
}

#[test]
fn list_may_stop_early() {
    let list = format!("{MD5}  a\n").repeat(100);
    let mut lines = 0;
    let take = |_, _| {
        lines += 1;
        lines < 3
    };
    read::read(list.as_bytes(), Hints::default(), take).expect("memory can be read");
    assert_eq!(lines, 3);
}
