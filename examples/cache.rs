//! A cache of tasks: many ask for the same pages at the same time, and each page is fetched once.
//! The server is in the program.
//!
//! `cargo run -p meanwhile-join --example cache`

use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::bail;
use meanwhile_join::{self as join, Builder, Group, SpawnError, Task};

type Page = Task<io::Result<String>>;

/// A page is a task, in flight or done, and stays one if it fails. Whoever asks joins the same one.
struct Cache {
    server: SocketAddr,
    pages: Mutex<HashMap<&'static str, Page>>,
}

impl Cache {
    fn page(&self, path: &'static str) -> Result<Page, SpawnError> {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(page) = pages.get(path) {
            return Ok(page.clone());
        }
        let server = self.server;
        let page = join::spawn(path, move |_| fetch(server, path))?;
        pages.insert(path, page.clone());
        Ok(page)
    }
}

fn main() -> anyhow::Result<()> {
    let cache = Arc::new(Cache {
        server: start_server()?,
        pages: Mutex::default(),
    });
    let mut readers = Group::new();
    for number in 0..20 {
        let cache = cache.clone();
        let path = if number % 2 == 0 { "/even" } else { "/odd" };
        readers.spawn(format!("reader {number}"), move |_| {
            match cache.page(path)?.join()? {
                Ok(text) => Ok(text.clone()),
                Err(error) => bail!("{path}: {error}"),
            }
        })?;
    }
    let mut counts = BTreeMap::new();
    while let Some((_reader, page)) = readers.join_next() {
        *counts.entry(page??).or_insert(0) += 1;
    }
    for (page, readers) in counts {
        writeln!(io::stdout(), "{readers} readers got {page:?}")?;
    }
    Ok(())
}

fn fetch(server: SocketAddr, path: &str) -> io::Result<String> {
    let mut connection = TcpStream::connect(server)?;
    writeln!(connection, "{path}")?;
    let mut page = String::new();
    connection.read_to_string(&mut page)?;
    Ok(page)
}

/// Starts a server of this host that numbers its answers.
fn start_server() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    Builder::new("server").daemon(true).spawn(move |_| {
        for (number, connection) in (1..).zip(listener.incoming().flatten()) {
            let mut path = String::new();
            let mut lines = BufReader::new(&connection);
            if lines.read_line(&mut path).is_ok() {
                write!(&connection, "answer {number}: {}", path.trim()).ok();
            }
        }
    })?;
    Ok(address)
}
