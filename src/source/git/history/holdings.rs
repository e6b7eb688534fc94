//! What holds what: directories and what matters in them, from all threads together, and the paths that follow.
//!
//! Must not know: commits' order, references, detection.
//! Invariants: nothing here recurses, so that directories may be nested as deep as anybody likes; of one object no more
//! paths are told than [`MOST_PATHS`], the same ones in whatever order directories are met.

use std::collections::{BTreeSet, HashMap, HashSet};
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
    /// Puts together what was found about `count` objects. The trees of `first` stand in their order already.
    pub(super) fn new(first: Holdings, others: Vec<Holdings>, count: usize) -> Self {
        let mut held = Self { places: vec![NOWHERE; count], ..Self::default() };
        let ordered = first.trees.len();
        let mut numbers: HashMap<Word, u32> = HashMap::new();
        for mut holdings in [first].into_iter().chain(others) {
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

    /// The trees that hold one of `numbers`, directly or not, and `numbers` themselves.
    pub(super) fn above(&self, numbers: impl IntoIterator<Item = u32>, count: usize) -> NumberSet {
        let mut reached = NumberSet::of(count, numbers);
        for (tree, children) in self.trees() {
            if children.iter().any(|&child| reached.contains(child)) {
                reached.insert(tree);
            }
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
        if numbers.is_empty() {
            return HashMap::new();
        }
        let wanted: HashSet<u32> = numbers.iter().copied().collect();
        let above = self.above(numbers.iter().copied(), table.count());
        let mut namer = Namer { held: self, table, hash, known: HashMap::new() };
        let mut paths: HashMap<u32, BTreeSet<Vec<u8>>> = HashMap::new();
        // From the outermost trees inwards.
        for (tree, children) in self.trees().rev().filter(|(tree, _)| above.contains(*tree)) {
            let mut own = if wanted.contains(&tree) {
                paths.get(&tree).cloned().unwrap_or_default()
            } else {
                paths.remove(&tree).unwrap_or_default()
            };
            if tops.contains(tree) || own.is_empty() {
                own.insert(Vec::new());
            }
            let mut children: Vec<u32> =
                children.iter().copied().filter(|&child| above.contains(child)).collect();
            children.sort_unstable();
            children.dedup();
            for child in children {
                let names = namer.names(tree, child);
                let below = paths.entry(child).or_default();
                for directory in &own {
                    names.iter().for_each(|name| keep(below, joined(directory, name)));
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

impl Namer<'_> {
    fn names(&mut self, tree: u32, child: u32) -> Vec<Vec<u8>> {
        let names = &self.held.names;
        let start = names.partition_point(|&(number, _)| number < child);
        let mut words =
            names[start..].iter().take_while(|&&(number, _)| number == child).map(|&(_, word)| word);
        let only = match (words.next(), words.next()) {
            (Some(word), None) => self.held.words[word as usize].name.as_deref(),
            _ => None,
        };
        if let Some(name) = only {
            return vec![name.to_vec()];
        }
        // It has several names somewhere, or one that is not written down: the tree itself knows which one.
        let entries = self.known.entry(tree).or_insert_with(|| {
            let read = self.table.read(tree, trees::LARGEST);
            read.map(|(_, bytes)| trees::entries(&bytes, self.table, self.hash)).unwrap_or_default()
        });
        let same = entries.iter().filter(|(number, _)| *number == child);
        same.map(|(_, name)| name.clone()).collect()
    }
}
