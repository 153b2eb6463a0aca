//! P31: the user and the group of a process.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use meanwhile_join::process::{LaunchOptions, SpawnError};

use super::{Builder, eventually, launcher, shell};
use crate::util::child::{NOT_AS_ROOT, in_child_with};
use crate::util::files::folder;
use crate::util::sleeper::Sleeper;

const NOBODY: u32 = 65534;

/// Becomes root among other users, at least in a namespace.
const AMONG_OTHER_USERS: &str = r#"
if [ "$(id -u)" != 0 ]; then
    mapped="unshare --user --map-root-user --map-auto"
    if $mapped true; then exec $mapped "$0" "$@"; fi
    echo "this test needs other users: run it as root, or add yourself to /etc/subuid" >&2
    exit 1
fi"#;

/// Copies the launcher to where any user may execute it.
const FOR_ALL_USERS: &str = r#"
if [ "$(id -u)" = 0 ]; then
    launcher=$(mktemp) && cp "$(dirname "$0")/../examples/limits" "$launcher" && chmod 755 "$launcher"
    exec 8< "$launcher" && rm "$launcher"
    export MEANWHILE_TEST_LAUNCHER=/proc/self/fd/8
fi"#;

fn in_both_ways(builder: &Builder) -> [Builder; 2] {
    let launched = builder.clone();
    [
        builder.clone(),
        launched.launched_by(&launcher(), LaunchOptions::default()),
    ]
}

fn refusal(builder: Builder) -> String {
    let error = builder.spawn().unwrap_err();
    assert!(matches!(error, SpawnError::User { .. }), "{error:?}");
    error.to_string()
}

#[test]
#[ignore = "needs setpriv of util-linux; tests/all.sh runs it"]
fn p31_another_user_is_refused_in_one_sentence() {
    let name = "process::users::p31_another_user_is_refused_in_one_sentence";
    let setup = format!("{FOR_ALL_USERS}\n{NOT_AS_ROOT}");
    in_child_with(&setup, name, || {
        let advice = "Operation not permitted (os error 1); only the administrator may choose \
                      another user or group";
        for builder in in_both_ways(&Builder::new("id")) {
            let sentence = refusal(builder.clone().uid(0));
            assert_eq!(sentence, format!("can't run `id` as user 0: {advice}"));
            let sentence = refusal(builder.clone().gid(0));
            assert_eq!(sentence, format!("can't run `id` as group 0: {advice}"));
            let sentence = refusal(builder.clone().uid(0).gid(0));
            assert_eq!(
                sentence,
                format!("can't run `id` as user 0 and group 0: {advice}")
            );
            let own = (nix::unistd::getuid(), nix::unistd::getgid());
            let same = builder.arg("-u").uid(own.0.as_raw()).gid(own.1.as_raw());
            let printed = same.spawn().unwrap().join_checked().unwrap();
            assert_eq!(printed.stdout.text(), format!("{}\n", own.0));
        }
    });
}

#[test]
#[ignore = "needs root or subordinate ids; tests/all.sh runs it"]
fn p31_process_has_its_user_and_group() {
    let name = "process::users::p31_process_has_its_user_and_group";
    in_child_with(AMONG_OTHER_USERS, name, || {
        let ids = |builder: Builder| {
            let ended = builder.spawn().unwrap().join_checked().unwrap();
            ended.stdout.text().into_owned()
        };
        for builder in in_both_ways(&shell("id -u; id -g; id -G")) {
            // Several times, so that a shim that has waited is used.
            for _ in 0..5 {
                let nobody = builder.clone().uid(NOBODY).gid(NOBODY);
                assert_eq!(ids(nobody), "65534\n65534\n65534\n");
            }
            let groups = ids(builder.clone());
            assert!(groups.starts_with("0\n0\n"), "{groups}");
            let user_alone = ids(builder.clone().uid(NOBODY));
            assert_eq!(user_alone, "65534\n0\n0\n");
            assert!(ids(builder.gid(NOBODY)).starts_with("0\n65534\n"));
        }
    });
}

#[test]
#[ignore = "needs root or subordinate ids; tests/all.sh runs it"]
fn p31_what_the_user_may_not_is_named() {
    let name = "process::users::p31_what_the_user_may_not_is_named";
    in_child_with(AMONG_OTHER_USERS, name, || {
        let folder = folder();
        let own = fs::Permissions::from_mode(0o700);
        fs::set_permissions(folder.path(), own).unwrap();
        let program = folder.path().join("true");
        fs::copy("/bin/true", &program).unwrap();
        let advice = "Permission denied (os error 13); let that user run the program and enter its \
                      folder";
        for builder in in_both_ways(&Builder::new(&program)) {
            let path = program.display();
            let sentence = refusal(builder.uid(NOBODY));
            assert_eq!(
                sentence,
                format!("can't run `{path}` as user 65534: {advice}")
            );
        }
        for builder in in_both_ways(&Builder::new("true").current_dir(folder.path())) {
            assert!(
                builder
                    .clone()
                    .spawn()
                    .unwrap()
                    .join()
                    .unwrap()
                    .is_success()
            );
            let sentence = refusal(builder.uid(NOBODY));
            assert_eq!(
                sentence,
                format!("can't run `true` as user 65534: {advice}")
            );
        }
        for builder in in_both_ways(&Builder::new("true")) {
            for none in [builder.clone().uid(u32::MAX), builder.gid(u32::MAX)] {
                let sentence = refusal(none);
                assert!(
                    sentence.ends_with("; the system has no such number"),
                    "{sentence}"
                );
            }
        }
    });
}

#[test]
#[ignore = "needs root or subordinate ids; tests/all.sh runs it"]
fn p31_tree_of_another_user_is_stopped() {
    let name = "process::users::p31_tree_of_another_user_is_stopped";
    in_child_with(AMONG_OTHER_USERS, name, || {
        let folder = folder();
        let all = fs::Permissions::from_mode(0o755);
        fs::set_permissions(folder.path(), all).unwrap();
        let sleeper = Sleeper::new(folder.path());
        let sleep = sleeper.command();
        let tree = shell(&format!("{sleep} & (setsid {sleep} &); wait"));
        for builder in in_both_ways(&tree) {
            let process = builder.uid(NOBODY).gid(NOBODY).spawn().unwrap();
            eventually("the tree", || sleeper.running().len() == 2);
            let report = process.stop(Duration::from_secs(5));
            assert!(report.escaped.is_empty(), "{report:?}");
            assert!(sleeper.running().is_empty(), "{report:?}");
        }
    });
}

/// Prints the signal that the system sends to the process when its parent ends.
#[cfg(not(other_unix))]
const PARENT_DEATH_SIGNAL: &str = "import ctypes
signal = ctypes.c_int()
ctypes.CDLL(None).prctl(2, ctypes.byref(signal))
print(signal.value)";

#[test]
#[cfg(not(other_unix))]
#[ignore = "needs python3, and root or subordinate ids; tests/all.sh runs it"]
fn p31_process_of_another_user_ends_with_the_program() {
    let name = "process::users::p31_process_of_another_user_ends_with_the_program";
    in_child_with(AMONG_OTHER_USERS, name, || {
        let python = Builder::new("python3").args(["-c", PARENT_DEATH_SIGNAL]);
        let launched = python.launched_by(&launcher(), LaunchOptions::default());
        for builder in [launched.clone(), launched.uid(NOBODY).gid(NOBODY)] {
            for _ in 0..3 {
                let process = builder.clone().spawn().unwrap();
                let output = process.join_checked().unwrap();
                assert_eq!(output.stdout.text(), "9\n");
            }
        }
    });
}
