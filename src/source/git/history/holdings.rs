//! What holds what: directories and what matters in them, from all threads together, and the paths that follow.
//!
//! Must not know: commits' order, references, detection.
//! Invariant: nothing here recurses, so that directories may be nested as deep as anybody likes; of one object no more
//! paths are told than [`MOST_PATHS`], so that a few directories that name each other a million times cost little.

use std::collections::{BTreeSet, HashMap};

use gix::hash::Kind as HashKind;

use super::set::NumberSet;
use super::table::Table;
use super::trees::{self, Holdings};

/// Of one object so many paths are told.
const MOST_PATHS: usize = 100;
/// Directories are no larger.
const LARGEST_TREE: u64 = 1 << 30;

/// Who holds whom.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// Trees by number, with where their children stand in `children`.
    trees: Vec<(u32, std::ops::Range<u32>)>,
    children: Vec<u32>,
    /// Who holds an object: objects by number, with where their holders stand in `holders`.
    held: Vec<(u32, std::ops::Range<u32>)>,
    holders: Vec<u32>,
    /// Under which words an object is held, sorted.
    names: Vec<(u32, u32)>,
    words: Vec<Box<[u8]>>,
    /// Trees, every one after all that it holds.
    order: Vec<u32>,
}

impl Held {
    /// Puts together what all threads found.
    pub(super) fn new(all: Vec<Holdings>) -> Self {
        let mut held = Self::default();
        let mut numbers: HashMap<Box<[u8]>, u32> = HashMap::new();
        for mut holdings in all {
            let shift = u32::try_from(held.children.len()).unwrap_or(u32::MAX);
            held.children.append(&mut holdings.children);
            let moved = |range: std::ops::Range<u32>| range.start + shift..range.end + shift;
            held.trees.extend(holdings.trees.into_iter().map(|(tree, range)| (tree, moved(range))));
            let mut renamed = Vec::with_capacity(holdings.words.len());
            for word in holdings.words {
                let next = u32::try_from(held.words.len()).unwrap_or(u32::MAX);
                let number = *numbers.entry(word.clone()).or_insert_with(|| {
                    held.words.push(word);
                    next
                });
                renamed.push(number);
            }
            held.names.extend(holdings.names.iter().map(|&(child, word)| (child, renamed[word as usize])));
        }
        held.trees.sort_unstable_by_key(|(tree, _)| *tree);
        held.names.sort_unstable();
        held.names.dedup();
        held.invert();
        held.sort();
        held
    }

    fn invert(&mut self) {
        let mut pairs: Vec<(u32, u32)> = Vec::with_capacity(self.children.len());
        for (tree, range) in &self.trees {
            pairs.extend(self.slice(range).iter().map(|&child| (child, *tree)));
        }
        pairs.sort_unstable();
        pairs.dedup();
        self.holders = pairs.iter().map(|&(_, tree)| tree).collect();
        let mut start = 0;
        for group in pairs.chunk_by(|one, other| one.0 == other.0) {
            let end = start + u32::try_from(group.len()).unwrap_or(u32::MAX);
            self.held.push((group[0].0, start..end));
            start = end;
        }
    }

    /// Children before those that hold them.
    fn sort(&mut self) {
        let index_of = |tree: u32| self.trees.binary_search_by_key(&tree, |(tree, _)| *tree).ok();
        let mut waiting: Vec<u32> = self
            .trees
            .iter()
            .map(|(_, range)| {
                let inner = self.slice(range).iter().filter(|&&child| index_of(child).is_some());
                u32::try_from(inner.count()).unwrap_or(u32::MAX)
            })
            .collect();
        let mut order: Vec<u32> = self
            .trees
            .iter()
            .zip(&waiting)
            .filter(|(_, count)| **count == 0)
            .map(|(tree, _)| tree.0)
            .collect();
        let mut at = 0;
        while at < order.len() {
            let child = order[at];
            for &holder in self.holders_of(child) {
                let Some(index) = index_of(holder) else { continue };
                // A tree may hold the same one under two names.
                let times = self.slice(&self.trees[index].1).iter().filter(|&&other| other == child).count();
                waiting[index] = waiting[index].saturating_sub(u32::try_from(times).unwrap_or(u32::MAX));
                if waiting[index] == 0 {
                    order.push(holder);
                }
            }
            at += 1;
        }
        self.order = order;
    }

    fn slice(&self, range: &std::ops::Range<u32>) -> &[u32] {
        &self.children[range.start as usize..range.end as usize]
    }

    /// What a tree holds: trees, and contents that matter.
    pub(super) fn children_of(&self, tree: u32) -> &[u32] {
        match self.trees.binary_search_by_key(&tree, |(tree, _)| *tree) {
            Ok(index) => self.slice(&self.trees[index].1),
            Err(_) => &[],
        }
    }

    /// The trees that hold an object.
    pub(super) fn holders_of(&self, number: u32) -> &[u32] {
        match self.held.binary_search_by_key(&number, |(number, _)| *number) {
            Ok(index) => {
                let range = &self.held[index].1;
                &self.holders[range.start as usize..range.end as usize]
            }
            Err(_) => &[],
        }
    }

    /// Trees that hold anything that matters, each after what it holds.
    pub(super) fn trees(&self) -> &[u32] {
        &self.order
    }

    /// Everything below `tops`, themselves included.
    pub(super) fn below(&self, tops: impl IntoIterator<Item = u32>, count: usize) -> NumberSet {
        let mut reached = NumberSet::new(count);
        let mut waiting: Vec<u32> = tops.into_iter().filter(|&top| reached.insert(top)).collect();
        while let Some(number) = waiting.pop() {
            waiting.extend(self.children_of(number).iter().filter(|&&child| reached.insert(child)));
        }
        reached
    }

    /// Everything that holds one of `numbers`, directly or not; they are not included unless they do, too.
    fn above(&self, numbers: &[u32], count: usize) -> NumberSet {
        let mut reached = NumberSet::new(count);
        let mut waiting: Vec<u32> = numbers.to_vec();
        while let Some(number) = waiting.pop() {
            waiting.extend(self.holders_of(number).iter().filter(|&&holder| reached.insert(holder)));
        }
        reached
    }

    /// The paths of `numbers` below the trees in `tops`, sorted; trees that nobody holds count as tops, too.
    pub(super) fn paths(
        &self,
        numbers: &[u32],
        tops: &NumberSet,
        table: &Table,
        hash: HashKind,
    ) -> HashMap<u32, Vec<Vec<u8>>> {
        let above = self.above(numbers, table.count());
        let mut namer = Namer { held: self, table, hash, known: HashMap::new() };
        let mut paths: HashMap<u32, BTreeSet<Vec<u8>>> = HashMap::new();
        let wanted: std::collections::HashSet<u32> = numbers.iter().copied().collect();
        // From the outermost trees inwards.
        for &tree in self.order.iter().rev().filter(|&&tree| above.contains(tree)) {
            let own = paths.entry(tree).or_default();
            if tops.contains(tree) || own.is_empty() {
                own.insert(Vec::new());
            }
            let own: Vec<Vec<u8>> = own.iter().cloned().collect();
            let mut children = self.children_of(tree).to_vec();
            children.sort_unstable();
            children.dedup();
            for child in
                children.into_iter().filter(|&child| above.contains(child) || wanted.contains(&child))
            {
                let names = namer.names(tree, child);
                let below = paths.entry(child).or_default();
                for directory in &own {
                    for name in &names {
                        if below.len() < MOST_PATHS {
                            below.insert(joined(directory, name));
                        }
                    }
                }
            }
        }
        paths.retain(|number, _| wanted.contains(number));
        paths.into_iter().map(|(number, paths)| (number, paths.into_iter().collect())).collect()
    }
}

fn joined(directory: &[u8], name: &[u8]) -> Vec<u8> {
    if directory.is_empty() { name.to_vec() } else { [directory, b"/", name].concat() }
}

/// Tells under which names a tree holds an object.
struct Namer<'a> {
    held: &'a Held,
    table: &'a Table,
    hash: HashKind,
    /// Trees that had to be read.
    known: HashMap<u32, Vec<(u32, Vec<u8>)>>,
}

impl Namer<'_> {
    fn names(&mut self, tree: u32, child: u32) -> Vec<Vec<u8>> {
        let names = &self.held.names;
        let start = names.partition_point(|&(number, _)| number < child);
        let mut words =
            names[start..].iter().take_while(|&&(number, _)| number == child).map(|&(_, word)| word);
        match (words.next(), words.next()) {
            (Some(word), None) => vec![self.held.words[word as usize].to_vec()],
            // It has several names somewhere: only the tree itself knows which one it has there.
            _ => {
                let entries = self.known.entry(tree).or_insert_with(|| {
                    let read = self.table.read(tree, LARGEST_TREE);
                    read.map(|(_, bytes)| trees::entries(&bytes, self.table, self.hash)).unwrap_or_default()
                });
                let same = entries.iter().filter(|(number, _)| *number == child);
                same.map(|(_, name)| name.clone()).collect()
            }
        }
    }
}
