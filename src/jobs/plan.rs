use super::Item;

/// Takes what [`Job::plan`](super::Job::plan) finds.
pub trait Plan {
    /// Takes an item. May block while the workers are behind.
    fn item(&mut self, item: Item);

    /// Takes a sentence about the plan that is neither an item nor an error, such as
    /// `42 HEIC files were left out: there is no decoder here.`
    ///
    /// A job says few of them, however many inputs it has: the board keeps the first hundred.
    fn note(&mut self, note: String);
}

/// A closure takes the items alone.
impl<F: FnMut(Item)> Plan for F {
    fn item(&mut self, item: Item) {
        self(item);
    }

    fn note(&mut self, _note: String) {}
}
