//! Prints the most frequent words of a text, counted by a pipeline of programs. If one of them
//! fails, the error names it.
//!
//! `cargo run -p meanwhile-join --example pipeline -- FILE`, by default this file.

use std::io::Write;

use meanwhile_join::process::{Builder, Stream};

fn main() -> anyhow::Result<()> {
    let words = Builder::new("tr").args(["-cs", "[:alpha:]", "\\n"]);
    let words = match std::env::args_os().nth(1) {
        Some(file) => words.stdin_file(file),
        None => words.stdin_bytes(include_str!("pipeline.rs")),
    };
    let pipeline = words
        .pipe_to(Builder::new("sort"))
        .pipe_to(Builder::new("uniq").arg("-c"))
        .pipe_to(Builder::new("sort").arg("-rn"))
        .spawn()?;

    // The lines come as they are printed, before the pipeline has ended.
    for line in pipeline.last().lines(Stream::Stdout).take(5) {
        writeln!(std::io::stdout(), "{line}")?;
    }
    pipeline.join_checked()?;
    Ok(())
}
