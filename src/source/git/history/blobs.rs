//! Looks at contents: which of them could hold anything.
//!
//! Must not know: paths, commits, what anything is.
//! Invariant: every content is looked at once and counted once, however often it is stored.

use super::set::NumberSet;
use super::table::Table;
use super::walk::{Seen, Visit};
use crate::model::{Coverage, Problem};
use crate::source::archive::Format;
use crate::source::{Memory, Version, Worker};

/// Where git looks for NUL bytes to call something binary.
const BINARY_PROBE: usize = 8 * 1024;

/// What is known of one content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Blob {
    /// Its number among all objects.
    pub number: u32,
    /// In bytes.
    pub size: u64,
    pub is_binary: bool,
    /// It is unpacked instead of being searched as it is.
    pub is_archive: bool,
    /// Whether it, or what comes out of it, could hold something.
    pub is_held: bool,
}

/// Looks at the contents that one thread meets.
pub(super) struct Blobs<'a> {
    table: &'a Table,
    /// Contents that are known already, and only read where others are made from them.
    settled: &'a NumberSet,
    pub worker: Box<dyn Worker + 'a>,
    pub seen: Vec<Blob>,
}

impl<'a> Blobs<'a> {
    pub(super) fn new(table: &'a Table, settled: &'a NumberSet, worker: Box<dyn Worker + 'a>) -> Self {
        Self { table, settled, worker, seen: Vec::new() }
    }
}

impl Blob {
    /// What it adds to what was covered.
    pub(super) fn coverage(&self) -> Coverage {
        Coverage { files: 1, bytes: self.size, binary: self.is_binary.into(), ..Coverage::default() }
    }
}

impl Visit for Blobs<'_> {
    type Carried = Memory;

    fn object(&mut self, seen: &Seen<'_, Memory>) -> Memory {
        let version = Version { bytes: seen.bytes, base: seen.base };
        if seen.is_base || self.settled.contains(seen.number) || self.table.is_repeated(seen.number) {
            return self.worker.follow(&version);
        }
        let glance = self.worker.glance(&version);
        let is_archive = Format::of(seen.bytes).is_some();
        let blob = Blob {
            number: seen.number,
            size: seen.bytes.len() as u64,
            is_binary: is_archive || is_binary(seen.bytes),
            is_archive,
            is_held: is_archive || glance.could_hold,
        };
        self.worker.covered(&blob.coverage());
        self.seen.push(blob);
        glance.memory
    }

    fn problem(&mut self, problem: Problem) {
        self.worker.problem(problem);
    }

    fn stopped(&self) -> bool {
        self.worker.interrupted()
    }
}

fn is_binary(bytes: &[u8]) -> bool {
    memchr::memchr(0, &bytes[..bytes.len().min(BINARY_PROBE)]).is_some()
}
