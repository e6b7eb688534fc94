//! What `scan --staged` reads, in real repositories, compared with what git would commit.
#![cfg(all(unix, feature = "git"))]

mod common;
#[path = "common/seen.rs"]
mod seen;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use common::Repository;
use keyfence::model::{Coverage, Focus, Problem, ProblemKind, SkipReason};
use keyfence::source::git::{CommitMessage, GitEnvironment, Layout, Settings, Staged, StagedOptions};
use keyfence::source::{Source, SourceError};
use seen::Seen;

/// Everything a source handed out.
#[derive(Default)]
struct Caught {
    /// Content by path: the bytes and the lines that count.
    content: BTreeMap<String, (Vec<u8>, Focus)>,
    /// Paths that were handed out as content.
    names: Vec<String>,
    coverage: Coverage,
    problems: Vec<Problem>,
}

fn catch(source: &dyn Source) -> Result<Caught, SourceError> {
    let seen = Seen::default();
    source.drive(&seen)?;
    let kept = seen.into_kept();
    let content = kept.contents.into_iter().map(|content| (content.path, (content.bytes, content.focus)));
    let mut caught = Caught {
        content: content.collect(),
        names: kept.names,
        coverage: kept.coverage,
        problems: kept.problems,
    };
    caught.names.sort();
    Ok(caught)
}

fn staged_in(directory: &Path, environment: GitEnvironment) -> Result<Caught, SourceError> {
    catch(&Staged::new(StagedOptions::new(directory, environment)))
}

fn staged(repository: &Repository) -> Caught {
    let caught = staged_in(repository.path(), GitEnvironment::default());
    caught.unwrap_or_else(|error| panic!("{error}"))
}

/// A repository whose one commit holds `old.txt` with three lines.
fn with_commit() -> Repository {
    let repository = Repository::new();
    repository.write("old.txt", "one\ntwo\nthree\n");
    repository.commit_all("first");
    repository
}

/// Bytes, and the ranges of lines that count (`None`: everything).
type Expected<'a> = &'a [(&'a str, &'a str, Option<&'a [(u32, u32)]>)];

#[track_caller]
fn expect(situation: &str, caught: &Caught, expected: Expected<'_>) {
    let expected: BTreeMap<_, _> = expected
        .iter()
        .map(|(path, bytes, lines)| {
            let focus = lines.map_or(Focus::Whole, |lines| Focus::Lines(lines.to_vec()));
            (path.to_string(), (bytes.as_bytes().to_vec(), focus))
        })
        .collect();
    assert_eq!(caught.content, expected, "{situation}");
    assert_eq!(caught.problems, [], "{situation}");
}

#[test]
fn what_is_staged_is_read_and_nothing_else() {
    type Situation<'a> = (&'a str, fn(&Repository), Expected<'a>);
    let situations: &[Situation<'_>] = &[
        ("nothing staged", |_| {}, &[]),
        (
            "new file",
            |r| {
                r.write("a/b.txt", "x\n");
                r.git(&["add", "-A"]);
            },
            &[("a/b.txt", "x\n", None)],
        ),
        ("not staged", |r| r.write("old.txt", "x\n"), &[]),
        (
            "staged, then cleaned in the work tree",
            |r| {
                r.write("old.txt", "one\nnew\nthree\n");
                r.git(&["add", "-A"]);
                r.write("old.txt", "one\ntwo\nthree\n");
            },
            &[("old.txt", "one\nnew\nthree\n", Some(&[(2, 2)]))],
        ),
        (
            "staged, then deleted in the work tree",
            |r| {
                r.write("new.txt", "x\n");
                r.git(&["add", "-A"]);
                std::fs::remove_file(r.path().join("new.txt")).expect("it exists");
            },
            &[("new.txt", "x\n", None)],
        ),
        (
            "a FIFO in its place",
            |r| {
                r.write("new.txt", "x\n");
                r.git(&["add", "-A"]);
                std::fs::remove_file(r.path().join("new.txt")).expect("it exists");
                assert!(r.program("mkfifo").arg("new.txt").status().expect("mkfifo runs").success());
            },
            &[("new.txt", "x\n", None)],
        ),
        (
            "lines removed only",
            |r| {
                r.write("old.txt", "one\nthree\n");
                r.git(&["add", "-A"]);
            },
            &[],
        ),
        (
            "file removed",
            |r| {
                r.git(&["rm", "-q", "old.txt"]);
            },
            &[],
        ),
        (
            "mode changed only",
            |r| {
                r.git(&["update-index", "--chmod=+x", "old.txt"]);
            },
            &[],
        ),
        (
            "renamed",
            |r| {
                r.git(&["mv", "old.txt", "moved.txt"]);
            },
            &[],
        ),
        (
            "renamed and edited",
            |r| {
                r.git(&["mv", "old.txt", "moved.txt"]);
                r.write("moved.txt", "one\ntwo\nthree\nfour\n");
                r.git(&["add", "-A"]);
            },
            &[("moved.txt", "one\ntwo\nthree\nfour\n", Some(&[(4, 4)]))],
        ),
        (
            "moved into a directory",
            |r| {
                std::fs::create_dir(r.path().join("d")).expect("it is new");
                r.git(&["mv", "old.txt", "d/old.txt"]);
            },
            &[],
        ),
        (
            "replaced by something else",
            |r| {
                r.git(&["mv", "old.txt", "other.txt"]);
                r.write("other.txt", "quite\nanother\ntext\n");
                r.git(&["add", "-A"]);
            },
            &[("other.txt", "quite\nanother\ntext\n", None)],
        ),
        (
            "link",
            |r| {
                std::os::unix::fs::symlink("some/target", r.path().join("link")).expect("links work");
                r.git(&["add", "-A"]);
            },
            &[("link", "some/target", None)],
        ),
        (
            "file becomes a link",
            |r| {
                std::fs::remove_file(r.path().join("old.txt")).expect("it exists");
                std::os::unix::fs::symlink("some/target", r.path().join("old.txt")).expect("links work");
                r.git(&["add", "-A"]);
            },
            &[("old.txt", "some/target", None)],
        ),
        (
            "file becomes a directory",
            |r| {
                std::fs::remove_file(r.path().join("old.txt")).expect("it exists");
                r.write("old.txt/inner", "x\n");
                r.git(&["add", "-A"]);
            },
            &[("old.txt/inner", "x\n", None)],
        ),
        (
            "intent to add",
            |r| {
                r.write("new.txt", "x\n");
                r.git(&["add", "-N", "new.txt"]);
            },
            &[],
        ),
        (
            "ignored but forced",
            |r| {
                r.write(".git/info/exclude", "*.env\n");
                r.write("a.env", "x\n");
                r.git(&["add", "-f", "a.env"]);
            },
            &[("a.env", "x\n", None)],
        ),
        (
            "hidden from people",
            |r| {
                r.write("old.txt", "one\nnew\nthree\n");
                r.git(&["add", "-A"]);
                r.git(&["update-index", "--assume-unchanged", "--skip-worktree", "old.txt"]);
            },
            &[("old.txt", "one\nnew\nthree\n", Some(&[(2, 2)]))],
        ),
        (
            "attributes against diffs",
            |r| {
                r.write(".git/info/attributes", "* -diff binary\n");
                r.write("old.txt", "one\nnew\nthree\n");
                r.git(&["add", "-A"]);
            },
            &[("old.txt", "one\nnew\nthree\n", Some(&[(2, 2)]))],
        ),
        (
            "a filter cleans what is committed",
            |r| {
                r.git(&["config", "filter.f.clean", "sed s/dirty/clean/"]);
                r.write(".git/info/attributes", "*.txt filter=f\n");
                r.write("new.txt", "dirty\n");
                r.git(&["add", "-A"]);
            },
            &[("new.txt", "clean\n", None)],
        ),
        (
            "binary",
            |r| {
                r.write("old.txt", "one\0\n");
                r.git(&["add", "-A"]);
            },
            &[("old.txt", "one\0\n", None)],
        ),
        (
            "hostile names",
            |r| {
                r.write("a\n\"b\x1b[31m é", "x\n");
                r.git(&["add", "-A"]);
            },
            &[("a\n\"b\x1b[31m é", "x\n", None)],
        ),
        (
            "index version 4",
            |r| {
                r.git(&["update-index", "--index-version", "4"]);
                r.write("old.txt2", "x\n");
                r.git(&["add", "-A"]);
            },
            &[("old.txt2", "x\n", None)],
        ),
        (
            "split index",
            |r| {
                r.git(&["update-index", "--split-index"]);
                r.write("new.txt", "x\n");
                r.git(&["add", "-A"]);
            },
            &[("new.txt", "x\n", None)],
        ),
        (
            "split index without more changes",
            |r| {
                r.write("new.txt", "x\n");
                r.git(&["add", "-A"]);
                r.git(&["update-index", "--split-index"]);
            },
            &[("new.txt", "x\n", None)],
        ),
        (
            "extensions of the index",
            |r| {
                r.git(&["config", "index.skipHash", "true"]);
                r.git(&["update-index", "--untracked-cache"]);
                r.write("new.txt", "x\n");
                r.git(&["add", "-A"]);
            },
            &[("new.txt", "x\n", None)],
        ),
        (
            "replaced blob",
            |r| {
                r.write("new.txt", "x\n");
                r.git(&["add", "-A"]);
                let harmless = r.git(&["hash-object", "-w", "old.txt"]);
                r.git(&["replace", "-f", r.git(&["rev-parse", ":new.txt"]).trim(), harmless.trim()]);
            },
            &[("new.txt", "x\n", None)],
        ),
        (
            "detached HEAD, packed",
            |r| {
                r.git(&["checkout", "-q", "--detach"]);
                r.git(&["gc", "-q"]);
                r.write("old.txt", "zero\none\ntwo\nthree\n");
                r.git(&["add", "-A"]);
            },
            &[("old.txt", "zero\none\ntwo\nthree\n", Some(&[(1, 1)]))],
        ),
    ];
    for (situation, prepare, expected) in situations {
        let repository = with_commit();
        prepare(&repository);
        expect(situation, &staged(&repository), expected);
        // git's own list of paths agrees: whatever is read was changed, and is what git would commit.
        for (path, (bytes, _)) in &staged(&repository).content {
            let shown =
                repository.try_git(&["--no-replace-objects", "cat-file", "blob", &format!(":{path}")]);
            assert_eq!(&shown.stdout, bytes, "{situation}: {path:?}");
        }
    }
}

#[test]
fn the_first_commit_is_read_whole() {
    for options in [&[][..], &["--object-format=sha256"], &["--ref-format=reftable"]] {
        let repository = Repository::with_options(options);
        expect("no index yet", &staged_or_unborn(&repository), &[]);
        repository.write("a", "x\n");
        repository.git(&["add", "-A"]);
        expect("unborn", &staged(&repository), &[("a", "x\n", None)]);
        repository.commit_all("first");
        repository.write("b", "y\n");
        repository.git(&["add", "-A"]);
        let caught = staged(&repository);
        assert_eq!(caught.content["b"].0, b"y\n", "{options:?}");
        // Where HEAD cannot be read, everything counts.
        assert_eq!(caught.content.contains_key("a"), options.contains(&"--ref-format=reftable"));
    }
}

/// Before the first `git add` there is no index; with an unknown HEAD that is an error, which is right as well.
fn staged_or_unborn(repository: &Repository) -> Caught {
    staged_in(repository.path(), GitEnvironment::default()).unwrap_or_default()
}

#[test]
fn new_paths_are_content() {
    let repository = with_commit();
    repository.write("new name", "x\n");
    repository.write("old.txt", "changed\n");
    repository.git(&["add", "-A"]);
    assert_eq!(staged(&repository).names, ["new name"]);
}

#[test]
fn merges_bring_only_what_is_in_no_parent() {
    let repository = with_commit();
    repository.git(&["checkout", "-q", "-b", "side"]);
    repository.write("side.txt", "s\n");
    repository.write("old.txt", "one\nside\nthree\n");
    repository.commit_all("side");
    repository.git(&["checkout", "-q", "main"]);
    repository.write("old.txt", "one\nmain\nthree\n");
    repository.commit_all("main");
    assert!(!repository.try_git(&["merge", "-q", "side"]).status.success(), "there is a conflict");
    let paths: Vec<_> = staged(&repository).content.into_keys().collect();
    assert_eq!(paths, Vec::<String>::new(), "both stages are known to a parent");
    repository.write("old.txt", "one\nside\nmain\nevil\nthree\n");
    repository.git(&["add", "-A"]);
    expect(
        "resolved",
        &staged(&repository),
        &[("old.txt", "one\nside\nmain\nevil\nthree\n", Some(&[(4, 4)]))],
    );
}

#[test]
fn conflicts_outside_a_merge_are_read() {
    let repository = with_commit();
    repository.write("old.txt", "one\nstash\nthree\n");
    repository.git(&["stash", "-q"]);
    repository.write("old.txt", "one\nmain\nthree\n");
    repository.commit_all("main");
    assert!(!repository.try_git(&["stash", "pop", "-q"]).status.success());
    expect("theirs", &staged(&repository), &[("old.txt", "one\nstash\nthree\n", Some(&[(2, 2)]))]);
}

#[test]
fn sparse_indices_are_unfolded_where_they_differ() {
    let repository = with_commit();
    repository.write("in/a", "a\n");
    repository.write("out/deep/b", "b\n");
    repository.commit_all("second");
    repository.git(&["sparse-checkout", "set", "--cone", "--sparse-index", "in"]);
    expect("the same", &staged(&repository), &[]);
    // The folded directory stays; HEAD moves below it.
    let before = repository.git(&["rev-parse", "HEAD~1"]);
    repository.git(&["update-ref", "HEAD", before.trim()]);
    expect("folded and new", &staged(&repository), &[("in/a", "a\n", None), ("out/deep/b", "b\n", None)]);
}

/// Runs a commit whose pre-commit hook writes down its environment and then refuses.
fn environment_of_hook(repository: &Repository, directory: &Path, arguments: &[&str]) -> GitEnvironment {
    let dump = repository.outside().join("environment");
    let hooks = repository.git_in(directory, &["rev-parse", "--path-format=absolute", "--git-path", "hooks"]);
    let hook = Path::new(hooks.trim()).join("pre-commit");
    let index_copy = repository.outside().join("index-copy");
    let _ = std::fs::remove_dir_all(&index_copy);
    // The index of `commit <path>` is gone after the hook: it is kept so that it can be read from outside.
    let script = format!(
        "#!/bin/sh\nenv -0 > '{}'\nmkdir -p '{copy}'\ncp \"$GIT_INDEX_FILE\" '{copy}/index'\nexit 1\n",
        dump.display(),
        copy = index_copy.display()
    );
    repository.write_executable(&hook, script);
    let commit = [&["commit", "-q", "-m", "blocked"], arguments].concat();
    let output = repository.command(directory).args(&commit).output().expect("git can be started");
    assert!(!output.status.success(), "the hook refuses");
    let bytes = std::fs::read(&dump).expect("the hook ran");
    let variables: BTreeMap<String, OsString> = String::from_utf8_lossy(&bytes)
        .split('\0')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_string(), OsString::from(value)))
        .collect();
    let mut environment = GitEnvironment::from_lookup(|name| variables.get(name).cloned());
    let index = environment.index_file.clone().expect("git names the index");
    if !directory.join(&index).exists() || index.is_absolute() {
        environment.index_file = Some(index_copy.join("index"));
    }
    environment
}

#[test]
fn the_index_that_the_hook_is_given_is_read() {
    type Row<'a> = (&'a str, &'a [&'a str], &'a [&'a str]);
    let rows: &[Row<'_>] = &[
        ("plain", &[], &["staged"]),
        ("-a", &["-a"], &["old.txt", "staged"]),
        ("a path", &["old.txt"], &["old.txt"]),
        ("-i a path", &["-i", "old.txt"], &["old.txt", "staged"]),
        ("--amend", &["--amend"], &["staged"]),
    ];
    for (situation, arguments, expected) in rows {
        let repository = with_commit();
        repository.write("staged", "s\n");
        repository.git(&["add", "staged"]);
        repository.write("old.txt", "changed\n");
        let environment = environment_of_hook(&repository, repository.path(), arguments);
        repository.write("sub/dir/keep", "");
        for directory in [repository.path().to_path_buf(), repository.path().join("sub/dir")] {
            let caught = staged_in(&directory, environment.clone()).unwrap_or_else(|error| panic!("{error}"));
            let paths: Vec<_> = caught.content.keys().map(String::as_str).collect();
            assert_eq!(&paths, expected, "{situation} in {}", directory.display());
        }
    }
}

#[test]
fn linked_worktrees_and_submodules_are_read() {
    let repository = with_commit();
    let tree = repository.outside().join("linked");
    repository.git(&["worktree", "add", "-q", "-b", "side", &tree.to_string_lossy()]);
    let inner = Repository::new();
    inner.write("a", "a\n");
    inner.commit_all("inner");
    let url = inner.path().to_string_lossy().into_owned();
    repository.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &url, "module"]);
    let module = repository.path().join("module");
    let caught = staged(&repository);
    assert_eq!(caught.coverage.skipped.get(&SkipReason::Submodule), Some(&1));
    for directory in [tree, module] {
        std::fs::write(directory.join("new"), "x\n").expect("it can be written");
        repository.git_in(&directory, &["add", "new"]);
        let plain =
            staged_in(&directory, GitEnvironment::default()).unwrap_or_else(|error| panic!("{error}"));
        expect("discovered", &plain, &[("new", "x\n", None)]);
        let environment = environment_of_hook(&repository, &directory, &[]);
        let hooked = staged_in(&directory, environment).unwrap_or_else(|error| panic!("{error}"));
        expect("as the hook", &hooked, &[("new", "x\n", None)]);
    }
}

#[test]
fn what_cannot_be_known_is_an_error() {
    let repository = with_commit();
    let elsewhere = tempfile::tempdir().expect("a temporary directory can be made");
    let error = |directory: &Path, environment: GitEnvironment| {
        let message = staged_in(directory, environment).err().map(|error| error.message);
        message.unwrap_or_else(|| panic!("{} was read", directory.display()))
    };
    let none = GitEnvironment::default;
    let ceiling = GitEnvironment { ceiling_directories: Some(elsewhere.path().into()), ..none() };
    assert!(error(&elsewhere.path().canonicalize().expect("it exists"), ceiling).contains("not in a git"));
    assert!(error(Path::new("/nonexistent"), none()).contains("cannot open the directory"));
    let index_file = Some("frontend/index".into());
    assert!(error(repository.path(), GitEnvironment { index_file, ..none() }).contains("does not exist"));
    let git_dir = Some("nowhere".into());
    assert!(error(repository.path(), GitEnvironment { git_dir, ..none() }).contains("GIT_DIR"));
    std::fs::rename(repository.path().join(".git/index"), repository.path().join(".git/i"))
        .expect("it exists");
    assert!(error(repository.path(), none()).contains("does not exist"));
    repository.write(".git/index", "DIRC garbage");
    assert!(error(repository.path(), none()).contains("cannot read the index"));
    std::fs::rename(repository.path().join(".git/i"), repository.path().join(".git/index"))
        .expect("it exists");
    repository.write(".git/refs/heads/main", format!("{}\n", "1".repeat(40)));
    assert!(error(repository.path(), none()).contains("missing"));
    let bare = Repository::with_options(&["--bare"]);
    assert!(error(bare.path(), none()).contains("bare"));
    let unknown = Repository::new();
    unknown.git(&["config", "core.repositoryFormatVersion", "1"]);
    unknown.git(&["config", "extensions.fromTheFuture", "1"]);
    assert!(error(unknown.path(), none()).contains("fromthefuture"));
}

#[test]
fn blobs_that_cannot_be_read_are_problems() {
    let repository = with_commit();
    repository.write("big", "x".repeat(4096));
    repository.write("small", "y\n");
    repository.git(&["add", "-A"]);
    let options = StagedOptions::new(repository.path(), GitEnvironment::default());
    let caught = catch(&Staged::new(StagedOptions { max_blob_size: Some(100), ..options })).ok();
    let kinds = |caught: Caught| caught.problems.into_iter().map(|problem| problem.kind).collect::<Vec<_>>();
    assert_eq!(caught.map(kinds), Some(vec![ProblemKind::TooLarge]));
    let id = repository.git(&["rev-parse", ":small"]);
    let object = repository.path().join(".git/objects").join(&id[..2]).join(id[2..].trim());
    std::fs::remove_file(object).expect("it is loose");
    let caught = staged(&repository);
    assert_eq!(caught.problems[0].object.as_deref(), Some(id.trim()));
    assert!(caught.content.contains_key("big"), "the rest is scanned");
    assert_eq!(kinds(caught), [ProblemKind::BadObject]);
}

#[test]
fn many_changes_are_all_covered() {
    let repository = with_commit();
    for number in 0..100 {
        repository.write(format!("d{}/f{number}", number % 7), format!("{number}\n"));
    }
    repository.git(&["add", "-A"]);
    let caught = staged(&repository);
    assert_eq!((caught.content.len(), caught.names.len(), caught.coverage.files), (100, 100, 100));
}

#[test]
fn hooks_are_where_git_looks_for_them() {
    let repository = with_commit();
    for configured in [None, Some("my hooks"), Some("~/hooks"), Some("/abs/hooks")] {
        if let Some(path) = configured {
            repository.git(&["config", "core.hooksPath", path]);
        }
        let environment = GitEnvironment {
            home: Some(repository.outside().into()),
            config_without_system: true,
            ..Default::default()
        };
        let layout = Layout::discover(repository.path(), &environment).expect("it is a repository");
        let settings = Settings::read(Some(&layout), &environment).expect("it can be read");
        let expected = repository.git(&["rev-parse", "--path-format=absolute", "--git-path", "hooks"]);
        assert_eq!(settings.hooks_directory(&layout), Path::new(expected.trim()));
        assert_eq!(settings.hooks_path().as_deref(), configured.map(Path::new));
    }
}

#[test]
fn commit_messages_are_read_as_git_keeps_them() {
    let repository = with_commit();
    repository.write("message", "title\n\n# comment\nbody\n");
    for (without_editor, expected) in [(true, "title\n\n# comment\nbody\n"), (false, "title\n\n\nbody\n")] {
        let environment =
            GitEnvironment { without_editor, config_without_system: true, ..Default::default() };
        let caught = catch(&CommitMessage::new("message", repository.path(), environment));
        let caught = caught.unwrap_or_else(|error| panic!("{error}"));
        expect("message", &caught, &[("message", expected, None)]);
    }
}
