//! From where history is reached: references, reflogs and indexes, and what they hold themselves.
//!
//! Must not know: commits' order, directories.
//! Invariant: a reference whose object is not stored is a problem; names and reflogs are content like any other.

use std::collections::{BTreeSet, HashMap};

use gix::hash::ObjectId;

use super::super::Layout;
use super::super::format::RepositoryFormat;
use super::super::references::{References, Reflog, Root, RootKind, index_roots, reflogs, shallow_boundary};
use super::set::NumberSet;
use super::table::Table;
use crate::model::{Chunk, ContentKind, Coverage, FilePath, Problem, ProblemKind, Provenance};
use crate::source::{SourceError, Worker};

/// A tag of a tag of a tag: nobody nests them deeper.
const DEEPEST_TAG: usize = 4096;

/// Everything that names objects.
pub(super) struct Tips {
    roots: Vec<Root>,
    logs: Vec<Reflog>,
    shallow: BTreeSet<ObjectId>,
    /// Whether a remote promised to keep objects that are not stored here.
    pub is_partial: bool,
    pub problems: Vec<Problem>,
}

/// A reference, as far as credentials are concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tip {
    /// What people call it.
    pub name: String,
    full_name: String,
    /// Whether it says what a remote has.
    pub is_remote: bool,
    /// The number of the object it leads to in the end: a commit, a tree or a content.
    pub number: u32,
    /// The numbers of the tags on the way.
    pub tags: Vec<u32>,
}

/// Where everything leads.
#[derive(Default)]
pub(super) struct Resolved {
    /// References.
    pub tips: Vec<Tip>,
    /// What reflogs, HEADs and the like lead to.
    pub others: Vec<u32>,
    /// What indexes hold.
    pub indexed: NumberSet,
}

impl Tips {
    /// Reads them.
    ///
    /// # Errors
    /// When references are stored in a way that is not known here.
    pub(super) fn read(layout: &Layout, format: RepositoryFormat) -> Result<Self, SourceError> {
        let references = References::read(layout, format)?;
        let mut tips = Self {
            roots: references.roots,
            logs: Vec::new(),
            shallow: BTreeSet::new(),
            is_partial: is_partial(layout),
            problems: references.problems,
        };
        let (logs, roots, problems) = reflogs(layout, format.hash);
        tips.logs = logs;
        tips.roots.extend(roots);
        tips.problems.extend(problems);
        let (roots, problems) = index_roots(layout, format.hash);
        tips.roots.extend(roots);
        tips.problems.extend(problems);
        match shallow_boundary(layout, format.hash) {
            Ok(shallow) => tips.shallow = shallow,
            Err(problem) => tips.problems.push(problem),
        }
        Ok(tips)
    }

    /// Whether history ends here because the clone was cut off.
    pub(super) fn is_shallow(&self, commit: &ObjectId) -> bool {
        self.shallow.contains(commit)
    }

    /// Whether the clone was cut off anywhere.
    pub(super) fn is_cut_off(&self) -> bool {
        !self.shallow.is_empty()
    }

    /// Follows every root through `tags` to what it leads to.
    pub(super) fn resolve(
        &self,
        table: &Table,
        tags: &[(u32, ObjectId)],
        worker: &mut dyn Worker,
    ) -> Resolved {
        let tags: HashMap<u32, ObjectId> = tags.iter().copied().collect();
        let mut resolved = Resolved { indexed: NumberSet::new(table.count()), ..Resolved::default() };
        for root in &self.roots {
            let mut passed = Vec::new();
            let mut number = table.find(&root.id);
            while let Some(target) = number.and_then(|number| tags.get(&number)) {
                passed.extend(number);
                number = if passed.len() > DEEPEST_TAG { None } else { table.find(target) };
            }
            let Some(number) = number else {
                // git itself keeps no object for a line of a reflog that has expired elsewhere, nor for FETCH_HEAD.
                let must_be_stored = !matches!(root.kind, RootKind::Reflog | RootKind::PseudoReference);
                if must_be_stored && !self.is_partial {
                    worker.problem(unstored(root));
                }
                continue;
            };
            match root.kind {
                RootKind::Index => drop(resolved.indexed.insert(number)),
                // What was fetched is known to a remote, whether a reference says so or not.
                RootKind::PseudoReference if root.name.ends_with(b"FETCH_HEAD") => {
                    resolved.tips.push(Tip { is_remote: true, ..Tip::new(root, number, passed) });
                }
                RootKind::Head | RootKind::PseudoReference | RootKind::Reflog => resolved.others.push(number),
                _ => resolved.tips.push(Tip::new(root, number, passed)),
            }
        }
        resolved.others.sort_unstable();
        resolved.others.dedup();
        resolved
    }

    /// What indexes hold, with its path.
    pub(super) fn index_paths(&self, table: &Table) -> impl Iterator<Item = (u32, Vec<u8>)> {
        let entries = self.roots.iter().filter(|root| root.kind == RootKind::Index);
        entries.filter_map(|root| Some((table.find(&root.id)?, root.name.clone())))
    }

    /// Hands out the names of references, and reflogs.
    pub(super) fn hand_out(&self, worker: &mut dyn Worker) {
        let is_reference = |root: &&Root| {
            !matches!(
                root.kind,
                RootKind::Reflog | RootKind::Index | RootKind::Head | RootKind::PseudoReference
            )
        };
        for root in self.roots.iter().filter(is_reference) {
            let provenance = provenance(ContentKind::ReferenceName, root.name.clone());
            worker.chunk(&Chunk::whole(&root.name, &provenance));
        }
        for log in &self.logs {
            let provenance = provenance(ContentKind::Reflog, [b"logs/".as_slice(), &log.name].concat());
            worker.chunk(&Chunk::whole(&log.bytes, &provenance));
            worker.covered(&Coverage { bytes: log.bytes.len() as u64, ..Coverage::default() });
        }
    }
}

impl Tip {
    fn new(root: &Root, number: u32, tags: Vec<u32>) -> Self {
        let full_name = String::from_utf8_lossy(&root.name).into_owned();
        let short = ["refs/heads/", "refs/remotes/", "refs/tags/"]
            .iter()
            .find_map(|prefix| full_name.strip_prefix(prefix))
            .unwrap_or(&full_name);
        Self {
            name: short.to_owned(),
            is_remote: root.kind == RootKind::RemoteTracking,
            number,
            tags,
            full_name,
        }
    }

    /// Whether a person can mean it by this name.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.name == name || self.full_name == name
    }
}

fn provenance(kind: ContentKind, path: Vec<u8>) -> Provenance {
    Provenance { kind, path: FilePath::from_bytes(path), blob: None, commit: None }
}

fn unstored(root: &Root) -> Problem {
    let (what, hint) = match root.kind {
        RootKind::Index => ("an index entry names an object that is not stored", "`git add` it again"),
        _ => ("the reference names an object that is not stored", "`git fsck` says what else is missing"),
    };
    Problem::at(ProblemKind::BadObject, FilePath::from_bytes(root.name.clone()), what)
        .with_object(root.id.to_string())
        .with_hint(hint)
}

/// A partial clone says so in its configuration.
fn is_partial(layout: &Layout) -> bool {
    layout.own_configs().is_ok_and(|configs| {
        configs.iter().any(|config| {
            config.string("extensions.partialClone").is_some()
                || config.sections_by_name("remote").into_iter().flatten().any(|section| {
                    section.value("promisor").is_some() || section.value("partialclonefilter").is_some()
                })
        })
    })
}
