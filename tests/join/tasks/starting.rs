//! When the tasks of a pool start.

use std::sync::mpsc;
use std::time::Instant;

use meanwhile_join::{Pool, Task};

use super::held_pool::HeldPool;
use crate::util::gate::TIMEOUT;

#[test]
fn tasks_in_a_row_start_after_spawn_and_last_end() {
    let pool = Pool::builder().threads(1).build().unwrap();
    let tasks: Vec<_> = (0..1_000).map(|n| pool.spawn(move |_| n)).collect();
    for task in &tasks {
        task.join().unwrap();
    }
    let infos: Vec<_> = tasks.iter().map(Task::info).collect();
    for info in &infos {
        let started = info.started_at.unwrap();
        assert!(info.spawned_at <= started);
        assert!(started <= info.finished_at.unwrap());
    }
    for pair in infos.windows(2) {
        assert!(pair[0].finished_at <= pair[1].started_at);
    }
}

/// A task that begins at once after another one starts at the end of that, but not if more was between.
#[test]
fn task_starts_after_the_callbacks_of_the_one_before() {
    let held = HeldPool::new();
    let first = held.pool.spawn(|_| ());
    let second = held.pool.spawn(|_| ());
    let (send, called) = mpsc::channel();
    first.on_finish(move || {
        let begun = Instant::now();
        while Instant::now() == begun {
            std::hint::spin_loop();
        }
        send.send(Instant::now()).unwrap();
    });
    held.release();
    second.join().unwrap();
    let called = called.recv_timeout(TIMEOUT).unwrap();
    assert!(second.info().started_at.unwrap() >= called);
}

#[test]
fn values_of_closures_of_any_size_are_returned() {
    let pool = Pool::builder().threads(2).build().unwrap();
    let (small, large) = ([7_u8; 8], [7_u8; 4096]);
    assert_eq!(*pool.spawn(move |_| small[7]).join().unwrap(), 7);
    assert_eq!(*pool.spawn(move |_| large[4095]).join().unwrap(), 7);
    let owned = pool.spawn_owned(move |_| small[7]);
    assert_eq!(owned.join_into().unwrap(), 7);
    let owned = pool.spawn_owned(move |_| large[4095]);
    assert_eq!(owned.join_into().unwrap(), 7);
}
