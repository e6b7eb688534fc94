//! Names of files and directories that could hold something themselves.
//!
//! Must not know: paths, commits.
//! Invariant: what is told of a tree here is what is told where it is read for the first time.

use std::sync::Arc;

use gix::hash::Kind as HashKind;

use super::table::Table;
use super::trees;
use crate::source::{Version, Worker};

/// The telling names of trees that were read by an earlier scan.
pub(super) fn telling_names(
    trees: impl Iterator<Item = u32>,
    table: &Table,
    hash: HashKind,
    worker: &mut dyn Worker,
) -> Vec<(u32, Arc<[u8]>)> {
    let mut found = Vec::new();
    for tree in trees {
        match table.bytes(tree, trees::LARGEST) {
            Ok(bytes) => {
                let names = trees::names(&bytes, hash).into_iter();
                let telling = names.filter(|name| {
                    trees::may_tell(name) && worker.glance(&Version { bytes: name, base: None }).could_hold
                });
                found.extend(telling.map(|name| (tree, name.into())));
            }
            Err(problem) => worker.problem(problem),
        }
    }
    found
}
