//! `meanwhile run checksum`.

use std::fs;
use std::path::Path;

use super::{code, err, json, meanwhile, out, run, states};

const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("abc"), "abc").expect("it is ours");
    fs::write(folder.path().join("empty"), "").expect("it is ours");
    folder
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a plain name")
}

#[test]
fn checksums_print_like_sha256sum() {
    let folder = folder();
    let file = folder.path().join("abc");
    let output = run(&["run", "checksum", "--algorithm", "sha256", path(&file)]);
    assert_eq!(code(&output), 0);
    assert_eq!(out(&output), format!("{ABC}  {}\n", file.display()));
}

#[test]
fn json_of_checksums_has_digests() {
    let folder = folder();
    let args = [
        "run",
        "checksum",
        "--algorithm",
        "sha256",
        "--format",
        "json",
    ];
    let output = run(&[&args[..], &[path(folder.path())]].concat());
    assert_eq!(code(&output), 0);
    let json = json(&output);
    assert_eq!(states(&json), ["returned", "returned"]);
    assert_eq!(json["items"][0]["output"]["digest"], ABC);
}

#[test]
fn missing_file_fails_alone() {
    let folder = folder();
    let (file, missing) = (folder.path().join("abc"), folder.path().join("missing"));
    let output = run(&[
        "run",
        "checksum",
        "--algorithm",
        "sha256",
        path(&missing),
        path(&file),
    ]);
    assert_eq!(code(&output), 1);
    assert_eq!(out(&output), format!("{ABC}  {}\n", file.display()));
    assert!(err(&output).contains(path(&missing)), "{}", err(&output));
}

#[test]
fn list_is_saved_and_verified() {
    let folder = folder();
    let list = folder.path().join("list.sha256");
    let (abc, empty) = (folder.path().join("abc"), folder.path().join("empty"));
    let args = [
        "run",
        "checksum",
        "--algorithm",
        "sha256",
        "--output",
        path(&list),
    ];
    let output = run(&[&args[..], &[path(&abc), path(&empty)]].concat());
    assert_eq!((code(&output), out(&output)), (0, ""));

    let check = ["run", "checksum", "--check", path(&list)];
    let output = run(&check);
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert_eq!(
        out(&output),
        format!("{}: OK\n{}: OK\n", abc.display(), empty.display())
    );

    fs::write(&abc, "abd").unwrap();
    let output = run(&check);
    assert_eq!(code(&output), 1);
    let lines = format!("{}: FAILED\n{}: OK\n", abc.display(), empty.display());
    assert_eq!(out(&output), lines);
    assert!(err(&output).contains(path(&abc)), "{}", err(&output));
}

/// Runs the job in `folder`, with stdout in the file `out` there if it is given.
fn run_in(folder: &Path, args: &[&str], out: Option<&str>) -> std::process::Output {
    let mut command = meanwhile(&["run", "checksum"]);
    command.args(args).current_dir(folder);
    if let Some(out) = out {
        command.stdout(fs::File::create(folder.join(out)).expect("it is ours"));
    }
    command.output().expect("the program starts")
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).expect("it was written")
}

#[test]
fn saved_list_leaves_itself_out() {
    let folder = folder();
    let names = "abc empty";
    for args in [&["."][..], &["abc", "empty", "SUMS"], &["."]] {
        let args = [&["--algorithm", "md5", "--output", "SUMS"], args].concat();
        if args.contains(&"SUMS") {
            run_in(
                folder.path(),
                &["--algorithm", "md5", "--output", "SUMS", "."],
                None,
            );
        }
        let output = run_in(folder.path(), &args, None);
        assert_eq!(code(&output), 0, "{}", err(&output));
        let list = read(folder.path(), "SUMS");
        let found: Vec<_> = list.lines().map(|line| &line[34..]).collect();
        assert_eq!(found.join(" "), names);
    }
}

#[cfg(unix)]
#[test]
fn list_that_is_stdout_leaves_itself_out() {
    let folder = folder();
    let output = run_in(folder.path(), &["--algorithm", "md5", "."], Some("SUMS"));
    assert_eq!(code(&output), 0, "{}", err(&output));
    let list = read(folder.path(), "SUMS");
    let found: Vec<_> = list.lines().map(|line| &line[34..]).collect();
    assert_eq!(found, ["./abc", "./empty"]);
}

#[cfg(unix)]
#[test]
fn list_never_replaces_a_file_by_any_name() {
    let folder = folder();
    let abc = folder.path().join("abc");
    std::os::unix::fs::symlink("abc", folder.path().join("link")).unwrap();
    fs::hard_link(&abc, folder.path().join("hard")).unwrap();
    for (name, inputs) in [("abc", "abc"), ("link", "."), ("hard", "abc"), ("abc", ".")] {
        let output = run_in(folder.path(), &["--output", name, inputs], None);
        assert_eq!(code(&output), 1, "{name}");
        assert!(
            err(&output).contains("choose another name"),
            "{}",
            err(&output)
        );
        assert_eq!(read(folder.path(), "abc"), "abc", "{name}");
    }
}

#[test]
fn list_replaces_only_a_list_or_a_blank_file() {
    let folder = folder();
    let md5 = "900150983cd24fb0d6963f7d28e17f72";
    let sha1 = "a9993e364706816aba3e25717850c26c9cd0d89d";
    let other = [
        "# Title\n\nA text.\n".to_owned(),
        "#!/bin/sh\n".to_owned(),
        format!("{md5}\n"),
        format!("commit {sha1}\n"),
        format!("MD5: {md5}\n"),
        "; a note\nkey 352441c2\n".to_owned(),
        "\n\na text\n".to_owned(),
    ];
    for text in other {
        fs::write(folder.path().join("out"), &text).expect("it is ours");
        let output = run_in(folder.path(), &["--output", "out", "."], None);
        assert_eq!(code(&output), 1, "{text}");
        let advice = "choose another name";
        assert!(err(&output).contains(advice), "{}", err(&output));
        assert_eq!(read(folder.path(), "out"), text);
    }
    let lists = [
        String::new(),
        "\n".to_owned(),
        format!("# of today\n{md5}  abc\n"),
        format!("MD5 (abc) = {md5}\n"),
        format!("{md5} *abc\0"),
    ];
    for list in lists {
        fs::write(folder.path().join("out"), &list).expect("it is ours");
        let output = run_in(folder.path(), &["--output", "out", "."], None);
        assert_eq!(code(&output), 0, "{list}: {}", err(&output));
        assert_eq!(read(folder.path(), "out").lines().count(), 2, "{list}");
    }
}

#[test]
fn names_in_a_list_are_relative_to_it() {
    let folder = folder();
    fs::create_dir(folder.path().join("sub")).unwrap();
    fs::write(folder.path().join("sub/ lead"), "abc").unwrap();
    let args = ["--algorithm", "md5", "--output", "sub/SUMS", "sub"];
    let output = run_in(folder.path(), &args, None);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let line = "900150983cd24fb0d6963f7d28e17f72  ./ lead\n";
    assert_eq!(read(folder.path(), "sub/SUMS"), line);
    let args = ["--algorithm", "md5", "--output", "sub/SUMS", "abc"];
    run_in(folder.path(), &args, None);
    let outside = fs::canonicalize(folder.path()).unwrap().join("abc");
    let list = read(folder.path(), "sub/SUMS");
    assert!(list.ends_with("/abc\n"), "{list}");
    assert!(fs::canonicalize(list[34..].trim_end()).unwrap() == outside);
}

#[test]
fn each_folder_gets_its_list() {
    let folder = folder();
    fs::create_dir(folder.path().join("sub")).unwrap();
    fs::write(folder.path().join("sub/file"), "abc").unwrap();
    for _ in 0..2 {
        let args = ["--algorithm", "md5", "--output-per-folder", "SUMS", "."];
        let output = run_in(folder.path(), &args, None);
        assert_eq!((code(&output), out(&output)), (0, ""), "{}", err(&output));
        assert_eq!(read(folder.path(), "SUMS").lines().count(), 2);
        let line = "900150983cd24fb0d6963f7d28e17f72  file\n";
        assert_eq!(read(folder.path(), "sub/SUMS"), line);
    }
}

#[test]
fn sfv_list_has_crc32_behind_the_names() {
    let folder = folder();
    fs::write(folder.path().join("; c"), "abc").unwrap();
    for _ in 0..2 {
        let output = run_in(folder.path(), &["--output", "files.sfv", "."], None);
        assert_eq!(code(&output), 0, "{}", err(&output));
        let list = "./; c 352441C2\nabc 352441C2\nempty 00000000\n";
        assert_eq!(read(folder.path(), "files.sfv"), list);
    }
}

#[cfg(unix)]
#[test]
fn name_that_sfv_can_not_hold_writes_no_list() {
    let folder = folder();
    fs::write(folder.path().join("a\nb"), "abc").unwrap();
    let output = run_in(folder.path(), &["--output", "files.sfv", "."], None);
    assert_eq!(code(&output), 1);
    assert!(err(&output).contains("SFV"), "{}", err(&output));
    assert!(!folder.path().join("files.sfv").exists());
}

#[test]
fn several_algorithms_have_tagged_lines() {
    let folder = folder();
    let args = ["--algorithm", "md5,sha256,blake2b-8", "abc"];
    let output = run_in(folder.path(), &args, None);
    let lines = format!(
        "MD5 (abc) = 900150983cd24fb0d6963f7d28e17f72\nSHA256 (abc) = {ABC}\n\
         BLAKE2b-8 (abc) = 6b\n"
    );
    assert_eq!(out(&output), lines, "{}", err(&output));
    let output = run_in(
        folder.path(),
        &["--tag", "--algorithm", "sha256", "abc"],
        None,
    );
    assert_eq!(out(&output), format!("SHA256 (abc) = {ABC}\n"));
    let output = run_in(folder.path(), &["-z", "--algorithm", "sha256", "abc"], None);
    assert_eq!(out(&output), format!("{ABC}  abc\0"));
}

#[test]
fn length_is_in_bits_and_must_exist() {
    let folder = folder();
    let args = ["--algorithm", "blake3", "--length", "32", "abc"];
    let output = run_in(folder.path(), &args, None);
    assert_eq!(out(&output), "BLAKE3-32 (abc) = 6437b3ac\n");
    for args in [
        ["--algorithm", "sha256", "--length", "128"],
        ["--algorithm", "blake2b", "--length", "520"],
        ["--algorithm", "blake2b", "--length", "7"],
        ["--algorithm", "blake2s", "--length", "0"],
    ] {
        let output = run_in(folder.path(), &[&args[..], &["abc"]].concat(), None);
        assert_eq!(code(&output), 2, "{args:?}");
        let no_digests = format!("has no digests of {} bits", args[3]);
        assert!(err(&output).contains(&no_digests), "{}", err(&output));
    }
}
