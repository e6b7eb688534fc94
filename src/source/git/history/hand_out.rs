//! Hands out what could hold something, now that its paths are known.
//!
//! Must not know: detection, references' meaning.
//! Invariant: what is handed out is read in the order of its families, each object once, and goes out once for each of
//! its paths.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use gix::hash::Kind as HashKind;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::super::commits::Writing;
use super::blobs::Blob;
use super::cache::{Judged, Memos};
use super::graph::{Graph, Section};
use super::holdings::{Held, MOST_PATHS};
use super::set::NumberSet;
use super::table::Table;
use super::tips::Tips;
use super::walk::{Crew, Hands, Plan, Seen, Visit};
use crate::model::{Chunk, ContentKind, FilePath, Problem, Provenance};
use crate::source::archive::Archives;
use crate::source::{Memo, Memory, Receiver, SourceError, Version, Worker};

/// When the scan is interrupted, so many objects are still handed out: what was found so far is told.
const LAST_OBJECTS: u32 = 256;

/// Everything that is needed to hand out.
pub(super) struct Holder<'a> {
    pub table: &'a Table,
    pub hash: HashKind,
    pub graph: &'a Graph,
    pub held: &'a Held,
    pub tips: &'a Tips,
    /// All contents.
    pub blobs: &'a [Blob],
    /// What of commits and tags could hold something.
    pub sections: &'a [(u32, Section)],
    /// Names that could hold something, with their trees; sorted.
    pub names: &'a [(u32, Arc<[u8]>)],
    /// What was judged before under all the paths that trees give it.
    pub judged: &'a Judged,
    /// Only these objects; all if `None`.
    pub wanted: Option<&'a NumberSet>,
    /// Only paths that one of these patterns matches; all if empty.
    pub patterns: &'a [String],
    pub limit: u64,
    /// Whether a later scan will ask what was found.
    pub is_remembered: bool,
}

/// The paths of what is handed out.
struct Paths {
    known: HashMap<u32, Vec<Vec<u8>>>,
    /// Objects with a path that no tree gives them, or with more than are told: that they are judged today says nothing
    /// for tomorrow.
    unsteady: HashSet<u32>,
}

/// Hands everything out, and tells what of it need not be looked at again.
pub(super) fn hand_out(holder: &Holder<'_>, receiver: &dyn Receiver) -> Result<Judged, SourceError> {
    let filter = PathFilter::new(holder.patterns)?;
    let paths = holder.paths();
    let unrecalled = holder.recall(&paths, &filter, receiver);
    let mut judged = holder.contents((&paths, &unrecalled), &filter, receiver);
    judged.absorb(holder.archives(&paths, &filter, receiver));
    judged.absorb(holder.names(&paths, &filter, receiver));
    if holder.patterns.is_empty() {
        judged.absorb(holder.sections(receiver));
        holder.tips.hand_out(&mut *receiver.worker());
    } else {
        // Under the other paths, nobody looked.
        judged = Judged::default();
    }
    Ok(judged)
}

impl Holder<'_> {
    fn wants(&self, number: u32) -> bool {
        self.wanted.is_none_or(|wanted| wanted.contains(number))
    }

    /// Whether it was judged under all its paths.
    fn is_judged(&self, number: u32, paths: &Paths) -> bool {
        self.judged.numbers.contains(&number) && !paths.unsteady.contains(&number)
    }

    fn paths(&self) -> Paths {
        let trees = self.graph.commits().iter().map(|record| record.tree);
        let tops = NumberSet::of(self.table.count(), trees);
        let indexed: Vec<(u32, Vec<u8>)> = self.tips.index_paths(self.table).collect();
        let is_indexed = NumberSet::of(self.table.count(), indexed.iter().map(|(number, _)| *number));
        let is_asked = |number: &u32| {
            !self.judged.numbers.contains(number)
                || self.judged.memos.contains_key(number)
                || is_indexed.contains(*number)
        };
        let held = self.blobs.iter().filter(|blob| blob.is_held).map(|blob| blob.number);
        let numbers =
            held.chain(self.names.iter().map(|(tree, _)| *tree)).filter(is_asked).collect::<Vec<_>>();
        let mut known = self.held.paths(&numbers, &tops, &|_| true, (self.table, self.hash));
        let full = known.iter().filter(|(_, paths)| paths.len() >= MOST_PATHS);
        let mut unsteady: HashSet<u32> = full.map(|(number, _)| *number).collect();
        for (number, path) in indexed {
            let paths = known.entry(number).or_default();
            if !paths.contains(&path) {
                paths.push(path);
                unsteady.insert(number);
            }
        }
        Paths { known, unsteady }
    }

    /// Contents that could hold something.
    fn wanted_blobs(&self) -> impl Iterator<Item = &Blob> {
        self.blobs.iter().filter(|blob| blob.is_held && self.wants(blob.number))
    }

    /// Tells what an earlier scan found in contents, and gives those that have to say it again themselves.
    fn recall(&self, paths: &Paths, filter: &PathFilter, receiver: &dyn Receiver) -> HashSet<u32> {
        let mut worker = receiver.worker();
        let is_meant = |number: &u32| self.wants(*number) && self.is_judged(*number, paths);
        let mut numbers: Vec<u32> = self.judged.memos.keys().copied().filter(is_meant).collect();
        numbers.sort_unstable();
        let is_unrecalled = |number: &u32| {
            let places: Vec<Provenance> = paths.places(*number, self.table).collect();
            let memos = self.judged.memos[number].iter();
            let memos: Option<Vec<(&Provenance, &Memo)>> =
                memos.map(|(path, memo)| Some((places.get(*path as usize)?, memo))).collect();
            let keeps = |(place, _): &(&Provenance, &Memo)| filter.keeps(place.path.as_bytes());
            !memos.is_some_and(|memos| worker.recall(&memos.into_iter().filter(keeps).collect::<Vec<_>>()))
        };
        numbers.into_iter().filter(is_unrecalled).collect()
    }

    /// Contents that were not judged before, or of which that cannot be told without them.
    fn contents(
        &self,
        (paths, unrecalled): (&Paths, &HashSet<u32>),
        filter: &PathFilter,
        receiver: &dyn Receiver,
    ) -> Judged {
        let is_open = |number: &u32| !self.is_judged(*number, paths) || unrecalled.contains(number);
        let plain = self.wanted_blobs().filter(|blob| !blob.is_archive).map(|blob| blob.number);
        let chosen: Vec<u32> = plain.filter(is_open).collect();
        let grace = AtomicU32::new(LAST_OBJECTS);
        let is_chosen = NumberSet::of(self.table.count(), chosen.iter().copied());
        let make = || Contents {
            grace: &grace,
            table: self.table,
            chosen: &is_chosen,
            paths,
            filter,
            is_remembered: self.is_remembered,
            judged: Judged::default(),
            worker: receiver.worker(),
        };
        let crew = Crew::new(self.table, self.limit, &make);
        for pack in &self.table.packs {
            let mut own = chosen.iter().copied().filter(|number| pack.has(*number)).peekable();
            if own.peek().is_none() {
                continue;
            }
            let (families, wanted) = pack.families_of(own);
            let roots: Vec<u32> = families.roots.iter().map(|&(rank, _)| rank).collect();
            let (families, orphans) = (&families, &families.orphans);
            crew.walk(&Plan { pack, families, roots: &roots, orphans, wanted: Some(&wanted) });
        }
        let loose: Vec<u32> = chosen.into_iter().filter(|&number| self.table.is_loose(number)).collect();
        crew.each(&loose, |hands: &mut Hands<Contents<'_>>, &number| {
            match self.table.bytes(number, self.limit) {
                Ok(bytes) => {
                    hands.visitor.object(&Seen { number, bytes: &bytes, base: None, is_base: false });
                }
                Err(problem) => hands.visitor.problem(problem),
            }
        });
        let mut judged = Judged::default();
        crew.into_visitors().into_iter().for_each(|contents| judged.absorb(contents.judged));
        judged
    }

    /// Archives, one after the other: how much may come out of all of them together is limited, and which ones are left
    /// out must not depend on how they are stored.
    fn archives(&self, paths: &Paths, filter: &PathFilter, receiver: &dyn Receiver) -> Judged {
        let archives = Archives::default();
        let mut judged = Judged::default();
        let mut worker = receiver.worker();
        // What came out of an archive is charged for, so it is met even when it was judged.
        let mut chosen: Vec<u32> =
            self.wanted_blobs().filter(|blob| blob.is_archive).map(|blob| blob.number).collect();
        chosen.sort_by_cached_key(|&number| self.table.id(number));
        for number in chosen {
            if worker.interrupted() {
                break;
            }
            let charge = self.judged.archives.get(&number).copied();
            let charge = charge.filter(|_| self.patterns.is_empty() && self.is_judged(number, paths));
            if charge.is_some_and(|bytes| archives.charge(bytes)) {
                continue;
            }
            let (told, before) = (worker.told(), archives.produced());
            match self.table.bytes(number, self.limit) {
                Ok(bytes) => {
                    let unpack = |provenance: &Provenance| archives.unpack(&bytes, provenance, &mut *worker);
                    paths.of(number, self.table, filter).iter().for_each(unpack);
                }
                Err(problem) => worker.problem(problem),
            }
            if worker.told() == told && !worker.interrupted() && !paths.unsteady.contains(&number) {
                judged.numbers.insert(number);
                judged.archives.insert(number, archives.produced() - before);
            }
        }
        judged
    }

    /// Names of files and directories, with the directories they stand in.
    fn names(&self, paths: &Paths, filter: &PathFilter, receiver: &dyn Receiver) -> Judged {
        let mut worker = receiver.worker();
        let mut judged = Judged::default();
        // The same path gives the same, whichever tree it is in.
        let mut quiet_paths: HashSet<Vec<u8>> = HashSet::new();
        let own = self.names.chunk_by(|one, other| one.0 == other.0);
        for names in own.filter(|names| self.wants(names[0].0)) {
            let (tree, told) = (names[0].0, worker.told());
            let nowhere = vec![Vec::new()];
            let directories = paths.known.get(&tree).unwrap_or(&nowhere);
            for (directory, (_, name)) in
                directories.iter().flat_map(|path| names.iter().map(move |name| (path, name)))
            {
                let slash: &[u8] = if directory.is_empty() { b"" } else { b"/" };
                let path = [directory.as_slice(), slash, name].concat();
                if !filter.keeps(&path) || quiet_paths.contains(&path) {
                    continue;
                }
                let provenance = Provenance {
                    kind: ContentKind::FileName,
                    path: FilePath::from_bytes(path.clone()),
                    blob: Some(self.table.id(tree).to_string()),
                    commit: None,
                };
                let told = worker.told();
                worker.chunk(&Chunk::whole(&path, &provenance));
                if worker.told() == told {
                    quiet_paths.insert(path);
                }
            }
            if worker.told() == told && !paths.unsteady.contains(&tree) {
                judged.numbers.insert(tree);
            }
        }
        judged
    }

    /// Messages and headers of commits, and tags.
    fn sections(&self, receiver: &dyn Receiver) -> Judged {
        let mut worker = receiver.worker();
        let mut judged = Judged::default();
        for &(number, section) in self.sections.iter().filter(|(number, _)| self.wants(*number)) {
            let id = self.table.id(number).to_string();
            let told = worker.told();
            match self.table.bytes(number, self.limit) {
                Ok(bytes) => {
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
                Err(problem) => worker.problem(problem),
            }
            if worker.told() == told {
                judged.sections.insert((number, section));
            }
        }
        judged
    }
}

impl Paths {
    /// Where an object stands, as far as that is asked for.
    fn of(&self, number: u32, table: &Table, filter: &PathFilter) -> Vec<Provenance> {
        self.places(number, table).filter(|place| filter.keeps(place.path.as_bytes())).collect()
    }

    /// Everywhere an object stands.
    fn places(&self, number: u32, table: &Table) -> impl Iterator<Item = Provenance> {
        let id = table.id(number).to_string();
        let known = self.known.get(&number).map_or(&[][..], Vec::as_slice);
        let without = known.is_empty().then(|| format!("unnamed/{id}").into_bytes());
        known
            .iter()
            .cloned()
            .chain(without)
            .map(move |path| Provenance::blob(FilePath::from_bytes(path), id.clone()))
    }
}

/// Hands out the contents that one thread meets.
struct Contents<'a> {
    /// How many objects are still handed out after an interruption.
    grace: &'a AtomicU32,
    table: &'a Table,
    chosen: &'a NumberSet,
    paths: &'a Paths,
    filter: &'a PathFilter,
    is_remembered: bool,
    judged: Judged,
    worker: Box<dyn Worker + 'a>,
}

impl Visit for Contents<'_> {
    type Carried = Memory;

    fn object(&mut self, seen: &Seen<'_, Memory>) -> Memory {
        let memory = self.worker.follow(&Version { bytes: seen.bytes, base: seen.base });
        if seen.is_base || !self.chosen.contains(seen.number) {
            return memory;
        }
        // What is found under some paths only, or must be read anyway, is not remembered.
        let mut memos = self.is_remembered.then(Memos::new);
        for (path, provenance) in (0..).zip(self.paths.of(seen.number, self.table, self.filter)) {
            let told = self.worker.told();
            self.worker.chunk_of_version(&Chunk::whole(seen.bytes, &provenance), &memory, seen.base);
            if self.worker.told() != told {
                memos = memos.and_then(|mut memos| {
                    memos.push((path, self.worker.memo(told)?));
                    Some(memos)
                });
            }
        }
        if let Some(memos) = memos.filter(|_| !self.paths.unsteady.contains(&seen.number)) {
            self.judged.numbers.insert(seen.number);
            if !memos.is_empty() {
                self.judged.memos.insert(seen.number, memos);
            }
        }
        memory
    }

    fn problem(&mut self, problem: Problem) {
        self.worker.problem(problem);
    }

    fn stopped(&self) -> bool {
        self.worker.interrupted() && !is_left(self.grace)
    }
}

/// Takes one of what is left, if there is any.
pub(super) fn is_left(grace: &AtomicU32) -> bool {
    grace.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
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
