//! How many items run at the same time.

/// The points of a curve at most.
const MAX_POINTS: u64 = 240;

/// How many items ran at once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parallelism {
    /// The times of all items, divided by the elapsed time.
    pub mean: f64,
    /// The most that ran at one time. One that begins as another ends does not run with it.
    pub max: usize,
    /// The time that each point of the curve stands for, in nanoseconds; the last one may stand for less.
    pub step: u64,
    /// The mean over each step, from the begin of the group on.
    pub curve: Vec<f64>,
}

impl Parallelism {
    /// Of items that each began and ended then, between two times.
    pub(super) fn of(items: &[(u64, u64)], began: u64, ended: u64) -> Self {
        let elapsed = ended - began;
        let step = elapsed.div_ceil(MAX_POINTS).max(1);
        Self {
            mean: mean(items, elapsed),
            max: most_at_once(items),
            step,
            curve: curve(items, began, ended, step),
        }
    }
}

fn mean(items: &[(u64, u64)], elapsed: u64) -> f64 {
    let times = items.iter().map(|(began, ended)| u128::from(ended - began));
    times.sum::<u128>() as f64 / elapsed.max(1) as f64
}

fn most_at_once(items: &[(u64, u64)]) -> usize {
    let mut begins: Vec<u64> = items.iter().map(|(began, _)| *began).collect();
    let mut ends: Vec<u64> = items.iter().map(|(_, ended)| *ended).collect();
    begins.sort_unstable();
    ends.sort_unstable();
    let (mut ended, mut most) = (0, 0);
    for (number, began) in begins.iter().enumerate() {
        while ends.get(ended).is_some_and(|end| end <= began) && ended < number {
            ended += 1;
        }
        most = most.max(number + 1 - ended);
    }
    most
}

fn curve(items: &[(u64, u64)], began: u64, ended: u64, step: u64) -> Vec<f64> {
    let elapsed = ended - began;
    let place = |at: u64| usize::try_from(at / step).unwrap_or(usize::MAX);
    let points = place(elapsed.saturating_sub(1)) + 1;
    // The time that is partly in a point, and how many more items run through all of a point than of the one before.
    let mut times = vec![0_u128; points];
    let mut changes = vec![0_i64; points + 1];
    for (from, until) in items {
        let [from, until] = [from, until].map(|at| at.clamp(&began, &ended) - began);
        let (first, last) = (place(from).min(points - 1), place(until).min(points - 1));
        if first == last {
            times[first] += u128::from(until - from);
            continue;
        }
        let bound = |point: usize| step.saturating_mul(point as u64);
        times[first] += u128::from(bound(first + 1) - from);
        times[last] += u128::from(until - bound(last));
        changes[first + 1] += 1;
        changes[last] -= 1;
    }
    let mut running = 0_i64;
    let curve = times.into_iter().zip(changes).zip(0..);
    curve
        .map(|((time, change), point)| {
            running += change;
            let length = step.min(elapsed - step * point).max(1);
            running as f64 + time as f64 / length as f64
        })
        .collect()
}
