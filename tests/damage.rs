//! Bits flip in everything that git keeps: objects, packs, their indexes, the index, references, the configuration.
//!
//! Every kind of scan then tells what it always told, or says that something could not be looked at. An ordinary run
//! tries [`USUAL`] damages; `KEYFENCE_DAMAGE=10000` asks for more.

#![allow(clippy::print_stdout, reason = "the counts are for whoever asks for more")]
#![cfg(feature = "git")]

mod common;
#[path = "common/figures.rs"]
mod figures;
#[path = "history/makers.rs"]
mod makers;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use common::Repository;
use keyfence::detect::Detector;
use keyfence::model::{Confidence, ProblemKind, Report, ScanMode};
use keyfence::scan::{ScanOptions, scan};
use keyfence::source::git::{
    GitEnvironment, History, HistoryOptions, Range, RangeHead, RangeOptions, RangeSelection, Staged,
    StagedOptions,
};
use keyfence::source::{Source, SourceError};
use keyfence::suppress::Suppressor;
use makers::{Dice, pair};

/// Damages in an ordinary run, over both repositories.
const USUAL: usize = 500;
const MODES: [ScanMode; 3] = [ScanMode::History, ScanMode::Staged, ScanMode::Range];

/// How a repository's objects are kept.
#[derive(Clone, Copy, Debug)]
enum Kept {
    /// One file each, and references alike.
    Loose,
    /// Two packs with a common index, a commit graph, packed references, and another store beside it.
    Packed,
}

fn repository(kept: Kept) -> Repository {
    let repository = Repository::new();
    repository.write("lib/old.env", pair(70));
    repository.commit_all("begin");
    for number in 0..4 {
        repository.write("code.py", format!("x = {number}\n").repeat(100));
        repository.write(format!("deep/er/{number}.py"), format!("y = {number}\n").repeat(30));
        repository.write("a.env", pair(71) + &"filler = 1\n".repeat(number * 3));
        repository.commit_all("more");
    }
    repository.git(&["branch", "side"]);
    repository.git(&["tag", "-a", "-m", "a tag", "v1"]);
    if matches!(kept, Kept::Packed) {
        let beside = repository.outside().join("beside");
        let beside = beside.to_str().expect("temporary paths are text");
        repository.git(&["repack", "-q", "-a", "-d"]);
        repository.git(&["clone", "-q", "--bare", ".", beside]);
        repository.write(".git/objects/info/alternates", format!("{beside}/objects\n"));
        repository.git(&["repack", "-q", "-a", "-d", "-l"]);
    }
    repository.write("range.env", pair(72));
    repository.write("more.py", "z = 1\n".repeat(300));
    repository.commit_all("a leak in the range");
    repository.write("more.py", "z = 2\n".repeat(300));
    repository.commit_all("after it");
    if matches!(kept, Kept::Packed) {
        repository.git(&["repack", "-q", "-d", "-l"]);
        repository.write("last.py", "z = 3\n".repeat(300));
        repository.commit_all("last");
        repository.git(&["repack", "-q", "-d", "-l"]);
        repository.git(&["multi-pack-index", "write"]);
        repository.git(&["commit-graph", "write", "--reachable"]);
        repository.git(&["pack-refs", "--all"]);
    }
    repository.write("staged.env", pair(73));
    repository.git(&["add", "-A"]);
    repository
}

fn files_below(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("it is there").flatten() {
        if entry.path().is_dir() { files_below(&entry.path(), found) } else { found.push(entry.path()) }
    }
}

/// What is damaged: all that a scan depends on, sorted. Reflogs and messages in the making are text like any other.
fn files(repository: &Repository) -> Vec<PathBuf> {
    let mut files = Vec::new();
    files_below(&repository.path().join(".git"), &mut files);
    if repository.outside().join("beside").is_dir() {
        files_below(&repository.outside().join("beside/objects"), &mut files);
    }
    files.retain(|file| {
        let text = file.to_string_lossy();
        !["/hooks/", "/logs/", "/info/exclude", "description", "EDITMSG"]
            .iter()
            .any(|part| text.contains(part))
    });
    files.sort();
    files
}

fn look(repository: &Repository, mode: ScanMode, detector: &Detector) -> Result<Report, SourceError> {
    let (path, environment) = (repository.path(), GitEnvironment::default);
    let selection = RangeSelection {
        heads: vec![RangeHead { revision: "HEAD".to_owned(), name: None }],
        bases: vec!["HEAD~3".to_owned()],
        ..RangeSelection::default()
    };
    let source: Box<dyn Source> = match mode {
        ScanMode::History => Box::new(History::new(HistoryOptions::new(path, environment()))),
        ScanMode::Staged => Box::new(Staged::new(StagedOptions::new(path, environment()))),
        _ => Box::new(Range::new(RangeOptions::new(path, environment(), selection))),
    };
    let how = ScanOptions {
        mode,
        threshold: Confidence::Possible,
        suppressor: Suppressor::default(),
        interrupted: Arc::new(AtomicBool::new(false)),
        progress: None,
    };
    scan(source.as_ref(), detector, &how)
}

/// What is found: the secret, and where.
fn found(report: &Report) -> Vec<(String, Vec<u8>, u32)> {
    let place = |finding: &keyfence::model::Finding| {
        let path = finding.provenance.path.as_bytes().to_vec();
        (finding.fingerprint.0.clone(), path, finding.place.line)
    };
    let mut found: Vec<_> = report.findings.iter().map(place).collect();
    found.sort();
    found
}

/// What kind of file it is, for the count.
fn kind(file: &Path) -> &'static str {
    let text = file.to_string_lossy();
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("pack") => "packs",
        Some("idx") => "pack indexes",
        _ if text.ends_with("multi-pack-index") => "multi-pack-index",
        _ if text.ends_with("commit-graph") || text.ends_with(".rev") => "commit graph and reverse indexes",
        _ if text.ends_with("/index") => "index",
        _ if text.ends_with("packed-refs") => "packed-refs",
        _ if text.contains("/refs/") || text.ends_with("HEAD") => "references and HEAD",
        _ if text.contains("/objects/info") => "alternates and lists of packs",
        _ if text.contains("/objects/") => "loose objects",
        _ => "configuration",
    }
}

/// git writes its objects read-only.
fn replace(file: &Path, bytes: &[u8]) {
    fs::remove_file(file).expect("it can be removed");
    fs::write(file, bytes).expect("it can be written");
}

fn damaged(bytes: &[u8], dice: &mut Dice) -> (String, Vec<u8>) {
    let mut damaged = bytes.to_vec();
    let at = dice.below(bytes.len());
    let how = match dice.below(10) {
        0 => {
            damaged.truncate(at);
            "cut off"
        }
        1 => {
            damaged.clear();
            "emptied"
        }
        2 => {
            let end = (at + 512).min(bytes.len());
            damaged[at..end].fill(0);
            "a block of zeros"
        }
        _ => {
            damaged[at] ^= 1 << dice.below(8);
            "a bit"
        }
    };
    (format!("{how} at {at} of {}", bytes.len()), damaged)
}

#[test]
fn damage_is_never_silent() {
    let asked = std::env::var("KEYFENCE_DAMAGE").ok();
    let rounds: usize = asked.map_or(USUAL, |text| text.parse().expect("KEYFENCE_DAMAGE is a number"));
    let detector = Detector::builtin();
    let mut dice = Dice(42);
    // For each kind of file how many damages were tried, and how many changed something and were told.
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut silent = Vec::new();
    for kept in [Kept::Loose, Kept::Packed] {
        let repository = repository(kept);
        let files = files(&repository);
        let mut kinds: BTreeMap<&str, Vec<&PathBuf>> = BTreeMap::new();
        files.iter().for_each(|file| kinds.entry(kind(file)).or_default().push(file));
        let kinds: Vec<_> = kinds.into_iter().collect();
        let whole = MODES.map(|mode| look(&repository, mode, &detector).expect("the repository is whole"));
        for (mode, report) in MODES.iter().zip(&whole) {
            assert!(
                !report.findings.is_empty() && report.problems.is_empty(),
                "{kept:?} {mode:?}: {report:?}"
            );
        }
        for round in 0..rounds / 2 {
            let (kind, files) = &kinds[round % kinds.len()];
            let file = files[dice.below(files.len())];
            let bytes = fs::read(file).expect("it was listed");
            let (how, damaged) = damaged(&bytes, &mut dice);
            replace(file, &damaged);
            let count = counts.entry(kind).or_default();
            count.0 += 1;
            let mut is_told = false;
            for (mode, whole) in MODES.iter().zip(&whole) {
                match look(&repository, *mode, &detector) {
                    Err(error) => is_told |= !error.message.is_empty(),
                    Ok(report) => {
                        let internal =
                            report.problems.iter().any(|problem| problem.kind == ProblemKind::Internal);
                        let now = found(&report);
                        let is_same = found(whole).iter().all(|finding| now.contains(finding));
                        is_told |= !report.problems.is_empty();
                        if internal || (report.problems.is_empty() && !is_same) {
                            let name = file.strip_prefix(repository.outside()).unwrap_or(file);
                            silent.push(format!(
                                "{kept:?} {mode:?}: {}: {how}; internal: {internal}",
                                name.display()
                            ));
                        }
                    }
                }
            }
            count.1 += usize::from(is_told);
            replace(file, &bytes);
        }
    }
    let table = table(&counts);
    println!("{table}");
    assert!(silent.is_empty(), "{} are silent:\n{}", silent.len(), silent[..silent.len().min(40)].join("\n"));
    assert!(counts.len() >= 9, "every kind of file was damaged: {counts:?}");
    let (tried, told) = counts.values().fold((0, 0), |sum, count| (sum.0 + count.0, sum.1 + count.1));
    let [all, told, rest] = [tried, told, tried - told].map(|count| figures::grouped(count as u64));
    figures::record(
        "damaged files",
        &format!("{all}, scanned in 3 ways: {told} told, {rest} found all the same, none silent"),
    );
    figures::block("damages", &table);
}

/// Counts by kind of file.
fn table(counts: &BTreeMap<&str, (usize, usize)>) -> String {
    let mut table = "| damaged | times | told | found all the same |\n|---|---|---|---|\n".to_owned();
    for (kind, (tried, told)) in counts {
        let _ = writeln!(table, "| {kind} | {tried} | {told} | {} |", tried - told);
    }
    table
}
