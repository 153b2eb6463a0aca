//! The lessons about real work: a server, pages, images, a window.

use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use image::ColorType;
use meanwhile::lessons::{LessonOutcome, RunLog, WorkerKind};
use meanwhile::record::{Activity, Lane};

use super::{finish, in_own_folder, length, lesson, poll_until, spans, time_of, transcript};
use crate::util::gate::TIMEOUT;

fn sleep_of(lane: &Lane) -> (Duration, Duration) {
    let mut sleeps = lane.spans.iter();
    let sleep = sleeps.find(|span| span.activity == Activity::Sleeps);
    let sleep = sleep.expect("the lane sleeps");
    (
        sleep.began,
        lane.end_of(sleep)
            .expect("a finished run has ended all spans"),
    )
}

fn handlers(log: &RunLog, strategy: &str) -> Vec<(Duration, Duration)> {
    let handlers = log.lanes_with_prefix("handler");
    let handlers = handlers.filter(|lane| lane.name.ends_with(strategy));
    handlers.map(sleep_of).collect()
}

#[test]
fn clients_wait_if_handlers_are_joined_in_turn() {
    let log = lesson("clients", WorkerKind::Task)
        .with("work", 2.0)
        .with("clients", 3.0)
        .log();
    for strategy in ["in turn", "together"] {
        for n in 1..=3 {
            let answer = format!("got \"answer {n}\"");
            let got = log.time_of(&format!("client {n}, {strategy}"), &answer);
            got.expect("each client gets its own answer");
        }
    }
    let in_turn = handlers(&log, "in turn");
    let is_in_turn = in_turn.windows(2).all(|pair| pair[0].1 <= pair[1].0);
    assert!(is_in_turn, "the handlers overlap");
    let together = handlers(&log, "together");
    let slowest = together.iter().copied().map(length).max().unwrap();
    let all = length((
        together[0].0,
        together.iter().map(|work| work.1).max().unwrap(),
    ));
    assert!(
        all * 2 < slowest * 3,
        "{all:?}, and the slowest {slowest:?}"
    );
}

/// The address of the first server.
fn address(log: &RunLog) -> Option<SocketAddr> {
    let mut messages = log.messages().iter();
    messages.find_map(|message| message.text.split("listens on ").nth(1)?.parse().ok())
}

/// Stops the run once its server listens, and checks that it no longer does.
fn assert_stop_closes_the_server(id: &str) {
    let mut run = lesson(id, WorkerKind::Task).start();
    poll_until(&mut run, |run| address(run.log()).is_some());
    let address = address(run.log()).expect("the server has an address");
    let began = Instant::now();
    run.stop();
    finish(&mut run);
    assert_eq!(run.outcome(), Some(&LessonOutcome::Stopped));
    // The accepting thread of a server ends a moment after the server.
    while TcpStream::connect(address).is_ok() {
        assert!(began.elapsed() < TIMEOUT, "{id} still listens");
        std::thread::yield_now();
    }
}

#[test]
fn stopping_clients_closes_the_server() {
    assert_stop_closes_the_server("clients");
}

#[test]
fn stopping_fetch_closes_the_server() {
    assert_stop_closes_the_server("fetch");
}

/// Retries would take three seconds.
#[test]
fn stopped_fetch_does_not_retry() {
    let mut run = lesson("fetch", WorkerKind::Task)
        .with("latency", 60.0)
        .start();
    poll_until(&mut run, |run| {
        run.log().time_of("main", "without a join").is_ok()
    });
    run.stop();
    let began = Instant::now();
    finish(&mut run);
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "{:?}",
        began.elapsed()
    );
}

/// The number of frames between the click and the result.
fn frames(log: &RunLog, window: &str) -> usize {
    let click = time_of(log, window, "click");
    let frames = spans(log, window, Activity::Sleeps).into_iter();
    frames.filter(|frame| frame.0 >= click).count()
}

#[test]
fn window_that_joins_draws_no_frame() {
    let log = lesson("gui", WorkerKind::Task).with("work", 4.0).log();
    assert_eq!(frames(&log, "window that joins"), 0);
    assert!(frames(&log, "window that polls") > 1);
    let [frozen] = spans(&log, "window that joins", Activity::Waits)[..] else {
        panic!("the window waits once");
    };
    let worker = spans(&log, "worker", Activity::Sleeps)[0];
    assert!(frozen.1 >= worker.1, "the freeze ended early");
    let waits = spans(&log, "window that polls", Activity::Waits);
    assert_eq!(waits, [], "the window that polls has waited");
}

#[test]
fn fetch_needs_joins_to_have_each_page_once() {
    let log = lesson("fetch", WorkerKind::Task)
        .with("latency", 4.0)
        .with("pages", 5.0)
        .log();
    let counted = time_of(&log, "main", "pages without");
    let joined = time_of(&log, "main", "pages after");
    for n in 1..=5 {
        let page = log.timeline().lane(&format!("page {n}"));
        let page = page.expect("each page was requested");
        let messages = log.messages().iter();
        let sent = messages.filter(|message| message.lane == page.id);
        assert_eq!(sent.count(), 1, "page {n}");
        let [wait] = spans(&log, &format!("fetch {n}"), Activity::Waits)[..] else {
            panic!("each page is waited for once");
        };
        assert!(
            wait.1 >= sleep_of(page).1,
            "page {n} came before it was sent"
        );
        assert!(counted < wait.1 && wait.1 <= joined, "page {n}");
    }
    assert_eq!(log.lanes_with_prefix("page").count(), 5);
    assert_eq!(log.result("pages without a join"), Some("0"));
    assert_eq!(log.result("different pages"), Some("5"));
}

fn assert_batch_completes_last(kind: WorkerKind) {
    let log = lesson("batch", kind).with("images", 3.0).log();
    let messages = || log.messages().iter();
    let complete = messages().filter(|message| message.text.contains("complete"));
    let complete: Vec<_> = complete.collect();
    assert_eq!(complete.len(), 1, "{}", transcript(&log));
    let saved = messages().filter(|message| message.text == "saved");
    let saved: Vec<_> = saved.map(|message| message.at).collect();
    assert_eq!(saved.len(), 3);
    assert!(saved.iter().all(|&at| at <= complete[0].at));
    let sizes = log.table()[1..].iter().map(|row| (&*row[1], &*row[2]));
    let rotated = [("65x48", "48x65"), ("66x48", "48x66"), ("67x48", "48x67")];
    assert_eq!(sizes.collect::<Vec<_>>(), rotated);
}

#[test]
fn batch_of_tasks_completes_after_all_images() {
    assert_batch_completes_last(WorkerKind::Task);
}

#[test]
fn batch_of_processes_completes_after_all_images() {
    assert_batch_completes_last(WorkerKind::Process);
}

#[test]
fn saved_image_of_a_batch_is_rotated_and_grey() {
    let name = "lessons::work::saved_image_of_a_batch_is_rotated_and_grey";
    in_own_folder(name, |folder| {
        for kind in [WorkerKind::Task, WorkerKind::Process] {
            let lesson = lesson("batch", kind).with("work", 2.0);
            let mut run = lesson.with("images", 3.0).start();
            poll_until(&mut run, |run| {
                run.log().time_of("image 1", "saved").is_ok()
            });
            let folders = folder.read_dir().unwrap();
            let mut images = folders.map(|run| run.unwrap().path().join("edited/1.png"));
            let image = images
                .find(|image| image.exists())
                .expect("the image is saved");
            let image = image::open(image).unwrap();
            assert_eq!((image.width(), image.height()), (48, 65));
            assert_eq!(image.color(), ColorType::L8);
            run.log().time_of("main", "complete").unwrap_err();
            run.stop();
            finish(&mut run);
        }
    });
}
