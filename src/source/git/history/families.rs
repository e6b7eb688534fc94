//! The entries of a pack as families: which one is made from which.
//!
//! Must not know: where entries stand, what is in an object, how a family is walked.
//! Invariant: every entry that is asked about is in a family or a problem.

use std::collections::HashSet;

use gix::hash::ObjectId;
use gix::objs::Kind;

use crate::source::git::entry::EntryError;

/// What an entry is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parent {
    /// Nothing: it stands for itself, and has so many bytes.
    Root(Kind, u64),
    /// Another entry, by rank.
    Entry(u32),
    /// An object outside of the pack.
    Elsewhere(ObjectId),
    /// Nobody knows.
    None,
    /// Nobody asks.
    Aside,
}

/// Who is made from whom in a pack, by rank.
pub(super) struct Families {
    /// Entries that stand for themselves, with what they are.
    pub(super) roots: Vec<(u32, Kind)>,
    /// How many bytes each of them has.
    sizes: Vec<u64>,
    /// Entries that are made from an object outside of the pack.
    pub(super) orphans: Vec<(u32, ObjectId)>,
    /// Entries that nothing leads to.
    pub(super) problems: Vec<(u32, EntryError)>,
    starts: Vec<u32>,
    children: Vec<u32>,
    /// How many entries are made from each, itself included.
    weights: Vec<u32>,
}

impl Families {
    /// The families of a pack in which entries have those parents, by rank; `problems` are with what has none.
    pub(super) fn new(parents: &[Parent], problems: Vec<(u32, EntryError)>) -> Self {
        let mut starts = vec![0_u32; parents.len() + 1];
        for parent in parents {
            if let Parent::Entry(base) = parent {
                starts[*base as usize + 1] += 1;
            }
        }
        for index in 1..starts.len() {
            starts[index] += starts[index - 1];
        }
        let mut next = starts.clone();
        let mut children = vec![0; *starts.last().unwrap_or(&0) as usize];
        let mut families = Self {
            roots: Vec::new(),
            sizes: Vec::new(),
            orphans: Vec::new(),
            problems,
            starts,
            children: Vec::new(),
            weights: vec![1; parents.len()],
        };
        for (rank, parent) in (0..).zip(parents) {
            match *parent {
                Parent::Root(kind, size) => {
                    families.roots.push((rank, kind));
                    families.sizes.push(size);
                }
                Parent::Elsewhere(id) => families.orphans.push((rank, id)),
                Parent::Entry(base) => {
                    let slot = &mut next[base as usize];
                    children[*slot as usize] = rank;
                    *slot += 1;
                }
                Parent::None | Parent::Aside => {}
            }
        }
        families.children = children;
        families.weigh(parents);
        families
    }

    /// Counts descendants, and finds entries that only lead to each other or to a broken one.
    fn weigh(&mut self, parents: &[Parent]) {
        let firsts =
            self.roots.iter().map(|&(rank, _)| rank).chain(self.orphans.iter().map(|&(rank, _)| rank));
        let mut order: Vec<u32> = firsts.collect();
        let mut reached = vec![false; parents.len()];
        let mut at = 0;
        while at < order.len() {
            let rank = order[at];
            reached[rank as usize] = true;
            let (start, end) = self.range(rank);
            order.extend_from_slice(&self.children[start..end]);
            at += 1;
        }
        for &rank in order.iter().rev() {
            if let Parent::Entry(base) = parents[rank as usize] {
                self.weights[base as usize] += self.weights[rank as usize];
            }
        }
        let known: HashSet<u32> = self.problems.iter().map(|&(rank, _)| rank).collect();
        for (rank, parent) in (0..).zip(parents) {
            if *parent != Parent::Aside && !reached[rank as usize] && !known.contains(&rank) {
                let error = self.why_unreached(parents, *parent, &known);
                self.problems.push((rank, error));
            }
        }
    }

    fn why_unreached(&self, parents: &[Parent], mut parent: Parent, broken: &HashSet<u32>) -> EntryError {
        for _ in 0..parents.len().min(10_000) {
            match parent {
                Parent::Entry(base) if broken.contains(&base) => return EntryError::BaseMissing,
                Parent::Entry(base) => parent = parents[base as usize],
                _ => return EntryError::BaseMissing,
            }
        }
        EntryError::Circular
    }

    fn range(&self, rank: u32) -> (usize, usize) {
        (self.starts[rank as usize] as usize, self.starts[rank as usize + 1] as usize)
    }

    /// Whether everything in the pack can be made from what is in it.
    pub(super) fn is_simple(&self) -> bool {
        self.orphans.is_empty() && self.problems.is_empty()
    }

    /// What is made from the entry of this rank.
    pub(super) fn children(&self, rank: u32) -> &[u32] {
        let (start, end) = self.range(rank);
        &self.children[start..end]
    }

    /// By rank, the entries that `wanted` wants, and those that they are made from.
    pub(super) fn leading_to(&self, wanted: impl Fn(u32) -> bool) -> Vec<bool> {
        let count = self.weights.len();
        let mut bases = vec![None; count];
        for rank in 0..u32::try_from(count).unwrap_or(u32::MAX) {
            self.children(rank).iter().for_each(|&child| bases[child as usize] = Some(rank));
        }
        let mut leading = vec![false; count];
        for rank in 0..u32::try_from(count).unwrap_or(u32::MAX) {
            let mut next = Some(rank).filter(|&rank| wanted(rank));
            while let Some(rank) = next.filter(|&rank| !std::mem::replace(&mut leading[rank as usize], true))
            {
                next = bases[rank as usize];
            }
        }
        leading
    }

    /// About how many bytes an entry that stands for itself has, together with what is made from it.
    pub(super) fn bytes(&self, root: u32) -> u64 {
        let place = self.roots.binary_search_by_key(&root, |&(rank, _)| rank);
        place.map_or(0, |place| self.sizes[place].saturating_mul(u64::from(self.weight(root))))
    }

    /// How many entries are made from it, itself included.
    pub(super) fn weight(&self, rank: u32) -> u32 {
        self.weights[rank as usize]
    }
}
