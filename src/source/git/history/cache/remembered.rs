//! What is remembered, as tables of places and as bytes.
//!
//! A place is where an object's id stands among all ids, sorted. Values, and names that could hold one, have no place
//! here: a name is written down only when nothing could be found in it.
//!
//! Must not know: where objects are stored now, where the bytes are kept.
//! Invariant: whatever the bytes are, what is read from them names no place that there is not.

use super::super::packs::FileState;
use crate::source::Memo;

/// Stands for an object that has no place.
pub(super) const NOWHERE: u32 = u32::MAX;

/// What an object is, in the lowest bits of its mark.
pub(super) const KIND: u8 = 0b111;
pub(super) const BLOB: u8 = 0;
pub(super) const TREE: u8 = 1;
pub(super) const COMMIT: u8 = 2;
pub(super) const TAG: u8 = 3;
/// It was stored and could not be read, or not to its end: it is looked at again.
pub(super) const UNREAD: u8 = 4;
/// A content with zero bytes.
pub(super) const BINARY: u8 = 1 << 3;
/// A content that could hold something; a tree with a name that could; headers that could.
pub(super) const HELD: u8 = 1 << 4;
/// It was judged under all its paths; nothing was found in it, unless there are memos.
pub(super) const JUDGED: u8 = 1 << 5;
/// A content that is unpacked.
pub(super) const ARCHIVE: u8 = 1 << 6;
/// A message that could hold something.
pub(super) const MESSAGE: u8 = 1 << 7;

/// One commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Commit {
    pub place: u32,
    /// [`NOWHERE`] for the empty tree.
    pub tree: u32,
    pub time: i64,
    pub parents: u32,
}

/// Everything that is remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Remembered {
    /// How long an id is, in bytes.
    pub id_length: usize,
    /// One after the other, ascending.
    pub ids: Vec<u8>,
    /// For each object, what it is.
    pub marks: Vec<u8>,
    /// For each content, in the order of places, how long it is.
    pub sizes: Vec<u64>,
    /// Archives, with how much came out of them.
    pub archives: Vec<(u32, u64)>,
    /// What was found in contents, by their places and by which of their paths it is.
    pub memos: Vec<(u32, u32, Memo)>,
    /// Trees that hold anything that matters, each after what it holds, with the number of their children.
    pub trees: Vec<(u32, u32)>,
    pub children: Vec<u32>,
    /// Objects with a name that they are held under.
    pub names: Vec<(u32, u32)>,
    /// `None` stands for names that are not written down.
    pub words: Vec<Option<Box<[u8]>>>,
    pub commits: Vec<Commit>,
    /// The parents of all commits, one commit's after the other's.
    pub parents: Vec<u32>,
    /// Tags with what they point at.
    pub tags: Vec<(u32, u32)>,
    /// The files of packs of which everything was read, and whether entries in them name their bases.
    pub packs: Vec<(FileState, bool)>,
}

impl Remembered {
    /// How many objects there are.
    pub(super) fn count(&self) -> usize {
        self.marks.len()
    }

    pub(super) fn id(&self, place: usize) -> &[u8] {
        &self.ids[place * self.id_length..(place + 1) * self.id_length]
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let room = self.ids.len() + self.marks.len() + 4 * self.children.len() + 16 * self.commits.len();
        let mut writer = Writer(Vec::with_capacity(room + 8 * self.sizes.len() + (1 << 16)));
        writer.number(self.id_length as u64);
        writer.number(self.count() as u64);
        writer.0.extend_from_slice(&self.ids);
        writer.0.extend_from_slice(&self.marks);
        writer.list(&self.sizes, |writer, &size| writer.number(size));
        writer.list(&self.archives, |writer, &(place, bytes)| {
            writer.place(place);
            writer.number(bytes);
        });
        writer.list(&self.memos, |writer, (place, path, memo)| {
            writer.place(*place);
            writer.place(*path);
            writer.number(memo.len() as u64);
            writer.0.extend_from_slice(memo);
        });
        writer.pairs(&self.trees);
        writer.places(&self.children);
        writer.pairs(&self.names);
        writer.list(&self.words, |writer, word| {
            writer.place(word.as_ref().map_or(NOWHERE, |word| word.len() as u32));
            writer.0.extend_from_slice(word.as_deref().unwrap_or_default());
        });
        writer.list(&self.commits, |writer, commit| {
            writer.place(commit.place);
            writer.place(commit.tree);
            writer.number(commit.time.cast_unsigned());
            writer.place(commit.parents);
        });
        writer.places(&self.parents);
        writer.pairs(&self.tags);
        writer.list(&self.packs, |writer, (state, is_linked)| {
            writer.0.extend_from_slice(state);
            writer.0.push(u8::from(*is_linked));
        });
        writer.0
    }

    /// `None` where the bytes are not what [`Self::to_bytes`] writes.
    pub(in super::super) fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let id_length = reader.length()?;
        let count = reader.length()?;
        let remembered = Self {
            id_length,
            ids: reader.take(count.checked_mul(id_length)?)?.to_vec(),
            marks: reader.take(count)?.to_vec(),
            sizes: reader.list(8, Reader::number)?,
            archives: reader.list(12, |reader| Some((reader.place()?, reader.number()?)))?,
            memos: reader.list(16, |reader| {
                let (place, path) = (reader.place()?, reader.place()?);
                let length = reader.length()?;
                Some((place, path, reader.take(length)?.into()))
            })?,
            trees: reader.pairs()?,
            children: reader.places()?,
            names: reader.pairs()?,
            words: reader.list(4, |reader| {
                let length = reader.place()?;
                if length == NOWHERE { Some(None) } else { Some(Some(reader.take(length as usize)?.into())) }
            })?,
            commits: reader.list(20, |reader| {
                Some(Commit {
                    place: reader.place()?,
                    tree: reader.place()?,
                    time: reader.number()?.cast_signed(),
                    parents: reader.place()?,
                })
            })?,
            parents: reader.places()?,
            tags: reader.pairs()?,
            packs: reader.list(size_of::<FileState>() + 1, |reader| {
                let (state, is_linked) = reader.take(size_of::<FileState>() + 1)?.split_first_chunk()?;
                Some((*state, is_linked != [0]))
            })?,
        };
        (reader.0.is_empty() && remembered.is_sound()).then_some(remembered)
    }

    /// Whether every place that is named is there, and of the kind that it must be.
    fn is_sound(&self) -> bool {
        let has = |place: u32| (place as usize) < self.count();
        let is =
            |place: u32, kind: u8| self.marks.get(place as usize).is_some_and(|mark| mark & KIND == kind);
        let of_kind = |kind: u8| self.marks.iter().filter(|&&mark| mark & KIND == kind).count();
        let sum = |counts: &mut dyn Iterator<Item = u32>| counts.map(u64::from).sum::<u64>();
        self.ids.chunks(self.id_length.max(1)).is_sorted_by(|one, other| one < other)
            && of_kind(BLOB) == self.sizes.len()
            && of_kind(COMMIT) == self.commits.len()
            && of_kind(TAG) == self.tags.len()
            && self.archives.iter().all(|&(place, _)| is(place, BLOB))
            && self.memos.iter().all(|&(place, _, _)| is(place, BLOB))
            && self.trees.iter().all(|&(place, _)| is(place, TREE))
            && self.children.iter().all(|&place| has(place))
            && self.names.iter().all(|&(place, word)| has(place) && (word as usize) < self.words.len())
            && self
                .commits
                .iter()
                .all(|commit| is(commit.place, COMMIT) && (commit.tree == NOWHERE || has(commit.tree)))
            && self.parents.iter().all(|&place| has(place))
            && self.tags.iter().all(|&(place, target)| is(place, TAG) && has(target))
            && sum(&mut self.trees.iter().map(|(_, count)| *count)) == self.children.len() as u64
            && sum(&mut self.commits.iter().map(|commit| commit.parents)) == self.parents.len() as u64
    }
}

struct Writer(Vec<u8>);

impl Writer {
    fn number(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn place(&mut self, place: u32) {
        self.0.extend_from_slice(&place.to_le_bytes());
    }

    fn list<T>(&mut self, items: &[T], write: impl Fn(&mut Self, &T)) {
        self.number(items.len() as u64);
        items.iter().for_each(|item| write(self, item));
    }

    fn places(&mut self, places: &[u32]) {
        self.list(places, |writer, &place| writer.place(place));
    }

    fn pairs(&mut self, pairs: &[(u32, u32)]) {
        self.list(pairs, |writer, &(one, other)| {
            writer.place(one);
            writer.place(other);
        });
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u64> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*taken))
    }

    fn place(&mut self) -> Option<u32> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_le_bytes(*taken))
    }

    /// How many of something follow.
    fn length(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    /// A list of items that take `size` bytes each, or more: no more memory is asked for than there are bytes.
    fn list<T>(&mut self, size: usize, read: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.length()?;
        if count > self.0.len() / size {
            return None;
        }
        let mut items = Vec::with_capacity(count);
        for _ in 0..count {
            items.push(read(self)?);
        }
        Some(items)
    }

    fn places(&mut self) -> Option<Vec<u32>> {
        let length = self.length()?.checked_mul(4)?;
        let (places, _) = self.take(length)?.as_chunks();
        Some(places.iter().map(|place| u32::from_le_bytes(*place)).collect())
    }

    fn pairs(&mut self) -> Option<Vec<(u32, u32)>> {
        self.list(8, |reader| Some((reader.place()?, reader.place()?)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{BLOB, COMMIT, Commit, HELD, NOWHERE, Remembered, TAG, TREE, UNREAD};

    fn sample() -> Remembered {
        Remembered {
            id_length: 2,
            ids: (0..12).collect(),
            marks: vec![BLOB, TREE | HELD, COMMIT, TAG, UNREAD, BLOB | HELD],
            sizes: vec![7, 9],
            archives: vec![(0, 12)],
            memos: vec![(5, 0, b"memo".as_slice().into()), (5, 2, b"".as_slice().into())],
            trees: vec![(1, 2)],
            children: vec![0, 5],
            names: vec![(5, 0), (0, 1)],
            words: vec![Some(b"name".as_slice().into()), None],
            commits: vec![Commit { place: 2, tree: NOWHERE, time: -5, parents: 1 }],
            parents: vec![4],
            tags: vec![(3, 2)],
            packs: vec![([7; 32], false), ([9; 32], true)],
        }
    }

    #[test]
    fn what_was_written_is_read() {
        assert_eq!(Remembered::of_bytes(&sample().to_bytes()), Some(sample()));
        assert_eq!(Remembered::of_bytes(&Remembered::default().to_bytes()), Some(Remembered::default()));
    }

    #[test]
    fn what_names_no_place_is_refused() {
        let spoil: [fn(&mut Remembered); 11] = [
            |remembered| remembered.ids.swap(0, 2),
            |remembered| remembered.children[0] = 6,
            |remembered| remembered.names[0].1 = 2,
            |remembered| remembered.parents[0] = NOWHERE,
            |remembered| remembered.commits[0].tree = 99,
            |remembered| remembered.commits[0].parents = 2,
            |remembered| remembered.trees[0].1 = 1,
            |remembered| remembered.tags[0].0 = 2,
            |remembered| remembered.sizes.truncate(1),
            |remembered| remembered.archives[0].0 = 3,
            |remembered| remembered.memos[1].0 = 1,
        ];
        for (number, spoil) in spoil.iter().enumerate() {
            let mut remembered = sample();
            spoil(&mut remembered);
            assert_eq!(Remembered::of_bytes(&remembered.to_bytes()), None, "{number}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_read(
            at in any::<prop::sample::Index>(), byte in any::<u8>(), length in any::<prop::sample::Index>(),
        ) {
            let mut bytes = sample().to_bytes();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            bytes.truncate(length.index(bytes.len() + 1));
            if let Some(read) = Remembered::of_bytes(&bytes) {
                prop_assert!(read.is_sound());
            }
        }
    }
}
