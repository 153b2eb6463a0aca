//! The job `audit`, through the program.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::util::files::{bytes, folder, write};

const FILES: usize = 40;

/// Audits the folder `files` in `folder`, with the list beside it.
fn audit(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meanwhile"));
    command
        .args(["run", "audit", "--against", "LIST", "files"])
        .args(args)
        // At background priority it would wait for all other load.
        .args(["--priority", "normal"])
        .current_dir(folder)
        .stdin(Stdio::null());
    command.output().expect("the program starts")
}

fn out(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).expect("plain names")
}

fn err(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).expect("plain names")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("it ends by itself")
}

/// `FILES` files of different content in two folders, and their list.
fn listed() -> tempfile::TempDir {
    listed_files(FILES)
}

fn listed_files(count: usize) -> tempfile::TempDir {
    let folder = folder();
    fs::create_dir_all(folder.path().join("files/sub")).expect("it is ours");
    for n in 0..count {
        let part = if n % 2 == 0 { "files" } else { "files/sub" };
        let name = format!("{part}/{n:06}");
        write(
            folder.path(),
            &name,
            [&n.to_le_bytes()[..], &bytes(100)].concat(),
        );
    }
    let output = audit(folder.path(), &["--renew"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert_eq!(out(&output).lines().count(), count);
    assert!(out(&output).starts_with("new: files/000000\n"));
    folder
}

/// Changes one bit of a file and sets its time back.
fn rot(path: &Path) {
    let modified = path
        .metadata()
        .expect("it is ours")
        .modified()
        .expect("it is ours");
    let mut content = fs::read(path).expect("it is ours");
    content[50] ^= 1;
    fs::write(path, content).expect("it is ours");
    let file = File::options().write(true).open(path).expect("it is ours");
    file.set_modified(modified).expect("it is ours");
}

#[test]
fn unchanged_files_are_not_read_and_counted() {
    let folder = listed();
    let output = audit(folder.path(), &[]);
    assert_eq!((code(&output), out(&output)), (0, ""), "{}", err(&output));
    let note = "40 files have the size and the time in the list; not read.";
    assert!(err(&output).contains(note), "{}", err(&output));
    let output = audit(folder.path(), &["--thorough", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let items = json["items"].as_array().unwrap();
    assert_eq!(items.len(), FILES);
    assert!(items.iter().all(|item| item["output"]["state"] == "same"));
}

/// Two threads ask for the metadata of the files of a large folder, and read the two halves of the list.
#[test]
fn each_change_among_thousands_is_found() {
    let folder = listed_files(3_000);
    let files = folder.path().join("files");
    let changed = ["000000", "000510", "001024", "002998"];
    for name in changed {
        fs::write(files.join(name), "other").unwrap();
    }
    write(folder.path(), "files/000511", "new");
    fs::remove_file(files.join("sub/001501")).unwrap();
    let output = audit(folder.path(), &["--workers", "1"]);
    let mut lines: Vec<_> = out(&output).lines().collect();
    lines.sort_unstable();
    let mut expected: Vec<_> = changed.map(|it| format!("changed: files/{it}")).into();
    expected.push("new: files/000511".to_owned());
    assert_eq!(lines, expected);
    assert!(
        err(&output).contains("files/sub/001501"),
        "{}",
        err(&output)
    );
    let note = "2 995 files have the size and the time in the list; not read.";
    assert!(err(&output).contains(note), "{}", err(&output));
}

/// A list may be in any order. Of several lines of a file, the last one counts.
#[test]
fn order_of_the_list_does_not_matter() {
    let folder = listed();
    let list = folder.path().join("LIST");
    let text = fs::read_to_string(&list).unwrap();
    let (header, entries) = text.split_once('\n').unwrap();
    let lines: Vec<_> = entries.lines().collect();
    let mut pairs: Vec<_> = lines.chunks(2).map(|pair| pair.join("\n")).collect();
    pairs.reverse();
    pairs.swap(3, 30);
    let wrong = pairs[5].replace("bytes=", "bytes=1");
    pairs.insert(0, wrong);
    fs::write(&list, format!("{header}\n{}\n", pairs.join("\n"))).unwrap();
    let output = audit(folder.path(), &[]);
    assert_eq!((code(&output), out(&output)), (0, ""), "{}", err(&output));
    let note = "40 files have the size and the time in the list; not read.";
    assert!(err(&output).contains(note), "{}", err(&output));
    let wrong = pairs.remove(0);
    fs::write(&list, format!("{header}\n{}\n{wrong}\n", pairs.join("\n"))).unwrap();
    let output = audit(folder.path(), &[]);
    let note = "39 files have the size and the time in the list; not read.";
    assert!(err(&output).contains(note), "{}", err(&output));
}

#[test]
fn every_change_has_its_state() {
    let folder = listed();
    let files = folder.path().join("files");
    write(folder.path(), "files/fresh", "new");
    fs::rename(files.join("000000"), files.join("sub/elsewhere")).unwrap();
    fs::remove_file(files.join("000002")).unwrap();
    fs::write(files.join("000004"), "other").unwrap();
    let touched = File::options()
        .write(true)
        .open(files.join("000006"))
        .unwrap();
    touched
        .set_modified(std::time::SystemTime::UNIX_EPOCH)
        .unwrap();
    rot(&files.join("000008"));

    let output = audit(folder.path(), &[]);
    let mut lines: Vec<_> = out(&output).lines().collect();
    lines.sort_unstable();
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert_eq!(lines[0], "changed: files/000004");
    assert_eq!(lines[1], "moved: files/000000 -> files/sub/elsewhere");
    assert_eq!(&lines[2..], ["new: files/fresh", "touched: files/000006"]);
    let gone = " files/000002 is in LIST and is gone";
    assert!(err(&output).contains(gone), "{}", err(&output));
    assert!(!err(&output).contains("rotted"));
    assert_eq!(code(&output), 1);

    let output = audit(folder.path(), &["--thorough", "--renew"]);
    assert!(
        err(&output).contains("files/000008 has rotted"),
        "{}",
        err(&output)
    );
    // Rot stays until the file is restored; all else is in the new list.
    for _ in 0..2 {
        let output = audit(folder.path(), &["--thorough", "--renew"]);
        assert_eq!((code(&output), out(&output)), (1, ""));
        let rotten = err(&output).matches("has rotted").count();
        assert_eq!(rotten, 1, "{}", err(&output));
        assert!(!err(&output).contains("gone"), "{}", err(&output));
    }
}

#[test]
fn list_is_read_by_coreutils() {
    let folder = folder();
    write(folder.path(), "files/a b", "abc");
    write(folder.path(), "files/new\nline", "abc");
    let output = audit(folder.path(), &["--renew", "--algorithm", "sha256"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let args = ["-c".as_ref(), "--strict".as_ref(), "LIST".as_ref()];
    let (all_ok, out) = crate::util::files::run(folder.path(), "sha256sum", &args);
    assert!(all_ok, "{}", String::from_utf8_lossy(&out));
}

#[test]
fn list_of_sha256sum_is_audited() {
    let folder = folder();
    write(folder.path(), "files/a", "abc");
    write(folder.path(), "files/b", "abc");
    let (_, list) = crate::util::files::run(
        folder.path(),
        "sha256sum",
        &["files/a".as_ref(), "files/b".as_ref()],
    );
    fs::write(folder.path().join("LIST"), list).unwrap();
    fs::write(folder.path().join("files/b"), "abd").unwrap();
    let output = audit(folder.path(), &[]);
    assert_eq!(out(&output), "touched: files/a\nchanged: files/b\n");
    assert_eq!(code(&output), 0);
}

/// The BLAKE3 of `abc`.
const B3_OF_ABC: &str = "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85";

#[test]
fn list_of_b3sum_is_audited_under_any_name() {
    let folder = folder();
    write(folder.path(), "files/a", "abc");
    write(folder.path(), "files/new", "abc");
    let list = format!("{B3_OF_ABC}  files/a\n{B3_OF_ABC}  files/gone\n");
    write(folder.path(), "LIST", list);
    let output = audit(folder.path(), &["--renew"]);
    let lines = "touched: files/a\nmoved: files/gone -> files/new\n";
    assert_eq!(
        (code(&output), out(&output)),
        (0, lines),
        "{}",
        err(&output)
    );
    let renewed = fs::read_to_string(folder.path().join("LIST")).expect("it is ours");
    assert_eq!(renewed.matches("# blake3 bytes=3 ").count(), 2, "{renewed}");
    write(folder.path(), "files/a", "abd");
    let output = audit(folder.path(), &[]);
    assert_eq!(out(&output), "changed: files/a\n");
}

#[test]
fn digest_of_another_folder_stays_undecided() {
    let folder = folder();
    write(folder.path(), "files/a", "abc");
    write(folder.path(), "other", "abc");
    write(folder.path(), "LIST", format!("{B3_OF_ABC}  other\n"));
    let output = audit(folder.path(), &["--renew"]);
    assert_eq!(out(&output), "new: files/a\n", "{}", err(&output));
    let output = audit(folder.path(), &["other"]);
    assert_eq!(out(&output), "touched: other\n", "{}", err(&output));
}

/// What an audit without a change says of files with unusual names, and what with a line more in the list.
fn notes_of_both_forms(algorithm: &str) -> (String, String) {
    let folder = folder();
    for name in [
        " a",
        "*b",
        ";c",
        "d\\e",
        "f\ng",
        "h\ri",
        "j (k) = l",
        "m/n",
        "#o",
    ] {
        write(folder.path(), format!("files/{name}"), name);
    }
    let outside = self::folder();
    write(outside.path(), "p", "p");
    let outside = outside.path().to_str().expect("a plain name");
    let made = audit(
        folder.path(),
        &["--renew", "--algorithm", algorithm, outside],
    );
    assert_eq!(code(&made), 0, "{}", err(&made));
    let exact = audit(folder.path(), &[outside]);
    let list = fs::read(folder.path().join("LIST")).expect("it is ours");
    write(folder.path(), "LIST", [&list[..], b"# other\n"].concat());
    let any = audit(folder.path(), &[outside]);
    assert_eq!((code(&exact), out(&exact)), (0, ""), "{}", err(&exact));
    assert_eq!((code(&any), out(&any)), (0, ""), "{}", err(&any));
    (err(&exact).to_owned(), err(&any).to_owned())
}

#[test]
fn own_list_and_one_with_a_comment_say_the_same() {
    for algorithm in ["blake3", "sha256", "xxh3"] {
        let (exact, any) = notes_of_both_forms(algorithm);
        assert!(exact.contains("10 files have the size"), "{exact}");
        assert_eq!(exact, any);
    }
}

/// Lists of `files/a` with the contents `abc`, as other tools write them.
fn lists_of_other_tools() -> Vec<Vec<u8>> {
    const MD5: &str = "900150983cd24fb0d6963f7d28e17f72";
    const SHA256: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let mut lists: Vec<Vec<u8>> = [
        format!("{SHA256} *files/a\r\n"),
        format!("{SHA256}  ./files/a\n"),
        format!("{SHA256}  files/a\0"),
        format!("{SHA256}  files\\a\n"),
        "SHA256 (files/a) = ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=\n".to_owned(),
        "; Generated by cksfv\nfiles/a 352441C2\n".to_owned(),
        format!("files/a  {MD5}  {SHA256}\n"),
        format!("%%%% HASHDEEP-1.0\n%%%% size,md5,filename\n## x\n3,{MD5},files/a\n"),
        format!("#mtree\n./files/a type=file size=3 sha256digest={SHA256}\n"),
        format!("SHA256          {SHA256}       C:\\there\\files\\a\r\n"),
    ]
    .map(String::into_bytes)
    .to_vec();
    let text = format!("\u{feff}{SHA256}  files/a\n");
    lists.push(text.encode_utf16().flat_map(u16::to_le_bytes).collect());
    lists
}

#[test]
fn list_of_any_form_is_audited() {
    for list in lists_of_other_tools() {
        let shown = list.escape_ascii().to_string();
        let folder = folder();
        write(folder.path(), "LIST", &list);
        write(folder.path(), "files/a", "abc");
        let output = audit(folder.path(), &[]);
        assert_eq!(
            out(&output),
            "touched: files/a\n",
            "{shown}: {}",
            err(&output)
        );
        write(folder.path(), "files/a", "abd");
        let output = audit(folder.path(), &[]);
        assert_eq!(out(&output), "changed: files/a\n", "{shown}");
    }
}

#[test]
fn file_that_a_list_of_windows_has_is_missing() {
    let folder = folder();
    let list = "900150983cd24fb0d6963f7d28e17f72 *files\\a\r\n";
    write(folder.path(), "LIST", list);
    fs::create_dir(folder.path().join("files")).expect("it is ours");
    let output = audit(folder.path(), &[]);
    assert_eq!(code(&output), 1);
    let gone = " files/a is in LIST and is gone";
    assert!(err(&output).contains(gone), "{}", err(&output));
}

#[test]
fn signature_around_a_list_is_not_checked() {
    let folder = folder();
    write(folder.path(), "files/a", "abc");
    let list = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n\
                900150983cd24fb0d6963f7d28e17f72  files/a\n\
                -----BEGIN PGP SIGNATURE-----\n\nabcd\n-----END PGP SIGNATURE-----\n";
    write(folder.path(), "LIST", list);
    let output = audit(folder.path(), &[]);
    assert_eq!(out(&output), "touched: files/a\n", "{}", err(&output));
    let note = "LIST is signed; the signature is not checked here.";
    assert!(err(&output).contains(note), "{}", err(&output));
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_no_text_reach_the_result() {
    use std::os::unix::ffi::OsStrExt as _;

    let folder = folder();
    let name = |bytes| {
        folder
            .path()
            .join("files")
            .join(std::ffi::OsStr::from_bytes(bytes))
    };
    fs::create_dir(folder.path().join("files")).expect("it is ours");
    fs::write(name(b"a\xff"), "abc").expect("it is ours");
    fs::write(name(b"b\xff"), "abd").expect("it is ours");
    assert_eq!(code(&audit(folder.path(), &["--renew"])), 0);
    fs::rename(name(b"a\xff"), name(b"c\xff")).expect("it is ours");
    fs::write(name(b"b\xff"), "other").expect("it is ours");
    let output = audit(folder.path(), &["--on", "process", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a document");
    assert_eq!(
        json["items"][0]["output"]["state"],
        "changed",
        "{}",
        err(&output)
    );
    let from = &json["items"][1]["output"]["from"];
    assert_eq!(*from, serde_json::json!(b"files/a\xff"));
}

#[test]
fn line_that_is_no_checksum_is_named_by_number() {
    let folder = folder();
    write(folder.path(), "files/a", "abc");
    for (line, reason) in [
        ("a letter", "is not a checksum"),
        ("900150983cd24fb0d6963f7d28e17f72", "is not a checksum"),
        ("TIGER (a) = 900150983cd24fb0d6963f7d28e17f72", "(TIGER)"),
    ] {
        let list = format!("900150983cd24fb0d6963f7d28e17f72  files/a\n{line}\n");
        write(folder.path(), "LIST", &list);
        let output = audit(folder.path(), &["--renew"]);
        assert_eq!((code(&output), out(&output)), (1, ""), "{line}");
        assert!(err(&output).contains("Line 2 of LIST"), "{}", err(&output));
        assert!(err(&output).contains(reason), "{}", err(&output));
        let kept = fs::read_to_string(folder.path().join("LIST")).expect("it is ours");
        assert_eq!(kept, list);
    }
}

#[test]
fn line_of_another_folder_keeps_its_algorithm() {
    let folder = folder();
    write(folder.path(), "files/a", "abc");
    write(folder.path(), "other", "abc");
    let digest = "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85";
    write(
        folder.path(),
        "LIST",
        format!("BLAKE3 (other) = {digest}\n"),
    );
    let output = audit(folder.path(), &["--renew"]);
    assert_eq!(out(&output), "new: files/a\n", "{}", err(&output));
    let output = audit(folder.path(), &["other"]);
    assert_eq!(out(&output), "touched: other\n", "{}", err(&output));
}

#[test]
fn names_in_an_own_list_are_exact() {
    let folder = folder();
    write(folder.path(), "files/x", "abc");
    write(folder.path(), "files/ x", "other");
    let run = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_meanwhile"));
        command.args(["run", "audit", "--against", "files/LIST", "files"]);
        command.args(args).args(["--priority", "normal"]);
        command.current_dir(folder.path()).stdin(Stdio::null());
        command.output().expect("the program starts")
    };
    assert_eq!(code(&run(&["--renew"])), 0);
    fs::remove_file(folder.path().join("files/x")).expect("it is ours");
    let output = run(&[]);
    assert_eq!((code(&output), out(&output)), (1, ""));
    let gone = " x is in files/LIST and is gone";
    assert!(err(&output).contains(gone), "{}", err(&output));
}

/// As with `./`, it begins in the folder of the list, with any number of slashes.
#[test]
fn name_in_an_own_list_begins_in_its_folder() {
    for begin in ["./", ".//", "././"] {
        let folder = listed_files(2);
        let list = fs::read_to_string(folder.path().join("LIST")).expect("it is ours");
        let list = list.replace("  files/", &format!("  {begin}files/"));
        assert!(list.contains(begin));
        write(folder.path(), "LIST", &list);
        let output = audit(folder.path(), &[]);
        assert_eq!((code(&output), out(&output)), (0, ""), "{begin}");
    }
}

#[test]
fn list_that_is_missing_or_none_is_an_error() {
    let folder = folder();
    write(folder.path(), "files/a", "abc");
    let output = audit(folder.path(), &[]);
    assert_eq!(code(&output), 1);
    assert!(
        err(&output).contains("LIST does not exist"),
        "{}",
        err(&output)
    );
    fs::write(folder.path().join("LIST"), "a letter\n").unwrap();
    let output = audit(folder.path(), &["--renew"]);
    assert_eq!(code(&output), 1);
    assert_eq!(fs::read(folder.path().join("LIST")).unwrap(), b"a letter\n");
}

#[test]
fn list_is_not_renewed_when_all_is_gone() {
    let folder = listed();
    let list = fs::read(folder.path().join("LIST")).unwrap();
    fs::remove_dir_all(folder.path().join("files")).unwrap();
    fs::create_dir(folder.path().join("files")).unwrap();
    let output = audit(folder.path(), &["--renew"]);
    assert_eq!(code(&output), 1);
    assert!(
        err(&output).contains("is the disk there?"),
        "{}",
        err(&output)
    );
    assert_eq!(fs::read(folder.path().join("LIST")).unwrap(), list);
}

#[test]
fn own_list_in_the_folder_is_left_out() {
    let folder = folder();
    write(folder.path(), "files/a", "abc");
    for lines in ["new: files/a\n", ""] {
        let args = ["--renew", "--against", "files/LIST"];
        let mut command = Command::new(env!("CARGO_BIN_EXE_meanwhile"));
        command
            .args(["run", "audit", "files"])
            .args(args)
            .current_dir(folder.path());
        let output = command.output().expect("the program starts");
        assert_eq!(out(&output), lines, "{}", err(&output));
    }
}

#[test]
fn moved_folder_is_found_by_content() {
    let folder = listed();
    let files = folder.path().join("files");
    fs::rename(files.join("sub"), files.join("other")).unwrap();
    let output = audit(folder.path(), &["--renew"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert_eq!(out(&output).matches("moved: ").count(), FILES / 2);
    let output = audit(folder.path(), &[]);
    assert_eq!((code(&output), out(&output)), (0, ""), "{}", err(&output));
}

/// Flips a bit in every `step`th of `count` files.
fn assert_all_rot_is_found(count: usize, step: usize) {
    let folder = listed_files(count);
    for n in (0..count).step_by(step) {
        let part = if n % 2 == 0 { "files" } else { "files/sub" };
        rot(&folder.path().join(format!("{part}/{n:06}")));
    }
    let output = audit(folder.path(), &[]);
    assert_eq!((code(&output), out(&output)), (0, ""), "{}", err(&output));
    let output = audit(folder.path(), &["--thorough"]);
    assert_eq!((code(&output), out(&output)), (1, ""));
    let rotten = err(&output).matches("has rotted").count();
    assert_eq!(rotten, count.div_ceil(step));
}

#[test]
fn thorough_audit_finds_all_rot_and_nothing_else() {
    assert_all_rot_is_found(200, 7);
}

#[test]
#[ignore = "makes 100 000 files; tests/all.sh runs it"]
fn thorough_audit_of_many_files_finds_all_rot() {
    assert_all_rot_is_found(100_000, 100);
}
