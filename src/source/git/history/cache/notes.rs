//! What a scan leaves for the next one: from what it saw to what is remembered.
//!
//! Must not know: how objects are read.
//! Invariant: what was not read to its end, or names something that is not stored, is remembered as unread.

use std::collections::{HashMap, HashSet};

use gix::hash::ObjectId;

use super::super::blobs::Blob;
use super::super::graph::{Graph, NOWHERE as NO_OBJECT, Section};
use super::super::holdings::{Held, number};
use super::super::packs::{FileState, Pack, Soundness};
use super::super::table::Table;
use super::known::Known;
use super::remembered::{
    ARCHIVE, BINARY, BLOB, COMMIT, Commit, HELD, JUDGED, KIND, MESSAGE, NOWHERE, Remembered, TAG, TREE,
    UNREAD,
};
use crate::source::Memo;

/// What came of a content in which something was found: by the place of each path among its paths, sorted.
pub(in super::super) type Memos = Vec<(u32, Memo)>;

/// What was judged under all its paths: it need not be looked at again.
#[derive(Debug, Default)]
pub(in super::super) struct Judged {
    /// Contents, and trees with the names in them. Nothing was found in them, unless `memos` says so.
    pub numbers: HashSet<u32>,
    pub memos: HashMap<u32, Memos>,
    pub sections: HashSet<(u32, Section)>,
    /// How much came out of archives.
    pub archives: HashMap<u32, u64>,
}

/// What a scan saw of all objects.
pub(in super::super) struct Notes<'a> {
    pub table: &'a Table,
    pub known: &'a Known,
    pub blobs: &'a [Blob],
    /// Trees that were read to their end; none where one was not, since those above it do not tell what is in it.
    pub trees: &'a [u32],
    /// Trees with a name that could hold something itself.
    pub telling: &'a HashSet<u32>,
    pub held: &'a Held,
    pub graph: &'a Graph,
    pub tags: &'a [(u32, ObjectId)],
    pub sections: &'a [(u32, Section)],
    /// Objects that name others which are not stored.
    pub incomplete: &'a HashSet<u32>,
    pub judged: &'a Judged,
}

impl Judged {
    /// Adds what another thread judged.
    pub(in super::super) fn absorb(&mut self, other: Self) {
        self.numbers.extend(other.numbers);
        self.sections.extend(other.sections);
        self.archives.extend(other.archives);
        self.memos.extend(other.memos);
    }
}

impl Notes<'_> {
    /// As bytes to be stored.
    pub(in super::super) fn to_bytes(&self) -> Vec<u8> {
        self.remembered().to_bytes()
    }

    pub(super) fn remembered(&self) -> Remembered {
        let mut ids: Vec<(ObjectId, u32)> = (0..number(self.table.count()))
            .filter(|&number| !self.table.is_repeated(number))
            .map(|number| (self.table.id(number), number))
            .collect();
        // Those of one pack are in order already.
        ids.sort();
        let mut places = Places { of: vec![NOWHERE; self.table.count()] };
        (0..).zip(&ids).for_each(|(place, (_, number))| places.of[*number as usize] = place);
        let mut remembered = Remembered {
            id_length: ids.first().map_or(0, |(id, _)| id.as_bytes().len()),
            ids: ids.iter().flat_map(|(id, _)| id.as_bytes()).copied().collect(),
            marks: vec![UNREAD; ids.len()],
            ..Remembered::default()
        };
        self.blobs(&places, &mut remembered);
        self.trees(&places, &mut remembered);
        self.commits(&places, &mut remembered);
        self.tags(&places, &mut remembered);
        remembered.packs = self.packs(&places, &remembered.marks);
        remembered
    }

    /// The files of packs of which every entry was read or checked: of what is stored twice, one is not read.
    fn packs(&self, places: &Places, marks: &[u8]) -> Vec<(FileState, bool)> {
        let is_read =
            |number: u32| marks.get(places.place(number) as usize).is_some_and(|mark| mark & KIND != UNREAD);
        let soundness = |pack: &Pack| {
            if self.known.settles(pack) {
                Soundness::Sound
            } else if (pack.first..pack.first + pack.count()).all(is_read) {
                self.known.soundness_then(pack).unwrap_or_else(|| pack.soundness_of_read())
            } else {
                Soundness::Damaged
            }
        };
        let told = |pack: &Pack| match (pack.state()?, soundness(pack)) {
            (_, Soundness::Damaged) => None,
            (state, soundness) => Some((state, soundness == Soundness::Linked)),
        };
        self.table.packs.iter().filter_map(told).collect()
    }

    fn blobs(&self, places: &Places, remembered: &mut Remembered) {
        let mut sizes: Vec<(u32, u64)> = Vec::with_capacity(self.blobs.len());
        for blob in self.blobs {
            let place = places.place(blob.number);
            let flag = |is: bool, mark: u8| if is { mark } else { 0 };
            let is_judged = self.judged.numbers.contains(&blob.number);
            remembered.marks[place as usize] = BLOB
                | flag(blob.is_binary, BINARY)
                | flag(blob.is_archive, ARCHIVE)
                | flag(blob.is_held, HELD)
                | flag(is_judged, JUDGED);
            sizes.push((place, blob.size));
            if let Some(&bytes) = self.judged.archives.get(&blob.number).filter(|_| is_judged) {
                remembered.archives.push((place, bytes));
            }
            if let Some(memos) = self.judged.memos.get(&blob.number).filter(|_| is_judged) {
                remembered.memos.extend(memos.iter().map(|(path, memo)| (place, *path, memo.clone())));
            }
        }
        remembered.memos.sort_unstable();
        sizes.sort_unstable();
        remembered.sizes = sizes.into_iter().map(|(_, size)| size).collect();
        remembered.archives.sort_unstable();
    }

    fn trees(&self, places: &Places, remembered: &mut Remembered) {
        let whole = self.trees.iter().filter(|number| !self.incomplete.contains(number));
        for &number in whole {
            let telling = if self.telling.contains(&number) { HELD } else { 0 };
            let judged = if self.judged.numbers.contains(&number) { JUDGED } else { 0 };
            remembered.marks[places.place(number) as usize] = TREE | telling | judged;
        }
        for (tree, children) in self.held.trees() {
            let place = places.place(tree);
            if remembered.marks[place as usize] & !(HELD | JUDGED) == TREE {
                remembered.trees.push((place, number(children.len())));
                remembered.children.extend(children.iter().map(|&child| places.place(child)));
            }
        }
        remembered.names =
            self.held.names().iter().map(|&(child, word)| (places.place(child), word)).collect();
        let words = self.held.words().iter();
        remembered.words =
            words.map(|word| word.name.clone().filter(|name| !word.is_telling && !name.is_empty())).collect();
    }

    fn commits(&self, places: &Places, remembered: &mut Remembered) {
        let whole = self.graph.commits().iter().filter(|record| !self.incomplete.contains(&record.number));
        for record in whole {
            let place = places.place(record.number);
            remembered.marks[place as usize] = COMMIT | self.sections_of(record.number);
            remembered.commits.push(Commit {
                place,
                tree: if record.tree == NO_OBJECT { NOWHERE } else { places.place(record.tree) },
                time: record.time,
                parents: number(record.parents.len()),
            });
            remembered.parents.extend(record.parents.iter().map(|&parent| places.place(parent)));
        }
    }

    fn tags(&self, places: &Places, remembered: &mut Remembered) {
        for (tag, target) in self.tags.iter().filter(|(tag, _)| !self.incomplete.contains(tag)) {
            let Some(target) = self.table.find(target) else { continue };
            let place = places.place(*tag);
            remembered.marks[place as usize] = TAG | self.sections_of(*tag);
            remembered.tags.push((place, places.place(target)));
        }
    }

    /// What of it could hold something, as far as something was found in it.
    fn sections_of(&self, number: u32) -> u8 {
        let is_open = |section: Section| {
            self.sections.binary_search(&(number, section)).is_ok()
                && !self.judged.sections.contains(&(number, section))
        };
        let headers = if is_open(Section::Headers) { HELD } else { 0 };
        let message = if is_open(Section::Message) { MESSAGE } else { 0 };
        headers | message
    }
}

/// Places by number.
struct Places {
    of: Vec<u32>,
}

impl Places {
    fn place(&self, number: u32) -> u32 {
        self.of[number as usize]
    }
}
