//! The kinds of situation in which a commit is made, each with the rows of the table that stand for it.
//!
//! Must not know: how a row is made. A row may stand for several kinds; rows without a kind are variants.

/// A kind, and its rows.
pub type Kind = (&'static str, &'static [&'static str]);

/// What a scanner of commits gets wrong: each of these was got wrong by one, or needs its own way in git.
pub const KINDS: &[Kind] = &[
    // What is staged and what lies in the work tree.
    ("staged, then cleaned", &["staged, then cleaned in the work tree"]),
    ("staged, then deleted", &["staged, then deleted in the work tree"]),
    ("staged clean, dirty work tree", &["staged clean, dirty in the work tree"]),
    ("untracked", &["only untracked"]),
    ("partial hunk with the leak", &["the leaking hunk is staged", "apply --cached"]),
    ("partial hunk without the leak", &["the other hunk is staged"]),
    ("a tracked path is a FIFO now", &["staged, then a FIFO in its place"]),
    ("a tracked path is a directory now", &["staged, then a directory in its place"]),
    // How it is committed.
    ("commit", &["on a branch"]),
    ("commit -a", &["commit -a"]),
    ("commit <paths>", &["commit <path>"]),
    ("commit <paths> beside a staged leak", &["commit <another path> beside a staged leak"]),
    ("commit -i", &["commit --include"]),
    ("commit -o", &["commit --only"]),
    ("commit -p", &["commit --patch"]),
    ("commit --amend", &["commit --amend", "commit --amend of a message only"]),
    ("commit --no-verify", &["commit --no-verify"]),
    ("a merge that git commits", &["a merge that git commits"]),
    ("a merge that is committed by hand", &["a merge without its commit, with something of its own"]),
    ("a resolved conflict", &["a resolved conflict with something of its own", "a resolved conflict"]),
    ("a squashed merge", &["a squashed merge"]),
    ("cherry-pick -n, then commit", &["cherry-pick --no-commit, then commit"]),
    // A hook or wrapper that changes the directory.
    ("hook in a directory, commit", &["the hook changes the directory"]),
    ("hook in a directory, commit -a", &["the hook changes the directory, -a"]),
    ("hook in a directory, commit <paths>", &["the hook changes the directory, <path>"]),
    ("hook in a directory, linked worktree", &["the hook changes the directory, in a linked worktree"]),
    ("hook in a directory, clean", &["the hook changes the directory, without a leak"]),
    // Where.
    ("initial commit", &["the first commit"]),
    ("detached HEAD", &["a detached HEAD"]),
    ("subdirectory", &["from a subdirectory", "from a subdirectory, the leak above it"]),
    ("GIT_DIR and GIT_WORK_TREE", &["GIT_DIR and GIT_WORK_TREE", "a relative GIT_DIR"]),
    ("GIT_INDEX_FILE", &["GIT_INDEX_FILE", "a clean GIT_INDEX_FILE beside a leaking index"]),
    ("another object directory", &["another object directory"]),
    ("linked worktree", &["a linked worktree"]),
    ("linked worktree, commit -a", &["a linked worktree, -a"]),
    ("submodule", &["a submodule"]),
    ("submodule, commit -a", &["a submodule, -a"]),
    ("a submodule's new commit", &["the repository that records a submodule"]),
    ("alternates", &["a shared clone"]),
    ("shallow", &["a shallow clone"]),
    ("sha256", &["a sha256 repository"]),
    ("reftable", &["a reftable repository"]),
    ("unwritable HOME", &["an unwritable home and no directory for temporary files"]),
    ("unwritable TMPDIR", &["an unwritable home and no directory for temporary files"]),
    ("standard output closed", &["standard output closed", "a full disk behind standard output"]),
    // What changes.
    ("renamed and edited", &["renamed and edited", "renamed, with an old leak in it"]),
    ("typechange, file to link", &["a file becomes a link"]),
    ("typechange, link to file", &["a link becomes a file"]),
    ("symlink target", &["a new link", "a link to a file with a leak outside"]),
    ("mode only", &["only a mode changes"]),
    ("a secret in a file name", &["a secret in a file name"]),
    ("intent to add", &["intent to add", "intent to add, -a"]),
    ("removing a secret", &["the leak is removed with its file", "the leaking lines are removed"]),
    ("halves of a pair in two commits", &["the second half comes to the first"]),
    // The index.
    ("sparse index", &["a sparse index", "a sparse index without a leak"]),
    ("sparse index, outside the cone", &["a sparse index, outside of what is checked out"]),
    ("split index", &["a split index"]),
    ("split index, next-index lock", &["a split index, -a", "a split index, <path>"]),
    (
        "split index outside of .git",
        &[
            "a split index outside of the git directory",
            "a split index outside of the git directory, a file that was there",
            "a split index outside of the git directory, without a leak",
            "a split index outside of the git directory, with what it shares",
        ],
    ),
    ("index v4", &["an index of version 4"]),
    ("untracked cache", &["an untracked cache"]),
    ("fsmonitor extension", &["an index with what a file system monitor told"]),
    ("skipHash", &["an index without its checksum"]),
    ("skip-worktree", &["skip-worktree"]),
    ("assume-unchanged", &["assume-unchanged"]),
    ("a missing staged object", &["a staged object is missing"]),
    // Attributes and settings.
    ("-diff", &["-diff in a staged .gitattributes"]),
    ("binary", &["binary in a staged .gitattributes"]),
    ("info/attributes", &["-diff in .git/info/attributes"]),
    ("a clean filter strips", &["a filter cleans what is committed"]),
    ("a clean filter reveals", &["a filter puts the leak in"]),
    ("color.ui=always", &["color.ui=always"]),
    ("diff.external", &["an external diff"]),
    ("textconv", &["a text conversion"]),
    // Bytes.
    (
        "UTF-16",
        &[
            "UTF-16, little end first, with a mark",
            "UTF-16, big end first, with a mark",
            "UTF-16, little end first",
            "UTF-16, big end first",
        ],
    ),
    ("NUL bytes", &["NUL bytes"]),
    ("a picture's name", &["a .png that is text"]),
    ("30 MB of text", &["30 MB of text"]),
    ("a line of 5.6 MB", &["one line of 6 MB"]),
    // Names.
    ("a line break in a name", &["a line break in a name"]),
    ("a quote in a name", &["a quote in a name"]),
    ("an escape in a name", &["an escape in a name"]),
    ("a name that is no UTF-8", &["a name that is no UTF-8"]),
    ("letters beyond ASCII in a name", &["letters beyond ASCII in a name"]),
    ("a blank in a name", &["blanks in a name"]),
    // What people say about it.
    ("an ignore file in the same commit", &["other tools' ignore files in the same commit"]),
    ("an inline comment", &["allowed in its lines", "allowed for another rule"]),
    ("a message", &["in the message", "in the message of an amended commit", "in a message from a file"]),
    (
        "what git removes from a message",
        &["in a comment of the message, which git removes", "below the scissors of commit --verbose"],
    ),
];
