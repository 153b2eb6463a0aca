//! T38: the progress of a task, its unit and its parts.

use meanwhile_join::{self as join, Context, Progress, ProgressUnit};

/// The last progress of a task with this closure.
fn progress_of(f: impl FnOnce(&Context) + Send + 'static) -> Progress {
    let task = join::spawn("reports", f).unwrap();
    task.join().unwrap();
    task.progress()
}

fn done_of_total(f: impl FnOnce(&Context) + Send + 'static) -> (u64, u64) {
    let progress = progress_of(f);
    (progress.done, progress.total)
}

#[test]
fn t38_progress_is_displayed_with_its_unit() {
    let text = |unit, done, total| {
        let progress = progress_of(move |context| {
            context.set_unit(unit);
            context.set_progress(done, total);
        });
        assert_eq!(progress.unit, unit);
        progress.to_string()
    };
    assert_eq!(text(ProgressUnit::None, 3, 4), "3 of 4");
    assert_eq!(text(ProgressUnit::None, 3, 0), "3");
    assert_eq!(text(ProgressUnit::Items, 3, 4), "3 of 4 items");
    assert_eq!(text(ProgressUnit::Bytes, 3, 0), "3 bytes");
    assert_eq!(Progress::default().unit, ProgressUnit::None);
    let with_message = progress_of(|context| {
        context.set_progress(1, 2);
        context.set_message("a.txt");
    });
    assert_eq!(with_message.to_string(), "1 of 2: a.txt");
}

#[test]
fn t38_fraction_is_from_0_to_1_or_unknown() {
    let fraction =
        |done, total| progress_of(move |context| context.set_progress(done, total)).fraction();
    assert_eq!(fraction(1, 4), Some(0.25));
    assert_eq!(fraction(5, 4), Some(1.0));
    assert_eq!(fraction(u64::MAX, u64::MAX), Some(1.0));
    assert_eq!(fraction(5, 0), None);
}

#[test]
fn t38_weighted_parts_add_up() {
    let reported = done_of_total(|context| {
        let parts = context.parts(400);
        let (large, small) = (parts.part(300), parts.part(100));
        large.set_progress(1, 2);
        small.set_progress(1, 4);
    });
    assert_eq!(reported, (175, 400));
}

#[test]
fn t38_parts_of_a_part_add_up() {
    let reported = done_of_total(|context| {
        let parts = context.parts(100);
        let (first, second) = (parts.part(40), parts.part(60));
        first.set_progress(9, 9);
        let halves = second.parts(2);
        let (half, other) = (halves.part(1), halves.part(1));
        half.set_progress(7, 7);
        other.set_progress(6, 7);
    });
    assert_eq!(reported, (70, 100));
}

#[test]
fn t38_part_may_go_back_or_report_too_much() {
    let reported = done_of_total(|context| {
        let parts = context.parts(10);
        let (back, excess) = (parts.part(5), parts.part(u64::MAX));
        excess.set_progress(u64::MAX, 1);
        excess.set_progress(1, 0);
        back.set_progress(5, 5);
        back.set_progress(1, 5);
    });
    assert_eq!(reported, (1, 10));
    let full = done_of_total(|context| {
        let parts = context.parts(10);
        for _ in 0..3 {
            parts.part(u64::MAX).set_progress(8, 7);
        }
    });
    assert_eq!(full, (10, 10));
}

#[test]
fn t38_parts_of_several_threads_add_up() {
    let reported = done_of_total(|context| {
        let parts = context.parts(1_000);
        std::thread::scope(|scope| {
            for _ in 0..10 {
                let part = parts.part(100);
                scope.spawn(move || (1..=1_000).for_each(|done| part.set_progress(done, 1_000)));
            }
        });
    });
    assert_eq!(reported, (1_000, 1_000));
}
