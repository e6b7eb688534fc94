//! Rows in which the hook is started from elsewhere, or in which git makes the commit by itself.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::support::{KEYFENCE, Repository, leaking_env};
use super::{CLEAN, Passed, Row, Stopped, commit, commit_with, leak, linked};

/// Puts a hook in the place of the installed one that goes to a directory first, as managers of hooks do.
fn wrap(repository: &Repository<'_>) {
    repository.stage("frontend/index.js", "// nothing\n");
    repository.git(&["commit", "--quiet", "-m", "Frontend"]);
    let hook = repository.top.join(".git/hooks/pre-commit");
    let script = format!("#!/bin/sh\ncd frontend && exec '{KEYFENCE}' hook run pre-commit\n");
    fs::write(&hook, script).expect("the sandbox is writable");
    fs::set_permissions(hook, fs::Permissions::from_mode(0o755)).expect("it is ours");
}

/// From where the hook is run, and who commits.
pub const WRAPPERS: &[Row] = &[
    ("the hook changes the directory", Stopped, |r| {
        wrap(r);
        leak(r);
        commit(r)
    }),
    ("the hook changes the directory, -a", Stopped, |r| {
        wrap(r);
        r.write("README.md", &leaking_env());
        commit_with(r, &["-a"])
    }),
    ("the hook changes the directory, <path>", Stopped, |r| {
        wrap(r);
        r.write("README.md", &leaking_env());
        commit_with(r, &["--", "README.md"])
    }),
    ("the hook changes the directory, in a linked worktree", Stopped, |r| {
        wrap(r);
        let linked = linked(r);
        leak(&linked);
        commit(&linked)
    }),
    ("the hook changes the directory, without a leak", Passed, |r| {
        wrap(r);
        r.stage("bot.py", CLEAN);
        r.write(".env", &leaking_env());
        commit(r)
    }),
    ("a merge that git commits", Stopped, |r| {
        r.keyfence(&["hook", "install", "--stage", "pre-merge-commit"]);
        r.git(&["checkout", "--quiet", "-b", "side"]);
        leak(r);
        r.git(&["commit", "--quiet", "--no-verify", "-m", "x"]);
        r.git(&["checkout", "--quiet", "main"]);
        r.stage("bot.py", CLEAN);
        r.git(&["commit", "--quiet", "-m", "x"]);
        r.try_git(&["merge", "--no-edit", "side"])
    }),
    ("a split index, <path>", Stopped, |r| {
        r.git(&["update-index", "--split-index"]);
        r.write("README.md", &leaking_env());
        commit_with(r, &["--", "README.md"])
    }),
];
