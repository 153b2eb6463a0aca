//! Small pieces of the window compared with stored pictures, and the pictures of the documentation.
//!
//! Both need a Vulkan driver; Mesa's software driver suffices. After a wanted change, store the pieces and
//! write the pictures anew with
//! `UPDATE_SNAPSHOTS=force cargo test --test snapshots -- --ignored`.

#[cfg(target_os = "linux")]
#[path = "snapshots/freeze_lab.rs"]
mod freeze_lab;
#[path = "snapshots/pictures.rs"]
mod pictures;
#[path = "snapshots/pieces.rs"]
mod pieces;
#[expect(
    dead_code,
    reason = "the pictures need less of it than the tests of the window"
)]
#[path = "ui/window.rs"]
mod window;
