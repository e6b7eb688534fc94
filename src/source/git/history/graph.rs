//! Commits and tags: what each one says, and who comes before whom.
//!
//! Must not know: directories, contents, references.
//! Invariant: parents come before children in the order, whatever their dates say; equal dates are ordered by id, so
//! that the order is the same for every way in which the repository is stored.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use gix::hash::{Kind as HashKind, ObjectId};
use gix::objs::Kind;

use super::super::commits::Writing;
use super::set::NumberSet;
use super::table::Table;
use super::walk::{Seen, Visit};
use crate::model::{Problem, ProblemKind};
use crate::source::{Version, Worker};

/// Stands for an object that is not stored.
pub(super) const NOWHERE: u32 = u32::MAX;

/// One commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// Its number among all objects.
    pub number: u32,
    /// The number of its tree.
    pub tree: u32,
    /// The numbers of its parents; those that are not stored are left out.
    pub parents: Vec<u32>,
    /// When it was written, in seconds since 1970.
    pub time: i64,
}

/// Which part of a commit or tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Section {
    /// Who wrote and committed it, and every other header but tree and parents.
    Headers,
    /// The message.
    Message,
}

/// Commits or tags that one thread met.
#[derive(Default)]
pub(super) struct Records {
    pub commits: Vec<Record>,
    /// Tags with what they point at.
    pub tags: Vec<(u32, ObjectId)>,
    /// What could hold something.
    pub held: Vec<(u32, Section)>,
    /// Commits and tags that name objects that are not stored.
    pub missing: Vec<(u32, ObjectId)>,
}

impl Records {
    /// Adds what another thread met.
    pub(super) fn absorb(&mut self, mut other: Self) {
        self.commits.append(&mut other.commits);
        self.tags.append(&mut other.tags);
        self.held.append(&mut other.held);
        self.missing.append(&mut other.missing);
    }
}

/// Looks at the commits or tags that one thread meets.
pub(super) struct Writings<'a> {
    table: &'a Table,
    hash: HashKind,
    kind: Kind,
    /// Objects that are known already, and only read where others are made from them.
    settled: &'a NumberSet,
    pub worker: Box<dyn Worker + 'a>,
    pub records: Records,
}

impl<'a> Writings<'a> {
    /// For objects of `kind`, commits or tags.
    pub(super) fn new(
        table: &'a Table,
        hash: HashKind,
        kind: Kind,
        settled: &'a NumberSet,
        worker: Box<dyn Worker + 'a>,
    ) -> Self {
        Self { table, hash, kind, settled, worker, records: Records::default() }
    }

    /// What the object says; `None` when it is no such object.
    fn read(&mut self, number: u32, writing: &Writing<'_>) -> Option<()> {
        if self.kind == Kind::Tag {
            let target = writing.target(self.hash)?;
            if self.table.find(&target).is_none() {
                self.records.missing.push((number, target));
            }
            self.records.tags.push((number, target));
            return Some(());
        }
        let tree = writing.tree(self.hash)?;
        let mut parents = Vec::new();
        for parent in writing.parents(self.hash)? {
            match self.table.find(&parent) {
                Some(parent) => parents.push(parent),
                None => self.records.missing.push((number, parent)),
            }
        }
        let number_of_tree = self.table.find(&tree).unwrap_or(NOWHERE);
        if number_of_tree == NOWHERE && tree != ObjectId::empty_tree(self.hash) {
            self.records.missing.push((number, tree));
        }
        let time = writing.signature("author").map_or(0, |author| author.time);
        self.records.commits.push(Record { number, tree: number_of_tree, parents, time });
        Some(())
    }
}

impl Visit for Writings<'_> {
    type Carried = ();

    fn object(&mut self, seen: &Seen<'_, ()>) {
        if seen.is_base || self.settled.contains(seen.number) || self.table.is_repeated(seen.number) {
            return;
        }
        let writing = Writing::read(seen.bytes);
        for section in [Section::Headers, Section::Message] {
            let bytes = section.of(seen.bytes, &writing);
            if !bytes.is_empty() && self.worker.glance(&Version { bytes, base: None }).could_hold {
                self.records.held.push((seen.number, section));
            }
        }
        if self.read(seen.number, &writing).is_none() {
            self.worker.problem(Problem {
                kind: ProblemKind::BadObject,
                path: None,
                object: Some(self.table.id(seen.number).to_string()),
                message: format!("a {} could not be understood: it is damaged", self.kind),
                hint: Some("`git fsck` says what else is damaged".to_owned()),
            });
        }
    }

    fn problem(&mut self, problem: Problem) {
        self.worker.problem(problem);
    }

    fn stopped(&self) -> bool {
        self.worker.interrupted()
    }
}

impl Section {
    /// The section of a commit or tag as it is stored.
    pub(super) fn of<'a>(self, object: &'a [u8], writing: &Writing<'_>) -> &'a [u8] {
        match self {
            Self::Message => &object[writing.message.clone()],
            Self::Headers => &object[writing.told_headers()],
        }
    }
}

/// All commits, in an order in which parents come first.
#[derive(Debug, Default)]
pub(super) struct Graph {
    /// In that order.
    commits: Vec<Record>,
    /// For each, the places of its parents in the order.
    parents: Vec<Vec<u32>>,
    /// Numbers of commits with their place, by number.
    places: Vec<(u32, u32)>,
}

impl Graph {
    /// Orders `records`; `table` knows their ids.
    pub(super) fn new(mut records: Vec<Record>, table: &Table) -> Self {
        records.sort_by_key(|record| record.number);
        records.dedup_by_key(|record| record.number);
        let index_of = |number: u32| records.binary_search_by_key(&number, |record| record.number).ok();
        let mut children: Vec<Vec<u32>> = vec![Vec::new(); records.len()];
        let mut waiting_for = vec![0_u32; records.len()];
        for (index, record) in (0_u32..).zip(&records) {
            for parent in record.parents.iter().filter_map(|&parent| index_of(parent)) {
                children[parent].push(index);
                waiting_for[index as usize] += 1;
            }
        }
        let key = |index: u32| {
            let record = &records[index as usize];
            Reverse((record.time, table.id(record.number), index))
        };
        let free = (0_u32..).zip(&waiting_for).filter(|&(_, &count)| count == 0).map(|(index, _)| key(index));
        let mut ready: BinaryHeap<_> = free.collect();
        let mut order = Vec::with_capacity(records.len());
        while let Some(Reverse((_, _, index))) = ready.pop() {
            order.push(index);
            for &child in &children[index as usize] {
                waiting_for[child as usize] -= 1;
                if waiting_for[child as usize] == 0 {
                    ready.push(key(child));
                }
            }
        }
        Self::ordered(records, &order)
    }

    fn ordered(records: Vec<Record>, order: &[u32]) -> Self {
        let mut records: Vec<Option<Record>> = records.into_iter().map(Some).collect();
        let commits: Vec<Record> = order.iter().filter_map(|&index| records[index as usize].take()).collect();
        let mut places: Vec<(u32, u32)> = commits.iter().map(|commit| commit.number).zip(0..).collect();
        places.sort_unstable();
        let mut graph = Self { commits, parents: Vec::new(), places };
        graph.parents = graph
            .commits
            .iter()
            .map(|commit| commit.parents.iter().filter_map(|&parent| graph.place(parent)).collect())
            .collect();
        graph
    }

    /// The commits, parents first.
    pub(super) fn commits(&self) -> &[Record] {
        &self.commits
    }

    /// The places of the parents of the commit at `place`.
    pub(super) fn parents(&self, place: u32) -> &[u32] {
        &self.parents[place as usize]
    }

    /// Where the commit with this number stands in the order.
    pub(super) fn place(&self, number: u32) -> Option<u32> {
        let index = self.places.binary_search_by_key(&number, |&(number, _)| number).ok()?;
        Some(self.places[index].1)
    }

    /// Which commits lead to one of `tips`, by place.
    pub(super) fn ancestors(&self, tips: impl IntoIterator<Item = u32>) -> Vec<bool> {
        let mut reached = vec![false; self.commits.len()];
        tips.into_iter().for_each(|place| reached[place as usize] = true);
        for place in (0..reached.len()).rev() {
            if reached[place] {
                self.parents[place].iter().for_each(|&parent| reached[parent as usize] = true);
            }
        }
        reached
    }
}
