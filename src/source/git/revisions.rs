//! Names of revisions as people and build systems write them, to object ids.
//!
//! Must not know: what a revision is for.
//! Invariant: what is ambiguous or not understood is an error; nothing is guessed.

use std::collections::HashSet;

use gix::hash::{ObjectId, Prefix};
use gix::objs::Kind;

use super::commits::Writing;
use super::objects::{ObjectError, Objects};
use super::references::{PACKED, References};
use crate::model::{FilePath, Problem};

/// Git itself asks for that many digits.
const SHORTEST_ABBREVIATION: usize = 4;
/// Tags of tags of tags; nobody nests them deeper.
const TAG_LIMIT: usize = 1000;

/// Why a revision leads nowhere; the words complete "REVISION …".
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum RevisionError {
    #[error("is not known in this repository")]
    Unknown,
    #[error("stands for several objects: write more digits of the one that is meant")]
    Ambiguous,
    #[error("is written in a way that is not understood here (ids, names, HEAD, @, ~N, ^N, ^{{commit}} are)")]
    Syntax,
    #[error("leads to {0}, which cannot be read: {1}")]
    Object(ObjectId, ObjectError),
    #[error("goes back further than there are commits")]
    NoParent,
    #[error("cannot be told, for {0} could not be read: {1}")]
    Reference(String, String),
}

/// What an id leads to when all tags are taken off.
pub(super) struct Peeled {
    pub id: ObjectId,
    pub kind: Kind,
    /// The tags on the way, outermost first.
    pub tags: Vec<ObjectId>,
}

/// Takes off tags.
pub(super) fn peel(id: ObjectId, objects: &Objects) -> Result<Peeled, RevisionError> {
    let mut peeled = Peeled { id, kind: Kind::Tag, tags: Vec::new() };
    let mut buffer = Vec::new();
    while peeled.tags.len() <= TAG_LIMIT {
        let id = peeled.id;
        let (kind, _) = objects.header(&id).map_err(|error| RevisionError::Object(id, error))?;
        peeled.kind = kind;
        if kind != Kind::Tag {
            return Ok(peeled);
        }
        objects.read(&id, Kind::Tag, &mut buffer).map_err(|error| RevisionError::Object(id, error))?;
        let target = Writing::read(&buffer).target(objects.hash());
        peeled.id = target.ok_or(RevisionError::Object(id, ObjectError::Damaged))?;
        peeled.tags.push(id);
    }
    Err(RevisionError::Object(id, ObjectError::Damaged))
}

/// The object that `text` names.
pub(super) fn resolve(
    text: &str,
    references: &References,
    objects: &Objects,
) -> Result<ObjectId, RevisionError> {
    let end = text.find(['^', '~', ':']).unwrap_or(text.len());
    let (name, mut steps) = text.split_at(end);
    if name.contains("@{") || steps.starts_with(':') {
        return Err(RevisionError::Syntax);
    }
    let mut id = named(name, references, objects)?;
    while !steps.is_empty() {
        let (next, rest) = step(id, steps, objects)?;
        (id, steps) = (next, rest);
    }
    Ok(id)
}

/// The commit that `text` names, tags taken off.
pub(super) fn resolve_commit(
    text: &str,
    references: &References,
    objects: &Objects,
) -> Result<ObjectId, RevisionError> {
    commit(resolve(text, references, objects)?, objects)
}

fn commit(id: ObjectId, objects: &Objects) -> Result<ObjectId, RevisionError> {
    let peeled = peel(id, objects)?;
    match peeled.kind {
        Kind::Commit => Ok(peeled.id),
        kind => Err(RevisionError::Object(peeled.id, ObjectError::WrongKind(kind))),
    }
}

/// In git's order: a whole id, a reference, digits of an id.
fn named(name: &str, references: &References, objects: &Objects) -> Result<ObjectId, RevisionError> {
    let name = if name == "@" { "HEAD" } else { name };
    let digits = objects.hash().len_in_hex();
    let is_hex = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex && name.len() == digits {
        return ObjectId::from_hex(name.as_bytes()).map_err(|_| RevisionError::Syntax);
    }
    let places = ["", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/"];
    let spelled = places.iter().map(|place| format!("{place}{name}"));
    for full in spelled.chain([format!("refs/remotes/{name}/HEAD")]) {
        if let Some(id) = references.find(full.as_bytes()).map_err(unread)? {
            return Ok(id);
        }
    }
    let unknown = || references.unread(PACKED).map_or(RevisionError::Unknown, unread);
    if !is_hex || name.len() < SHORTEST_ABBREVIATION || name.len() > digits {
        return Err(unknown());
    }
    let padded = format!("{name:0<digits$}");
    let whole = ObjectId::from_hex(padded.as_bytes()).map_err(|_| RevisionError::Syntax)?;
    let prefix = Prefix::new(&whole, name.len()).map_err(|_| RevisionError::Syntax)?;
    let mut found: HashSet<ObjectId> = objects.beginning_with(prefix);
    if found.len() > 1 {
        // A range is about commits: trees and blobs with the same digits are not meant.
        found.retain(|id| matches!(objects.header(id), Ok((Kind::Commit | Kind::Tag, _))));
    }
    match (found.len(), found.into_iter().next()) {
        (1, Some(id)) => Ok(id),
        (0, _) => Err(unknown()),
        _ => Err(RevisionError::Ambiguous),
    }
}

fn unread(problem: &Problem) -> RevisionError {
    let name = problem.path.as_ref().map(FilePath::to_text).unwrap_or_default();
    RevisionError::Reference(name, problem.message.clone())
}

/// Takes one `~N`, `^N` or `^{…}` off the front of `steps`.
fn step<'t>(id: ObjectId, steps: &'t str, objects: &Objects) -> Result<(ObjectId, &'t str), RevisionError> {
    for word in ["^{commit}", "^0"] {
        if let Some(rest) = steps.strip_prefix(word).filter(|rest| !rest.starts_with(char::is_numeric)) {
            return Ok((commit(id, objects)?, rest));
        }
    }
    if let Some(rest) = steps.strip_prefix("^{}") {
        return Ok((peel(id, objects)?.id, rest));
    }
    let after = &steps[1..];
    let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let number: usize = match &after[..digits] {
        "" => 1,
        text => text.parse().map_err(|_| RevisionError::Syntax)?,
    };
    let mut id = commit(id, objects)?;
    match steps.as_bytes()[0] {
        b'^' => id = parent(id, number, objects)?,
        b'~' => {
            for _ in 0..number {
                id = parent(id, 1, objects)?;
            }
        }
        _ => return Err(RevisionError::Syntax),
    }
    Ok((id, &after[digits..]))
}

fn parent(id: ObjectId, number: usize, objects: &Objects) -> Result<ObjectId, RevisionError> {
    let mut buffer = Vec::new();
    let unreadable = |error| RevisionError::Object(id, error);
    objects.read(&id, Kind::Commit, &mut buffer).map_err(unreadable)?;
    let parents = Writing::read(&buffer).parents(objects.hash());
    let parents = parents.ok_or(RevisionError::Object(id, ObjectError::Damaged))?;
    number.checked_sub(1).and_then(|index| parents.get(index).copied()).ok_or(RevisionError::NoParent)
}
