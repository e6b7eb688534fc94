//! What staged content is compared with: the tree of HEAD and, while a merge is in progress, those of its other parents.
//!
//! Must not know: the index, blobs.
//! Invariant: HEAD that names nothing yet is an empty tree; HEAD that names something broken is an error; HEAD that
//! cannot be known makes everything count.

use gix::bstr::ByteSlice;
use gix::hash::ObjectId;
use gix::refs::Target;
use gix::refs::file::Store as References;

use super::Layout;
use super::format::RepositoryFormat;
use super::layout::{is_absent, read_regular};
use super::objects::Objects;
use crate::source::SourceError;

/// MERGE_HEAD holds one line for each parent; an octopus of this size does not exist.
const MERGE_HEAD_LIMIT: u64 = 1024 * 1024;
/// As many symbolic references as git follows.
const SYMBOLIC_LIMIT: usize = 5;

/// The trees to compare with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Base {
    /// The tree of HEAD; `None` before the first commit, or when HEAD cannot be known.
    pub head: Option<ObjectId>,
    /// The trees of the other parents of a merge in progress.
    pub others: Vec<ObjectId>,
    /// Whether there is certainly no commit yet.
    pub is_unborn: bool,
}

impl Base {
    pub(super) fn find(
        layout: &Layout,
        format: RepositoryFormat,
        objects: &Objects,
    ) -> Result<Self, SourceError> {
        if !format.references_are_files {
            return Ok(Self::default());
        }
        let Some(head) = head_commit(layout, format)? else {
            return Ok(Self { is_unborn: true, ..Self::default() });
        };
        let tree = |id: &ObjectId| {
            objects
                .tree_of_commit(id)
                .map_err(|error| broken(&format!("the commit {id} cannot be read: {error}")))
        };
        let others = merge_heads(layout)?;
        let others = others.iter().map(tree).collect::<Result<_, _>>()?;
        Ok(Self { head: Some(tree(&head)?), others, is_unborn: false })
    }
}

fn head_commit(layout: &Layout, format: RepositoryFormat) -> Result<Option<ObjectId>, SourceError> {
    let references = if layout.is_linked_worktree() {
        References::for_linked_worktree(layout.git_dir.clone(), layout.common_dir.clone(), format.hash)
    } else {
        References::at(layout.git_dir.clone(), format.hash)
    };
    let mut name = gix::bstr::BString::from("HEAD");
    for _ in 0..=SYMBOLIC_LIMIT {
        let partial: &gix::refs::PartialNameRef =
            name.as_bstr().try_into().map_err(|_| broken("HEAD names a branch that cannot exist"))?;
        let found =
            references.try_find(partial).map_err(|_| broken("HEAD or the branch it names cannot be read"))?;
        match found.map(|reference| reference.target) {
            None if name == "HEAD" => return Err(broken("HEAD cannot be read")),
            None => return Ok(None),
            Some(Target::Object(id)) => return Ok(Some(id)),
            Some(Target::Symbolic(next)) => name = next.into_inner(),
        }
    }
    Err(broken("HEAD names a reference that leads back to itself"))
}

fn merge_heads(layout: &Layout) -> Result<Vec<ObjectId>, SourceError> {
    let path = layout.git_dir.join("MERGE_HEAD");
    let bytes = match read_regular(&path, MERGE_HEAD_LIMIT) {
        Ok(bytes) => bytes,
        Err(error) if is_absent(&error) => return Ok(Vec::new()),
        Err(_) => return Err(broken("MERGE_HEAD cannot be read")),
    };
    let lines = bytes.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    lines
        .map(|line| {
            ObjectId::from_hex(line).map_err(|_| broken("MERGE_HEAD holds something else than commits"))
        })
        .collect()
}

fn broken(message: &str) -> SourceError {
    SourceError {
        message: message.to_string(),
        hint: Some("`git fsck` says what is wrong; `git status` shows whether git can read it".to_string()),
    }
}

/// Whether the repository certainly has no commit at HEAD yet; `false` when that cannot be known.
pub(super) fn is_before_first_commit(layout: &Layout) -> bool {
    RepositoryFormat::read(layout)
        .is_ok_and(|format| format.references_are_files && matches!(head_commit(layout, format), Ok(None)))
}
