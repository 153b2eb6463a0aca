//! Places the nodes of a graph in columns, so that edges lead to the right.
//!
//! This is the method of Sugiyama: an edge that closes a cycle counts as its reverse, a node is right of all that
//! lead to it, and an edge across several columns bends in each of them, where it has a place like a node. The order
//! within a column follows that of the neighbours. Equal graphs have equal places.

use std::collections::VecDeque;

/// The sizes of what is placed, in points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sizes {
    pub node: [f32; 2],
    /// Between two columns, and between two nodes of a column.
    pub gap: [f32; 2],
    /// The height that an edge takes which passes a column.
    pub lane: f32,
}

/// Where everything is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layered {
    /// The left upper corner of each node.
    pub nodes: Vec<[f32; 2]>,
    pub edges: Vec<Route>,
    pub size: [f32; 2],
}

/// How an edge leads.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Route {
    /// It leads to the left, because it closes a cycle. Its bends are in the order from the left all the same.
    pub is_reversed: bool,
    /// The left ends of the lanes of the columns that it passes.
    pub bends: Vec<[f32; 2]>,
}

/// How often the columns are ordered by their neighbours, in each direction.
const SWEEPS: usize = 6;

/// Something that has a place in a column.
#[derive(Clone, Copy, Debug)]
struct Item {
    column: usize,
    height: f32,
    /// The upper end.
    y: f32,
}

struct Layout {
    sizes: Sizes,
    /// The nodes, and then the bends.
    items: Vec<Item>,
    /// The items of each column, from the top.
    columns: Vec<Vec<usize>>,
    /// The neighbours of each item to the left and to the right.
    left: Vec<Vec<usize>>,
    right: Vec<Vec<usize>>,
}

/// Places `count` nodes with these edges, from and to. An edge from a node to itself takes no place.
pub fn layered(count: usize, edges: &[(usize, usize)], sizes: Sizes) -> Layered {
    let is_reversed = closing(count, edges);
    let forward: Vec<(usize, usize)> = edges
        .iter()
        .zip(&is_reversed)
        .map(|(&(from, to), reversed)| if *reversed { (to, from) } else { (from, to) })
        .collect();
    let columns = columns_of(count, &forward);
    let mut layout = Layout {
        sizes,
        items: Vec::new(),
        columns: vec![Vec::new(); columns.iter().max().map_or(0, |last| last + 1)],
        left: Vec::new(),
        right: Vec::new(),
    };
    for column in columns {
        layout.add(column, sizes.node[1]);
    }
    let bends: Vec<Vec<usize>> = forward.iter().map(|edge| layout.connect(*edge)).collect();
    layout.order();
    layout.align();
    let edges = bends.into_iter().zip(is_reversed);
    Layered {
        nodes: (0..count).map(|node| layout.corner(node)).collect(),
        size: layout.size(),
        edges: edges
            .map(|(bends, is_reversed)| Route {
                is_reversed,
                bends: bends.into_iter().map(|bend| layout.corner(bend)).collect(),
            })
            .collect(),
    }
}

/// Tells for each edge whether it closes a cycle with those before it in a walk from the first nodes.
fn closing(count: usize, edges: &[(usize, usize)]) -> Vec<bool> {
    let mut leading = vec![Vec::new(); count];
    for (edge, &(from, _)) in edges.iter().enumerate() {
        leading[from].push(edge);
    }
    let mut closes = vec![false; edges.len()];
    let (mut is_open, mut is_done) = (vec![false; count], vec![false; count]);
    for start in 0..count {
        let mut path = Vec::new();
        if !is_done[start] {
            is_open[start] = true;
            path.push((start, 0));
        }
        while let Some((node, next)) = path.last_mut() {
            let Some(&edge) = leading[*node].get(*next) else {
                (is_open[*node], is_done[*node]) = (false, true);
                path.pop();
                continue;
            };
            *next += 1;
            let (_, to) = edges[edge];
            if is_open[to] {
                closes[edge] = true;
            } else if !is_done[to] {
                is_open[to] = true;
                path.push((to, 0));
            }
        }
    }
    closes
}

/// The columns in the order in which they are gone through: to the right and back, each with whether that leads
/// to the right.
fn sweeps(columns: usize) -> impl Iterator<Item = (usize, bool)> {
    (0..2 * SWEEPS).flat_map(move |sweep| {
        let to_right = sweep % 2 == 0;
        (0..columns).map(move |step| {
            let column = if to_right { step } else { columns - 1 - step };
            (column, to_right)
        })
    })
}

/// Returns the column of each node: right of all that lead to it. The edges form no cycle.
fn columns_of(count: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut leading = vec![Vec::new(); count];
    let mut incoming = vec![0_usize; count];
    for &(from, to) in edges.iter().filter(|(from, to)| from != to) {
        leading[from].push(to);
        incoming[to] += 1;
    }
    let mut columns = vec![0; count];
    let free = (0..count).filter(|node| incoming[*node] == 0);
    let mut next: VecDeque<usize> = free.collect();
    while let Some(from) = next.pop_front() {
        for &to in &leading[from] {
            columns[to] = columns[to].max(columns[from] + 1);
            incoming[to] -= 1;
            if incoming[to] == 0 {
                next.push_back(to);
            }
        }
    }
    columns
}

impl Layout {
    fn add(&mut self, column: usize, height: f32) -> usize {
        let index = self.items.len();
        self.items.push(Item {
            column,
            height,
            y: 0.0,
        });
        self.columns[column].push(index);
        self.left.push(Vec::new());
        self.right.push(Vec::new());
        index
    }

    /// Adds the bends of an edge that leads to the right, and returns them.
    fn connect(&mut self, (from, to): (usize, usize)) -> Vec<usize> {
        let between = self.items[from].column + 1..self.items[to].column;
        let lane = self.sizes.lane;
        let bends: Vec<usize> = between.map(|column| self.add(column, lane)).collect();
        let stops = bends.iter().copied().chain([to]);
        let mut last = from;
        for stop in stops.filter(|_| from != to) {
            self.right[last].push(stop);
            self.left[stop].push(last);
            last = stop;
        }
        bends
    }

    /// Orders each column by where its neighbours are.
    fn order(&mut self) {
        let mut ranks = vec![0.0; self.items.len()];
        let rank = |column: &[usize], ranks: &mut [f32]| {
            for (rank, item) in column.iter().enumerate() {
                ranks[*item] = (rank as f32 + 0.5) / column.len() as f32;
            }
        };
        for column in &self.columns {
            rank(column, &mut ranks);
        }
        for (column, to_right) in sweeps(self.columns.len()) {
            let neighbours = if to_right { &self.left } else { &self.right };
            let wanted = |item: &usize| mean(&neighbours[*item], |it| ranks[it]);
            let mut keyed: Vec<(f32, usize)> = self.columns[column]
                .iter()
                .map(|item| (wanted(item).unwrap_or(ranks[*item]), *item))
                .collect();
            keyed.sort_by(|(a, _), (b, _)| a.total_cmp(b));
            self.columns[column] = keyed.into_iter().map(|(_, item)| item).collect();
            rank(&self.columns[column], &mut ranks);
        }
    }

    /// Moves the items of each column, in their order, to where their neighbours are.
    fn align(&mut self) {
        for (column, to_right) in sweeps(self.columns.len()) {
            self.align_column(column, to_right);
        }
        let top = self.items.iter().map(|item| item.y).reduce(f32::min);
        for item in &mut self.items {
            item.y = (item.y - top.unwrap_or(0.0)).round();
        }
    }

    /// Of all ways to keep the order and the gaps, the one with the least squares of distances to the neighbours.
    fn align_column(&mut self, column: usize, to_right: bool) {
        let neighbours = if to_right { &self.left } else { &self.right };
        let middle = |item: usize| self.items[item].y + self.items[item].height / 2.0;
        // Blocks of items that touch: what they want on average, and how many they are.
        let mut blocks: Vec<(f32, usize)> = Vec::new();
        let mut offsets = Vec::new();
        let mut offset = 0.0;
        for &item in &self.columns[column] {
            let wanted = mean(&neighbours[item], middle).unwrap_or_else(|| middle(item));
            offsets.push(offset);
            let mut block = (wanted - self.items[item].height / 2.0 - offset, 1);
            while let Some(&(above, count)) = blocks.last().filter(|(above, _)| *above > block.0) {
                let (sum, all) = (
                    above * count as f32 + block.0 * block.1 as f32,
                    count + block.1,
                );
                block = (sum / all as f32, all);
                blocks.pop();
            }
            blocks.push(block);
            offset += self.items[item].height + self.sizes.gap[1];
        }
        let tops = blocks
            .iter()
            .flat_map(|(top, count)| std::iter::repeat_n(*top, *count));
        for ((item, offset), top) in self.columns[column].iter().zip(offsets).zip(tops) {
            self.items[*item].y = top + offset;
        }
    }

    fn corner(&self, item: usize) -> [f32; 2] {
        let item = self.items[item];
        let step = self.sizes.node[0] + self.sizes.gap[0];
        [item.column as f32 * step, item.y]
    }

    fn size(&self) -> [f32; 2] {
        let ends = self.items.iter().map(|item| item.y + item.height);
        let columns = self.columns.len() as f32;
        let width = columns * self.sizes.node[0] + (columns - 1.0).max(0.0) * self.sizes.gap[0];
        [width, ends.fold(0.0, f32::max)]
    }
}

fn mean(items: &[usize], value: impl Fn(usize) -> f32) -> Option<f32> {
    let sum: f32 = items.iter().map(|item| value(*item)).sum();
    (!items.is_empty()).then(|| sum / items.len() as f32)
}
