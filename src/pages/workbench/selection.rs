//! The rows of the results that the user has selected.

use std::ops::Range;

use fixedbitset::FixedBitSet;

use super::{Order, ShownRows};
use crate::record::ItemId;

/// Any number of items, and the row from which the keys go on.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    items: FixedBitSet,
    len: usize,
    lead: Option<ItemId>,
    /// The other end of a range that ends at the lead.
    anchor: Option<ItemId>,
}

impl Selection {
    /// The number of selected items.
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn contains(&self, item: ItemId) -> bool {
        self.items.contains(item.index())
    }

    /// The item that was clicked or reached by keys last, selected or not.
    pub fn lead(&self) -> Option<ItemId> {
        self.lead
    }

    /// The selected items, in the order of their numbers.
    pub fn items(&self) -> impl Iterator<Item = ItemId> {
        self.items.ones().map(ItemId::new)
    }

    /// The selected item, if there is just one.
    pub fn single(&self) -> Option<ItemId> {
        self.items().next().filter(|_| self.len == 1)
    }

    /// The selected items in the order of their rows. `items` is the number of items of the job.
    pub fn in_order(&self, order: &Order, items: usize) -> Vec<ItemId> {
        let rows = (0..order.len(items)).filter_map(|row| order.item(row));
        match order {
            Order::AsFound => self.items().collect(),
            Order::Rows(_) => rows
                .map(ItemId::new)
                .filter(|item| self.contains(*item))
                .collect(),
        }
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Selects an item, and no other.
    pub fn select_only(&mut self, item: ItemId) {
        self.clear();
        self.toggle(item);
    }

    /// Goes to an item. What is selected stays so.
    pub fn go_to(&mut self, item: ItemId) {
        self.lead = Some(item);
    }

    /// Selects an item, or no longer. The others stay as they are.
    pub fn toggle(&mut self, item: ItemId) {
        self.items.grow(item.index() + 1);
        self.items.toggle(item.index());
        self.len = self.items.count_ones(..);
        self.lead = Some(item);
        self.anchor = Some(item);
    }

    /// Selects the rows from the one that was selected alone last to `row`; with `others` those that are
    /// selected stay so. Does nothing if there is no such row.
    pub fn extend(&mut self, order: &Order, row: usize, others: bool) {
        let Some(lead) = order.item(row) else {
            return;
        };
        let anchor = self.anchor.and_then(|item| order.row(item.index()));
        let from = anchor.unwrap_or(row);
        let rows = from.min(row)..from.max(row) + 1;
        match order {
            Order::AsFound => {
                if !others {
                    self.items.clear();
                }
                self.items.grow(rows.end);
                self.items.insert_range(rows);
            }
            Order::Rows(shown) => self.extend_in(shown, rows, others),
        }
        self.len = self.items.count_ones(..);
        self.lead = Some(ItemId::new(lead));
        self.anchor = anchor
            .and_then(|row| order.item(row))
            .map(ItemId::new)
            .or(self.lead);
    }

    /// Goes through the rows of the range, or through the others if these are fewer: from one end of a long table to
    /// the other, there are none.
    fn extend_in(&mut self, shown: &ShownRows, rows: Range<usize>, others: bool) {
        let all = shown.rows();
        let place = |&row: &u32| row as usize;
        if rows.len() <= all.len() / 2 {
            if !others {
                self.items.clear();
            }
            self.items.extend(all[rows].iter().map(place));
            return;
        }
        let outside = all[..rows.start].iter().chain(&all[rows.end..]);
        let left: Vec<_> = outside
            .map(place)
            .filter(|&item| !(others && self.items.contains(item)))
            .collect();
        self.items.clone_from(shown.places());
        for item in left {
            self.items.remove(item);
        }
    }

    /// Selects all rows. `items` is the number of items of the job.
    pub fn select_all(&mut self, order: &Order, items: usize) {
        self.items = match order {
            Order::AsFound => {
                let mut all = FixedBitSet::with_capacity(items);
                all.insert_range(..);
                all
            }
            Order::Rows(shown) => shown.places().clone(),
        };
        self.len = self.items.count_ones(..);
        let first = order.item(0).filter(|_| self.len > 0).map(ItemId::new);
        self.lead = self.lead.or(first);
        self.anchor = self.anchor.or(first);
    }

    /// Keeps those that are shown: the items at these places.
    pub(super) fn keep_shown(&mut self, places: &FixedBitSet) {
        self.items.intersect_with(places);
        self.len = self.items.count_ones(..);
        let is_shown = |item: &ItemId| places.contains(item.index());
        self.lead = self.lead.filter(is_shown);
        self.anchor = self.anchor.filter(is_shown).or(self.lead);
    }
}
