//! Says what a process waits for: `cargo run -p meanwhile-explain --example why -- PID`.

#![expect(clippy::print_stdout, reason = "it prints what it found")]

use std::process::ExitCode;

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let pid = std::env::args()
        .nth(1)
        .ok_or("Give the id of a process.")?
        .parse()?;
    let graph = meanwhile_explain::process(pid)?;
    println!("{}", graph.sentence());
    // Rings need somebody to end them, so a script can tell them apart.
    Ok(if graph.rings().is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(4)
    })
}
