//! One cancel reaches all that belongs to it: the tasks, waits and processes of a tab, of a window,
//! or of the whole program, and nothing else.
//!
//! `cargo run -p meanwhile-join --example cancel_tree`

use std::error::Error;
use std::io::Write;
use std::time::Duration;

use meanwhile_join::process::{self, Process};
use meanwhile_join::{
    self as join, Builder, CancelToken, Cancelled, Context, SpawnError, Task, cancellable,
};

fn main() -> Result<(), Box<dyn Error>> {
    let program = CancelToken::new();
    let window = program.child();
    let (left, right) = (window.child(), window.child());
    let saving = long_work("saving", &program)?;
    let tabs = [Tab::open("left", &left)?, Tab::open("right", &right)?];

    for (name, token) in [
        ("left tab", &left),
        ("window", &window),
        ("program", &program),
    ] {
        token.cancel();
        // All waits of this library end with the cancel, so the outcomes come at once.
        for tab in tabs.iter().filter(|tab| tab.token.is_cancelled()) {
            tab.search.join().err();
            tab.viewer.join()?;
        }
        if program.is_cancelled() {
            saving.join().err();
        }
        let tasks = join::live_tasks().into_iter().map(|task| task.name);
        let processes = process::live_processes()
            .into_iter()
            .map(|process| process.name);
        let running: Vec<_> = tasks.chain(processes).collect();
        writeln!(
            std::io::stdout(),
            "the {name} is cancelled, and these run on: {running:?}"
        )?;
    }
    Ok(())
}

type Work = Task<Result<(), Cancelled>>;

/// A search, and a viewer that is another program.
struct Tab {
    token: CancelToken,
    search: Work,
    viewer: Process,
}

impl Tab {
    fn open(name: &str, token: &CancelToken) -> Result<Self, Box<dyn Error>> {
        let viewer = process::Builder::new("sleep")
            .arg("3600")
            .name(format!("{name} viewer"));
        Ok(Self {
            token: token.clone(),
            search: long_work(format!("{name} search"), token)?,
            viewer: viewer.cancel_token(token).spawn()?,
        })
    }
}

fn long_work(name: impl Into<String>, token: &CancelToken) -> Result<Work, SpawnError> {
    let work = |context: &Context| context.sleep(Duration::from_secs(3_600));
    Builder::new(name)
        .cancel_token(token)
        .spawn(cancellable(work))
}
