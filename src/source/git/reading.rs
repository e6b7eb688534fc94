//! Reads the blobs of changes and hands them out, with the lines that are new.
//!
//! Must not know: where changes come from, rules.
//! Invariant: what cannot be read is a problem; what cannot be compared counts as new.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use gix::hash::ObjectId;
use gix::objs::Kind;
use rayon::prelude::*;

use super::changes::{Change, Changes, Removed};
use super::lines::{LineRanges, added_lines, intersect, similarity};
use super::objects::{ObjectError, Objects};
use crate::model::{
    Chunk, ContentKind, Coverage, FilePath, Focus, Problem, ProblemKind, Provenance, SkipReason,
};
use crate::source::archive::{Archives, Format};
use crate::source::{Receiver, Worker, threads};

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

/// One change to read.
#[derive(Clone, Copy)]
pub(super) struct Task<'a> {
    pub change: &'a Change,
    pub origins: &'a Origins,
    /// The commit (hex) that brings it, unless it is not committed yet.
    pub commit: Option<&'a str>,
}

/// Notes what comparing brought beside changes.
pub(super) fn note(worker: &mut dyn Worker, problems: impl Iterator<Item = Problem>, submodules: u64) {
    problems.for_each(|problem| worker.problem(problem));
    if submodules > 0 {
        let skipped = [(SkipReason::Submodule, submodules)].into();
        worker.covered(&Coverage { skipped, ..Coverage::default() });
    }
}

/// Reads all `tasks`, on several threads where that pays.
pub(super) fn hand_out(tasks: &[Task<'_>], objects: &Objects, limit: Option<u64>, receiver: &dyn Receiver) {
    let archives = Archives::default();
    let reader = |objects| Reader {
        worker: receiver.worker(),
        objects,
        archives: &archives,
        limit,
        buffer: Vec::new(),
    };
    if tasks.len() <= FEW_CHANGES {
        let mut reader = reader(objects.clone());
        tasks.iter().for_each(|task| reader.hand_out(task));
        return;
    }
    threads::prepare(0);
    // A handle to the objects can be sent to a thread, but two threads cannot share one.
    let objects = Mutex::new(objects.clone());
    let start = || reader(objects.lock().unwrap_or_else(PoisonError::into_inner).clone());
    tasks.par_iter().for_each_init(start, |reader, task| reader.hand_out(task));
}

/// Removed files that an added one could have been, by size.
pub(super) struct Origins {
    removed: Vec<(Removed, u64)>,
}

impl Origins {
    pub(super) fn find(changes: &Changes, objects: &Objects) -> Self {
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
    archives: &'a Archives,
    limit: Option<u64>,
    buffer: Vec<u8>,
}

impl Reader<'_> {
    fn hand_out(&mut self, task: &Task<'_>) {
        if self.worker.interrupted() {
            return;
        }
        let change = task.change;
        let path = FilePath::from_bytes(change.path.clone());
        let commit = task.commit.map(str::to_owned);
        if change.is_new_path {
            let name = Provenance {
                kind: ContentKind::FileName,
                commit: commit.clone(),
                ..Provenance::file(path.clone())
            };
            self.worker.chunk(&Chunk::whole(&change.path, &name));
            if !change.is_link && task.origins.holds(change.id) {
                return;
            }
        }
        // A damaged object must not take the whole scan with it.
        let read = catch_unwind(AssertUnwindSafe(|| self.read(task)));
        let problem = |unread: Unread, path| unread.problem(path, change.id, task.commit);
        match read {
            Ok(Ok(focus)) => {
                let provenance = Provenance { commit, ..Provenance::blob(path, change.id.to_string()) };
                self.content(&provenance, focus);
            }
            Ok(Err(unread)) => self.worker.problem(problem(unread, path)),
            Err(_) => self.worker.problem(problem(Unread::Failed, path)),
        }
    }

    fn content(&mut self, provenance: &Provenance, focus: Focus) {
        let bytes = &self.buffer;
        if Format::of(bytes).is_some() {
            self.archives.unpack(bytes, provenance, &mut *self.worker);
        } else if focus != Focus::Lines(Vec::new()) {
            let chunk = Chunk { focus: &focus, ..Chunk::whole(bytes, provenance) };
            self.worker.chunk(&chunk);
        }
        let binary = u64::from(is_binary(bytes));
        self.worker.covered(&Coverage { files: 1, bytes: bytes.len() as u64, binary, ..Coverage::default() });
    }

    /// Reads the blob into the buffer and tells what of it counts.
    fn read(&mut self, task: &Task<'_>) -> Result<Focus, Unread> {
        let change = task.change;
        self.objects.read_blob(&change.id, self.limit, &mut self.buffer)?;
        if change.is_link || is_binary(&self.buffer) || has_wide_characters(&self.buffer) {
            return Ok(Focus::Whole);
        }
        let lines = match change.is_new_path {
            true => self.new_since_rename(task),
            false => self.new_since(&change.previous),
        };
        Ok(lines.map_or(Focus::Whole, Focus::Lines))
    }

    /// The lines that are new against every one of the earlier versions; `None` when it cannot be known.
    fn new_since(&self, previous: &[ObjectId]) -> Option<LineRanges> {
        let mut before = Vec::new();
        let mut new: Option<LineRanges> = None;
        for id in previous {
            // An earlier version that is unreadable or too large leaves more lines new, never fewer.
            if self.objects.read_blob(id, self.limit, &mut before).is_err() {
                continue;
            }
            let Some(added) = added_lines(&before, &self.buffer) else { continue };
            new = Some(new.map_or_else(|| added.clone(), |new| intersect(&new, &added)));
        }
        new
    }

    /// The lines that are new against the removed file this one was before, if there is one.
    fn new_since_rename(&self, task: &Task<'_>) -> Option<LineRanges> {
        let mut before = Vec::new();
        let mut best: Option<(usize, Vec<u8>)> = None;
        for id in task.origins.candidates(&task.change.path, self.buffer.len() as u64) {
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
    Object(ObjectError),
    Failed,
}

impl From<ObjectError> for Unread {
    fn from(error: ObjectError) -> Self {
        Self::Object(error)
    }
}

impl Unread {
    fn problem(self, path: FilePath, id: ObjectId, commit: Option<&str>) -> Problem {
        let (kind, message, hint) = match self {
            Self::Object(ObjectError::TooLarge { size, limit }) => (
                ProblemKind::TooLarge,
                format!("not scanned: {size} bytes are more than the limit of {limit}"),
                "raise the limit to scan it, or leave it out of the commit",
            ),
            Self::Object(error) => (
                ProblemKind::BadObject,
                format!("cannot be read from git: {error}"),
                match commit {
                    None => "`git add` it again; `git fsck` says what else is missing",
                    Some(_) => {
                        "in a partial clone `git fetch --refetch --filter=blob:limit=1g` brings it; \
                                `git fsck` says what else is missing"
                    }
                },
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
