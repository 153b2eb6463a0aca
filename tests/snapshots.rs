//! A few pictures of the window: they are the ones of the README, and this is what writes them.
//!
//! They need a Vulkan driver; the one of Mesa that draws in software is enough. To write them anew:
//! `UPDATE_SNAPSHOTS=force cargo test --test snapshots -- --ignored`. Renderers differ a little and
//! times differ always, so a picture passes when nearly all of it is the same.

#[cfg(target_os = "linux")]
#[path = "snapshots/freeze_lab.rs"]
mod freeze_lab;
#[path = "snapshots/pictures.rs"]
mod pictures;
#[expect(
    dead_code,
    reason = "the pictures need less of it than the tests of the window"
)]
#[path = "ui/window.rs"]
mod window;
