//! Hands out what could hold something, now that its paths are known.
//!
//! Must not know: detection, references' meaning.
//! Invariant: what is handed out is read in the order of its families, each object once, and goes out once for each of
//! its paths.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};

use gix::hash::Kind as HashKind;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::super::commits::Writing;
use super::graph::{Graph, Section};
use super::holdings::Held;
use super::packs::{Base, Families, object_problem};
use super::set::NumberSet;
use super::table::Table;
use super::tips::Tips;
use super::walk::{Crew, Hands, Plan, Seen, Visit};
use crate::model::{Chunk, ContentKind, FilePath, Problem, Provenance};
use crate::source::{Memory, Receiver, SourceError, Version, Worker};

/// When the scan is interrupted, so many objects are still handed out: what was found so far is told.
const LAST_OBJECTS: u32 = 256;

/// Everything that is needed to hand out.
pub(super) struct Holder<'a> {
    pub table: &'a Table,
    pub families: &'a [Families],
    pub hash: HashKind,
    pub graph: &'a Graph,
    pub held: &'a Held,
    pub tips: &'a Tips,
    /// Contents, commits and tags, names that could hold something.
    pub blobs: &'a [u32],
    pub sections: &'a [(u32, Section)],
    pub names: &'a [(u32, Box<[u8]>)],
    /// Only these objects; all if `None`.
    pub wanted: Option<&'a NumberSet>,
    /// Only paths that one of these patterns matches; all if empty.
    pub patterns: &'a [String],
    pub limit: u64,
}

/// Hands everything out.
pub(super) fn hand_out(holder: &Holder<'_>, receiver: &dyn Receiver) -> Result<(), SourceError> {
    let filter = PathFilter::new(holder.patterns)?;
    let trees = holder.graph.commits().iter().map(|record| record.tree);
    let tops = NumberSet::of(holder.table.count(), trees);
    let trees: Vec<u32> = holder.names.iter().map(|(tree, _)| *tree).collect();
    let numbers: Vec<u32> = holder.blobs.iter().copied().chain(trees).collect();
    let mut paths = holder.held.paths(&numbers, &tops, holder.table, holder.hash);
    for (number, path) in holder.tips.index_paths(holder.table) {
        let known = paths.entry(number).or_default();
        if !known.contains(&path) {
            known.push(path);
        }
    }
    holder.contents(&paths, &filter, receiver);
    holder.names(&paths, &filter, receiver);
    if holder.patterns.is_empty() {
        holder.sections(receiver);
        holder.tips.hand_out(&mut *receiver.worker());
    }
    Ok(())
}

impl Holder<'_> {
    fn wants(&self, number: u32) -> bool {
        self.wanted.is_none_or(|wanted| wanted.contains(number))
    }

    fn contents(&self, paths: &HashMap<u32, Vec<Vec<u8>>>, filter: &PathFilter, receiver: &dyn Receiver) {
        let chosen: Vec<u32> = self.blobs.iter().copied().filter(|&number| self.wants(number)).collect();
        let grace = AtomicU32::new(LAST_OBJECTS);
        let is_chosen = NumberSet::of(self.table.count(), chosen.iter().copied());
        let make = || Contents {
            grace: &grace,
            table: self.table,
            chosen: &is_chosen,
            paths,
            filter,
            worker: receiver.worker(),
        };
        let crew = Crew::new(self.table, self.limit, &make);
        for (pack, families) in self.table.packs.iter().zip(self.families) {
            let own = chosen.iter().copied().filter(|number| pack.has(*number));
            let mut wanted = vec![false; pack.count() as usize];
            let (mut roots, mut orphans) = (Vec::new(), Vec::new());
            for number in own {
                // Everything on the way from what stands for itself to what is wanted.
                let mut next = number;
                loop {
                    let rank = pack.rank(next);
                    if std::mem::replace(&mut wanted[rank as usize], true) {
                        break;
                    }
                    match pack.base(next) {
                        Ok(Base::Number(base)) => next = base,
                        Ok(Base::Elsewhere(id)) => {
                            orphans.push((rank, id));
                            break;
                        }
                        Ok(Base::None(_)) | Err(_) => {
                            roots.push(rank);
                            break;
                        }
                    }
                }
            }
            crew.walk(&Plan { pack, families, roots: &roots, orphans: &orphans, wanted: Some(&wanted) });
        }
        let loose: Vec<u32> = chosen.into_iter().filter(|&number| self.table.is_loose(number)).collect();
        crew.each(&loose, |hands: &mut Hands<Contents<'_>>, &number| {
            match self.table.read(number, self.limit) {
                Ok((_, bytes)) => {
                    hands.visitor.object(&Seen { number, bytes: &bytes, base: None, is_base: false });
                }
                Err(error) => {
                    let (id, path) = (self.table.id(number), self.table.loose_path(number));
                    hands.visitor.problem(object_problem(&id, &path, &error));
                }
            }
        });
    }

    /// Names of files and directories, with the directories they stand in.
    fn names(&self, paths: &HashMap<u32, Vec<Vec<u8>>>, filter: &PathFilter, receiver: &dyn Receiver) {
        let mut worker = receiver.worker();
        for (tree, name) in self.names.iter().filter(|(tree, _)| self.wants(*tree)) {
            let nowhere = vec![Vec::new()];
            for directory in paths.get(tree).unwrap_or(&nowhere) {
                let slash: &[u8] = if directory.is_empty() { b"" } else { b"/" };
                let path = [directory.as_slice(), slash, name].concat();
                if !filter.keeps(&path) {
                    continue;
                }
                let provenance = Provenance {
                    kind: ContentKind::FileName,
                    path: FilePath::from_bytes(path.clone()),
                    blob: Some(self.table.id(*tree).to_string()),
                    commit: None,
                };
                worker.chunk(&Chunk::whole(&path, &provenance));
            }
        }
    }

    /// Messages and headers of commits, and tags.
    fn sections(&self, receiver: &dyn Receiver) {
        let mut worker = receiver.worker();
        for &(number, section) in self.sections.iter().filter(|(number, _)| self.wants(*number)) {
            let id = self.table.id(number).to_string();
            match self.table.read(number, self.limit) {
                Ok((_, bytes)) => {
                    let is_commit = self.graph.place(number).is_some();
                    let (kind, name) = match (is_commit, section) {
                        (true, Section::Message) => (ContentKind::CommitMessage, "commit message"),
                        (true, Section::Headers) => (ContentKind::CommitHeader, "commit header"),
                        (false, _) => (ContentKind::Tag, "tag"),
                    };
                    let provenance = Provenance {
                        kind,
                        path: FilePath::from(format!("{name} {}", &id[..id.len().min(12)]).as_str()),
                        blob: (!is_commit).then(|| id.clone()),
                        commit: is_commit.then(|| id.clone()),
                    };
                    worker.chunk(&Chunk::whole(section.of(&bytes, &Writing::read(&bytes)), &provenance));
                }
                Err(error) => {
                    let path = std::path::PathBuf::from("objects");
                    worker.problem(object_problem(&self.table.id(number), &path, &error));
                }
            }
        }
    }
}

/// Hands out the contents that one thread meets.
struct Contents<'a> {
    /// How many objects are still handed out after an interruption.
    grace: &'a AtomicU32,
    table: &'a Table,
    chosen: &'a NumberSet,
    paths: &'a HashMap<u32, Vec<Vec<u8>>>,
    filter: &'a PathFilter,
    worker: Box<dyn Worker + 'a>,
}

impl Visit for Contents<'_> {
    type Carried = Memory;

    fn object(&mut self, seen: &Seen<'_, Memory>) -> Memory {
        let memory = self.worker.glance(&Version { bytes: seen.bytes, base: seen.base }).memory;
        if seen.is_base || !self.chosen.contains(seen.number) {
            return memory;
        }
        let id = self.table.id(seen.number).to_string();
        let without = vec![format!("unnamed/{id}").into_bytes()];
        let paths = self.paths.get(&seen.number).unwrap_or(&without);
        for path in paths.iter().filter(|path| self.filter.keeps(path)) {
            let provenance = Provenance::blob(FilePath::from_bytes(path.clone()), id.clone());
            self.worker.chunk_of_version(&Chunk::whole(seen.bytes, &provenance), &memory, seen.base);
        }
        memory
    }

    fn problem(&mut self, problem: Problem) {
        self.worker.problem(problem);
    }

    fn stopped(&self) -> bool {
        let is_last = |left: u32| left.checked_sub(1);
        self.worker.interrupted()
            && self.grace.fetch_update(Ordering::Relaxed, Ordering::Relaxed, is_last).is_err()
    }
}

/// Which paths are asked for.
struct PathFilter {
    /// Written as what git ignores; here what matches is wanted.
    patterns: Option<Gitignore>,
    /// What is done with a path that nothing matches.
    otherwise: bool,
}

impl PathFilter {
    fn new(patterns: &[String]) -> Result<Self, SourceError> {
        let unusable = |pattern: &str| SourceError {
            message: format!("the path pattern {pattern} cannot be understood"),
            hint: Some("patterns are written as in .gitignore: src/, *.env, config/**/keys.json".to_owned()),
        };
        let mut builder = GitignoreBuilder::new("");
        for pattern in patterns {
            builder.add_line(None, pattern).map_err(|_| unusable(pattern))?;
        }
        let built = builder.build().map_err(|_| unusable(&patterns.join(" ")))?;
        Ok(Self {
            otherwise: built.num_ignores() == 0,
            patterns: Some(built).filter(|_| !patterns.is_empty()),
        })
    }

    /// A pattern may match the path or a directory above it; the nearest one that is matched decides.
    fn keeps(&self, path: &[u8]) -> bool {
        let Some(patterns) = &self.patterns else { return true };
        let path = super::super::layout::native_path(path);
        let levels = path.ancestors().filter(|level| !level.as_os_str().is_empty());
        let mut matched = levels.enumerate().map(|(depth, level)| patterns.matched(level, depth > 0));
        matched.find(|matched| !matched.is_none()).map_or(self.otherwise, |matched| matched.is_ignore())
    }
}
