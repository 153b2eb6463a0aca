use std::ops::Index;
use std::sync::Arc;

use super::item::{ItemId, ItemRecord};

/// How many items share a block: few enough to copy one in a frame, many enough that a million
/// items are a thousand blocks.
const BLOCK: usize = 1024;

/// The items of a job, in the order of their numbers.
///
/// They are kept in blocks, which clones share: a clone of a million items costs microseconds, and
/// so it can be made in a frame. What changes afterwards is copied first, a block at a time.
///
/// ```
/// use meanwhile::jobs::{Item, JobSpec, Options, Priority, RunOn, Step, misbehave};
/// use meanwhile::record::{Event, EventKind, ItemId, ItemState, JobId, Record};
/// # use std::sync::Arc;
/// # use std::time::Duration;
/// # let spec = Arc::new(JobSpec {
/// #     options: Options::Misbehave(misbehave::Options::default()),
/// #     inputs: vec!["a".into()],
/// #     run_on: RunOn::Pool,
/// #     workers: 1,
/// #     priority: Priority::default(),
/// # });
/// # let item = Item { input: "a".into(), bytes: 0, step: Step::Run };
/// let mut record = Record::default();
/// let mut tell = |kind| {
///     let (job, at) = (JobId(1), Duration::ZERO);
///     record.apply(Event { job, at, kind });
///     record.job(job).expect("it did start").items().clone()
/// };
/// tell(EventKind::JobDidStart { spec });
/// let before = tell(EventKind::ItemDidAppear { item });
/// let after = tell(EventKind::ItemDidStart { item: ItemId(0) });
/// assert_eq!(before[0].state, ItemState::Waiting);
/// assert_eq!(after.get(0).map(|item| &item.state), Some(&ItemState::Running));
/// assert_eq!(after.iter().count(), after.len());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Items {
    /// All but the last one are full.
    blocks: Vec<Arc<Vec<Arc<ItemRecord>>>>,
    len: usize,
}

impl Items {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The item with this number, if it has been found.
    pub fn get(&self, index: usize) -> Option<&Arc<ItemRecord>> {
        self.blocks.get(index / BLOCK)?.get(index % BLOCK)
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<ItemRecord>> + Clone {
        self.blocks.iter().flat_map(|block| block.iter())
    }

    pub(super) fn push(&mut self, item: ItemRecord) {
        if self.len.is_multiple_of(BLOCK) {
            self.blocks.push(Arc::new(Vec::with_capacity(BLOCK)));
        }
        if let Some(last) = self.blocks.last_mut() {
            Arc::make_mut(last).push(Arc::new(item));
            self.len += 1;
        }
    }

    /// The item with this number, to be changed; a copy where a clone has it too.
    pub(super) fn get_mut(&mut self, id: ItemId) -> Option<&mut ItemRecord> {
        let block = self.blocks.get_mut(id.0 / BLOCK)?;
        let place = id.0 % BLOCK;
        if place >= block.len() {
            return None;
        }
        Arc::make_mut(block).get_mut(place).map(Arc::make_mut)
    }
}

impl Index<usize> for Items {
    type Output = Arc<ItemRecord>;

    /// # Panics
    /// There is no item with this number.
    fn index(&self, index: usize) -> &Self::Output {
        &self.blocks[index / BLOCK][index % BLOCK]
    }
}
