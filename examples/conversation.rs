//! Talks with another program: sends it one number after the other and reads each answer, with a limit
//! of time. The program here is a shell that squares numbers.
//!
//! `cargo run -p meanwhile-join --example conversation -- NUMBER…`

use std::io::Write;
use std::time::Duration;

use anyhow::{Context, bail};
use meanwhile_join::process::{Builder, Stream};

fn main() -> anyhow::Result<()> {
    let numbers = std::env::args().skip(1).map(|text| text.parse());
    let mut numbers = numbers.collect::<Result<Vec<u32>, _>>()?;
    if numbers.is_empty() {
        numbers.extend([7, 12, 1_000]);
    }

    // No question waits for a shell that reads none.
    let script = "while read -r n; do echo $((n * n)); done";
    let shell = Builder::new("sh").args(["-c", script]).stdin_buffered();
    // An early return ends the shell, too.
    let shell = shell.kill_on_drop(true).spawn()?;
    let mut questions = shell.take_writer().context("its input was taken before")?;
    let mut answers = shell.lines(Stream::Stdout);
    for number in numbers {
        writeln!(questions, "{number}")?;
        match answers.next_timeout(Duration::from_secs(10)) {
            Ok(Some(square)) => writeln!(std::io::stdout(), "{number}² = {square}")?,
            Ok(None) => bail!(
                "the shell {}: {}",
                shell.join()?,
                shell.output().stderr.text()
            ),
            Err(_late) => bail!("no answer to {number} in ten seconds"),
        }
    }
    drop(questions); // The shell ends with its input.
    shell.join_checked()?;
    Ok(())
}
