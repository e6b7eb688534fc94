//! Which commits can be reached from some and not from others.
//!
//! Must not know: references, what the commits are looked at for.
//! Invariants: never leaves a commit out that only the wanted ones lead to; where dates lie it may keep one too many.
//! A commit that cannot be read is told, with the one that names it.

use std::collections::{BTreeSet, BinaryHeap, HashMap, HashSet};

use gix::hash::ObjectId;
use gix::objs::Kind;

use super::commits::Writing;
use super::objects::Objects;

/// When only unwanted commits are left that are older than every wanted one, so many more are looked at: dates are
/// not always in order.
const PATIENCE: usize = 256;

/// One commit that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub id: ObjectId,
    pub tree: ObjectId,
    /// The trees of those parents that could be read.
    pub parent_trees: Vec<ObjectId>,
    /// Parents that could not be read.
    pub missing: Vec<ObjectId>,
}

/// The commits that count, and where they begin.
#[derive(Debug, Default)]
pub(super) struct Ancestry {
    /// Parents before children.
    pub members: Vec<Member>,
    /// Wanted ones that could not be read: no other commit tells of them.
    pub unread: Vec<ObjectId>,
    /// Whether the wanted ones and the unwanted ones have a commit in common.
    pub meets: bool,
}

/// The commits that `wanted` leads to and `unwanted` does not. Unwanted ones that are missing take nothing away.
pub(super) fn between(wanted: &[ObjectId], unwanted: &[ObjectId], objects: &Objects) -> Ancestry {
    let mut walk = Walk {
        objects,
        nodes: HashMap::new(),
        queue: BinaryHeap::new(),
        waiting: 0,
        oldest: i64::MAX,
        buffer: Vec::new(),
    };
    unwanted.iter().for_each(|&id| walk.enter(id, true));
    wanted.iter().for_each(|&id| walk.enter(id, false));
    walk.run();
    walk.finish(wanted)
}

struct Node {
    tree: Option<ObjectId>,
    parents: Vec<ObjectId>,
    time: i64,
    unwanted: bool,
    done: bool,
}

struct Walk<'a> {
    objects: &'a Objects,
    /// `tree: None` stands for one that cannot be read.
    nodes: HashMap<ObjectId, Node>,
    /// Youngest first.
    queue: BinaryHeap<(i64, ObjectId)>,
    /// How many wanted ones are in the queue.
    waiting: usize,
    /// The date of the oldest commit that was ever wanted.
    oldest: i64,
    buffer: Vec<u8>,
}

impl Walk<'_> {
    fn enter(&mut self, id: ObjectId, unwanted: bool) {
        if let Some(node) = self.nodes.get(&id) {
            if unwanted && !node.unwanted {
                self.renounce(id);
            }
            return;
        }
        let node = self.read(&id, unwanted);
        if node.tree.is_some() {
            self.queue.push((node.time, id));
            if !unwanted {
                self.waiting += 1;
                self.oldest = self.oldest.min(node.time);
            }
        }
        self.nodes.insert(id, node);
    }

    fn read(&mut self, id: &ObjectId, unwanted: bool) -> Node {
        let missing = Node { tree: None, parents: Vec::new(), time: 0, unwanted, done: true };
        if self.objects.read(id, Kind::Commit, &mut self.buffer).is_err() {
            return missing;
        }
        let hash = self.objects.hash();
        let commit = Writing::read(&self.buffer);
        let (Some(tree), Some(parents)) = (commit.tree(hash), commit.parents(hash)) else { return missing };
        let time = commit.signature("committer").map_or(0, |committer| committer.time);
        Node { tree: Some(tree), parents, time, unwanted, done: false }
    }

    /// Makes a commit unwanted after all, and everything that is known to come before it.
    fn renounce(&mut self, id: ObjectId) {
        let mut left = vec![id];
        while let Some(id) = left.pop() {
            let Some(node) = self.nodes.get_mut(&id).filter(|node| !node.unwanted) else { continue };
            node.unwanted = true;
            if !node.done {
                self.waiting -= 1;
            }
            left.extend_from_slice(&node.parents);
        }
    }

    fn run(&mut self) {
        let mut patience = PATIENCE;
        while let Some((time, id)) = self.queue.pop() {
            if self.waiting == 0 {
                if time < self.oldest {
                    patience -= 1;
                }
                if patience == 0 {
                    return;
                }
            } else {
                patience = PATIENCE;
            }
            let Some(node) = self.nodes.get_mut(&id) else { continue };
            node.done = true;
            let unwanted = node.unwanted;
            if !unwanted {
                self.waiting -= 1;
            }
            let parents = node.parents.clone();
            parents.into_iter().for_each(|parent| self.enter(parent, unwanted));
        }
    }

    fn finish(self, wanted: &[ObjectId]) -> Ancestry {
        let is_member =
            |id: &ObjectId| self.nodes.get(id).is_some_and(|node| !node.unwanted && node.tree.is_some());
        let is_unread =
            |id: &ObjectId| self.nodes.get(id).is_some_and(|node| !node.unwanted && node.tree.is_none());
        let mut ancestry = Ancestry {
            members: Vec::new(),
            unread: wanted.iter().copied().filter(is_unread).collect(),
            meets: wanted.iter().any(|id| self.nodes.get(id).is_some_and(|node| node.unwanted)),
        };
        for id in self.oldest_first(wanted, is_member) {
            let Some(node) = self.nodes.get(&id) else { continue };
            let Some(tree) = node.tree else { continue };
            let mut member = Member { id, tree, parent_trees: Vec::new(), missing: Vec::new() };
            for parent in &node.parents {
                let known = self.nodes.get(parent);
                ancestry.meets |= known.is_some_and(|parent| parent.unwanted && parent.tree.is_some());
                match known.and_then(|parent| parent.tree) {
                    Some(tree) => member.parent_trees.push(tree),
                    None => member.missing.push(*parent),
                }
            }
            ancestry.members.push(member);
        }
        ancestry
    }

    /// Members, each after its parents; without recursion, because histories are long.
    fn oldest_first(&self, wanted: &[ObjectId], is_member: impl Fn(&ObjectId) -> bool) -> Vec<ObjectId> {
        let mut order = Vec::new();
        let mut seen = HashSet::new();
        let tips: BTreeSet<_> = wanted.iter().copied().filter(&is_member).collect();
        for tip in tips {
            let mut stack = vec![(tip, false)];
            while let Some((id, parents_done)) = stack.pop() {
                if parents_done {
                    order.push(id);
                } else if seen.insert(id) {
                    stack.push((id, true));
                    let parents = self.nodes.get(&id).map_or(&[][..], |node| &node.parents);
                    let before = parents.iter().rev().copied().filter(|parent| is_member(parent));
                    stack.extend(before.map(|parent| (parent, false)));
                }
            }
        }
        order
    }
}
