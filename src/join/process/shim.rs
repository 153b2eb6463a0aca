//! The shim, which is this program, started to prepare itself and become another program.
//!
//! Only the process itself can request to be killed when its parent exits, set its limits and lower
//! its priority, before it runs its program. No safe Rust may run between `fork` and `exec`, and
//! `fork` copies the page tables of a large program. So the program starts itself, which costs the
//! same whatever its size. The shim does those things in ordinary code, then executes the command
//! with the same pid.
//!
//! A shim can also be started ahead of the command (`ahead.rs`). It waits for a request, which has what
//! another shim finds in its arguments, its environment and its streams.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::io::Errno;
use rustix::process::{Pid, Resource, Rlimit, Signal, fchdir, getppid, setpgid, setrlimit, setsid};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};

use super::super::Priority;
use super::group::ProcessGroup;
use super::handover::{Answer, Received, Refusal};
use super::invocation::Invocation;
use super::launch_options::LaunchOptions;
use super::programs::VERSION;
use super::request::Request;
use super::user::User;
use super::{mark, system};

/// The first argument of a program that is started as a shim.
pub(super) const SHIM_ARGUMENT: &str = "--meanwhile-launch";

/// The exit code of a shim that did not become the command. It says nothing: the answer does.
const NOT_EXECUTED: i32 = 126;

/// The option that the program is followed by its argument 0.
const WITH_ARG0: &str = "arg0";

/// The argument of a shim that waits for a request.
const WAIT: &str = "wait";

/// The option that the user of the command must be allowed to enter the folder.
const ENTER: &str = "enter";

/// The option of a session of its own.
const SESSION: &str = "session";

/// What a shim is to become.
pub(super) struct Target<'a> {
    pub(super) tag: &'a str,
    pub(super) options: &'a LaunchOptions,
    pub(super) group: ProcessGroup,
    pub(super) invocation: &'a Invocation,
}

impl Target<'_> {
    /// Returns the command that starts `shim` to become the program.
    pub(super) fn command(&self, shim: &Path) -> Command {
        let mut command = Command::new(shim);
        command.args([SHIM_ARGUMENT, VERSION]).args(self.args());
        command
    }

    /// Returns the request to a shim that waits in a group of its own. `own_group` is the group of this
    /// program.
    pub(super) fn request(&self, own_group: u32) -> Request {
        let group = match self.group {
            ProcessGroup::Own => None,
            // Only a process that leads no group can begin a session.
            ProcessGroup::Inherited | ProcessGroup::Session => Some(format!("group={own_group}")),
        };
        Request {
            args: group
                .map(Into::into)
                .into_iter()
                .chain(self.args())
                .collect(),
            folder: self.invocation.current_dir.clone(),
            variables: self.invocation.all_variables(self.tag),
        }
    }

    fn args(&self) -> Vec<OsString> {
        let mut args: Vec<OsString> = to_args(self.options).into_iter().map(Into::into).collect();
        if self.group == ProcessGroup::Session {
            args.push(SESSION.into());
        }
        if let Some(mark) = mark::of_tag(self.tag) {
            args.push(format!("mark={mark}").into());
        }
        let Invocation {
            user, current_dir, ..
        } = self.invocation;
        let (program, arg0) = self.invocation.program_and_arg0();
        args.extend(user.to_args().map(Into::into));
        if user.is_set() && current_dir.is_some() {
            args.push(ENTER.into());
        }
        if arg0.is_some() {
            args.push(WITH_ARG0.into());
        }
        args.extend(["--".into(), program.to_owned()]);
        args.extend(arg0.map(OsStr::to_owned));
        args.extend(self.invocation.args.iter().cloned());
        args
    }
}

/// Returns the command that starts `shim` to wait for a request.
pub(super) fn waiting(shim: &Path) -> Command {
    let mut command = Command::new(shim);
    command
        .arg0("meanwhile-shim")
        .args([SHIM_ARGUMENT, VERSION, WAIT, &parent_option()])
        // Ctrl-C and Ctrl-Z in a terminal do not reach it.
        .process_group(0)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

fn parent_option() -> String {
    format!("parent={}", std::process::id())
}

fn to_args(options: &LaunchOptions) -> Vec<String> {
    let mut args = vec![parent_option()];
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
    let args: Vec<OsString> = args.collect();
    let refused = match args.as_slice() {
        [version, wait, parent] if version == VERSION && wait == WAIT => await_request(parent),
        _ => Answer::take_over_stdin().map(|answer| answer.send(&become_command(args))),
    };
    match refused {
        Ok(()) => NOT_EXECUTED,
        Err(error) => fail(&error),
    }
}

/// Executes the command of a request. Returns once there comes none any more, or if that fails.
fn await_request(parent: &OsStr) -> io::Result<()> {
    apply(&parent.to_string_lossy())?;
    if let Some(received) = Received::wait()? {
        received.answer.confirm()?;
        let refusal = become_requested(&received.request, received.descriptors);
        received.answer.send(&refusal);
    }
    Ok(())
}

/// Executes the command of a request. Returns why it could not.
fn become_requested(request: &[u8], descriptors: Vec<OwnedFd>) -> Refusal {
    let Some(request) = Request::of_bytes(request) else {
        return Refusal::Option("the request can't be read".to_owned());
    };
    let moved = take_over(descriptors).and_then(|()| match &request.folder {
        Some(folder) => std::env::set_current_dir(folder),
        None => Ok(()),
    });
    if let Err(error) = moved {
        return Refusal::NotExecuted(error);
    }
    execute(request.args.into_iter(), |command| {
        command.env_clear();
        for variable in &request.variables {
            let (name, value) = split_variable(variable);
            command.env(name, value);
        }
    })
}

/// Takes over the streams and the folder of the program.
fn take_over(descriptors: Vec<OwnedFd>) -> io::Result<()> {
    let descriptors = <[OwnedFd; 4]>::try_from(descriptors);
    let [stdin, stdout, stderr, folder] =
        descriptors.map_err(|_others| io::Error::from(io::ErrorKind::UnexpectedEof))?;
    dup2_stdin(&stdin)?;
    dup2_stdout(&stdout)?;
    dup2_stderr(&stderr)?;
    Ok(fchdir(&folder)?)
}

/// Splits `name=value`. A name may begin with `=`.
fn split_variable(variable: &OsStr) -> (&OsStr, &OsStr) {
    let bytes = variable.as_bytes();
    let end = bytes.iter().skip(1).position(|byte| *byte == b'=');
    let (name, value) = bytes.split_at(end.map_or(bytes.len(), |end| end + 1));
    let value = value.strip_prefix(b"=").unwrap_or(value);
    (OsStr::from_bytes(name), OsStr::from_bytes(value))
}

/// Executes the command. Returns why it could not.
fn become_command(args: Vec<OsString>) -> Refusal {
    let mut args = args.into_iter();
    if args.next().is_none_or(|version| version != VERSION) {
        return Refusal::OtherVersion;
    }
    execute(args, |_inherits_environment| {})
}

/// Applies the options, and executes the command after them. Returns why it could not.
fn execute(
    mut args: impl Iterator<Item = OsString>,
    prepare: impl FnOnce(&mut Command),
) -> Refusal {
    let mut has_arg0 = false;
    let mut user = User::default();
    let mut enters = false;
    for option in args.by_ref().take_while(|arg| arg != "--") {
        if option == WITH_ARG0 {
            has_arg0 = true;
            continue;
        }
        if option == ENTER {
            enters = true;
            continue;
        }
        if user.take(&option.to_string_lossy()) {
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
    prepare(&mut command);
    if enters {
        // As the user, who is set before it.
        command.current_dir(".");
    }
    if user.is_set()
        && let Err(error) = become_user(user, &mut command)
    {
        return Refusal::NotExecuted(error);
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
        "group" => join_group(value),
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

/// Changes the user and the group of this process, or has `command` do it.
fn become_user(user: User, command: &mut Command) -> io::Result<()> {
    let parent = getppid().map_or(0, Pid::as_raw_pid);
    system::set_user(user, command)?;
    // The system has forgotten the request, because the user has changed.
    exit_with_parent(u64::try_from(parent).unwrap_or_default())
}

fn join_group(group: u64) -> io::Result<()> {
    let group = group.try_into().ok().and_then(Pid::from_raw);
    Ok(setpgid(None, Some(group.ok_or(Errno::SRCH)?))?)
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
