//! T16: a program that is built with `panic = "abort"`, where nothing can unwind.

use std::path::Path;
use std::process::{Command, Output};
use std::{env, fs};

const MANIFEST: &str = r#"
[package]
name = "aborts"
edition = "2024"

[dependencies]
meanwhile-join = { path = "LIBRARY", default-features = false }

[profile.dev]
panic = "abort"
debug = false

[workspace]
"#;

const PROGRAM: &str = r#"
use meanwhile_join::{self as join, Cancelled, JoinError};

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("cancel") => cancel(),
        _ => drop(join::spawn("divide", |_| panic!("no remainder")).unwrap().join()),
    }
}

fn cancel() {
    let (send, running) = std::sync::mpsc::channel();
    let task = join::spawn("obeys", move |context| {
        send.send(()).unwrap();
        while !context.is_cancelled() {
            std::thread::yield_now();
        }
        context.checkpoint();
        "went on"
    });
    let task = task.unwrap();
    running.recv().unwrap();
    task.cancel();
    assert_eq!(*task.join().unwrap(), "went on");

    let (send, running) = std::sync::mpsc::channel();
    let task = join::spawn("checks", join::cancellable(move |context| {
        send.send(()).unwrap();
        loop {
            context.check()?;
        }
        #[expect(unreachable_code)]
        Ok::<(), Cancelled>(())
    }));
    let task = task.unwrap();
    running.recv().unwrap();
    task.cancel();
    assert!(matches!(task.join(), Err(JoinError::Cancelled)));
    println!("survived");
}
"#;

#[test]
#[ignore = "builds the library anew; tests/all.sh runs it"]
fn t16_abort_keeps_the_message_and_survives_a_cancel() {
    let folder = tempfile::tempdir().unwrap();
    let library = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = MANIFEST.replace("LIBRARY", library.to_str().unwrap());
    fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
    fs::create_dir(folder.path().join("src")).unwrap();
    fs::write(folder.path().join("src/main.rs"), PROGRAM).unwrap();
    // The versions that this build has, so that nothing is downloaded.
    let locked = library.join("../../Cargo.lock");
    fs::copy(locked, folder.path().join("Cargo.lock")).unwrap();
    let test = env::current_exe().unwrap();
    let target = test.ancestors().nth(3).unwrap().join("abort");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--offline", "--quiet", "--target-dir"])
        .arg(&target)
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", stderr(&built));
    let run = |case: &str| {
        let program = target.join("debug/aborts");
        Command::new(program).arg(case).output().unwrap()
    };
    let panicked = run("panic");
    assert!(!panicked.status.success());
    let message = stderr(&panicked);
    assert!(message.contains("thread 'divide'"), "{message}");
    assert!(message.contains("src/main.rs:7:"), "{message}");
    assert!(message.contains("no remainder"), "{message}");
    let cancelled = run("cancel");
    assert!(cancelled.status.success(), "{}", stderr(&cancelled));
    assert_eq!(cancelled.stdout, b"survived\n");
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
