//! What holds what: directories and what matters in them, from all threads together, and the paths that follow.
//!
//! Must not know: commits' order, references, detection.
//! Invariants: nothing here recurses, so that directories may be nested as deep as anybody likes; of one object no more
//! paths are told than [`MOST_PATHS`], the same ones in whatever order directories are met.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

use gix::hash::Kind as HashKind;

use super::set::NumberSet;
use super::table::Table;
use super::trees::{self, Holdings, Word};

/// Of one object so many paths are told.
pub(super) const MOST_PATHS: usize = 100;
/// Stands for a tree that holds nothing that matters.
const NOWHERE: u32 = u32::MAX;

/// Who holds whom.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// Trees that hold anything that matters, every one after all that it holds, with where their children stand in
    /// `children`.
    trees: Vec<(u32, Range<u32>)>,
    children: Vec<u32>,
    /// For each object by number, where it stands in `trees`.
    places: Vec<u32>,
    /// Under which words an object is held, sorted.
    names: Vec<(u32, u32)>,
    words: Vec<Word>,
}

impl Held {
    /// Puts together what was found about `count` objects. The trees of the first one stand in their order already.
    pub(super) fn new(all: Vec<Holdings>, count: usize) -> Self {
        let mut held = Self { places: vec![NOWHERE; count], ..Self::default() };
        let ordered = all.first().map_or(0, |first| first.trees.len());
        let mut numbers: HashMap<Word, u32> = HashMap::new();
        for mut holdings in all {
            let shift = number(held.children.len());
            held.children.append(&mut holdings.children);
            let moved = |range: Range<u32>| range.start + shift..range.end + shift;
            held.trees.extend(holdings.trees.into_iter().map(|(tree, range)| (tree, moved(range))));
            let mut renamed = Vec::with_capacity(holdings.words.len());
            for word in holdings.words {
                let next = number(held.words.len());
                let number = *numbers.entry(word.clone()).or_insert_with(|| {
                    held.words.push(word);
                    next
                });
                renamed.push(number);
            }
            held.names.extend(holdings.names.iter().map(|&(child, word)| (child, renamed[word as usize])));
        }
        held.trees[ordered..].sort_unstable_by_key(|(tree, _)| *tree);
        held.names.sort();
        held.names.dedup();
        held.put_in_order(ordered);
        held
    }

    /// Children before those that hold them. The first `ordered` trees stand so already.
    fn put_in_order(&mut self, ordered: usize) {
        for (place, (tree, _)) in (0..).zip(&self.trees) {
            self.places[*tree as usize] = place;
        }
        let mut begun = vec![false; self.trees.len()];
        begun[..ordered].fill(true);
        let mut order: Vec<u32> = (0..number(ordered)).collect();
        let mut waiting: Vec<(u32, Range<u32>)> = Vec::new();
        for place in number(ordered)..number(self.trees.len()) {
            let mut next = Some(place);
            loop {
                if let Some(place) =
                    next.filter(|&place| !std::mem::replace(&mut begun[place as usize], true))
                {
                    waiting.push((place, self.trees[place as usize].1.clone()));
                }
                let Some((place, children)) = waiting.last_mut() else { break };
                next = children.next().map(|child| self.places[self.children[child as usize] as usize]);
                match next {
                    None => {
                        order.push(*place);
                        waiting.pop();
                    }
                    Some(NOWHERE) => next = None,
                    Some(_) => {}
                }
            }
        }
        self.trees = order.iter().map(|&place| self.trees[place as usize].clone()).collect();
        for (place, (tree, _)) in (0..).zip(&self.trees) {
            self.places[*tree as usize] = place;
        }
    }

    fn slice(&self, range: &Range<u32>) -> &[u32] {
        &self.children[range.start as usize..range.end as usize]
    }

    /// What a tree holds: trees, and contents that matter.
    pub(super) fn children_of(&self, tree: u32) -> &[u32] {
        let place = self.places.get(tree as usize).and_then(|&place| self.trees.get(place as usize));
        place.map_or(&[], |(_, range)| self.slice(range))
    }

    /// Trees that hold anything that matters, each after what it holds, with what that is.
    pub(super) fn trees(&self) -> impl DoubleEndedIterator<Item = (u32, &[u32])> {
        self.trees.iter().map(|(tree, range)| (*tree, self.slice(range)))
    }

    /// Under which words objects are held: by number, and a place in [`Self::words`].
    pub(super) fn names(&self) -> &[(u32, u32)] {
        &self.names
    }

    pub(super) fn words(&self) -> &[Word] {
        &self.words
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

    /// The trees that hold one of `numbers`, directly or not, and `numbers` themselves. Only trees that `counts` wants
    /// are looked at.
    fn above(&self, numbers: &[u32], counts: &dyn Fn(u32) -> bool) -> NumberSet {
        let mut reached = NumberSet::of(self.places.len(), numbers.iter().copied());
        for (tree, children) in self.trees().filter(|(tree, _)| counts(*tree)) {
            if children.iter().any(|&child| reached.contains(child)) {
                reached.insert(tree);
            }
        }
        reached
    }

    /// The paths of `numbers` below the trees in `tops`, sorted; trees that nobody holds count as tops, too. Only trees
    /// that `counts` wants are there.
    pub(super) fn paths(
        &self,
        numbers: &[u32],
        tops: &NumberSet,
        counts: &dyn Fn(u32) -> bool,
        (table, hash): (&Table, HashKind),
    ) -> HashMap<u32, Vec<Vec<u8>>> {
        if numbers.is_empty() {
            return HashMap::new();
        }
        let wanted: HashSet<u32> = numbers.iter().copied().collect();
        let above = self.above(numbers, counts);
        let mut namer = Namer { held: self, table, hash, known: HashMap::new() };
        let mut paths: HashMap<u32, BTreeSet<Vec<u8>>> = HashMap::new();
        // Most versions of a directory hold the same under the same paths: what was added once need not be added again.
        let hasher = RandomState::new();
        let mut added: Vec<u64> = vec![0; self.places.len()];
        // From the outermost trees inwards.
        let trees = self.trees().rev().filter(|(tree, _)| above.contains(*tree) && counts(*tree));
        for (tree, children) in trees {
            let mut own = paths.remove(&tree).unwrap_or_default();
            if tops.contains(tree) || own.is_empty() {
                own.insert(Vec::new());
            }
            let from = hasher.hash_one(&own) | 1;
            for &child in children.iter().filter(|&&child| above.contains(child)) {
                let Some(name) = namer.only_name(child) else {
                    let below = paths.entry(child).or_default();
                    let names = namer.names(tree, child);
                    own.iter().for_each(|path| names.iter().for_each(|name| keep(below, joined(path, name))));
                    continue;
                };
                if std::mem::replace(&mut added[child as usize], from) != from {
                    let below = paths.entry(child).or_default();
                    own.iter().for_each(|path| keep(below, joined(path, name)));
                }
            }
            if wanted.contains(&tree) {
                paths.insert(tree, own);
            }
        }
        paths.retain(|number, _| wanted.contains(number));
        paths.into_iter().map(|(number, paths)| (number, paths.into_iter().collect())).collect()
    }
}

/// Of all paths the first ones in their order are kept: which ones these are does not depend on who came first.
fn keep(paths: &mut BTreeSet<Vec<u8>>, path: Vec<u8>) {
    if paths.len() >= MOST_PATHS && paths.last().is_some_and(|last| *last <= path) {
        return;
    }
    paths.insert(path);
    if paths.len() > MOST_PATHS {
        paths.pop_last();
    }
}

/// Numbers and places are fewer than 2^32: a repository with more objects cannot be numbered.
pub(super) fn number(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(NOWHERE)
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

impl<'a> Namer<'a> {
    /// The name of an object that has the same one wherever it is held, if it is written down.
    fn only_name(&self, child: u32) -> Option<&'a [u8]> {
        let held = self.held;
        let start = held.names.partition_point(|&(number, _)| number < child);
        let mut words = held.names[start..].iter().take_while(|&&(number, _)| number == child);
        match (words.next(), words.next()) {
            (Some(&(_, word)), None) => held.words[word as usize].name.as_deref(),
            _ => None,
        }
    }

    /// Under which names a tree holds an object: only the tree itself knows that.
    fn names(&mut self, tree: u32, child: u32) -> Vec<Vec<u8>> {
        let entries = self.known.entry(tree).or_insert_with(|| {
            let read = self.table.read(tree, trees::LARGEST);
            read.map(|(_, bytes)| trees::entries(&bytes, self.table, self.hash)).unwrap_or_default()
        });
        let same = entries.iter().filter(|(number, _)| *number == child);
        same.map(|(_, name)| name.clone()).collect()
    }
}
