//! The shim, which is this program, started to prepare itself and become another program.
//!
//! Only the process itself can request to be killed when its parent exits, set its limits and lower
//! its priority, before it runs its program. No safe Rust may run between `fork` and `exec`, and
//! `fork` copies the page tables of a large program. So the program starts itself, which costs the
//! same whatever its size. The shim does those things in ordinary code, then executes the command
//! with the same pid.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use rustix::process::{Pid, Resource, Rlimit, Signal, getppid, setrlimit, setsid};

use super::super::Priority;
use super::group::ProcessGroup;
use super::handover::{Answer, Refusal};
use super::invocation::Invocation;
use super::launch_options::LaunchOptions;
use super::programs::VERSION;
use super::{mark, system};

/// The first argument of a program that is started as a shim.
pub(super) const SHIM_ARGUMENT: &str = "--meanwhile-launch";

/// The exit code of a shim that did not become the command. It says nothing: the answer does.
const NOT_EXECUTED: i32 = 126;

/// The option that the program is followed by its argument 0.
const WITH_ARG0: &str = "arg0";

/// The option of a session of its own.
const SESSION: &str = "session";

/// Returns the command that starts `shim` to become the program.
pub(super) fn command(
    shim: &Path,
    tag: &str,
    options: &LaunchOptions,
    group: ProcessGroup,
    invocation: &Invocation,
) -> Command {
    let mut command = Command::new(shim);
    command
        .args([SHIM_ARGUMENT, VERSION])
        .args(to_args(options));
    if group == ProcessGroup::Session {
        command.arg(SESSION);
    }
    if let Some(mark) = mark::of_tag(tag) {
        command.arg(format!("mark={mark}"));
    }
    let Invocation {
        program,
        arg0,
        args,
        ..
    } = invocation;
    if arg0.is_some() {
        command.arg(WITH_ARG0);
    }
    command.arg("--").arg(program).args(arg0).args(args);
    command
}

fn to_args(options: &LaunchOptions) -> Vec<String> {
    let mut args = vec![format!("parent={}", std::process::id())];
    if options.priority == Priority::Background {
        args.push("background".to_owned());
    }
    let limits = [
        ("as", options.address_space_bytes),
        ("cpu", options.cpu_time.map(|time| time.as_secs().max(1))),
        ("nofile", options.open_files),
    ];
    let limits = limits.into_iter();
    args.extend(limits.filter_map(|(name, limit)| Some(format!("{name}={}", limit?))));
    args
}

/// Prepares this process and executes the command. Returns the exit code if that fails.
pub(super) fn run(args: impl Iterator<Item = OsString>) -> i32 {
    match Answer::take_over_stdin() {
        Ok(answer) => answer.send(&become_command(args)),
        Err(error) => return fail(&error),
    }
    NOT_EXECUTED
}

/// Executes the command. Returns why it could not.
fn become_command(mut args: impl Iterator<Item = OsString>) -> Refusal {
    if args.next().is_none_or(|version| version != VERSION) {
        return Refusal::OtherVersion;
    }
    let mut has_arg0 = false;
    for option in args.by_ref().take_while(|arg| arg != "--") {
        if option == WITH_ARG0 {
            has_arg0 = true;
            continue;
        }
        if let Err(error) = apply(&option.to_string_lossy()) {
            return Refusal::Option(format!("can't set {}: {error}", option.display()));
        }
    }
    let Some(program) = args.next() else {
        return Refusal::Option("there is no program to run".to_owned());
    };
    let mut command = Command::new(&program);
    if let Some(name) = has_arg0.then(|| args.next()).flatten() {
        command.arg0(name);
    }
    Refusal::NotExecuted(command.args(args).exec())
}

fn apply(option: &str) -> io::Result<()> {
    let unknown = || io::Error::other("this launcher does not know it");
    if option == "background" {
        system::set_background_priority();
        return Ok(());
    }
    if option == SESSION {
        setsid()?;
        return Ok(());
    }
    let (name, value) = option.split_once('=').ok_or_else(unknown)?;
    let value: u64 = value.parse().map_err(io::Error::other)?;
    match name {
        "parent" => exit_with_parent(value),
        "as" => limit(Resource::As, value),
        "cpu" => limit(Resource::Cpu, value),
        // Without the mark the tag remains.
        "mark" => system::set_mark(value).or(Ok(())),
        "nofile" => limit(Resource::Nofile, value),
        _ => Err(unknown()),
    }
}

/// Has the system kill this process when its parent exits. Fails if the parent has exited already.
fn exit_with_parent(parent: u64) -> io::Result<()> {
    system::set_parent_death_signal(Signal::KILL)?;
    let parent_now = getppid().map_or(0, Pid::as_raw_pid);
    if u64::try_from(parent_now) == Ok(parent) {
        Ok(())
    } else {
        Err(io::Error::other("the program that asked for it has ended"))
    }
}

fn limit(resource: Resource, value: u64) -> io::Result<()> {
    let limit = Rlimit {
        current: Some(value),
        maximum: Some(value),
    };
    Ok(setrlimit(resource, limit)?)
}

#[expect(clippy::print_stderr, reason = "there is no program to tell")]
fn fail(error: &io::Error) -> i32 {
    eprintln!("a program starts commands through this argument, it is nothing to type: {error}");
    NOT_EXECUTED
}
