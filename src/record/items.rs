use std::ops::Index;
use std::sync::Arc;

use super::item::{ItemId, ItemRecord};

/// The number of items in a block: few enough to copy a block in a frame, and enough that a million
/// items need only a thousand blocks.
const BLOCK_LEN: usize = 1024;

/// The items of a job, in the order of their numbers.
///
/// Clones share blocks of items: to clone a million items takes microseconds, so a frame may do it.
/// A change after that first copies the block of the item.
#[derive(Clone, Debug, Default)]
pub struct Items {
    /// All but the last one are full.
    blocks: Vec<Arc<Vec<Arc<ItemRecord>>>>,
    len: usize,
}

impl Items {
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no items.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The item with this number, if it has been found.
    pub fn get(&self, index: usize) -> Option<&Arc<ItemRecord>> {
        self.blocks.get(index / BLOCK_LEN)?.get(index % BLOCK_LEN)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<ItemRecord>> + Clone {
        self.blocks.iter().flat_map(|block| block.iter())
    }

    pub(super) fn push(&mut self, item: ItemRecord) {
        if self.len.is_multiple_of(BLOCK_LEN) {
            self.blocks.push(Arc::new(Vec::with_capacity(BLOCK_LEN)));
        }
        if let Some(last) = self.blocks.last_mut() {
            Arc::make_mut(last).push(Arc::new(item));
            self.len += 1;
        }
    }

    /// The item with this number, to change it. Copies what clones share.
    pub(super) fn get_mut(&mut self, id: ItemId) -> Option<&mut ItemRecord> {
        let block = self.blocks.get_mut(id.index() / BLOCK_LEN)?;
        let index = id.index() % BLOCK_LEN;
        if index >= block.len() {
            return None;
        }
        Arc::make_mut(block).get_mut(index).map(Arc::make_mut)
    }
}

impl Index<usize> for Items {
    type Output = Arc<ItemRecord>;

    /// # Panics
    /// Panics if there is no item with this number.
    fn index(&self, index: usize) -> &Self::Output {
        &self.blocks[index / BLOCK_LEN][index % BLOCK_LEN]
    }
}
