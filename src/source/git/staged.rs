//! The source of `scan --staged`: what the index would commit, and which lines of it are new.
//!
//! Must not know: rules, the work tree's files.
//! Invariant: index blobs are read, never the work tree; what cannot be read is a problem; what cannot be compared
//! counts as new.

use std::path::{Path, PathBuf};

use super::base::Base;
use super::changes::Changes;
use super::format::RepositoryFormat;
use super::index::read_index;
use super::objects::Objects;
use super::reading::{Origins, Task, hand_out, note};
use super::{GitEnvironment, Layout};
use crate::source::{Receiver, Source, SourceError};

/// What is larger is not scanned unless asked for: 64 MiB.
pub const DEFAULT_MAX_BLOB_SIZE: u64 = 64 * 1024 * 1024;
/// What to scan and how.
#[derive(Clone, Debug)]
pub struct StagedOptions {
    /// Where to look for the repository.
    pub directory: PathBuf,
    /// What git said through the environment.
    pub environment: GitEnvironment,
    /// Larger blobs are a problem instead of being read, in bytes; `None` reads whatever fits in memory.
    pub max_blob_size: Option<u64>,
}

impl StagedOptions {
    /// The usual: the repository of `directory`, the default limit.
    pub fn new(directory: impl Into<PathBuf>, environment: GitEnvironment) -> Self {
        Self { directory: directory.into(), environment, max_blob_size: Some(DEFAULT_MAX_BLOB_SIZE) }
    }
}

/// Hands out the blobs that the index would commit and that no parent has at their path.
///
/// For a path that is new its own bytes come first, as a chunk of their own: names can hold secrets. A blob that was
/// changed has the added and changed lines as its focus.
#[derive(Clone, Debug)]
pub struct Staged {
    options: StagedOptions,
}

impl Staged {
    /// A source with these options; nothing is read yet.
    pub fn new(options: StagedOptions) -> Self {
        Self { options }
    }
}

impl Source for Staged {
    fn drive(&self, receiver: &dyn Receiver) -> Result<(), SourceError> {
        let environment = &self.options.environment;
        let layout = Layout::discover(&self.options.directory, environment)?;
        layout.require_work_tree()?;
        let format = RepositoryFormat::read(&layout)?;
        let objects = Objects::open(&layout, environment, format.hash, self.options.max_blob_size)?;
        let base = Base::find(&layout, format, &objects)?;
        let index = open_index(&layout, environment, &objects, &base)?;
        let mut changes = match &index {
            Some(index) => Changes::between(index, &base, &objects),
            None => Changes::default(),
        };
        note(&mut *receiver.worker(), changes.problems.drain(..), changes.submodules);
        let origins = Origins::find(&changes, &objects);
        let tasks: Vec<_> =
            changes.changed.iter().map(|change| Task { change, origins: &origins, commit: None }).collect();
        hand_out(&tasks, &objects, self.options.max_blob_size, receiver);
        Ok(())
    }
}

/// Opens the index that would be committed; `None` when there is none yet and there need not be one.
pub(super) fn open_index(
    layout: &Layout,
    environment: &GitEnvironment,
    objects: &Objects,
    base: &Base,
) -> Result<Option<gix::index::File>, SourceError> {
    let path = layout.index_path(environment);
    match std::fs::metadata(&path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Err(bad_index(&path, "it is not a regular file")),
        // Before the first `git add` there is no index; any other absence means that the wrong place was looked at.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let is_default = path == layout.git_dir.join("index");
            return if base.is_unborn && is_default {
                Ok(None)
            } else {
                Err(bad_index(&path, "it does not exist"))
            };
        }
        Err(error) => return Err(bad_index(&path, &error.to_string())),
    }
    read_index(&path, &layout.git_dir, objects.hash()).map(Some).map_err(|reason| bad_index(&path, &reason))
}

fn bad_index(path: &Path, reason: &str) -> SourceError {
    SourceError {
        message: format!("cannot read the index {}: {reason}", path.display()),
        hint: Some(
            "`git status` shows whether git can read it; `rm` it and `git reset` rebuild it".to_string(),
        ),
    }
}
