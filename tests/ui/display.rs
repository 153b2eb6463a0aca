//! The program without a display.

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
fn missing_display_names_packages_and_a_command() {
    for display in [None, Some(":54321")] {
        let output = start(display);
        assert!(!output.status.success());
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains("meanwhile run checksum"), "{stderr}");
        let names_packages = stderr.contains("xvfb") && stderr.contains("libegl1");
        assert!(display.is_some() || names_packages, "{stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
    }
}
