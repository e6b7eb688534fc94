//! What a commit brings that none of its parents has: its tree walked together with theirs.
//!
//! Must not know: blob contents, which commits are asked about.
//! Invariant: an entry is left out only when a parent holds the same object at its path, or when it is a submodule
//! (counted). Names are not trusted to be in order.

use std::collections::{HashMap, HashSet};

use gix::hash::ObjectId;

use super::changes::{Change, Changes, DEPTH_LIMIT, Gone};
use super::objects::{EntryKind, Objects, TreeEntry};

/// So many changed paths in one commit are real; beyond them a directory that was walked is not walked again at
/// another path. A few objects can spell out billions of paths.
const MANY_PATHS: usize = 500_000;

/// Compares the tree of a commit with the trees of its parents; without parents everything is new.
pub(super) fn new_in_tree(tree: ObjectId, parents: &[ObjectId], objects: &Objects) -> Changes {
    let mut walk = Walk {
        objects,
        changes: Changes::default(),
        gone: Gone::default(),
        walked: HashSet::new(),
        path: Vec::new(),
    };
    if !parents.contains(&tree) {
        walk.directory(tree, parents, 0);
    }
    let mut changes = walk.changes;
    if changes.has_new_paths() {
        changes.removed = walk.gone.files(objects);
    }
    changes
}

struct Walk<'a> {
    objects: &'a Objects,
    changes: Changes,
    gone: Gone,
    walked: HashSet<ObjectId>,
    /// The directory that is being walked, with its `/`.
    path: Vec<u8>,
}

impl Walk<'_> {
    fn directory(&mut self, tree: ObjectId, parents: &[ObjectId], depth: usize) {
        let is_known = !self.walked.insert(tree);
        if is_known && self.changes.changed.len() > MANY_PATHS {
            return;
        }
        let entries = self.read(tree);
        let parents: Vec<Vec<TreeEntry>> = parents.iter().map(|parent| self.read(*parent)).collect();
        let known: Vec<HashMap<&[u8], &TreeEntry>> = parents
            .iter()
            .map(|parent| parent.iter().map(|entry| (entry.name.as_slice(), entry)).collect())
            .collect();
        if let Some(first) = known.first() {
            let names: HashSet<&[u8]> = entries.iter().map(|entry| entry.name.as_slice()).collect();
            let mut gone: Vec<_> = first.values().filter(|entry| !names.contains(&*entry.name)).collect();
            gone.sort_by(|one, other| one.name.cmp(&other.name));
            gone.into_iter().for_each(|entry| self.gone.note(&self.path, entry));
        }
        for entry in &entries {
            let partners: Vec<&TreeEntry> =
                known.iter().filter_map(|parent| parent.get(&*entry.name).copied()).collect();
            self.entry(entry, &partners, depth);
        }
    }

    fn entry(&mut self, entry: &TreeEntry, partners: &[&TreeEntry], depth: usize) {
        let mut alike: Vec<ObjectId> =
            partners.iter().filter(|partner| partner.kind == entry.kind).map(|partner| partner.id).collect();
        if alike.contains(&entry.id) {
            return;
        }
        alike.sort_unstable();
        alike.dedup();
        match entry.kind {
            EntryKind::Submodule => self.changes.submodules += 1,
            EntryKind::Tree => self.below(entry, &alike, depth),
            EntryKind::File | EntryKind::Link => self.changes.changed.push(Change {
                path: [self.path.as_slice(), &entry.name].concat(),
                id: entry.id,
                is_link: entry.kind == EntryKind::Link,
                is_new_path: partners.iter().all(|partner| partner.kind == EntryKind::Tree),
                previous: alike,
            }),
        }
    }

    fn below(&mut self, entry: &TreeEntry, parents: &[ObjectId], depth: usize) {
        let length = self.path.len();
        self.path.extend_from_slice(&entry.name);
        self.path.push(b'/');
        if depth < DEPTH_LIMIT {
            self.directory(entry.id, parents, depth + 1);
        } else {
            self.changes.too_deep(&self.path);
        }
        self.path.truncate(length);
    }

    fn read(&mut self, tree: ObjectId) -> Vec<TreeEntry> {
        self.changes.read_tree(self.objects, &self.path, tree)
    }
}
