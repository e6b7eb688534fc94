//! One table: every situation in which git asks the installed hook, and whether the commit has to stop.
//!
//! Each row prepares a fresh repository (one commit, the hook installed for commits and messages) and tries to commit.
//! A stopped commit names what was found, keeps the value to itself and sends no file name to the terminal raw.

#![cfg(unix)]

#[path = "common/figures.rs"]
mod figures;
#[path = "hook_matrix/kinds.rs"]
mod kinds;
#[path = "cli/support.rs"]
mod support;
#[path = "hook_matrix/wrappers.rs"]
mod wrappers;

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Output;

use kinds::KINDS;
use support::{KEYFENCE, Repository, Sandbox, assert_stopped, leaking_env, secret_value, words};
use wrappers::WRAPPERS;

/// What has to come of a row.
enum Expected {
    /// Stopped, with the words for a Binance key.
    Stopped,
    /// Stopped because it could not be checked; this stands in the reason.
    Unchecked(&'static str),
    /// Committed.
    Passed,
}

use Expected::{Passed, Stopped, Unchecked};

type Row = (&'static str, Expected, fn(&Repository<'_>) -> Output);

const CLEAN: &str = "print('no secret here')\n";
const SUBJECT: &str = "Subject of the row";

fn commit(repository: &Repository<'_>) -> Output {
    commit_with(repository, &[])
}

fn commit_with(repository: &Repository<'_>, more: &[&str]) -> Output {
    repository.try_git(&[&["commit", "-m", SUBJECT], more].concat())
}

/// Commits with more in the environment.
fn commit_in(repository: &Repository<'_>, environment: &[(&str, &str)]) -> Output {
    let mut command = repository.sandbox.command("git", &repository.top);
    command.args(["commit", "-m", SUBJECT]).envs(environment.iter().copied());
    command.output().expect("git can be started")
}

fn shell(repository: &Repository<'_>, script: &str) -> Output {
    repository.run(Path::new("/bin/sh"), &["-c", script])
}

/// The hook as git would start it, without git: what runs is keyfence's doing.
fn hook(repository: &Repository<'_>) -> Output {
    repository.run(&repository.top.join(".git/hooks/pre-commit"), &[])
}

/// A split index beside the work tree; what it shares stays in the git directory.
fn split_elsewhere(repository: &Repository<'_>) {
    repository.git(&["update-index", "--split-index"]);
    shell(repository, "cp .git/index ../other");
}

fn in_other_index(repository: &Repository<'_>, script: &str) -> Output {
    shell(repository, &format!("export GIT_INDEX_FILE=$PWD/../other; {script}"))
}

fn leak(repository: &Repository<'_>) {
    repository.stage(".env", &leaking_env());
}

fn leak_bytes(repository: &Repository<'_>, name: &OsStr, bytes: &[u8]) -> Output {
    fs::write(repository.top.join(name), bytes).expect("the sandbox is writable");
    let mut command = repository.sandbox.command("git", &repository.top);
    let added = command
        .args(["--literal-pathspecs", "add", "--force", "--"])
        .arg(name)
        .output()
        .expect("git can be started");
    assert!(added.status.success(), "{}", words(&added));
    commit(repository)
}

fn named(repository: &Repository<'_>, name: &[u8]) -> Output {
    leak_bytes(repository, OsStr::from_bytes(name), leaking_env().as_bytes())
}

fn utf16(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(order).collect()
}

fn encoded(repository: &Repository<'_>, before: &str, order: fn(u16) -> [u8; 2]) -> Output {
    leak_bytes(repository, OsStr::new("keys.env"), &utf16(&format!("{before}{}", leaking_env()), order))
}

/// A value where a whole text is a name: `BINANCE_API_SECRET=…`.
fn assignment() -> String {
    format!("BINANCE_API_SECRET={}", secret_value())
}

fn link(repository: &Repository<'_>, name: &str, target: &str) {
    let path = repository.top.join(name);
    let _ = fs::remove_file(&path);
    std::os::unix::fs::symlink(target, path).expect("links can be made");
}

/// Another repository of the same sandbox, with the hook.
fn another<'a>(repository: &Repository<'a>, options: &[&str]) -> Repository<'a> {
    let top = repository.sandbox.path("another");
    let to = top.to_str().expect("the sandbox's name is UTF-8");
    repository.git(&[&["init", "--quiet", "--initial-branch=main"], options, &[to]].concat());
    let another = Repository { sandbox: repository.sandbox, top };
    another.first_commit();
    another.install_hook();
    another
}

fn cloned<'a>(repository: &Repository<'a>, options: &[&str]) -> Repository<'a> {
    let top = repository.sandbox.path("clone");
    let from = format!("file://{}", repository.top.display());
    let to = top.to_str().expect("the sandbox's name is UTF-8");
    repository.git(&[&["clone", "--quiet"], options, &[&from, to]].concat());
    let clone = Repository { sandbox: repository.sandbox, top };
    clone.install_hook();
    clone
}

fn linked<'a>(repository: &Repository<'a>) -> Repository<'a> {
    repository.git(&["worktree", "add", "--quiet", "../linked", "-b", "side"]);
    Repository { sandbox: repository.sandbox, top: repository.sandbox.path("linked") }
}

fn submodule<'a>(repository: &Repository<'a>) -> Repository<'a> {
    let origin = repository.sandbox.repository("origin");
    origin.first_commit();
    let allow = "protocol.file.allow=always";
    repository.git(&["-c", allow, "submodule", "--quiet", "add", "../origin", "module"]);
    repository.git(&["commit", "--quiet", "-m", "Add the module"]);
    let module = Repository { sandbox: repository.sandbox, top: repository.top.join("module") };
    module.install_hook();
    module
}

/// Two branches that changed the same line; the merge has stopped in a conflict.
fn conflict(repository: &Repository<'_>) {
    for (branch, line) in [("side", "side\n"), ("main", "main\n")] {
        let create: &[&str] = if branch == "side" { &["checkout", "-q", "-b"] } else { &["checkout", "-q"] };
        repository.git(&[create, &[branch]].concat());
        repository.stage("README.md", line);
        repository.git(&["commit", "--quiet", "-m", branch]);
    }
    assert!(!repository.try_git(&["merge", "--quiet", "side"]).status.success(), "there is a conflict");
}

/// A committed file of many lines, then a change far apart: a leak above, a harmless line below.
fn two_hunks(repository: &Repository<'_>) {
    let middle = "# nothing\n".repeat(40);
    repository.stage("settings.env", &format!("A=1\n{middle}B=1\n"));
    repository.git(&["commit", "--quiet", "-m", "Settings"]);
    repository.write("settings.env", &format!("{}A=1\n{middle}B=1\nC=1\n", leaking_env()));
}

/// Stages one of the two hunks.
fn stage_hunk(repository: &Repository<'_>, answers: &str) -> Output {
    shell(repository, &format!("printf '{answers}' | git add --patch settings.env >/dev/null"));
    repository.try_git(&["commit", "-m", SUBJECT])
}

fn sparse(repository: &Repository<'_>) {
    repository.stage("in/a", "a\n");
    repository.stage("out/deep/b", "b\n");
    repository.git(&["commit", "--quiet", "-m", "Directories"]);
    repository.git(&["sparse-checkout", "set", "--cone", "--sparse-index", "in"]);
}

fn configure(repository: &Repository<'_>, settings: &[(&str, &str)]) {
    settings.iter().for_each(|(name, value)| {
        repository.git(&["config", name, value]);
    });
}

/// A program that leaves a trace when somebody runs it.
fn canary(repository: &Repository<'_>) -> String {
    let trace = repository.sandbox.path("trace");
    repository.write(".git/canary", &format!("#!/bin/sh\necho ran >> '{}'\ncat\n", trace.display()));
    shell(repository, "chmod +x .git/canary");
    repository.top.join(".git/canary").display().to_string()
}

/// Runs the hook and asserts that the canary was left alone.
fn hook_with_canary(repository: &Repository<'_>) -> Output {
    let output = hook(repository);
    assert!(!repository.sandbox.path("trace").exists(), "a program of the configuration was run");
    output
}

/// Where the commit happens.
const PLACES: &[Row] = &[
    ("on a branch", Stopped, |r| {
        leak(r);
        commit(r)
    }),
    ("the first commit", Stopped, |r| {
        r.git(&["checkout", "--quiet", "--orphan", "new"]);
        leak(r);
        commit(r)
    }),
    ("a detached HEAD", Stopped, |r| {
        r.git(&["checkout", "--quiet", "--detach"]);
        leak(r);
        commit(r)
    }),
    ("from a subdirectory", Stopped, |r| {
        r.stage("sub/.env", &leaking_env());
        r.try_git(&["-C", "sub", "commit", "-m", SUBJECT])
    }),
    ("from a subdirectory, the leak above it", Stopped, |r| {
        leak(r);
        r.stage("sub/a", "a\n");
        r.try_git(&["-C", "sub", "commit", "-m", SUBJECT])
    }),
    ("GIT_DIR and GIT_WORK_TREE", Stopped, |r| {
        leak(r);
        let top = r.top.display();
        shell(r, &format!("cd / && GIT_DIR='{top}/.git' GIT_WORK_TREE='{top}' git commit -m x"))
    }),
    ("a relative GIT_DIR", Stopped, |r| {
        r.stage("sub/.env", &leaking_env());
        shell(r, "cd sub && GIT_DIR=../.git GIT_WORK_TREE=.. git commit -m x")
    }),
    ("GIT_INDEX_FILE", Stopped, |r| {
        shell(r, "cp .git/index .git/other");
        r.write(".env", &leaking_env());
        shell(r, "export GIT_INDEX_FILE=.git/other; git add .env; git commit -m x")
    }),
    ("a clean GIT_INDEX_FILE beside a leaking index", Passed, |r| {
        shell(r, "cp .git/index .git/other");
        leak(r);
        r.write("bot.py", CLEAN);
        shell(r, "export GIT_INDEX_FILE=.git/other; git add bot.py; git commit -m x")
    }),
    ("another object directory", Stopped, |r| {
        r.write(".env", &leaking_env());
        let script = "mkdir ../objects; export GIT_OBJECT_DIRECTORY=$PWD/../objects; \
            export GIT_ALTERNATE_OBJECT_DIRECTORIES=$PWD/.git/objects; git add .env; git commit -m x";
        shell(r, script)
    }),
    ("a git directory elsewhere", Stopped, |r| {
        let elsewhere = r.sandbox.path("elsewhere.git");
        let another = another(r, &["--separate-git-dir", elsewhere.to_str().expect("it is UTF-8")]);
        leak(&another);
        commit(&another)
    }),
    ("a linked worktree", Stopped, |r| {
        let linked = linked(r);
        leak(&linked);
        commit(&linked)
    }),
    ("a linked worktree, -a", Stopped, |r| {
        let linked = linked(r);
        linked.write("README.md", &leaking_env());
        commit_with(&linked, &["-a"])
    }),
    ("a linked worktree, the leak staged only in the main one", Passed, |r| {
        let linked = linked(r);
        leak(r);
        linked.stage("bot.py", CLEAN);
        commit(&linked)
    }),
    ("a submodule", Stopped, |r| {
        let module = submodule(r);
        leak(&module);
        commit(&module)
    }),
    ("a submodule, -a", Stopped, |r| {
        let module = submodule(r);
        module.write("README.md", &leaking_env());
        commit_with(&module, &["-a"])
    }),
    ("the repository that records a submodule", Passed, |r| {
        let module = submodule(r);
        leak(&module);
        module.git(&["commit", "--quiet", "--no-verify", "-m", "x"]);
        commit_with(r, &["-a"])
    }),
    ("a shared clone", Stopped, |r| {
        let clone = cloned(r, &["--shared"]);
        leak(&clone);
        commit(&clone)
    }),
    ("a shallow clone", Stopped, |r| {
        r.git(&["commit", "--quiet", "--allow-empty", "-m", "Second"]);
        let clone = cloned(r, &["--depth=1"]);
        leak(&clone);
        commit(&clone)
    }),
    ("a sha256 repository", Stopped, |r| {
        let another = another(r, &["--object-format=sha256"]);
        leak(&another);
        commit(&another)
    }),
    ("a reftable repository", Stopped, |r| {
        let another = another(r, &["--ref-format=reftable"]);
        leak(&another);
        commit(&another)
    }),
    ("an unwritable home and no directory for temporary files", Stopped, |r| {
        leak(r);
        commit_in(
            r,
            &[("HOME", "/nonexistent"), ("TMPDIR", "/nonexistent"), ("XDG_CONFIG_HOME", "/nonexistent")],
        )
    }),
    ("standard output closed", Stopped, |r| {
        leak(r);
        shell(r, "git commit -m x >&-")
    }),
    ("a full disk behind standard output", Stopped, |r| {
        leak(r);
        shell(r, "git commit -m x >/dev/full")
    }),
];

/// How it is staged and committed.
const WAYS: &[Row] = &[
    ("staged, then cleaned in the work tree", Stopped, |r| {
        leak(r);
        r.write(".env", "");
        commit(r)
    }),
    ("staged, then deleted in the work tree", Stopped, |r| {
        leak(r);
        fs::remove_file(r.top.join(".env")).expect("it was written");
        commit(r)
    }),
    ("staged, then a FIFO in its place", Stopped, |r| {
        leak(r);
        shell(r, "rm .env; mkfifo .env; git commit -m x")
    }),
    ("staged, then a directory in its place", Stopped, |r| {
        leak(r);
        shell(r, "rm .env; mkdir .env; git commit -m x")
    }),
    ("staged clean, dirty in the work tree", Passed, |r| {
        r.stage("bot.py", CLEAN);
        r.write("bot.py", &leaking_env());
        commit(r)
    }),
    ("only untracked", Passed, |r| {
        r.stage("bot.py", CLEAN);
        r.write(".env", &leaking_env());
        commit(r)
    }),
    ("the leaking hunk is staged", Stopped, |r| {
        two_hunks(r);
        stage_hunk(r, "y\\nn\\n")
    }),
    ("the other hunk is staged", Passed, |r| {
        two_hunks(r);
        stage_hunk(r, "n\\ny\\n")
    }),
    ("apply --cached", Stopped, |r| {
        two_hunks(r);
        shell(r, "git diff | git apply --cached && git checkout -q settings.env && git commit -m x")
    }),
    ("commit -a", Stopped, |r| {
        r.write("README.md", &leaking_env());
        commit_with(r, &["-a"])
    }),
    ("commit <path>", Stopped, |r| {
        r.stage("bot.py", CLEAN);
        r.write("README.md", &leaking_env());
        commit_with(r, &["--", "README.md"])
    }),
    ("commit <another path> beside a staged leak", Passed, |r| {
        leak(r);
        r.write("README.md", "changed\n");
        commit_with(r, &["--", "README.md"])
    }),
    ("commit --include", Stopped, |r| {
        r.write("README.md", &leaking_env());
        commit_with(r, &["--include", "README.md"])
    }),
    ("commit --only", Stopped, |r| {
        r.write("README.md", &leaking_env());
        commit_with(r, &["--only", "README.md"])
    }),
    ("commit --patch", Stopped, |r| {
        r.write("README.md", &leaking_env());
        shell(r, "printf 'y\\n' | git commit --patch -m x >/dev/null")
    }),
    ("commit --amend", Stopped, |r| {
        leak(r);
        commit_with(r, &["--amend"])
    }),
    ("commit --amend of a message only", Passed, |r| commit_with(r, &["--amend"])),
    ("commit --allow-empty", Passed, |r| commit_with(r, &["--allow-empty"])),
    ("commit --no-verify", Passed, |r| {
        leak(r);
        commit_with(r, &["--no-verify"])
    }),
    ("a resolved conflict with something of its own", Stopped, |r| {
        conflict(r);
        r.stage("README.md", &format!("both\n{}", leaking_env()));
        commit(r)
    }),
    ("a resolved conflict", Passed, |r| {
        conflict(r);
        r.stage("README.md", "both\n");
        commit(r)
    }),
    ("a merge without its commit, with something of its own", Stopped, |r| {
        r.git(&["checkout", "--quiet", "-b", "side"]);
        r.stage("bot.py", CLEAN);
        r.git(&["commit", "--quiet", "-m", "Side"]);
        r.git(&["checkout", "--quiet", "main"]);
        r.git(&["merge", "--quiet", "--no-ff", "--no-commit", "side"]);
        leak(r);
        commit(r)
    }),
    ("a squashed merge", Stopped, |r| {
        r.git(&["checkout", "--quiet", "-b", "side"]);
        leak(r);
        r.git(&["commit", "--quiet", "--no-verify", "-m", "x"]);
        r.git(&["checkout", "--quiet", "main"]);
        r.git(&["merge", "--quiet", "--squash", "side"]);
        commit(r)
    }),
    ("cherry-pick --no-commit, then commit", Stopped, |r| {
        r.git(&["checkout", "--quiet", "-b", "side"]);
        leak(r);
        r.git(&["commit", "--quiet", "--no-verify", "-m", "x"]);
        r.git(&["checkout", "--quiet", "main"]);
        r.git(&["cherry-pick", "--no-commit", "side"]);
        commit(r)
    }),
    ("renamed and edited", Stopped, |r| {
        r.git(&["mv", "README.md", "keys.env"]);
        r.stage("keys.env", &format!("A trading bot.\n{}", leaking_env()));
        commit(r)
    }),
    ("renamed, with an old leak in it", Passed, |r| {
        leak(r);
        r.git(&["commit", "--quiet", "--no-verify", "-m", "x"]);
        r.git(&["mv", ".env", "keys.env"]);
        commit(r)
    }),
    ("only a mode changes", Passed, |r| {
        r.git(&["update-index", "--chmod=+x", "README.md"]);
        commit(r)
    }),
    ("a file becomes a link", Stopped, |r| {
        link(r, "README.md", &assignment());
        commit_with(r, &["-a"])
    }),
    ("a link becomes a file", Stopped, |r| {
        link(r, "link", "README.md");
        r.git(&["add", "link"]);
        r.git(&["commit", "--quiet", "-m", "Link"]);
        fs::remove_file(r.top.join("link")).expect("it was made");
        r.stage("link", &leaking_env());
        commit(r)
    }),
    ("a new link", Stopped, |r| {
        link(r, "link", &assignment());
        r.git(&["add", "link"]);
        commit(r)
    }),
    ("a link to a file with a leak outside", Passed, |r| {
        fs::write(r.sandbox.path("outside.env"), leaking_env()).expect("the sandbox is writable");
        link(r, "link", "../outside.env");
        r.git(&["add", "link"]);
        commit(r)
    }),
    ("intent to add", Passed, |r| {
        r.stage("bot.py", CLEAN);
        r.write(".env", &leaking_env());
        r.git(&["add", "--intent-to-add", ".env"]);
        commit(r)
    }),
    ("intent to add, -a", Stopped, |r| {
        r.write(".env", &leaking_env());
        r.git(&["add", "--intent-to-add", ".env"]);
        commit_with(r, &["-a"])
    }),
    ("the leak is removed with its file", Passed, |r| {
        leak(r);
        r.git(&["commit", "--quiet", "--no-verify", "-m", "x"]);
        r.git(&["rm", "--quiet", ".env"]);
        commit(r)
    }),
    ("the leaking lines are removed", Passed, |r| {
        r.stage("settings.env", &format!("A=1\n{}B=1\n", leaking_env()));
        r.git(&["commit", "--quiet", "--no-verify", "-m", "x"]);
        r.stage("settings.env", "A=1\nB=1\n");
        commit(r)
    }),
    ("an old leak far from the change", Passed, |r| {
        let padding = "# nothing\n".repeat(200);
        r.stage("settings.env", &format!("{}{padding}A=1\n", leaking_env()));
        r.git(&["commit", "--quiet", "--no-verify", "-m", "x"]);
        r.stage("settings.env", &format!("{}{padding}A=2\n", leaking_env()));
        commit(r)
    }),
    ("the second half comes to the first", Stopped, |r| {
        let text = leaking_env();
        let (first, second) = text.split_once('\n').expect("the pair has two lines");
        r.stage(".env", &format!("{first}\n"));
        r.git(&["commit", "--quiet", "--no-verify", "-m", "x"]);
        r.stage(".env", &format!("{first}\n{second}"));
        commit(r)
    }),
];

/// What the index and the repository look like.
const STATES: &[Row] = &[
    ("a sparse index", Stopped, |r| {
        sparse(r);
        r.stage("in/.env", &leaking_env());
        commit(r)
    }),
    ("a sparse index, outside of what is checked out", Stopped, |r| {
        sparse(r);
        r.write("out/deep/.env", &leaking_env());
        r.git(&["add", "--sparse", "out/deep/.env"]);
        commit(r)
    }),
    ("a sparse index without a leak", Passed, |r| {
        sparse(r);
        r.stage("in/bot.py", CLEAN);
        commit(r)
    }),
    ("a split index", Stopped, |r| {
        r.git(&["update-index", "--split-index"]);
        leak(r);
        commit(r)
    }),
    ("a split index, -a", Stopped, |r| {
        r.git(&["update-index", "--split-index"]);
        r.write("README.md", &leaking_env());
        commit_with(r, &["-a"])
    }),
    ("a split index outside of the git directory", Stopped, |r| {
        split_elsewhere(r);
        r.write(".env", &leaking_env());
        in_other_index(r, "git add .env && exec git commit -m 'Subject of the row'")
    }),
    ("a split index outside of the git directory, a file that was there", Stopped, |r| {
        split_elsewhere(r);
        r.write("README.md", &leaking_env());
        in_other_index(r, "git add README.md && exec git commit -m 'Subject of the row'")
    }),
    ("a split index outside of the git directory, without a leak", Passed, |r| {
        split_elsewhere(r);
        r.write("bot.py", CLEAN);
        in_other_index(r, "git add bot.py && git rm -q README.md && exec git commit -m 'Subject of the row'")
    }),
    ("a split index outside of the git directory, with what it shares", Stopped, |r| {
        split_elsewhere(r);
        shell(r, "mv .git/sharedindex.* ..");
        r.write(".env", &leaking_env());
        in_other_index(r, "git add .env && exec git commit -m 'Subject of the row'")
    }),
    ("a split index whose shared part is gone", Unchecked("sharedindex"), |r| {
        r.git(&["update-index", "--split-index"]);
        shell(r, "rm .git/sharedindex.*");
        hook(r)
    }),
    ("a split index that shares itself", Unchecked("another sum"), |r| {
        let name = [0xab; 20];
        let index = [b"DIRC\0\0\0\x02\0\0\0\0link\0\0\0\x14", &name[..], &[0; 20]].concat();
        fs::write(r.top.join(".git/index"), &index).expect("the sandbox is writable");
        let shared = format!(".git/sharedindex.{}", "ab".repeat(20));
        fs::write(r.top.join(shared), &index).expect("the sandbox is writable");
        hook(r)
    }),
    ("an index with what a file system monitor told", Stopped, |r| {
        r.write(".git/monitor", "#!/bin/sh\nprintf 'token\\0/\\0'\n");
        shell(r, "chmod +x .git/monitor");
        configure(r, &[("core.fsmonitor", ".git/monitor"), ("core.fsmonitorHookVersion", "2")]);
        r.git(&["update-index", "--fsmonitor"]);
        leak(r);
        r.git(&["status"]);
        commit(r)
    }),
    ("an index of version 4", Stopped, |r| {
        r.git(&["update-index", "--index-version", "4"]);
        leak(r);
        commit(r)
    }),
    ("an untracked cache", Stopped, |r| {
        r.git(&["update-index", "--force-untracked-cache"]);
        leak(r);
        commit(r)
    }),
    ("an index without its checksum", Stopped, |r| {
        configure(r, &[("index.skipHash", "true")]);
        leak(r);
        commit(r)
    }),
    ("skip-worktree", Stopped, |r| {
        r.stage("README.md", &leaking_env());
        r.git(&["update-index", "--skip-worktree", "README.md"]);
        commit(r)
    }),
    ("assume-unchanged", Stopped, |r| {
        r.stage("README.md", &leaking_env());
        r.git(&["update-index", "--assume-unchanged", "README.md"]);
        commit(r)
    }),
    ("-diff in a staged .gitattributes", Stopped, |r| {
        r.stage(".gitattributes", "* -diff\n");
        leak(r);
        commit(r)
    }),
    ("binary in a staged .gitattributes", Stopped, |r| {
        r.stage(".gitattributes", "* binary\n");
        leak(r);
        commit(r)
    }),
    ("-diff in .git/info/attributes", Stopped, |r| {
        r.write(".git/info/attributes", "* -diff -text\n");
        leak(r);
        commit(r)
    }),
    ("ignored, but added by force", Stopped, |r| {
        r.stage(".gitignore", ".env\n");
        leak(r);
        commit(r)
    }),
    ("other tools' ignore files in the same commit", Stopped, |r| {
        for name in [".ignore", ".gitallowed", ".secretsignore", ".keyfenceignore"] {
            r.stage(name, ".*\n");
        }
        leak(r);
        commit(r)
    }),
    ("a filter cleans what is committed", Passed, |r| {
        configure(r, &[("filter.f.clean", "sed s/=.*/=/")]);
        r.write(".git/info/attributes", "*.env filter=f\n");
        r.stage("keys.env", &leaking_env());
        commit(r)
    }),
    ("a filter puts the leak in", Stopped, |r| {
        r.write(".git/leak", &leaking_env());
        configure(r, &[("filter.f.clean", "cat .git/leak")]);
        r.write(".git/info/attributes", "*.env filter=f\n");
        r.stage("keys.env", "nothing\n");
        commit(r)
    }),
    ("color.ui=always", Stopped, |r| {
        configure(r, &[("color.ui", "always"), ("color.diff", "always")]);
        leak(r);
        commit(r)
    }),
    ("an external diff", Stopped, |r| {
        leak(r);
        configure(r, &[("diff.external", &canary(r)), ("core.pager", &canary(r))]);
        hook_with_canary(r)
    }),
    ("a text conversion", Stopped, |r| {
        leak(r);
        r.write(".git/info/attributes", "* diff=c filter=c\n");
        configure(
            r,
            &[
                ("diff.c.textconv", &canary(r)),
                ("diff.c.command", &canary(r)),
                ("filter.c.smudge", &canary(r)),
            ],
        );
        hook_with_canary(r)
    }),
    ("a file system monitor", Stopped, |r| {
        leak(r);
        configure(r, &[("core.fsmonitor", &canary(r)), ("core.sshCommand", &canary(r))]);
        hook_with_canary(r)
    }),
    ("a replaced blob", Stopped, |r| {
        leak(r);
        shell(r, "git replace -f \"$(git rev-parse :.env)\" \"$(git rev-parse :README.md)\"; git commit -m x")
    }),
    ("everything packed", Stopped, |r| {
        leak(r);
        r.git(&["gc", "--quiet"]);
        commit(r)
    }),
    ("a staged object is missing", Unchecked("object"), |r| {
        leak(r);
        shell(
            r,
            "id=$(git rev-parse :.env); rm -f .git/objects/$(echo $id | cut -c1-2)/$(echo $id | cut -c3-)",
        );
        hook(r)
    }),
    ("a corrupt index", Unchecked("index"), |r| {
        leak(r);
        r.write(".git/index", "DIRC nonsense");
        hook(r)
    }),
    ("a HEAD that leads nowhere", Unchecked("missing"), |r| {
        leak(r);
        r.write(".git/refs/heads/main", &format!("{}\n", "1".repeat(40)));
        hook(r)
    }),
];

/// What the bytes and the names look like.
const CONTENTS: &[Row] = &[
    ("UTF-16, little end first, with a mark", Stopped, |r| encoded(r, "\u{feff}", u16::to_le_bytes)),
    ("UTF-16, big end first, with a mark", Stopped, |r| encoded(r, "\u{feff}", u16::to_be_bytes)),
    ("UTF-16, little end first", Stopped, |r| encoded(r, "", u16::to_le_bytes)),
    ("UTF-16, big end first", Stopped, |r| encoded(r, "", u16::to_be_bytes)),
    ("UTF-8 with a mark", Stopped, |r| {
        leak_bytes(r, OsStr::new(".env"), format!("\u{feff}{}", leaking_env()).as_bytes())
    }),
    ("NUL bytes", Stopped, |r| {
        leak_bytes(r, OsStr::new("state.db"), format!("\0\0\x01\0{}\0\0", leaking_env()).as_bytes())
    }),
    ("bytes that are no UTF-8", Stopped, |r| {
        leak_bytes(r, OsStr::new(".env"), &[b"# caf\xe9\n", leaking_env().as_bytes()].concat())
    }),
    ("CRLF", Stopped, |r| leak_bytes(r, OsStr::new(".env"), leaking_env().replace('\n', "\r\n").as_bytes())),
    ("no line end at the end", Stopped, |r| {
        leak_bytes(r, OsStr::new(".env"), leaking_env().trim().as_bytes())
    }),
    ("a .png that is text", Stopped, |r| named(r, b"picture.png")),
    ("a .lock that is text", Stopped, |r| named(r, b"settings.lock")),
    ("one line of 6 MB", Stopped, |r| {
        let text = format!("{}\n{}", "let a=1;".repeat(800_000), leaking_env());
        leak_bytes(r, OsStr::new("bundle.min.js"), text.as_bytes())
    }),
    ("30 MB of text", Stopped, |r| {
        let line = "2026-01-02 03:04:05 order 12345 BTC-USDT filled at a price that nobody wanted\n";
        let text = format!("{}{}", line.repeat(30_000_000 / line.len()), leaking_env());
        leak_bytes(r, OsStr::new("trades.log"), text.as_bytes())
    }),
    ("a secret in a file name", Stopped, |r| leak_bytes(r, OsStr::new(&assignment()), b"nothing\n")),
    ("a line break in a name", Stopped, |r| named(r, b"a\nb.env")),
    ("a quote in a name", Stopped, |r| named(r, b"it's \"a\".env")),
    ("an escape in a name", Stopped, |r| named(r, b"a\x1b[2J\x1b]0;t\x07.env")),
    ("a name that is no UTF-8", Stopped, |r| named(r, b"a\xff\xfe.env")),
    ("letters beyond ASCII in a name", Stopped, |r| named(r, "caf\u{e9} \u{5bc6}\u{94a5}.env".as_bytes())),
    ("direction marks in a name", Stopped, |r| named(r, "a\u{202e}vne.env".as_bytes())),
    ("blanks in a name", Stopped, |r| named(r, b" my keys .env")),
    ("a dash before a name", Stopped, |r| named(r, b"--staged.env")),
    ("a command of a CI system as a name", Stopped, |r| named(r, b"::error::x.env")),
    ("a glob as a name", Stopped, |r| named(r, b"*.env")),
];

/// What people said about it, and messages.
const WORDS: &[Row] = &[
    ("allowed in its lines", Passed, |r| {
        let text = leaking_env().replace('\n', " # keyfence:allow made up for a test\n");
        r.stage(".env", &text);
        commit(r)
    }),
    ("allowed by rule", Passed, |r| {
        let text = leaking_env();
        let (key, secret) = text.split_once('\n').expect("the pair has two lines");
        let secret = secret.trim();
        r.stage(
            ".env",
            &format!(
                "{key} # keyfence:allow[binance-api-key] x\n{secret} # keyfence:allow[binance-api-secret] x\n"
            ),
        );
        commit(r)
    }),
    ("allowed for another rule", Stopped, |r| {
        r.stage(".env", &leaking_env().replace('\n', " # keyfence:allow[kraken-api-key] x\n"));
        commit(r)
    }),
    ("allowed in the line above", Stopped, |r| {
        r.stage(".env", &format!("# keyfence:allow x\n# nothing\n{}", leaking_env()));
        commit(r)
    }),
    ("in the message", Stopped, |r| {
        r.stage("bot.py", CLEAN);
        commit_with(r, &["-m", &leaking_env()])
    }),
    ("in the message of an amended commit", Stopped, |r| commit_with(r, &["--amend", "-m", &leaking_env()])),
    ("in a message from a file", Stopped, |r| {
        r.stage("bot.py", CLEAN);
        fs::write(r.sandbox.path("message"), leaking_env()).expect("the sandbox is writable");
        r.try_git(&["commit", "-F", "../message"])
    }),
    ("in a comment of the message, which git removes", Passed, |r| {
        r.stage("bot.py", CLEAN);
        let comment = leaking_env().replace("BINANCE", "# BINANCE");
        fs::write(r.sandbox.path("message"), format!("Subject\n\n{comment}"))
            .expect("the sandbox is writable");
        shell(r, "GIT_EDITOR='cp ../message' git commit")
    }),
    ("below the scissors of commit --verbose", Passed, |r| {
        leak(r);
        r.git(&["commit", "--quiet", "--no-verify", "-m", "x"]);
        r.git(&["rm", "--quiet", ".env"]);
        shell(r, "GIT_EDITOR='sed -i 1s/^/Subject/' git commit --verbose")
    }),
];

/// All tables.
const TABLES: [&[Row]; 6] = [PLACES, WAYS, STATES, CONTENTS, WORDS, WRAPPERS];

#[test]
fn every_kind_has_its_rows() {
    let rows: HashSet<&str> = TABLES.into_iter().flatten().map(|row| row.0).collect();
    assert_eq!(rows.len(), TABLES.into_iter().map(<[Row]>::len).sum::<usize>(), "names are there once");
    let lacks =
        |(_, wanted): &&kinds::Kind| wanted.iter().any(|row| !rows.contains(row)) || wanted.is_empty();
    let lacking: Vec<_> = KINDS.iter().filter(lacks).map(|(kind, _)| kind).collect();
    assert!(lacking.is_empty(), "{} of {} kinds lack a row: {lacking:?}", lacking.len(), KINDS.len());
    let kinds: HashSet<&str> = KINDS.iter().map(|&(kind, _)| kind).collect();
    assert_eq!(kinds.len(), KINDS.len(), "kinds are there once");
    figures::record("kinds of hook cases", &format!("{0} of {0}", kinds.len()));
}

#[test]
fn places() {
    try_all(PLACES);
}

#[test]
fn ways() {
    try_all(WAYS);
}

#[test]
fn states() {
    try_all(STATES);
}

#[test]
fn contents() {
    try_all(CONTENTS);
}

#[test]
fn words_about_it() {
    try_all(WORDS);
}

#[test]
fn wrappers_of_it() {
    try_all(WRAPPERS);
}

/// Tries every row and tells all that went wrong at once.
fn try_all(rows: &[Row]) {
    let mut wrong = Vec::new();
    for row in rows {
        let tried = std::panic::catch_unwind(|| try_row(row));
        if let Err(panic) = tried {
            let reason = panic.downcast::<String>().map_or_else(|_| String::new(), |reason| *reason);
            wrong.push(format!("{}: {reason}", row.0));
        }
    }
    assert!(wrong.is_empty(), "{} of {} rows went wrong:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
    figures::share("hook cases", TABLES.len(), rows.len());
}

fn try_row((name, expected, build): &Row) {
    let sandbox = Sandbox::new();
    let repository = sandbox.repository("bot");
    repository.first_commit();
    repository.install_hook();
    let output = build(&repository);
    let told = words(&output);
    match expected {
        Passed => {
            assert!(output.status.success(), "{name}: {told}");
            assert!(!told.contains("keyfence stopped"), "{name}: {told}");
        }
        Stopped => assert_stopped(name, &output),
        Unchecked(reason) => {
            assert_eq!(output.status.code(), Some(3), "{name}: {told}");
            assert!(told.contains(reason) && told.contains("git commit --no-verify"), "{name}: {told}");
        }
    }
    let raw = told.chars().find(|character| character.is_control() && !"\n\t\r".contains(*character));
    assert_eq!(raw, None, "{name}: a control character reached the terminal");
    assert!(
        !told.contains('\u{202e}') && !told.lines().any(|line| line.trim_start().starts_with("::")),
        "{name}"
    );
    assert!(Path::new(KEYFENCE).is_file());
}
