//! The arguments of a program: files of any name in place of placeholders.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use meanwhile::jobs::command::{CommandLine, Files, Options, Template};
use meanwhile::record::JobState;
use proptest::prelude::*;

use super::{HOSTILE, line, program, run, shell, words};
use crate::util::files::{folder, name, write};

#[test]
fn hostile_file_name_is_one_argument() {
    let folder = folder();
    let files: Vec<PathBuf> = HOSTILE
        .iter()
        .map(|hostile| write(folder.path(), name(hostile), "content"))
        .collect();
    let mut options = words(&["printf", "%s\\0", "{name}", "<{}>", "end"]);
    options.dir = folder.path().to_owned();
    let ended = run(options, &files);
    let expected: Vec<Vec<u8>> = HOSTILE
        .iter()
        .zip(&files)
        .map(|(name, file)| {
            let path = file.as_os_str().as_bytes();
            [name, &b"\0<"[..], path, b">\0end\0"].concat()
        })
        .collect();
    assert_eq!(ended.stdouts(), expected);
    assert_eq!(*ended.board.job(ended.job).state(), JobState::Returned);
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        HOSTILE.len(),
        "something was written"
    );
}

#[test]
fn script_reads_hostile_file_name_as_parameter() {
    let folder = folder();
    let files: Vec<PathBuf> = HOSTILE
        .iter()
        .map(|hostile| write(folder.path(), name(hostile), hostile))
        .collect();
    let mut options = shell("cat \"$1\"; printf ' {} %d' $#");
    options.dir = folder.path().to_owned();
    let ended = run(options, &files);
    let expected: Vec<Vec<u8>> = HOSTILE
        .iter()
        .map(|name| [name, &b" {} 1"[..]].concat())
        .collect();
    assert_eq!(ended.stdouts(), expected);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), HOSTILE.len());
}

#[test]
fn script_parameters_precede_the_files() {
    let options = Options {
        files: Files::All,
        ..words(&["echo \"$0\" \"$@\"", "-v"])
    };
    let options = Options {
        shell: true,
        ..options
    };
    let ended = run(options, &["a".into(), "b".into()]);
    assert_eq!(ended.stdouts(), [b"sh -v a b\n"]);
}

proptest! {
    #[test]
    fn filled_word_is_its_text_and_the_path(
        path in proptest::collection::vec(any::<u8>(), 0..40),
        before in "[^{}]{0,10}",
        after in "[^{}]{0,10}",
    ) {
        let template = Template::new(OsStr::new(&format!("{before}{{}}{after}")));
        let path = OsString::from_vec(path);
        let filled = template.fill(Path::new(&path));
        let expected = [before.as_bytes(), path.as_bytes(), after.as_bytes()].concat();
        prop_assert_eq!(filled.as_bytes(), expected);
    }

    #[test]
    fn word_without_placeholder_is_unchanged(word in proptest::collection::vec(any::<u8>(), 0..40)) {
        let word = OsString::from_vec(word);
        let template = Template::new(&word);
        if !template.takes_file() && !word.as_bytes().windows(2).any(|two| two == b"{{") {
            prop_assert_eq!(template.fill(Path::new("f")), word);
        }
    }

    #[test]
    fn shown_words_split_into_the_same_words(
        given in proptest::collection::vec("[^\0{}\r\n\t]{0,12}", 1..5)
    ) {
        let options = words(&given.iter().map(String::as_str).collect::<Vec<_>>());
        let shown = options.words_text().unwrap();
        prop_assert_eq!(line(&shown).words_text().unwrap(), shown);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn program_gets_the_exact_bytes_of_a_path(
        name in proptest::collection::vec(1_u8.., 1..40)
    ) {
        // A file of this name is no pattern.
        let name = OsString::from_vec(name.into_iter().filter(|&byte| byte != b'/').collect());
        prop_assume!(!["", ".", ".."].iter().any(|special| name == *special));
        let folder = folder();
        let path = write(folder.path(), name, "");
        let ended = run(words(&["printf", "%s\\0", "{}"]), std::slice::from_ref(&path));
        let expected = [path.as_os_str().as_bytes(), b"\0"].concat();
        prop_assert_eq!(ended.stdouts(), [expected]);
    }
}

#[test]
fn file_is_last_without_a_placeholder() {
    let ended = run(line("echo 'a  b'"), &["c".into(), "d".into()]);
    assert_eq!(ended.stdouts(), [b"a  b c\n", b"a  b d\n"]);
}

#[test]
fn command_without_files_runs_once() {
    let ended = run(words(&["echo", "once"]), &[]);
    assert_eq!(ended.stdouts(), [b"once\n"]);
    assert_eq!(ended.item(0).input, Path::new("echo once"));
}

#[test]
fn run_for_all_files_repeats_placeholders() {
    let all = |command: &[&str]| {
        let options = Options {
            files: Files::All,
            ..words(command)
        };
        let ended = run(options, &["x/a.c".into(), "b.c".into()]);
        String::from_utf8(ended.stdouts().concat()).unwrap()
    };
    assert_eq!(
        all(&["echo", "{}", "--", "-o{stem}"]),
        "x/a.c b.c -- -oa -ob\n"
    );
    assert_eq!(all(&["echo", "all:"]), "all: x/a.c b.c\n");
}

#[test]
fn file_can_be_the_program() {
    let folder = folder();
    let script = program(folder.path(), "say hello", "#!/bin/sh\necho hello \"$1\"");
    let mut options = words(&["{}", "you"]);
    assert_eq!(run(options.clone(), &[script]).stdouts(), [b"hello you\n"]);
    // A name without a folder is a file, and not looked up in `PATH`.
    options.command = CommandLine::Words(vec!["{}".into()]);
    let ended = run(options, &["true".into()]);
    let (kind, message) = ended.failure(0);
    assert_eq!(kind, "not_found", "{message}");
    assert!(message.contains("./true"), "{message}");
}

#[test]
fn placeholder_without_files_fails() {
    let ended = run(words(&["echo", "{dir}/x"]), &[]);
    let (kind, message) = ended.failure(0);
    assert_eq!(kind, "no_files");
    assert_eq!(
        message,
        "`{dir}/x` stands for a file, but there is none; add files."
    );
}

#[test]
fn invalid_command_fails_once() {
    let files = [PathBuf::from("a"), "b".into()];
    let with = |change: fn(&mut Options)| {
        let mut options = words(&["echo"]);
        change(&mut options);
        options
    };
    for (options, part) in [
        (line("echo 'open"), "open quote"),
        (line("  "), "There is no command"),
        (
            Options {
                shell: true,
                ..line(" ")
            },
            "There is no command",
        ),
        (
            with(|options| options.prefix = "nice '".into()),
            "open quote",
        ),
        (
            with(|options| options.env = vec!["NAME".into()]),
            "`NAME` does not set a variable",
        ),
        (
            with(|options| options.expected_codes = "0, x".into()),
            "`x` is not an exit code",
        ),
    ] {
        let ended = run(options, &files);
        assert_eq!(ended.board.job(ended.job).items().len(), 1);
        let (kind, message) = ended.failure(0);
        assert_eq!(kind, "bad_command");
        assert!(message.contains(part), "{message}");
    }
}
