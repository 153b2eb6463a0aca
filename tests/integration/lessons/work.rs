//! Work as programs have it: clients, pages, images, a window.

use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use image::ColorType;
use meanwhile::lessons::{Outcome, RunLog, WorkerKind};
use meanwhile::record::{Activity, Lane};

use super::{in_own_folder, play, times, took, transcript, until, until_over};
use crate::util::gate::LIMIT;

fn sleep_of(lane: &Lane) -> (Duration, Duration) {
    let mut sleeps = lane.spans.iter();
    let sleep = sleeps.find(|span| span.activity == Activity::Sleeps);
    let sleep = sleep.expect("they sleep");
    (sleep.began, lane.end_of(sleep).expect("the run is over"))
}

fn handlers<'a>(log: &'a RunLog, joined: &str) -> Vec<(Duration, Duration)> {
    let lanes: Vec<&'a Lane> = log.timeline().lanes().iter().collect();
    let handlers = lanes.iter().filter(|lane| lane.name.starts_with("handler"));
    let handlers = handlers.filter(|lane| lane.name.ends_with(joined));
    handlers.map(|lane| sleep_of(lane)).collect()
}

#[test]
fn clients_wait_for_each_other_only_where_the_handlers_are_joined_one_by_one() {
    let log = play("clients", WorkerKind::Task)
        .with("work", 2.0)
        .with("clients", 3.0)
        .log();
    for how in ["in turn", "together"] {
        for n in 1..=3 {
            let answer = format!("got \"answer {n}\"");
            let got = log.time_of(&format!("client {n}, {how}"), &answer);
            got.expect("each client gets its own answer");
        }
    }
    let in_turn = handlers(&log, "in turn");
    let is_in_turn = in_turn.windows(2).all(|pair| pair[0].1 <= pair[1].0);
    assert!(is_in_turn, "they did not wait for each other");
    let together = handlers(&log, "together");
    let slowest = together.iter().copied().map(took).max().unwrap();
    let all = took((
        together[0].0,
        together.iter().map(|work| work.1).max().unwrap(),
    ));
    assert!(
        all * 2 < slowest * 3,
        "{all:?}, and the slowest {slowest:?}"
    );
}

/// The address that the first of them says it listens on.
fn address(log: &RunLog) -> Option<SocketAddr> {
    let mut said = log.messages().iter();
    said.find_map(|said| said.text.split("listens on ").nth(1)?.parse().ok())
}

/// Stops it when its server listens; by the end of the run nobody does any more.
fn nobody_listens_after_a_stop(lesson: &str) {
    let mut run = play(lesson, WorkerKind::Task).start();
    until(&mut run, |run| address(run.log()).is_some());
    let address = address(run.log()).expect("it has just said so");
    let began = Instant::now();
    run.stop();
    until_over(&mut run);
    assert_eq!(run.outcome(), Some(&Outcome::Stopped));
    // What accepts for a server may be a little later than the server itself.
    while TcpStream::connect(address).is_ok() {
        assert!(began.elapsed() < LIMIT, "{lesson} still listens");
        std::thread::yield_now();
    }
}

#[test]
fn a_stop_of_clients_closes_their_server() {
    nobody_listens_after_a_stop("clients");
}

#[test]
fn a_stop_of_fetch_closes_its_server() {
    nobody_listens_after_a_stop("fetch");
}

/// Another try would have paused before, and those after it for longer: three seconds in all.
#[test]
fn a_stop_of_fetch_tries_nothing_again() {
    let mut run = play("fetch", WorkerKind::Task)
        .with("latency", 60.0)
        .start();
    until(&mut run, |run| {
        run.log().time_of("main", "without a join").is_ok()
    });
    run.stop();
    let began = Instant::now();
    until_over(&mut run);
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "{:?}",
        began.elapsed()
    );
}

/// How many frames a window drew between the click and the result.
fn frames(log: &RunLog, window: &str) -> usize {
    let click = log.time_of(window, "a click").expect("it is said");
    let frames = times(log, window, Activity::Sleeps).into_iter();
    frames.filter(|frame| frame.0 >= click).count()
}

#[test]
fn a_gui_that_joins_in_its_click_handler_draws_nothing_meanwhile() {
    let log = play("gui", WorkerKind::Task).with("work", 4.0).log();
    assert_eq!(frames(&log, "window that joins"), 0);
    assert!(frames(&log, "window that polls") > 1);
    let [frozen] = times(&log, "window that joins", Activity::Waits)[..] else {
        panic!("it waits once");
    };
    let worker = times(&log, "worker", Activity::Sleeps)[0];
    assert!(frozen.1 >= worker.1, "it was not frozen until the end");
    let waits = times(&log, "window that polls", Activity::Waits);
    assert_eq!(waits, [], "a window that asks has waited");
}

#[test]
fn fetch_without_a_join_misses_pages_and_with_it_has_each_once() {
    let log = play("fetch", WorkerKind::Task)
        .with("latency", 4.0)
        .with("pages", 5.0)
        .log();
    let counted = log.time_of("main", "pages without").expect("it is said");
    let joined = log.time_of("main", "pages after").expect("it is said");
    for n in 1..=5 {
        let page = log.timeline().lane(&format!("page {n}"));
        let page = page.expect("each page was asked for");
        let sent = log.messages().iter().filter(|said| said.lane == page.id);
        assert_eq!(sent.count(), 1, "page {n}");
        let [wait] = times(&log, &format!("fetch {n}"), Activity::Waits)[..] else {
            panic!("each page is waited for once");
        };
        assert!(
            wait.1 >= sleep_of(page).1,
            "page {n} came before it was sent"
        );
        assert!(counted < wait.1 && wait.1 <= joined, "page {n}");
    }
    let lanes = log.timeline().lanes().iter();
    assert_eq!(
        lanes.filter(|lane| lane.name.starts_with("page")).count(),
        5
    );
    assert_eq!(log.result("pages without a join"), Some("0"));
    assert_eq!(log.result("different pages"), Some("5"));
}

fn a_batch_is_complete_when_all_are_saved(kind: WorkerKind) {
    let log = play("batch", kind).with("images", 3.0).log();
    let said = log.messages().iter();
    let complete: Vec<_> = said.filter(|said| said.text.contains("complete")).collect();
    assert_eq!(complete.len(), 1, "{}", transcript(&log));
    let saved = log.messages().iter().filter(|said| said.text == "saved");
    let saved: Vec<_> = saved.map(|said| said.at).collect();
    assert_eq!(saved.len(), 3);
    assert!(saved.iter().all(|&at| at <= complete[0].at));
    let sizes = log.table()[1..].iter().map(|row| (&*row[1], &*row[2]));
    let turned = [("65x48", "48x65"), ("66x48", "48x66"), ("67x48", "48x67")];
    assert_eq!(sizes.collect::<Vec<_>>(), turned);
}

#[test]
fn a_batch_of_tasks_is_complete_when_all_images_are_saved() {
    a_batch_is_complete_when_all_are_saved(WorkerKind::Task);
}

#[test]
fn a_batch_of_processes_is_complete_when_all_images_are_saved() {
    a_batch_is_complete_when_all_are_saved(WorkerKind::Process);
}

/// Each image is in its file when it is said to be saved, and turned as an independent look shows.
#[test]
fn the_images_of_a_batch_are_there_when_they_are_said_to_be_saved() {
    let name = "lessons::work::the_images_of_a_batch_are_there_when_they_are_said_to_be_saved";
    in_own_folder(name, |folder| {
        for kind in [WorkerKind::Task, WorkerKind::Process] {
            let play = play("batch", kind).with("work", 2.0).with("images", 3.0);
            let mut run = play.start();
            until(&mut run, |run| {
                run.log().time_of("image 1", "saved").is_ok()
            });
            let folders = folder.read_dir().unwrap();
            let mut images = folders.map(|run| run.unwrap().path().join("edited/1.png"));
            let image = images.find(|image| image.exists()).expect("it is saved");
            let image = image::open(image).unwrap();
            assert_eq!((image.width(), image.height()), (48, 65));
            assert_eq!(image.color(), ColorType::L8);
            run.log().time_of("main", "complete").unwrap_err();
            run.stop();
            until_over(&mut run);
        }
    });
}
