//! Where objects are kept: every object directory, and the packs and loose objects in each.
//!
//! The directories are listed here and not by a library: a pack whose index is bad or missing must be seen.
//!
//! Must not know: what is in a pack or an object.
//! Invariant: whatever lies in an object directory and should hold objects is handed out or is a problem.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use gix::hash::{Kind as HashKind, ObjectId};

use super::super::layout::{is_absent, native_path, read_regular};
use super::super::objects::directories;
use super::super::{GitEnvironment, Layout};
use crate::model::{FilePath, Problem, ProblemKind};

/// Nobody has more alternates than fit in this.
const ALTERNATES_LIMIT: u64 = 1024 * 1024;
/// git follows alternates of alternates this deep.
const DEEPEST_ALTERNATE: usize = 5;

/// A pack and its index.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PackFiles {
    pub pack: PathBuf,
    pub index: PathBuf,
}

/// What all object directories hold.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub packs: Vec<PackFiles>,
    /// Ids and files, sorted by id.
    pub loose: BTreeMap<ObjectId, PathBuf>,
    pub problems: Vec<Problem>,
}

/// Lists the repository's own object directory, those that the environment adds, and their alternates.
pub(super) fn list(layout: &Layout, environment: &GitEnvironment, hash: HashKind) -> Listing {
    let mut listing = Listing::default();
    let mut seen = Vec::new();
    let own = directories(layout, environment);
    let mut waiting: Vec<(PathBuf, usize)> = own.into_iter().map(|directory| (directory, 0)).collect();
    while let Some((directory, depth)) = waiting.pop() {
        let real = match fs::canonicalize(&directory) {
            Ok(real) => real,
            Err(error) => {
                listing.unreadable(&directory, &error, "the object directory cannot be read");
                continue;
            }
        };
        if seen.contains(&real) {
            continue;
        }
        listing.packs_of(&real);
        listing.loose_of(&real, hash);
        let alternates = listing.alternates_of(&real);
        if depth < DEEPEST_ALTERNATE {
            waiting.extend(alternates.into_iter().map(|directory| (directory, depth + 1)));
        }
        seen.push(real);
    }
    listing.packs.sort();
    listing
}

impl Listing {
    /// The packs of one directory: each `.pack` needs its `.idx` and the other way round.
    fn packs_of(&mut self, directory: &Path) {
        let folder = directory.join("pack");
        let Some(entries) = self.entries(&folder) else { return };
        let mut pairs: BTreeMap<PathBuf, (bool, bool)> = BTreeMap::new();
        for path in entries {
            let named = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"pack-"));
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("pack") if named => pairs.entry(path.with_extension("")).or_default().0 = true,
                Some("idx") if named => pairs.entry(path.with_extension("")).or_default().1 = true,
                _ => {}
            }
        }
        for (stem, pair) in pairs {
            let files = PackFiles { pack: stem.with_extension("pack"), index: stem.with_extension("idx") };
            match pair {
                (true, true) => self.packs.push(files),
                (true, false) => self.problems.push(lost(
                    &files.pack,
                    "the pack has no index, so nothing in it was looked at",
                    "`git index-pack` makes one",
                )),
                (false, _) => self.problems.push(lost(
                    &files.index,
                    "the pack of this index is gone, and its objects with it",
                    "`git fsck` says what is missing; a fresh clone brings it back",
                )),
            }
        }
    }

    fn loose_of(&mut self, directory: &Path, hash: HashKind) {
        let Some(folders) = self.entries(directory) else { return };
        for folder in folders {
            let Some(first) = hexadecimal_name(&folder, 2) else { continue };
            let Some(files) = self.entries(&folder) else { continue };
            for file in files {
                let Some(rest) = hexadecimal_name(&file, hash.len_in_hex() - 2) else { continue };
                if let Ok(id) = ObjectId::from_hex([first.as_bytes(), rest.as_bytes()].concat().as_slice()) {
                    self.loose.entry(id).or_insert(file);
                }
            }
        }
    }

    /// What `info/alternates` names; relative names belong to the directory that names them.
    fn alternates_of(&mut self, directory: &Path) -> Vec<PathBuf> {
        let file = directory.join("info").join("alternates");
        let bytes = match read_regular(&file, ALTERNATES_LIMIT) {
            Ok(bytes) => bytes,
            Err(error) if is_absent(&error) => return Vec::new(),
            Err(error) => {
                self.unreadable(&file, &error, "the list of further object directories cannot be read");
                return Vec::new();
            }
        };
        let lines = bytes.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
        lines
            .filter(|line| !line.is_empty() && !line.starts_with(b"#"))
            .map(|line| {
                let unquoted = gix::quote::ansi_c::undo(line.into()).map(|(path, _)| path.into_owned());
                directory.join(native_path(unquoted.unwrap_or_else(|_| line.into())))
            })
            .collect()
    }

    /// The entries of a directory; one that is not there has none.
    fn entries(&mut self, directory: &Path) -> Option<Vec<PathBuf>> {
        let listed = fs::read_dir(directory)
            .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect());
        match listed {
            Ok(entries) => Some(entries),
            Err(error) if is_absent(&error) => None,
            Err(error) => {
                self.unreadable(directory, &error, "the object directory cannot be read");
                None
            }
        }
    }

    fn unreadable(&mut self, path: &Path, error: &io::Error, what: &str) {
        let message = format!("{what}: {error}");
        self.problems.push(lost(path, &message, "check that it exists and may be read"));
    }
}

/// Objects that cannot be had because of a file.
pub(super) fn lost(path: &Path, message: &str, hint: &str) -> Problem {
    Problem::at(ProblemKind::BadObject, FilePath::from_path(path), message).with_hint(hint)
}

fn hexadecimal_name(path: &Path, length: usize) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    (name.len() == length && name.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| name.to_owned())
}
