//! The priorities of threads and processes that background threads start.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use meanwhile_join::process::{Builder, Exit, LaunchOptions};
use meanwhile_join::{self as join, Pool, Priority};

use super::{eventually, launcher};
use crate::util::child::in_child;
use crate::util::policy::is_idle;

/// Runs `f` on a worker of a new pool in the background.
fn in_background<T: Clone + Send + Sync + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
    let pool = Pool::builder().threads(1).build().unwrap();
    let task = join::Builder::new("background").spawn_on(&pool, |_| {
        assert_eq!(observed(), (true, Priority::Background));
        f()
    });
    task.unwrap().join().unwrap().clone()
}

/// Whether the system runs this thread in the background, and what the library says about it.
fn observed() -> (bool, Priority) {
    let is_idle = is_idle(Path::new("/proc/thread-self")).unwrap();
    (is_idle, Priority::current())
}

#[test]
fn normal_task_of_a_background_worker_is_normal() {
    let normal = (false, Priority::Normal);
    let (task, worker, thread) = in_background(|| {
        let task = join::Builder::new("inner").priority(Priority::Normal);
        let task = task.spawn(|_| observed()).unwrap();
        let pool = Pool::builder().threads(1).priority(Priority::Normal);
        let pool = pool.build().unwrap();
        let on_pool = join::Builder::new("worker").spawn_on(&pool, |_| observed());
        let thread = std::thread::scope(|scope| scope.spawn(observed).join().unwrap());
        (
            *task.join().unwrap(),
            *on_pool.unwrap().join().unwrap(),
            thread,
        )
    });
    assert_eq!((task, worker), (normal, normal));
    assert_eq!(
        thread,
        (true, Priority::Background),
        "std's thread inherits"
    );
    assert_eq!(observed(), normal);
}

#[test]
fn task_of_background_priority_keeps_its_name() {
    let task = join::Builder::new("low").priority(Priority::Background);
    let task = task.spawn(|_| observed()).unwrap();
    assert_eq!(task.name(), "low");
    assert_eq!(*task.join().unwrap(), (true, Priority::Background));
}

/// The number of threads of this program that start threads for those in the background.
fn starters() -> usize {
    let threads = fs::read_dir("/proc/self/task").unwrap();
    let name = |thread: fs::DirEntry| fs::read_to_string(thread.path().join("comm")).ok();
    let names = threads.filter_map(|thread| name(thread.unwrap()));
    names.filter(|name| name == "thread starter\n").count()
}

#[test]
fn normal_task_of_a_background_scope_task_is_normal() {
    let name = "process::prioritizing::normal_task_of_a_background_scope_task_is_normal";
    in_child(name, || {
        join::scope(|scope| {
            let normal = join::Builder::new("normal").priority(Priority::Normal);
            let normal = scope.spawn_with(normal, |_| observed()).unwrap();
            assert_eq!(normal.join_into().unwrap(), (false, Priority::Normal));
            assert_eq!(starters(), 0, "nothing runs in the background");
            let low = join::Builder::new("low").priority(Priority::Background);
            let low = scope.spawn_with(low, |_| {
                let inner = join::Builder::new("inner").priority(Priority::Normal);
                let inner = inner.spawn(|_| observed()).unwrap();
                (observed(), *inner.join().unwrap())
            });
            let (own, inner) = low.unwrap().join_into().unwrap();
            assert_eq!(own, (true, Priority::Background));
            assert_eq!(inner, (false, Priority::Normal));
        });
        assert_eq!(starters(), 1);
    });
}

fn cat() -> Builder {
    Builder::new("cat").stdin_piped()
}

fn launched_cat(priority: Priority) -> Builder {
    let options = LaunchOptions::default().priority(priority);
    cat().launched_by(&launcher(), options)
}

/// Whether the system runs this `cat` in the background.
fn starts_in_background(cat: Builder) -> bool {
    let process = cat.spawn().unwrap();
    // A shim has become the program once that answers.
    let mut stdin = process.take_stdin().unwrap();
    stdin.write_all(b"x").unwrap();
    eventually("the answer", || process.output().stdout.total > 0);
    let is_idle = is_idle(Path::new(&format!("/proc/{}", process.pid()))).unwrap();
    drop(stdin);
    assert_eq!(process.join().unwrap(), Exit::Code(0));
    is_idle
}

#[test]
fn p19_process_of_a_background_task_is_normal() {
    let name = "process::prioritizing::p19_process_of_a_background_task_is_normal";
    // The threads that serve processes are started by a background worker here.
    in_child(name, || {
        let (inherited, normal, launched_normal, launched_background) = in_background(|| {
            (
                starts_in_background(cat()),
                starts_in_background(cat().priority(Priority::Normal)),
                starts_in_background(launched_cat(Priority::Normal)),
                starts_in_background(launched_cat(Priority::Background)),
            )
        });
        assert!(inherited && !normal);
        assert!(!launched_normal && launched_background);
        assert!(starts_in_background(cat().priority(Priority::Background)));
        assert!(!starts_in_background(cat()));
    });
}
