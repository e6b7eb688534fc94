//! What kind of repository it is: its hash, its reference storage, and whether it can be read at all.
//!
//! Must not know: objects, the index.
//! Invariant: an extension that changes how files are to be read and is not known here is an error, as it is for
//! git; guessing could read an index wrongly and call it clean.

use gix::hash::Kind as HashKind;

use super::layout::{Layout, LayoutError};
use crate::source::SourceError;

/// The parts of a repository's format that matter for reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RepositoryFormat {
    /// How objects are named.
    pub hash: HashKind,
    /// Whether branches are kept in files; other storages cannot be read here.
    pub references_are_files: bool,
}

/// Why a repository's format cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum FormatError {
    #[error(transparent)]
    Layout(#[from] LayoutError),
    #[error("the repository has format version {0}, which is not known")]
    Version(i64),
    #[error("the repository uses the extension {0}, which is not known")]
    Extension(String),
    #[error("the repository uses the hash {0}, which is not known")]
    Hash(String),
}

impl From<FormatError> for SourceError {
    fn from(error: FormatError) -> Self {
        match error {
            FormatError::Layout(error) => error.into(),
            error => {
                let hint =
                    "a newer keyfence may know it; scan the work tree with `keyfence scan .` until then";
                Self { message: error.to_string(), hint: Some(hint.to_string()) }
            }
        }
    }
}

impl RepositoryFormat {
    pub(super) fn read(layout: &Layout) -> Result<Self, FormatError> {
        let mut format = Self { hash: HashKind::Sha1, references_are_files: true };
        for config in layout.own_configs()? {
            let version = config.integer("core.repositoryFormatVersion").ok().flatten().unwrap_or(0);
            if !(0..=1).contains(&version) {
                return Err(FormatError::Version(version));
            }
            for section in config.sections_by_name("extensions").into_iter().flatten() {
                for name in section.value_names() {
                    let value = section.value(name.to_string().as_str()).unwrap_or_default();
                    format.extend(&name.to_string().to_ascii_lowercase(), &value.to_string(), version)?;
                }
            }
        }
        Ok(format)
    }

    fn extend(&mut self, name: &str, value: &str, version: i64) -> Result<(), FormatError> {
        match name {
            "noop" | "preciousobjects" | "partialclone" | "worktreeconfig" | "relativeworktrees" => {}
            "objectformat" => {
                self.hash = match value.to_ascii_lowercase().as_str() {
                    "sha1" => HashKind::Sha1,
                    "sha256" => HashKind::Sha256,
                    _ => return Err(FormatError::Hash(value.to_string())),
                }
            }
            "refstorage" => self.references_are_files = value.eq_ignore_ascii_case("files"),
            // Version 0 repositories may hold any extension: git ignores those it does not know there.
            _ if version == 0 => {}
            _ => return Err(FormatError::Extension(name.to_string())),
        }
        Ok(())
    }
}
