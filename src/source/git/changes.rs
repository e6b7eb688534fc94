//! What the index would bring: its entries walked against the trees they are compared with.
//!
//! Must not know: blob contents, the work tree, file attributes and flags that hide changes from people.
//! Invariant: an entry is left out only when its path holds the same object as a parent, when it is only announced
//! (intent to add), or when it is a submodule (counted). Whatever is out of order is seen as added.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Range;

use gix::hash::ObjectId;
use gix::index::State;
use gix::index::entry::{Flags, Mode, Stage};
use gix::index::extension::Tree as CachedTree;

use super::base::Base;
use super::objects::{EntryKind, Objects, TreeEntry};
use crate::model::{FilePath, Problem, ProblemKind};

/// As deep as git lets trees be.
pub(super) const DEPTH_LIMIT: usize = 2048;
/// More removed files than this are not looked at as origins of renames.
const REMOVED_LIMIT: usize = 5_000;

/// A file or link whose content would be committed and is in no parent at that path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub path: Vec<u8>,
    pub id: ObjectId,
    /// The link's target is its content.
    pub is_link: bool,
    /// Whether no parent has anything but directories at this path.
    pub is_new_path: bool,
    /// The content of this path in the parents that have the same kind of file there.
    pub previous: Vec<ObjectId>,
}

/// A file of HEAD that is no longer in the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Removed {
    pub path: Vec<u8>,
    pub id: ObjectId,
}

/// Everything that differs.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub changed: Vec<Change>,
    pub removed: Vec<Removed>,
    /// How many submodules were added or moved.
    pub submodules: u64,
    pub problems: Vec<Problem>,
}

impl Changes {
    /// Compares the index with its base.
    pub(super) fn between(index: &State, base: &Base, objects: &Objects) -> Self {
        let mut walk =
            Walk { index, objects, changes: Self::default(), gone: Gone::default(), path: Vec::new() };
        walk.directory(0..index.entries().len(), base.head, index.tree(), 0);
        let mut changes = walk.changes;
        if changes.has_new_paths() {
            changes.removed = walk.gone.files(objects);
        }
        if !base.others.is_empty() {
            changes.compare_with_other_parents(&base.others, objects);
        }
        changes
    }

    /// The entries of the directory `path` (with its `/`). A tree that cannot be read is a problem, and what it would be
    /// compared with counts as added.
    pub(super) fn read_tree(&mut self, objects: &Objects, path: &[u8], id: ObjectId) -> Vec<TreeEntry> {
        objects.tree(&id).unwrap_or_else(|error| {
            let path = path.strip_suffix(b"/").unwrap_or(path);
            let problem = Problem::at(
                ProblemKind::BadObject,
                FilePath::from_bytes(path),
                format!("the directory's content in git cannot be read: {error}"),
            );
            let hint = "`git fsck` says what is missing; in a partial clone `git fetch --refetch` brings it";
            self.problems.push(problem.with_object(id.to_string()).with_hint(hint));
            Vec::new()
        })
    }

    /// Notes that nothing below `path` was looked at because it is nested too deep.
    pub(super) fn too_deep(&mut self, path: &[u8]) {
        let path = FilePath::from_bytes(&path[..path.len().min(256)]);
        self.problems.push(Problem::at(
            ProblemKind::TooLarge,
            path,
            format!("directories are nested more than {DEPTH_LIMIT} deep"),
        ));
    }

    /// Whether something was added that could have been elsewhere before.
    pub(super) fn has_new_paths(&self) -> bool {
        self.changed.iter().any(|change| change.is_new_path)
    }

    /// Keeps what is new against every parent of a merge.
    fn compare_with_other_parents(&mut self, parents: &[ObjectId], objects: &Objects) {
        self.changed.retain_mut(|change| {
            for parent in parents {
                let Some(entry) = find_in_tree(objects, *parent, &change.path) else { continue };
                let same_kind = (entry.kind == EntryKind::Link) == change.is_link;
                match entry.kind {
                    EntryKind::File | EntryKind::Link if same_kind && entry.id == change.id => return false,
                    EntryKind::File | EntryKind::Link if same_kind => change.previous.push(entry.id),
                    _ => {}
                }
                change.is_new_path &= entry.kind == EntryKind::Tree;
            }
            true
        });
    }
}

/// The entry at `path`; `None` when there is none, or when it cannot be known (then everything counts).
fn find_in_tree(objects: &Objects, root: ObjectId, path: &[u8]) -> Option<TreeEntry> {
    let mut tree = root;
    let mut names = path.split(|&byte| byte == b'/').peekable();
    while let Some(name) = names.next() {
        let entry = objects.tree(&tree).ok()?.into_iter().find(|entry| entry.name == name)?;
        if names.peek().is_none() {
            return Some(entry);
        }
        tree = (entry.kind == EntryKind::Tree).then_some(entry.id)?;
    }
    None
}

/// What stands at one name on the index's side.
enum Staged {
    /// Entries of one path: one, or up to three stages of a conflict.
    Entries(Range<usize>),
    /// Entries below a directory.
    Directory(Range<usize>),
    /// An entry of a tree, below a directory that a sparse index keeps folded.
    Folded(EntryKind, ObjectId),
}

impl Staged {
    fn is_directory(&self) -> bool {
        matches!(self, Self::Directory(_) | Self::Folded(EntryKind::Tree, _))
    }
}

struct Walk<'a> {
    index: &'a State,
    objects: &'a Objects,
    changes: Changes,
    gone: Gone,
    /// The directory that is being walked, with its `/`.
    path: Vec<u8>,
}

impl<'a> Walk<'a> {
    fn directory(
        &mut self,
        range: Range<usize>,
        tree: Option<ObjectId>,
        cached: Option<&CachedTree>,
        depth: usize,
    ) {
        if is_unchanged(cached, tree, range.len()) {
            return;
        }
        let first = &self.index.entries()[range.clone()].first();
        let folded = first.filter(|entry| entry.mode == Mode::DIR && entry.path(self.index) == self.path);
        let staged = match folded {
            Some(entry) if Some(entry.id) == tree => return,
            Some(entry) => self.folded_items(entry.id),
            None => self.items(range, cached),
        };
        self.compare(staged, tree, cached, depth);
    }

    /// The names directly in the current directory, in the index's order.
    fn items(&self, range: Range<usize>, cached: Option<&CachedTree>) -> Vec<(Cow<'a, [u8]>, Staged)> {
        let entries = self.index.entries();
        let mut items = Vec::new();
        let mut at = range.start;
        while at < range.end {
            let path: &'a [u8] = entries[at].path(self.index);
            let rest = path.get(self.path.len()..).unwrap_or_default();
            let (name, staged) = match rest.iter().position(|&byte| byte == b'/') {
                Some(slash) => {
                    let name = &rest[..slash];
                    let end = self.end_of_directory(at, range.end, &path[..=self.path.len() + slash], || {
                        cached_child(cached, name)
                    });
                    (name, Staged::Directory(at..end))
                }
                None => {
                    let same =
                        entries[at..range.end].iter().take_while(|entry| entry.path(self.index) == path);
                    (rest, Staged::Entries(at..at + same.count()))
                }
            };
            at = match &staged {
                Staged::Directory(range) | Staged::Entries(range) => range.end,
                Staged::Folded(..) => at + 1,
            };
            items.push((Cow::Borrowed(name), staged));
        }
        items
    }

    /// Where the entries below `prefix` end. The cached tree knows, if it is right about the borders.
    fn end_of_directory<'c>(
        &self,
        start: usize,
        limit: usize,
        prefix: &[u8],
        cached: impl Fn() -> Option<&'c CachedTree>,
    ) -> usize {
        let entries = self.index.entries();
        let inside = |at: usize| entries[at].path(self.index).starts_with(prefix);
        if let Some(count) = cached().and_then(|tree| tree.num_entries) {
            let end = start.saturating_add(count as usize);
            if end > start && end <= limit && inside(end - 1) && (end == limit || !inside(end)) {
                return end;
            }
        }
        (start + 1..limit).find(|&at| !inside(at)).unwrap_or(limit)
    }

    fn folded_items(&mut self, tree: ObjectId) -> Vec<(Cow<'a, [u8]>, Staged)> {
        let entries = self.read_tree(tree);
        entries
            .into_iter()
            .map(|entry| (Cow::Owned(entry.name), Staged::Folded(entry.kind, entry.id)))
            .collect()
    }

    /// Walks both sides in step.
    fn compare(
        &mut self,
        staged: Vec<(Cow<'a, [u8]>, Staged)>,
        tree: Option<ObjectId>,
        cached: Option<&CachedTree>,
        depth: usize,
    ) {
        let known = tree.map(|tree| self.read_tree(tree)).unwrap_or_default();
        let mut known = known.into_iter().peekable();
        for (name, staged) in staged {
            let is_directory = staged.is_directory();
            let mut partner = None;
            while let Some(entry) = known.peek() {
                match order(&entry.name, entry.kind == EntryKind::Tree, &name, is_directory) {
                    Ordering::Less => {
                        if let Some(entry) = known.next() {
                            self.removed(&entry);
                        }
                    }
                    Ordering::Equal => {
                        partner = known.next();
                        break;
                    }
                    Ordering::Greater => break,
                }
            }
            self.item(&name, staged, partner, cached, depth);
        }
        for entry in known {
            self.removed(&entry);
        }
    }

    fn item(
        &mut self,
        name: &[u8],
        staged: Staged,
        known: Option<TreeEntry>,
        cached: Option<&CachedTree>,
        depth: usize,
    ) {
        match staged {
            Staged::Entries(range) => {
                for at in range {
                    self.index_entry(at, name, known.as_ref());
                }
            }
            Staged::Folded(EntryKind::Tree, id) => {
                let tree = known.map(|entry| entry.id);
                if tree != Some(id) {
                    self.below(name, depth, |walk| {
                        let items = walk.folded_items(id);
                        walk.compare(items, tree, None, depth + 1);
                    });
                }
            }
            Staged::Folded(kind, id) => self.file(name, kind, id, known.as_ref()),
            Staged::Directory(range) => {
                let tree = known.map(|entry| entry.id);
                let cached = cached_child(cached, name);
                self.below(name, depth, |walk| walk.directory(range, tree, cached, depth + 1));
            }
        }
    }

    /// Does `step` with the current directory one level deeper.
    fn below(&mut self, name: &[u8], depth: usize, step: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        self.path.extend_from_slice(name);
        self.path.push(b'/');
        if depth < DEPTH_LIMIT {
            step(self);
        } else {
            self.changes.too_deep(&self.path);
        }
        self.path.truncate(length);
    }

    fn index_entry(&mut self, at: usize, name: &[u8], known: Option<&TreeEntry>) {
        let entry = &self.index.entries()[at];
        // The common ancestor of a conflict is nobody's wish; what is only announced has no content yet.
        if entry.stage() == Stage::Base || entry.flags.contains(Flags::INTENT_TO_ADD) {
            return;
        }
        let kind = match entry.mode {
            Mode::COMMIT => EntryKind::Submodule,
            Mode::SYMLINK => EntryKind::Link,
            _ => EntryKind::File,
        };
        self.file(name, kind, entry.id, known);
    }

    fn file(&mut self, name: &[u8], kind: EntryKind, id: ObjectId, known: Option<&TreeEntry>) {
        let of_same_kind = known.filter(|entry| entry.kind == kind);
        if of_same_kind.is_some_and(|entry| entry.id == id) {
            return;
        }
        if kind == EntryKind::Submodule {
            self.changes.submodules += 1;
            return;
        }
        self.changes.changed.push(Change {
            path: [&self.path, name].concat(),
            id,
            is_link: kind == EntryKind::Link,
            is_new_path: known.is_none(),
            previous: of_same_kind.map(|entry| entry.id).into_iter().collect(),
        });
    }

    fn removed(&mut self, entry: &TreeEntry) {
        self.gone.note(&self.path, entry);
    }

    fn read_tree(&mut self, id: ObjectId) -> Vec<TreeEntry> {
        self.changes.read_tree(self.objects, &self.path, id)
    }
}

/// What is no longer where it was.
#[derive(Debug, Default)]
pub(super) struct Gone {
    files: Vec<Removed>,
    trees: Vec<Removed>,
}

impl Gone {
    /// Notes an entry of the directory `path` (with its `/`).
    pub(super) fn note(&mut self, path: &[u8], entry: &TreeEntry) {
        let removed = Removed { path: [path, &entry.name].concat(), id: entry.id };
        match entry.kind {
            EntryKind::Tree => self.trees.push(removed),
            EntryKind::File => self.files.push(removed),
            EntryKind::Link | EntryKind::Submodule => {}
        }
    }

    /// All files, those of whole directories too.
    pub(super) fn files(mut self, objects: &Objects) -> Vec<Removed> {
        // The number of trees is bounded too: a tree can name itself a thousand times by a few objects.
        let mut budget = REMOVED_LIMIT;
        while let Some(tree) = self.trees.pop() {
            budget = budget.saturating_sub(1);
            if budget == 0 || self.files.len() > REMOVED_LIMIT {
                break;
            }
            // Only candidates for renames are lost with it, and then more counts.
            for entry in objects.tree(&tree.id).unwrap_or_default() {
                self.note(&[&tree.path, b"/".as_slice()].concat(), &entry);
            }
        }
        self.files
    }
}

/// Whether git's own cache says that everything here is the tree it is compared with. `git commit` writes that tree
/// from the same cache, so that this is what would be committed.
fn is_unchanged(cached: Option<&CachedTree>, tree: Option<ObjectId>, entries: usize) -> bool {
    cached.is_some_and(|cached| {
        Some(cached.id) == tree && cached.num_entries.map(|count| count as usize) == Some(entries)
    })
}

fn cached_child<'c>(cached: Option<&'c CachedTree>, name: &[u8]) -> Option<&'c CachedTree> {
    cached?.children.iter().find(|child| child.name.as_slice() == name)
}

/// Git's order of names: a directory sorts as if its name ended in `/`.
fn order(one: &[u8], one_is_tree: bool, other: &[u8], other_is_tree: bool) -> Ordering {
    let one = one.iter().chain(one_is_tree.then_some(&b'/'));
    let other = other.iter().chain(other_is_tree.then_some(&b'/'));
    one.cmp(other)
}
