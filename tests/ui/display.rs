//! The program where no window can be opened.

use std::process::{Command, Output};

fn start(display: Option<&str>) -> Output {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let mut program = Command::new(env!("CARGO_BIN_EXE_meanwhile"));
    for name in ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"] {
        program.env_remove(name);
    }
    program.envs(display.map(|display| ("DISPLAY", display)));
    program.env(meanwhile::app::CONFIG_DIR_VARIABLE, dir.path());
    program.output().expect("the program starts")
}

#[test]
#[cfg(target_os = "linux")]
fn without_a_display_a_sentence_names_the_command_that_works() {
    for display in [None, Some(":54321")] {
        let output = start(display);
        assert!(!output.status.success());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("meanwhile run checksum"), "{said}");
        assert!(!said.contains("panicked"), "{said}");
    }
}
