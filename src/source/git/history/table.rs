//! All objects of a repository by number: those of packs first, then loose ones.
//!
//! Must not know: what objects mean to each other.
//! Invariant: a number stands for one stored object; an object that is stored twice is found by its first number.

use std::path::PathBuf;
use std::sync::OnceLock;

use gix::hash::{Kind as HashKind, ObjectId};
use gix::objs::Kind;
use gix::zlib::Inflate;

use super::super::{GitEnvironment, Layout};
use super::directories::{Listing, list, lost};
use super::packs::{Base, OpenError, Pack, object_problem};
use super::walk::make_version;
use crate::model::Problem;
use crate::source::git::entry::EntryError;
use crate::source::git::loose;

/// git packs anew while a scan runs: so often the directories are listed again.
const LISTINGS: usize = 3;

/// Every stored object.
pub(super) struct Table {
    pub packs: Vec<Pack>,
    /// Sorted by id; none of them is in a pack.
    pub loose: Vec<(ObjectId, PathBuf)>,
    first_loose: u32,
    /// Where it was listed, and what was found there when something had gone since.
    origin: (Layout, GitEnvironment, HashKind),
    relisted: OnceLock<Option<Box<Table>>>,
}

impl Table {
    /// Opens all there is; what cannot be opened is a problem.
    pub(super) fn open(
        layout: &Layout,
        environment: &GitEnvironment,
        hash: HashKind,
    ) -> (Self, Vec<Problem>) {
        let mut last = LISTINGS;
        loop {
            last -= 1;
            let listing = list(layout, environment, hash);
            let origin = (layout.clone(), environment.clone(), hash);
            if let Some(opened) = Self::of_listing(listing, origin, last == 0) {
                return opened;
            }
        }
    }

    /// `None` when something listed went away and listing again may find what took its place.
    fn of_listing(
        listing: Listing,
        origin: (Layout, GitEnvironment, HashKind),
        is_last: bool,
    ) -> Option<(Self, Vec<Problem>)> {
        let hash = origin.2;
        let mut problems = listing.problems;
        let mut packs: Vec<Pack> = Vec::new();
        let mut first = 0_u32;
        for files in &listing.packs {
            match Pack::open(files, hash, first) {
                Ok(pack) => {
                    first = first.saturating_add(pack.count());
                    packs.push(pack);
                }
                Err(OpenError::Vanished) if !is_last => return None,
                Err(OpenError::Vanished) => problems.push(lost(
                    &files.pack,
                    "the pack vanished while it was opened",
                    "scan again when git is not packing",
                )),
                Err(OpenError::Unusable(problem)) => problems.push(*problem),
            }
        }
        let unpacked = |id: &ObjectId| !packs.iter().any(|pack| pack.find(id).is_some());
        let loose = listing.loose.into_iter().filter(|(id, _)| unpacked(id)).collect();
        let table = Self { packs, loose, first_loose: first, origin, relisted: OnceLock::new() };
        Some((table, problems))
    }

    /// How many numbers there are.
    pub(super) fn count(&self) -> usize {
        self.first_loose as usize + self.loose.len()
    }

    /// The number of a loose object by its place.
    pub(super) fn loose_number(&self, place: usize) -> u32 {
        self.first_loose.saturating_add(u32::try_from(place).unwrap_or(u32::MAX))
    }

    /// The first number of this id.
    pub(super) fn find(&self, id: &gix::oid) -> Option<u32> {
        self.packs.iter().find_map(|pack| pack.find(id)).or_else(|| {
            let place = self.loose.binary_search_by(|(loose, _)| loose.as_ref().cmp(id)).ok()?;
            Some(self.loose_number(place))
        })
    }

    pub(super) fn id(&self, number: u32) -> ObjectId {
        match self.pack_of(number) {
            Some(pack) => pack.id(number),
            None => self.loose[(number - self.first_loose) as usize].0,
        }
    }

    /// Whether the object is loose.
    pub(super) fn is_loose(&self, number: u32) -> bool {
        number >= self.first_loose
    }

    /// The file of a loose object.
    pub(super) fn loose_path(&self, number: u32) -> PathBuf {
        let place = number.saturating_sub(self.first_loose) as usize;
        self.loose.get(place).map(|(_, path)| path.clone()).unwrap_or_default()
    }

    /// The bytes of an object that is read by itself, or what is wrong with it, told by its file.
    pub(super) fn bytes(&self, number: u32, limit: u64) -> Result<Vec<u8>, Problem> {
        self.read(number, limit).map(|(_, bytes)| bytes).map_err(|error| {
            let path =
                self.pack_of(number).map_or_else(|| self.loose_path(number), |pack| pack.path().into());
            object_problem(&self.id(number), &path, &error)
        })
    }

    /// What the loose object at this place is.
    pub(super) fn loose_kind(&self, place: usize) -> Result<Kind, EntryError> {
        match loose::kind(&self.loose[place].1, &mut Inflate::default())? {
            Some(kind) => Ok(kind),
            None => self.relisted_read(&self.loose[place].0, u64::MAX).map(|(kind, _)| kind),
        }
    }

    /// Reads an object that was loose when the directories were listed: git may have packed it since.
    fn relisted_read(&self, id: &ObjectId, limit: u64) -> Result<(Kind, Vec<u8>), EntryError> {
        let (layout, environment, hash) = &self.origin;
        let relisted = self.relisted.get_or_init(|| Some(Box::new(Self::open(layout, environment, *hash).0)));
        let table = relisted.as_ref().ok_or(EntryError::BaseMissing)?;
        let number = table.find(id).ok_or(EntryError::BaseMissing)?;
        match table.packs.iter().any(|pack| pack.has(number)) {
            true => table.read(number, limit),
            false => Err(EntryError::BaseMissing),
        }
    }

    fn pack_of(&self, number: u32) -> Option<&Pack> {
        self.packs.iter().find(|pack| pack.has(number))
    }

    /// Whether the object is stored under an earlier number as well.
    pub(super) fn is_repeated(&self, number: u32) -> bool {
        self.packs.len() > 1 && self.find(&self.id(number)) != Some(number)
    }

    /// Reads one object by itself.
    pub(super) fn read(&self, number: u32, limit: u64) -> Result<(Kind, Vec<u8>), EntryError> {
        let mut inflate = Inflate::default();
        let mut deltas: Vec<Vec<u8>> = Vec::new();
        let mut number = number;
        let (kind, mut bytes) = loop {
            let mut bytes = Vec::new();
            let Some(pack) = self.pack_of(number) else {
                let (_, path) =
                    self.loose.get((number - self.first_loose) as usize).ok_or(EntryError::BaseMissing)?;
                match loose::read(path, &mut inflate, &mut bytes, limit)? {
                    Some(kind) => break (kind, bytes),
                    None => break self.relisted_read(&self.id(number), limit)?,
                }
            };
            let base = pack.base(number)?;
            let length = pack.inflate(pack.rank(number), &mut inflate, &mut bytes, limit)?.len();
            bytes.truncate(length);
            match base {
                Base::None(kind) => break (kind, bytes),
                Base::Number(base) => number = base,
                Base::Elsewhere(id) => number = self.find(&id).ok_or(EntryError::BaseMissing)?,
            }
            deltas.push(bytes);
            if deltas.len() > self.count() {
                return Err(EntryError::Circular);
            }
        };
        let mut pieces = Vec::new();
        while let Some(delta) = deltas.pop() {
            let mut version = Vec::new();
            make_version(&bytes, &delta, limit, (&mut version, &mut pieces))?;
            bytes = version;
        }
        Ok((kind, bytes))
    }
}
