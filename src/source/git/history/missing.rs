//! What history refers to and nobody has.
//!
//! Must not know: detection, how objects are read.
//! Invariant: what is reachable and not stored is a problem, by name or by number.

use gix::hash::ObjectId;

use super::graph::{Graph, NOWHERE};
use super::holdings::Held;
use super::set::NumberSet;
use super::table::Table;
use super::tips::{Resolved, Tips};
use crate::model::{FilePath, Problem, ProblemKind};
use crate::source::{Receiver, Worker};

/// So many missing objects are named each; the rest is counted.
const MISSING_BY_NAME: usize = 100;

/// What should be stored and is not.
pub(super) struct Missing<'a> {
    pub table: &'a Table,
    pub graph: &'a Graph,
    pub held: &'a Held,
    pub tips: &'a Tips,
    pub reachable: &'a [bool],
}

impl Missing<'_> {
    /// Only what is missing from something reachable is missed: git throws unreachable objects away one by one.
    pub(super) fn report(
        &self,
        from_commits: &[(u32, ObjectId)],
        from_trees: &[(u32, ObjectId)],
        resolved: &Resolved,
        receiver: &dyn Receiver,
    ) {
        let tips = &resolved.tips;
        let records = self.graph.commits().iter().zip(self.reachable).filter(|(_, reachable)| **reachable);
        let tops = records.map(|(record, _)| record.tree).chain(tips.iter().map(|tip| tip.number));
        let reached = match from_trees {
            [] => NumberSet::default(),
            _ => self.held.below(tops.filter(|&number| number != NOWHERE), self.table.count()),
        };
        let commit_is_reachable = |number: u32| match self.graph.place(number) {
            Some(place) => self.reachable[place as usize],
            None => tips.iter().any(|tip| tip.tags.contains(&number)),
        };
        let mut missing: Vec<ObjectId> = from_commits
            .iter()
            .filter(|(commit, _)| {
                commit_is_reachable(*commit) && !self.tips.is_shallow(&self.table.id(*commit))
            })
            .chain(from_trees.iter().filter(|(tree, _)| reached.contains(*tree)))
            .map(|&(_, id)| id)
            .collect();
        missing.sort_unstable();
        missing.dedup();
        let mut worker = receiver.worker();
        if self.tips.is_cut_off() {
            worker.problem(shallow());
        }
        self.tell(&missing, &mut *worker);
    }

    fn tell(&self, missing: &[ObjectId], worker: &mut dyn Worker) {
        let hint = if self.tips.is_partial {
            "this is a partial clone: `git fetch --refetch --no-filter` brings everything"
        } else {
            "`git fsck` says what refers to it; a fresh clone may have it"
        };
        for id in missing.iter().take(MISSING_BY_NAME) {
            worker.problem(
                lost_object("an object that history refers to is not stored".to_owned(), hint)
                    .with_object(id.to_string()),
            );
        }
        let rest = missing.len().saturating_sub(MISSING_BY_NAME);
        if rest > 0 {
            worker.problem(lost_object(
                format!("{rest} more objects that history refers to are not stored"),
                hint,
            ));
        }
    }
}

fn lost_object(message: String, hint: &str) -> Problem {
    Problem { kind: ProblemKind::BadObject, path: None, object: None, message, hint: Some(hint.to_owned()) }
}

fn shallow() -> Problem {
    Problem {
        kind: ProblemKind::BadObject,
        path: Some(FilePath::from("shallow")),
        object: None,
        message: "this is a shallow clone: what was committed before its boundary could not be looked at"
            .to_owned(),
        hint: Some(
            "`git fetch --unshallow` brings the whole history; in CI set the fetch depth to 0".to_owned(),
        ),
    }
}
