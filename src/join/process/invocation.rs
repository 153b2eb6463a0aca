//! The program, arguments, environment and folder of a process; and the errors of its start.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::io::Errno;

use super::error::SpawnError;
use super::tag::TAG_VARIABLE;
use super::user::User;
use super::{lookup, tag};

#[derive(Clone, Debug, Default)]
pub(super) struct Invocation {
    pub(super) program: OsString,
    /// The file of a program that was given by its name alone.
    found: Option<OsString>,
    /// The argument 0; that is the program if it is `None`.
    pub(super) arg0: Option<OsString>,
    pub(super) args: Vec<OsString>,
    /// The variables that are set, or removed (`None`).
    pub(super) env: BTreeMap<OsString, Option<OsString>>,
    pub(super) env_is_cleared: bool,
    pub(super) current_dir: Option<PathBuf>,
    pub(super) user: User,
}

impl Invocation {
    pub(super) fn of_program(program: &OsStr) -> Self {
        Self {
            program: program.to_owned(),
            ..Self::default()
        }
    }

    /// Takes over what can be read from a command.
    pub(super) fn of_command(command: &Command) -> Self {
        let variables = command.get_envs();
        let variables = variables.map(|(name, value)| (name.to_owned(), value.map(Into::into)));
        Self {
            program: command.get_program().to_owned(),
            args: command.get_args().map(Into::into).collect(),
            env: variables.collect(),
            env_is_cleared: clears_env(command),
            current_dir: command.get_current_dir().map(Into::into),
            ..Self::default()
        }
    }

    /// Returns the program as it was given.
    pub(super) fn program_name(&self) -> String {
        self.program.to_string_lossy().into_owned()
    }

    /// Returns the program without its folder.
    pub(super) fn file_name(&self) -> String {
        let file_name = Path::new(&self.program).file_name();
        let file_name = file_name.unwrap_or(&self.program);
        file_name.to_string_lossy().into_owned()
    }

    /// Sets the environment and the folder of a command.
    pub(super) fn apply_to(&self, command: &mut Command) {
        if self.env_is_cleared {
            command.env_clear();
        }
        for (name, value) in &self.env {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if let Some(dir) = &self.current_dir {
            command.current_dir(dir);
        }
    }

    /// Returns the whole environment of the process with this tag, each variable as `name=value`.
    pub(super) fn all_variables(&self, tag: &str) -> Vec<OsString> {
        let inherited = (!self.env_is_cleared).then(std::env::vars_os);
        let mut all: BTreeMap<OsString, OsString> = inherited.into_iter().flatten().collect();
        for (name, value) in &self.env {
            match value {
                Some(value) => all.insert(name.clone(), value.clone()),
                None => all.remove(name),
            };
        }
        all.insert(TAG_VARIABLE.into(), tag::variable_for(tag));
        let joined = all.into_iter().map(|(mut name, value)| {
            name.push("=");
            name.push(value);
            name
        });
        joined.collect()
    }

    /// Checks for errors that the system reports unclearly.
    pub(super) fn check(&self) -> Result<(), SpawnError> {
        if self.program.is_empty() {
            return Err(SpawnError::EmptyName);
        }
        if let Some(what) = self.text_with_nul() {
            let program = self.program_name();
            return Err(SpawnError::Nul { program, what });
        }
        let Some(path) = &self.current_dir else {
            return Ok(());
        };
        lookup::check_folder(path).map_err(|cause| SpawnError::WorkingDirectory {
            path: path.clone(),
            cause,
        })
    }

    /// Finds the program, and checks for what the `exec` of a launcher does not refuse: it passes other files
    /// to the shell.
    pub(super) fn find(&mut self) -> Result<(), SpawnError> {
        let program = self.find_program().map_err(|source| self.explain(source))?;
        if !lookup::is_executable_format(&program) {
            return Err(self.explain(Errno::NOEXEC.into()));
        }
        let is_name = !self.program.as_bytes().contains(&b'/');
        // Another user may find another one, and so may a process in another folder.
        let is_sure = is_name && program.is_absolute() && !self.user.is_set();
        self.found = is_sure.then(|| program.into_os_string());
        Ok(())
    }

    /// Returns the program for the `exec` of a launcher, which need not search again for one that was found,
    /// and the argument 0 if that is another one.
    pub(super) fn program_and_arg0(&self) -> (&OsStr, Option<&OsStr>) {
        let arg0 = self.arg0.as_deref();
        match &self.found {
            Some(found) => (found, arg0.or(Some(&self.program))),
            None => (&self.program, arg0),
        }
    }

    /// Returns the name of the text that contains a NUL character, such as `argument 2`.
    fn text_with_nul(&self) -> Option<String> {
        let has_nul = |text: &OsStr| text.as_bytes().contains(&0);
        if has_nul(&self.program) {
            return Some("the name".to_owned());
        }
        if self.arg0.as_deref().is_some_and(has_nul) {
            return Some("argument 0".to_owned());
        }
        if let Some(index) = self.args.iter().position(|arg| has_nul(arg)) {
            return Some(format!("argument {}", index + 1));
        }
        let mut variables = self.env.iter();
        let variable =
            variables.find(|(name, value)| has_nul(name) || value.as_deref().is_some_and(has_nul));
        if let Some((name, _)) = variable {
            return Some(format!("the variable {}", name.to_string_lossy()));
        }
        let dir = self.current_dir.as_deref();
        let is_dir = dir.is_some_and(|dir| has_nul(dir.as_os_str()));
        is_dir.then(|| "the working directory".to_owned())
    }

    /// Turns an error of the system into one that names the cause.
    pub(super) fn explain(&self, source: io::Error) -> SpawnError {
        let bytes = self.args.iter().map(|arg| arg.len() + 1).sum();
        let is_missing = source.kind() == io::ErrorKind::NotFound;
        let is_refused = source.kind() == io::ErrorKind::PermissionDenied;
        match (is_missing, self.find_program()) {
            (_, found) if self.is_refused_user(&source, found.is_ok()) => SpawnError::User {
                program: self.program_name(),
                user: self.user.to_string(),
                cause: source,
            },
            (true, Ok(_)) => SpawnError::InterpreterNotFound {
                program: self.program_name(),
            },
            (_, Err(found)) if is_refused && found.kind() == io::ErrorKind::IsADirectory => {
                SpawnError::of_system(self.program_name(), bytes, found)
            }
            // The program is hidden in a folder that may not be entered.
            (true, Err(found)) if found.kind() == io::ErrorKind::PermissionDenied => {
                SpawnError::of_system(self.program_name(), bytes, found)
            }
            _ => SpawnError::of_system(self.program_name(), bytes, source),
        }
    }

    /// Whether an error is one of the user or group. `may_run` says whether this program may run the
    /// command itself.
    fn is_refused_user(&self, source: &io::Error, may_run: bool) -> bool {
        let errno = Errno::from_io_error(source);
        let is_refusal = match errno {
            // This program may not change to it, or there is no such number.
            Some(Errno::PERM | Errno::INVAL) => true,
            Some(Errno::ACCESS) => may_run,
            _ => false,
        };
        self.user.is_set() && is_refusal
    }

    fn find_program(&self) -> io::Result<PathBuf> {
        let dir = self.current_dir.as_deref().unwrap_or(Path::new(""));
        lookup::find_program(&self.program, dir, &self.path_variable())
    }

    fn path_variable(&self) -> OsString {
        match self.env.get(OsStr::new("PATH")) {
            Some(path) => path.clone(),
            None if self.env_is_cleared => None,
            None => std::env::var_os("PATH"),
        }
        .unwrap_or_else(|| "/bin:/usr/bin".into())
    }
}

/// Whether the command clears the environment. Std shows that only in the text of the command, which
/// begins with `env -i` then, after the folder.
#[expect(
    clippy::unnecessary_debug_formatting,
    reason = "std shows the folder so"
)]
fn clears_env(command: &Command) -> bool {
    let text = format!("{command:?}");
    let folder = command.get_current_dir();
    let folder = folder.map_or_else(String::new, |dir| format!("cd {dir:?} && "));
    let invocation = text.strip_prefix(&folder);
    invocation.is_some_and(|text| text.starts_with("env -i "))
}
