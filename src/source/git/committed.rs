//! Files as a commit has them, by path.
//!
//! Must not know: what they are read for.
//! Invariant: a file that cannot be read is an error, never an absent one.

use std::path::PathBuf;

use gix::hash::ObjectId;
use gix::objs::Kind;

use super::format::RepositoryFormat;
use super::objects::{EntryKind, Objects, TreeEntry};
use super::references::References;
use super::revisions::resolve_commit;
use super::{GitEnvironment, Layout};
use crate::model::FilePath;
use crate::source::SourceError;

/// The files of one commit.
#[derive(Clone)]
pub struct Committed {
    directory: PathBuf,
    environment: GitEnvironment,
    commit: ObjectId,
    tree: ObjectId,
}

impl Committed {
    /// The files of the commit that `revision` names in the repository of `directory`.
    ///
    /// # Errors
    /// The repository or the commit cannot be used.
    pub fn at(
        directory: impl Into<PathBuf>,
        environment: GitEnvironment,
        revision: &str,
    ) -> Result<Self, SourceError> {
        let directory = directory.into();
        let layout = Layout::discover(&directory, &environment)?;
        let format = RepositoryFormat::read(&layout)?;
        let objects = Objects::open(&layout, &environment, format.hash, None)?;
        let references = References::read(&layout, format)?;
        let unusable = |message: String| SourceError { message, hint: None };
        let commit = resolve_commit(revision, &references, &objects)
            .map_err(|error| unusable(format!("the commit {revision} {error}")))?;
        let tree = objects
            .tree_of_commit(&commit)
            .map_err(|error| unusable(format!("the commit {commit} cannot be read: {error}")))?;
        Ok(Self { directory, environment, commit, tree })
    }

    /// The commit (hex).
    pub fn commit(&self) -> String {
        self.commit.to_string()
    }

    /// The content of a file; `None` where the commit has no such file.
    ///
    /// # Errors
    /// In words, where there is something else or it cannot be read.
    pub fn read(&self, path: &FilePath, limit: u64) -> Result<Option<Vec<u8>>, String> {
        let objects = self.objects()?;
        let Some(entry) = self.entry(&objects, path)? else { return Ok(None) };
        if entry.kind != EntryKind::File {
            return Err(format!("it is no regular file in the commit {}", self.commit));
        }
        let (_, size) = objects.header(&entry.id).map_err(|error| error.to_string())?;
        if size > limit {
            return Err(format!("it is larger than {limit} bytes"));
        }
        let mut bytes = Vec::new();
        objects.read(&entry.id, Kind::Blob, &mut bytes).map_err(|error| error.to_string())?;
        Ok(Some(bytes))
    }

    /// The files directly in a directory, sorted; `None` where the commit has no such directory.
    ///
    /// # Errors
    /// In words, where it cannot be read.
    pub fn list(&self, directory: &FilePath) -> Result<Option<Vec<FilePath>>, String> {
        let objects = self.objects()?;
        let Some(entry) = self.entry(&objects, directory)? else { return Ok(None) };
        if entry.kind != EntryKind::Tree {
            return Ok(None);
        }
        let entries = objects.tree(&entry.id).map_err(|error| error.to_string())?;
        let files = entries.iter().filter(|entry| entry.kind == EntryKind::File);
        let inside = |entry: &TreeEntry| {
            FilePath::from_bytes([directory.as_bytes(), b"/".as_slice(), &entry.name].concat())
        };
        let mut files: Vec<FilePath> = files.map(inside).collect();
        files.sort();
        Ok(Some(files))
    }

    /// A handle to objects stays on one thread, so each question opens its own.
    fn objects(&self) -> Result<Objects, String> {
        let words = |error: SourceError| error.message;
        let layout =
            Layout::discover(&self.directory, &self.environment).map_err(|error| error.to_string())?;
        let format = RepositoryFormat::read(&layout).map_err(SourceError::from).map_err(words)?;
        Objects::open(&layout, &self.environment, format.hash, None).map_err(words)
    }

    fn entry(&self, objects: &Objects, path: &FilePath) -> Result<Option<TreeEntry>, String> {
        let mut tree = self.tree;
        let mut names = path.as_bytes().split(|&byte| byte == b'/').peekable();
        while let Some(name) = names.next() {
            let entries = objects.tree(&tree).map_err(|error| error.to_string())?;
            let Some(entry) = entries.into_iter().find(|entry| entry.name == name) else { return Ok(None) };
            if names.peek().is_none() {
                return Ok(Some(entry));
            }
            if entry.kind != EntryKind::Tree {
                return Ok(None);
            }
            tree = entry.id;
        }
        Ok(None)
    }
}
