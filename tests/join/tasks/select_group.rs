//! T33: waiting for a group beside other sources.

use std::time::Duration;

use crossbeam_channel::bounded;
use meanwhile_join::{self as join, AnyTask, Group, JoinError, Pool, Select, SelectError};

use super::select::wait_until_it_waits;
use crate::util::gate::{Gate, TIMEOUT};

#[test]
fn t33_group_is_ready_when_a_task_of_it_ends() {
    let gate = Gate::new();
    let mut group = Group::new();
    assert_eq!(Select::new().group(&group).wait(), Ok(0));
    let first = group
        .spawn("first", {
            let gate = gate.clone();
            move |_| gate.pass()
        })
        .unwrap();
    let (send, receive) = bounded::<u8>(1);
    let zero = Select::new().group(&group).timeout(Duration::ZERO).wait();
    assert_eq!(zero, Err(SelectError::TimedOut));
    let opener = join::spawn("opener", move |_| gate.open()).unwrap();
    let first_ready = Select::new().receiver(&receive).group(&group).wait();
    assert_eq!(first_ready, Ok(1));
    let (task, outcome) = group.try_join_next().unwrap();
    assert_eq!(task, first);
    outcome.unwrap();
    opener.join().unwrap();
    drop(send);
}

#[test]
fn t33_group_alone_unparks_the_select() {
    for _ in 0..200 {
        let mut group = Group::new();
        let id = group.spawn("member", |_| ()).unwrap();
        let member = join::find(id);
        let mut select = Select::new().group(&group);
        if let Some(member) = member {
            // It reports its end to the select itself, too.
            select = select.task(&member);
        }
        assert!(matches!(select.wait(), Ok(0 | 1)));
        assert!(group.join_next().is_some());
    }
}

#[test]
fn t33_end_in_a_group_ends_all_selects_of_it() {
    let gate = Gate::new();
    let mut group = Group::new();
    let pass = gate.clone();
    group.spawn("member", move |_| pass.pass()).unwrap();
    join::scope(|scope| {
        let selects = ["first", "second"].map(|name| {
            let select = scope.spawn(name, |_| Select::new().group(&group).wait());
            let select = select.unwrap();
            wait_until_it_waits(&select.any());
            select
        });
        gate.open();
        for select in selects {
            let ended = select.join_timeout_into(TIMEOUT).unwrap();
            assert_eq!(ended.unwrap(), Ok(0));
        }
    });
}

#[test]
fn t33_group_whose_tasks_await_the_select_is_refused() {
    let (send, own) = std::sync::mpsc::channel::<AnyTask>();
    let selector = join::spawn("selector", move |_| {
        let own = own.recv_timeout(TIMEOUT).unwrap();
        let mut group = Group::new();
        group.spawn("member", move |_| own.join()).unwrap();
        while join::wait_graph().waits.is_empty() {
            std::thread::yield_now();
        }
        let refused = Select::new().group(&group).wait();
        // Either wait may be the one that is refused.
        let is_cycle = matches!(refused, Err(SelectError::WouldDeadlock { .. }));
        let member = matches!(
            group.try_join_next(),
            Some((_, Ok(Err(JoinError::WouldDeadlock { .. }))))
        );
        is_cycle || member
    });
    let selector = selector.unwrap();
    send.send(selector.any()).unwrap();
    assert!(*selector.join_timeout(TIMEOUT).unwrap());
}

#[test]
fn t33_worker_selecting_its_group_is_not_starved() {
    let pool = Pool::new(1).unwrap();
    let own = pool.clone();
    let task = pool.spawn(move |_| {
        let mut group = Group::new();
        group.spawn_on(&own, |_| 7);
        let ready = Select::new().group(&group).timeout(TIMEOUT).wait();
        (
            ready,
            group.try_join_next().map(|(_, value)| value.unwrap()),
        )
    });
    assert_eq!(*task.join_timeout(TIMEOUT).unwrap(), (Ok(0), Some(7)));
}
