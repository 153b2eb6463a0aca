//! Models of cancels.

use std::sync::Arc;

use super::super::cancel_tree::{self, CancelNode, CancelTarget, Entry};
use super::super::parking::{Parking, Unparker};
use super::super::sync::{AtomicBool, AtomicUsize, Ordering};
use super::three_threads;

/// A target of cancels that is no task.
struct Cancelled(CancelNode, AtomicUsize);

impl CancelTarget for Cancelled {
    fn node(&self) -> &CancelNode {
        &self.0
    }

    fn did_cancel(self: Arc<Self>) {
        self.1.fetch_add(1, Ordering::Relaxed);
    }
}

fn cancelled() -> Arc<Cancelled> {
    Arc::new(Cancelled(CancelNode::new(), AtomicUsize::new(0)))
}

#[test]
fn cancel_racing_a_new_child_reaches_it() {
    loom::model(|| {
        let parent = cancelled();
        let canceller = loom::thread::spawn({
            let parent = parent.clone();
            move || cancel_tree::cancel(parent)
        });
        let child = cancelled();
        let target: Arc<dyn CancelTarget> = child.clone();
        let above: Arc<dyn CancelTarget> = parent;
        let is_linked = cancel_tree::link(&target, &above);
        canceller.join().expect("it ends");
        assert_eq!(is_linked, child.node().is_requested());
        assert_eq!(child.1.load(Ordering::Relaxed), usize::from(is_linked));
    });
}

#[test]
fn cancel_racing_a_dropped_child_leaves_nothing() {
    loom::model(|| {
        let parent = cancelled();
        let child = cancelled();
        let target: Arc<dyn CancelTarget> = child.clone();
        let above: Arc<dyn CancelTarget> = parent.clone();
        assert!(cancel_tree::link(&target, &above));
        let dropper = loom::thread::spawn(move || drop((target, child)));
        cancel_tree::cancel(above);
        dropper.join().expect("it ends");
        assert_eq!(Arc::strong_count(&parent), 1);
        assert_eq!(Arc::weak_count(&parent), 0);
    });
}

/// The parent is dropped while the grandparent is cancelled. The child is reached by the one way or the
/// other.
#[test]
fn cancel_racing_a_dropped_parent_reaches_its_child() {
    loom::model(|| {
        let [root, parent, child] = std::array::from_fn(|_| cancelled());
        let target = |node: &Arc<Cancelled>| -> Arc<dyn CancelTarget> { node.clone() };
        assert!(cancel_tree::link(&target(&parent), &target(&root)));
        assert!(cancel_tree::link(&target(&child), &target(&parent)));
        let dropper = loom::thread::spawn(move || drop(parent));
        cancel_tree::cancel(root);
        assert!(child.node().is_requested());
        assert_eq!(child.1.load(Ordering::Relaxed), 1);
        dropper.join().expect("it ends");
    });
}

/// Two nodes of a line are dropped at the same time. What is below them moves to the first.
#[test]
fn nodes_dropped_at_once_keep_the_line() {
    loom::model(|| {
        let [root, upper, lower, child] = std::array::from_fn(|_| cancelled());
        let target = |node: &Arc<Cancelled>| -> Arc<dyn CancelTarget> { node.clone() };
        assert!(cancel_tree::link(&target(&upper), &target(&root)));
        assert!(cancel_tree::link(&target(&lower), &target(&upper)));
        assert!(cancel_tree::link(&target(&child), &target(&lower)));
        let dropper = loom::thread::spawn(move || drop(upper));
        drop(lower);
        dropper.join().expect("it ends");
        cancel_tree::cancel(root);
        assert!(child.node().is_requested());
    });
}

#[test]
fn callback_racing_two_cancels_runs_once() {
    three_threads(|| {
        let target = cancelled();
        let ran = Arc::new(AtomicUsize::new(0));
        let cancellers: Vec<_> = (0..2)
            .map(|_| {
                let target = target.clone();
                loom::thread::spawn(move || cancel_tree::cancel(target))
            })
            .collect();
        let callback = Box::new({
            let ran = ran.clone();
            move || {
                ran.fetch_add(1, Ordering::Relaxed);
            }
        });
        let is_refused = target.node().add(Entry::Callback(callback)).is_err();
        for canceller in cancellers {
            canceller.join().expect("it ends");
        }
        assert_eq!(ran.load(Ordering::Relaxed), usize::from(!is_refused));
        assert_eq!(target.1.load(Ordering::Relaxed), 1);
    });
}

/// The second park ends with the cancel alone, and the first with whatever comes first.
#[test]
fn park_racing_an_unpark_and_a_cancel_ends() {
    three_threads(|| {
        let (target, parking) = (cancelled(), Arc::new(Parking::default()));
        let unparked = Arc::new(AtomicBool::new(false));
        let unpark = loom::thread::spawn({
            let (parking, unparked) = (parking.clone(), unparked.clone());
            move || {
                unparked.store(true, Ordering::Relaxed);
                Unparker::new(parking).unpark();
            }
        });
        let canceller = loom::thread::spawn({
            let target = target.clone();
            move || cancel_tree::cancel(target)
        });
        if parking.park(target.node(), None).is_ok() {
            assert!(unparked.load(Ordering::Relaxed));
            assert!(parking.park(target.node(), None).is_err());
        }
        assert!(target.node().is_requested());
        unpark.join().expect("it ends");
        canceller.join().expect("it ends");
    });
}
