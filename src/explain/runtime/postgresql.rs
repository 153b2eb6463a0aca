//! Asks `psql` for the sessions of a server, and reads the answer.

use super::{LockWait, Parts};

/// A line for each session: its process, those that block it, its state, and its last statement in a line.
pub(super) const QUERY: &str = "SELECT pid, array_to_string(pg_blocking_pids(pid), ','), state, \
     left(regexp_replace(query, '\\s+', ' ', 'g'), 80) \
     FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";

/// Returns who waits for whom. A holder without a process, as a prepared transaction is, has the id 0 and is
/// left out with the wait for it.
pub(super) fn read(output: &str) -> Option<Parts> {
    let mut parts = Parts::default();
    for line in output.lines() {
        let mut columns = line.splitn(4, '\t');
        let pid = columns.next()?.parse().ok()?;
        let mut holders = Vec::new();
        for holder in columns.next()?.split(',').filter(|word| !word.is_empty()) {
            holders.push(holder.parse().ok()?);
        }
        if !holders.is_empty() && !holders.contains(&0) {
            let has_limit = false;
            parts.waits.insert(pid, LockWait { holders, has_limit });
        }
        let (state, statement) = (columns.next()?, columns.next()?);
        if let Some(place) = place(state, statement) {
            parts.places.insert(pid, place);
        }
    }
    Some(parts)
}

fn place(state: &str, statement: &str) -> Option<String> {
    match state {
        "active" => Some(format!("running `{statement}`")),
        "idle in transaction" | "idle in transaction (aborted)" => {
            Some(format!("in an open transaction, after `{statement}`"))
        }
        _ => None,
    }
}
