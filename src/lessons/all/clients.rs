use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use meanwhile::jobs::fetch::Options;
use meanwhile::join::{self, Context};
use meanwhile::lessons::{RunLog, Trace};
use tiny_http::{HTTPVersion, Response};

pub(super) fn main(trace: &Trace) -> anyhow::Result<()> {
    trace.row(&[&"handlers joined", &"seconds", &"right answers"]);
    serve(trace, "in turn", true)?;
    serve(trace, "together", false)
}

fn serve(trace: &Trace, strategy: &str, join_at_once: bool) -> anyhow::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    trace.print(format!("{strategy}: the server listens on {address}"));
    // Another client ends the wait for the next one.
    trace.on_stop(move || drop(TcpStream::connect(address)));

    let began = Instant::now();
    let mut clients = Vec::new();
    for n in (1_u32..).take(trace.count("clients")) {
        let name = format!("client {n}, {strategy}");
        let client = trace.task_with_context(&name, move |trace, context| {
            client(trace, context, address, n)
        });
        clients.push(join::spawn(name, client)?);
    }
    let mut handlers = Vec::new();
    for n in 1..=clients.len() {
        let (socket, _) = trace.wait("a client", || listener.accept())?;
        let name = format!("handler {n}, {strategy}");
        let handler = trace.task(&name, move |trace| handler(trace, &socket));
        let handler = join::spawn(name, handler)?;
        if join_at_once {
            trace.wait("the handler", || handler.join().map(drop))?;
        }
        handlers.push(handler);
    }
    for handler in &handlers {
        trace.wait("a handler", || handler.join().map(drop))?;
    }
    let seconds = format!("{:.2}", began.elapsed().as_secs_f64());

    let mut right = 0;
    for client in &clients {
        let is_right = trace.wait("a client", || client.join())?;
        right += usize::from(is_right.as_ref().is_ok_and(|&is_right| is_right));
    }
    trace.row(&[&strategy, &seconds, &right]);
    Ok(())
}

/// Fetches page n, which takes n times as long as the first.
fn client(trace: &Trace, context: &Context, address: SocketAddr, n: u32) -> anyhow::Result<bool> {
    let job = Options {
        to: trace.folder().to_owned(),
        timeout_secs: 86_400.0,
        retries: 0,
        ..Options::default()
    };
    let url = format!("http://{address}/{n}");
    let fetched = trace.wait("the answer", || job.fetch(&url, context))?;
    let file = fetched.saved_to.context("the answer was not saved")?;
    let answer = fs::read_to_string(file)?;
    trace.print(format!("got {answer:?}"));
    Ok(answer == format!("answer {n}"))
}

fn handler(trace: &Trace, client: &TcpStream) -> anyhow::Result<()> {
    let mut request = BufReader::new(client).lines();
    let first = trace.wait("the request", || request.next());
    let first = first.context("the request is empty")??;
    let page = first.split(' ').nth(1).context("the request is not HTTP")?;
    let n: u32 = page.trim_start_matches('/').parse()?;
    // The headers end with an empty line.
    request.find(|line| !line.as_ref().is_ok_and(|line| !line.is_empty()));
    trace.sleep(trace.duration("work") * n);
    trace.print(format!("sending answer {n}"));
    let answer = Response::from_string(format!("answer {n}"));
    Ok(answer.raw_print(client, HTTPVersion(1, 0), &[], false, None)?)
}

fn verify(log: &RunLog) -> anyhow::Result<()> {
    let [_, in_turn, together] = log.table() else {
        bail!("expected two rows");
    };
    for row in [in_turn, together] {
        let clients = log.count("clients").to_string();
        ensure!(row[2] == clients, "{}: {} right answers", row[0], row[2]);
    }
    let handlers = log.lanes_with_prefix("handler");
    let mut before = Duration::ZERO;
    for handler in handlers.filter(|lane| lane.name.ends_with("in turn")) {
        let (end, _) = handler.closed.as_ref().context("a handler did not end")?;
        ensure!(
            before <= handler.opened,
            "{} did not wait for the one before",
            handler.name
        );
        before = *end;
    }
    // Only work that takes time shows a difference.
    let is_long = log.seconds("work") >= 0.5;
    let seconds = |row: &Vec<String>| row[1].parse::<f64>();
    ensure!(
        !is_long || seconds(together)? < seconds(in_turn)?,
        "it took {} seconds in turn, and {} together",
        in_turn[1],
        together[1]
    );
    Ok(())
}

// About the lesson.

use meanwhile::lessons::{Lesson, Level, Parameter, Question, Topic, WorkerKind};

pub(super) static LESSON: Lesson = Lesson {
    id: "clients",
    title: "A server and its clients",
    topic: Topic::Work,
    level: Level::Medium,
    question: Question {
        text: "A server starts a thread for each client, and joins it before accepting the \
               next client. What do the clients get?",
        choices: &[
            "Some of them get wrong answers",
            "All get the right answer, but one after the other",
            "All get the right answer, as fast as without the join",
            "No client gets an answer: the server waits forever",
        ],
        right: 1,
    },
    parameters: &[
        Parameter::secs("work", "The first answer takes (s)", 0.5),
        Parameter::count("clients", "Clients", 3, 2, 12),
    ],
    worker_kinds: &[WorkerKind::Task],
    lanes: 13,
    main,
    roles: &[],
    verify,
    explanation: "A thread for each client is the right idea, and all answers are right. But a \
                  server that joins each handler before it accepts again serves only one client at \
                  a time. The others are connected, their requests wait in the socket, and no \
                  thread reads them. In total it takes as long as all answers together, and one \
                  slow client delays all others. The threads gain nothing.\n\n\
                  If all handlers are started first and joined at the end, they run side by side, \
                  and it takes as long as the slowest answer. The joins still matter: without them \
                  the server would not know when the last answer is sent, and could end in the \
                  middle of it. A server that runs forever joins its handlers when they have \
                  ended, or detaches them. Python and std work the same way.",
    python: r#"
import socket
from threading import Thread
from time import monotonic, sleep

CLIENTS = 3

def client(address, n):
    with socket.create_connection(address) as server:
        server.sendall(f"{n}\n".encode())
        assert server.makefile().readline() == f"answer {n}\n"

def handler(connection):
    with connection:
        n = int(connection.makefile().readline())
        sleep(0.5 * n)
        connection.sendall(f"answer {n}\n".encode())

def serve(join_at_once):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        clients = [Thread(target=client, args=(address, n)) for n in range(1, CLIENTS + 1)]
        for thread in clients:
            thread.start()
        handlers = []
        for _ in range(CLIENTS):
            connection, _ = listener.accept()
            thread = Thread(target=handler, args=(connection,))
            thread.start()
            if join_at_once:
                thread.join()
            handlers.append(thread)
        for thread in handlers + clients:
            thread.join()

for join_at_once in (True, False):
    began = monotonic()
    serve(join_at_once)
    print(f"join at once: {join_at_once}, {monotonic() - began:.2f} s")
"#,
    plain_std: r#"
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

const CLIENTS: u32 = 3;

fn client(address: SocketAddr, n: u32) {
    let mut server = TcpStream::connect(address).unwrap();
    writeln!(server, "{n}").unwrap();
    let mut answer = String::new();
    BufReader::new(server).read_line(&mut answer).unwrap();
    assert_eq!(answer, format!("answer {n}\n"));
}

fn handler(mut client: TcpStream) {
    let mut request = String::new();
    BufReader::new(&client).read_line(&mut request).unwrap();
    let n: u32 = request.trim_end().parse().unwrap();
    thread::sleep(Duration::from_millis(500) * n);
    writeln!(client, "answer {n}").unwrap();
}

fn serve(join_at_once: bool) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let clients: Vec<_> = (1..=CLIENTS)
        .map(|n| thread::spawn(move || client(address, n)))
        .collect();
    let mut handlers = Vec::new();
    for _ in 0..CLIENTS {
        let (connection, _) = listener.accept().unwrap();
        let thread = thread::spawn(move || handler(connection));
        if join_at_once {
            thread.join().unwrap();
        } else {
            handlers.push(thread);
        }
    }
    for thread in handlers.into_iter().chain(clients) {
        thread.join().unwrap();
    }
}

fn main() {
    for join_at_once in [true, false] {
        let began = Instant::now();
        serve(join_at_once);
        let seconds = began.elapsed().as_secs_f64();
        println!("join at once: {join_at_once}, {seconds:.2} s");
    }
}
"#,
    related: &["strategies", "fetch", "pool"],
    source: include_str!("clients.rs"),
};
