//! The small program beside the program of a launcher.

use super::spawning::executable;
use super::{Builder, launching_program};
use crate::util::files::folder;

/// A shim of another version, and a supervisor that ends at once. It leaves a file beside it.
const OTHER_VERSION: &str = "#!/bin/sh
: > \"$0.used\"
if [ $1 = --meanwhile-launch ]; then printf 'version ' >&0; fi
";

#[test]
fn command_starts_though_the_small_program_is_unfit() {
    for mode in ["644", "755"] {
        let folder = folder();
        let own = folder.path().join("limits");
        let small = folder.path().join("meanwhile-supervise");
        let other_version = executable(folder.path(), OTHER_VERSION);
        for (from, to, mode) in [
            (launching_program(), &own, "755"),
            (other_version, &small, mode),
        ] {
            let copy = Builder::new("install").args(["-m", mode]).arg(from).arg(to);
            copy.spawn().unwrap().join_checked().unwrap();
        }
        let program = Builder::new(&own).args(["60", "echo", "started"]);
        let output = program.spawn().unwrap().join_checked().unwrap();
        assert_eq!(output.stdout.text(), "started\n");
        let is_used = folder.path().join("meanwhile-supervise.used").exists();
        assert_eq!(is_used, mode == "755");
    }
}
