//! What is remembered, as far as it is stored now.
//!
//! Must not know: detection, how the cache is kept.
//! Invariants: what is settled was read to its end once and its stored bytes are still those; when anything that was
//! remembered has gone, only contents are settled, since something else may refer to it.

use gix::hash::{Kind as HashKind, ObjectId};
use gix::objs::Kind;
use rayon::prelude::*;

use super::super::blobs::Blob;
use super::super::graph::{NOWHERE as NO_OBJECT, Record, Records, Section};
use super::super::packs::{Pack, Soundness};
use super::super::set::NumberSet;
use super::super::table::Table;
use super::super::trees::{Holdings, Word};
use super::remembered::{
    ARCHIVE, BINARY, BLOB, COMMIT, HELD, JUDGED, KIND, MESSAGE, NOWHERE, Remembered, TAG, TREE, UNREAD,
};
use crate::source::Memo;

use Soundness::{Damaged, Linked, Sound};

/// So many entries of a pack are checked as one piece of work.
const CHECKED_AT_ONCE: usize = 1024;

/// What an earlier scan knew of the objects of a table.
#[derive(Default)]
pub(in super::super) struct Known {
    remembered: Remembered,
    /// For each place the first number of its object.
    numbers: Vec<u32>,
    /// Objects that need not be looked at, under all their numbers.
    settled: NumberSet,
    /// Objects that could not be read then.
    unread: NumberSet,
    /// Whether trees, commits and tags are settled.
    has_structure: bool,
    /// The first numbers of packs of which everything is settled.
    whole_packs: Vec<u32>,
}

impl Known {
    /// What is remembered of the objects of `table`; nothing if anything about them is in doubt.
    pub(in super::super) fn of(
        remembered: Remembered,
        table: &Table,
        hash: HashKind,
        limit: u64,
    ) -> Option<Self> {
        if remembered.id_length != hash.len_in_bytes() {
            return None;
        }
        let mut known = Self {
            numbers: vec![NOWHERE; remembered.count()],
            settled: NumberSet::new(table.count()),
            unread: NumberSet::new(table.count()),
            remembered,
            has_structure: true,
            whole_packs: Vec::new(),
        };
        known.find(table);
        known.has_structure = !known.numbers.contains(&NOWHERE);
        known.settle(table);
        known.is_intact(table, limit).then_some(known)
    }

    /// Finds what is remembered in packs and among loose objects, all of which are sorted like it.
    fn find(&mut self, table: &Table) {
        for pack in &table.packs {
            self.find_among(pack.ids(), pack.first);
        }
        let loose = table.loose.iter().map(|(id, _)| id.as_ref());
        self.find_among(loose, table.loose_number(0));
    }

    fn find_among<'t>(&mut self, ids: impl Iterator<Item = &'t gix::oid>, first: u32) {
        let mut place = 0;
        for (number, id) in (first..).zip(ids) {
            while place < self.remembered.count() && self.remembered.id(place) < id.as_bytes() {
                place += 1;
            }
            if place == self.remembered.count() {
                return;
            }
            if self.remembered.id(place) == id.as_bytes() {
                if self.numbers[place] == NOWHERE {
                    self.numbers[place] = number;
                }
                if self.remembered.marks[place] & KIND == UNREAD {
                    self.unread.insert(number);
                } else {
                    self.settled.insert(number);
                }
            }
        }
    }

    /// Without structure, contents alone are settled.
    fn settle(&mut self, table: &Table) {
        if self.has_structure {
            return;
        }
        let contents = self.of_kind(BLOB).map(|(_, number, _)| number);
        let contents = NumberSet::of(table.count(), contents);
        let is_content = |number: &u32| {
            contents.contains(*number)
                || table.find(&table.id(*number)).is_some_and(|first| contents.contains(first))
        };
        self.settled = NumberSet::of(table.count(), self.settled.iter().filter(is_content));
    }

    /// Whether the bytes of everything that is settled are still what they were.
    fn is_intact(&mut self, table: &Table, limit: u64) -> bool {
        let packed = table.packs.iter().all(|pack| {
            let then = self.soundness_then(pack);
            match then.unwrap_or_else(|| self.soundness_now(pack)) {
                Sound => self.whole_packs.push(pack.first),
                // What is made from objects elsewhere is lost with them, which is only seen when it is made.
                Linked if then.is_some() || pack.families().is_simple() => {}
                Linked | Damaged => return false,
            }
            true
        });
        let kind = |mark: u8| match mark & KIND {
            BLOB => Kind::Blob,
            TREE => Kind::Tree,
            COMMIT => Kind::Commit,
            _ => Kind::Tag,
        };
        packed
            && self.numbers.par_iter().zip(&self.remembered.marks).all(|(&number, &mark)| {
                let is_settled_loose =
                    number != NOWHERE && table.is_loose(number) && self.settled.contains(number);
                !is_settled_loose || table.read(number, limit).is_ok_and(|(found, _)| found == kind(mark))
            })
    }

    /// What a pack was like when all of it was read, if nobody has written to its file since. Its bytes need not even be
    /// there in memory then.
    pub(super) fn soundness_then(&self, pack: &Pack) -> Option<Soundness> {
        let state = pack.state().filter(|_| self.has_structure)?;
        let then = self.remembered.packs.iter().find(|(remembered, _)| *remembered == state)?;
        Some(if then.1 { Linked } else { Sound })
    }

    fn soundness_now(&self, pack: &Pack) -> Soundness {
        let is_settled = |rank: u32| self.settled.contains(pack.number(rank));
        let ranks = (0..pack.count()).into_par_iter().with_min_len(CHECKED_AT_ONCE);
        let soundness = ranks.map(|rank| if is_settled(rank) { pack.soundness(rank) } else { Linked });
        soundness.reduce(|| Sound, Soundness::max)
    }

    /// Stored objects of a kind: place, number and mark.
    fn of_kind(&self, kind: u8) -> impl Iterator<Item = (u32, u32, u8)> {
        let numbers = (0..).zip(&self.numbers).zip(&self.remembered.marks);
        numbers
            .map(|((place, &number), &mark)| (place, number, mark))
            .filter(move |&(_, number, mark)| number != NOWHERE && mark & KIND == kind)
    }

    fn number(&self, place: u32) -> u32 {
        self.numbers[place as usize]
    }

    /// Whether everything in the pack is settled.
    pub(in super::super) fn settles(&self, pack: &Pack) -> bool {
        self.whole_packs.contains(&pack.first)
    }

    /// Whether the file of a pack in which everything is settled was not known, as after git packed anew.
    pub(in super::super) fn is_new_file(&self, pack: &Pack) -> bool {
        self.settles(pack) && pack.state().is_some() && self.soundness_then(pack).is_none()
    }

    /// Objects that need not be looked at.
    pub(in super::super) fn settled(&self) -> &NumberSet {
        &self.settled
    }

    /// Whether trees, commits and tags are known, too.
    pub(in super::super) fn has_structure(&self) -> bool {
        self.has_structure
    }

    /// Whether the object was stored and could not be read.
    pub(in super::super) fn was_unread(&self, number: u32) -> bool {
        self.unread.contains(number)
    }

    /// Takes trees, commits and tags for unknown.
    pub(in super::super) fn forget_structure(&mut self, table: &Table) {
        self.has_structure = false;
        self.whole_packs.clear();
        self.settle(table);
    }

    /// All contents.
    pub(in super::super) fn blobs(&self) -> Vec<Blob> {
        let mut sizes = self.remembered.sizes.iter();
        let mut blobs = Vec::with_capacity(self.remembered.sizes.len());
        for (&number, &mark) in self.numbers.iter().zip(&self.remembered.marks) {
            if mark & KIND != BLOB {
                continue;
            }
            let size = sizes.next().copied().unwrap_or_default();
            if number != NOWHERE {
                blobs.push(Blob {
                    number,
                    size,
                    is_binary: mark & BINARY != 0,
                    is_archive: mark & ARCHIVE != 0,
                    is_held: mark & HELD != 0,
                });
            }
        }
        blobs
    }

    /// What trees hold. It is handed over: there is much of it, and it is asked for once.
    pub(in super::super) fn holdings(&mut self) -> Holdings {
        if !self.has_structure {
            return Holdings::default();
        }
        let mut children = std::mem::take(&mut self.remembered.children);
        children.iter_mut().for_each(|child| *child = self.numbers[*child as usize]);
        let mut names = std::mem::take(&mut self.remembered.names);
        names.iter_mut().for_each(|(child, _)| *child = self.numbers[*child as usize]);
        let remembered = &self.remembered;
        let mut start = 0_u32;
        let mut trees = Vec::with_capacity(remembered.trees.len());
        for &(place, count) in &remembered.trees {
            trees.push((self.number(place), start..start.saturating_add(count)));
            start = start.saturating_add(count);
        }
        let word = |name: &Option<Box<[u8]>>| Word { name: name.clone(), is_telling: name.is_none() };
        let whole: Vec<u32> = self.of_kind(TREE).map(|(_, number, _)| number).collect();
        Holdings {
            trees,
            children,
            names,
            words: remembered.words.iter().map(word).collect(),
            count: whole.len() as u64,
            whole,
            ..Holdings::default()
        }
    }

    /// Trees with names that could hold something themselves.
    pub(in super::super) fn telling(&self) -> Vec<u32> {
        if !self.has_structure {
            return Vec::new();
        }
        self.of_kind(TREE).filter(|(_, _, mark)| mark & HELD != 0).map(|(_, number, _)| number).collect()
    }

    /// Commits and tags.
    pub(in super::super) fn records(&self, table: &Table) -> Records {
        let mut records = Records::default();
        if !self.has_structure {
            return records;
        }
        let mut parents = self.remembered.parents.as_slice();
        for commit in &self.remembered.commits {
            let (own, rest) = parents.split_at((commit.parents as usize).min(parents.len()));
            parents = rest;
            records.commits.push(Record {
                number: self.number(commit.place),
                tree: if commit.tree == NOWHERE { NO_OBJECT } else { self.number(commit.tree) },
                parents: own.iter().map(|&place| self.number(place)).collect(),
                time: commit.time,
            });
        }
        let target = |place: u32| -> ObjectId { table.id(self.number(place)) };
        records.tags =
            self.remembered.tags.iter().map(|&(tag, place)| (self.number(tag), target(place))).collect();
        for (_, number, mark) in self.of_kind(COMMIT).chain(self.of_kind(TAG)) {
            let held = [(HELD, Section::Headers), (MESSAGE, Section::Message)];
            let held = held.into_iter().filter(|(flag, _)| mark & flag != 0);
            records.held.extend(held.map(|(_, section)| (number, section)));
        }
        records
    }

    /// Contents, and trees with their names, that were judged under the paths that they had.
    pub(in super::super) fn judged(&self) -> Vec<u32> {
        if !self.has_structure {
            return Vec::new();
        }
        let judged = self.of_kind(BLOB).chain(self.of_kind(TREE)).filter(|(_, _, mark)| mark & JUDGED != 0);
        judged.map(|(_, number, _)| number).collect()
    }

    /// What was found in contents among them, and under which of their paths.
    pub(in super::super) fn memos(&self) -> impl Iterator<Item = (u32, u32, &Memo)> {
        self.remembered.memos.iter().map(|(place, path, memo)| (self.number(*place), *path, memo))
    }

    /// How much came out of the archives among them.
    pub(in super::super) fn archives(&self) -> impl Iterator<Item = (u32, u64)> {
        self.remembered.archives.iter().map(|&(place, bytes)| (self.number(place), bytes))
    }
}
