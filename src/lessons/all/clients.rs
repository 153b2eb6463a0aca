use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use tiny_http::{HTTPVersion, Response};

use crate::jobs::fetch::Options;
use crate::join::{self, Context};
use crate::lessons::{RunLog, Trace};

pub(super) fn main(trace: &Trace) -> anyhow::Result<()> {
    trace.row(&[&"handlers joined", &"seconds", &"right answers"]);
    serve(trace, "in turn", true)?;
    serve(trace, "together", false)
}

fn serve(trace: &Trace, strategy: &str, joins_at_once: bool) -> anyhow::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    trace.print(format!("{strategy}: the server listens on {address}"));
    // One more client ends a wait for the next.
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
        if joins_at_once {
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

/// The job `fetch`, with patience. Page n takes n times as long as the first one.
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
    let first = trace.wait("the question", || request.next());
    let first = first.context("the client asked nothing")??;
    let page = first.split(' ').nth(1).context("this is no HTTP")?;
    let n: u32 = page.trim_start_matches('/').parse()?;
    // The rest of what it says ends with an empty line.
    request.find(|line| !line.as_ref().is_ok_and(|line| !line.is_empty()));
    trace.sleep(trace.duration("work") * n);
    trace.print(format!("answers {n}"));
    let answer = Response::from_string(format!("answer {n}"));
    Ok(answer.raw_print(client, HTTPVersion(1, 0), &[], false, None)?)
}

fn verify(log: &RunLog) -> anyhow::Result<()> {
    let [_, one_by_one, at_the_end] = log.table() else {
        bail!("not both ways were tried");
    };
    for row in [one_by_one, at_the_end] {
        let clients = log.count("clients").to_string();
        ensure!(row[2] == clients, "{}: {} right answers", row[0], row[2]);
    }
    let lanes = log.timeline().lanes();
    let handlers = lanes.iter().filter(|lane| lane.name.starts_with("handler"));
    let mut before = Duration::ZERO;
    for handler in handlers.filter(|lane| lane.name.ends_with("in turn")) {
        let (end, _) = handler.closed.as_ref().context("a handler never ended")?;
        ensure!(
            before <= handler.opened,
            "{} did not wait for its turn",
            handler.name
        );
        before = *end;
    }
    // Only what takes its time can be seen to be faster.
    let is_long = log.seconds("work") >= 0.5;
    let seconds = |row: &Vec<String>| row[1].parse::<f64>();
    ensure!(
        !is_long || seconds(at_the_end)? < seconds(one_by_one)?,
        "it took {} seconds one by one, and {} together",
        one_by_one[1],
        at_the_end[1]
    );
    Ok(())
}

// About the lesson.

use crate::lessons::{Lesson, Level, Parameter, Question, Topic, WorkerKind};

pub(super) static LESSON: Lesson = Lesson {
    id: "clients",
    title: "A server and its clients",
    topic: Topic::Work,
    level: Level::Medium,
    question: Question {
        text: "A server starts a thread for each client and joins it before it accepts the next \
               one. How do its clients fare?",
        choices: &[
            "Some of them get wrong answers",
            "All get the right answer, each after all those before it",
            "All get the right answer, as fast as without the join",
            "None gets an answer, the server waits for ever",
        ],
        right: 1,
    },
    parameters: &[
        Parameter::secs("work", "The first client's answer takes (s)", 0.5),
        Parameter::count("clients", "Clients", 3, 2, 12),
    ],
    worker_kinds: &[WorkerKind::Task],
    main,
    roles: &[],
    verify,
    explanation: "A thread for each client is right, and so are all the answers. But a server that \
                  joins each handler before it accepts again has only ever one: the others are \
                  connected, their question lies in the socket, and nobody reads it. All in all it \
                  takes as long as all answers together, and a single slow client keeps everybody \
                  waiting. The thread has brought nothing.\n\n\
                  Started first and joined at the end, the handlers run side by side, and it takes \
                  as long as the slowest answer. The joins still matter: without them the server \
                  would not know when the last answer is out, and could end in the middle of it. A \
                  server that never ends joins its handlers when they have ended, or lets go of \
                  them. It is the same in Python and with std; only the handle's name differs.",
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

def serve(joins_at_once):
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
            if joins_at_once:
                thread.join()
            handlers.append(thread)
        for thread in handlers + clients:
            thread.join()

for joins_at_once in (True, False):
    began = monotonic()
    serve(joins_at_once)
    print(f"joins at once: {joins_at_once}, {monotonic() - began:.2f} s")
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
    let mut question = String::new();
    BufReader::new(&client).read_line(&mut question).unwrap();
    let n: u32 = question.trim_end().parse().unwrap();
    thread::sleep(Duration::from_millis(500) * n);
    writeln!(client, "answer {n}").unwrap();
}

fn serve(joins_at_once: bool) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let clients: Vec<_> = (1..=CLIENTS)
        .map(|n| thread::spawn(move || client(address, n)))
        .collect();
    let mut handlers = Vec::new();
    for _ in 0..CLIENTS {
        let (connection, _) = listener.accept().unwrap();
        let thread = thread::spawn(move || handler(connection));
        if joins_at_once {
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
    for joins_at_once in [true, false] {
        let began = Instant::now();
        serve(joins_at_once);
        let seconds = began.elapsed().as_secs_f64();
        println!("joins at once: {joins_at_once}, {seconds:.2} s");
    }
}
"#,
    related: &["strategies", "fetch", "pool"],
    source: include_str!("clients.rs"),
};
