//! Where a repository's parts are: found as git finds them, without starting git.
//!
//! Must not know: objects, index contents, who owns the files (foreign ownership changes nothing here: nothing is
//! run, so nothing has to be trusted).
//! Invariant: every path handed out is absolute.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use gix::bstr::{BString, ByteSlice};
use gix::config::File as ConfigFile;

use super::GitEnvironment;
use crate::source::{SourceError, opening};

/// More than any `.git` file, `commondir` or `HEAD` can need.
const POINTER_LIMIT: u64 = 64 * 1024;
/// More than any hand-made configuration can need.
pub(super) const CONFIG_LIMIT: u64 = 16 * 1024 * 1024;

/// Where the parts of one repository are, seen from one work tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The private directory of this work tree: `.git`, `.git/worktrees/NAME`, `.git/modules/NAME`.
    pub git_dir: PathBuf,
    /// Where objects, branches and hooks are; the same as `git_dir` except in a linked worktree.
    pub common_dir: PathBuf,
    /// The top of the work tree; `None` in a bare repository.
    pub work_tree: Option<PathBuf>,
}

/// Why no repository could be used.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// The directory to start from cannot be used.
    #[error("cannot open the directory {}", .path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Neither the directory nor any above it is a repository.
    #[error("{} is not in a git repository", .path.display())]
    NotARepository {
        /// Where the search began.
        path: PathBuf,
    },
    /// `GIT_DIR` or a `.git` file names something that is no repository.
    #[error("{named_by} names {}, which is not a git repository", .path.display())]
    BrokenPointer {
        /// `GIT_DIR`, or the path of the `.git` file.
        named_by: String,
        /// What it names.
        path: PathBuf,
    },
    /// A file of the repository that must be read cannot be.
    #[error("cannot read {}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The repository's configuration cannot be parsed.
    #[error("cannot understand the configuration in {}", .path.display())]
    BadConfig {
        /// The file.
        path: PathBuf,
    },
    /// The repository has no work tree, and one is needed.
    #[error("{} is a bare repository: it has no index and no work tree", .git_dir.display())]
    Bare {
        /// The repository.
        git_dir: PathBuf,
    },
}

impl LayoutError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Directory { .. } => "check that the directory exists and may be entered",
            Self::NotARepository { .. } => "run it inside a git work tree, or `git init` first",
            Self::BrokenPointer { .. } => {
                "unset GIT_DIR if it is left over, or repair the link with `git worktree repair`"
            }
            Self::Unreadable { .. } => "check the file's permissions",
            Self::BadConfig { .. } => "`git config --list --show-origin` names the line that is wrong",
            Self::Bare { .. } => "run it in a work tree of this repository",
        }
    }
}

impl From<LayoutError> for SourceError {
    fn from(error: LayoutError) -> Self {
        let hint = Some(error.hint().to_string());
        let message = match &error {
            LayoutError::Directory { source, .. } | LayoutError::Unreadable { source, .. } => {
                format!("{error}: {source}")
            }
            _ => error.to_string(),
        };
        Self { message, hint }
    }
}

impl Layout {
    /// Finds the repository that git would use in `directory` with this environment.
    ///
    /// # Errors
    /// Not a repository, a `GIT_DIR` or `.git` file that leads nowhere, or files that cannot be read.
    pub fn discover(directory: &Path, environment: &GitEnvironment) -> Result<Self, LayoutError> {
        let start = fs::canonicalize(directory)
            .map_err(|source| LayoutError::Directory { path: directory.to_path_buf(), source })?;
        match &environment.git_dir {
            Some(git_dir) => Self::from_environment(&start, git_dir, environment),
            None => Self::search_upward(&start, environment),
        }
    }

    /// The top of the work tree.
    ///
    /// # Errors
    /// [`LayoutError::Bare`] when there is none.
    pub fn require_work_tree(&self) -> Result<&Path, LayoutError> {
        self.work_tree.as_deref().ok_or_else(|| LayoutError::Bare { git_dir: self.git_dir.clone() })
    }

    /// Whether HEAD certainly has no commit yet.
    pub fn is_before_first_commit(&self) -> bool {
        super::base::is_before_first_commit(self)
    }

    /// Whether this is a worktree that `git worktree add` made.
    pub fn is_linked_worktree(&self) -> bool {
        self.git_dir != self.common_dir
    }

    /// Whether the repository is kept inside another one's `.git/modules`.
    pub fn is_submodule(&self) -> bool {
        let parts: Vec<_> = self.common_dir.components().map(|part| part.as_os_str()).collect();
        parts.windows(2).any(|pair| pair[0] == ".git" && pair[1] == "modules")
    }

    /// Where hooks are when `core.hooksPath` says nothing.
    pub fn default_hooks_directory(&self) -> PathBuf {
        self.common_dir.join("hooks")
    }

    /// The index that git would use: `GIT_INDEX_FILE` belongs to the top of the work tree, wherever the process is.
    pub fn index_path(&self, environment: &GitEnvironment) -> PathBuf {
        let base = self.work_tree.as_deref().unwrap_or(&self.git_dir);
        match &environment.index_file {
            Some(path) => base.join(path),
            None => self.git_dir.join("index"),
        }
    }

    fn from_environment(
        start: &Path,
        named: &Path,
        environment: &GitEnvironment,
    ) -> Result<Self, LayoutError> {
        let named = start.join(named);
        let git_dir = if named.is_file() { follow_git_file(&named)? } else { named };
        let common_dir = find_common_dir(&git_dir, start, environment)?;
        if !is_git_directory(&git_dir, &common_dir, environment) {
            return Err(LayoutError::BrokenPointer { named_by: "GIT_DIR".into(), path: git_dir });
        }
        let mut layout = Self { git_dir, common_dir, work_tree: None };
        layout.work_tree = layout.find_work_tree(start, environment, start)?;
        Ok(layout)
    }

    fn search_upward(start: &Path, environment: &GitEnvironment) -> Result<Self, LayoutError> {
        let ceilings = ceilings(environment);
        for directory in start.ancestors() {
            // A ceiling is never searched itself, except when one starts there.
            if directory != start && ceilings.iter().any(|ceiling| ceiling == directory) {
                break;
            }
            if let Some(layout) = Self::at(directory, start, environment)? {
                return Ok(layout);
            }
        }
        Err(LayoutError::NotARepository { path: start.to_path_buf() })
    }

    /// The repository of exactly this directory: its `.git`, or the directory itself when it is bare.
    fn at(directory: &Path, start: &Path, environment: &GitEnvironment) -> Result<Option<Self>, LayoutError> {
        let dot_git = directory.join(".git");
        if dot_git.is_file() {
            let git_dir = follow_git_file(&dot_git)?;
            let common_dir = find_common_dir(&git_dir, start, environment)?;
            if !is_git_directory(&git_dir, &common_dir, environment) {
                return Err(LayoutError::BrokenPointer {
                    named_by: dot_git.display().to_string(),
                    path: git_dir,
                });
            }
            let mut layout = Self { git_dir, common_dir, work_tree: None };
            layout.work_tree = layout.find_work_tree(start, environment, directory)?;
            return Ok(Some(layout));
        }
        for git_dir in [dot_git.as_path(), directory] {
            let common_dir = find_common_dir(git_dir, start, environment)?;
            if is_git_directory(git_dir, &common_dir, environment) {
                let mut layout = Self { git_dir: git_dir.to_path_buf(), common_dir, work_tree: None };
                // Inside a git directory there is no work tree, unless something names one.
                let top = (git_dir != directory).then_some(directory);
                layout.work_tree = match top {
                    Some(top) => layout.find_work_tree(start, environment, top)?,
                    None => layout.named_work_tree(start, environment, &layout.own_configs()?),
                };
                return Ok(Some(layout));
            }
        }
        Ok(None)
    }

    /// The work tree's top: what the environment, the configuration or the worktree's own link name, else `fallback`.
    fn find_work_tree(
        &self,
        start: &Path,
        environment: &GitEnvironment,
        fallback: &Path,
    ) -> Result<Option<PathBuf>, LayoutError> {
        let configs = self.own_configs()?;
        if let Some(named) = self.named_work_tree(start, environment, &configs) {
            return Ok(Some(named));
        }
        if self.is_linked_worktree() {
            return Ok(Some(self.linked_work_tree().unwrap_or_else(|| fallback.to_path_buf())));
        }
        Ok((!is_bare(&configs)).then(|| fallback.to_path_buf()))
    }

    fn named_work_tree(
        &self,
        start: &Path,
        environment: &GitEnvironment,
        configs: &[ConfigFile],
    ) -> Option<PathBuf> {
        if let Some(named) = &environment.work_tree {
            return Some(resolved(start.join(named)));
        }
        let named = configs.iter().rev().find_map(|config| config.string("core.worktree"))?;
        Some(resolved(self.git_dir.join(native_path(named))))
    }

    /// Where the `.git` file of a linked worktree stands; git keeps its path in `gitdir`.
    fn linked_work_tree(&self) -> Option<PathBuf> {
        let link = read_pointer(&self.git_dir.join("gitdir")).ok()?;
        let top = resolved(self.git_dir.join(link)).parent()?.to_path_buf();
        top.join(".git").is_file().then_some(top)
    }

    /// The files that git reads for the repository's own format: `config`, and `config.worktree` where that is
    /// switched on. Includes are not followed, as git does not follow them for this either.
    pub(super) fn own_configs(&self) -> Result<Vec<ConfigFile>, LayoutError> {
        let mut configs = Vec::new();
        let shared = read_config(&self.common_dir.join("config"))?;
        let has_own = shared
            .as_ref()
            .is_some_and(|config| matches!(config.boolean("extensions.worktreeConfig"), Ok(Some(true))));
        configs.extend(shared);
        if has_own {
            configs.extend(read_config(&self.git_dir.join("config.worktree"))?);
        }
        Ok(configs)
    }
}

/// Whether the last word about it is that there is no work tree.
fn is_bare(configs: &[ConfigFile]) -> bool {
    configs.iter().rev().find_map(|config| config.boolean("core.bare").ok().flatten()).unwrap_or(false)
}

/// A path from bytes as git keeps them. Only where paths must be Unicode can bytes be lost.
pub(super) fn native_path(bytes: impl Into<BString>) -> PathBuf {
    let bytes = bytes.into();
    let lossy = bytes.to_str_lossy().into_owned();
    gix::path::from_bstring(bytes).unwrap_or_else(|_| PathBuf::from(lossy))
}

/// The path without links and `..` where it exists, else as it is.
fn resolved(path: PathBuf) -> PathBuf {
    fs::canonicalize(&path).unwrap_or(path)
}

/// What a `.git` file names.
fn follow_git_file(path: &Path) -> Result<PathBuf, LayoutError> {
    let text =
        read_pointer(path).map_err(|source| LayoutError::Unreadable { path: path.to_path_buf(), source })?;
    let named = text.to_str().and_then(|text| text.strip_prefix("gitdir:")).map(str::trim);
    let named = named.map_or_else(|| strip_git_file_prefix(&text), PathBuf::from);
    let base = path.parent().unwrap_or(path);
    Ok(resolved(base.join(named)))
}

/// The same for names that are no UTF-8.
fn strip_git_file_prefix(text: &Path) -> PathBuf {
    let bytes = text.as_os_str().as_encoded_bytes();
    native_path(bytes.strip_prefix(b"gitdir:").unwrap_or(bytes).trim_ascii())
}

fn find_common_dir(
    git_dir: &Path,
    start: &Path,
    environment: &GitEnvironment,
) -> Result<PathBuf, LayoutError> {
    if let Some(named) = &environment.common_dir {
        return Ok(resolved(start.join(named)));
    }
    let link = git_dir.join("commondir");
    match read_pointer(&link) {
        Ok(named) => Ok(resolved(git_dir.join(named))),
        Err(error) if is_absent(&error) => Ok(git_dir.to_path_buf()),
        Err(source) => Err(LayoutError::Unreadable { path: link, source }),
    }
}

/// A file, or the link to a branch that old repositories have; a pipe would never end.
fn is_readable_head(head: &Path) -> bool {
    match fs::metadata(head) {
        Ok(metadata) => metadata.is_file(),
        Err(_) => fs::symlink_metadata(head).is_ok(),
    }
}

/// The same three things that git asks for: a HEAD, objects, references.
pub(super) fn is_git_directory(git_dir: &Path, common_dir: &Path, environment: &GitEnvironment) -> bool {
    let has_objects = environment.object_directory.is_some() || common_dir.join("objects").is_dir();
    has_objects && common_dir.join("refs").is_dir() && is_readable_head(&git_dir.join("HEAD"))
}

fn ceilings(environment: &GitEnvironment) -> Vec<PathBuf> {
    let Some(list) = &environment.ceiling_directories else { return Vec::new() };
    std::env::split_paths(list).filter(|path| path.is_absolute()).map(resolved).collect()
}

/// The one line of a small file that holds a path.
fn read_pointer(path: &Path) -> io::Result<PathBuf> {
    let mut bytes = read_regular(path, POINTER_LIMIT)?;
    while bytes.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
        bytes.pop();
    }
    Ok(native_path(bytes))
}

/// No file gets more memory before it is read.
const MOST_ROOM: u64 = 16 * 1024 * 1024;

/// Reads a file that is one: a FIFO in its place would block for ever.
pub(super) fn read_regular(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let file = opening::open(path, true)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    let length = metadata.len();
    if length > limit {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "larger than such a file can be"));
    }
    // With room for all of it at once; a file that says too much of itself gets less.
    let mut bytes = Vec::with_capacity(usize::try_from(length.min(MOST_ROOM)).unwrap_or(0));
    // Git renames its files into place, so that they do not grow; files that the kernel makes up say 0 and hold more.
    file.take(if length == 0 { limit } else { length }).read_to_end(&mut bytes)?;
    Ok(bytes)
}

pub(super) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// One file of the configuration, without what it includes; `None` where it is not there.
pub(super) fn read_config(path: &Path) -> Result<Option<ConfigFile>, LayoutError> {
    let bytes = match read_regular(path, CONFIG_LIMIT) {
        Ok(bytes) => bytes,
        Err(error) if is_absent(&error) => return Ok(None),
        Err(source) => return Err(LayoutError::Unreadable { path: path.to_path_buf(), source }),
    };
    let options = gix::config::file::init::Options { lossy: true, ..Default::default() };
    ConfigFile::from_bytes_no_includes(&bytes, gix::config::file::Metadata::api(), options)
        .map(Some)
        .map_err(|_| LayoutError::BadConfig { path: path.to_path_buf() })
}
