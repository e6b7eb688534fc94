//! What was looked at and what was left out.
//!
//! Must not know: how it was looked at.
//! Invariant: sums only, so that workers can add theirs in any order.

use std::collections::BTreeMap;

/// What kind of scan it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ScanMode {
    /// Files of directories or named files.
    #[default]
    Tree,
    /// Standard input.
    Stdin,
    /// What the index would commit.
    Staged,
    /// A commit message file.
    Message,
    /// Everything that ever was in a repository.
    History,
    /// What a range of commits adds.
    Range,
}

/// Why something was left out. Leaving out by choice is counted; being unable to look is a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SkipReason {
    /// A .gitignore or .ignore rule matched (files and whole directories count as one each).
    Ignored,
    /// The project's own ignore file matched (files and whole directories count as one each).
    LeftOut,
    /// Larger than the size limit that was asked for.
    TooLarge,
    /// A symbolic link in a tree scan; its target is scanned where it really stands.
    Symlink,
    /// A FIFO, socket or device.
    NotAFile,
    /// A submodule, which is a repository of its own.
    Submodule,
    /// The `.git` directory of a tree scan: `--history` is the way to look there.
    GitDirectory,
}

/// What was scanned. Everything here is the same for every run over the same input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// What kind of scan it was.
    pub mode: ScanMode,
    /// Files, blobs or messages read to the end.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// How many of them held NUL bytes and were read as binary.
    pub binary: u64,
    /// Commits looked at.
    pub commits: u64,
    /// Directories of git looked at.
    pub trees: u64,
    /// Tags looked at.
    pub tags: u64,
    /// What was left out by choice, counted by reason.
    pub skipped: BTreeMap<SkipReason, u64>,
}

impl Coverage {
    /// Adds what another worker covered.
    pub fn absorb(&mut self, other: &Coverage) {
        self.files += other.files;
        self.bytes += other.bytes;
        self.binary += other.binary;
        self.commits += other.commits;
        self.trees += other.trees;
        self.tags += other.tags;
        for (&reason, count) in &other.skipped {
            *self.skipped.entry(reason).or_default() += count;
        }
    }
}
