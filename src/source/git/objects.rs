//! Objects by id, from the repository, its alternates, and those that the environment adds.
//!
//! Must not know: paths, the index, what objects are for.
//! Invariant: replacement refs are never applied (they could hide a blob), and one allocation is bounded by a limit
//! that does not depend on who owns the files.

use std::cell::RefCell;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

use gix::hash::{Kind as HashKind, ObjectId, Prefix};
use gix::objs::{Find, FindHeader, Kind, TreeRefIter};
use gix::odb;
use gix::zlib::Inflate;

use super::entry::EntryError;
use super::layout::native_path;
use super::{GitEnvironment, Layout, loose};
use crate::source::SourceError;

/// Room for a delta's base and its instructions beside the object itself.
const DELTA_FACTOR: u64 = 4;
/// Trees and commits have no size limit of their own; this is more than any real one needs.
const SMALLEST_LIMIT: u64 = 256 * 1024 * 1024;

/// A handle to all objects; clone it for each thread.
#[derive(Clone)]
pub(super) struct Objects {
    stores: Vec<Store>,
    hash: HashKind,
    inflater: Inflater,
}

/// One object directory with what it leads to.
#[derive(Clone)]
struct Store {
    directory: PathBuf,
    handle: odb::Handle,
}

/// What inflates loose objects: one for each handle.
#[derive(Default)]
struct Inflater(RefCell<Inflate>);

impl Clone for Inflater {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// Why an object could not be had. Says nothing of its content.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum ObjectError {
    #[error("the object is missing")]
    Missing,
    #[error("the object is damaged")]
    Damaged,
    #[error("the object is a {0}, which was not expected")]
    WrongKind(Kind),
    #[error("{size} bytes are more than the limit of {limit}")]
    TooLarge { size: u64, limit: u64 },
}

/// What an entry of a tree is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EntryKind {
    File,
    Link,
    Submodule,
    Tree,
}

/// One entry of a tree.
#[derive(Clone, Debug)]
pub(super) struct TreeEntry {
    pub name: Vec<u8>,
    pub kind: EntryKind,
    pub id: ObjectId,
}

impl Objects {
    pub(super) fn open(
        layout: &Layout,
        environment: &GitEnvironment,
        hash: HashKind,
        largest_blob: Option<u64>,
    ) -> Result<Self, SourceError> {
        let limit = largest_blob.map(|size| size.saturating_mul(DELTA_FACTOR).max(SMALLEST_LIMIT));
        let limit = limit.and_then(|limit| usize::try_from(limit).ok());
        let mut stores = Vec::new();
        for (index, directory) in directories(layout, environment).into_iter().enumerate() {
            let options = odb::store::init::Options {
                alloc_limit_bytes: limit,
                ..odb::store::init::Options::default()
            };
            match odb::at_opts(directory.clone(), hash, None, options) {
                Ok(handle) => stores.push(Store { directory, handle }),
                // Like git: only the repository's own directory must be there.
                Err(_) if index > 0 => {}
                Err(error) => return Err(cannot_open(&directory, &error)),
            }
        }
        Ok(Self { stores, hash, inflater: Inflater::default() })
    }

    /// The kind and size of an object, without reading all of it.
    pub(super) fn header(&self, id: &ObjectId) -> Result<(Kind, u64), ObjectError> {
        let mut outcome = ObjectError::Missing;
        for store in &self.stores {
            match store.handle.try_header(id) {
                Ok(Some(header)) => return Ok((header.kind, header.size)),
                Ok(None) => {}
                Err(_) => outcome = ObjectError::Damaged,
            }
        }
        Err(outcome)
    }

    /// Reads an object of the expected kind into `buffer`. A store hands out what it could inflate, so that a flipped bit
    /// shows only in the object's name.
    pub(super) fn read(&self, id: &ObjectId, kind: Kind, buffer: &mut Vec<u8>) -> Result<(), ObjectError> {
        // What a commit brought lately is loose: opening it at once is half the work of having the store look for it.
        if let Some(Ok(found)) = self.loose(id, SMALLEST_LIMIT, buffer)
            && self.is_named(id, found, buffer)
        {
            return as_expected(found, kind);
        }
        let mut outcome = ObjectError::Missing;
        for store in &self.stores {
            let (found, length) = match store.handle.try_find(id, buffer) {
                Ok(Some(data)) => (data.kind, data.data.len()),
                Ok(None) => continue,
                Err(_) => {
                    outcome = ObjectError::Damaged;
                    continue;
                }
            };
            buffer.truncate(length);
            if self.is_named(id, found, buffer) {
                return as_expected(found, kind);
            }
            outcome = ObjectError::Damaged;
        }
        Err(outcome)
    }

    /// Whether `id` is the name of that content.
    fn is_named(&self, id: &ObjectId, kind: Kind, content: &[u8]) -> bool {
        gix::objs::compute_hash(self.hash, kind, content).is_ok_and(|computed| computed == *id)
    }

    /// Reads a blob into `buffer` unless it is larger than `limit`.
    pub(super) fn read_blob(
        &self,
        id: &ObjectId,
        limit: Option<u64>,
        buffer: &mut Vec<u8>,
    ) -> Result<(), ObjectError> {
        // What was just staged is loose: reading it at once is half the work of asking for its size first.
        match self.loose(id, limit.unwrap_or(u64::MAX), buffer) {
            Some(Err(EntryError::TooLarge(size, limit))) => {
                return Err(ObjectError::TooLarge { size, limit });
            }
            Some(Ok(Kind::Blob)) => return Ok(()),
            Some(Ok(kind)) => return Err(ObjectError::WrongKind(kind)),
            // A damaged one may be whole elsewhere.
            Some(Err(_)) | None => {}
        }
        let (_, size) = self.header(id)?;
        match limit.filter(|&limit| size > limit) {
            Some(limit) => Err(ObjectError::TooLarge { size, limit }),
            None => self.read(id, Kind::Blob, buffer),
        }
    }

    /// Reads a loose object into `buffer`; `None` if no store has it in a file of its own.
    fn loose(&self, id: &ObjectId, limit: u64, buffer: &mut Vec<u8>) -> Option<Result<Kind, EntryError>> {
        let hex = id.to_hex().to_string();
        let (fan_out, rest) = hex.split_at(2);
        let mut inflate = self.inflater.0.borrow_mut();
        self.stores.iter().find_map(|store| {
            let path = store.directory.join(fan_out).join(rest);
            loose::read(&path, &mut inflate, buffer, limit).transpose()
        })
    }

    /// The entries of a tree as they stand in it. Names are not judged: hostile ones are content like any other.
    pub(super) fn tree(&self, id: &ObjectId) -> Result<Vec<TreeEntry>, ObjectError> {
        // The empty tree is known to git without being stored.
        if *id == ObjectId::empty_tree(self.hash) {
            return Ok(Vec::new());
        }
        let mut buffer = Vec::new();
        self.read(id, Kind::Tree, &mut buffer)?;
        let mut entries = Vec::new();
        for entry in TreeRefIter::from_bytes(&buffer, self.hash) {
            let entry = entry.map_err(|_| ObjectError::Damaged)?;
            let kind = if entry.mode.is_tree() {
                EntryKind::Tree
            } else if entry.mode.is_commit() {
                EntryKind::Submodule
            } else if entry.mode.is_link() {
                EntryKind::Link
            } else {
                EntryKind::File
            };
            entries.push(TreeEntry { name: entry.filename.to_vec(), kind, id: entry.oid.to_owned() });
        }
        Ok(entries)
    }

    /// The tree of a commit.
    pub(super) fn tree_of_commit(&self, id: &ObjectId) -> Result<ObjectId, ObjectError> {
        let mut buffer = Vec::new();
        self.read(id, Kind::Commit, &mut buffer)?;
        gix::objs::CommitRefIter::from_bytes(&buffer, self.hash).tree_id().map_err(|_| ObjectError::Damaged)
    }

    /// The objects whose ids begin so. A store that cannot be searched has none.
    pub(super) fn beginning_with(&self, prefix: Prefix) -> HashSet<ObjectId> {
        let mut found = HashSet::new();
        for store in &self.stores {
            // The candidates are what is asked for; whether there is one or there are several is told by them.
            let _ = store.handle.lookup_prefix(prefix, Some(&mut found));
        }
        found
    }

    pub(super) fn hash(&self) -> HashKind {
        self.hash
    }
}

/// The repository's own object directory first, then what the environment adds (the quarantine of a push).
pub(super) fn directories(layout: &Layout, environment: &GitEnvironment) -> Vec<PathBuf> {
    let base = layout.work_tree.as_deref().unwrap_or(&layout.git_dir);
    let own = match &environment.object_directory {
        Some(directory) => base.join(directory),
        None => layout.common_dir.join("objects"),
    };
    let mut directories = vec![own];
    if let Some(list) = &environment.alternate_object_directories {
        let list = native_path(list.as_encoded_bytes());
        directories.extend(std::env::split_paths(&list).map(|path| base.join(path)));
    }
    directories
}

fn as_expected(found: Kind, expected: Kind) -> Result<(), ObjectError> {
    if found == expected { Ok(()) } else { Err(ObjectError::WrongKind(found)) }
}

fn cannot_open(directory: &Path, error: &std::io::Error) -> SourceError {
    SourceError {
        message: format!("cannot open the objects in {}: {error}", directory.display()),
        hint: Some("`git fsck` says what is wrong with the repository".to_string()),
    }
}
