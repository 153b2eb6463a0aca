//! Work on threads, awaited from async code: cancelled when the future that awaits it is dropped, and
//! in a `select!`.
//!
//! `cargo run -p meanwhile-join --example from_async`

use std::error::Error;
use std::io::Write;
use std::time::Duration;

use meanwhile_join::{
    self as join, Builder, CancelToken, Cancelled, Context, JoinError, cancellable,
};
use tokio::time::{sleep, timeout};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout();

    // Two tasks beside each other. No thread of the runtime waits for them.
    let (few, more) = tokio::try_join!(primes_below(1_000), primes_below(2_000))?;
    writeln!(out, "{few} and {more} primes")?;

    // The timeout drops the future, which cancels the task.
    if let Err(late) = timeout(Duration::from_millis(50), primes_below(u64::MAX)).await {
        writeln!(out, "{late}")?;
    }

    // A handle can be awaited again, and the task runs on meanwhile.
    let endless = join::spawn(
        "endless",
        cancellable(|context| context.sleep(Duration::MAX)),
    )?;
    tokio::select! {
        _ = &endless => writeln!(out, "the task ended first")?,
        () = sleep(Duration::from_millis(50)) => writeln!(out, "the pause ended first")?,
    }
    endless.cancel();
    if let Err(JoinError::Cancelled) = (&endless).await {
        writeln!(out, "the task is cancelled")?;
    }

    let report = join::shutdown_timeout(Duration::from_secs(10));
    writeln!(out, "{} tasks are left", report.remaining.len())?;
    Ok(())
}

async fn primes_below(limit: u64) -> Result<u64, Box<dyn Error>> {
    let token = CancelToken::new();
    let _guard = token.cancel_on_drop();
    let task = Builder::new(format!("primes below {limit}")).cancel_token(&token);
    let primes = task.spawn_owned(move |context| count_primes(limit, context))?;
    Ok(primes.await??)
}

fn count_primes(limit: u64, context: &Context) -> Result<u64, Cancelled> {
    let mut primes = 0;
    for n in 2..limit {
        context.check()?;
        context.set_progress(n, limit);
        let mut divisors = (2..n).take_while(|d| d * d <= n);
        primes += u64::from(divisors.all(|d| !n.is_multiple_of(d)));
    }
    Ok(primes)
}
