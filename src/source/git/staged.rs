//! The source of `scan --staged`: what the index would commit, and which lines of it are new.
//!
//! Must not know: rules, the work tree's files.
//! Invariant: index blobs are read, never the work tree; what cannot be read is a problem; what cannot be compared
//! counts as new.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use gix::hash::ObjectId;
use gix::objs::Kind;
use rayon::prelude::*;

use super::base::Base;
use super::changes::{Change, Changes, Removed};
use super::format::RepositoryFormat;
use super::index::read_index;
use super::lines::{LineRanges, added_lines, intersect, similarity};
use super::objects::{ObjectError, Objects};
use super::{GitEnvironment, Layout};
use crate::model::{Chunk, Coverage, FilePath, Focus, Problem, ProblemKind, Provenance, SkipReason};
use crate::source::{Receiver, Source, SourceError, Worker};

/// What is larger is not scanned unless asked for: 64 MiB.
pub const DEFAULT_MAX_BLOB_SIZE: u64 = 64 * 1024 * 1024;
/// Up to so many changes, starting threads costs more than it brings.
const FEW_CHANGES: usize = 16;
/// Where git looks for NUL bytes to call something binary.
const BINARY_PROBE: usize = 8 * 1024;
/// Two files are the same one renamed when so many percent agree, as for git.
const RENAME_SIMILARITY: usize = 50;
/// So many removed files are compared with an added one.
const RENAME_CANDIDATES: usize = 8;
/// Larger files are not looked at for renames.
const RENAME_SIZE: u64 = 1024 * 1024;

/// What to scan and how.
#[derive(Clone, Debug)]
pub struct StagedOptions {
    /// Where to look for the repository.
    pub directory: PathBuf,
    /// What git said through the environment.
    pub environment: GitEnvironment,
    /// Larger blobs are a problem instead of being read, in bytes; `None` reads whatever fits in memory.
    pub max_blob_size: Option<u64>,
}

impl StagedOptions {
    /// The usual: the repository of `directory`, the default limit.
    pub fn new(directory: impl Into<PathBuf>, environment: GitEnvironment) -> Self {
        Self { directory: directory.into(), environment, max_blob_size: Some(DEFAULT_MAX_BLOB_SIZE) }
    }
}

/// Hands out the blobs that the index would commit and that no parent has at their path.
///
/// For a path that is new its own bytes come first, as a chunk of their own: names can hold secrets. A blob that was
/// changed has the added and changed lines as its focus.
#[derive(Clone, Debug)]
pub struct Staged {
    options: StagedOptions,
}

impl Staged {
    /// A source with these options; nothing is read yet.
    pub fn new(options: StagedOptions) -> Self {
        Self { options }
    }
}

impl Source for Staged {
    fn drive(&self, receiver: &dyn Receiver) -> Result<(), SourceError> {
        let environment = &self.options.environment;
        let layout = Layout::discover(&self.options.directory, environment)?;
        layout.require_work_tree()?;
        let format = RepositoryFormat::read(&layout)?;
        let objects = Objects::open(&layout, environment, format.hash, self.options.max_blob_size)?;
        let base = Base::find(&layout, format, &objects)?;
        let index = open_index(&layout, environment, &objects, &base)?;
        let changes = match &index {
            Some(index) => Changes::between(index, &base, &objects),
            None => Changes::default(),
        };
        self.hand_out(changes, &objects, receiver);
        Ok(())
    }
}

impl Staged {
    fn hand_out(&self, changes: Changes, objects: &Objects, receiver: &dyn Receiver) {
        let origins = Origins::find(&changes, objects);
        let mut worker = receiver.worker();
        changes.problems.into_iter().for_each(|problem| worker.problem(problem));
        if changes.submodules > 0 {
            let skipped = [(SkipReason::Submodule, changes.submodules)].into();
            worker.covered(&Coverage { skipped, ..Coverage::default() });
        }
        let reader = |worker, objects| Reader {
            worker,
            objects,
            origins: &origins,
            limit: self.options.max_blob_size,
            buffer: Vec::new(),
        };
        if changes.changed.len() <= FEW_CHANGES {
            let mut reader = reader(worker, objects.clone());
            changes.changed.iter().for_each(|change| reader.hand_out(change));
            return;
        }
        drop(worker);
        // A handle to the objects can be sent to a thread, but two threads cannot share one.
        let objects = Mutex::new(objects.clone());
        let start = || {
            let own = objects.lock().unwrap_or_else(PoisonError::into_inner).clone();
            reader(receiver.worker(), own)
        };
        changes.changed.par_iter().for_each_init(start, |reader, change| reader.hand_out(change));
    }
}

/// Opens the index that would be committed; `None` when there is none yet and there need not be one.
pub(super) fn open_index(
    layout: &Layout,
    environment: &GitEnvironment,
    objects: &Objects,
    base: &Base,
) -> Result<Option<gix::index::File>, SourceError> {
    let path = layout.index_path(environment);
    match std::fs::metadata(&path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Err(bad_index(&path, "it is not a regular file")),
        // Before the first `git add` there is no index; any other absence means that the wrong place was looked at.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let is_default = path == layout.git_dir.join("index");
            return if base.is_unborn && is_default {
                Ok(None)
            } else {
                Err(bad_index(&path, "it does not exist"))
            };
        }
        Err(error) => return Err(bad_index(&path, &error.to_string())),
    }
    read_index(&path, objects.hash()).map(Some).map_err(|reason| bad_index(&path, &reason))
}

fn bad_index(path: &Path, reason: &str) -> SourceError {
    SourceError {
        message: format!("cannot read the index {}: {reason}", path.display()),
        hint: Some(
            "`git status` shows whether git can read it; `rm` it and `git reset` rebuild it".to_string(),
        ),
    }
}

/// Removed files that an added one could have been, by size.
struct Origins {
    removed: Vec<(Removed, u64)>,
}

impl Origins {
    fn find(changes: &Changes, objects: &Objects) -> Self {
        let mut removed = Vec::new();
        if changes.changed.iter().any(|change| change.is_new_path) {
            for file in &changes.removed {
                // An origin that cannot be read only means that more lines count.
                if let Ok((Kind::Blob, size)) = objects.header(&file.id) {
                    removed.push((file.clone(), size));
                }
            }
        }
        Self { removed }
    }

    fn holds(&self, id: ObjectId) -> bool {
        self.removed.iter().any(|(removed, _)| removed.id == id)
    }

    /// The most promising ones: of the same name first, then by size.
    fn candidates(&self, path: &[u8], size: u64) -> Vec<ObjectId> {
        let name = |path: &[u8]| path.rsplit(|&byte| byte == b'/').next().map(<[u8]>::to_vec);
        let own = name(path);
        let near = |other: u64| {
            other.max(size) <= RENAME_SIZE && other.max(size) <= other.min(size).saturating_mul(2)
        };
        let mut found: Vec<_> = self.removed.iter().filter(|(_, other)| near(*other)).collect();
        found.sort_by_key(|(removed, other)| {
            (name(&removed.path) != own, other.abs_diff(size), &removed.path)
        });
        found.into_iter().take(RENAME_CANDIDATES).map(|(removed, _)| removed.id).collect()
    }
}

/// Reads changes on one thread.
struct Reader<'a> {
    worker: Box<dyn Worker + 'a>,
    objects: Objects,
    origins: &'a Origins,
    limit: Option<u64>,
    buffer: Vec<u8>,
}

impl Reader<'_> {
    fn hand_out(&mut self, change: &Change) {
        if self.worker.interrupted() {
            return;
        }
        let path = FilePath::from_bytes(change.path.clone());
        if change.is_new_path {
            self.worker.chunk(&Chunk::whole(&change.path, &Provenance::file(path.clone())));
            if !change.is_link && self.origins.holds(change.id) {
                return;
            }
        }
        // A damaged object must not take the whole scan with it.
        let read = catch_unwind(AssertUnwindSafe(|| self.read(change)));
        match read {
            Ok(Ok(focus)) => self.content(change, path, focus),
            Ok(Err(unread)) => self.worker.problem(unread.problem(path, change.id)),
            Err(_) => self.worker.problem(Unread::Failed.problem(path, change.id)),
        }
    }

    fn content(&mut self, change: &Change, path: FilePath, focus: Focus) {
        let bytes = &self.buffer;
        let provenance = Provenance::blob(path, change.id.to_string());
        if focus != Focus::Lines(Vec::new()) {
            let chunk = Chunk { focus: &focus, ..Chunk::whole(bytes, &provenance) };
            self.worker.chunk(&chunk);
        }
        let binary = u64::from(is_binary(bytes));
        self.worker.covered(&Coverage { files: 1, bytes: bytes.len() as u64, binary, ..Coverage::default() });
    }

    /// Reads the blob into the buffer and tells what of it counts.
    fn read(&mut self, change: &Change) -> Result<Focus, Unread> {
        let (_, size) = self.objects.header(&change.id)?;
        if let Some(limit) = self.limit.filter(|&limit| size > limit) {
            return Err(Unread::TooLarge { size, limit });
        }
        self.objects.read(&change.id, Kind::Blob, &mut self.buffer)?;
        if change.is_link || is_binary(&self.buffer) || has_wide_characters(&self.buffer) {
            return Ok(Focus::Whole);
        }
        let lines = match change.is_new_path {
            true => self.new_since_rename(&change.path),
            false => self.new_since(&change.previous),
        };
        Ok(lines.map_or(Focus::Whole, Focus::Lines))
    }

    /// The lines that are new against every one of the earlier versions; `None` when it cannot be known.
    fn new_since(&self, previous: &[ObjectId]) -> Option<LineRanges> {
        let mut before = Vec::new();
        let mut new: Option<LineRanges> = None;
        for id in previous {
            let (_, size) = self.objects.header(id).ok()?;
            if self.limit.is_some_and(|limit| size > limit) {
                continue;
            }
            // An unreadable earlier version leaves more lines new, never fewer.
            if self.objects.read(id, Kind::Blob, &mut before).is_err() {
                continue;
            }
            let Some(added) = added_lines(&before, &self.buffer) else { continue };
            new = Some(new.map_or_else(|| added.clone(), |new| intersect(&new, &added)));
        }
        new
    }

    /// The lines that are new against the removed file this one was before, if there is one.
    fn new_since_rename(&self, path: &[u8]) -> Option<LineRanges> {
        let mut before = Vec::new();
        let mut best: Option<(usize, Vec<u8>)> = None;
        for id in self.origins.candidates(path, self.buffer.len() as u64) {
            if self.objects.read(&id, Kind::Blob, &mut before).is_err() {
                continue;
            }
            let score = similarity(&before, &self.buffer);
            if score >= RENAME_SIMILARITY && best.as_ref().is_none_or(|(highest, _)| score > *highest) {
                best = Some((score, before.clone()));
            }
        }
        added_lines(&best?.1, &self.buffer)
    }
}

fn is_binary(bytes: &[u8]) -> bool {
    memchr::memchr(0, &bytes[..bytes.len().min(BINARY_PROBE)]).is_some()
}

/// UTF-16 and UTF-32: their line ends are not single bytes, so that lines found here would be others.
fn has_wide_characters(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff")
}

/// Why a blob was not read.
enum Unread {
    TooLarge { size: u64, limit: u64 },
    Object(ObjectError),
    Failed,
}

impl From<ObjectError> for Unread {
    fn from(error: ObjectError) -> Self {
        Self::Object(error)
    }
}

impl Unread {
    fn problem(self, path: FilePath, id: ObjectId) -> Problem {
        let (kind, message, hint) = match self {
            Self::TooLarge { size, limit } => (
                ProblemKind::TooLarge,
                format!("not scanned: {size} bytes are more than the limit of {limit}"),
                "raise the limit to scan it, or leave it out of the commit",
            ),
            Self::Object(error) => (
                ProblemKind::BadObject,
                format!("cannot be read from git: {error}"),
                "`git add` it again; `git fsck` says what else is missing",
            ),
            Self::Failed => (
                ProblemKind::Internal,
                "reading it from git failed".to_string(),
                "`git fsck` says whether the object is damaged",
            ),
        };
        Problem::at(kind, path, message).with_object(id.to_string()).with_hint(hint)
    }
}
