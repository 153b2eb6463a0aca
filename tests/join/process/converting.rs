//! Processes made from commands of std, and their argument 0.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use meanwhile_join::process::{Exit, LaunchOptions, SpawnError};

use super::spawning::executable;
use super::{Builder, launcher, shell};
use crate::util::files::folder;

fn printed(builder: Builder) -> String {
    let process = builder.spawn().unwrap();
    assert_eq!(process.join().unwrap(), Exit::Code(0));
    process.output().stdout.text().into_owned()
}

#[test]
fn command_of_std_becomes_a_builder() {
    let folder = folder();
    let mut command = Command::new("sh");
    command
        .args(["-c", "pwd -P; echo \"$1 $ADDED ${HOME-no home}\"", "sh"])
        .arg("a b")
        .env("ADDED", "value")
        .env_remove("HOME")
        .current_dir(folder.path());
    let path = folder.path().canonicalize().unwrap();
    let expected = format!("{}\na b value no home\n", path.display());
    assert_eq!(printed(Builder::from(&command)), expected);
    assert_eq!(printed(command.into()), expected);
}

#[test]
fn builder_made_from_a_command_can_be_changed() {
    let mut command = Command::new("printenv");
    command.arg("NAME").env("NAME", "old");
    assert_eq!(printed(Builder::from(&command)), "old\n");
    assert_eq!(printed(Builder::from(&command).env("NAME", "new")), "new\n");
    let missing = Builder::from(Command::new("no-such-program")).spawn();
    assert!(matches!(missing, Err(SpawnError::NotFound { .. })));
}

#[test]
fn cleared_environment_of_a_command_stays_cleared() {
    let folder = folder();
    let env = |name: &str| {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "echo \"$LEFT-$ADDED-${HOME-no home}\""]);
        command.env("LEFT", name).env_clear().env("ADDED", "value");
        command
    };
    assert_eq!(printed(env("env -i").into()), "-value-no home\n");
    let mut inside = env("x");
    inside.current_dir(folder.path()).arg0("env -i");
    assert_eq!(printed(inside.into()), "-value-no home\n");
    // These only look like it.
    let mut echo = Command::new("/bin/sh");
    echo.args(["-c", "echo ${HOME+home}", "env -i "]);
    assert_eq!(printed(echo.into()), "home\n");
    let tricky = folder.path().join("x && env -i ");
    std::fs::create_dir(&tricky).unwrap();
    let mut tricked = Command::new("/bin/sh");
    tricked
        .args(["-c", "echo ${HOME+home}"])
        .current_dir(tricky);
    assert_eq!(printed(tricked.into()), "home\n");
}

#[test]
fn streams_of_a_command_are_not_taken_over() {
    let mut command = Command::new("echo");
    command.arg("x").stdout(std::process::Stdio::null());
    assert_eq!(printed(command.into()), "x\n");
}

#[test]
fn process_is_called_by_the_given_name() {
    let own_name = || shell("echo \"$0\"").arg0("-login shell\u{e4}");
    assert_eq!(printed(own_name()), "-login shell\u{e4}\n");
    let launched = own_name().launched_by(&launcher(), LaunchOptions::default());
    assert_eq!(printed(launched), "-login shell\u{e4}\n");
    let error = own_name().arg0("a\0b").spawn().unwrap_err();
    assert!(matches!(error, SpawnError::Nul { .. }), "{error}");
    // The program of a command is still the one that runs.
    let mut command = Command::new("sh");
    command.arg0("other").args(["-c", "echo \"$0\""]);
    assert_eq!(printed(command.into()), "sh\n");
}

#[test]
fn launched_program_of_the_path_has_its_own_names() {
    let folder = folder();
    executable(folder.path(), "#!/bin/sh\necho \"$0\"\n");
    let mut path = folder.path().as_os_str().to_owned();
    path.push(":/usr/bin:/bin");
    let script = || Builder::new("executable").env("PATH", &path);
    let shell = || {
        Builder::new("sh")
            .args(["-c", "echo \"$0\""])
            .env("PATH", &path)
    };
    for (builder, launched) in [(script(), script()), (shell(), shell())] {
        let launched = launched.launched_by(&launcher(), LaunchOptions::default());
        assert_eq!(printed(launched), printed(builder));
    }
}
