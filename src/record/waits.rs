//! Who waits for whom at one time: tasks, threads, jobs and processes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{ItemId, JobId, JoinId};
use crate::format;

/// Who waits, whom they wait for, and what those do in turn. Times are on the clock of the board.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Waits {
    pub nodes: Vec<WaitNode>,
    /// One for each pair of nodes at most, in the order of [`WaitEdge::from`].
    pub edges: Vec<WaitEdge>,
    /// The nodes that wait for each other, each for the next one and the last for the first.
    pub rings: Vec<Vec<usize>>,
    /// What could not be seen, a sentence each.
    pub notes: Vec<String>,
    places: BTreeMap<WaitNodeId, usize>,
}

/// Something that waits, or that is waited for.
#[derive(Clone, Debug, PartialEq)]
pub struct WaitNode {
    pub id: WaitNodeId,
    pub name: String,
    /// What tells it from others of this name, such as `pid 812`; may be empty.
    pub place: String,
    /// What it does, in a few words; empty if that is not known.
    pub short: String,
    /// The same with whom it waits for; empty if that is not known.
    pub long: String,
    pub doing: Doing,
    pub since: Since,
    pub until: Until,
    /// The job that it belongs to, and the item, of which there is output.
    pub job: Option<(JobId, Option<ItemId>)>,
}

/// What a node is, for as long as it is the same one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WaitNodeId {
    /// The window, as it waits for a job in the background.
    Join(JobId, JoinId),
    Job(JobId),
    /// A task, by its number.
    Task(u64),
    /// A thread of this program that waits since then.
    OwnThread(Duration),
    /// The further tasks that this task or thread waits for.
    More(Box<Self>),
    /// A process. The start is in clock ticks, and 0 until it was looked at.
    Process {
        pid: u32,
        started: u64,
    },
    /// A thread of a process that is not the one that stands for the process.
    Thread {
        tid: u32,
        started: u64,
    },
}

/// What a node does, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    Waits,
    Computes,
    Stopped,
    Ended,
    /// It runs or waits.
    NotKnown,
}

/// When a wait began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    NotKnown,
    At(Duration),
    /// Then, or before: it was seen first at that time.
    AtLatest(Duration),
}

/// When a wait ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    NoDeadline,
    At(Duration),
    /// It was asked to last this long, since when is not known.
    Lasts(Duration),
    /// At a time that is not known.
    Sometime,
}

/// One node waits for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitEdge {
    pub from: usize,
    pub to: usize,
    /// What is between them, in a word or two; may be empty.
    pub link: &'static str,
}

impl Since {
    /// `12 s`, `at least 12 s`; empty if it is not known, or was just seen first.
    pub fn text(self, now: Duration) -> String {
        match self {
            Self::NotKnown => String::new(),
            Self::At(at) => format::whole_secs(now.saturating_sub(at)),
            Self::AtLatest(at) => {
                let seen = now.saturating_sub(at);
                if seen.as_secs() == 0 {
                    return String::new();
                }
                format!("at least {}", format::whole_secs(seen))
            }
        }
    }
}

impl Until {
    /// `8 min 19 s left`, `lasts 60 s`; empty without a deadline.
    pub fn text(self, now: Duration) -> String {
        // Rounded up, so that there is nothing left at the end alone.
        let up = |time: Duration| format::whole_secs(time + Duration::from_millis(999));
        match self {
            Self::NoDeadline => String::new(),
            Self::At(at) => format!("{} left", up(at.saturating_sub(now))),
            Self::Lasts(time) => format!("lasts {}", up(time)),
            Self::Sometime => "has a time limit".to_owned(),
        }
    }
}

impl WaitNode {
    /// `make, pid 812`.
    pub fn title(&self) -> String {
        if self.place.is_empty() {
            self.name.clone()
        } else {
            format!("{}, {}", self.name, self.place)
        }
    }

    /// `12 s, 8 min 08 s left`; empty if nothing is known.
    pub fn times(&self, now: Duration) -> String {
        let texts = [self.since.text(now), self.until.text(now)];
        let known = texts.into_iter().filter(|text| !text.is_empty());
        known.collect::<Vec<_>>().join(", ")
    }

    /// `make, pid 812, waits for its child cc1 (pid 814) to end`.
    pub fn text(&self) -> String {
        if self.long.is_empty() {
            self.title()
        } else {
            format!("{}, {}", self.title(), self.long)
        }
    }
}

impl Waits {
    /// Whether a node is one of a ring.
    pub fn is_in_ring(&self, node: usize) -> bool {
        self.rings.iter().any(|ring| ring.contains(&node))
    }

    /// Whether an edge leads from one node of a ring to the next.
    pub fn is_of_ring(&self, edge: &WaitEdge) -> bool {
        let leads_on = |ring: &Vec<usize>| {
            let nexts = ring.iter().skip(1).chain(ring.first());
            ring.iter()
                .zip(nexts)
                .any(|(from, to)| (*from, *to) == (edge.from, edge.to))
        };
        self.rings.iter().any(leads_on)
    }

    /// `sort (pid 77) waits for head (pid 78), which waits for sort (pid 77).`
    pub fn ring_text(&self, ring: &[usize]) -> String {
        let nodes = ring.iter().chain(ring.first());
        let texts = nodes.enumerate().map(|(step, node)| {
            let WaitNode { name, place, .. } = &self.nodes[*node];
            let joint = match step {
                0 => "",
                1 => " waits for ",
                _ => ", which waits for ",
            };
            format!("{joint}{name} ({place})")
        });
        texts.collect::<String>() + "."
    }

    /// Whom a node waits for.
    pub fn targets(&self, node: usize) -> impl Iterator<Item = &WaitEdge> {
        self.edges.iter().filter(move |edge| edge.from == node)
    }

    /// Returns the place of the node with this id.
    pub fn place(&self, id: &WaitNodeId) -> Option<usize> {
        self.places.get(id).copied()
    }

    /// Adds a node, unless there is one with its id. Returns its place.
    pub fn add(&mut self, node: WaitNode) -> usize {
        let next = self.nodes.len();
        let place = *self.places.entry(node.id.clone()).or_insert(next);
        if place == next {
            self.nodes.push(node);
        }
        place
    }

    /// Notes that one node waits for another.
    pub fn connect(&mut self, from: usize, to: usize, link: &'static str) {
        let place = self
            .edges
            .partition_point(|edge| (edge.from, edge.to) < (from, to));
        let is_there = self
            .edges
            .get(place)
            .is_some_and(|edge| (edge.from, edge.to) == (from, to));
        if !is_there {
            self.edges.insert(place, WaitEdge { from, to, link });
        }
    }

    /// Returns the `count` nodes that matter most: those of rings, then those of the item, then those of the job, then
    /// the first ones.
    #[must_use]
    pub fn most_important(&self, count: usize, of: Option<(JobId, Option<ItemId>)>) -> Self {
        if self.nodes.len() <= count {
            return self.clone();
        }
        let in_rings: BTreeSet<usize> = self.rings.iter().flatten().copied().collect();
        let mut order: Vec<usize> = (0..self.nodes.len()).collect();
        order.sort_by_key(|&node| {
            let own = self.nodes[node].job;
            let is_of_job = of.is_some() && own.map(|(job, _)| job) == of.map(|(job, _)| job);
            let is_of_item = is_of_job && own == of && of.is_some_and(|(_, item)| item.is_some());
            (!in_rings.contains(&node), !is_of_item, !is_of_job, node)
        });
        order.truncate(count);
        order.sort_unstable();
        let place = |node: usize| order.binary_search(&node).ok();
        let edges = self.edges.iter().filter_map(|edge| {
            Some(WaitEdge {
                from: place(edge.from)?,
                to: place(edge.to)?,
                link: edge.link,
            })
        });
        let rings = self.rings.iter().filter_map(|ring| {
            ring.iter()
                .map(|node| place(*node))
                .collect::<Option<Vec<_>>>()
        });
        let nodes: Vec<WaitNode> = order.iter().map(|node| self.nodes[*node].clone()).collect();
        Self {
            edges: edges.collect(),
            rings: rings.collect(),
            notes: self.notes.clone(),
            places: (0..)
                .zip(&nodes)
                .map(|(place, node)| (node.id.clone(), place))
                .collect(),
            nodes,
        }
    }
}
