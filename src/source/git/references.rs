//! Everything from which git reaches objects: references, HEADs, reflogs, indexes, and where a shallow clone ends.
//!
//! The files are read here and not through a library, because each one that is broken must be told by its name and a
//! pipe in the place of one must not keep a scan waiting; git's own readers pass over what they do not understand.
//!
//! Must not know: objects, what a root is for.
//! Invariant: replacement references and grafts are roots like any other and are never applied; what cannot be
//! understood is a problem with its name, except what git itself keeps in these places under other names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use gix::hash::{Kind as HashKind, ObjectId};

use super::Layout;
use super::format::RepositoryFormat;
use super::index::read_index;
use super::layout::{is_absent, read_regular};
use crate::model::{FilePath, Problem, ProblemKind};
use crate::source::SourceError;

/// The file of all references that were packed.
pub(super) const PACKED: &[u8] = b"packed-refs";
/// A reference is one line; FETCH_HEAD has one for each branch.
const REFERENCE_LIMIT: u64 = 16 * 1024 * 1024;
/// `packed-refs` and reflogs of the largest repositories are far below this.
const LIST_LIMIT: u64 = 1024 * 1024 * 1024;
/// As many symbolic references as git follows.
const SYMBOLIC_LIMIT: usize = 5;
/// As deep as directories of references may be nested.
const DEPTH_LIMIT: usize = 64;
/// What a rebase or an `am` in progress remembers in its directory.
const IN_PROGRESS: [&str; 8] = [
    "rebase-merge/orig-head",
    "rebase-merge/onto",
    "rebase-merge/autostash",
    "rebase-merge/stopped-sha",
    "rebase-merge/amend",
    "rebase-apply/orig-head",
    "rebase-apply/onto",
    "rebase-apply/autostash",
];

/// What names a root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum RootKind {
    /// `refs/heads/`.
    Branch,
    /// `refs/tags/`.
    Tag,
    /// `refs/remotes/`.
    RemoteTracking,
    /// `refs/replace/`: what would stand in the place of another object.
    Replacement,
    /// Any other reference: notes, the stash, pull requests, bisection.
    Other,
    /// HEAD of a work tree.
    Head,
    /// ORIG_HEAD, MERGE_HEAD, FETCH_HEAD and the like, and what a rebase in progress remembers.
    PseudoReference,
    /// A line of a reflog.
    Reflog,
    /// An entry of an index.
    Index,
}

/// An object that is kept because something names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Root {
    /// What is named; need not be a commit.
    pub id: ObjectId,
    /// The full name as git writes it (`refs/heads/main`, `worktrees/other/HEAD`), or the path of an index entry.
    pub name: Vec<u8>,
    /// What names it.
    pub kind: RootKind,
}

/// All references of a repository, those of linked worktrees included.
#[derive(Debug, Default)]
pub(super) struct References {
    /// Sorted by name. Symbolic references are not among them, except HEADs, with what they lead to.
    pub roots: Vec<Root>,
    /// What could not be understood.
    pub problems: Vec<Problem>,
    symbolic: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// One reflog as it is stored; its messages are content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reflog {
    /// The reference it is the log of, as in [`Root::name`].
    pub name: Vec<u8>,
    pub bytes: Vec<u8>,
}

/// A work tree of the repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Worktree {
    /// What git puts before its own references: nothing for the one we look from.
    pub prefix: Vec<u8>,
    /// Its private directory.
    pub git_dir: PathBuf,
}

impl References {
    /// Reads all references.
    ///
    /// # Errors
    /// When references are kept in a way that is not known here: then nothing could be told from what was not read.
    pub(super) fn read(layout: &Layout, format: RepositoryFormat) -> Result<Self, SourceError> {
        if !format.references_are_files {
            return Err(SourceError {
                message: "the repository keeps its references in a reftable, which is not supported".to_owned(),
                hint: Some(
                    "scan a clone: `git clone --mirror --ref-format=files`; `keyfence scan --staged` works here"
                        .to_owned(),
                ),
            });
        }
        let mut reading = Reading::new(format.hash);
        reading.packed(&layout.common_dir.join("packed-refs"));
        reading.loose(&layout.common_dir.join("refs"), b"refs", 0);
        for worktree in reading.worktrees(layout) {
            reading.of_worktree(layout, &worktree);
        }
        Ok(reading.finish())
    }

    /// Whether the reference `name` is `other`, or leads to it by name.
    pub(super) fn is_by_name(&self, name: &[u8], other: &[u8]) -> bool {
        let mut name = name;
        for _ in 0..=SYMBOLIC_LIMIT {
            match self.symbolic.get(name) {
                _ if name == other => return true,
                Some(next) => name = next,
                None => return false,
            }
        }
        false
    }

    /// What the reference of exactly this name leads to.
    ///
    /// # Errors
    /// When something that could not be read may say what it leads to: an older answer that `packed-refs` still holds
    /// would be a wrong one.
    pub(super) fn find(&self, name: &[u8]) -> Result<Option<ObjectId>, &Problem> {
        let mut name = name;
        for _ in 0..=SYMBOLIC_LIMIT {
            if let Some(problem) = self.unread(name) {
                return Err(problem);
            }
            if let Some(next) = self.symbolic.get(name) {
                name = next;
                continue;
            }
            let at = self.roots.binary_search_by(|root| root.name.as_slice().cmp(name)).ok();
            return Ok(at.map(|at| self.roots[at].id));
        }
        Ok(None)
    }

    /// What kept the reference of this name, or a directory above it, from being read.
    pub(super) fn unread(&self, name: &[u8]) -> Option<&Problem> {
        self.problems.iter().find(|problem| {
            let rest = problem.path.as_ref().and_then(|path| name.strip_prefix(path.as_bytes()));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
        })
    }
}

/// The reflogs of all references of all work trees, their roots (old and new ids), and what could not be read.
pub(super) fn reflogs(layout: &Layout, hash: HashKind) -> (Vec<Reflog>, Vec<Root>, Vec<Problem>) {
    let mut reading = Reading::new(hash);
    reading.logs(&layout.common_dir.join("logs"), b"", 0);
    for worktree in reading.worktrees(layout) {
        if worktree.git_dir != layout.common_dir {
            reading.logs(&worktree.git_dir.join("logs"), &worktree.prefix, 0);
        }
    }
    reading.logs.sort_by(|one, other| one.name.cmp(&other.name));
    let mut roots = Vec::new();
    for log in &reading.logs {
        for line in log.bytes.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            let words: Vec<_> = line.splitn(3, |&byte| byte == b' ').take(2).collect();
            let ids: Vec<_> = words.iter().filter_map(|word| full_id(word, hash)).collect();
            if ids.len() < 2 {
                let problem = unreadable(&log.name, "its reflog has a line that names no objects");
                reading.problems.push(problem);
                break;
            }
            let named = ids.into_iter().filter(|id| !id.is_null());
            roots.extend(named.map(|id| Root { id, name: log.name.clone(), kind: RootKind::Reflog }));
        }
    }
    roots.sort();
    roots.dedup();
    (reading.logs, roots, reading.problems)
}

/// The files and links of the indexes of all work trees; folded directories of sparse indexes are trees.
pub(super) fn index_roots(layout: &Layout, hash: HashKind) -> (Vec<Root>, Vec<Problem>) {
    let mut reading = Reading::new(hash);
    let mut roots = Vec::new();
    for worktree in reading.worktrees(layout) {
        let path = worktree.git_dir.join("index");
        match fs::symlink_metadata(&path) {
            Err(error) if is_absent(&error) => continue,
            _ => {}
        }
        match read_index(&path, &worktree.git_dir, hash) {
            Ok(index) => {
                let files =
                    index.entries().iter().filter(|entry| entry.mode != gix::index::entry::Mode::COMMIT);
                roots.extend(files.map(|entry| Root {
                    id: entry.id,
                    name: entry.path(&index).to_vec(),
                    kind: RootKind::Index,
                }));
            }
            Err(reason) => {
                let name = [&worktree.prefix, b"index".as_slice()].concat();
                reading.problems.push(unreadable(&name, &format!("the index cannot be read: {reason}")));
            }
        }
    }
    roots.sort();
    roots.dedup();
    (roots, reading.problems)
}

/// The commits at which a shallow clone was cut off.
///
/// # Errors
/// When it cannot be known.
pub(super) fn shallow_boundary(layout: &Layout, hash: HashKind) -> Result<BTreeSet<ObjectId>, Problem> {
    let bytes = match read_regular(&layout.common_dir.join("shallow"), LIST_LIMIT) {
        Ok(bytes) => bytes,
        Err(error) if is_absent(&error) => return Ok(BTreeSet::new()),
        Err(error) => {
            return Err(unreadable(b"shallow", &format!("where the clone was cut off is unknown: {error}")));
        }
    };
    let lines = bytes.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    lines
        .map(|line| full_id(line, hash).ok_or_else(|| unreadable(b"shallow", "a line of it is no object id")))
        .collect()
}

/// What is gathered while files are read.
struct Reading {
    hash: HashKind,
    found: BTreeMap<Vec<u8>, (ObjectId, RootKind)>,
    /// Roots that share one name, such as the lines of FETCH_HEAD.
    more: Vec<Root>,
    symbolic: BTreeMap<Vec<u8>, Vec<u8>>,
    logs: Vec<Reflog>,
    problems: Vec<Problem>,
}

impl Reading {
    fn new(hash: HashKind) -> Self {
        Self {
            hash,
            found: BTreeMap::new(),
            more: Vec::new(),
            symbolic: BTreeMap::new(),
            logs: Vec::new(),
            problems: Vec::new(),
        }
    }

    fn finish(self) -> References {
        let named = self.found.into_iter().map(|(name, (id, kind))| Root { id, name, kind });
        let mut references =
            References { roots: named.collect(), problems: self.problems, symbolic: self.symbolic };
        let heads: Vec<Root> = references
            .symbolic
            .keys()
            .filter(|name| is_head(name))
            .filter_map(|name| {
                let id = references.find(name).ok().flatten()?;
                Some(Root { id, name: name.clone(), kind: RootKind::Head })
            })
            .collect();
        references.roots.extend(heads);
        references.roots.extend(self.more);
        references.roots.sort_by(|one, other| (&one.name, one.id).cmp(&(&other.name, other.id)));
        references
    }

    /// The lines of `packed-refs`; loose files, read later, win over them.
    fn packed(&mut self, path: &Path) {
        let bytes = match read_regular(path, LIST_LIMIT) {
            Ok(bytes) => bytes,
            Err(error) if is_absent(&error) => return,
            Err(error) => {
                self.problems.push(unreadable(PACKED, &error.to_string()));
                return;
            }
        };
        for line in bytes.split(|&byte| byte == b'\n') {
            // Peeled ids of tags are reached through the tags.
            if line.is_empty() || line.starts_with(b"#") || line.starts_with(b"^") {
                continue;
            }
            let (id, name) = line.split_at(line.len().min(self.hash.len_in_hex()));
            match (full_id(id, self.hash).filter(|id| !id.is_null()), name.strip_prefix(b" ")) {
                (Some(id), Some(name)) if !name.is_empty() => {
                    self.found.insert(name.to_vec(), (id, kind_of(name)));
                }
                _ => self.problems.push(unreadable(PACKED, "a line of it names no object")),
            }
        }
    }

    /// The files below a directory of references; `name` is the directory's own.
    fn loose(&mut self, directory: &Path, name: &[u8], depth: usize) {
        for (path, name) in self.list(directory, name, depth) {
            if path.is_dir() {
                self.loose(&path, &name, depth + 1);
            } else {
                let kind = kind_of(&name);
                self.file(&path, &name, kind);
            }
        }
    }

    fn logs(&mut self, directory: &Path, prefix: &[u8], depth: usize) {
        for (path, name) in self.list(directory, prefix, depth) {
            if path.is_dir() {
                self.logs(&path, &name, depth + 1);
            } else if !is_passed_over(&name) {
                match read_regular(&path, LIST_LIMIT) {
                    Ok(bytes) => self.logs.push(Reflog { name, bytes }),
                    Err(error) => {
                        self.problems.push(unreadable(&name, &format!("its reflog cannot be read: {error}")));
                    }
                }
            }
        }
    }

    /// What is in a directory, sorted, with full names; no directory is an empty one.
    fn list(&mut self, directory: &Path, name: &[u8], depth: usize) -> Vec<(PathBuf, Vec<u8>)> {
        if depth > DEPTH_LIMIT {
            self.problems.push(unreadable(name, "directories are nested too deep"));
            return Vec::new();
        }
        let listed = fs::read_dir(directory).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let entries = match listed {
            Ok(entries) => entries,
            Err(error) if is_absent(&error) => return Vec::new(),
            Err(error) => {
                self.problems.push(unreadable(name, &format!("the directory cannot be listed: {error}")));
                return Vec::new();
            }
        };
        let separator: &[u8] = if name.is_empty() || name.ends_with(b"/") { b"" } else { b"/" };
        let full = |file: &std::ffi::OsStr| [name, separator, file.as_encoded_bytes()].concat();
        let mut named: Vec<_> =
            entries.into_iter().map(|entry| (entry.path(), full(&entry.file_name()))).collect();
        named.sort();
        named
    }

    /// One file that holds one reference.
    fn file(&mut self, path: &Path, name: &[u8], kind: RootKind) {
        let bytes = match read_regular(path, REFERENCE_LIMIT) {
            Ok(bytes) => bytes,
            // It was removed or packed since the directory was listed.
            Err(error) if is_absent(&error) && fs::symlink_metadata(path).is_err() => return,
            Err(_) if is_passed_over(name) => return,
            Err(error) => {
                self.problems.push(unreadable(name, &error.to_string()));
                return;
            }
        };
        if let Some(target) = bytes.strip_prefix(b"ref:") {
            self.symbolic.insert(name.to_vec(), target.trim_ascii().to_vec());
            self.found.remove(name);
            return;
        }
        let first = bytes.split(u8::is_ascii_whitespace).next().unwrap_or_default();
        match full_id(first, self.hash).filter(|id| !id.is_null()) {
            Some(id) => {
                self.found.insert(name.to_vec(), (id, kind));
            }
            None if is_passed_over(name) => {}
            None => self.problems.push(unreadable(name, "it names no object")),
        }
    }

    /// All work trees: the one that `layout` looks from, the main one, the linked ones.
    fn worktrees(&mut self, layout: &Layout) -> Vec<Worktree> {
        let mut worktrees = vec![Worktree { prefix: Vec::new(), git_dir: layout.git_dir.clone() }];
        if layout.is_linked_worktree() {
            let git_dir = layout.common_dir.clone();
            worktrees.push(Worktree { prefix: b"main-worktree/".to_vec(), git_dir });
        }
        for (path, mut name) in self.list(&layout.common_dir.join("worktrees"), b"worktrees", 0) {
            if path.is_dir() && path != layout.git_dir {
                name.push(b'/');
                worktrees.push(Worktree { prefix: name, git_dir: path });
            }
        }
        worktrees
    }

    /// HEAD, what else is named in capitals, and the references that a work tree has for itself.
    fn of_worktree(&mut self, layout: &Layout, worktree: &Worktree) {
        let named = |name: &[u8]| [worktree.prefix.as_slice(), name].concat();
        for (path, name) in self.list(&worktree.git_dir, &worktree.prefix, 0) {
            let short = &name[worktree.prefix.len()..];
            let in_capitals = short.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'_');
            if short == b"HEAD" {
                self.file(&path, &name, RootKind::Head);
            } else if in_capitals && path.is_file() {
                self.pseudo_reference(&path, &name);
            }
        }
        for file in IN_PROGRESS {
            let path = worktree.git_dir.join(file);
            if path.is_file() {
                self.pseudo_reference(&path, &named(file.as_bytes()));
            }
        }
        if worktree.git_dir != layout.common_dir {
            self.loose(&worktree.git_dir.join("refs"), &named(b"refs"), 0);
        }
    }

    /// Every line that begins with an id; messages are kept under such names as well, and hold none.
    fn pseudo_reference(&mut self, path: &Path, name: &[u8]) {
        let bytes = match read_regular(path, REFERENCE_LIMIT) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.problems.push(unreadable(name, &error.to_string()));
                return;
            }
        };
        let mut ids = bytes
            .split(|&byte| byte == b'\n')
            .filter_map(|line| full_id(line.split(u8::is_ascii_whitespace).next()?, self.hash))
            .filter(|id| !id.is_null())
            .peekable();
        let is_symbolic = bytes.starts_with(b"ref:");
        if ids.peek().is_none() && name.ends_with(b"_HEAD") && !bytes.is_empty() && !is_symbolic {
            self.problems.push(unreadable(name, "it names no object"));
        }
        let kind = RootKind::PseudoReference;
        self.more.extend(ids.map(|id| Root { id, name: name.to_vec(), kind }));
    }
}

fn kind_of(name: &[u8]) -> RootKind {
    // References of one work tree have its name before theirs.
    let at = memchr::memmem::find(name, b"refs/").unwrap_or(0);
    let kinds: [(&[u8], RootKind); 4] = [
        (b"refs/heads/", RootKind::Branch),
        (b"refs/tags/", RootKind::Tag),
        (b"refs/remotes/", RootKind::RemoteTracking),
        (b"refs/replace/", RootKind::Replacement),
    ];
    let known = kinds.iter().find(|(prefix, _)| name[at..].starts_with(prefix));
    known.map_or(RootKind::Other, |(_, kind)| *kind)
}

fn is_head(name: &[u8]) -> bool {
    name == b"HEAD" || (name.ends_with(b"/HEAD") && memchr::memmem::find(name, b"refs/").is_none())
}

/// Lock files and hidden files, which no reference can be named like and git passes over.
fn is_passed_over(name: &[u8]) -> bool {
    let file = name.rsplit(|&byte| byte == b'/').next().unwrap_or(name);
    file.starts_with(b".") || file.ends_with(b".lock")
}

fn full_id(hex: &[u8], hash: HashKind) -> Option<ObjectId> {
    (hex.len() == hash.len_in_hex()).then(|| ObjectId::from_hex(hex).ok()).flatten()
}

fn unreadable(name: &[u8], reason: &str) -> Problem {
    let problem = Problem::at(
        ProblemKind::Unreadable,
        FilePath::from_bytes(name),
        format!("what git keeps under this name cannot be understood: {reason}"),
    );
    problem.with_hint("`git fsck` and `git for-each-ref` say what is wrong with it")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::common::Repository;
    use super::super::{GitEnvironment, Layout};
    use super::{PACKED, References, RepositoryFormat, RootKind, index_roots, reflogs, shallow_boundary};

    fn layout(repository: &Repository) -> Layout {
        Layout::discover(repository.path(), &GitEnvironment::default()).expect("it is a repository")
    }

    fn format(layout: &Layout) -> RepositoryFormat {
        RepositoryFormat::read(layout).expect("its format is known")
    }

    fn references(repository: &Repository) -> References {
        let layout = layout(repository);
        References::read(&layout, format(&layout)).expect("its references are files")
    }

    fn with_commit(options: &[&str]) -> Repository {
        let repository = Repository::with_options(options);
        repository.write("a", "1\n");
        repository.commit_all("first");
        repository
    }

    /// `git rev-parse`.
    fn id(repository: &Repository, name: &str) -> String {
        repository.git(&["rev-parse", name]).trim().to_owned()
    }

    fn named(references: &References) -> Vec<(String, RootKind)> {
        let name = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
        references.roots.iter().map(|root| (name(&root.name), root.kind)).collect()
    }

    #[test]
    fn every_kind_of_reference_is_a_root() {
        for options in [&[][..], &["--object-format=sha256"]] {
            let repository = with_commit(options);
            repository.git(&["tag", "light"]);
            repository.git(&["tag", "-a", "-m", "t", "heavy"]);
            repository.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
            repository.git(&["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main"]);
            repository.git(&["notes", "add", "-m", "n"]);
            repository.git(&["pack-refs", "--all"]);
            repository.git(&["branch", "loose"]);
            repository.git(&["worktree", "add", "-q", "--detach", "../other"]);
            repository
                .git_in(&repository.outside().join("other"), &["update-ref", "refs/bisect/bad", "HEAD"]);
            repository.write("a", "2\n");
            repository.git(&["stash", "-q"]);
            repository.git(&["reset", "-q", "--hard", "HEAD"]);
            repository.write("a", "3\n");
            repository.commit_all("second");
            repository.git(&["replace", "HEAD", "HEAD~1"]);
            let references = references(&repository);
            assert_eq!(references.problems, [], "{options:?}");
            let expected = [
                ("HEAD", RootKind::Head),
                ("ORIG_HEAD", RootKind::PseudoReference),
                ("refs/heads/loose", RootKind::Branch),
                ("refs/heads/main", RootKind::Branch),
                ("refs/notes/commits", RootKind::Other),
                ("refs/remotes/origin/main", RootKind::RemoteTracking),
                ("refs/stash", RootKind::Other),
                ("refs/tags/heavy", RootKind::Tag),
                ("refs/tags/light", RootKind::Tag),
                ("worktrees/other/HEAD", RootKind::Head),
                ("worktrees/other/ORIG_HEAD", RootKind::PseudoReference),
                ("worktrees/other/refs/bisect/bad", RootKind::Other),
            ];
            let found = named(&references);
            for (name, kind) in expected {
                assert!(found.contains(&(name.to_owned(), kind)), "{name} is not among {found:?}");
            }
            assert_eq!(found.iter().filter(|(_, kind)| *kind == RootKind::Replacement).count(), 1);
            assert_eq!(found.len(), expected.len() + 1, "{found:?}");
            for name in ["HEAD", "refs/heads/main", "refs/tags/heavy", "refs/remotes/origin/HEAD"] {
                let leads_to = references.find(name.as_bytes()).ok().flatten().map(|id| id.to_string());
                assert_eq!(leads_to, Some(id(&repository, name)), "{name}");
            }
            assert_eq!(references.find(b"refs/heads/none"), Ok(None));
        }
    }

    #[test]
    fn what_is_broken_is_told_by_name() {
        let repository = with_commit(&[]);
        let main = id(&repository, "main");
        let git = |name: &str| repository.path().join(".git").join(name);
        fs::write(git("refs/heads/empty"), "").expect("it can be written");
        fs::write(git("refs/heads/garbage"), "not an id\n").expect("it can be written");
        fs::write(git("refs/heads/null"), format!("{}\n", "0".repeat(40))).expect("it can be written");
        fs::write(git("refs/heads/held.lock"), "").expect("it can be written");
        fs::write(git("MERGE_HEAD"), "nonsense\n").expect("it can be written");
        fs::write(git("packed-refs"), "# pack-refs\nwhat is this\n").expect("it can be written");
        let references = references(&repository);
        let mut broken: Vec<_> = references
            .problems
            .iter()
            .filter_map(|problem| problem.path.as_ref())
            .map(crate::model::FilePath::to_text)
            .collect();
        broken.sort();
        let expected =
            ["MERGE_HEAD", "packed-refs", "refs/heads/empty", "refs/heads/garbage", "refs/heads/null"];
        assert_eq!(broken, expected);
        let found = references.find(b"refs/heads/main").map(|id| id.map(|id| id.to_string()));
        assert_eq!(found, Ok(Some(main)));
        for name in ["refs/heads/empty", "refs/heads/garbage", "refs/heads/null/below"] {
            assert!(references.find(name.as_bytes()).is_err(), "{name}");
        }
        assert!(references.unread(PACKED).is_some());
    }

    #[test]
    fn a_reftable_is_refused_in_words() {
        let repository = with_commit(&["--ref-format=reftable"]);
        let layout = layout(&repository);
        let error = References::read(&layout, format(&layout)).expect_err("it cannot be read");
        assert!(error.message.contains("reftable"), "{error}");
    }

    #[test]
    fn reflogs_indexes_and_the_boundary_are_read() {
        let repository = with_commit(&[]);
        let first = id(&repository, "HEAD");
        for content in ["2\n", "3\n"] {
            repository.write("a", content);
            repository.git(&["stash", "-q"]);
        }
        repository.git(&["commit", "-q", "--amend", "-m", "other"]);
        repository.git(&["worktree", "add", "-q", "../other", "-b", "other"]);
        let other = repository.outside().join("other");
        fs::write(other.join("only-there"), "x\n").expect("it can be written");
        repository.git_in(&other, &["add", "-A"]);
        let layout = layout(&repository);
        let (logs, roots, problems) = reflogs(&layout, format(&layout).hash);
        assert_eq!(problems, []);
        let names: Vec<_> = logs.iter().map(|log| String::from_utf8_lossy(&log.name).into_owned()).collect();
        let expected = ["HEAD", "refs/heads/main", "refs/heads/other", "refs/stash", "worktrees/other/HEAD"];
        assert_eq!(names, expected);
        let ids: Vec<_> = roots.iter().map(|root| root.id.to_string()).collect();
        assert!(ids.contains(&first), "the commit that was amended is in the reflog alone");
        assert!(ids.contains(&id(&repository, "stash@{1}")));
        let (entries, problems) = index_roots(&layout, format(&layout).hash);
        assert_eq!(problems, []);
        assert!(entries.iter().any(|entry| entry.name == b"only-there" && entry.kind == RootKind::Index));
        assert_eq!(shallow_boundary(&layout, format(&layout).hash), Ok(Default::default()));
        fs::write(repository.path().join(".git/shallow"), format!("{first}\n")).expect("it can be written");
        let boundary = shallow_boundary(&layout, format(&layout).hash).expect("it can be read");
        assert_eq!(boundary.iter().map(ToString::to_string).collect::<Vec<_>>(), [first]);
        fs::write(repository.path().join(".git/shallow"), "garbage\n").expect("it can be written");
        assert!(shallow_boundary(&layout, format(&layout).hash).is_err());
    }
}
