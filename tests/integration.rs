//! One binary for all tests through public interfaces; a module a subject.

#[path = "integration/board.rs"]
mod board;
#[path = "integration/checksum/mod.rs"]
mod checksum;
#[path = "integration/cli.rs"]
mod cli;
#[path = "integration/join/mod.rs"]
mod join;
#[path = "integration/misbehave.rs"]
mod misbehave;
#[path = "integration/record.rs"]
mod record;
#[path = "integration/save.rs"]
mod save;
mod util;
