//! The versions of the programs in Python and with std alone are valid.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use meanwhile::lessons::LessonId;

#[test]
fn every_std_program_compiles() {
    let folder = tempfile::tempdir().unwrap();
    for id in LessonId::all() {
        let source = folder.path().join("main.rs");
        fs::write(&source, id.lesson().plain_std).unwrap();
        let compiled = Command::new("rustc")
            .args([
                "--edition",
                "2024",
                "--emit",
                "metadata",
                "--deny",
                "warnings",
            ])
            .arg("--out-dir")
            .arg(folder.path())
            .arg(&source)
            .output()
            .expect("rustc starts");
        let errors = String::from_utf8_lossy(&compiled.stderr);
        assert!(compiled.status.success(), "{id}: {errors}");
    }
}

#[test]
fn every_python_program_compiles() {
    for id in LessonId::all() {
        let parser = Command::new("python3")
            .args([
                "-c",
                "import sys; compile(sys.stdin.read(), 'lesson', 'exec')",
            ])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut parser = parser.expect("python3 is installed by tests/all.sh");
        let mut stdin = parser.stdin.take().unwrap();
        stdin.write_all(id.lesson().python.as_bytes()).unwrap();
        drop(stdin);
        let parsed = parser.wait_with_output().unwrap();
        let errors = String::from_utf8_lossy(&parsed.stderr);
        assert!(parsed.status.success(), "{id}: {errors}");
    }
}
