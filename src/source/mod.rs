//! Everything that can be scanned: trees, standard input, git.
//!
//! Must not know: rules, detection, suppression, output.
//! Invariant: whatever a source cannot read becomes a [`Problem`], whatever it leaves out by choice is counted.

#[cfg(feature = "git")]
pub mod git;
#[cfg(feature = "files")]
mod ignored;
mod pieces;
mod stdin;
#[cfg(feature = "files")]
mod tree;

#[cfg(feature = "files")]
pub use ignored::is_ignored_at_top;
pub use stdin::Stdin;
#[cfg(feature = "files")]
pub use tree::{LeftOut, Tree, TreeOptions};

use crate::model::{Chunk, Coverage, Problem};

/// Hands out everything there is to scan.
pub trait Source {
    /// Walks to the end and hands each chunk to a worker made by `receiver`; may use several threads, one worker each.
    ///
    /// # Errors
    /// Only when nothing could be scanned at all (no such repository, unusable index). What concerns a single
    /// file or object is handed to [`Worker::problem`] instead, and the walk goes on.
    fn drive(&self, receiver: &dyn Receiver) -> Result<(), SourceError>;
}

/// Takes what a source hands out; shared by all threads.
pub trait Receiver: Sync {
    /// A worker for one thread.
    fn worker(&self) -> Box<dyn Worker + '_>;
}

/// Takes what one thread of a source hands out. What it gathered counts when it is dropped.
///
/// It stays on one thread, but may be made on another.
pub trait Worker: Send {
    /// Scans `chunk`.
    fn chunk(&mut self, chunk: &Chunk<'_>);

    /// Adds to what was covered: call once for each file with `files: 1` and its bytes, and for each thing left out.
    fn covered(&mut self, coverage: &Coverage);

    /// Notes what could not be looked at.
    fn problem(&mut self, problem: Problem);

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
