//! Panics as values: what a joiner learns of one, a payload of any type, passing it on, and a panic
//! that nobody joins.
//!
//! `cargo run -p meanwhile-join --example panic_report`

use std::error::Error;
use std::io::Write;
use std::panic::panic_any;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use meanwhile_join::{self as join, JoinError};

struct Code(u32);

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout();

    // Without a listener, a panic that no join returns is printed on stderr.
    let (send, unseen) = sync_channel(1);
    join::on_panic(move |report| drop(send.send(report.to_string())));
    drop(join::spawn("forgotten", |_| panic!("nobody joins this"))?);
    writeln!(
        out,
        "unseen: {}",
        unseen.recv_timeout(Duration::from_secs(10))?
    )?;

    // Every joiner gets the report, and nothing is printed.
    let index = join::spawn("index", |_| ["a", "b"][std::env::args().count() + 1])?;
    if let Err(JoinError::Panicked(report)) = index.join() {
        writeln!(out, "{}: {}", report.task_name(), report.message())?;
        let place = report.location().map(ToString::to_string);
        writeln!(out, "at {}", place.unwrap_or_default())?;
    }

    // A payload is given away once. Here a task passes on the panic of another one.
    let outer = join::spawn_owned("outer", |_| {
        let inner = join::spawn_owned("inner", |_| panic_any(Code(42)))?;
        let outcome: Result<(), JoinError> = inner.join_into();
        outcome.unwrap_or_else(|error| error.resume_unwind());
        Ok::<(), join::SpawnError>(())
    })?;
    if let Err(JoinError::Panicked(report)) = outer.join_into() {
        let payload = report.take_payload();
        if let Some(code) = payload.and_then(|payload| payload.downcast::<Code>().ok()) {
            writeln!(out, "{} passed on code {}", report.task_name(), code.0)?;
        }
    }
    Ok(())
}
