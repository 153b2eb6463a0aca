use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use meanwhile::jobs::fetch::Options;
use meanwhile::join::{self, Context, SpawnError};
use meanwhile::lessons::{RunLog, Trace};
use tiny_http::{Response, Server};

pub(super) fn main(trace: &Trace) -> anyhow::Result<()> {
    let server = Arc::new(Server::http("127.0.0.1:0").map_err(anyhow::Error::from_boxed)?);
    let address = server.server_addr().to_ip().context("no address")?;
    trace.print(format!("the server listens on {address}"));
    let clients = Arc::new(Clients(server.clone()));
    let serve_clients = trace.task("server", move |trace| serve(trace, &server));
    join::spawn("server", serve_clients)?;

    let mut fetches = Vec::new();
    for n in 1..=trace.count("pages") {
        let (name, url) = (format!("fetch {n}"), format!("http://{address}/{n}"));
        let client = clients.clone();
        let fetch = trace.task_with_context(&name, move |trace, context| {
            let page = trace.wait("the page", || fetch(&url, trace.folder(), context));
            drop(client);
            page
        });
        let fetch = join::spawn(name, fetch)?;
        let stopped = fetch.clone();
        trace.on_stop(move || stopped.cancel());
        fetches.push(fetch);
    }
    let finished = fetches.iter().filter(|fetch| fetch.is_finished()).count();
    trace.result("pages without a join", finished);

    let mut pages = Vec::new();
    for fetch in &fetches {
        match trace.wait(fetch.name(), || fetch.join())? {
            Ok(page) => pages.push(page.as_str()),
            Err(why) => bail!("{}: {why:#}", fetch.name()),
        }
    }
    trace.result("pages after the joins", pages.len());
    trace.result("different pages", BTreeSet::from_iter(pages).len());
    Ok(())
}

/// Saves a page in the folder and returns its text.
fn fetch(url: &str, folder: &Path, context: &Context) -> anyhow::Result<String> {
    let job = Options {
        to: folder.to_owned(),
        timeout_secs: 86_400.0,
        ..Options::default()
    };
    let fetched = job.fetch(url, context)?;
    let file = fetched.saved_to.context("the page was not saved")?;
    Ok(fs::read_to_string(file)?)
}

/// The clients of a server, which ends with the last of them.
struct Clients(Arc<Server>);

impl Drop for Clients {
    fn drop(&mut self) {
        self.0.unblock();
    }
}

/// Answers requests until the last client is gone.
fn serve(trace: &Trace, server: &Server) -> Result<(), SpawnError> {
    for request in server.incoming_requests() {
        let name = format!("page {}", request.url().trim_start_matches('/'));
        let page = Response::from_string(&name);
        let answer = trace.task(&name, |trace| {
            trace.sleep(trace.duration("latency"));
            trace.print("sent");
            request.respond(page)
        });
        join::spawn(name, answer)?;
    }
    Ok(())
}

fn verify(log: &RunLog) -> anyhow::Result<()> {
    let pages = log.count("pages");
    let number = |name| Some(log.result(name)?.parse::<usize>());
    let all = number("pages after the joins").context("no result of the joins")??;
    let different = number("different pages").context("no count of different pages")??;
    ensure!(all == pages, "{all} of {pages} pages were fetched");
    ensure!(
        different == pages,
        "only {different} of them were different"
    );
    let joined = log.time_of("main", "pages after the joins")?;
    for n in 1..=pages {
        let sent = log.time_of(&format!("page {n}"), "sent")?;
        ensure!(sent <= joined, "page {n} was counted before it was sent");
    }
    // A page without latency may be there without a join.
    let is_long = log.seconds("latency") >= 0.5;
    let early = number("pages without a join").context("no count without a join")??;
    ensure!(
        !is_long || early < pages,
        "all pages were there without a join"
    );
    Ok(())
}

// About the lesson.

use meanwhile::lessons::{Lesson, Level, Parameter, Question, Topic, WorkerKind};

pub(super) static LESSON: Lesson = Lesson {
    id: "fetch",
    title: "Fetch pages side by side",
    topic: Topic::Work,
    level: Level::Medium,
    question: Question {
        text: "A task for each page is started, and adds its page to the results. Then main \
               counts the results. What is missing?",
        choices: &[
            "Nothing",
            "A join of every task before the count",
            "A sleep before the count that is long enough",
        ],
        right: 1,
    },
    parameters: &[
        Parameter::secs("latency", "A page takes (s)", 1.0),
        Parameter::count("pages", "Pages", 6, 1, 40),
    ],
    worker_kinds: &[WorkerKind::Task],
    lanes: 14,
    main,
    roles: &[],
    verify,
    explanation: "Fetching is mostly waiting, so many fetches can wait at the same time. All pages \
                  are there after about as long as the slowest one takes. But when exactly? Right \
                  after the start most pages are still on their way, and a count finds some of \
                  them missing, without any error. A sleep that is \u{201c}long enough\u{201d} is \
                  a guess, and one slow server proves it wrong.\n\n\
                  A join of each task is the answer, and it returns the page: one result per task, \
                  in the order of the tasks, no matter in which order they arrive. Nothing is \
                  missing or duplicated, and there is no shared list that needs a lock. The join \
                  of a failed fetch returns its error. In Python a `Thread` has no result; \
                  `ThreadPoolExecutor.map` does what this program does. In std, a `JoinHandle` \
                  returns the value.",
    python: r#"
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from time import sleep
from urllib.request import urlopen

PAGES = 6

class Pages(BaseHTTPRequestHandler):
    def do_GET(self):
        page = f"page {self.path[1:]}".encode()
        sleep(1)
        self.send_response(200)
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *args):
        pass

def fetch(url):
    with urlopen(url) as response:
        return response.read().decode()

server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
Thread(target=server.serve_forever).start()
url = f"http://127.0.0.1:{server.server_port}"
with ThreadPoolExecutor(PAGES) as pool:
    fetches = [pool.submit(fetch, f"{url}/{n}") for n in range(1, PAGES + 1)]
    print("pages without a join:", sum(fetch.done() for fetch in fetches))
    pages = [fetch.result() for fetch in fetches]
print("pages after the joins:", len(pages), "different:", len(set(pages)))
server.shutdown()
server.server_close()
"#,
    plain_std: r#"
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

const PAGES: usize = 6;

fn answer(mut client: TcpStream) {
    let mut request = BufReader::new(&client).lines().map_while(Result::ok);
    let first = request.next().unwrap_or_default(); // GET /1 HTTP/1.0
    request.take_while(|line| !line.is_empty()).for_each(drop);
    let page = first.split(' ').nth(1).unwrap_or("/").trim_start_matches('/');
    thread::sleep(Duration::from_secs(1));
    write!(client, "HTTP/1.0 200 OK\r\n\r\npage {page}").unwrap();
}

fn fetch(server: SocketAddr, page: usize) -> String {
    let mut server = TcpStream::connect(server).unwrap();
    write!(server, "GET /{page} HTTP/1.0\r\n\r\n").unwrap();
    let mut response = String::new();
    server.read_to_string(&mut response).unwrap();
    response.split("\r\n\r\n").nth(1).unwrap_or_default().to_owned()
}

fn main() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let server = listener.local_addr().unwrap();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            thread::spawn(|| answer(client));
        }
    });
    let fetches: Vec<_> = (1..=PAGES)
        .map(|page| thread::spawn(move || fetch(server, page)))
        .collect();
    let finished = fetches.iter().filter(|fetch| fetch.is_finished()).count();
    println!("pages without a join: {finished}");
    let pages: Vec<_> = fetches.into_iter().map(|fetch| fetch.join().unwrap()).collect();
    let different = BTreeSet::from_iter(&pages).len();
    println!("pages after the joins: {}, different: {different}", pages.len());
}
"#,
    related: &["clients", "pool", "queue", "recv-per-frame"],
    source: include_str!("fetch.rs"),
};
