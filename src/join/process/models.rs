//! Model checks of the process half: loom runs each of them through every interleaving of its
//! threads. See the models of tasks.

use std::sync::Arc;

#[path = "last_use.rs"]
mod last_use;

use last_use::LastUse;

#[test]
fn end_and_last_handle_never_miss_each_other() {
    loom::model(|| {
        let last_use = Arc::new(LastUse::new());
        let handle = {
            let last_use = last_use.clone();
            loom::thread::spawn(move || last_use.note_abandoned())
        };
        let reaper_saw_it = last_use.note_end();
        let handle_saw_it = handle.join().unwrap();
        assert!(reaper_saw_it != handle_saw_it, "exactly one comes second");
        assert!(last_use.is_over());
    });
}
