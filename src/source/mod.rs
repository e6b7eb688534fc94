//! Everything that can be scanned: trees, standard input, git.
//!
//! Must not know: rules, detection, suppression, output.
//! Invariant: whatever a source cannot read becomes a [`Problem`], whatever it leaves out by choice is counted.

#[cfg(feature = "archives")]
mod archive;
#[cfg(feature = "git")]
pub mod git;
#[cfg(feature = "files")]
mod ignored;
#[cfg(feature = "files")]
mod opening;
mod pieces;
mod stdin;
#[cfg(feature = "files")]
mod threads;
#[cfg(feature = "files")]
mod tree;

#[cfg(feature = "files")]
pub use ignored::is_ignored_at_top;
pub use stdin::Stdin;
#[cfg(feature = "cli")]
pub(crate) use threads::{
    can_start as can_start_thread, is_attempt as is_attempt_to_start_threads, prepare as prepare_threads,
};
#[cfg(feature = "files")]
pub use tree::{LeftOut, Tree, TreeOptions};

use std::any::Any;
use std::sync::Arc;

use crate::model::{Chunk, CopiedPiece, Coverage, Exposure, Problem, Provenance};

/// Hands out everything there is to scan.
pub trait Source {
    /// Walks to the end and hands each chunk to a worker made by `receiver`; may use several threads, one worker each.
    ///
    /// # Errors
    /// Only when nothing could be scanned at all (no such repository, unusable index). What concerns a single
    /// file or object is handed to [`Worker::problem`] instead, and the walk goes on.
    fn drive(&self, receiver: &dyn Receiver) -> Result<(), SourceError>;

    /// Who knows when what was handed out came and went; asked after [`Self::drive`], of sources that know a history.
    fn chronicle(&self) -> Option<Arc<dyn Chronicle>> {
        None
    }
}

/// Tells the history of credentials by the places where their parts were found.
pub trait Chronicle: Send + Sync {
    /// The exposure of each credential, in their order. Each is given by where its parts stand: what was handed out
    /// with the chunk, and the line.
    fn exposures(&self, credentials: &[Vec<(Arc<Provenance>, u32)>]) -> Vec<Exposure>;

    /// Whether a credential with this history was asked for.
    fn is_wanted(&self, exposure: &Exposure) -> bool;

    /// For each place the first commit (hex) that has what stands there.
    fn first_commits(&self, places: &[Arc<Provenance>]) -> Vec<Option<String>>;

    /// Hands out once more the contents that stand at these places.
    fn again(&self, places: &[Arc<Provenance>], receiver: &dyn Receiver);
}

/// What a worker knows of a version. A source keeps it for the versions that are made from this one and does not look
/// inside.
pub type Memory = Arc<dyn Any + Send + Sync>;

/// One of many versions of a file, before anybody knows its path.
pub struct Version<'a> {
    /// Its bytes.
    pub bytes: &'a [u8],
    /// What is known of the version it was made from, and what was copied from there (sorted by where it went, each
    /// piece as long as can be).
    pub base: Option<(&'a Memory, &'a [CopiedPiece])>,
}

/// What a first look at a version gave.
pub struct Glance {
    /// What to hand back with the versions made from this one.
    pub memory: Memory,
    /// Whether anything could be found in it, whatever its path: then it is to be handed out as a chunk.
    pub could_hold: bool,
}

/// What a worker made of a chunk, for a later scan. It holds no value, and a source does not look inside.
pub type Memo = Box<[u8]>;

/// Takes what a source hands out; shared by all threads.
pub trait Receiver: Sync {
    /// A worker for one thread.
    fn worker(&self) -> Box<dyn Worker + '_>;

    /// Stands for everything that decides what comes of the same bytes at the same path. `None` where that is not always
    /// the same: then nothing may be remembered from one scan to another.
    fn identity(&self) -> Option<[u8; 32]> {
        None
    }
}

/// Takes what one thread of a source hands out. What it gathered counts when it is dropped.
///
/// It stays on one thread, but may be made on another.
pub trait Worker: Send {
    /// Scans `chunk`.
    fn chunk(&mut self, chunk: &Chunk<'_>);

    /// Looks whether `version` could hold anything; costs little where little differs from the version it was made
    /// from. A worker that keeps nothing takes everything as a chunk.
    fn glance(&mut self, version: &Version<'_>) -> Glance {
        let _ = version;
        Glance { memory: Arc::new(()), could_hold: true }
    }

    /// The memory that a glance would give, for a version that is only read because others are made from it, or because
    /// it is handed out anyway.
    fn follow(&mut self, version: &Version<'_>) -> Memory {
        self.glance(version).memory
    }

    /// Scans `chunk`, a version that was glanced at or followed before; `memory` is what that gave, `base` what is known
    /// of the version it was made from.
    fn chunk_of_version(
        &mut self,
        chunk: &Chunk<'_>,
        memory: &Memory,
        base: Option<(&Memory, &[CopiedPiece])>,
    ) {
        let _ = (memory, base);
        self.chunk(chunk);
    }

    /// Adds to what was covered: call once for each file with `files: 1` and its bytes, and for each thing left out.
    fn covered(&mut self, coverage: &Coverage);

    /// Tells how many files are still to come, where that is known before.
    fn expected(&mut self, files: u64) {
        let _ = files;
    }

    /// Notes what could not be looked at.
    fn problem(&mut self, problem: Problem);

    /// How much was told so far: what was found, however unsure it is, and what could not be looked at. A chunk that
    /// leaves it as it was gave nothing.
    fn told(&self) -> usize {
        0
    }

    /// What came of the chunks since [`Self::told`] said `told`, for a later scan with the same [`Receiver::identity`].
    /// `None` where only the bytes can say it again.
    fn memo(&mut self, told: usize) -> Option<Memo> {
        let _ = told;
        None
    }

    /// Tells once more what an earlier scan made of a content at these places, all of it or nothing; says whether it
    /// could. What is left of it in the end is read again: see [`Chronicle::again`].
    fn recall(&mut self, memos: &[(&Provenance, &Memo)]) -> bool {
        let _ = memos;
        false
    }

    /// Whether the scan was interrupted: return from the walk as soon as this is true.
    fn interrupted(&self) -> bool;
}

/// Why a source could not even begin.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct SourceError {
    /// What happened, in one sentence without a full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}
