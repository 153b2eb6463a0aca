//! What the tests share.

pub(crate) mod child;
pub(crate) mod desk;
pub(crate) mod files;
pub(crate) mod gate;
