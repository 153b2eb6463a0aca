//! The job `misbehave`: only the chosen item misbehaves.

use std::path::PathBuf;

use meanwhile::jobs::misbehave::{self, Misbehaviour};
use meanwhile::jobs::{Item, Job, Output, Step};
use meanwhile::join::{self, JoinError};

use crate::util::test_board::{FOREVER, misbehave};

fn plan(options: &misbehave::Options, inputs: &[&str]) -> Vec<Item> {
    let options = options.clone();
    let inputs: Vec<PathBuf> = inputs.iter().map(PathBuf::from).collect();
    let plan = join::spawn("plan", move |context| {
        let mut items = Vec::new();
        let planned = options.plan(&inputs, context, &mut |item| items.push(item));
        planned.expect("nothing cancels it");
        items
    });
    let plan = plan.expect("a thread is available");
    plan.join().expect("planning returns").clone()
}

fn chosen(items: &[Item]) -> Vec<bool> {
    items
        .iter()
        .map(|item| item.step == Step::Misbehave)
        .collect()
}

#[test]
fn chosen_item_counts_from_1_and_0_is_all() {
    assert_eq!(
        chosen(&plan(&misbehave(Misbehaviour::Error, 2, 3), &[])),
        [false, true, false]
    );
    assert_eq!(
        chosen(&plan(&misbehave(Misbehaviour::Error, 0, 2), &[])),
        [true, true]
    );
    assert_eq!(
        chosen(&plan(&misbehave(Misbehaviour::Error, 9, 2), &[])),
        [false, false]
    );
}

#[test]
fn misbehaviours_are_offered_from_mild_to_severe() {
    let titles = Misbehaviour::ALL.map(Misbehaviour::title);
    assert_eq!(titles[..2], ["Return", "Error"]);
}

#[test]
fn inputs_become_items() {
    let items = plan(&misbehave(Misbehaviour::Return, 1, 7), &["a", "b"]);
    let inputs: Vec<PathBuf> = items.into_iter().map(|item| item.input).collect();
    assert_eq!(inputs, [PathBuf::from("a"), PathBuf::from("b")]);
}

#[test]
fn item_that_was_not_chosen_returns() {
    let options = misbehave(Misbehaviour::PanicStr, 2, 2);
    let items = plan(&options, &[]);
    let task = join::spawn("first", move |context| options.run_item(&items[0], context)).unwrap();
    let expected = Output::Text {
        text: "item 1 is done".to_owned(),
    };
    assert_eq!(*task.join().unwrap(), Ok(expected));
}

#[test]
fn every_other_end_obeys_a_cancel_while_working() {
    for end in Misbehaviour::ALL {
        if matches!(end, Misbehaviour::IgnoreCancel | Misbehaviour::PanicInPlan)
            || end.needs_isolation()
        {
            continue;
        }
        let options = misbehave::Options {
            after: FOREVER,
            ..misbehave(end, 1, 1)
        };
        let items = plan(&options, &[]);
        let run = join::cancellable(move |context| options.run_item(&items[0], context));
        let task = join::spawn("work", run).unwrap();
        task.cancel();
        assert!(matches!(task.join(), Err(JoinError::Cancelled)), "{end:?}");
    }
}

#[test]
fn invalid_time_counts_as_0() {
    for after in [-1.0, f64::NAN, f64::INFINITY] {
        let options = misbehave::Options {
            after,
            ..misbehave(Misbehaviour::Return, 1, 1)
        };
        let items = plan(&options, &[]);
        let task = join::spawn("work", move |context| options.run_item(&items[0], context));
        assert!(task.unwrap().join().unwrap().is_ok());
    }
}

#[test]
fn options_survive_serialisation() {
    let options = misbehave(Misbehaviour::PanicInDrop, 4, 5);
    let json = serde_json::to_string(&options).unwrap();
    assert_eq!(
        serde_json::from_str::<misbehave::Options>(&json).unwrap(),
        options
    );
    let defaults: misbehave::Options = serde_json::from_str("{}").unwrap();
    assert_eq!(defaults, misbehave::Options::default());
}
