//! The tree source: what it hands out, what it counts as left out, and what becomes a problem.
#![cfg(feature = "files")]

#[path = "common/seen.rs"]
mod seen;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use keyfence::model::{Chunk, ContentKind, Coverage, Problem, ProblemKind, SkipReason};
use keyfence::source::{Receiver, Source, Tree, TreeOptions, Worker};
use seen::{Seen, Taker};

trait Told {
    fn paths(&self) -> Vec<String>;
    fn skipped(&self) -> BTreeMap<SkipReason, u64>;
    fn problems(&self) -> Vec<(ProblemKind, String)>;
}

impl Told for Seen {
    fn paths(&self) -> Vec<String> {
        let mut paths: Vec<String> =
            self.kept().contents.iter().map(|content| content.path.clone()).collect();
        paths.sort();
        paths
    }

    fn skipped(&self) -> BTreeMap<SkipReason, u64> {
        self.kept().coverage.skipped.clone()
    }

    fn problems(&self) -> Vec<(ProblemKind, String)> {
        let path = |problem: &Problem| problem.path.as_ref().map(|path| path.to_text()).unwrap_or_default();
        self.kept().problems.iter().map(|problem| (problem.kind, path(problem))).collect()
    }
}

fn options(paths: Vec<PathBuf>) -> TreeOptions {
    TreeOptions {
        paths,
        ignore_rules: true,
        max_file_size: None,
        left_out: None,
        threads: 2,
        piece_overlap: 4096,
    }
}

/// What two threads tell; one alone tells the same.
fn scan(options: TreeOptions) -> Seen {
    let [alone, seen] = [TreeOptions { threads: 1, ..options.clone() }, options].map(scan_as_is);
    let sorted = |seen: &Seen| {
        let mut problems: Vec<_> =
            seen.problems().into_iter().map(|(kind, path)| (format!("{kind:?}"), path)).collect();
        problems.sort();
        problems
    };
    assert_eq!(alone.paths(), seen.paths());
    assert_eq!(alone.skipped(), seen.skipped());
    assert_eq!(sorted(&alone), sorted(&seen));
    seen
}

fn scan_as_is(options: TreeOptions) -> Seen {
    let seen = Seen::default();
    Tree::new(options).drive(&seen).expect("a tree can always be begun");
    seen
}

/// A throw-away tree; names that end in `/` are directories. It counts as a repository, so .gitignore rules hold.
fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    fs::create_dir(directory.path().join(".git")).expect("made");
    for (name, content) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().expect("inside the tree")).expect("made");
        fs::write(path, content).expect("written");
    }
    directory
}

/// Scans `paths` inside `directory` and gives what was seen relative to it.
fn relative(seen: &Seen, directory: &Path) -> Vec<String> {
    let prefix = format!("{}/", directory.display());
    seen.paths().iter().map(|path| path.strip_prefix(&prefix).unwrap_or(path).to_owned()).collect()
}

struct Case {
    name: &'static str,
    files: &'static [(&'static str, &'static str)],
    scan: &'static [&'static str],
    rules: bool,
    seen: &'static [&'static str],
    skipped: &'static [(SkipReason, u64)],
}

const CASES: &[Case] = &[
    Case {
        name: "hidden files are read, .git is not entered",
        files: &[(".env", "a"), ("src/main.py", "b"), (".git/config", "c")],
        scan: &[""],
        rules: true,
        seen: &[".env", "src/main.py"],
        skipped: &[(SkipReason::GitDirectory, 1)],
    },
    Case {
        name: "files and whole directories left out by rules count one each",
        files: &[
            (".gitignore", "*.log\n/build/\n"),
            ("a.log", "x"),
            ("sub/b.log", "x"),
            ("build/1", "x"),
            ("build/2", "x"),
            ("keep", "x"),
        ],
        scan: &[""],
        rules: true,
        seen: &[".gitignore", "keep"],
        skipped: &[(SkipReason::Ignored, 3), (SkipReason::GitDirectory, 1)],
    },
    Case {
        name: "rules can be disregarded",
        files: &[(".gitignore", "*.log\n"), ("a.log", "x")],
        scan: &[""],
        rules: false,
        seen: &[".gitignore", "a.log"],
        skipped: &[(SkipReason::GitDirectory, 1)],
    },
    Case {
        name: "nested rules and exceptions",
        files: &[
            (".gitignore", "*.txt\n"),
            ("sub/.gitignore", "!keep.txt\n"),
            ("sub/keep.txt", "x"),
            ("sub/drop.txt", "x"),
            (".ignore", "extra\n"),
            ("extra", "x"),
        ],
        scan: &[""],
        rules: true,
        seen: &[".gitignore", ".ignore", "sub/.gitignore", "sub/keep.txt"],
        skipped: &[(SkipReason::Ignored, 2), (SkipReason::GitDirectory, 1)],
    },
    Case {
        name: "parent rules hold in a named directory",
        files: &[(".gitignore", "*.log\n"), ("sub/a.log", "x"), ("sub/b", "x")],
        scan: &["sub"],
        rules: true,
        seen: &["sub/b"],
        skipped: &[(SkipReason::Ignored, 1)],
    },
    Case {
        name: "named files are never filtered",
        files: &[(".gitignore", "*\n"), (".env", "x"), (".git/config", "x"), ("b", "\0")],
        scan: &[".env", ".git/config", "b"],
        rules: true,
        seen: &[".env", ".git/config", "b"],
        skipped: &[],
    },
    Case {
        name: "overlapping paths are scanned once",
        files: &[("a/1", "x"), ("a/b/2", "x"), ("c", "x")],
        scan: &["", "a", "a/b/2", "c", "a/../a"],
        rules: true,
        seen: &["a/1", "a/b/2", "c"],
        skipped: &[(SkipReason::GitDirectory, 1)],
    },
    Case {
        name: "a file named beside its tree is not counted as ignored",
        files: &[(".ignore", "secret\nother\n"), ("secret", "x"), ("other", "x")],
        scan: &["", "secret"],
        rules: true,
        seen: &[".ignore", "secret"],
        skipped: &[(SkipReason::Ignored, 1), (SkipReason::GitDirectory, 1)],
    },
];

#[test]
fn trees_are_read_and_what_is_left_out_is_counted() {
    for case in CASES {
        let directory = tree(case.files);
        let paths = case.scan.iter().map(|path| directory.path().join(path)).collect();
        let seen = scan(TreeOptions { ignore_rules: case.rules, ..options(paths) });
        assert_eq!(relative(&seen, directory.path()), case.seen, "{}", case.name);
        assert_eq!(seen.skipped(), case.skipped.iter().copied().collect(), "{}", case.name);
        assert_eq!(seen.problems(), [], "{}", case.name);
        assert_eq!(seen.kept().coverage.files, case.seen.len() as u64, "{}", case.name);
    }
}

#[test]
fn content_and_coverage_are_exact() {
    let directory = tree(&[("text", "one\ntwo\n"), ("empty", ""), ("binary", "a\0b"), ("wide", "\u{feff}x")]);
    fs::write(directory.path().join("utf16"), b"\xff\xfea\0b\0").expect("written");
    let seen = scan(options(vec![directory.path().to_path_buf()]));
    let contents: BTreeMap<String, Vec<u8>> =
        relative(&seen, directory.path()).into_iter().zip(sorted_contents(&seen)).collect();
    assert_eq!(contents["text"], b"one\ntwo\n");
    assert_eq!(contents["empty"], b"");
    assert_eq!(contents["binary"], b"a\0b");
    assert_eq!(contents["utf16"], b"\xff\xfea\0b\0");
    let coverage = seen.kept().coverage.clone();
    assert_eq!((coverage.files, coverage.bytes, coverage.binary), (5, 8 + 3 + 4 + 6, 1));
}

fn sorted_contents(seen: &Seen) -> Vec<Vec<u8>> {
    let mut kept = seen.kept();
    kept.contents.sort_by(|one, other| one.path.cmp(&other.path));
    kept.contents.iter().map(|content| content.bytes.clone()).collect()
}

#[test]
fn a_size_limit_counts_what_it_leaves_out() {
    let directory = tree(&[("small", "12345"), ("large", "123456")]);
    let paths = vec![directory.path().to_path_buf()];
    let seen = scan(TreeOptions { max_file_size: Some(5), ..options(paths) });
    assert_eq!(relative(&seen, directory.path()), ["small"]);
    assert_eq!(seen.skipped()[&SkipReason::TooLarge], 1);
}

#[test]
fn a_missing_path_is_a_problem_with_advice_and_the_rest_is_scanned() {
    let directory = tree(&[("there", "x")]);
    let missing = directory.path().join("missing");
    let seen = scan(options(vec![missing.clone(), directory.path().join("there")]));
    assert_eq!(seen.problems(), [(ProblemKind::NotFound, missing.display().to_string())]);
    assert!(seen.kept().problems[0].hint.is_some());
    assert_eq!(relative(&seen, directory.path()), ["there"]);
}

#[cfg(unix)]
mod unix {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::os::unix::net::UnixListener;
    use std::process::Command;

    use super::*;

    #[test]
    fn links_pipes_sockets_and_devices_are_counted_and_never_opened() {
        let directory = tree(&[("file", "x")]);
        let at = |name: &str| directory.path().join(name);
        symlink("/dev/zero", at("zero")).expect("linked");
        symlink("..", at("loop")).expect("linked");
        symlink("nowhere", at("dangling")).expect("linked");
        let _listener = UnixListener::bind(at("socket")).expect("bound");
        let made = Command::new("mkfifo").arg(at("pipe")).status().expect("mkfifo is there");
        assert!(made.success());
        let seen = scan(options(vec![directory.path().to_path_buf()]));
        assert_eq!(relative(&seen, directory.path()), ["file"]);
        assert_eq!(seen.skipped()[&SkipReason::Symlink], 3);
        assert_eq!(seen.skipped()[&SkipReason::NotAFile], 2);
        assert_eq!(seen.problems(), []);

        let named = ["zero", "pipe", "socket"].map(at);
        let seen = scan(options(named.to_vec()));
        let expected: Vec<_> =
            named.iter().map(|path| (ProblemKind::NotAFile, path.display().to_string())).collect();
        assert_eq!(seen.problems(), expected);
        let seen = scan(options(vec![at("dangling")]));
        assert_eq!(seen.problems(), [(ProblemKind::NotFound, at("dangling").display().to_string())]);
    }

    #[test]
    fn named_links_are_followed_and_their_target_is_read_once() {
        let directory = tree(&[("real/file", "x")]);
        symlink("real", directory.path().join("link")).expect("linked");
        symlink("real/file", directory.path().join("file")).expect("linked");
        for (named, expected) in
            [(vec!["link"], "link/file"), (vec!["file"], "file"), (vec!["file", "real"], "file")]
        {
            let seen = scan(options(named.iter().map(|name| directory.path().join(name)).collect()));
            assert_eq!(relative(&seen, directory.path()), [expected], "{named:?}");
            assert_eq!(seen.problems(), [], "{named:?}");
        }
    }

    #[test]
    fn strange_names_are_kept() {
        let directory = tree(&[]);
        for name in [&b"new\nline"[..], b"esc\x1b[31m", b"bad\xff", b"-", b" "] {
            fs::write(directory.path().join(OsStr::from_bytes(name)), name).expect("written");
        }
        let seen = scan(options(vec![directory.path().to_path_buf()]));
        assert_eq!(relative(&seen, directory.path()), [" ", "-", "bad\\xff", "esc\x1b[31m", "new\nline"]);
    }

    /// 2,000 directories inside each other with a file in the innermost. It is built from below and taken down from
    /// above in blocks of few levels, because the system opens no path as long as the whole.
    struct DeepTree {
        place: tempfile::TempDir,
        name: &'static str,
    }

    impl DeepTree {
        const BLOCKS: usize = 20;
        const LEVELS: usize = 100;

        fn new(name: &'static str) -> Self {
            let deep = Self { place: tree(&[]), name };
            fs::create_dir(deep.top()).expect("made");
            fs::write(deep.top().join("end"), "x").expect("written");
            for _ in 0..Self::BLOCKS {
                deep.put_under_a_block();
            }
            deep
        }

        fn top(&self) -> PathBuf {
            self.place.path().join(self.name)
        }

        fn aside(&self) -> PathBuf {
            self.place.path().join("aside")
        }

        /// The directory `levels` below `top`.
        fn below(&self, top: &Path, levels: usize) -> PathBuf {
            (0..levels).fold(top.to_path_buf(), |path, _| path.join(self.name))
        }

        fn put_under_a_block(&self) {
            let aside = self.aside();
            fs::create_dir_all(self.below(&aside, Self::LEVELS - 1)).expect("made");
            fs::rename(self.top(), self.below(&aside, Self::LEVELS)).expect("moved");
            fs::rename(aside, self.top()).expect("moved");
        }

        fn end(&self) -> PathBuf {
            self.below(&self.top(), Self::BLOCKS * Self::LEVELS).join("end")
        }
    }

    impl Drop for DeepTree {
        fn drop(&mut self) {
            // What fails here is left to the system's own cleaning of temporary files.
            while fs::rename(self.below(&self.top(), Self::LEVELS), self.aside()).is_ok()
                && fs::remove_dir_all(self.top()).is_ok()
                && fs::rename(self.aside(), self.top()).is_ok()
            {}
        }
    }

    #[test]
    fn a_very_deep_directory_is_read() {
        let deep = DeepTree::new("d");
        // Whoever keeps temporary files under a very long path sees the other test twice.
        let reachable = fs::metadata(deep.end()).is_ok();
        let seen = scan(options(vec![deep.place.path().to_path_buf()]));
        if reachable {
            assert_eq!(seen.paths(), [deep.end().display().to_string()]);
            assert_eq!(seen.problems(), []);
        } else {
            assert_told(&seen, &deep);
        }
    }

    /// Paths that the system cannot open are told, not passed over.
    #[test]
    fn what_is_too_deep_to_open_is_told() {
        let deep = DeepTree::new("deep");
        assert!(fs::metadata(deep.end()).is_err(), "the path is too long for the system");
        assert_told(&scan(options(vec![deep.place.path().to_path_buf()])), &deep);
    }

    fn assert_told(seen: &Seen, deep: &DeepTree) {
        assert_eq!(seen.paths(), Vec::<String>::new());
        let problems = seen.problems();
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].0, ProblemKind::Unreadable);
        let path = deep.end().display().to_string();
        assert!(path.starts_with(&problems[0].1) && problems[0].1.len() > 1_000, "it names the place");
    }

    #[test]
    fn what_may_not_be_read_is_a_problem() {
        let directory = tree(&[("closed", "x"), ("shut/inside", "x"), ("open", "x")]);
        let closed = directory.path().join("closed");
        let shut = directory.path().join("shut");
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o0)).expect("changed");
        fs::set_permissions(&shut, fs::Permissions::from_mode(0o0)).expect("changed");
        if fs::File::open(&closed).is_ok() {
            // The superuser may read everything: the same test then runs again as somebody who may not.
            return run_as_nobody("unix::what_may_not_be_read_is_a_problem");
        }
        let seen = scan(options(vec![directory.path().to_path_buf()]));
        fs::set_permissions(&shut, fs::Permissions::from_mode(0o700)).expect("changed back");
        assert_eq!(relative(&seen, directory.path()), ["open"]);
        let mut problems = seen.problems();
        problems.sort();
        let expected = [&closed, &shut].map(|path| (ProblemKind::Unreadable, path.display().to_string()));
        assert_eq!(problems, expected);
    }

    fn run_as_nobody(test: &str) {
        let place = tempfile::tempdir().expect("made");
        let copy = place.path().join("test");
        fs::copy(std::env::current_exe().expect("a test knows itself"), &copy).expect("copied");
        fs::set_permissions(place.path(), fs::Permissions::from_mode(0o777)).expect("changed");
        fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).expect("changed");
        let status = Command::new("setpriv")
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .arg(&copy)
            .args(["--exact", test])
            .env("TMPDIR", place.path())
            .current_dir(place.path())
            .status()
            .expect("setpriv is there");
        assert!(status.success());
    }
}

/// Removes a file as soon as its directory was seen, before it is read.
struct Remover {
    seen: Seen,
    victim: PathBuf,
}

impl Receiver for Remover {
    fn worker(&self) -> Box<dyn Worker + '_> {
        Box::new(RemovingTaker(Taker(&self.seen), &self.victim))
    }
}

struct RemovingTaker<'a>(Taker<'a>, &'a Path);

impl Worker for RemovingTaker<'_> {
    fn chunk(&mut self, chunk: &Chunk<'_>) {
        if chunk.provenance.kind == ContentKind::FileName {
            return;
        }
        // The walk has listed the directory by now; whichever of the two comes first removes the other.
        let other = if chunk.provenance.path.file_name() == b"one" { "two" } else { "one" };
        fs::remove_file(self.1.join(other)).expect("still there");
        self.0.chunk(chunk);
    }

    fn covered(&mut self, coverage: &Coverage) {
        self.0.covered(coverage);
    }

    fn problem(&mut self, problem: Problem) {
        self.0.problem(problem);
    }

    fn interrupted(&self) -> bool {
        false
    }
}

#[test]
fn a_file_that_vanishes_is_a_problem() {
    let directory = tree(&[("one", "1"), ("two", "2")]);
    let remover = Remover { seen: Seen::default(), victim: directory.path().to_path_buf() };
    let paths = vec![directory.path().to_path_buf()];
    Tree::new(TreeOptions { threads: 1, ..options(paths) }).drive(&remover).expect("begun");
    assert_eq!(remover.seen.paths().len(), 1);
    let problems = remover.seen.problems();
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].0, ProblemKind::Unreadable);
}

/// Checks that the pieces of a file of zeros join up, and keeps none of them.
#[derive(Default)]
struct Joiner {
    end: Mutex<(u64, usize)>,
}

struct JoiningTaker<'a>(&'a Joiner);

impl Receiver for Joiner {
    fn worker(&self) -> Box<dyn Worker + '_> {
        Box::new(JoiningTaker(self))
    }
}

impl Worker for JoiningTaker<'_> {
    fn chunk(&mut self, chunk: &Chunk<'_>) {
        let mut end = self.0.end.lock().expect("no panic while held");
        assert!(chunk.offset == 0 || chunk.offset + 4096 <= end.0, "pieces overlap");
        *end = (chunk.offset + chunk.bytes.len() as u64, end.1.max(chunk.bytes.len()));
    }

    fn covered(&mut self, _: &Coverage) {}

    fn problem(&mut self, problem: Problem) {
        panic!("{problem:?}");
    }

    fn interrupted(&self) -> bool {
        false
    }
}

#[test]
fn a_huge_file_comes_in_small_pieces() {
    let directory = tree(&[]);
    let path = directory.path().join("sparse");
    let length = 256 << 20;
    fs::File::create(&path).expect("made").set_len(length).expect("made sparse");
    let joiner = Joiner::default();
    Tree::new(options(vec![path])).drive(&joiner).expect("begun");
    let (end, largest) = *joiner.end.lock().expect("ended");
    assert_eq!(end, length);
    assert!(largest <= 8 << 20, "{largest}");
}
