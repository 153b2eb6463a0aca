//! Links the library that unwinds panics into the program.
//!
//! Where the libc is that of GNU, it is the shared `libgcc_s`. To load that takes a seventh of the time of a
//! start of the program, which is started for every command.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    if !has_shared_library() {
        return Ok(());
    }
    let Some(library) = static_library() else {
        return Ok(());
    };
    let folder = PathBuf::from(std::env::var("OUT_DIR")?);
    // What the linker finds first under the name of the shared library: a text that names another one.
    let text = format!("INPUT(\"{}\")\n", library.display());
    std::fs::write(folder.join("libgcc_s.so"), text)?;
    println!("cargo::rustc-link-search=native={}", folder.display());
    Ok(())
}

/// Whether the program is for this kind of machine and would be linked to the shared library.
fn has_shared_library() -> bool {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let is_static = variable("CARGO_CFG_TARGET_FEATURE")
        .split(',')
        .any(|feature| feature == "crt-static");
    variable("CARGO_CFG_TARGET_OS") == "linux"
        && variable("CARGO_CFG_TARGET_ENV") == "gnu"
        && variable("TARGET") == variable("HOST")
        && !is_static
}

/// Returns the static library if the compiler has one.
fn static_library() -> Option<PathBuf> {
    let linker = std::env::var_os("RUSTC_LINKER").unwrap_or_else(|| "cc".into());
    let mut command = Command::new(linker);
    command
        .arg("-print-file-name=libgcc_eh.a")
        .stderr(Stdio::null());
    let path = String::from_utf8(command.output().ok()?.stdout).ok()?;
    // Without such a library the answer is the name alone.
    let path = Path::new(path.trim());
    (path.is_absolute() && path.is_file()).then(|| path.to_owned())
}
