use crossbeam_channel::Receiver;

use crate::jobs::{OutputClosed, OutputStream};
use crate::record::ItemId;

/// What takes the output of the processes of items while they run.
pub trait OutputSink: Send + Sync {
    /// Takes bytes from the thread of an item. Does not block. Returns a channel if there should be no
    /// more for now, until that is disconnected.
    ///
    /// # Errors
    /// It takes no more.
    fn push(
        &self,
        item: ItemId,
        stream: OutputStream,
        bytes: &[u8],
    ) -> Result<Option<Receiver<()>>, OutputClosed>;
}
