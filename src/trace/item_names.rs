use std::sync::Arc;

/// The names of a block.
const BLOCK: usize = 1_024;
const NANOS_PER_MILLI: u64 = 1_000_000;

/// The names of the items of a job, by number, and when each was found. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct ItemNames {
    /// All but the last one are full.
    blocks: Vec<Arc<Block>>,
}

#[derive(Clone, Debug, Default)]
struct Block {
    /// All names, one after the other.
    text: String,
    /// Where each ends.
    ends: Vec<u32>,
    /// When each was found, in milliseconds.
    found_at: Vec<u32>,
}

impl ItemNames {
    pub(super) fn push(&mut self, name: &str, found_at: u64) {
        if self
            .blocks
            .last()
            .is_none_or(|last| last.ends.len() == BLOCK)
        {
            self.blocks.push(Arc::default());
        }
        if let Some(last) = self.blocks.last_mut() {
            let block = Arc::make_mut(last);
            block.text.push_str(name);
            // A name has some kilobytes at most.
            let end = u32::try_from(block.text.len());
            block.ends.push(end.unwrap_or(u32::MAX));
            let found_at = u32::try_from(found_at / NANOS_PER_MILLI);
            block.found_at.push(found_at.unwrap_or(u32::MAX));
        }
    }

    pub(super) fn get(&self, index: usize) -> Option<&str> {
        let block = self.blocks.get(index / BLOCK)?;
        let place = index % BLOCK;
        let end = *block.ends.get(place)?;
        let begin = place.checked_sub(1).map_or(0, |before| block.ends[before]);
        block.text.get(begin as usize..end as usize)
    }

    /// When an item was found, in nanoseconds.
    pub(super) fn found_at(&self, index: usize) -> Option<u64> {
        let block = self.blocks.get(index / BLOCK)?;
        let millis = *block.found_at.get(index % BLOCK)?;
        Some(u64::from(millis) * NANOS_PER_MILLI)
    }
}
