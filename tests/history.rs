//! `scan --history` against real repositories: what is handed out, what is told of it, and what is lost is said.

mod common;
#[path = "history/makers.rs"]
mod makers;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use common::Repository;
use keyfence::detect::{Detection, Detector, Scratch, Trace};
use keyfence::model::{
    Chunk, Confidence, ContentKind, CopiedPiece, Coverage, FilePath, Outcome, Problem, ProblemKind,
    Provenance, Reach, Report, ScanMode,
};
use keyfence::scan::{ScanOptions, scan};
use keyfence::source::git::{GitEnvironment, History, HistoryOptions};
use keyfence::source::{Glance, Memory, Receiver, Source, Version, Worker};
use keyfence::suppress::Suppressor;
use makers::{pair, random_repository};

/// A finding as plain text: path, object, span, rule.
type Found = BTreeSet<(String, String, usize, usize, String)>;

/// Records what is found and what is said, with all that can be carried.
struct Recorder {
    detector: Detector,
    found: Mutex<Found>,
    problems: Mutex<Vec<Problem>>,
}

struct Recording<'a>(&'a Recorder);

impl Recorder {
    fn new() -> Self {
        Self { detector: Detector::builtin(), found: Mutex::default(), problems: Mutex::default() }
    }

    fn note(&self, detection: &Detection) {
        let mut found = self.found.lock().expect("nobody panics while holding it");
        for finding in &detection.findings {
            let provenance = &finding.provenance;
            found.insert((
                provenance.path.to_text(),
                provenance.blob.clone().unwrap_or_default(),
                finding.span.start,
                finding.span.end,
                finding.rule.clone(),
            ));
        }
    }
}

impl Receiver for Recorder {
    fn worker(&self) -> Box<dyn Worker + '_> {
        Box::new(Recording(self))
    }
}

impl Worker for Recording<'_> {
    fn chunk(&mut self, chunk: &Chunk<'_>) {
        self.0.note(&self.0.detector.detect(chunk, &mut Scratch::default()));
    }

    fn glance(&mut self, version: &Version<'_>) -> Glance {
        let base = version.base.and_then(|(memory, pieces)| Some((memory.downcast_ref::<Trace>()?, pieces)));
        let trace = self.0.detector.trace(version.bytes, base);
        let could_hold = self.0.detector.could_hold(version.bytes, &trace);
        Glance { memory: Arc::new(trace), could_hold }
    }

    fn chunk_of_version(
        &mut self,
        chunk: &Chunk<'_>,
        memory: &Memory,
        base: Option<(&Memory, &[CopiedPiece])>,
    ) {
        let base = base.and_then(|(memory, pieces)| Some((memory.downcast_ref::<Trace>()?, pieces)));
        let trace = memory.downcast_ref::<Trace>().expect("it is what glance gave");
        self.0.note(&self.0.detector.detect_version(chunk, trace, base));
    }

    fn covered(&mut self, _: &Coverage) {}

    fn problem(&mut self, problem: Problem) {
        self.0.problems.lock().expect("nobody panics while holding it").push(problem);
    }

    fn interrupted(&self) -> bool {
        false
    }
}

fn options(directory: &Path) -> HistoryOptions {
    HistoryOptions::new(directory, GitEnvironment::default())
}

fn report_of(options: HistoryOptions) -> Report {
    let how = ScanOptions {
        mode: ScanMode::History,
        threshold: Confidence::Likely,
        suppressor: Suppressor::default(),
        interrupted: Arc::new(AtomicBool::new(false)),
        progress: None,
    };
    scan(&History::new(options), &Detector::builtin(), &how).expect("the repository can be opened")
}

/// What a full search of every content under each of its paths finds.
fn found_by_full_search(repository: &Repository) -> Found {
    let recorder = Recorder::new();
    let mut seen = BTreeSet::new();
    for commit in repository.git(&["rev-list", "--all"]).lines() {
        for line in
            repository.git(&["ls-tree", "-r", "-z", commit]).split('\0').filter(|line| !line.is_empty())
        {
            let (head, path) = line.split_once('\t').expect("ls-tree writes a tab");
            let id = head.split(' ').nth(2).expect("ls-tree writes an id").to_owned();
            if !seen.insert((id.clone(), path.to_owned())) {
                continue;
            }
            let content = repository
                .command(repository.path())
                .args(["cat-file", "blob", &id])
                .output()
                .expect("git can be started");
            let provenance = Provenance::blob(FilePath::from(path), id);
            let chunk = Chunk::whole(&content.stdout, &provenance);
            recorder.note(&recorder.detector.detect(&chunk, &mut Scratch::default()));
        }
    }
    recorder.found.into_inner().expect("nobody panicked")
}

#[test]
fn what_deltas_brought_is_what_a_full_search_finds() {
    let mut found = 0;
    for seed in 0..8 {
        let repository = random_repository(seed);
        let recorder = Recorder::new();
        History::new(options(repository.path())).drive(&recorder).expect("the repository can be opened");
        let mut walked = recorder.found.into_inner().expect("nobody panicked");
        walked.retain(|(path, ..)| !path.starts_with("logs/"));
        assert_eq!(recorder.problems.into_inner().expect("nobody panicked"), [], "seed {seed}");
        assert_eq!(walked, found_by_full_search(&repository), "seed {seed}");
        found += walked.len();
    }
    assert!(found > 100, "there is something to compare: {found}");
}

/// A repository with credentials that came and went in different ways.
fn told_repository() -> Repository {
    let repository = Repository::new();
    repository.write("README.md", "a bot\n");
    repository.commit_all("begin");
    repository.write("bot/.env", pair(1));
    repository.commit_all("pushed and removed");
    repository.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
    fs::remove_file(repository.path().join("bot/.env")).expect("it was written");
    repository.commit_all("remove it");
    repository.write("config.env", pair(2));
    repository.commit_all("still there");
    repository.git(&["checkout", "-q", "-b", "lost"]);
    repository.write("lost.env", pair(3));
    repository.commit_all("on a branch that goes away");
    repository.git(&["checkout", "-q", "main"]);
    repository.git(&["branch", "-q", "-D", "lost"]);
    repository.git(&["reflog", "expire", "--expire=now", "--all"]);
    repository.git(&["tag", "-a", "v1", "-m", &format!("release\n\n{}", pair(4))]);
    repository.git(&["commit", "-q", "--allow-empty", "--no-verify", "-m", &format!("oops\n\n{}", pair(5))]);
    repository
}

#[test]
fn the_history_of_each_credential_is_told() {
    let repository = told_repository();
    for packed in [false, true] {
        if packed {
            // Without pruning: what nothing refers to stays.
            repository.git(&["repack", "-q", "-a", "-d", "-k"]);
        }
        let report = report_of(options(repository.path()));
        assert_eq!(report.problems, [], "packed: {packed}");
        let told: BTreeMap<String, _> = report
            .credentials
            .iter()
            .map(|credential| {
                let exposure = credential.exposure.clone().expect("history was scanned");
                (exposure.occurrences[0].path.to_text(), exposure)
            })
            .collect();
        assert_eq!(told.len(), 5, "packed: {packed}: {:?}", told.keys());
        let subject = |id: &str| repository.git(&["log", "-1", "--format=%s", id]).trim().to_owned();
        let subject_of = |commit: &Option<keyfence::model::Commit>| {
            commit.as_ref().map(|commit| subject(&commit.id)).unwrap_or_default()
        };

        let pushed = &told["bot/.env"];
        assert_eq!((pushed.reach, pushed.commits), (Reach::Pushed, 1));
        assert_eq!(subject_of(&pushed.first_seen), "pushed and removed");
        assert_eq!(subject_of(&pushed.removed_by), "remove it");
        assert_eq!(pushed.remotes, ["origin/main"]);
        assert_eq!(pushed.tips, ["origin/main"]);
        assert_eq!(
            pushed.first_seen.as_ref().map(|commit| commit.author.as_str()),
            Some("Tester <t@example.org>")
        );

        let local = &told["config.env"];
        assert_eq!((local.reach, local.commits), (Reach::Local, 2));
        assert_eq!(subject_of(&local.first_seen), "still there");
        assert_eq!(
            (local.references.clone(), local.tips.clone()),
            (vec!["main".to_owned(), "v1".to_owned()], vec!["main".to_owned(), "v1".to_owned()])
        );
        assert_eq!(local.removed_by, None);

        let lost = &told["lost.env"];
        assert_eq!((lost.reach, lost.references.len()), (Reach::Unreachable, 0));
        assert_eq!(subject_of(&lost.first_seen), "on a branch that goes away");

        let kinds: BTreeSet<ContentKind> =
            told.values().map(|exposure| exposure.occurrences[0].kind).collect();
        assert_eq!(kinds, BTreeSet::from([ContentKind::File, ContentKind::CommitMessage, ContentKind::Tag]));
        let tag = told
            .values()
            .find(|exposure| exposure.occurrences[0].kind == ContentKind::Tag)
            .expect("it is there");
        assert_eq!((tag.reach, tag.references.clone()), (Reach::Local, vec!["v1".to_owned()]));
    }
}

/// Whoever takes it out of a history has to name the commit before, which the first one has not.
#[test]
fn the_first_commit_is_told_as_such() {
    let repository = Repository::new();
    for (name, number, is_root) in [("first.env", 1, true), ("second.env", 2, false)] {
        repository.write(name, pair(number));
        repository.commit_all(name);
        let report = report_of(options(repository.path()));
        let told = report.credentials.iter().filter_map(|credential| credential.exposure.as_ref());
        let brought = told
            .filter(|exposure| exposure.occurrences[0].path.to_text() == name)
            .filter_map(|exposure| exposure.first_seen.as_ref().map(|commit| commit.is_root));
        assert_eq!(brought.collect::<Vec<_>>(), [is_root], "{name}");
    }
}

/// What was fetched is known to a remote, even if no reference was made for it; what a merge or a reset left is local.
#[test]
fn what_is_named_in_capitals_leads_to_history() {
    let repository = told_repository();
    let lost = repository.git(&["rev-parse", "HEAD"]).trim().to_owned();
    repository.git(&["commit", "-q", "--allow-empty", "--no-verify", "-m", &format!("gone\n\n{}", pair(41))]);
    let gone = repository.git(&["rev-parse", "HEAD"]).trim().to_owned();
    repository.git(&["update-ref", "refs/heads/main", &lost]);
    repository.git(&["reflog", "expire", "--expire=now", "--all"]);
    let of = |reachable_only: bool| {
        let report = report_of(HistoryOptions { reachable_only, ..options(repository.path()) });
        let told = report.credentials.iter().filter_map(|credential| credential.exposure.as_ref());
        let mut told =
            told.filter(|exposure| exposure.last_seen.as_ref().is_some_and(|commit| commit.id == gone));
        told.next().map(|exposure| exposure.reach)
    };
    assert_eq!((of(false), of(true)), (Some(Reach::Unreachable), None));
    for (name, content, reach) in [
        ("ORIG_HEAD", format!("{gone}\n"), Reach::Local),
        ("MERGE_HEAD", format!("{gone}\n"), Reach::Local),
        ("FETCH_HEAD", format!("{gone}\t\tbranch 'main' of https://example.org/bot\n"), Reach::Pushed),
    ] {
        let file = repository.path().join(".git").join(name);
        fs::write(&file, content).expect("it can be written");
        assert_eq!((of(false), of(true)), (Some(reach), Some(reach)), "{name}");
        fs::remove_file(&file).expect("it is ours");
    }
}

/// Archives are unpacked as in a scan of files, with their own troubles, whatever is stored as what.
#[test]
fn archives_that_ever_were_there_are_unpacked() {
    let repository = Repository::new();
    repository.write("conf/bot.env", pair(51));
    repository.git(&["add", "-A"]);
    let tree = repository.git(&["write-tree"]).trim().to_owned();
    for (name, format) in [("old/backup.zip", "zip"), ("old/backup.tar.gz", "tar.gz"), ("backup.tar", "tar")]
    {
        let file = repository.path().join(name);
        fs::create_dir_all(file.parent().expect("it has one")).expect("it can be made");
        repository.git(&["archive", "--format", format, "-o", name, &tree]);
    }
    let whole = fs::read(repository.path().join("old/backup.zip")).expect("it was written");
    repository.write("cut.zip", &whole[..whole.len() / 2]);
    repository.git(&["rm", "-q", "-f", "-r", "conf"]);
    repository.commit_all("backups");
    repository.git(&["rm", "-q", "-r", "old", "backup.tar", "cut.zip"]);
    repository.git(&["commit", "-q", "--no-verify", "--allow-empty", "-m", "no backups"]);
    for packed in [false, true] {
        if packed {
            repository.git(&["repack", "-q", "-a", "-d", "-k", "-f"]);
        }
        let report = report_of(options(repository.path()));
        assert_eq!(report.credentials.len(), 1, "packed: {packed}");
        let exposure = report.credentials[0].exposure.clone().expect("history was scanned");
        let places: Vec<String> = exposure.occurrences.iter().map(|place| place.path.to_text()).collect();
        let expected = [
            "backup.tar!/conf/bot.env",
            "conf/bot.env",
            "old/backup.tar.gz!/conf/bot.env",
            "old/backup.zip!/conf/bot.env",
        ];
        assert!(
            expected.iter().all(|path| places.iter().any(|place| place == path)),
            "packed: {packed}: {places:?}"
        );
        assert_eq!((exposure.reach, exposure.commits), (Reach::Local, 1), "packed: {packed}");
        let cut: Vec<&Problem> = report.problems.iter().collect();
        assert_eq!(cut.len(), 1, "packed: {packed}: {cut:?}");
        let id = repository.git(&["rev-parse", "HEAD~1:cut.zip"]).trim().to_owned();
        assert_eq!(cut[0].object, Some(id), "packed: {packed}");
        assert!(cut[0].message.contains("damaged"), "packed: {packed}: {}", cut[0].message);
    }
}

#[test]
fn history_is_narrowed() {
    let repository = told_repository();
    let paths = |options: HistoryOptions| -> Vec<String> {
        let report = report_of(options);
        let mut paths: Vec<String> =
            report.findings.iter().map(|finding| finding.provenance.path.to_text()).collect();
        paths.retain(|path| path.ends_with(".env"));
        paths.sort();
        paths.dedup();
        paths
    };
    let of = |change: &dyn Fn(&mut HistoryOptions)| {
        let mut options = options(repository.path());
        change(&mut options);
        paths(options)
    };
    assert_eq!(of(&|_| {}), ["bot/.env", "config.env", "lost.env"]);
    assert_eq!(of(&|options| options.reachable_only = true), ["bot/.env", "config.env"]);
    assert_eq!(of(&|options| options.branches = vec!["origin/main".into()]), ["bot/.env"]);
    assert_eq!(of(&|options| options.paths = vec!["bot/".into()]), ["bot/.env"]);
    assert_eq!(
        of(&|options| options.paths = vec!["*.env".into(), "!/bot/*".into()]),
        ["config.env", "lost.env"]
    );
    assert_eq!(of(&|options| options.period.since = Some(2_000_000_000)), [""; 0]);
    let mut unknown = options(repository.path());
    unknown.branches = vec!["nowhere".into()];
    let failed = History::new(unknown).drive(&Recorder::new()).expect_err("there is no such branch");
    assert!(failed.message.contains("nowhere"), "{failed}");
}

/// Repositories of every layout, all with the same leak.
#[test]
fn every_layout_is_read() {
    let leak = |repository: &Repository| {
        repository.write("a/bot.env", pair(7));
        repository.commit_all("leak");
        fs::remove_file(repository.path().join("a/bot.env")).expect("it was written");
        repository.commit_all("hide");
    };
    let plain = Repository::new();
    leak(&plain);
    plain.git(&["gc", "-q"]);
    let outside = |name: &str| plain.outside().join(name);
    let path = |path: &Path| path.to_str().expect("temporary paths are text").to_owned();
    plain.git(&["clone", "-q", "--bare", &path(plain.path()), &path(&outside("bare"))]);
    plain.git(&["clone", "-q", "--shared", &path(plain.path()), &path(&outside("shared"))]);
    plain.git(&["worktree", "add", "-q", &path(&outside("linked"))]);
    let sha256 = Repository::with_options(&["--object-format=sha256"]);
    leak(&sha256);
    for directory in [
        plain.path().to_owned(),
        outside("bare"),
        outside("shared"),
        outside("linked"),
        sha256.path().to_owned(),
    ] {
        let report = report_of(options(&directory));
        assert_eq!(report.credentials.len(), 1, "{}", directory.display());
        assert_eq!(report.problems, [], "{}", directory.display());
    }
}

/// The paths that something is told of, with how far it got.
fn told(report: &Report) -> BTreeMap<String, Reach> {
    let exposures = report.credentials.iter().filter_map(|credential| credential.exposure.as_ref());
    let places =
        exposures.flat_map(|exposure| exposure.occurrences.iter().map(|place| (place, exposure.reach)));
    places.map(|(place, reach)| (place.path.to_text(), reach)).collect()
}

fn told_of(places: &[(&str, Reach)]) -> BTreeMap<String, Reach> {
    places.iter().map(|(path, reach)| ((*path).to_owned(), *reach)).collect()
}

#[test]
fn what_stands_beside_the_objects_is_found() {
    let repository = Repository::new();
    repository.write("clean.txt", "nothing\n");
    repository.commit_all("clean");
    let at = |name: &str| repository.path().join(".git").join(name);
    let url = |number: u64| pair(number).trim().replace('\n', "&");
    let address = format!("https://example.org/a.git?{}", url(51));
    repository.git(&["config", "remote.origin.url", &address]);
    repository.git(&["config", "http.extraHeader", &format!("X-Of-A-Job: {}", url(52))]);
    repository.write(".git/hooks/post-checkout", pair(53));
    repository.write(".git/hooks/post-merge.sample", pair(54));
    repository.write(".git/lfs/objects/ab/cd/abcd", pair(55));
    repository.write(".git/lfs/objects/ab/cd/abce", pair(56).repeat(9));
    let linked = repository.outside().join("linked");
    repository.git(&["worktree", "add", "-q", linked.to_str().expect("temporary paths are text")]);
    repository.git(&["config", "extensions.worktreeConfig", "true"]);
    repository
        .git_in(&linked, &["config", "--worktree", "remote.other.url", &address.replace(&url(51), &url(57))]);
    #[cfg(unix)]
    {
        let made = std::process::Command::new("mkfifo").arg(at("hooks/post-rewrite")).status();
        assert!(made.expect("mkfifo can be started").success());
        std::os::unix::fs::symlink(repository.path().join("link.env"), at("hooks/link"))
            .expect("links can be made");
        repository.write("link.env", pair(58));
    }
    let limit = u64::try_from(pair(56).len() * 2).expect("it is short");
    let report = report_of(HistoryOptions { max_object_size: limit.max(600), ..options(repository.path()) });
    let found = [
        (".git/config", Reach::Local),
        (".git/hooks/post-checkout", Reach::Local),
        (".git/lfs/objects/ab/cd/abcd", Reach::Local),
        (".git/worktrees/linked/config.worktree", Reach::Local),
    ];
    assert_eq!(told(&report), told_of(&found));
    let problems: Vec<_> = report
        .problems
        .iter()
        .map(|problem| (problem.kind, problem.path.as_ref().map(FilePath::to_text)))
        .collect();
    assert_eq!(problems, [(ProblemKind::TooLarge, Some(".git/lfs/objects/ab/cd/abce".to_owned()))]);
    // An object of LFS may have gone to the remote that there is.
    repository.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
    let report = report_of(options(repository.path()));
    assert_eq!(told(&report)[".git/lfs/objects/ab/cd/abcd"], Reach::Pushed);
    assert_eq!(told(&report)[".git/config"], Reach::Local);
    // What references lead to is in objects only.
    let report = report_of(HistoryOptions { reachable_only: true, ..options(repository.path()) });
    assert_eq!(told(&report), told_of(&[]));
    // In a bare repository the git directory is what people see.
    let bare = Repository::with_options(&["--bare"]);
    bare.write("lfs/objects/ab/cd/abcd", pair(59));
    assert_eq!(told(&report_of(options(bare.path()))), told_of(&[("lfs/objects/ab/cd/abcd", Reach::Local)]));
}

#[test]
fn the_history_of_submodules_is_told_below_their_paths() {
    let [inner, outer, repository] = [Repository::new(), Repository::new(), Repository::new()];
    let path = |path: &Path| path.to_str().expect("temporary paths are text").to_owned();
    let leak = |repository: &Repository, number: u64| {
        repository.write("bot.env", pair(number));
        repository.commit_all("leak");
        fs::remove_file(repository.path().join("bot.env")).expect("it was written");
        repository.commit_all("hide");
    };
    let allowed = ["-c", "protocol.file.allow=always"];
    let add = |to: &Repository, from: &Repository, name: &str, at: &str| {
        let words = ["submodule", "--quiet", "add", "--name", name, &path(from.path()), at];
        to.git(&[allowed.as_slice(), &words].concat());
        to.commit_all("submodule");
    };
    leak(&inner, 61);
    leak(&outer, 62);
    add(&outer, &inner, "inner", "parts/inner");
    leak(&repository, 63);
    add(&repository, &outer, "lib/outer", "libs/outer");
    let update = ["submodule", "--quiet", "update", "--init", "--recursive"];
    repository.git(&[allowed.as_slice(), &update].concat());
    // The same secret in both histories.
    repository.write("vendored.env", pair(62));
    repository.commit_all("vendored");

    let all = [
        ("bot.env", Reach::Local),
        ("vendored.env", Reach::Pushed),
        ("libs/outer/bot.env", Reach::Pushed),
        ("libs/outer/parts/inner/bot.env", Reach::Pushed),
    ];
    for (cache, reachable_only) in [(true, false), (true, false), (false, true)] {
        let report = report_of(HistoryOptions { cache, reachable_only, ..options(repository.path()) });
        assert_eq!(report.problems, []);
        assert_eq!(told(&report), told_of(&all));
        let shared = report.credentials.iter().filter_map(|credential| credential.exposure.as_ref());
        let shared: Vec<_> = shared.filter(|exposure| exposure.occurrences.len() > 1).collect();
        assert_eq!(shared.len(), 1);
        assert_eq!(shared[0].commits, 2, "one in each history");
        assert_eq!(shared[0].removed_by, None, "it still stands in one of them");
        assert_eq!(shared[0].remotes, ["libs/outer:origin/main"]);
        let inner = &report
            .findings
            .iter()
            .find(|finding| finding.provenance.path.to_text() == "libs/outer/parts/inner/bot.env");
        assert!(inner.is_some_and(|finding| finding.provenance.commit.is_some()), "its commit is told");
    }
    // A submodule by itself has its own paths, whatever was remembered before.
    let own = HistoryOptions { cache: true, ..options(&repository.path().join("libs/outer")) };
    assert_eq!(
        told(&report_of(own)),
        told_of(&[("bot.env", Reach::Pushed), ("parts/inner/bot.env", Reach::Pushed)])
    );
    let narrowed = HistoryOptions { paths: vec!["*.env".to_owned()], ..options(repository.path()) };
    assert!(!told(&report_of(narrowed)).contains_key("libs/outer/bot.env"));

    // What cannot be read is said, and the rest is looked at.
    let head = repository.path().join(".git/modules/lib/outer/HEAD");
    fs::remove_file(&head).expect("it is there");
    let report = report_of(options(repository.path()));
    assert_eq!(report.problems.len(), 1, "{:?}", report.problems);
    assert_eq!(report.problems[0].path, Some(FilePath::from(".git/modules/lib/outer")));
    assert!(told(&report).contains_key("bot.env"));
    fs::write(&head, "ref: refs/heads/main\n").expect("it can be written");
    repository.git(&[
        "config",
        "-f",
        &path(&repository.path().join(".git/modules/lib/outer/config")),
        "core.repositoryFormatVersion",
        "9",
    ]);
    let report = report_of(options(repository.path()));
    assert_eq!(report.problems[0].path, Some(FilePath::from(".git/modules/lib/outer")));
    assert_eq!(told(&report)["libs/outer/parts/inner/bot.env"], Reach::Pushed);
}

#[test]
fn what_a_clone_does_not_have_is_said() {
    let repository = Repository::new();
    repository.write("a.env", pair(8));
    repository.commit_all("leak");
    repository.write("a.env", "nothing\n");
    repository.commit_all("hide");
    let path = |path: &Path| path.to_str().expect("temporary paths are text").to_owned();
    let url = format!("file://{}", path(repository.path()));
    repository.git(&["config", "uploadpack.allowFilter", "true"]);
    for (name, arguments, hint) in [
        ("shallow", vec!["--depth=1"], "--unshallow"),
        ("blobless", vec!["--filter=blob:none", "--no-checkout"], "--refetch"),
        ("treeless", vec!["--filter=tree:0", "--no-checkout"], "--refetch"),
    ] {
        let target = repository.outside().join(name);
        let target_text = path(&target);
        repository
            .git(&[&["clone", "-q"], arguments.as_slice(), &[url.as_str(), target_text.as_str()]].concat());
        let report = report_of(options(&target));
        assert_eq!(report.outcome(), Outcome::Incomplete, "{name}");
        let hints: Vec<String> = report.problems.iter().filter_map(|problem| problem.hint.clone()).collect();
        assert!(hints.iter().any(|words| words.contains(hint)), "{name}: {hints:?}");
    }
}
