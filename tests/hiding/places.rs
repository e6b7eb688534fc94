//! Places in git: what only history, a reference, the index or a message holds.
//!
//! Must not know: keyfence.
//! Invariant: what a place plants stands nowhere else, and nothing leads to it but what the place is about.

use std::fs;
use std::path::Path;

use super::maker::{Change, Maker};
use super::secrets::Secret;
use super::{Level, Level::*, Mode, Mode::*};

/// A place that needs commands of git.
pub struct GitPlace {
    pub name: &'static str,
    pub level: Level,
    /// The scans that have to see it.
    pub seen_by: &'static [Mode],
    /// Plants the secret; `false` where a secret of this kind cannot stand there.
    pub plant: fn(&Maker, &Secret) -> bool,
}

/// What the history of `main` between the base and its tip holds.
const ON_MAIN: &[Mode] = &[History, Reachable, Range];
/// What another reference, a reflog or an index leads to.
const REFERRED: &[Mode] = &[History, Reachable];
/// What only a look at everything stored finds.
const STORED: &[Mode] = &[History];
/// What lies in the work tree and is not staged.
const ON_DISK: &[Mode] = &[Tree, AllFiles];

macro_rules! place {
    ($level:expr, $name:literal, $seen_by:expr, $plant:expr) => {
        GitPlace {
            name: $name,
            level: $level,
            seen_by: $seen_by,
            plant: |maker, secret| {
                #[allow(clippy::redundant_closure_call)]
                $plant(maker, secret);
                true
            },
        }
    };
}

fn clean(name: &str) -> Vec<u8> {
    format!("{name}: nothing to see\n").into_bytes()
}

fn lines(secret: &Secret) -> Vec<u8> {
    secret.lines().into_bytes()
}

fn id(output: &str) -> &str {
    output.trim_end()
}

/// Commits `ours` and `theirs` on top of `main`; gives both.
fn fork(maker: &Maker, name: &str) -> (String, String) {
    let tip = maker.main();
    let side = |which: &str| {
        let path = format!("sides/{name}-{which}.txt");
        maker.commit(&[&tip], which, &[Change::Put(path.as_bytes(), &clean(which))])
    };
    (side("ours"), side("theirs"))
}

/// A merge on `main` that brings what none of its parents has; a later commit takes it away.
fn evil_merge(maker: &Maker, parents: &[&str], path: &str, content: &[u8]) {
    let merge = maker.commit(parents, "Merge", &[Change::Put(path.as_bytes(), content)]);
    maker.refer("refs/heads/main", &merge);
    maker.on_main("Take away", &[Change::Delete(path.as_bytes())]);
}

/// A stash as git makes it: the work tree, the index and what was untracked.
fn stash(maker: &Maker, worktree: &[u8], index: &[u8], untracked: &[u8]) -> String {
    let tip = maker.main();
    let index = maker.commit(&[&tip], "index on main", &[Change::Put(b"stash/index.env", index)]);
    let untracked = maker.commit(&[], "untracked files on main", &[Change::Put(b"stash/new.env", untracked)]);
    let changes = [Change::Put(b"stash/tree.env", worktree)];
    maker.commit(&[&tip, &index, &untracked], "WIP on main", &changes)
}

fn push_stash(maker: &Maker, stash: &str) {
    maker.git(&["update-ref", "--create-reflog", "-m", "WIP", "refs/stash", stash]);
}

fn tag(target: &str, kind: &str, message: &str) -> Vec<u8> {
    let tagger = "tagger Somebody <somebody@example.org> 1767225600 +0000";
    format!("object {target}\ntype {kind}\ntag v1\n{tagger}\n\n{message}\n").into_bytes()
}

fn write(path: &Path, content: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().expect("it is in the repository")).expect("directories can be made");
    fs::write(path, content).expect("a file can be written");
}

fn worktree(maker: &Maker, name: &str) -> std::path::PathBuf {
    let path = maker.repository.outside().join(name);
    let target = path.to_str().expect("the temporary directory is UTF-8");
    maker.git(&["worktree", "add", "--quiet", "--detach", "--no-checkout", target, "main"]);
    path
}

/// What stands before the range.
pub const BEGINNING: &[GitPlace] = &[place!(Must, "root-commit", REFERRED, |m: &Maker, s: &Secret| {
    let root = m.commit(&[], "Begin", &[Change::Put(b"root.env", &lines(s))]);
    m.refer("refs/heads/main", &root);
    m.on_main("Go on", &[Change::Delete(b"root.env"), Change::Put(b"README.md", &clean("A desk"))]);
    // A file in whose place a link will be staged.
    m.on_main("A file", &[Change::Put(b"content/typechange", &clean("a file"))]);
})];

/// Everything that is planted before the files: history, references, what is only stored.
pub const HISTORY: &[GitPlace] = &[
    place!(Must, "deleted-file", ON_MAIN, |m: &Maker, s: &Secret| m
        .passing(b"history/deleted.env", &lines(s))),
    place!(Must, "edited-line", ON_MAIN, |m: &Maker, s: &Secret| {
        let path = b"history/edited.env";
        m.on_main("Bring", &[Change::Put(path, &[b"A=1\n".to_vec(), lines(s), b"B=2\n".to_vec()].concat())]);
        m.on_main("Edit", &[Change::Put(path, b"A=1\nB=2\n")]);
    }),
    place!(Must, "rename-edit", ON_MAIN, |m: &Maker, s: &Secret| {
        let text = "a line that stays as it is\n".repeat(40);
        let (before, after) = (b"history/before.txt", b"history/after.txt");
        m.on_main("Bring", &[Change::Put(before, text.as_bytes())]);
        let edited = format!("{text}{}", s.lines());
        m.on_main("Move", &[Change::Delete(before), Change::Put(after, edited.as_bytes())]);
        m.on_main("Take away", &[Change::Delete(after)]);
    }),
    place!(Must, "across-commits", ON_MAIN, |m: &Maker, s: &Secret| {
        let (head, tail) = s.halves();
        let path = b"history/across.env";
        m.on_main("One half", &[Change::Put(path, head.as_bytes())]);
        m.on_main("The other half", &[Change::Put(path, format!("{head}{tail}").as_bytes())]);
        m.on_main("Take away", &[Change::Delete(path)]);
    }),
    place!(Must, "mode-change-only", ON_MAIN, |m: &Maker, s: &Secret| {
        let path = b"history/mode.sh";
        m.on_main("Bring", &[Change::Put(path, &lines(s))]);
        m.on_main("Mode", &[Change::PutExecutable(path, &lines(s))]);
        m.on_main("Take away", &[Change::Delete(path)]);
    }),
    place!(Must, "symlink-target", ON_MAIN, |m: &Maker, s: &Secret| {
        m.on_main("Bring", &[Change::Link(b"history/link", s.line().as_bytes())]);
        m.on_main("Take away", &[Change::Delete(b"history/link")]);
    }),
    place!(Must, "evil-merge-newfile", ON_MAIN, |m: &Maker, s: &Secret| {
        let (ours, theirs) = fork(m, "evil");
        evil_merge(m, &[&ours, &theirs], "history/evil.env", &lines(s));
    }),
    place!(Must, "evil-merge-conflict", ON_MAIN, |m: &Maker, s: &Secret| {
        let path = b"history/conflict.env";
        m.on_main("Bring", &[Change::Put(path, b"A=0\n")]);
        let tip = m.main();
        let ours = m.commit(&[&tip], "ours", &[Change::Put(path, b"A=1\n")]);
        let theirs = m.commit(&[&tip], "theirs", &[Change::Put(path, b"A=2\n")]);
        let resolved = [b"A=3\n".to_vec(), lines(s)].concat();
        evil_merge(m, &[&ours, &theirs], "history/conflict.env", &resolved);
    }),
    place!(Must, "octopus-merge", ON_MAIN, |m: &Maker, s: &Secret| {
        let (ours, theirs) = fork(m, "octopus");
        let third = m.commit(&[&m.main()], "third", &[Change::Put(b"sides/third.txt", &clean("third"))]);
        evil_merge(m, &[&ours, &theirs, &third], "history/octopus.env", &lines(s));
    }),
    place!(Must, "commit-message", ON_MAIN, |m: &Maker, s: &Secret| {
        m.on_main(&format!("Set the desk up\n\n{}", s.lines()), &[]);
    }),
    place!(Must, "merge-message", ON_MAIN, |m: &Maker, s: &Secret| {
        let (ours, theirs) = fork(m, "message");
        let merge = m.commit(&[&ours, &theirs], &format!("Merge\n\n{}", s.lines()), &[]);
        m.refer("refs/heads/main", &merge);
    }),
    place!(Must, "author-name", ON_MAIN, |m: &Maker, s: &Secret| {
        let commit = m.commit_by(&s.line(), &[&m.main()], "By somebody", &[]);
        m.refer("refs/heads/main", &commit);
    }),
    place!(Must, "replaced-blob", ON_MAIN, |m: &Maker, s: &Secret| {
        let (shown, hidden) = (m.object("blob", b"shown instead\n"), m.object("blob", &lines(s)));
        m.passing(b"history/replaced.env", &lines(s));
        m.git(&["replace", &hidden, &shown]);
    }),
    place!(Must, "branch-only", REFERRED, |m: &Maker, s: &Secret| {
        let commit = m.commit(&[&m.main()], "Side", &[Change::Put(b"history/branch.env", &lines(s))]);
        m.refer("refs/heads/side", &commit);
    }),
    place!(Must, "orphan-root", REFERRED, |m: &Maker, s: &Secret| {
        let commit = m.commit(&[], "Another beginning", &[Change::Put(b"history/orphan.env", &lines(s))]);
        m.refer("refs/heads/orphan", &commit);
    }),
    place!(Must, "tag-only", REFERRED, |m: &Maker, s: &Secret| {
        let commit = m.commit(&[&m.main()], "Release", &[Change::Put(b"history/tag.env", &lines(s))]);
        m.refer("refs/tags/release", &commit);
    }),
    place!(Must, "pull-ref", REFERRED, |m: &Maker, s: &Secret| {
        let commit = m.commit(&[&m.main()], "Pull", &[Change::Put(b"history/pull.env", &lines(s))]);
        m.refer("refs/pull/7/head", &commit);
    }),
    place!(Must, "remote-tracking", REFERRED, |m: &Maker, s: &Secret| {
        let commit = m.commit(&[&m.main()], "Theirs", &[Change::Put(b"history/remote.env", &lines(s))]);
        m.refer("refs/remotes/origin/topic", &commit);
    }),
    place!(Must, "note", REFERRED, |m: &Maker, s: &Secret| {
        m.git_with(&lines(s), &["notes", "add", "--force", "--file=-", "main"]);
    }),
    place!(Must, "merge-tip", REFERRED, |m: &Maker, s: &Secret| {
        let (ours, theirs) = fork(m, "tip");
        let change = [Change::Put(b"history/merge-tip.env" as &[u8], &lines(s))];
        let merge = m.commit(&[&ours, &theirs], "Merge", &change);
        m.refer("refs/heads/merged", &merge);
    }),
    place!(Must, "graft-hidden", REFERRED, |m: &Maker, s: &Secret| {
        let hidden = m.commit(&[&m.main()], "Hidden", &[Change::Put(b"history/graft.env", &lines(s))]);
        let after = m.commit(&[&hidden], "After", &[Change::Delete(b"history/graft.env")]);
        m.refer("refs/heads/grafted", &after);
        m.git(&["replace", "--graft", &after, "main"]);
    }),
    place!(Must, "tag-of-blob", REFERRED, |m: &Maker, s: &Secret| {
        let blob = m.object("blob", &lines(s));
        let object = m.object("tag", &tag(&blob, "blob", "A key"));
        m.refer("refs/tags/key", &object);
    }),
    place!(Must, "ref-to-blob", REFERRED, |m: &Maker, s: &Secret| {
        m.refer("refs/kept/blob", &m.object("blob", &lines(s)));
    }),
    place!(Must, "ref-to-tree", REFERRED, |m: &Maker, s: &Secret| {
        let blob = m.object("blob", &lines(s));
        let tree = m.git_with(format!("100644 blob {blob}\tkept.env\n").as_bytes(), &["mktree"]);
        m.refer("refs/kept/tree", &tree);
    }),
    place!(Must, "tag-message", REFERRED, |m: &Maker, s: &Secret| {
        let object = m.object("tag", &tag(&m.main(), "commit", &s.lines()));
        m.refer("refs/tags/message", &object);
    }),
    place!(Must, "stash-older", REFERRED, |m: &Maker, s: &Secret| {
        push_stash(m, &stash(m, &lines(s), b"older\n", b"older\n"));
    }),
    place!(Must, "stash-index", REFERRED, |m: &Maker, s: &Secret| {
        push_stash(m, &stash(m, b"A=1\n", &lines(s), b"second\n"));
    }),
    place!(Must, "stash-untracked", REFERRED, |m: &Maker, s: &Secret| {
        push_stash(m, &stash(m, b"A=2\n", b"third\n", &lines(s)));
    }),
    place!(Must, "stash-worktree", REFERRED, |m: &Maker, s: &Secret| {
        push_stash(m, &stash(m, &lines(s), b"fourth\n", b"fourth\n"));
    }),
    place!(Must, "linked-worktree", REFERRED, |m: &Maker, s: &Secret| {
        let path = worktree(m, "linked");
        let commit = m.commit(&[&m.main()], "Detached", &[Change::Put(b"history/linked.env", &lines(s))]);
        m.repository.git_in(&path, &["update-ref", "--no-deref", "HEAD", &commit]);
    }),
    place!(Must, "alternate-odb", REFERRED, |m: &Maker, s: &Secret| {
        let other = m.repository.outside().join("other.git");
        let target = other.to_str().expect("the temporary directory is UTF-8");
        m.git(&["init", "--quiet", "--bare", target]);
        let put = [Change::Put(b"history/alternate.env" as &[u8], &lines(s))];
        let commit = m.commit_in(&other, "Somebody", &[], "Elsewhere", &put);
        write(&m.path(".git/objects/info/alternates"), format!("{target}/objects\n"));
        m.refer("refs/heads/alternate", &commit);
    }),
    GitPlace {
        name: "branch-name",
        level: Should,
        seen_by: REFERRED,
        plant: |m, s| {
            let Some(joined) = s.joined(",") else { return false };
            m.refer(&format!("refs/heads/{joined}"), &m.main());
            true
        },
    },
    place!(Should, "reflog-only", REFERRED, |m: &Maker, s: &Secret| {
        let commit = m.commit(&[&m.main()], "Undone", &[Change::Put(b"history/reflog.env", &lines(s))]);
        m.git(&["update-ref", "--create-reflog", "refs/heads/undone", &commit]);
        m.git(&["update-ref", "--create-reflog", "refs/heads/undone", &m.main()]);
    }),
    place!(Should, "replacement-blob", REFERRED, |m: &Maker, s: &Secret| {
        let shown = m.object("blob", b"stored, and replaced by something else\n");
        m.git(&["replace", &shown, &m.object("blob", &lines(s))]);
    }),
    place!(Should, "submodule-history", STORED, |m: &Maker, s: &Secret| {
        let module = m.path(".git/modules/desk");
        let target = module.to_str().expect("the temporary directory is UTF-8");
        m.git(&["init", "--quiet", "--bare", target]);
        let put = [Change::Put(b"module.env" as &[u8], &lines(s))];
        let commit = m.commit_in(&module, "Somebody", &[], "In a module", &put);
        m.repository.git_in(&module, &["update-ref", "refs/heads/main", &commit]);
    }),
    place!(Should, "dangling-blob", STORED, |m: &Maker, s: &Secret| {
        m.object("blob", &lines(s));
    }),
    place!(Should, "dangling-commit", STORED, |m: &Maker, s: &Secret| {
        m.commit(&[&m.main()], "Nobody's", &[Change::Put(b"history/dangling.env", &lines(s))]);
    }),
    place!(Should, "dangling-tag", STORED, |m: &Maker, s: &Secret| {
        m.object("tag", &tag(&m.main(), "commit", &format!("Nobody's\n\n{}", s.lines())));
    }),
    place!(Should, "stash-dropped", STORED, |m: &Maker, s: &Secret| {
        stash(m, &lines(s), b"dropped\n", b"dropped\n");
    }),
    place!(Should, "orig-head", REFERRED, |m: &Maker, s: &Secret| {
        let commit = m.commit(&[&m.main()], "Before", &[Change::Put(b"history/orig.env", &lines(s))]);
        m.git(&["update-ref", "ORIG_HEAD", &commit]);
    }),
    place!(Should, "commit-header", REFERRED, |m: &Maker, s: &Secret| {
        let tree = m.git(&["rev-parse", "main^{tree}"]);
        let (tree, main) = (id(&tree), m.main());
        let person = "Somebody <somebody@example.org> 1767225600 +0000";
        let head = format!("tree {tree}\nparent {main}\nauthor {person}\ncommitter {person}\n");
        let header = s.lines().trim_end().replace('\n', "\n ");
        let commit = m.object("commit", format!("{head}x-desk {header}\n\nA header\n").as_bytes());
        m.refer("refs/heads/header", &commit);
    }),
    place!(Should, "lfs-object", STORED, |m: &Maker, s: &Secret| {
        let name = "ab".repeat(32);
        write(&m.path(&format!(".git/lfs/objects/ab/ab/{name}")), s.lines());
    }),
    GitPlace {
        name: "git-config-url",
        level: Should,
        seen_by: STORED,
        plant: |m, s| {
            let Some(joined) = s.joined("&") else { return false };
            m.git(&[
                "config",
                "remote.origin.url",
                &format!("https://packages.example.org/desk.git?{joined}"),
            ]);
            true
        },
    },
    place!(May, "git-hook-file", STORED, |m: &Maker, s: &Secret| {
        write(&m.path(".git/hooks/post-checkout"), format!("#!/bin/sh\n{}", s.lines()));
    }),
    place!(May, "reflog-message", REFERRED, |m: &Maker, s: &Secret| {
        let message = format!("commit: {}", s.line());
        m.git(&["update-ref", "--create-reflog", "-m", &message, "refs/heads/logged", &m.main()]);
    }),
];

/// What stays staged, or only in the work tree, when everything else is committed.
pub const WORK: &[GitPlace] = &[
    place!(Must, "typechange", &[Staged, History, Reachable, Range], |m: &Maker, s: &Secret| {
        let link = m.path("content/typechange");
        let _ = fs::remove_file(&link);
        std::os::unix::fs::symlink(s.line(), link).expect("links can be made");
    }),
    place!(Must, "staged-only", &[Tree, AllFiles, Staged, History, Reachable], |m: &Maker, s: &Secret| {
        write(&m.path("staged.env"), s.lines());
        m.git(&["add", "staged.env"]);
    }),
    place!(Must, "staged-then-deleted", &[Staged, History, Reachable], |m: &Maker, s: &Secret| {
        write(&m.path("staged-deleted.env"), s.lines());
        m.git(&["add", "staged-deleted.env"]);
        fs::remove_file(m.path("staged-deleted.env")).expect("it was just written");
    }),
    place!(Must, "unstaged-edit", ON_DISK, |m: &Maker, s: &Secret| {
        write(&m.path("README.md"), s.lines());
    }),
    place!(Must, "untracked", ON_DISK, |m: &Maker, s: &Secret| {
        write(&m.path("untracked.env"), s.lines());
    }),
    place!(Should, "gitignored", &[AllFiles], |m: &Maker, s: &Secret| {
        write(&m.path(".git/info/exclude"), "ignored.env\n");
        write(&m.path("ignored.env"), s.lines());
    }),
    place!(Should, "linked-index", REFERRED, |m: &Maker, s: &Secret| {
        let path = worktree(m, "linked-index");
        write(&path.join("linked-index.env"), s.lines());
        m.repository.git_in(&path, &["add", "linked-index.env"]);
    }),
];
