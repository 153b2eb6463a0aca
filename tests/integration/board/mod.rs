//! The job board, on a pool, on threads and on processes.

mod cancelling;
mod items;
mod joins;
mod limits;
mod polling;
#[cfg(target_os = "linux")]
mod refusals;
