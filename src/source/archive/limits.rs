//! How much may come out of archives, and an account of how much did.
//!
//! Must not know: formats, where bytes go.
//! Invariant: nothing that is read is not charged, and a limit that was hit once holds for the rest of its input.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::trouble::Trouble;

/// Limits that no honest archive meets and no bomb passes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// How deep archives stand in each other.
    pub(crate) depth: usize,
    /// How many times its own size an input may become, once it has become large.
    pub(crate) ratio: u64,
    /// From how many bytes on the ratio counts.
    pub(crate) ratio_from: u64,
    /// How large an input may be, and how many bytes may come out of it.
    pub(crate) input: u64,
    /// How many bytes may come out of all archives of a scan.
    pub(crate) scan: u64,
    /// How many members an input may have.
    pub(crate) entries: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 3, ratio: 200, ratio_from: 1 << 20, input: 256 << 20, scan: 1 << 30, entries: 100_000 }
    }
}

/// From how many bytes on an input waits until no other large one is unpacked.
const LARGE: u64 = 32 << 20;

/// What came out of all archives of a scan.
#[derive(Debug, Default)]
pub(crate) struct Account {
    produced: AtomicU64,
    /// Held by the one input that holds much memory.
    large: Mutex<()>,
}

#[cfg(feature = "git")]
impl Account {
    /// How many bytes came out so far.
    pub(super) fn produced(&self) -> u64 {
        self.produced.load(Ordering::Relaxed)
    }

    /// Adds bytes that would come out, if that is no more than `limit` in all.
    pub(super) fn charge(&self, bytes: u64, limit: u64) -> bool {
        let fits = |produced: u64| produced.checked_add(bytes).filter(|&sum| sum <= limit);
        self.produced.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_ok()
    }
}

/// What came out of one input.
pub(crate) struct Meter<'a> {
    limits: &'a Limits,
    account: &'a Account,
    input: u64,
    produced: u64,
    entries: usize,
    turn: Option<MutexGuard<'a, ()>>,
}

impl<'a> Meter<'a> {
    pub(crate) fn new(limits: &'a Limits, account: &'a Account, input: usize) -> Self {
        Self { limits, account, input: input as u64, produced: 0, entries: 0, turn: None }
    }

    /// Charges for bytes that came out.
    pub(crate) fn bytes(&mut self, count: usize) -> Result<(), Trouble> {
        let count = count as u64;
        self.produced += count;
        let in_scan = self.account.produced.fetch_add(count, Ordering::Relaxed) + count;
        if self.produced > LARGE && self.turn.is_none() {
            self.turn = Some(self.account.large.lock().unwrap_or_else(PoisonError::into_inner));
        }
        if self.produced > self.limits.ratio_from && self.produced / self.limits.ratio > self.input {
            Err(Trouble::Ratio(self.limits.ratio))
        } else if self.produced > self.limits.input {
            Err(Trouble::Size(self.limits.input))
        } else if in_scan > self.limits.scan {
            Err(Trouble::Scan(self.limits.scan))
        } else {
            Ok(())
        }
    }

    /// Charges for members.
    pub(crate) fn entries(&mut self, count: usize) -> Result<(), Trouble> {
        self.entries += count;
        if self.entries > self.limits.entries { Err(Trouble::Entries(self.limits.entries)) } else { Ok(()) }
    }

    /// Whether something may stand so deep.
    pub(crate) fn depth(&self, depth: usize) -> Result<(), Trouble> {
        if depth > self.limits.depth { Err(Trouble::Depth(self.limits.depth)) } else { Ok(()) }
    }
}
