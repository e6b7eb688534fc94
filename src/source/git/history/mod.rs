//! Everything that ever was in a repository, read at the speed of its packs.
//!
//! A pack keeps most versions as the difference to another one. It is walked in that order: each object is inflated
//! once, each difference is applied once, and only what a difference brought is looked at (`walk`, `delta`). Commits,
//! trees and paths are asked only about what could hold something (`graph`, `holdings`).
//!
//! Memory: a version is held while versions are made from it, so what bounds it is the largest family of versions in
//! flight on each thread, not the length of history; then four bytes for each directory that a directory holds, and
//! some fifty for each object. `cache` says what is left for the next scan.
//!
//! Must not know: rules, detection, output.
//! Invariants: each object is looked at once, by its id, or it is a problem; replacement refs and grafts hide nothing.

mod beside;
mod blobs;
mod cache;
mod chronicle;
mod delta;
mod directories;
mod families;
mod graph;
mod hand_out;
mod holdings;
mod kinds;
mod missing;
mod modules;
mod names;
mod packs;
mod set;
mod source;
mod survey;
mod table;
mod tips;
mod trees;
mod walk;

pub use chronicle::Period;
pub use source::{DEFAULT_MAX_OBJECT_SIZE, History, HistoryOptions};

/// What a delta makes of a base, and the pieces that were copied; for the contracts' tests.
#[doc(hidden)]
pub fn follow_delta(
    base: &[u8],
    delta: &[u8],
    most: usize,
) -> Option<(Vec<u8>, Vec<crate::model::CopiedPiece>)> {
    delta::followed(base, delta, most)
}
