//! Stops of several processes, and the reports of them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::open_output;
use super::orphans;
use super::output::Stream;
use super::shared::ProcessShared;
use super::stop::{Ending, KILL_TIMEOUT, StopReport};
use super::stopper;
use super::tree::Root as _;

/// Stops several processes with their descendants, at the same time. Returns the reports in the
/// same order, with those that still hold the output of a process.
pub(super) fn stop_all(processes: &[Arc<ProcessShared>], grace: Duration) -> Vec<StopReport> {
    let reports = end_all(processes, grace).into_iter();
    let named = reports
        .zip(processes)
        .map(|(report, process)| name_strays(name_holders(report, process), process));
    named.collect()
}

/// Like [`stop_all`], but does not look for those that hold the output.
#[expect(
    clippy::disallowed_methods,
    reason = "the stopper answers within the grace and the time to kill"
)]
pub(super) fn end_all(processes: &[Arc<ProcessShared>], grace: Duration) -> Vec<StopReport> {
    let (orders, replies): (Vec<_>, Vec<_>) = processes
        .iter()
        .map(|process| {
            let (reply, replies) = crossbeam_channel::bounded(1);
            (
                process.order(Ending::Terminate(grace), Some(reply)),
                replies,
            )
        })
        .unzip();
    stopper::stop(orders);
    let reports = processes.iter().zip(replies).map(|(process, replies)| {
        // Without a reply the system has refused the stopper.
        let report = replies.recv().unwrap_or_else(|_gone| StopReport {
            may_be_incomplete: true,
            ..StopReport::default()
        });
        let exit = if report.escaped.is_empty() && !report.may_be_incomplete {
            process.wait(Instant::now().checked_add(KILL_TIMEOUT))
        } else {
            process.exit()
        };
        StopReport { exit, ..report }
    });
    reports.collect()
}

/// Adds the orphans that nothing shows to be of another process. They are not signalled: if several
/// processes ran, they may be of any of these.
fn name_strays(mut report: StopReport, process: &ProcessShared) -> StopReport {
    let Ok(strays) = orphans::strays_of(process) else {
        report.may_be_incomplete = true;
        return report;
    };
    let lists = [&report.ended, &report.forced, &report.escaped];
    let known: Vec<_> = lists.into_iter().flatten().map(|it| it.pid).collect();
    let strays = strays.into_iter().filter(|it| !known.contains(&it.pid));
    report.escaped.extend(strays);
    report.escaped.sort_by_key(|member| member.pid);
    report
}

/// Adds those that still hold a captured stream of the process to its report.
///
/// They are not signalled: a descendant that has hidden looks like a program that was there
/// before and got the stream through a socket, such as a terminal multiplexer.
fn name_holders(mut report: StopReport, process: &ProcessShared) -> StopReport {
    let captures = [Stream::Stdout, Stream::Stderr].map(|stream| &**process.capture(stream));
    let pipes = open_output::held(captures);
    if pipes.is_empty() {
        return report;
    }
    for holder in open_output::holders(&pipes, process.group()) {
        if report.escaped.iter().all(|known| known.pid != holder.pid) {
            report.escaped.push(holder);
        }
    }
    report.escaped.sort_by_key(|member| member.pid);
    if report.escaped.is_empty() && !open_output::held(captures).is_empty() {
        report.may_be_incomplete = true;
    }
    report
}
