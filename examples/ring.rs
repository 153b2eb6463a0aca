//! Three parts of a program need each other before they can start. Instead of a program that never
//! starts, one of them gets an error that names the ring.
//!
//! `cargo run -p meanwhile-join --example ring`

use std::error::Error;
use std::io::Write;
use std::sync::OnceLock;

use meanwhile_join::{self as join, JoinError, Task, TaskId};

/// Each part, and the one that it needs.
const NEEDS: [(&str, &str); 3] = [
    ("settings", "plugins"),
    ("plugins", "theme"),
    ("theme", "settings"),
];

type Part = Task<Result<(), JoinError>>;

static PARTS: OnceLock<Vec<Part>> = OnceLock::new();

fn main() -> Result<(), Box<dyn Error>> {
    let mut parts = Vec::new();
    for (name, needs) in NEEDS {
        parts.push(join::spawn(name, move |_| start_after(needs))?);
    }
    let parts = PARTS.get_or_init(|| parts);
    for part in parts {
        let text = match part.join()? {
            Ok(()) => "started".to_owned(),
            Err(JoinError::WouldDeadlock { cycle }) => {
                let names: Vec<&str> = cycle.iter().map(|id| name_of(*id)).collect();
                format!("not started: {} need each other", names.join(", "))
            }
            Err(error) => error.to_string(),
        };
        writeln!(std::io::stdout(), "{}: {text}", part.name())?;
    }
    Ok(())
}

/// The join that would close the ring is refused at once. Then the other parts fail for that reason.
fn start_after(needs: &str) -> Result<(), JoinError> {
    let parts = PARTS.wait();
    let needed = parts.iter().find(|part| part.name() == needs);
    needed.map_or(Ok(()), |part| part.join()?.clone())
}

fn name_of(id: TaskId) -> &'static str {
    let part = PARTS.wait().iter().find(|part| part.id() == id);
    part.map_or("?", Task::name)
}
