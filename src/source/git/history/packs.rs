//! One pack: its index, its entries, and whether its bytes are still those that were indexed.
//!
//! Must not know: what is in an object, how a family is walked.
//! Invariant: an index that does not match its own checksum or its pack is not believed.

use std::fs::Metadata;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;

use gix::hash::{Kind as HashKind, ObjectId};
use gix::objs::Kind;
use gix::odb::pack;
use gix::odb::pack::data::entry::Header;
use gix::zlib::Inflate;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::source::git::entry::EntryError;

use super::directories::PackFiles;
use super::families::{Families, Parent};
use crate::model::{FilePath, Problem, ProblemKind};

/// So many headers are read as one piece of work.
const READ_AT_ONCE: usize = 1024;

/// One pack, open.
pub(super) struct Pack {
    index: pack::index::File<pack::MMap>,
    data: pack::data::File<pack::MMap>,
    /// Places in the pack, ascending, and what stands there as a place in the index.
    offsets: Vec<u64>,
    entries: Vec<u32>,
    /// For each place in the index the rank of its entry in the pack.
    ranks: Vec<u32>,
    /// The number of its first object among all objects.
    pub(super) first: u32,
    /// See [`Self::state`].
    state: Option<FileState>,
    families: OnceLock<Families>,
}

/// A file as it was when it was written last: whoever writes to it, or puts another one in its place, changes that.
pub(super) type FileState = [u8; 32];

/// What the stored bytes of an entry are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Soundness {
    /// They are those that were indexed, and stand for themselves or are made from an entry before them.
    Sound,
    /// They are those that were indexed; whether what they are made from is there is told by the families.
    Linked,
    /// They are not those that were indexed.
    Damaged,
}

/// Why a pack could not be opened.
#[derive(Debug)]
pub(super) enum OpenError {
    /// A file went away since it was listed, as when git packs anew.
    Vanished,
    /// It cannot be used.
    Unusable(Box<Problem>),
}

impl Pack {
    /// Opens a pack whose objects are numbered from `first` on.
    pub(super) fn open(files: &PackFiles, hash: HashKind, first: u32) -> Result<Self, OpenError> {
        regular(&files.index)?;
        let state = state_of(&regular(&files.pack)?);
        let index = pack::index::File::at(&files.index, hash)
            .map_err(|_| unusable(&files.index, "the index is damaged"))?;
        let never = AtomicBool::new(false);
        index
            .verify_checksum(&mut gix::progress::Discard, &never)
            .map_err(|_| unusable(&files.index, "the index does not match its own checksum"))?;
        let data = pack::data::File::at(&files.pack, hash)
            .map_err(|_| unusable(&files.pack, "the pack is damaged or cannot be read"))?;
        if data.num_objects() != index.num_objects() || data.checksum() != index.pack_checksum() {
            return Err(unusable(&files.pack, "the pack is not the one that its index is for"));
        }
        let state = state.map(|state| {
            Sha256::new().chain_update(state).chain_update(data.checksum().as_bytes()).finalize().into()
        });
        Ok(Self { state, ..Self::sorted(index, data, first) })
    }

    fn sorted(index: pack::index::File<pack::MMap>, data: pack::data::File<pack::MMap>, first: u32) -> Self {
        let count = index.num_objects();
        let mut entries: Vec<(u64, u32)> =
            (0..count).map(|place| (index.pack_offset_at_index(place), place)).collect();
        entries.par_sort_unstable();
        let mut ranks = vec![0; entries.len()];
        for (rank, &(_, place)) in (0..).zip(&entries) {
            ranks[place as usize] = rank;
        }
        let (offsets, entries) = entries.into_iter().unzip();
        Self { index, data, offsets, entries, ranks, first, state: None, families: OnceLock::new() }
    }

    pub(super) fn path(&self) -> &Path {
        self.data.path()
    }

    /// Its file, as long as nobody writes to it; `None` where the system does not tell that.
    pub(super) fn state(&self) -> Option<FileState> {
        self.state
    }

    /// What all its entries are like, if each was found to be what was indexed.
    pub(super) fn soundness_of_read(&self) -> Soundness {
        let is_named = |&offset: &u64| {
            self.data.entry(offset).is_ok_and(|entry| matches!(entry.header, Header::RefDelta { .. }))
        };
        match self.families().is_simple() {
            false => Soundness::Damaged,
            true if self.offsets.par_iter().any(is_named) => Soundness::Linked,
            true => Soundness::Sound,
        }
    }

    /// How many objects it has.
    pub(super) fn count(&self) -> u32 {
        self.index.num_objects()
    }

    /// Whether the object with this number is in it.
    pub(super) fn has(&self, number: u32) -> bool {
        number >= self.first && number - self.first < self.count()
    }

    /// The number among all objects of the entry of this rank.
    pub(super) fn number(&self, rank: u32) -> u32 {
        self.first + self.entries[rank as usize]
    }

    /// The id of the object with this number.
    pub(super) fn id(&self, number: u32) -> ObjectId {
        self.index.oid_at_index(number - self.first).to_owned()
    }

    /// The ids of its objects, ascending, in the order of their numbers.
    pub(super) fn ids(&self) -> impl Iterator<Item = &gix::oid> {
        (0..self.count()).map(|place| self.index.oid_at_index(place))
    }

    /// Whether the bytes of the entry of this rank are still those that were indexed.
    pub(super) fn soundness(&self, rank: u32) -> Soundness {
        let Ok(entry) = self.entry(rank) else { return Soundness::Damaged };
        match (entry.header, self.parent(&entry)) {
            (Header::RefDelta { .. }, _) | (_, Err(_)) => Soundness::Linked,
            _ => Soundness::Sound,
        }
    }

    /// The number of the object with this id.
    pub(super) fn find(&self, id: &gix::oid) -> Option<u32> {
        self.index.lookup(id).map(|place| self.first + place)
    }

    /// The header of the entry of this rank, if the bytes of the entry are those that were indexed.
    fn entry(&self, rank: u32) -> Result<pack::data::Entry, EntryError> {
        let start = self.offsets[rank as usize];
        let end = self.offsets.get(rank as usize + 1).copied().unwrap_or(self.data.pack_end() as u64);
        let raw = self.data.entry_slice(start..end).ok_or(EntryError::Damaged)?;
        let expected = self.index.crc32_at_index(self.entries[rank as usize]);
        if expected.is_some_and(|expected| crc32fast::hash(raw) != expected) {
            return Err(EntryError::Damaged);
        }
        self.data.entry(start).map_err(|_| EntryError::Damaged)
    }

    /// Inflates the entry of this rank: an object, or the delta that makes one. Grows `out` and never shrinks it.
    pub(super) fn inflate<'o>(
        &self,
        rank: u32,
        inflate: &mut Inflate,
        out: &'o mut Vec<u8>,
        limit: u64,
    ) -> Result<&'o [u8], EntryError> {
        let entry = self.entry(rank)?;
        let size = entry.decompressed_size;
        if size > limit {
            return Err(EntryError::TooLarge(size, limit));
        }
        let size = usize::try_from(size).map_err(|_| EntryError::TooLarge(size, limit))?;
        if out.len() < size {
            out.resize(size, 0);
        }
        self.data.decompress_entry(&entry, inflate, &mut out[..size]).map_err(|_| EntryError::Damaged)?;
        Ok(&out[..size])
    }

    /// All entries, sorted into families when this is asked for the first time.
    pub(super) fn families(&self) -> &Families {
        self.families.get_or_init(|| {
            let read = |rank: u32| {
                // Headers are read again, with their checksum, when the entry is inflated.
                let header = self.data.entry(self.offsets[rank as usize]).map_err(|_| EntryError::Damaged);
                header.and_then(|entry| self.parent(&entry))
            };
            let read: Vec<Result<Parent, EntryError>> =
                (0..self.count()).into_par_iter().with_min_len(READ_AT_ONCE).map(read).collect();
            let mut parents = Vec::with_capacity(read.len());
            let mut problems = Vec::new();
            for (rank, parent) in (0..).zip(read) {
                parents.push(parent.unwrap_or_else(|error| {
                    problems.push((rank, error));
                    Parent::None
                }));
            }
            Families::new(&parents, problems)
        })
    }

    /// The families of `chosen` objects alone, with what they are made from, and which entries those are, by rank.
    pub(super) fn families_of(&self, chosen: impl Iterator<Item = u32>) -> (Families, Vec<bool>) {
        let mut parents = vec![Parent::Aside; self.count() as usize];
        let mut wanted = vec![false; parents.len()];
        for number in chosen {
            let mut next = Some(self.rank(number));
            while let Some(rank) = next.filter(|&rank| !std::mem::replace(&mut wanted[rank as usize], true)) {
                // What is damaged is told when it is read.
                let parent = self.entry(rank).and_then(|entry| self.parent(&entry));
                let parent = parent.unwrap_or(Parent::Root(Kind::Blob, 0));
                next = if let Parent::Entry(base) = parent { Some(base) } else { None };
                parents[rank as usize] = parent;
            }
        }
        (Families::new(&parents, Vec::new()), wanted)
    }

    fn parent(&self, entry: &pack::data::Entry) -> Result<Parent, EntryError> {
        Ok(match entry.header {
            Header::Commit => Parent::Root(Kind::Commit, entry.decompressed_size),
            Header::Tree => Parent::Root(Kind::Tree, entry.decompressed_size),
            Header::Blob => Parent::Root(Kind::Blob, entry.decompressed_size),
            Header::Tag => Parent::Root(Kind::Tag, entry.decompressed_size),
            Header::OfsDelta { base_distance } => {
                let offset = entry.checked_base_pack_offset(base_distance).ok_or(EntryError::Damaged)?;
                let rank = self.offsets.binary_search(&offset).map_err(|_| EntryError::Damaged)?;
                Parent::Entry(u32::try_from(rank).expect("a pack has fewer than 2^32 entries"))
            }
            Header::RefDelta { base_id } => match self.index.lookup(base_id) {
                Some(place) => Parent::Entry(self.ranks[place as usize]),
                None => Parent::Elsewhere(base_id),
            },
        })
    }

    /// The rank in the pack of the object with this number.
    pub(super) fn rank(&self, number: u32) -> u32 {
        self.ranks[(number - self.first) as usize]
    }

    /// What the object with this number is made from.
    pub(super) fn base(&self, number: u32) -> Result<Base, EntryError> {
        let entry = self.entry(self.rank(number))?;
        Ok(match self.parent(&entry)? {
            Parent::Root(kind, _) => Base::None(kind),
            Parent::Entry(rank) => Base::Number(self.number(rank)),
            Parent::Elsewhere(id) => Base::Elsewhere(id),
            Parent::None | Parent::Aside => return Err(EntryError::Damaged),
        })
    }

    /// A problem with the object of this rank.
    pub(super) fn problem(&self, rank: u32, error: &EntryError) -> Problem {
        object_problem(&self.id(self.number(rank)), self.path(), error)
    }
}

/// What changes when a file is written to, whatever is done to its times: the place on the disk, the length, and when it
/// or what is said about it was changed last.
fn state_of(file: &Metadata) -> Option<[u8; STATE]> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let told = [
            file.dev(),
            file.ino(),
            file.size(),
            file.mtime().cast_unsigned(),
            file.mtime_nsec().cast_unsigned(),
            file.ctime().cast_unsigned(),
            file.ctime_nsec().cast_unsigned(),
        ];
        let mut state = [0; STATE];
        state.as_chunks_mut().0.iter_mut().zip(told).for_each(|(bytes, told)| *bytes = told.to_le_bytes());
        Some(state)
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        None
    }
}

/// Seven numbers of eight bytes.
const STATE: usize = 7 * 8;

fn regular(file: &Path) -> Result<Metadata, OpenError> {
    match std::fs::metadata(file) {
        Ok(metadata) if metadata.is_file() => Ok(metadata),
        Ok(_) => Err(unusable(file, "it is no regular file")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(OpenError::Vanished),
        Err(error) => Err(unusable(file, &error.to_string())),
    }
}

/// A problem with one object.
pub(super) fn object_problem(id: &ObjectId, path: &Path, error: &EntryError) -> Problem {
    let (kind, hint) = match error {
        EntryError::TooLarge(..) => {
            (ProblemKind::TooLarge, "raise the limit with --max-file-size to look at it")
        }
        _ => (ProblemKind::BadObject, "`git fsck` says what else is damaged; a fresh clone may have it"),
    };
    Problem::at(kind, FilePath::from_path(path), format!("an object was not looked at: {error}"))
        .with_object(id.to_string())
        .with_hint(hint)
}

fn unusable(path: &Path, reason: &str) -> OpenError {
    let message = format!("nothing in this pack was looked at: {reason}");
    let problem = Problem::at(ProblemKind::BadObject, FilePath::from_path(path), message);
    OpenError::Unusable(Box::new(
        problem.with_hint("`git index-pack` makes the index anew; `git fsck` says what is damaged"),
    ))
}

/// What an object of a pack is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    /// It stands for itself.
    None(Kind),
    /// The object of the same pack with this number.
    Number(u32),
    /// An object outside of the pack.
    Elsewhere(ObjectId),
}
