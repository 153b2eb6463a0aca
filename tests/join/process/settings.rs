//! What a process is started with: its arguments, its environment, its folder and its group.

use std::fs;

use meanwhile_join::process::{Exit, LaunchOptions, ProcessGroup};

use super::{Builder, launcher, shell};
use crate::util::files::folder;

/// A field of the process table, by its number in proc(5): the group is 5, the session 6, and the terminal
/// 7.
pub(super) fn stat_of(pid: u32, field: usize) -> String {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let after_name = stat.rsplit(") ").next().unwrap();
    after_name.split(' ').nth(field - 3).unwrap().to_owned()
}

fn group_of(pid: u32) -> String {
    stat_of(pid, 5)
}

#[test]
fn process_in_its_own_session_has_no_terminal() {
    let builder = || {
        shell("read line")
            .stdin_piped()
            .group(ProcessGroup::Session)
    };
    let process = builder().launched_by(&launcher(), LaunchOptions::default());
    let process = process.spawn().unwrap();
    let pid = process.pid();
    assert_eq!(stat_of(pid, 5), pid.to_string());
    assert_eq!(stat_of(pid, 6), pid.to_string());
    assert_eq!(stat_of(pid, 7), "0");
    process.kill().unwrap();
    let killed = Exit::Signal {
        signal: 9,
        core_dumped: false,
    };
    assert_eq!(process.join().unwrap(), killed);
    let error = builder().spawn().unwrap_err().to_string();
    assert!(error.contains("only a launcher"), "{error}");
}

#[test]
fn process_is_in_the_group_that_was_chosen() {
    for launched in [false, true] {
        let group_with = |group: Option<ProcessGroup>| {
            let mut builder = shell("read line").stdin_piped();
            if let Some(group) = group {
                builder = builder.group(group);
            }
            if launched {
                builder = builder.launched_by(&launcher(), LaunchOptions::default());
            }
            let process = builder.spawn().unwrap();
            let group = group_of(process.pid());
            drop(process.take_stdin());
            process.join().unwrap();
            (group, process.pid().to_string())
        };
        let ours = group_of(std::process::id());
        assert_eq!(group_with(None).0, ours);
        assert_eq!(group_with(Some(ProcessGroup::Inherited)).0, ours);
        let (group, pid) = group_with(Some(ProcessGroup::Own));
        assert_eq!(group, pid);
    }
}

#[test]
fn arguments_reach_the_program_unchanged() {
    let hostile = [
        "$(touch x)",
        "; rm -rf y",
        "`id`",
        "a b",
        "",
        "*",
        "-n",
        "\n",
        "'\"",
    ];
    let process = Builder::new("printf")
        .arg("%s\\0")
        .args(hostile)
        .spawn()
        .unwrap();
    process.join().unwrap();
    let expected = format!("{}\0", hostile.join("\0"));
    assert_eq!(process.output().stdout.text(), expected);
}

#[test]
fn environment_and_folder_are_as_configured() {
    let printed = |builder: Builder| {
        let process = builder.spawn().unwrap();
        process.join().unwrap();
        process.output().stdout.text().into_owned()
    };
    let env = || Builder::new("/usr/bin/env");
    let text = printed(
        env()
            .env_clear()
            .env("ONE", "1")
            .env("TWO", "2")
            .env_remove("TWO"),
    );
    let lines: Vec<_> = text
        .lines()
        .filter(|line| !line.starts_with("MEANWHILE_TREE="))
        .collect();
    assert_eq!(lines, ["ONE=1"]);
    assert!(printed(env()).contains("PATH="));
    let folder = folder();
    let pwd = printed(Builder::new("pwd").current_dir(folder.path()));
    assert_eq!(
        pwd.trim_end(),
        folder.path().canonicalize().unwrap().to_str().unwrap()
    );
}
