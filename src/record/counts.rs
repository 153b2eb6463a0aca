use super::item::ItemState;

/// The number of items in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Found, not started.
    pub waiting: usize,
    pub running: usize,
    pub returned: usize,
    pub failed: usize,
    pub panicked: usize,
    /// Lost with their worker.
    pub crashed: usize,
    pub cancelled: usize,
}

impl Counts {
    /// All items found so far.
    pub fn total(&self) -> usize {
        self.waiting + self.running + self.ended()
    }

    /// All items that have ended.
    pub fn ended(&self) -> usize {
        self.returned + self.failed + self.panicked + self.crashed + self.cancelled
    }

    pub(super) fn of(&mut self, state: &ItemState) -> &mut usize {
        match state {
            ItemState::Waiting => &mut self.waiting,
            ItemState::Running => &mut self.running,
            ItemState::Returned(_) => &mut self.returned,
            ItemState::Failed(_) => &mut self.failed,
            ItemState::Panicked(_) => &mut self.panicked,
            ItemState::Crashed(_) => &mut self.crashed,
            ItemState::Cancelled => &mut self.cancelled,
        }
    }
}
