//! Turns a library with callbacks into tasks, which can be joined with a timeout and cancelled. No
//! thread waits for the callbacks.
//!
//! `cargo run -p meanwhile-join --example promise`

use std::error::Error;
use std::io::{self, Write};
use std::time::Duration;

use meanwhile_join::{JoinError, OwnedTask, Promise};

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = io::stdout();

    let page = page("index")?;
    writeln!(out, "{}", page.join_into()?)?;

    // What follows from an answer needs no callback in a callback.
    let length = self::page("index")?.map(|text| text.len());
    writeln!(out, "{} bytes", length.join_into()?)?;

    // The library never answers. The join ends in time all the same, and gives the handle back.
    let silent = self::page("silent")?;
    match silent.join_timeout_into(Duration::from_millis(100)) {
        Ok(page) => writeln!(out, "{}", page?)?,
        Err(silent) => {
            silent.cancel();
            writeln!(out, "no answer in time, now {:?}", silent.state())?;
        }
    }

    // The library drops the callback. No joiner waits forever.
    match self::page("missing")?.join_into() {
        Err(JoinError::Cancelled) => writeln!(out, "no answer will come")?,
        other => writeln!(out, "{other:?}")?,
    }
    Ok(())
}

fn page(name: &'static str) -> io::Result<OwnedTask<String>> {
    let (promise, page) = Promise::owned(name);
    callbacks::fetch(name, move |text| {
        promise.send(text).ok(); // nobody needs it after a cancel
    })?;
    Ok(page)
}

/// Stands for a library that calls back from its own threads.
mod callbacks {
    use std::io;
    use std::thread;

    pub(crate) fn fetch(
        name: &'static str,
        done: impl FnOnce(String) + Send + 'static,
    ) -> io::Result<()> {
        let answer = move || match name {
            "silent" => thread::park(),
            "missing" => drop(done),
            _ => done(format!("the page {name}")),
        };
        thread::Builder::new().spawn(answer).map(drop)
    }
}
