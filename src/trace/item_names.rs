use std::sync::Arc;

/// The names of a block.
const BLOCK: usize = 1_024;

/// The names of the items of a job, by number. Clones share them.
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
    ends: Vec<usize>,
}

impl ItemNames {
    pub(super) fn push(&mut self, name: &str) {
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
            block.ends.push(block.text.len());
        }
    }

    pub(super) fn get(&self, index: usize) -> Option<&str> {
        let block = self.blocks.get(index / BLOCK)?;
        let place = index % BLOCK;
        let end = *block.ends.get(place)?;
        let begin = place.checked_sub(1).map_or(0, |before| block.ends[before]);
        block.text.get(begin..end)
    }
}
