//! T13: which tasks are alive.

use std::sync::{Arc, Mutex};

use meanwhile_join::{self as join, Builder, JoinError, Pool, Task};

use crate::util::child::in_child;
use crate::util::gate::Gate;

#[test]
fn t13_task_is_alive_in_hook_and_not_after_a_join() {
    in_child(
        "tasks::alive::t13_task_is_alive_in_hook_and_not_after_a_join",
        || {
            join::spawn("installs the hook", |_| ())
                .unwrap()
                .join()
                .unwrap();
            let alive = Arc::new(Mutex::new(Vec::new()));
            let ours = std::panic::take_hook();
            std::panic::set_hook(Box::new({
                let alive = alive.clone();
                move |info| {
                    let me = join::current();
                    let listed = join::live_tasks().iter().any(|task| Some(task.id) == me);
                    alive.lock().unwrap().push(listed);
                    ours(info);
                }
            }));
            let task: Task<()> = join::spawn("panics", |_| panic!("in the task")).unwrap();
            assert!(matches!(task.join(), Err(JoinError::Panicked(_))));
            assert!(task.is_finished());
            assert_eq!(*alive.lock().unwrap(), [true]);
        },
    );
}

#[test]
fn t13_enumerate_omits_a_task_whose_join_returned() {
    let pool = Pool::builder().threads(2).build().unwrap();
    for _ in 0..10_000 {
        let task = Builder::new("brief").spawn_on(&pool, |_| ()).unwrap();
        task.join().unwrap();
        assert!(task.is_finished());
        assert!(join::live_tasks().iter().all(|info| info.id != task.id()));
    }
}

#[test]
fn t13_enumerate_lists_live_tasks_oldest_first() {
    let gate = Gate::new();
    let tasks: Vec<_> = (0..40)
        .map(|n| {
            let gate = gate.clone();
            join::spawn(format!("listed {n}"), move |_| gate.pass()).unwrap()
        })
        .collect();
    let listed: Vec<_> = join::live_tasks()
        .into_iter()
        .map(|info| info.id)
        .filter(|id| tasks.iter().any(|task| task.id() == *id))
        .collect();
    assert_eq!(listed, tasks.iter().map(Task::id).collect::<Vec<_>>());
    gate.open();
}

#[test]
fn t13_no_live_task_is_listed_as_ended() {
    let pool = Pool::builder().threads(1).build().unwrap();
    for _ in 0..20 {
        for _ in 0..2_000 {
            pool.spawn(|_| ());
        }
        while let live = pool.live_tasks()
            && !live.is_empty()
        {
            let ended = live.iter().find(|info| info.state.is_finished());
            assert!(ended.is_none(), "{ended:?}");
        }
    }
}
