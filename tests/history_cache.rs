//! What one history scan remembers for the next changes what it costs and nothing else.

#![cfg(feature = "git")]

mod common;
#[path = "history/makers.rs"]
mod makers;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use common::Repository;
use flate2::Compression;
use flate2::write::GzEncoder;
use keyfence::detect::{Detector, Trace};
use keyfence::model::{
    Chunk, Confidence, CopiedPiece, Coverage, Outcome, Problem, Provenance, Report, ScanMode,
};
use keyfence::report::{JsonOptions, write_json};
use keyfence::rules::RuleSet;
use keyfence::scan::{ScanOptions, scan};
use keyfence::source::git::{GitEnvironment, History, HistoryOptions};
use keyfence::source::{Glance, Memo, Memory, Receiver, Source, Version, Worker};
use keyfence::suppress::Suppressor;
use makers::{Dice, pair, random_repository};

fn cached(directory: &Path) -> HistoryOptions {
    HistoryOptions { cache: true, ..HistoryOptions::new(directory, GitEnvironment::default()) }
}

fn report(options: HistoryOptions, detector: &Detector) -> Report {
    let how = ScanOptions {
        mode: ScanMode::History,
        threshold: Confidence::Possible,
        suppressor: Suppressor::default(),
        interrupted: Arc::new(AtomicBool::new(false)),
        progress: None,
    };
    scan(&History::new(options), detector, &how).expect("the repository can be opened")
}

fn text(report: &Report) -> String {
    let mut bytes = Vec::new();
    write_json(report, &JsonOptions::default(), &mut bytes).expect("memory takes everything");
    String::from_utf8(bytes).expect("JSON is text")
}

/// Scans twice with the cache and once without, and compares every byte.
fn same(what: &str, options: &HistoryOptions, detector: &Detector) -> Report {
    let without = report(HistoryOptions { cache: false, ..options.clone() }, detector);
    let expected = text(&without);
    for run in ["first", "second"] {
        let with = text(&report(HistoryOptions { cache: true, ..options.clone() }, detector));
        differ(&with, &expected, &format!("{what}: {run} run with the cache"));
    }
    without
}

/// Fails with the lines in which two reports differ first.
fn differ(one: &str, other: &str, what: &str) {
    let mut lines = one.lines().zip(other.lines()).enumerate();
    let first = lines.find(|(_, (one, other))| one != other);
    assert!(one == other, "{what}: {} and {} bytes, {first:?}", one.len(), other.len());
}

fn cache_of(repository: &Repository) -> PathBuf {
    repository.path().join(".git/keyfence/history")
}

/// What happens to a repository, by name.
type Happening = (&'static str, fn(&Repository));

/// Everything that happens to repositories.
const CHANGES: [Happening; 16] = [
    ("nothing", |_| {}),
    ("a commit", |repository| {
        repository.write("new/bot.env", pair(71));
        repository.commit_all("new");
    }),
    ("an amended commit", |repository| {
        repository.write("new/bot.env", "nothing\n");
        repository.git(&["add", "-A"]);
        repository.git(&["commit", "-q", "--amend", "--no-verify", "-m", "newer"]);
    }),
    ("an index without a commit", |repository| {
        let old = repository.git(&["ls-files"]).lines().next().map(str::to_owned);
        let old = old.expect("there are files");
        let bytes = fs::read(repository.path().join(&old)).unwrap_or_default();
        repository.write("binance/staged.env", bytes);
        repository.git(&["add", "-A"]);
    }),
    ("a renamed directory", |repository| {
        repository.git(&["mv", "src", "binance"]);
        repository.commit_all("rename");
    }),
    ("a directory that became the top", |repository| {
        let tree = repository.git(&["rev-parse", "HEAD:binance"]);
        let commit = repository.git(&["commit-tree", tree.trim(), "-m", "split"]);
        repository.git(&["update-ref", "refs/heads/split", commit.trim()]);
    }),
    ("names that are secrets", |repository| {
        let mut dice = Dice(5);
        for round in 0..3 {
            let name = format!("docs/BINANCE_API_SECRET={}.md", dice.value(64));
            repository.write(&name, format!("a {round}\n"));
            repository.commit_all("name");
        }
    }),
    ("an archive", |repository| {
        repository.write("a.env", pair(91));
        repository.git(&["add", "-A"]);
        repository.git(&["commit", "-q", "--no-verify", "-m", "before"]);
        repository.git(&["archive", "-o", "backup.zip", "HEAD"]);
        repository.git(&["archive", "-o", "clean.tar.gz", "HEAD", "--", "binance"]);
        repository.commit_all("archive");
    }),
    ("a packed text that says the same twice", |repository| {
        let pair = pair(95);
        let secret = pair.rsplit('=').next().unwrap_or_default();
        let twice = format!("{pair}{}OLD_BINANCE_SECRET={secret}", "a line\n".repeat(60));
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all(twice.as_bytes()).expect("memory takes everything");
        let packed = packed.finish().expect("memory takes everything");
        repository.write("release.yaml", format!("release: {}\n", data_encoding::BASE64.encode(&packed)));
        repository.commit_all("packed");
    }),
    ("tags and messages", |repository| {
        repository.git(&["tag", "-a", "v9", "-m", &format!("release\n\n{}", pair(72))]);
        let message = format!("oops\n\n{}", pair(73));
        repository.git(&["commit", "-q", "--allow-empty", "--no-verify", "-m", &message]);
    }),
    ("a remote", |repository| {
        repository.git(&["update-ref", "refs/remotes/origin/main", "HEAD~1"]);
    }),
    ("an incremental repack", |repository| drop(repository.git(&["repack", "-q", "-d"]))),
    ("a merge", |repository| {
        repository.git(&["checkout", "-q", "-b", "side", "HEAD~2"]);
        repository.write("side.env", pair(74));
        repository.commit_all("side");
        repository.git(&["checkout", "-q", "main"]);
        repository.git(&["merge", "-q", "--no-edit", "--no-verify", "side"]);
    }),
    ("a full repack", |repository| {
        repository.git(&["repack", "-q", "-a", "-d", "-f", "--depth=20", "--window=20"]);
    }),
    ("a branch that goes away", |repository| {
        repository.git(&["branch", "-q", "-D", "side"]);
        repository.git(&["reset", "-q", "--hard", "HEAD~1"]);
    }),
    ("a collection of what nothing refers to", |repository| {
        repository.git(&["reflog", "expire", "--expire=now", "--all"]);
        repository.git(&["gc", "-q", "--prune=now"]);
    }),
];

#[test]
fn the_report_is_the_same_with_and_without() {
    let detector = &Detector::builtin();
    let found: usize = std::thread::scope(|scope| {
        let threads = [1, 3].map(|seed| scope.spawn(move || found_through_all_changes(seed, detector)));
        threads.map(|thread| thread.join().expect("the reports are the same")).iter().sum()
    });
    assert!(found > 100, "there is something to compare: {found}");
}

/// Compares after each change, and counts what was found.
fn found_through_all_changes(seed: u64, detector: &Detector) -> usize {
    let repository = random_repository(seed);
    repository.git(&["checkout", "-q", "-B", "main"]);
    repository.write("src/part0.env", pair(70));
    repository.commit_all("begin");
    let mut found = 0;
    for (what, change) in CHANGES {
        change(&repository);
        let report = same(&format!("seed {seed}: {what}"), &cached(repository.path()), detector);
        assert_eq!(report.problems, [], "seed {seed}: {what}");
        found += report.findings.len();
    }
    found
}

#[test]
fn whatever_is_asked_for_the_report_is_the_same() {
    let repository = random_repository(6);
    repository.git(&["checkout", "-q", "-B", "main"]);
    let directory = repository.path();
    let builtin = Detector::builtin();
    let fewer = Detector::new(RuleSet::builtin().keeping(|_, rule| rule != "binance-api-key"));
    let narrowed: [fn(&mut HistoryOptions); 6] = [
        |_| {},
        |options| options.paths = vec!["src/".into()],
        |options| options.branches = vec!["main".into()],
        |options| options.reachable_only = true,
        |options| options.max_object_size = 600,
        |options| options.period.since = Some(1),
    ];
    for round in 0..2 {
        for (number, narrow) in narrowed.iter().enumerate() {
            let mut options = cached(directory);
            narrow(&mut options);
            for (name, detector) in [("all rules", &builtin), ("fewer rules", &fewer)] {
                same(&format!("round {round}, {number}, {name}"), &options, detector);
            }
        }
        repository.write("src/more.env", pair(80 + round));
        repository.commit_all("more");
    }
}

/// What is said of the project, and how it is scanned then.
const SAID: [(&str, &str, &[&str]); 12] = [
    ("nothing", "", &[]),
    ("nothing, again", "", &[]),
    ("less sure", "", &["--confidence=possible"]),
    ("values", "", &["--show-secrets"]),
    ("no comments", "", &["--no-inline-allow"]),
    ("comments, again", "", &[]),
    ("a reason", "version: 1\nrequire-reason: true\n", &[]),
    ("a rule", "version: 1\nallow:\n  - rule: binance-api-secret\n    reason: known\n", &[]),
    ("a value", "version: 1\nallow:\n  - value: \"^[A-M]\"\n    reason: known\n", &[]),
    ("a value of a rule", "version: 1\nallow:\n  - rule: bybit\n    value: x\n    reason: known\n", &[]),
    ("a path", "version: 1\nallow:\n  - path: src/\n    reason: known\n", &[]),
    ("nothing in the end", "", &[]),
];

#[test]
#[cfg(feature = "cli")]
fn what_is_said_today_counts_for_what_was_found_before() {
    let repository = random_repository(4);
    repository.git(&["checkout", "-q", "-B", "main"]);
    let allowed = pair(31).lines().map(|line| format!("{line} # keyfence:allow\n")).collect::<String>();
    repository.write("src/allowed.env", format!("{allowed}{}", pair(32)));
    repository.commit_all("allowed, for no reason");
    let scan = |options: &[&str]| {
        let mut command = repository.program(env!("CARGO_BIN_EXE_keyfence"));
        let output = command.args(["scan", "--history", "-f", "json"]).args(options).output();
        let output = output.expect("the program runs");
        let lines = String::from_utf8(output.stdout).expect("JSON is text");
        lines.lines().filter(|line| !line.contains("elapsed")).collect::<Vec<_>>().join("\n")
    };
    for (what, config, options) in SAID {
        repository.write("keyfence.yaml", config);
        if config.is_empty() {
            fs::remove_file(repository.path().join("keyfence.yaml")).expect("it was just written");
        }
        let without = scan(&[options, &["--no-cache"]].concat());
        assert!(without.contains("\"findings\""), "{what}: {without}");
        differ(&scan(options), &without, what);
    }
}

/// Counts what is looked at.
struct Counter {
    detector: Detector,
    glances: AtomicUsize,
    chunks: AtomicUsize,
    recalled: AtomicUsize,
}

struct Counting<'a>(&'a Counter, usize);

impl Receiver for Counter {
    fn worker(&self) -> Box<dyn Worker + '_> {
        Box::new(Counting(self, 0))
    }

    fn identity(&self) -> Option<[u8; 32]> {
        Some([7; 32])
    }
}

impl Worker for Counting<'_> {
    fn chunk(&mut self, chunk: &Chunk<'_>) {
        let is_content = chunk.provenance.path.as_bytes().ends_with(b".env");
        self.0.chunks.fetch_add(usize::from(is_content), Ordering::Relaxed);
        let detection = self.0.detector.detect(chunk, &mut keyfence::detect::Scratch::default());
        self.1 += detection.findings.len();
    }

    fn glance(&mut self, version: &Version<'_>) -> Glance {
        self.0.glances.fetch_add(1, Ordering::Relaxed);
        let base = version.base.and_then(|(memory, pieces)| Some((memory.downcast_ref::<Trace>()?, pieces)));
        let trace = self.0.detector.trace(version.bytes, base);
        let could_hold = self.0.detector.could_hold(version.bytes, &trace);
        Glance { memory: Arc::new(trace), could_hold }
    }

    fn chunk_of_version(&mut self, chunk: &Chunk<'_>, _: &Memory, _: Option<(&Memory, &[CopiedPiece])>) {
        self.chunk(chunk);
    }

    fn covered(&mut self, _: &Coverage) {}

    fn problem(&mut self, problem: Problem) {
        panic!("{problem:?}");
    }

    fn told(&self) -> usize {
        self.1
    }

    fn memo(&mut self, told: usize) -> Option<Memo> {
        Some(format!("{} more", self.1 - told).into_bytes().into())
    }

    fn recall(&mut self, memos: &[(&Provenance, &Memo)]) -> bool {
        assert!(memos.iter().all(|(_, memo)| memo.ends_with(b" more")), "what was left: {memos:?}");
        self.0.recalled.fetch_add(memos.len(), Ordering::Relaxed);
        !memos.iter().any(|(place, _)| place.path.as_bytes().ends_with(b"forgotten.env"))
    }

    fn interrupted(&self) -> bool {
        false
    }
}

fn counted(options: HistoryOptions) -> Counter {
    let [glances, chunks, recalled] = [0; 3].map(AtomicUsize::new);
    let counter = Counter { detector: Detector::builtin(), glances, chunks, recalled };
    History::new(options).drive(&counter).expect("the repository can be opened");
    counter
}

fn glances(options: HistoryOptions) -> usize {
    counted(options).glances.into_inner()
}

#[test]
fn what_was_found_is_told_again_without_reading_it() {
    let repository = Repository::new();
    let token = |seed: u64| format!("BINANCE_API_SECRET={}\n", Dice(seed).value(64));
    for number in 0..30 {
        repository.write("bot.env", format!("{}# {number}\n", token(1)));
        repository.commit_all("version");
    }
    repository.write("forgotten.env", token(2));
    repository.commit_all("one more");
    let seen = |what: &str, expected: [usize; 2]| {
        let counter = counted(cached(repository.path()));
        let seen = [counter.chunks.into_inner(), counter.recalled.into_inner()];
        assert_eq!(seen, expected, "{what}: read, recalled");
    };
    seen("at first", [31, 0]);
    seen("again", [1, 31]);
    repository.git(&["gc", "-q", "--prune=now"]);
    seen("packed", [1, 31]);
    repository.git(&["mv", "bot.env", "binance.env"]);
    repository.git(&["commit", "-q", "--no-verify", "-m", "moved"]);
    // The last version has another path more.
    seen("moved", [3, 30]);
    seen("moved, again", [1, 32]);
}

/// Much that is quiet, and one thing that is not.
fn quiet_repository() -> Repository {
    let repository = Repository::new();
    for number in 0..40 {
        repository.write(format!("src/{number}.py"), format!("x = {number}\n").repeat(50));
        // Looks like something until its path is known.
        repository.write(
            format!("locks/{number}/package-lock.json"),
            format!("\"integrity\": \"sha512-{}==\"\n", Dice(number).value(86)),
        );
        repository.commit_all("more");
    }
    repository.write("bot.env", pair(61));
    repository.commit_all("leak");
    repository
}

#[test]
fn only_what_is_new_is_looked_at() {
    let repository = quiet_repository();
    let options = || cached(repository.path());
    let first = glances(options());
    assert!(first > 80, "everything is looked at: {first}");
    let again = glances(options());
    assert!(again <= 2, "only what was found is looked at again: {again}");
    repository.write("src/new.py", "y = 1\n");
    repository.commit_all("one more");
    let more = glances(options());
    assert!((1..=8).contains(&more), "only what is new is looked at: {more}");
    let after = glances(options());
    assert!(after <= again, "{after}");
    for arguments in [&["repack", "-q", "-a", "-d", "-f"][..], &["gc", "-q"]] {
        repository.git(arguments);
        // What was found is made from others now, which are read on the way.
        let packed = glances(options());
        assert!(packed < 20, "packing makes nothing new: {packed}");
    }
    let all = glances(HistoryOptions { cache: false, ..options() });
    assert!(all > 80, "without the cache everything is looked at: {all}");
}

#[test]
fn a_cache_that_is_damaged_costs_time_and_nothing_else() {
    let repository = quiet_repository();
    let detector = Detector::builtin();
    let expected = text(&report(cached(repository.path()), &detector));
    let cache = cache_of(&repository);
    let whole = fs::read(&cache).expect("it was written");
    let mut dice = Dice(9);
    for round in 0..60 {
        let mut damaged = whole.clone();
        let at = dice.below(whole.len());
        match round % 6 {
            0 => damaged.truncate(at),
            1 => damaged.extend_from_slice(b"more"),
            2 => damaged = vec![0xff; at],
            _ => damaged[at] ^= 1 << dice.below(8),
        }
        // In place: it stays the file that it says it is.
        let mut file = fs::OpenOptions::new().write(true).truncate(true).open(&cache).expect("it is ours");
        std::io::Write::write_all(&mut file, &damaged).expect("it is ours");
        drop(file);
        differ(
            &text(&report(cached(repository.path()), &detector)),
            &expected,
            &format!("round {round} at {at}"),
        );
        assert_ne!(fs::read(&cache).expect("it was written"), damaged, "round {round} at {at}");
        assert!(glances(cached(repository.path())) > 80, "another rule set is another cache");
        report(cached(repository.path()), &detector);
    }
    fs::remove_dir_all(cache.parent().expect("it is in a directory")).expect("it may be deleted");
    assert_eq!(text(&report(cached(repository.path()), &detector)), expected);
}

/// A repository can come with a cache that says that nothing is in it.
#[test]
fn a_cache_that_came_with_the_repository_is_not_believed() {
    let repository = quiet_repository();
    // Each thread looks at a name once, so that the figure is not always the same.
    let looked = |directory: &Path| glances(cached(directory)) > 80;
    assert!(looked(repository.path()));
    let cache = cache_of(&repository);
    let bytes = fs::read(&cache).expect("it was written");
    let beside = cache.with_extension("old");
    fs::rename(&cache, &beside).expect("it can be moved");
    fs::write(&cache, &bytes).expect("it can be written");
    assert!(looked(repository.path()), "a copy is not believed");
    assert!(glances(cached(repository.path())) <= 2, "it was written anew");
    let copy = repository.outside().join("copy");
    let copied = std::process::Command::new("cp").arg("-a").arg(repository.path()).arg(&copy).status();
    assert!(copied.expect("cp can be started").success());
    assert!(looked(&copy), "a copied repository is scanned anew");
}

#[test]
fn where_nothing_can_be_written_the_scan_is_the_same() {
    let repository = quiet_repository();
    let detector = Detector::builtin();
    let expected = text(&report(HistoryOptions { cache: false, ..cached(repository.path()) }, &detector));
    assert!(!cache_of(&repository).exists(), "without the cache nothing is written");
    let folder = repository.path().join(".git/keyfence");
    fs::write(&folder, "in the way").expect("it can be written");
    assert_eq!(text(&report(cached(repository.path()), &detector)), expected, "a file is in the way");
    fs::remove_file(&folder).expect("it is ours");
    #[cfg(unix)]
    {
        let elsewhere = repository.outside().join("elsewhere");
        fs::create_dir(&elsewhere).expect("it is new");
        std::os::unix::fs::symlink(&elsewhere, &folder).expect("a link can be made");
        assert_eq!(text(&report(cached(repository.path()), &detector)), expected, "a link is in the way");
        assert_eq!(fs::read_dir(&elsewhere).expect("it is there").count(), 0, "a link is not followed");
    }
}

/// Who comes second while another scan writes leaves it to that one; what a killed scan left is taken away.
#[test]
fn a_file_that_is_being_written_is_left_alone() {
    let repository = quiet_repository();
    let cache = cache_of(&repository);
    let under_way = cache.with_extension("new");
    fs::create_dir(cache.parent().expect("it is in a directory")).expect("it is new");
    fs::write(&under_way, "begun").expect("it can be written");
    glances(cached(repository.path()));
    assert!(!cache.exists() && under_way.exists(), "it is left to the other one");
    let file = fs::File::options().write(true).open(&under_way).expect("it is there");
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    file.set_modified(long_ago).expect("it is ours");
    glances(cached(repository.path()));
    assert!(cache.exists() && !under_way.exists(), "it was left by nobody");
}

fn files_below(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("it is there").flatten() {
        if entry.path().is_dir() { files_below(&entry.path(), found) } else { found.push(entry.path()) }
    }
}

/// What is remembered was read, but what is stored now may be damaged: that is told as without the cache.
#[test]
fn damage_that_came_later_is_told() {
    let mut dice = Dice(77);
    let detector = Detector::builtin();
    for packed in [true, false] {
        let repository = Repository::new();
        for number in 0..6 {
            repository.write("code.py", format!("x = {number}\n").repeat(200));
            repository.write(format!("deep/er/{number}.py"), format!("y = {number}\n").repeat(50));
            repository.commit_all("more");
        }
        if packed {
            repository.git(&["gc", "-q"]);
        }
        report(cached(repository.path()), &detector);
        let mut files = Vec::new();
        files_below(&repository.path().join(".git/objects"), &mut files);
        files.retain(|file| {
            file.extension().is_none_or(|kind| kind == "pack" || kind == "idx")
                && !file.ends_with("commit-graph")
        });
        files.sort();
        for round in 0..60 {
            let file = &files[round % files.len()];
            let bytes = fs::read(file).expect("it was listed");
            let mut damaged = bytes.clone();
            let at = dice.below(bytes.len());
            match dice.below(6) {
                0 => damaged.truncate(at),
                _ => damaged[at] ^= 1 << dice.below(8),
            }
            // Whoever writes into a file can set its time back, but not when that was done.
            let write = if round % 2 == 0 { replace } else { overwrite };
            write(file, &damaged);
            let what = format!("packed: {packed}: {} at {at}", file.display());
            let report = same(&what, &cached(repository.path()), &detector);
            write(file, &bytes);
            let whole = same(&what, &cached(repository.path()), &detector);
            assert_eq!(whole.outcome(), Outcome::Clean, "{what}");
            assert!(report.outcome() != Outcome::Clean || text(&report) == text(&whole), "{what}");
        }
    }
}

/// What could not be read once is read later, and stands where it stood: nothing of the first look is believed of it.
#[test]
fn what_was_unreadable_is_read_when_it_is_back() {
    let detector = Detector::builtin();
    let repository = Repository::new();
    repository.write("one/a.env", pair(62));
    repository.write("two/b.env", pair(63));
    repository.commit_all("begin");
    repository.write("two/deep/er/c.env", pair(64));
    repository.commit_all("more");
    let options = cached(repository.path());
    let whole = text(&report(HistoryOptions { cache: false, ..options.clone() }, &detector));
    let mut files = Vec::new();
    files_below(&repository.path().join(".git/objects"), &mut files);
    assert!(files.len() >= 11, "{files:?}");
    for file in files {
        let bytes = fs::read(&file).expect("it was listed");
        for is_gone in [false, true] {
            let _ = fs::remove_file(cache_of(&repository));
            replace(&file, b"nothing that can be read");
            if is_gone {
                fs::remove_file(&file).expect("it was just written");
            }
            report(options.clone(), &detector);
            fs::write(&file, &bytes).expect("it can be written");
            let what = format!("{} is back, gone: {is_gone}", file.display());
            differ(&text(&report(options.clone(), &detector)), &whole, &what);
        }
    }
}

/// Writes into a file as if nobody had.
fn overwrite(file: &Path, bytes: &[u8]) {
    let before = fs::metadata(file).expect("it is there");
    let mut writable = before.permissions();
    #[cfg(unix)]
    std::os::unix::fs::PermissionsExt::set_mode(&mut writable, 0o600);
    #[cfg(not(unix))]
    writable.set_readonly(false);
    fs::set_permissions(file, writable).expect("it is ours");
    fs::write(file, bytes).expect("it can be written");
    let opened = fs::File::options().write(true).open(file).expect("it can be opened");
    opened.set_modified(before.modified().expect("it has a time")).expect("the time can be set");
}

/// git writes its objects read-only.
fn replace(file: &Path, bytes: &[u8]) {
    fs::remove_file(file).expect("it can be removed");
    fs::write(file, bytes).expect("it can be written");
}
