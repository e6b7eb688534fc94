//! What git tracks: the paths of the index.
//!
//! Must not know: contents. Invariant: an index that cannot be read is an error, never an empty list.

use gix::bstr::ByteSlice;

use super::base::Base;
use super::format::RepositoryFormat;
use super::objects::Objects;
use super::staged::open_index;
use super::{GitEnvironment, Layout};
use crate::model::FilePath;
use crate::source::SourceError;

/// Every path that the index holds, sorted as there.
///
/// # Errors
/// Where the repository or its index cannot be read.
pub fn tracked_paths(layout: &Layout, environment: &GitEnvironment) -> Result<Vec<FilePath>, SourceError> {
    let format = RepositoryFormat::read(layout)?;
    let objects = Objects::open(layout, environment, format.hash, None)?;
    let base = Base::find(layout, format, &objects)?;
    let Some(index) = open_index(layout, environment, &objects, &base)? else { return Ok(Vec::new()) };
    Ok(index.entries().iter().map(|entry| FilePath::from_bytes(entry.path(&index).as_bytes())).collect())
}
