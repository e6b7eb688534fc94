//! Looks at contents: which of them could hold anything.
//!
//! Must not know: paths, commits, what anything is.
//! Invariant: every content is looked at once and counted once, however often it is stored.

use super::table::Table;
use super::walk::{Seen, Visit};
use crate::model::{Coverage, Problem};
use crate::source::{Memory, Version, Worker};

/// Where git looks for NUL bytes to call something binary.
const BINARY_PROBE: usize = 8 * 1024;

/// Looks at the contents that one thread meets.
pub(super) struct Blobs<'a> {
    table: &'a Table,
    pub worker: Box<dyn Worker + 'a>,
    /// What could hold something.
    pub held: Vec<u32>,
}

impl<'a> Blobs<'a> {
    pub(super) fn new(table: &'a Table, worker: Box<dyn Worker + 'a>) -> Self {
        Self { table, worker, held: Vec::new() }
    }
}

impl Visit for Blobs<'_> {
    type Carried = Memory;

    fn object(&mut self, seen: &Seen<'_, Memory>) -> Memory {
        let glance = self.worker.glance(&Version { bytes: seen.bytes, base: seen.base });
        if !seen.is_base && !self.table.is_repeated(seen.number) {
            if glance.could_hold {
                self.held.push(seen.number);
            }
            let binary = u64::from(is_binary(seen.bytes));
            let bytes = seen.bytes.len() as u64;
            self.worker.covered(&Coverage { files: 1, bytes, binary, ..Coverage::default() });
        }
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
