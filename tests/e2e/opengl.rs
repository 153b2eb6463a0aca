//! A desktop without OpenGL.

use std::fs::{self, File};

use crate::session::Session;
use crate::window::program;

/// The libraries of OpenGL, by the names that programs load.
const LIBRARIES: [&str; 4] = ["libEGL.so", "libEGL.so.1", "libGL.so", "libGL.so.1"];

/// Starts the program without the libraries of OpenGL, and then without a driver. Each time, the last thing that it
/// says is one sentence that names packages.
pub(crate) fn assert_its_absence_is_said(session: &Session) {
    let folder = session.home().join("empty");
    fs::create_dir(&folder).expect("the home is ours");
    for library in LIBRARIES {
        File::create(folder.join(library)).expect("the home is ours");
    }
    let program = session.readable(&program());
    for (variable, value, why) in [
        (
            "LD_LIBRARY_PATH",
            folder.as_path(),
            "(its library could not be loaded)",
        ),
        ("LIBGL_DRIVERS_PATH", "/nonexistent".as_ref(), ""),
    ] {
        let mut command = session.command(&program);
        let output = command.env(variable, value).output().expect("it starts");
        let messages = String::from_utf8(output.stderr).expect("messages are text");
        assert_eq!(output.status.code(), Some(1), "{messages}");
        let last = messages.lines().last().unwrap_or_default();
        let begin = "meanwhile: Could not open a window: OpenGL does not work here ";
        let advice =
            "or Debian's packages libegl1 libgl1 libgl1-mesa-dri. Without a window, this works: ";
        let is_said = last.starts_with(begin) && last.contains(advice) && last.contains(why);
        assert!(is_said, "{variable}: {messages}");
        assert!(!messages.contains("panicked"), "{messages}");
    }
}

#[test]
#[ignore = "needs a screen; tests/all.sh runs it"]
fn missing_opengl_is_said_with_its_packages() {
    assert_its_absence_is_said(&Session::start("no-opengl"));
}
