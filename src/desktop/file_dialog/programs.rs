//! The dialogs of `zenity` and `kdialog`, for desktops without a portal.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use memchr::memmem;

use super::{DialogAnswer, DialogRequest, picked};
use crate::join::CancelToken;
use crate::join::process::{Builder, Exit, LaunchOptions, Launcher};

/// What is kept of the paths that a program prints: about a million of them.
const MAX_OUTPUT: usize = 64 << 20;

/// What zenity prints between two paths. With the slash that begins the next one there are three, and no path that it
/// prints has two.
const SEPARATOR: &str = "//";

#[derive(Clone, Copy)]
enum Program {
    Zenity,
    Kdialog,
}

/// Both, that of the desktop first.
fn programs() -> [Program; 2] {
    let desktop = std::env::var("XDG_CURRENT_DESKTOP").unwrap_or_default();
    if desktop.split(':').any(|name| name == "KDE") {
        [Program::Kdialog, Program::Zenity]
    } else {
        [Program::Zenity, Program::Kdialog]
    }
}

/// Shows the dialog of the first program that is there, and waits for the answer. A cancel closes it.
pub(super) fn show(request: &DialogRequest, token: &CancelToken) -> DialogAnswer {
    let mut programs = programs().into_iter();
    let answer = programs.find_map(|program| program.show(request, token));
    answer.unwrap_or(DialogAnswer::Unavailable)
}

/// The name of the program that would show a dialog, if one is there.
pub(super) fn installed() -> Option<&'static str> {
    let path = std::env::var_os("PATH")?;
    let names = programs().map(Program::name);
    names
        .into_iter()
        .find(|name| std::env::split_paths(&path).any(|folder| folder.join(name).is_file()))
}

impl Program {
    fn name(self) -> &'static str {
        match self {
            Self::Zenity => "zenity",
            Self::Kdialog => "kdialog",
        }
    }

    /// Returns `None` if the program showed no dialog.
    fn show(self, request: &DialogRequest, token: &CancelToken) -> Option<DialogAnswer> {
        let process = self.dialog(request).cancel_token(token).spawn().ok()?;
        let exit = process.join().ok()?;
        let printed = process.output().stdout;
        match exit {
            Exit::Code(0) if printed.dropped > 0 => Some(DialogAnswer::NoPath),
            Exit::Code(0) => Some(self.picked(&printed.bytes)),
            Exit::Code(1) => Some(DialogAnswer::Cancelled),
            _ => None,
        }
    }

    fn dialog(self, request: &DialogRequest) -> Builder {
        let args = match self {
            Self::Zenity => zenity_args(request),
            Self::Kdialog => kdialog_args(request),
        };
        let builder = Builder::new(self.name())
            .args(args)
            .daemon(true)
            .output_limit(MAX_OUTPUT);
        match Launcher::installed() {
            Some(launcher) => builder.launched_by(&launcher, LaunchOptions::default()),
            None => builder,
        }
    }

    fn picked(self, printed: &[u8]) -> DialogAnswer {
        let printed = printed.strip_suffix(b"\n").unwrap_or(printed);
        let between = match self {
            Self::Zenity => "///",
            Self::Kdialog => "\n/",
        };
        paths_in(printed, between).map_or(DialogAnswer::NoPath, picked)
    }
}

fn zenity_args(request: &DialogRequest) -> Vec<&str> {
    let mut args = vec!["--file-selection", "--title", request.title()];
    if request.is_for_many() {
        args.extend(["--multiple", "--separator", SEPARATOR]);
    }
    if request.is_for_folders() {
        args.push("--directory");
    }
    if let DialogRequest::Save { file_name, .. } = request {
        args.extend(["--save", "--confirm-overwrite", "--filename", file_name]);
    }
    args
}

fn kdialog_args(request: &DialogRequest) -> Vec<&str> {
    let mut args = vec!["--title", request.title()];
    match request {
        DialogRequest::Files => {
            args.extend(["--multiple", "--separate-output", "--getopenfilename"]);
        }
        DialogRequest::File { .. } => args.push("--getopenfilename"),
        DialogRequest::Folders | DialogRequest::Folder { .. } => {
            args.push("--getexistingdirectory");
        }
        DialogRequest::Save { file_name, .. } => args.extend(["--getsavefilename", file_name]),
    }
    args
}

/// Returns `None` if it is no list of absolute paths: for a name that is not UTF-8, zenity prints `(null)`, and
/// kdialog a replacement character.
fn paths_in(printed: &[u8], between: &str) -> Option<Vec<PathBuf>> {
    // Each path without its first slash.
    let rest = printed.strip_prefix(b"/")?;
    let ends = memmem::find_iter(rest, between).chain([rest.len()]);
    let mut begin = 0;
    let paths = ends.map(|end| {
        let path = rest.get(begin..end)?;
        begin = end + between.len();
        let is_lost = |mark: &str| memmem::find(path, mark.as_bytes()).is_some();
        let path = [b"/", path].concat();
        (!is_lost("//") && !is_lost("\u{fffd}")).then(|| OsStr::from_bytes(&path).into())
    });
    paths.collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{DialogAnswer, Program};

    fn paths(paths: &[&str]) -> DialogAnswer {
        DialogAnswer::Picked(paths.iter().map(PathBuf::from).collect())
    }

    #[test]
    fn names_with_separators_stay_whole() {
        let zenity = |printed: &str| Program::Zenity.picked(printed.as_bytes());
        assert_eq!(zenity("/a|b\n"), paths(&["/a|b"]));
        assert_eq!(zenity("/a\nb///c d\n"), paths(&["/a\nb", "/c d"]));
        let kdialog = |printed: &str| Program::Kdialog.picked(printed.as_bytes());
        assert_eq!(kdialog("/a|b\n/c\nd\n"), paths(&["/a|b", "/c\nd"]));
    }

    #[test]
    fn names_that_are_not_utf_8_are_no_path() {
        for printed in [
            "(null)\n",
            "/a//(null)\n",
            "(null)///a\n",
            "/a//(null)///b\n",
            "\n",
        ] {
            let answer = Program::Zenity.picked(printed.as_bytes());
            assert_eq!(answer, DialogAnswer::NoPath, "{printed}");
        }
        let answer = Program::Kdialog.picked("/a\n/\u{fffd}\n".as_bytes());
        assert_eq!(answer, DialogAnswer::NoPath);
    }
}
