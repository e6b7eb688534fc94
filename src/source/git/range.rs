//! The source of `scan --range`, of `ci` and of the hooks of a push: what commits add that others do not have.
//!
//! Must not know: rules, the work tree, which build system or hook asked.
//! Invariants: every commit of the range is looked at, so that what was added and removed again counts; each version
//! of a path is handed out once, with the first commit that brings it; what is missing is a problem.

use std::collections::{BTreeSet, HashSet};

use gix::hash::ObjectId;
use gix::objs::Kind;
use rayon::prelude::*;

use super::ancestry::{Ancestry, Member, between};
use super::changes::{Change, Changes};
use super::commits::Writing;
use super::format::RepositoryFormat;
use super::novelty::new_in_tree;
use super::objects::Objects;
use super::reading::{Origins, Task, hand_out, note};
use super::references::{References, RootKind, shallow_boundary};
use super::revisions::{Peeled, RevisionError, peel, resolve, resolve_commit};
use super::{DEFAULT_MAX_BLOB_SIZE, GitEnvironment, Layout};
use crate::model::{Chunk, ContentKind, Coverage, FilePath, Problem, ProblemKind, Provenance};
use crate::source::{Receiver, Source, SourceError, Worker, threads};

/// So many commits are compared before their changes are read: it bounds what is in memory.
const BATCH: usize = 512;
/// Digits of an id by which people know a commit.
const SHORT: usize = 12;

/// What is taken as known, beside the bases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Known {
    /// Nothing else.
    #[default]
    Nothing,
    /// What the remote-tracking references of this remote have.
    Remote(String),
    /// What any remote-tracking reference has.
    AnyRemote,
    /// What any reference has.
    AllReferences,
}

/// A new end of the range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangeHead {
    /// The revision.
    pub revision: String,
    /// The name that a reference to it gets, which is content as well.
    pub name: Option<String>,
}

/// What a guess at bases must not be: then what is judged could be nothing although something was added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guess {
    /// The reference that has the heads by now, by its full name. `None` where nobody knows it: then nothing is not
    /// believed at all.
    pub own: Option<String>,
    /// How to say what was there before.
    pub hint: String,
}

/// Which commits count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RangeSelection {
    /// What they lead to counts.
    pub heads: Vec<RangeHead>,
    /// The first of these that is known here: what it leads to does not count. None at all: everything counts.
    pub bases: Vec<String>,
    /// What these lead to does not count either; those that are not known here are passed over.
    pub also_known: Vec<String>,
    /// What else does not count.
    pub known: Known,
    /// Whether heads and base must have a commit in common (`A...B`).
    pub common_ancestor: bool,
    /// Whether tags that point into the range count, their messages that is.
    pub tags: bool,
    /// The bases are only a guess at what was there before.
    pub guess: Option<Guess>,
    /// How to bring commits that are missing, where somebody knows better than `git fetch --unshallow`.
    pub deepen: Option<String>,
}

/// What to scan and how.
#[derive(Clone, Debug)]
pub struct RangeOptions {
    /// Where to look for the repository.
    pub directory: std::path::PathBuf,
    /// What git said through the environment.
    pub environment: GitEnvironment,
    /// Larger blobs are a problem instead of being read, in bytes; `None` reads whatever fits in memory.
    pub max_blob_size: Option<u64>,
    /// Which commits count.
    pub selection: RangeSelection,
}

impl RangeOptions {
    /// The usual: the repository of `directory`, the default limit.
    pub fn new(
        directory: impl Into<std::path::PathBuf>,
        environment: GitEnvironment,
        selection: RangeSelection,
    ) -> Self {
        let max_blob_size = Some(DEFAULT_MAX_BLOB_SIZE);
        Self { directory: directory.into(), environment, max_blob_size, selection }
    }
}

/// Hands out what a range of commits adds.
#[derive(Clone, Debug)]
pub struct Range {
    options: RangeOptions,
}

impl Range {
    /// A source with these options; nothing is read yet.
    pub fn new(options: RangeOptions) -> Self {
        Self { options }
    }

    /// The commit (hex) that the base is, for those who read what was allowed before; `None` when there is no base.
    ///
    /// # Errors
    /// As for the scan: the repository or the base cannot be used.
    pub fn base(&self) -> Result<Option<String>, SourceError> {
        let opened = Opened::new(&self.options)?;
        Ok(opened.base()?.map(|id| id.to_string()))
    }
}

impl Source for Range {
    fn drive(&self, receiver: &dyn Receiver) -> Result<(), SourceError> {
        let opened = Opened::new(&self.options)?;
        let ends = opened.ends()?;
        let ancestry = between(&ends.commits, &ends.unwanted, &opened.objects);
        if let Some(guess) = self.options.selection.guess.as_ref().filter(|guess| guess.own.is_none())
            && ancestry.members.is_empty()
        {
            return Err(nothing_before(guess));
        }
        if self.options.selection.common_ancestor && !ancestry.meets {
            return Err(SourceError {
                message: "the two ends of the range have no commit in common".to_owned(),
                hint: Some(opened.deepen()),
            });
        }
        Scan { opened: &opened, receiver }.perform(&ends, &ancestry);
        Ok(())
    }
}

/// The repository, ready to be read.
struct Opened<'a> {
    selection: &'a RangeSelection,
    limit: Option<u64>,
    objects: Objects,
    references: References,
    shallow: Result<BTreeSet<ObjectId>, Problem>,
}

/// Where the range ends on both sides.
struct Ends {
    /// Commits that count, with all that they lead to.
    commits: Vec<ObjectId>,
    /// Tags that count.
    tags: Vec<ObjectId>,
    /// Directories and files that a reference names directly, with its name.
    others: Vec<(Peeled, String)>,
    /// Names of references that count as content.
    names: Vec<String>,
    unwanted: Vec<ObjectId>,
}

impl<'a> Opened<'a> {
    fn new(options: &'a RangeOptions) -> Result<Self, SourceError> {
        let layout = Layout::discover(&options.directory, &options.environment)?;
        let format = RepositoryFormat::read(&layout)?;
        let objects = Objects::open(&layout, &options.environment, format.hash, options.max_blob_size)?;
        Ok(Self {
            selection: &options.selection,
            limit: options.max_blob_size,
            references: References::read(&layout, format)?,
            shallow: shallow_boundary(&layout, format.hash),
            objects,
        })
    }

    /// How to bring what a shallow clone left out.
    fn deepen(&self) -> String {
        let default = || match self.shallow.as_ref().is_ok_and(BTreeSet::is_empty) {
            true => "`git fetch` may bring what is missing; `git fsck` says whether something is damaged"
                .to_owned(),
            false => "this is a shallow clone: `git fetch --unshallow` brings the rest".to_owned(),
        };
        self.selection.deepen.clone().unwrap_or_else(default)
    }

    fn unusable(&self, what: &str, revision: &str, error: &RevisionError) -> SourceError {
        SourceError { message: format!("the {what} {revision} {error}"), hint: Some(self.deepen()) }
    }

    /// The first base that is known.
    fn base(&self) -> Result<Option<ObjectId>, SourceError> {
        let mut failed = None;
        let is_own = |base: &str| {
            let own = self.selection.guess.as_ref().and_then(|guess| guess.own.as_deref());
            own.is_some_and(|own| self.references.is_by_name(base.as_bytes(), own.as_bytes()))
        };
        for base in &self.selection.bases {
            if is_own(base) {
                continue;
            }
            match resolve_commit(base, &self.references, &self.objects) {
                Ok(id) => return Ok(Some(id)),
                Err(error) => failed = failed.or(Some((base, error))),
            }
        }
        match (failed, &self.selection.guess) {
            (_, Some(guess)) if self.selection.bases.iter().any(|base| is_own(base)) => {
                Err(nothing_before(guess))
            }
            (Some((base, error)), _) => Err(self.unusable("base", base, &error)),
            (None, Some(guess)) => Err(nothing_before(guess)),
            (None, None) => Ok(None),
        }
    }

    fn ends(&self) -> Result<Ends, SourceError> {
        let mut unwanted: Vec<ObjectId> = self.base()?.into_iter().collect();
        let also = &self.selection.also_known;
        unwanted.extend(also.iter().filter_map(|name| resolve(name, &self.references, &self.objects).ok()));
        let known = self
            .references
            .roots
            .iter()
            .filter(|root| is_known(&self.selection.known, root.kind, &root.name));
        unwanted.extend(known.map(|root| root.id));
        // What cannot be read takes nothing away from the range.
        let peeled = unwanted.iter().filter_map(|id| peel(*id, &self.objects).ok());
        let (known_tags, unwanted): (Vec<_>, Vec<_>) = peeled.map(|peeled| (peeled.tags, peeled.id)).unzip();
        let known_tags: HashSet<ObjectId> = known_tags.into_iter().flatten().collect();
        let mut ends =
            Ends { commits: Vec::new(), tags: Vec::new(), others: Vec::new(), names: Vec::new(), unwanted };
        for head in &self.selection.heads {
            let unusable = |error| self.unusable("head", &head.revision, &error);
            let id = resolve(&head.revision, &self.references, &self.objects).map_err(unusable)?;
            let peeled = peel(id, &self.objects).map_err(unusable)?;
            ends.names.extend(head.name.clone());
            ends.tags.extend(peeled.tags.iter().filter(|tag| !known_tags.contains(*tag)));
            match peeled.kind {
                Kind::Commit => ends.commits.push(peeled.id),
                _ if ends.unwanted.contains(&peeled.id) => {}
                _ => {
                    let name = head.name.clone().unwrap_or_else(|| head.revision.clone());
                    ends.others.push((peeled, name));
                }
            }
        }
        Ok(ends)
    }
}

fn nothing_before(guess: &Guess) -> SourceError {
    let message = match &guess.own {
        Some(own) => format!("nothing says what {own} was before this build, so nothing can be compared"),
        None => {
            "what is built is in the main branch already, and nothing says what was there before".to_owned()
        }
    };
    SourceError { message, hint: Some(guess.hint.clone()) }
}

fn is_known(known: &Known, kind: RootKind, name: &[u8]) -> bool {
    match known {
        Known::Nothing => false,
        Known::AnyRemote => kind == RootKind::RemoteTracking,
        Known::Remote(remote) => name.starts_with(format!("refs/remotes/{remote}/").as_bytes()),
        Known::AllReferences => name.starts_with(b"refs/"),
    }
}

struct Scan<'a> {
    opened: &'a Opened<'a>,
    receiver: &'a dyn Receiver,
}

impl Scan<'_> {
    fn perform(&self, ends: &Ends, ancestry: &Ancestry) {
        self.names_and_tags(ends, ancestry);
        let mut seen: HashSet<(ObjectId, Vec<u8>)> = HashSet::new();
        for (peeled, name) in &ends.others {
            self.other(peeled, name, &mut seen);
        }
        for batch in ancestry.members.chunks(BATCH) {
            if self.receiver.worker().interrupted() {
                return;
            }
            self.batch(batch, ends, &mut seen);
        }
    }

    fn names_and_tags(&self, ends: &Ends, ancestry: &Ancestry) {
        let mut worker = self.receiver.worker();
        if let Err(problem) = &self.opened.shallow {
            worker.problem(problem.clone());
        }
        ancestry.unread.iter().for_each(|head| worker.problem(self.unread_head(head)));
        for name in &ends.names {
            let path = FilePath::from_bytes(name.as_bytes());
            let provenance = Provenance { kind: ContentKind::ReferenceName, ..Provenance::file(path) };
            worker.chunk(&Chunk::whole(name.as_bytes(), &provenance));
        }
        let mut tags = ends.tags.clone();
        if self.opened.selection.tags {
            tags.extend(self.tags_into(ancestry));
        }
        tags.sort_unstable();
        tags.dedup();
        tags.iter().for_each(|tag| self.writing(&mut *worker, *tag, Kind::Tag));
    }

    /// Annotated tags that point at a commit of the range.
    fn tags_into(&self, ancestry: &Ancestry) -> Vec<ObjectId> {
        let members: HashSet<ObjectId> = ancestry.members.iter().map(|member| member.id).collect();
        let roots = self.opened.references.roots.iter().filter(|root| root.kind == RootKind::Tag);
        let peeled = roots.filter_map(|root| peel(root.id, &self.opened.objects).ok());
        peeled.filter(|peeled| members.contains(&peeled.id)).flat_map(|peeled| peeled.tags).collect()
    }

    /// A directory or file that a reference names directly.
    fn other(&self, peeled: &Peeled, name: &str, seen: &mut HashSet<(ObjectId, Vec<u8>)>) {
        let changes = match peeled.kind {
            Kind::Tree => new_in_tree(peeled.id, &[], &self.opened.objects),
            _ => Changes {
                changed: vec![Change {
                    path: name.as_bytes().to_vec(),
                    id: peeled.id,
                    is_link: false,
                    is_new_path: false,
                    previous: Vec::new(),
                }],
                ..Changes::default()
            },
        };
        self.changes(vec![(None, changes)], seen);
    }

    fn batch(&self, members: &[Member], ends: &Ends, seen: &mut HashSet<(ObjectId, Vec<u8>)>) {
        let mut worker = self.receiver.worker();
        for member in members {
            self.writing(&mut *worker, member.id, Kind::Commit);
            member.missing.iter().for_each(|parent| worker.problem(self.missing_parent(member, parent)));
        }
        drop(worker);
        let objects = std::sync::Mutex::new(self.opened.objects.clone());
        let own = || objects.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        let bases = self.trees(&ends.unwanted);
        threads::prepare(0);
        let compared: Vec<_> = members
            .par_iter()
            .map_init(own, |objects, member| {
                let mut parents = member.parent_trees.clone();
                if !member.missing.is_empty() {
                    // What it had before is unknown; what the base has is certainly not new.
                    parents.extend(&bases);
                }
                (Some(member.id.to_string()), new_in_tree(member.tree, &parents, objects))
            })
            .collect();
        self.changes(compared, seen);
    }

    fn trees(&self, commits: &[ObjectId]) -> Vec<ObjectId> {
        commits.iter().take(1).filter_map(|id| self.opened.objects.tree_of_commit(id).ok()).collect()
    }

    fn changes(&self, mut compared: Vec<(Option<String>, Changes)>, seen: &mut HashSet<(ObjectId, Vec<u8>)>) {
        let objects = &self.opened.objects;
        let mut worker = self.receiver.worker();
        for (_, changes) in &mut compared {
            note(&mut *worker, changes.problems.drain(..), changes.submodules);
            changes.changed.retain(|change| seen.insert((change.id, change.path.clone())));
        }
        drop(worker);
        let origins: Vec<Origins> =
            compared.iter().map(|(_, changes)| Origins::find(changes, objects)).collect();
        let tasks: Vec<Task<'_>> = compared
            .iter()
            .zip(&origins)
            .flat_map(|((commit, changes), origins)| {
                let commit = commit.as_deref();
                changes.changed.iter().map(move |change| Task { change, origins, commit })
            })
            .collect();
        hand_out(&tasks, objects, self.opened.limit, self.receiver);
    }

    fn unread_head(&self, head: &ObjectId) -> Problem {
        Problem {
            kind: ProblemKind::BadObject,
            path: None,
            object: Some(head.to_string()),
            message: format!("the commit {head}, where the range ends, cannot be read"),
            hint: Some(self.opened.deepen()),
        }
    }

    fn missing_parent(&self, member: &Member, parent: &ObjectId) -> Problem {
        let is_cut = self.opened.shallow.as_ref().is_ok_and(|boundary| boundary.contains(&member.id));
        let message = match is_cut {
            true => format!(
                "the clone was cut off at the commit {}: what came before it was not looked at",
                member.id
            ),
            false => format!("the commit {parent}, a parent of {}, cannot be read", member.id),
        };
        Problem {
            kind: ProblemKind::BadObject,
            path: None,
            object: Some(parent.to_string()),
            message,
            hint: Some(self.opened.deepen()),
        }
    }

    /// The text of a commit or tag: its message and its headers, each as a content of its own.
    fn writing(&self, worker: &mut dyn Worker, id: ObjectId, kind: Kind) {
        let mut bytes = Vec::new();
        if let Err(error) = self.opened.objects.read(&id, kind, &mut bytes) {
            worker.problem(Problem {
                kind: ProblemKind::BadObject,
                path: None,
                object: Some(id.to_string()),
                message: format!("a {kind} cannot be read: {error}"),
                hint: Some(self.opened.deepen()),
            });
            return;
        }
        let writing = Writing::read(&bytes);
        let hex = id.to_string();
        let short = &hex[..SHORT.min(hex.len())];
        let (message_kind, header_kind) = match kind {
            Kind::Tag => (ContentKind::Tag, ContentKind::Tag),
            _ => (ContentKind::CommitMessage, ContentKind::CommitHeader),
        };
        for (content, span, name) in [
            (message_kind, writing.message.clone(), format!("message of {kind} {short}")),
            (header_kind, writing.told_headers(), format!("headers of {kind} {short}")),
        ] {
            let provenance = Provenance {
                kind: content,
                commit: (kind == Kind::Commit).then(|| hex.clone()),
                ..Provenance::file(FilePath::from_bytes(name))
            };
            worker.chunk(&Chunk::whole(&bytes[span], &provenance));
        }
        worker.covered(&Coverage { files: 1, bytes: bytes.len() as u64, ..Coverage::default() });
    }
}
