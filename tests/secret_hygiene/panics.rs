//! Panics that are really raised, in the threads that scan, with values in flight and in what they say: the hook of the
//! program tells the place and nothing else.
//!
//! The test starts itself once more for each way to fail: a hook is there for the whole process, and the program
//! itself has no door through which a test could make it fail.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::sync::Arc;

use keyfence::detect::Detector;
use keyfence::model::{Chunk, Confidence, FilePath, Provenance, Report, ScanMode};
use keyfence::report::{JsonOptions, write_json, write_markdown, write_sarif};
use keyfence::scan::{Progress, ScanOptions, scan};
use keyfence::source::{Receiver, Source, SourceError, Tree, TreeOptions, Version};
use keyfence::suppress::{SuppressOptions, Suppressor};

use super::hiding::secrets::{KINDS, Kind, Secret};
use super::{PathBuf, Pieces, collect};

/// Which way the child fails, and over which kind of secret.
const ASKED: &str = "KEYFENCE_TEST_PANIC";
/// Where it stands that something failed.
const TOLD: &[u8] = b"keyfence itself failed";
/// What a fault in the code of keyfence itself does to the text it works on: it is not there any more.
const BROKEN: &[u8] = b"x";

/// How code fails with a text in its hands.
type Way = (&'static str, fn(&str));

const WAYS: [Way; 5] = [
    ("it says the text", |text| panic!("cannot read {text}")),
    ("it says bytes that are no text", |text| {
        let bytes = [text.as_bytes(), b"\xff"].concat();
        drop(String::from_utf8(bytes).expect("it is a text"));
    }),
    ("it cuts a character in two", |text| {
        let text = format!("{text}\u{e9}");
        assert!(!text[..text.len() - 1].is_empty());
    }),
    ("it asks for what is not there", |text| {
        let number: Result<u8, String> = text.parse().map_err(|error| format!("{error}: {text}"));
        assert_eq!(number, Ok(1), "a number");
    }),
    ("another thread says the text", |text| {
        let text = text.to_owned();
        let thread = std::thread::Builder::new().name(text.clone()).spawn(move || panic!("not {text}"));
        thread.expect("a thread can be started").join().expect("it ends");
    }),
];

/// The way in which nothing but keyfence's own code fails.
const OWN: &str = "detection works on what is not there";

fn secret(kind: Kind) -> Secret {
    Secret::of(kind, "a panic")
}

/// Fails when something is found, in whichever thread it was.
struct Failing {
    way: fn(&str),
    text: String,
}

impl Progress for Failing {
    fn advance(&self, _: u64, _: u64) {}

    fn expect(&self, _: u64) {}

    fn found(&self, _: u64) {
        (self.way)(&self.text);
    }
}

/// Hands out a text as a version of which a longer one is remembered: the places of its candidates are not in it.
struct Forgetful(String);

impl Source for Forgetful {
    fn drive(&self, receiver: &dyn Receiver) -> Result<(), SourceError> {
        let mut worker = receiver.worker();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let memory = worker.follow(&Version { bytes: self.0.as_bytes(), base: None });
                let provenance = Provenance::file(FilePath::from("a.env"));
                worker.chunk_of_version(&Chunk::whole(BROKEN, &provenance), &memory, None);
                worker.chunk(&Chunk::whole(self.0.as_bytes(), &provenance));
            });
        });
        Ok(())
    }
}

fn options(progress: Option<Arc<dyn Progress>>) -> ScanOptions {
    ScanOptions {
        mode: ScanMode::Tree,
        threshold: Confidence::Possible,
        suppressor: Suppressor::new(SuppressOptions::default()),
        interrupted: Arc::default(),
        progress,
    }
}

fn write_all(report: &Report) {
    let mut out = std::io::stdout();
    write_markdown(report, &mut out).expect("it can be written");
    write_json(report, &JsonOptions::default(), &mut out).expect("it can be written");
    write_sarif(report, &mut out).expect("it can be written");
}

/// What the child does: scans the directory it was started in, as the program would, and fails on the way.
#[test]
#[ignore = "started by the test below"]
fn fails() {
    let Ok(asked) = std::env::var(ASKED) else { return };
    let (way, kind) = asked.split_once('/').expect("both are told");
    let kind = KINDS.into_iter().find(|known| known.name() == kind).expect("there is such a kind");
    let secret = secret(kind);
    keyfence::cli::keep_panics_quiet();
    let ended = catch_unwind(AssertUnwindSafe(|| {
        let detector = Detector::builtin();
        match WAYS.iter().find(|(name, _)| *name == way) {
            Some(&(_, way)) => {
                let text = secret.lines();
                let tree = Tree::new(TreeOptions {
                    paths: vec![PathBuf::from(".")],
                    ignore_rules: false,
                    max_file_size: None,
                    left_out: None,
                    threads: 3,
                    piece_overlap: detector.reach(),
                });
                scan(&tree, &detector, &options(Some(Arc::new(Failing { way, text }))))
            }
            None => scan(&Forgetful(secret.lines()), &detector, &options(None)),
        }
    }));
    if let Ok(Ok(report)) = ended {
        assert!(!report.problems.is_empty(), "what failed is told");
        write_all(&report);
    }
}

/// Everything the child wrote, standard error last.
fn written_by_child(way: &str, kind: Kind) -> (Vec<u8>, Vec<u8>) {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    for number in 0..8 {
        let file = directory.path().join(format!("{number}.env"));
        fs::write(file, secret(kind).lines()).expect("it is writable");
    }
    let mut before = std::collections::BTreeMap::new();
    collect(directory.path(), &mut before);
    let mut command = Command::new(std::env::current_exe().expect("it runs"));
    command.args(["--exact", "panics::fails", "--ignored", "--nocapture", "--test-threads=1"]);
    command.env(ASKED, format!("{way}/{}", kind.name())).env("RUST_BACKTRACE", "full");
    command.env("TMPDIR", directory.path()).current_dir(directory.path());
    let output = command.output().expect("it can be started again");
    assert!(output.status.success(), "{way}: {:?}", output.status);
    let mut after = std::collections::BTreeMap::new();
    collect(directory.path(), &mut after);
    assert!(before == after, "{way}: nothing is written into files");
    (output.stdout, output.stderr)
}

#[test]
fn a_panic_says_nothing_of_what_was_read() {
    for kind in KINDS {
        let pieces = Pieces::of([secret(kind)].into_iter());
        for way in WAYS.map(|(way, _)| way).into_iter().chain([OWN]) {
            let (output, errors) = written_by_child(way, kind);
            let failed = errors.windows(TOLD.len()).any(|piece| piece == TOLD);
            assert!(failed, "{way}, {}: it does fail: {}", kind.name(), String::from_utf8_lossy(&errors));
            for told in [output, errors] {
                let seen = pieces.seen_in(&told);
                assert_eq!(seen, None, "{way}, {}", kind.name());
            }
        }
    }
}
