//! What a first look at all objects gave, contents before directories before commits, together with what an earlier scan
//! remembered.
//!
//! Must not know: references, paths that are asked for, how things are handed out.
//! Invariant: whatever is stored is looked at, is known from an earlier scan and intact, or is a problem.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use gix::hash::{Kind as HashKind, ObjectId};
use gix::objs::Kind;

use super::blobs::{Blob, Blobs};
use super::cache::{CacheFile, Judged, Known, Memos, Notes};
use super::graph::{Graph, NOWHERE, Record, Section, Writings};
use super::holdings::Held;
use super::kinds::{LooseKinds, Over};
use super::names::telling_names;
use super::set::NumberSet;
use super::table::Table;
use super::trees::{Holdings, Trees};
use crate::model::Coverage;
use crate::source::Receiver;

/// What everything stands on.
pub(super) struct Ground<'a> {
    pub table: &'a Table,
    pub hash: HashKind,
    pub limit: u64,
}

/// What a first look at all objects gave, or is known from an earlier scan.
pub(super) struct Survey {
    known: Known,
    /// All contents; those that were known come first.
    pub blobs: Vec<Blob>,
    known_blobs: usize,
    pub held: Held,
    trees: SeenTrees,
    pub missing_from_trees: Vec<(u32, ObjectId)>,
    pub graph: Graph,
    /// Commits that were not known.
    fresh_commits: HashSet<u32>,
    /// All tags; those that were known come first.
    pub tags: Vec<(u32, ObjectId)>,
    known_tags: usize,
    pub sections: Vec<(u32, Section)>,
    pub missing_from_records: Vec<(u32, ObjectId)>,
}

/// Directories, by whether they were known.
#[derive(Default)]
struct SeenTrees {
    known: Vec<u32>,
    /// Those that were read to their end.
    fresh: Vec<u32>,
    /// Those that hold anything that matters.
    fresh_holding: Vec<u32>,
    /// Those with names that could hold something themselves.
    telling: Vec<(u32, Arc<[u8]>)>,
    /// Whether some could not be read: what stands above them is not known to hold what is in them.
    is_torn: bool,
}

impl Survey {
    pub(super) fn of(ground: &Ground<'_>, mut known: Known, receiver: &dyn Receiver) -> Self {
        let Ground { table, hash, .. } = *ground;
        let mut worker = receiver.worker();
        let mut is_torn = false;
        for pack in table.packs.iter().filter(|pack| !known.settles(pack)) {
            let problems = &pack.families().problems;
            problems.iter().for_each(|(rank, error)| worker.problem(pack.problem(*rank, error)));
            is_torn |= !problems.is_empty();
        }
        let mut loose = LooseKinds::read(table, known.settled());
        // What could not even be told apart may be directories.
        is_torn |= !loose.problems.is_empty();
        loose.problems.iter().for_each(|problem| worker.problem(problem.clone()));
        let mut over = Over::new(ground, loose, known.settled());
        let mut blobs = known.blobs();
        let known_blobs = blobs.len();
        worker.expected(known_blobs as u64 + over.count(Kind::Blob));
        let mut covered = Coverage::default();
        blobs.iter().for_each(|blob| covered.absorb(&blob.coverage()));
        worker.covered(&covered);
        drop(worker);
        let seen = over.all(Kind::Blob, &|| Blobs::new(table, known.settled(), receiver.worker()));
        blobs.extend(seen.into_iter().flat_map(|blobs| blobs.seen));
        // Of contents that could not be read, directories said nothing.
        if blobs[known_blobs..].iter().any(|blob| blob.is_held && known.was_unread(blob.number)) {
            known.forget_structure(table);
            loose = LooseKinds::read(table, known.settled());
            over = Over::new(ground, loose, known.settled());
        }
        let held = blobs.iter().filter(|blob| blob.is_held).map(|blob| blob.number);
        let held = NumberSet::of(table.count(), held);
        let known_holdings = known.holdings();
        let trees =
            over.all(Kind::Tree, &|| Trees::new(table, hash, &held, known.settled(), receiver.worker()));
        let (holdings, mut trees, missing_from_trees) = all_trees(known_holdings, trees, receiver);
        trees.is_torn |= is_torn || !missing_from_trees.is_empty();
        let mut records = known.records(table);
        let (known_commits, known_tags) = (records.commits.len(), records.tags.len());
        for kind in [Kind::Commit, Kind::Tag] {
            let make = || Writings::new(table, hash, kind, known.settled(), receiver.worker());
            over.all(kind, &make).into_iter().for_each(|found| records.absorb(found.records));
        }
        records.held.sort_unstable();
        let coverage = Coverage {
            commits: records.commits.len() as u64,
            tags: records.tags.len() as u64,
            ..Coverage::default()
        };
        receiver.worker().covered(&coverage);
        let fresh_commits = records.commits[known_commits..].iter().map(|record| record.number).collect();
        let commits = records.commits;
        let (held, graph) = rayon::join(|| Held::new(holdings, table.count()), || Graph::new(commits, table));
        Self {
            known,
            blobs,
            known_blobs,
            held,
            trees,
            missing_from_trees,
            fresh_commits,
            graph,
            tags: records.tags,
            known_tags,
            sections: records.held,
            missing_from_records: records.missing,
        }
    }

    /// What was judged, and has the paths today that it had then.
    pub(super) fn still_judged(&self, ground: &Ground<'_>) -> Judged {
        let Ground { table, hash, .. } = *ground;
        let judged = self.known.judged();
        // Where directories could not be read, nobody knows which paths have gone.
        if judged.is_empty() || self.trees.is_torn {
            return Judged::default();
        }
        if self.trees.fresh_holding.is_empty() && self.fresh_commits.is_empty() {
            return self.judged_of(judged);
        }
        let is_fresh = |record: &&Record| self.fresh_commits.contains(&record.number);
        let known = self.graph.commits().iter().filter(|record| !is_fresh(record));
        let known_tops = NumberSet::of(table.count(), known.map(|record| record.tree));
        let fresh = self.graph.commits().iter().filter(is_fresh).map(|record| record.tree);
        let tops: Vec<u32> = fresh.filter(|&tree| tree != NOWHERE && !known_tops.contains(tree)).collect();
        let fresh = self.trees.fresh_holding.iter().copied();
        let touched = self.held.below(fresh.chain(tops.iter().copied()), table.count());
        let (touched, mut judged): (Vec<u32>, Vec<u32>) =
            judged.into_iter().partition(|&number| touched.contains(number));
        // A new version of a directory holds nearly everything under the path that it had in the old one.
        let fresh = NumberSet::of(table.count(), self.trees.fresh_holding.iter().copied());
        let before = self.held.paths(&touched, &known_tops, &|tree| !fresh.contains(tree), (table, hash));
        let mut all_tops = known_tops;
        for tree in tops {
            all_tops.insert(tree);
        }
        let today = self.held.paths(&touched, &all_tops, &|_| true, (table, hash));
        judged.extend(touched.into_iter().filter(|number| before.get(number) == today.get(number)));
        self.judged_of(judged)
    }

    fn judged_of(&self, numbers: Vec<u32>) -> Judged {
        let numbers: HashSet<u32> = numbers.into_iter().collect();
        let archives = self.known.archives().filter(|(number, _)| numbers.contains(number)).collect();
        let mut memos: HashMap<u32, Memos> = HashMap::new();
        for (number, path, memo) in self.known.memos().filter(|(number, ..)| numbers.contains(number)) {
            memos.entry(number).or_default().push((path, memo.clone()));
        }
        Judged { numbers, memos, archives, ..Judged::default() }
    }

    /// Trees with names that could hold something themselves, and were not judged before.
    pub(super) fn names(
        &self,
        ground: &Ground<'_>,
        judged: &Judged,
        receiver: &dyn Receiver,
    ) -> Vec<(u32, Arc<[u8]>)> {
        let known = self.known.telling().into_iter().filter(|tree| !judged.numbers.contains(tree));
        let mut names = telling_names(known, ground.table, ground.hash, &mut *receiver.worker());
        names.extend(self.trees.telling.iter().cloned());
        names.sort_unstable();
        names
    }

    /// Stores what is known now, if that is more than before.
    pub(super) fn remember(&self, ground: &Ground<'_>, judged: &Judged, cache: &CacheFile) {
        let missing = self.missing_from_records.iter().chain(&self.missing_from_trees);
        let incomplete: HashSet<u32> = missing.map(|(number, _)| *number).collect();
        let tags = self.tags[self.known_tags..].iter().map(|(number, _)| number);
        let mut fresh = self.trees.fresh.iter().chain(&self.fresh_commits).chain(tags);
        let is_known = self.known.has_structure()
            && self.known_blobs == self.blobs.len()
            && fresh.all(|number| incomplete.contains(number))
            && judged.numbers.len() == self.known.judged().len()
            && judged.sections.is_empty()
            && !ground.table.packs.iter().any(|pack| self.known.is_new_file(pack));
        if is_known {
            return;
        }
        let telling = self.known.telling().into_iter();
        let trees = match self.trees.is_torn {
            true => Vec::new(),
            false => [self.trees.known.as_slice(), &self.trees.fresh].concat(),
        };
        let notes = Notes {
            table: ground.table,
            known: &self.known,
            blobs: &self.blobs,
            trees: &trees,
            telling: &telling.chain(self.trees.telling.iter().map(|(tree, _)| *tree)).collect(),
            held: &self.held,
            graph: &self.graph,
            tags: &self.tags,
            sections: &self.sections,
            incomplete: &incomplete,
            judged,
        };
        // A repository that cannot be written to is scanned like any other, from the beginning each time.
        let _ = cache.store(&notes.to_bytes());
    }
}

/// What all directories hold (those that are known first), which ones they are, and what of it is not stored.
fn all_trees(
    known: Holdings,
    trees: Vec<Trees<'_>>,
    receiver: &dyn Receiver,
) -> (Vec<Holdings>, SeenTrees, Vec<(u32, ObjectId)>) {
    let mut count = known.count;
    let mut seen = SeenTrees { known: known.whole.clone(), ..SeenTrees::default() };
    let mut missing = Vec::new();
    let mut all = vec![known];
    for trees in trees {
        let mut holdings = trees.into_holdings();
        count += holdings.count;
        seen.is_torn |= holdings.is_torn;
        missing.append(&mut holdings.missing);
        seen.fresh.append(&mut holdings.whole);
        seen.fresh_holding.extend(holdings.trees.iter().map(|(tree, _)| *tree));
        seen.telling.append(&mut holdings.held_names);
        all.push(holdings);
    }
    receiver.worker().covered(&Coverage { trees: count, ..Coverage::default() });
    (all, seen, missing)
}
