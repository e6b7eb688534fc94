//! Looks at directories: what each one holds of what matters, and which names are content themselves.
//!
//! A version of a directory shares nearly all entries with the one it was made from; those are carried, and only the
//! bytes in between are read.
//!
//! Must not know: commits, contents.
//! Invariant: the entries of a version are the same whether carried or read (a property test); every new entry is
//! asked for in the table, so that nothing that is missing goes unseen.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use gix::hash::{Kind as HashKind, ObjectId};

use super::set::NumberSet;
use super::table::Table;
use super::walk::{Seen, Visit};
use crate::model::{CopiedPiece, Problem, ProblemKind};
use crate::source::{Version, Worker};

/// Shorter names hold no secret: no token is that short.
const SHORTEST_NAME: usize = 16;
/// Directories are no larger.
pub(super) const LARGEST: u64 = 1 << 30;
/// Stands for an entry that does not matter.
const NOTHING: u32 = u32::MAX;

/// Where the entries of a directory end, and which object that matters each one names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Slots {
    ends: Vec<u32>,
    children: Vec<u32>,
    /// Names that could hold something themselves, with the entry each one belongs to.
    telling: Vec<(u32, Arc<[u8]>)>,
}

/// What an entry means.
#[derive(Debug, Default)]
struct Meaning {
    /// The object that matters, or [`NOTHING`].
    child: u32,
    /// Its name, if that could hold something itself.
    telling: Option<Arc<[u8]>>,
}

/// A name of something that matters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Word {
    /// `None` when it is not written down, because it could hold something.
    pub name: Option<Box<[u8]>>,
    /// Whether it could hold something.
    pub is_telling: bool,
}

/// One entry as it stands in a tree.
#[derive(Debug, PartialEq, Eq)]
struct Entry<'a> {
    mode: u32,
    name: &'a [u8],
    id: &'a [u8],
    end: usize,
}

/// What the directories that one thread met hold.
#[derive(Default)]
pub(super) struct Holdings {
    /// Trees, each with where its children stand in `children`.
    pub trees: Vec<(u32, std::ops::Range<u32>)>,
    pub children: Vec<u32>,
    /// Under which names an object is held anywhere.
    pub names: Vec<(u32, u32)>,
    /// The names that numbers in `names` stand for.
    pub words: Vec<Word>,
    /// Trees with a name that could hold something itself.
    pub held_names: Vec<(u32, Arc<[u8]>)>,
    /// Trees with an entry whose object is not stored.
    pub missing: Vec<(u32, ObjectId)>,
    /// Trees that were read to their end.
    pub whole: Vec<u32>,
    /// Whether a tree could not be read, or not to its end.
    pub is_torn: bool,
    /// How many trees were looked at.
    pub count: u64,
    /// Where each name stands in `words`.
    pub numbers: HashMap<Box<[u8]>, u32>,
}

/// Looks at the directories that one thread meets.
pub(super) struct Trees<'a> {
    table: &'a Table,
    hash: HashKind,
    /// Contents that could hold something.
    held: &'a NumberSet,
    /// Trees that are known already, and only read where others are made from them.
    settled: &'a NumberSet,
    pub worker: Box<dyn Worker + 'a>,
    pub holdings: Holdings,
    /// Whether a name could hold something, by its hash.
    seen_names: HashMap<u64, bool>,
    hasher: RandomState,
}

impl<'a> Trees<'a> {
    pub(super) fn new(
        table: &'a Table,
        hash: HashKind,
        held: &'a NumberSet,
        settled: &'a NumberSet,
        worker: Box<dyn Worker + 'a>,
    ) -> Self {
        Self {
            table,
            hash,
            held,
            settled,
            worker,
            holdings: Holdings::default(),
            seen_names: HashMap::new(),
            hasher: RandomState::new(),
        }
    }

    /// What was seen.
    pub(super) fn into_holdings(self) -> Holdings {
        self.holdings
    }

    /// What an entry that was not carried means.
    fn fresh(&mut self, tree: u32, entry: &Entry<'_>) -> Meaning {
        let is_telling = may_tell(entry.name) && self.is_telling(entry.name);
        let telling = is_telling.then(|| entry.name.into());
        let is_tree = entry.mode & 0o170_000 == 0o040_000;
        let is_submodule = entry.mode & 0o170_000 == 0o160_000;
        if is_submodule {
            return Meaning { child: NOTHING, telling };
        }
        let id = gix::oid::from_bytes_unchecked(entry.id);
        let Some(number) = self.table.find(id) else {
            if *id != *ObjectId::empty_tree(self.hash) {
                self.holdings.missing.push((tree, id.to_owned()));
            }
            return Meaning { child: NOTHING, telling };
        };
        if !is_tree && !self.held.contains(number) {
            return Meaning { child: NOTHING, telling };
        }
        let word = self.holdings.word(entry.name, is_telling);
        self.holdings.names.push((number, word));
        Meaning { child: number, telling }
    }

    fn is_telling(&mut self, name: &[u8]) -> bool {
        let worker = &mut self.worker;
        *self
            .seen_names
            .entry(self.hasher.hash_one(name))
            .or_insert_with(|| worker.glance(&Version { bytes: name, base: None }).could_hold)
    }
}

impl Holdings {
    fn word(&mut self, name: &[u8], is_telling: bool) -> u32 {
        if let Some(&number) = self.numbers.get(name) {
            return number;
        }
        let number = u32::try_from(self.words.len()).unwrap_or(NOTHING);
        self.words.push(Word { name: Some(name.into()), is_telling });
        self.numbers.insert(name.into(), number);
        number
    }

    fn note(&mut self, tree: u32, slots: &Slots) {
        self.held_names.extend(slots.telling.iter().map(|(_, name)| (tree, Arc::clone(name))));
        let start = u32::try_from(self.children.len()).unwrap_or(NOTHING);
        self.children.extend(slots.children.iter().copied().filter(|&child| child != NOTHING));
        let end = u32::try_from(self.children.len()).unwrap_or(NOTHING);
        if end > start {
            self.trees.push((tree, start..end));
        }
        self.count += 1;
    }
}

impl Visit for Trees<'_> {
    type Carried = Slots;

    fn object(&mut self, seen: &Seen<'_, Slots>) -> Slots {
        let length = self.hash.len_in_bytes();
        let is_own =
            !seen.is_base && !self.settled.contains(seen.number) && !self.table.is_repeated(seen.number);
        let read = slots(seen.bytes, length, seen.base, |entry| self.fresh(seen.number, entry));
        let slots = match read {
            Ok(slots) => {
                if is_own {
                    self.holdings.whole.push(seen.number);
                }
                slots
            }
            Err(slots) => {
                self.holdings.is_torn = true;
                let id = self.table.id(seen.number).to_string();
                self.worker.problem(Problem {
                    kind: ProblemKind::BadObject,
                    path: None,
                    object: Some(id),
                    message: "a directory could not be read to its end: it is damaged".to_owned(),
                    hint: Some("`git fsck` says what else is damaged".to_owned()),
                });
                slots
            }
        };
        if is_own {
            self.holdings.note(seen.number, &slots);
        }
        slots
    }

    fn problem(&mut self, problem: Problem) {
        self.holdings.is_torn = true;
        self.worker.problem(problem);
    }

    fn stopped(&self) -> bool {
        self.worker.interrupted()
    }
}

/// The entries of a tree; what was copied whole is carried, everything else is handed to `fresh`. In an error are the
/// entries before the damage.
fn slots(
    bytes: &[u8],
    id_length: usize,
    base: Option<(&Slots, &[CopiedPiece])>,
    mut fresh: impl FnMut(&Entry<'_>) -> Meaning,
) -> Result<Slots, Slots> {
    let empty = Slots::default();
    let (before, mut pieces) = base.unwrap_or((&empty, &[]));
    let mut slots = Slots {
        ends: Vec::with_capacity(before.ends.len() + 1),
        children: Vec::with_capacity(before.ends.len() + 1),
        telling: Vec::new(),
    };
    let mut at = 0;
    while at < bytes.len() {
        while pieces.first().is_some_and(|piece| piece.end() <= at) {
            pieces = &pieces[1..];
        }
        if let Some(piece) = pieces.first().filter(|piece| piece.to <= at) {
            let carried = slots.carry(before, piece, at);
            if carried > at {
                at = carried;
                continue;
            }
        }
        let Some(entry) = entry_at(bytes, at, id_length) else { return Err(slots) };
        let meaning = fresh(&entry);
        slots.push(entry.end, meaning);
        at = entry.end;
    }
    Ok(slots)
}

impl Slots {
    fn push(&mut self, end: usize, meaning: Meaning) {
        let place = u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
        self.telling.extend(meaning.telling.map(|name| (place, name)));
        self.ends.push(u32::try_from(end).unwrap_or(u32::MAX));
        self.children.push(meaning.child);
    }

    /// Takes the entries of `before` that stand whole in `piece` from `at` on, and tells where they end.
    fn carry(&mut self, before: &Self, piece: &CopiedPiece, at: usize) -> usize {
        let from = at - piece.to + piece.from;
        let first = match from {
            0 => 0,
            _ => match u32::try_from(from).map(|from| before.ends.binary_search(&from)) {
                Ok(Ok(index)) => index + 1,
                _ => return at,
            },
        };
        let limit = u32::try_from(piece.from + piece.length).unwrap_or(u32::MAX);
        let whole = before.ends[first..].partition_point(|&end| end <= limit);
        let Some(last) = whole.checked_sub(1).map(|index| before.ends[first + index]) else { return at };
        let moved = |end: &u32| u32::try_from(*end as usize - piece.from + piece.to).unwrap_or(u32::MAX);
        let told = before.telling.partition_point(|&(place, _)| (place as usize) < first);
        let told = before.telling[told..].iter().take_while(|(place, _)| (*place as usize) < first + whole);
        let start = self.ends.len();
        let place = |place: u32| u32::try_from(place as usize - first + start).unwrap_or(u32::MAX);
        self.telling.extend(told.map(|(old, name)| (place(*old), Arc::clone(name))));
        self.ends.extend(before.ends[first..first + whole].iter().map(moved));
        self.children.extend_from_slice(&before.children[first..first + whole]);
        last as usize - piece.from + piece.to
    }
}

/// The entries of a tree whose objects are stored, by number and name, up to where it is damaged.
pub(super) fn entries(bytes: &[u8], table: &Table, hash: HashKind) -> Vec<(u32, Vec<u8>)> {
    let mut entries = Vec::new();
    let mut at = 0;
    while let Some(entry) = entry_at(bytes, at, hash.len_in_bytes()) {
        let number = table.find(gix::oid::from_bytes_unchecked(entry.id));
        entries.extend(number.map(|number| (number, entry.name.to_vec())));
        at = entry.end;
    }
    entries
}

/// Whether a name is long enough to hold something.
pub(super) fn may_tell(name: &[u8]) -> bool {
    name.len() >= SHORTEST_NAME
}

/// The names of all entries of a tree, up to where it is damaged.
pub(super) fn names(bytes: &[u8], hash: HashKind) -> Vec<&[u8]> {
    let mut names = Vec::new();
    let mut at = 0;
    while let Some(entry) = entry_at(bytes, at, hash.len_in_bytes()) {
        names.push(entry.name);
        at = entry.end;
    }
    names
}

/// The entry that begins at `at`: a mode in octal digits, a blank, a name, a zero byte, an id.
fn entry_at(bytes: &[u8], at: usize, id_length: usize) -> Option<Entry<'_>> {
    let rest = bytes.get(at..)?;
    let blank = rest.iter().take(8).position(|&byte| byte == b' ')?;
    let mode = rest[..blank].iter().try_fold(0_u32, |mode, &digit| {
        (b'0'..=b'7').contains(&digit).then(|| mode << 3 | u32::from(digit - b'0'))
    })?;
    let zero = memchr::memchr(0, &rest[blank + 1..])? + blank + 1;
    let id = rest.get(zero + 1..zero + 1 + id_length)?;
    (zero > blank + 1).then_some(Entry {
        mode,
        name: &rest[blank + 1..zero],
        id,
        end: at + zero + 1 + id_length,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Entry, Meaning, Slots, slots};
    use crate::model::CopiedPiece;

    const ID: usize = 20;

    fn tree(entries: &[(u8, u8)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (name, id) in entries {
            bytes.extend_from_slice(b"100644 ");
            bytes.extend(std::iter::repeat_n(b'a' + name % 26, usize::from(name % 7) + 1));
            bytes.push(0);
            // Ids hold zero bytes, blanks and digits like everything else.
            bytes.extend((0..20_usize).map(|at| if at % 3 == 0 { *id } else { b"\0 1"[at % 3] }));
        }
        bytes
    }

    /// What an entry means here: its first byte; some names tell something.
    fn meaning(entry: &Entry<'_>) -> Meaning {
        let telling = entry.name[0].is_multiple_of(3).then(|| entry.name.into());
        Meaning { child: u32::from(entry.id[0]), telling }
    }

    /// Copies between two versions, cut wherever `cuts` says.
    fn copies(before: &[u8], after: &[u8], cuts: &[usize]) -> Vec<CopiedPiece> {
        let mut pieces = Vec::new();
        let mut to = 0;
        for cut in cuts {
            let length = (cut % 97 + 1).min(after.len() - to);
            let found = before.windows(length.max(1)).position(|window| window == &after[to..to + length]);
            if let Some(from) = found.filter(|_| length > 0 && cut % 3 != 0) {
                pieces.push(CopiedPiece { from, to, length });
            }
            to += length;
        }
        pieces
    }

    proptest! {
        #[test]
        fn carried_entries_are_those_that_are_read(
            before in proptest::collection::vec((any::<u8>(), any::<u8>()), 0..20),
            after in proptest::collection::vec((any::<u8>(), any::<u8>()), 0..5),
            kept in 0..20usize,
            cuts in proptest::collection::vec(any::<usize>(), 0..40),
        ) {
            let mut entries = before.clone();
            let at = kept.min(entries.len());
            entries.splice(at..at, after);
            let (old, new) = (tree(&before), tree(&entries));
            let base = slots(&old, ID, None, meaning).expect("the tree is whole");
            let pieces = copies(&old, &new, &cuts);
            let carried = slots(&new, ID, Some((&base, &pieces)), meaning);
            prop_assert_eq!(carried, slots(&new, ID, None, meaning));
        }
    }

    #[test]
    fn what_is_no_tree_is_an_error_with_what_was_read() {
        let whole = tree(&[(1, 2), (3, 4)]);
        for (bytes, read) in
            [(&whole[..whole.len() - 1], 1), (b"garbage".as_slice(), 0), (b"99 a\0".as_slice(), 0)]
        {
            let found: Result<Slots, Slots> = slots(bytes, ID, None, meaning);
            assert_eq!(found.map_err(|slots| slots.ends.len()), Err(read));
        }
    }
}
