//! The program without a display.

use std::process::{Command, Output};

fn start(displays: &[(&str, &str)]) -> Output {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let mut program = Command::new(env!("CARGO_BIN_EXE_meanwhile"));
    for name in ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"] {
        program.env_remove(name);
    }
    program.envs(displays.iter().copied());
    program.env(meanwhile::app::CONFIG_DIR_VARIABLE, dir.path());
    program.output().expect("the program starts")
}

#[test]
#[cfg(target_os = "linux")]
fn missing_display_names_packages_and_a_command() {
    for display in [None, Some(("DISPLAY", ":54321"))] {
        let output = start(display.as_slice());
        assert!(!output.status.success());
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains("meanwhile run checksum"), "{stderr}");
        let names_packages = stderr.contains("xvfb") && stderr.contains("libegl1");
        assert!(display.is_some() || names_packages, "{stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn missing_compositor_is_named_with_its_socket() {
    let output = start(&[
        ("WAYLAND_DISPLAY", "wayland-7"),
        ("XDG_RUNTIME_DIR", "/nowhere"),
    ]);
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        stderr.contains("WAYLAND_DISPLAY names /nowhere/wayland-7, where no compositor answers"),
        "{stderr}"
    );
}
