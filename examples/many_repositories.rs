//! Scans every repository below a directory in one process, one after another: its files, its index, its history.
//!
//!     cargo run --release --example many_repositories DIR
//!
//! Prints, ten times on the way, how many were scanned, what was found, and what the process holds: memory, open files,
//! threads. A service that scans for ever holds no more at the end than at the beginning. Linux only, where the system
//! tells.
//!
//! Invariant: counts are printed, never values.

#![allow(clippy::print_stdout, reason = "a program that prints figures")]
#![allow(dead_code, reason = "`tests/flat_memory.rs` takes what looks and what is held from here")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use keyfence::detect::Detector;
use keyfence::model::{Confidence, ScanMode};
use keyfence::scan::{ScanOptions, scan};
use keyfence::source::git::{GitEnvironment, History, HistoryOptions, Staged, StagedOptions};
use keyfence::source::{Source, SourceError, Tree, TreeOptions};
use keyfence::suppress::Suppressor;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = std::env::args_os().nth(1).ok_or("usage: many_repositories DIR")?;
    let mut repositories: Vec<PathBuf> =
        fs::read_dir(directory)?.flatten().map(|entry| entry.path()).collect();
    repositories.sort();
    let detector = Detector::builtin();
    let (mut found, mut problems) = (0, 0);
    println!("repositories findings problems kilobytes files threads");
    for (number, repository) in (1..).zip(&repositories) {
        for seen in look(repository, &detector)? {
            found += seen.findings;
            problems += seen.problems;
        }
        let step = (repositories.len() / 10).max(1);
        if number == 1 || number % step == 0 {
            let Held { memory, files, threads } = held();
            println!("{number} {found} {problems} {memory} {files} {threads}");
        }
    }
    Ok(())
}

/// What one scan of a repository told.
pub struct Seen {
    /// Which scan.
    pub mode: ScanMode,
    /// How much was found.
    pub findings: usize,
    /// How much could not be looked at.
    pub problems: usize,
}

/// The three scans of a repository.
pub fn look(repository: &Path, detector: &Detector) -> Result<Vec<Seen>, SourceError> {
    let tree = TreeOptions {
        paths: vec![repository.to_owned()],
        ignore_rules: true,
        max_file_size: None,
        threads: 0,
        left_out: None,
        piece_overlap: detector.reach(),
    };
    let environment = GitEnvironment::default;
    let sources: [(ScanMode, Box<dyn Source>); 3] = [
        (ScanMode::Tree, Box::new(Tree::new(tree))),
        (ScanMode::Staged, Box::new(Staged::new(StagedOptions::new(repository, environment())))),
        (ScanMode::History, Box::new(History::new(HistoryOptions::new(repository, environment())))),
    ];
    let look = |(mode, source): (ScanMode, Box<dyn Source>)| {
        let how = ScanOptions {
            mode,
            threshold: Confidence::Possible,
            suppressor: Suppressor::default(),
            interrupted: Arc::new(AtomicBool::new(false)),
            progress: None,
        };
        let report = scan(source.as_ref(), detector, &how)?;
        Ok(Seen { mode, findings: report.findings.len(), problems: report.problems.len() })
    };
    sources.into_iter().map(look).collect()
}

/// What the process holds.
#[derive(Debug)]
pub struct Held {
    /// Memory in kilobytes.
    pub memory: usize,
    /// Open files.
    pub files: usize,
    /// Threads.
    pub threads: usize,
}

/// What the process holds now; nothing where the system does not tell.
pub fn held() -> Held {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let number = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
    };
    // One of the files is the list of them.
    let files = fs::read_dir("/proc/self/fd").map_or(0, |files| files.count().saturating_sub(1));
    Held { memory: number("VmRSS:"), files, threads: number("Threads:") }
}
