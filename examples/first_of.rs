//! Gets the same answer in two ways, by a task and by a process, and takes the first. A channel
//! ticks meanwhile, and a deadline ends it.
//!
//! `cargo run -p meanwhile-join --example first_of -- NUMBERS SECONDS`

use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::bail;
use meanwhile_join::process::Builder;
use meanwhile_join::{self as join, Cancelled, Context, Select, SelectError, cancellable};

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let limit = args.next().map_or(Ok(300_000), |text| text.parse())?;
    let seconds = args.next().map_or(Ok(60), |text| text.parse())?;
    let answer = first_answer(limit, seconds);
    drop(join::shutdown()); // waits until the slower one has ended
    writeln!(std::io::stdout(), "{}", answer?)?;
    Ok(())
}

fn first_answer(limit: u64, seconds: u64) -> anyhow::Result<String> {
    let deadline = Instant::now().checked_add(Duration::from_secs(seconds));
    let primes = cancellable(move |context| count_primes(limit, context));
    let task = join::spawn("primes", primes)?;
    let _guard = task.cancel_on_drop();
    let script = format!("seq 2 {limit} | factor | awk 'NF == 2' | wc -l");
    let shell = Builder::new("sh").args(["-c", &script]);
    let process = shell.kill_on_drop(true).spawn()?;
    let ticks = crossbeam_channel::tick(Duration::from_millis(100));

    let mut select = Select::new()
        .task(&task)
        .process(&process)
        .receiver(&ticks)
        .deadline(deadline);
    loop {
        match select.wait() {
            Ok(0) => return Ok(format!("the task: {} primes", (*task.join()?)?)),
            Ok(1) => {
                let output = process.join_checked()?;
                let text = output.stdout.text();
                return Ok(format!("the process: {} primes", text.trim()));
            }
            Ok(_tick) => {
                ticks.try_recv().ok();
                let done = task.progress().done;
                writeln!(std::io::stderr(), "{done} of {limit} numbers")?;
            }
            Err(SelectError::TimedOut) => bail!("no answer in {seconds} s"),
            Err(error) => return Err(error.into()),
        }
    }
}

fn count_primes(limit: u64, context: &Context) -> Result<u64, Cancelled> {
    let mut primes = 0;
    for n in 2..=limit {
        context.check()?;
        context.set_progress(n, limit);
        let mut divisors = (2..n).take_while(|d| d * d <= n);
        primes += u64::from(divisors.all(|d| !n.is_multiple_of(d)));
    }
    Ok(primes)
}
