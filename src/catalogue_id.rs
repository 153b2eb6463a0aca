//! Ids for the entries of a built-in list: the lessons, and the patterns of the Freeze Lab.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// A type whose values form a built-in list, each with a unique id.
pub trait CatalogueEntry: Sized + 'static {
    /// What an error message calls an entry.
    const NOUN: &'static str;

    /// The command that prints the list.
    const LIST_COMMAND: &'static str;

    /// All entries, in the order of the list.
    fn all() -> impl Iterator<Item = &'static Self>;

    /// The name of the entry on the command line.
    fn id(&self) -> &'static str;
}

/// A reference to an entry. Comparing, printing and parsing use the entry's id.
pub struct CatalogueId<T: 'static>(&'static T);

impl<T: CatalogueEntry> CatalogueId<T> {
    /// All ids, in the order of the list.
    pub fn all() -> impl Iterator<Item = Self> {
        T::all().map(Self)
    }

    pub fn entry(self) -> &'static T {
        self.0
    }
}

impl<T> Clone for CatalogueId<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for CatalogueId<T> {}

impl<T: CatalogueEntry> fmt::Display for CatalogueId<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.id())
    }
}

impl<T: CatalogueEntry> fmt::Debug for CatalogueId<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.id())
    }
}

impl<T: CatalogueEntry> PartialEq for CatalogueId<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0.id() == other.0.id()
    }
}

impl<T: CatalogueEntry> Eq for CatalogueId<T> {}

impl<T: CatalogueEntry> PartialOrd for CatalogueId<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T: CatalogueEntry> Ord for CatalogueId<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.id().cmp(other.0.id())
    }
}

/// The catalogue has no entry of this id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no {noun} called `{id}`; `{list_command}` prints them")]
pub struct UnknownId {
    noun: &'static str,
    id: String,
    list_command: &'static str,
}

impl<T: CatalogueEntry> FromStr for CatalogueId<T> {
    type Err = UnknownId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = T::all().find(|entry| entry.id() == text).map(Self);
        found.ok_or_else(|| UnknownId {
            noun: T::NOUN,
            id: text.to_owned(),
            list_command: T::LIST_COMMAND,
        })
    }
}
