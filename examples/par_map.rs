//! A parallel `map` over a borrowed slice: the threads borrow it, and a panic reaches the caller.
//!
//! `cargo run -p meanwhile-join --example par_map -- NUMBERS…`

use std::io::Write;
use std::num::NonZero;

use meanwhile_join as join;

fn main() -> anyhow::Result<()> {
    let numbers = std::env::args().skip(1).map(|text| text.parse());
    let mut numbers = numbers.collect::<Result<Vec<u32>, _>>()?;
    if numbers.is_empty() {
        numbers.extend(1..=100_000);
    }
    let steps = par_map(&numbers, |&n| steps_to_one(n))?;
    let longest = numbers.iter().zip(&steps).max_by_key(|&(_, steps)| steps);
    if let Some((number, steps)) = longest {
        writeln!(std::io::stdout(), "{number} takes {steps} steps")?;
    }
    Ok(())
}

/// Returns what `f` makes of each item, in their order. Each thread takes one part of them.
fn par_map<T: Sync, U: Send>(items: &[T], f: impl Fn(&T) -> U + Sync) -> anyhow::Result<Vec<U>> {
    let threads = std::thread::available_parallelism().map_or(4, NonZero::get);
    let part_len = items.len().div_ceil(threads).max(1);
    let f = &f;
    join::scope(|scope| {
        let map = |part: &[T]| part.iter().map(f).collect::<Vec<U>>();
        let parts = items.chunks(part_len);
        let tasks = parts.map(|part| scope.spawn("part of map", move |_| map(part)));
        let tasks = tasks.collect::<Result<Vec<_>, _>>()?;
        let mut mapped = Vec::with_capacity(items.len());
        for task in tasks {
            mapped.append(&mut task.join_into()?);
        }
        Ok(mapped)
    })
}

/// The steps until a number is 1: an even one is halved, any other is tripled, plus 1.
fn steps_to_one(number: u32) -> usize {
    let next = |n: &u64| {
        if n.is_multiple_of(2) {
            n / 2
        } else {
            3 * n + 1
        }
    };
    let numbers = std::iter::successors(Some(u64::from(number)), |n| Some(next(n)));
    numbers.take_while(|&n| n > 1).count()
}
