//! The repositories of submodules, which git keeps inside the git directory of the repository that names them.
//!
//! Each is scanned as a history of its own; what it hands out is told below the submodule's path.
//!
//! Must not know: how one history is read, detection.
//! Invariants: a directory that is meant for a repository and cannot be read as one is a problem; no link is followed, so
//! that the search ends.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gix::config::File as ConfigFile;
use sha2::{Digest, Sha256};

use super::super::layout::{is_absent, is_git_directory, native_path, read_config};
use super::super::{GitEnvironment, Layout};
use super::beside::entries;
use crate::model::{
    Chunk, CopiedPiece, Coverage, Exposure, FilePath, Occurrence, Problem, ProblemKind, Provenance,
};
use crate::source::{self, Glance, Memo, Memory, Receiver, SourceError, Version, Worker};

/// A name of a submodule has no more directories, and submodules of submodules are no deeper.
const DEEPEST: usize = 32;

/// The repository of a submodule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Module {
    pub layout: Layout,
    /// Where the submodule is checked out, from the top of the repository that names it; else its name.
    pub path: Vec<u8>,
    /// How its git directory is told, with `/` at its end.
    pub shown: Vec<u8>,
}

/// All submodules of a repository (not theirs in turn), with those of its linked work trees.
pub(super) fn modules(layout: &Layout, shown: &[u8], worker: &mut dyn Worker) -> Vec<Module> {
    let mut found = Vec::new();
    below(&layout.common_dir.join("modules"), (shown, b"modules/", b""), 0, &mut found, worker);
    for (path, name) in entries(&layout.common_dir.join("worktrees"), b"worktrees/", shown, worker) {
        let kept = [&name, b"/modules/".as_slice()].concat();
        below(&path.join("modules"), (shown, &kept, b""), 0, &mut found, worker);
    }
    found
}

/// Names may have directories in them, so that it is only known at the end of each which directory is a repository.
fn below(
    directory: &Path,
    (shown, kept, name): (&[u8], &[u8], &[u8]),
    depth: usize,
    found: &mut Vec<Module>,
    worker: &mut dyn Worker,
) {
    for (path, _) in entries(directory, &[kept, name].concat(), shown, worker) {
        match fs::symlink_metadata(&path) {
            Ok(metadata) if !metadata.is_dir() => continue,
            Err(error) if is_absent(&error) => continue,
            // Where it cannot even be told what it is, reading it is a problem.
            _ => {}
        }
        let own = path.file_name().unwrap_or_default().as_encoded_bytes();
        let name = [name, own].concat();
        let with_end = [&name, b"/".as_slice()].concat();
        let git_dir = [shown, kept, &with_end].concat();
        if is_git_directory(&path, &path, &GitEnvironment::default()) {
            let at = checked_out(&path).unwrap_or(name);
            let layout = Layout { git_dir: path.clone(), common_dir: path, work_tree: None };
            found.push(Module { layout, path: at, shown: git_dir });
        } else if ["HEAD", "objects", "refs"].iter().any(|part| fs::symlink_metadata(path.join(part)).is_ok())
        {
            worker.problem(broken(
                &git_dir,
                "this repository of a submodule is damaged; nothing in it was looked at",
            ));
        } else if depth < DEEPEST {
            // This also tells of one that may not be entered.
            below(&path, (shown, kept, &with_end), depth + 1, found, worker);
        } else {
            worker.problem(broken(&git_dir, "directories are nested too deep to be looked at"));
        }
    }
}

fn broken(git_dir: &[u8], message: &str) -> Problem {
    Problem::at(
        ProblemKind::BadObject,
        FilePath::from_bytes(git_dir.strip_suffix(b"/").unwrap_or(git_dir)),
        message,
    )
    .with_hint("`git submodule update --init` or a fresh clone brings it back")
}

/// A submodule whose repository could not be scanned at all.
pub(super) fn unusable(git_dir: &[u8], error: SourceError) -> Problem {
    let path = FilePath::from_bytes(git_dir.strip_suffix(b"/").unwrap_or(git_dir));
    let message = format!("this repository of a submodule was not looked at: {}", error.message);
    Problem { hint: error.hint, ..Problem::at(ProblemKind::BadObject, path, message) }
}

/// The path of the work tree below the one that has the outermost `.git`, from what the repository says itself:
/// `../../../libs/desk`.
fn checked_out(git_dir: &Path) -> Option<Vec<u8>> {
    let config: ConfigFile = read_config(&git_dir.join("config")).ok()??;
    let named = native_path(config.string("core.worktree")?);
    let real = |path: PathBuf| fs::canonicalize(&path).ok();
    let work_tree = real(git_dir.join(named))?;
    let outer =
        git_dir.ancestors().find(|directory| directory.file_name().is_some_and(|name| name == ".git"))?;
    // Submodules of submodules are below their own, and so is their git directory.
    let inner = work_tree.ancestors().skip(1).find(|directory| directory.join(".git").exists());
    let top = inner.map(Path::to_path_buf).or_else(|| outer.parent().map(Path::to_path_buf))?;
    let below = work_tree.strip_prefix(&top).ok()?;
    Some(FilePath::from_path(below).as_bytes().to_vec()).filter(|path| !path.is_empty())
}

/// Takes what the history of a submodule hands out and passes it on under the submodule's path.
pub(super) struct Relocated<'r> {
    pub receiver: &'r dyn Receiver,
    pub path: &'r [u8],
}

impl Receiver for Relocated<'_> {
    fn worker(&self) -> Box<dyn Worker + '_> {
        Box::new(RelocatedWorker { worker: self.receiver.worker(), path: self.path })
    }

    /// What is judged under another path may be judged otherwise.
    fn identity(&self) -> Option<[u8; 32]> {
        let identity = self.receiver.identity()?;
        Some(Sha256::new().chain_update(identity).chain_update(self.path).finalize().into())
    }
}

struct RelocatedWorker<'r> {
    worker: Box<dyn Worker + 'r>,
    path: &'r [u8],
}

impl RelocatedWorker<'_> {
    fn provenance(&self, inner: &Provenance) -> Provenance {
        Provenance { path: outside(self.path, &inner.path), ..inner.clone() }
    }
}

impl Worker for RelocatedWorker<'_> {
    fn chunk(&mut self, chunk: &Chunk<'_>) {
        let provenance = self.provenance(chunk.provenance);
        // The name of a file is what is looked at there, and what is found is told by where it stands in it.
        self.worker.chunk(&Chunk { provenance: &provenance, ..*chunk });
    }

    fn glance(&mut self, version: &Version<'_>) -> Glance {
        self.worker.glance(version)
    }

    fn follow(&mut self, version: &Version<'_>) -> Memory {
        self.worker.follow(version)
    }

    fn chunk_of_version(
        &mut self,
        chunk: &Chunk<'_>,
        memory: &Memory,
        base: Option<(&Memory, &[CopiedPiece])>,
    ) {
        let provenance = self.provenance(chunk.provenance);
        self.worker.chunk_of_version(&Chunk { provenance: &provenance, ..*chunk }, memory, base);
    }

    fn covered(&mut self, coverage: &Coverage) {
        self.worker.covered(coverage);
    }

    fn expected(&mut self, files: u64) {
        self.worker.expected(files);
    }

    fn problem(&mut self, problem: Problem) {
        let path = match &problem.path {
            // Files of the git directory are told by where they are.
            Some(path) if path.as_bytes().starts_with(b"/") => path.clone(),
            Some(path) => outside(self.path, path),
            None => FilePath::from_bytes(self.path),
        };
        self.worker.problem(Problem { path: Some(path), ..problem });
    }

    fn told(&self) -> usize {
        self.worker.told()
    }

    fn memo(&mut self, told: usize) -> Option<Memo> {
        self.worker.memo(told)
    }

    fn recall(&mut self, memos: &[(&Provenance, &Memo)]) -> bool {
        let places: Vec<Provenance> = memos.iter().map(|(place, _)| self.provenance(place)).collect();
        let memos: Vec<_> = places.iter().zip(memos).map(|(place, (_, memo))| (place, *memo)).collect();
        self.worker.recall(&memos)
    }

    fn interrupted(&self) -> bool {
        self.worker.interrupted()
    }
}

fn outside(module: &[u8], path: &FilePath) -> FilePath {
    FilePath::from_bytes([module, b"/", path.as_bytes()].concat())
}

fn inside(module: &[u8], path: &FilePath) -> Option<FilePath> {
    let path = path.as_bytes().strip_prefix(module)?.strip_prefix(b"/")?;
    Some(FilePath::from_bytes(path))
}

/// The history of one submodule.
pub(super) struct ModuleHistory {
    pub path: Vec<u8>,
    pub chronicle: Arc<dyn Chronicle>,
}

/// A chronicle that can say whether it knows an object.
pub(super) trait Chronicle: source::Chronicle {
    /// Whether what stands at this place is in the repository.
    fn has(&self, place: &Provenance) -> bool;
}

/// The histories of a repository and of its submodules, as one.
pub(super) struct Joined {
    pub own: Arc<dyn Chronicle>,
    pub modules: Vec<ModuleHistory>,
}

/// Places and lines of one credential.
type Places = Vec<(Arc<Provenance>, u32)>;

impl Joined {
    /// The submodules that have what stands at a place, each with the place as it calls it.
    fn of_modules(&self, place: &Provenance) -> Vec<(usize, Arc<Provenance>)> {
        let within = |(number, module): (usize, &ModuleHistory)| {
            let place = Provenance { path: inside(&module.path, &place.path)?, ..place.clone() };
            module.chronicle.has(&place).then(|| (number, Arc::new(place)))
        };
        self.modules.iter().enumerate().filter_map(within).collect()
    }

    /// The places of one credential, those of the repository itself first, then those of each submodule.
    fn parted(&self, places: &Places) -> Vec<Places> {
        let mut parted = vec![Places::new(); 1 + self.modules.len()];
        for (place, line) in places {
            let found = self.of_modules(place);
            // What no submodule has is told by the repository itself, whatever it is.
            if found.is_empty() || self.own.has(place) {
                parted[0].push((Arc::clone(place), *line));
            }
            found.into_iter().for_each(|(number, place)| parted[1 + number].push((place, *line)));
        }
        parted
    }
}

impl source::Chronicle for Joined {
    fn exposures(&self, credentials: &[Places]) -> Vec<Exposure> {
        let mut told: Vec<Option<Exposure>> = vec![None; credentials.len()];
        let mut parted: Vec<Vec<Places>> = credentials.iter().map(|places| self.parted(places)).collect();
        let own = std::iter::once((&self.own, b"".as_slice()));
        let modules = self.modules.iter().map(|module| (&module.chronicle, module.path.as_slice()));
        for (history, (chronicle, path)) in own.chain(modules).enumerate() {
            let is_there = |parted: &Vec<Places>| !parted[history].is_empty();
            let asked: Vec<usize> = (0..parted.len()).filter(|&number| is_there(&parted[number])).collect();
            let places: Vec<Places> =
                asked.iter().map(|&number| std::mem::take(&mut parted[number][history])).collect();
            for (number, exposure) in asked.into_iter().zip(chronicle.exposures(&places)) {
                let exposure = if path.is_empty() { exposure } else { seen_from_outside(exposure, path) };
                told[number] = Some(match told[number].take() {
                    Some(before) => together(before, exposure),
                    None => exposure,
                });
            }
        }
        let nowhere = || self.own.exposures(&[Places::new()]).into_iter().next();
        told.into_iter().filter_map(|exposure| exposure.or_else(nowhere)).collect()
    }

    fn is_wanted(&self, exposure: &Exposure) -> bool {
        self.own.is_wanted(exposure)
    }

    fn first_commits(&self, places: &[Arc<Provenance>]) -> Vec<Option<String>> {
        let mut commits = self.own.first_commits(places);
        for (number, module) in self.modules.iter().enumerate() {
            let is_open = |at: &usize| commits[*at].is_none();
            let within = |at: usize| {
                let mut found = self.of_modules(&places[at]).into_iter();
                found.find(|(found, _)| *found == number).map(|(_, place)| (at, place))
            };
            let asked: Vec<_> = (0..places.len()).filter(is_open).filter_map(within).collect();
            let inner: Vec<_> = asked.iter().map(|(_, place)| Arc::clone(place)).collect();
            for ((at, _), commit) in asked.iter().zip(module.chronicle.first_commits(&inner)) {
                commits[*at] = commit;
            }
        }
        commits
    }

    fn again(&self, places: &[Arc<Provenance>], receiver: &dyn Receiver) {
        // Where several have it, one of them may be damaged.
        let own: Vec<_> = places.iter().filter(|place| self.own.has(place)).cloned().collect();
        self.own.again(&own, receiver);
        for (number, module) in self.modules.iter().enumerate() {
            let within = |place: &Arc<Provenance>| {
                let mut found = self.of_modules(place).into_iter();
                found.find(|(found, _)| *found == number).map(|(_, place)| place)
            };
            let inner: Vec<_> = places.iter().filter_map(within).collect();
            module.chronicle.again(&inner, &Relocated { receiver, path: &module.path });
        }
    }
}

/// The exposure in a submodule at `module`, in the words of the repository that names it.
fn seen_from_outside(exposure: Exposure, module: &[u8]) -> Exposure {
    let name = FilePath::from_bytes(module).to_text();
    let named = |names: Vec<String>| names.into_iter().map(|own| format!("{name}:{own}")).collect();
    let moved = |place: Occurrence| Occurrence { path: outside(module, &place.path), ..place };
    Exposure {
        references: named(exposure.references),
        tips: named(exposure.tips),
        remotes: named(exposure.remotes),
        occurrences: exposure.occurrences.into_iter().map(moved).collect(),
        ..exposure
    }
}

/// What stands in two histories: it is gone when it is gone from both, and as far away as from either.
fn together(one: Exposure, other: Exposure) -> Exposure {
    let is_gone = |exposure: &Exposure| exposure.commits == 0 || exposure.removed_by.is_some();
    let removed_by =
        if is_gone(&one) && is_gone(&other) { one.removed_by.or(other.removed_by) } else { None };
    Exposure {
        reach: one.reach.max(other.reach),
        first_seen: one.first_seen.or(other.first_seen),
        last_seen: one.last_seen.or(other.last_seen),
        removed_by,
        commits: one.commits + other.commits,
        references: [one.references, other.references].concat(),
        tips: [one.tips, other.tips].concat(),
        remotes: [one.remotes, other.remotes].concat(),
        occurrences: [one.occurrences, other.occurrences].concat(),
    }
}
