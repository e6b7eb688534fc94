//! A process that scans one repository after another holds no more of anything at the end: memory, open files, threads.
//!
//! `benches/load.py` does it 10,000 times; here it is done often enough to see what grows with each.

#![cfg(all(target_os = "linux", feature = "git"))]

mod common;
#[path = "history/makers.rs"]
mod makers;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use common::Repository;
use keyfence::detect::Detector;
use keyfence::model::{Confidence, ScanMode};
use keyfence::scan::{ScanOptions, scan};
use keyfence::source::git::{GitEnvironment, History, HistoryOptions, Staged, StagedOptions};
use keyfence::source::{Source, Tree, TreeOptions};
use keyfence::suppress::Suppressor;

/// Rounds until all is warm, and as many again.
const ROUNDS: usize = 60;
/// What memory may grow by in the second half, in kilobytes: a little more than the allocator's own unrest.
const UNREST: usize = 3 << 10;

/// Kilobytes in memory, open files, threads.
#[derive(Debug)]
struct Held {
    memory: usize,
    files: usize,
    threads: usize,
}

fn held() -> Held {
    let status = fs::read_to_string("/proc/self/status").expect("Linux tells");
    let number = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).expect("Linux tells");
        line.split_whitespace().nth(1).and_then(|word| word.parse().ok()).expect("it is a number")
    };
    let files = fs::read_dir("/proc/self/fd").expect("Linux tells").count();
    Held { memory: number("VmRSS:"), files, threads: number("Threads:") }
}

fn look(top: &Path, detector: &Detector) {
    let tree = TreeOptions {
        paths: vec![top.to_owned()],
        ignore_rules: true,
        max_file_size: None,
        threads: 2,
        left_out: None,
        piece_overlap: detector.reach(),
    };
    let sources: [(ScanMode, Box<dyn Source>); 3] = [
        (ScanMode::Tree, Box::new(Tree::new(tree))),
        (ScanMode::Staged, Box::new(Staged::new(StagedOptions::new(top, GitEnvironment::default())))),
        (ScanMode::History, Box::new(History::new(HistoryOptions::new(top, GitEnvironment::default())))),
    ];
    for (mode, source) in sources {
        let how = ScanOptions {
            mode,
            threshold: Confidence::Possible,
            suppressor: Suppressor::default(),
            interrupted: Arc::new(AtomicBool::new(false)),
            progress: None,
        };
        let report = scan(source.as_ref(), detector, &how).expect("the repository is whole");
        assert_eq!(report.problems, []);
        assert!(!report.findings.is_empty(), "{mode:?} finds something");
    }
}

#[test]
fn nothing_grows_from_repository_to_repository() {
    let repository = Repository::new();
    for number in 0..3 {
        repository.write("code.py", format!("x = {number}\n").repeat(300));
        repository.write(format!("{number}.env"), makers::pair(number));
        repository.commit_all("more");
    }
    repository.git(&["gc", "-q"]);
    repository.write("new.env", makers::pair(7));
    repository.git(&["add", "-A"]);
    let detector = Detector::builtin();
    (0..ROUNDS).for_each(|_| look(repository.path(), &detector));
    let warm = held();
    (0..ROUNDS).for_each(|_| look(repository.path(), &detector));
    let last = held();
    let is_flat =
        last.memory <= warm.memory + UNREST && last.files == warm.files && last.threads <= warm.threads;
    assert!(is_flat, "{warm:?}, then {last:?}");
}
