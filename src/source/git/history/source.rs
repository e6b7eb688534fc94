//! The source of `scan --history`: every object of a repository and of its submodules, handed out with its path and told
//! in commits, and what git keeps beside them.
//!
//! First everything is glanced at, contents before directories before commits; then what could hold something is read
//! once more, now that its paths are known, and handed out.
//!
//! Must not know: rules, detection, output.
//! Invariant: whatever is stored is looked at or is a problem; whatever is reachable and not stored is a problem, too.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use gix::hash::{Kind as HashKind, ObjectId};
use gix::objs::Kind;

use super::super::format::RepositoryFormat;
use super::super::{GitEnvironment, Layout};
use super::beside;
use super::blobs::{Blob, Blobs};
use super::cache::{CacheFile, Known, Notes, Quiet, Remembered};
use super::chronicle::{Chronicle, Period};
use super::graph::{Graph, NOWHERE, Record, Section, Writings};
use super::hand_out::{Holder, hand_out};
use super::holdings::Held;
use super::modules::{self, Joined, ModuleHistory, Relocated};
use super::names::telling_names;
use super::packs::{Families, object_problem};
use super::set::NumberSet;
use super::table::Table;
use super::tips::{Resolved, Tip, Tips};
use super::trees::{Holdings, Trees};
use super::walk::{Crew, Hands, Plan, Seen, Visit};
use crate::model::{Coverage, FilePath, Problem, ProblemKind};
use crate::source::git::entry::EntryError;
use crate::source::{Receiver, Source, SourceError, Worker, threads};

/// What is larger is not scanned unless asked for: 256 MiB.
pub const DEFAULT_MAX_OBJECT_SIZE: u64 = 256 * 1024 * 1024;
/// So many missing objects are named each; the rest is counted.
const MISSING_BY_NAME: usize = 100;

/// What to scan and how.
#[derive(Clone, Debug)]
pub struct HistoryOptions {
    /// Where to look for the repository.
    pub directory: PathBuf,
    /// What git said through the environment.
    pub environment: GitEnvironment,
    /// Larger objects are a problem instead of being read, in bytes.
    pub max_object_size: u64,
    /// Leave out what no reference, reflog or index leads to.
    pub reachable_only: bool,
    /// Only what these branches, tags or other references lead to, by name; everything if empty.
    pub branches: Vec<String>,
    /// Only paths that one of these patterns matches; all if empty.
    pub paths: Vec<String>,
    /// Only credentials that came in this time.
    pub period: Period,
    /// Remember in the git directory what need not be looked at again, and make use of it.
    pub cache: bool,
}

impl HistoryOptions {
    /// Everything in the repository of `directory`.
    pub fn new(directory: impl Into<PathBuf>, environment: GitEnvironment) -> Self {
        Self {
            directory: directory.into(),
            environment,
            max_object_size: DEFAULT_MAX_OBJECT_SIZE,
            reachable_only: false,
            branches: Vec::new(),
            paths: Vec::new(),
            period: Period::default(),
            cache: false,
        }
    }
}

/// Hands out everything that is in a repository: contents, names, messages, headers, tags, reflogs.
pub struct History {
    options: HistoryOptions,
    chronicle: Mutex<Option<Arc<dyn crate::source::Chronicle>>>,
}

impl History {
    /// A source with these options; nothing is read yet.
    pub fn new(options: HistoryOptions) -> Self {
        Self { options, chronicle: Mutex::new(None) }
    }
}

impl Source for History {
    fn drive(&self, receiver: &dyn Receiver) -> Result<(), SourceError> {
        threads::prepare(0);
        let layout = Layout::discover(&self.options.directory, &self.options.environment)?;
        let shown = beside::shown_directory(&layout);
        let own: Arc<dyn modules::Chronicle> =
            Arc::new(self.repository(&layout, &self.options.environment, receiver)?);
        let mut found = Vec::new();
        if self.is_of_everything() {
            beside::hand_out(&layout, &shown, self.options.max_object_size, receiver);
        }
        if self.options.branches.is_empty() && self.options.paths.is_empty() {
            self.modules(&layout, (b"", &shown), receiver, &mut found);
        }
        let chronicle: Arc<dyn crate::source::Chronicle> = match found.is_empty() {
            true => own,
            false => Arc::new(Joined { own, modules: found }),
        };
        *self.chronicle.lock().unwrap_or_else(PoisonError::into_inner) = Some(chronicle);
        Ok(())
    }

    fn chronicle(&self) -> Option<Arc<dyn crate::source::Chronicle>> {
        self.chronicle.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl History {
    /// Whether nothing was asked for that only objects can answer.
    fn is_of_everything(&self) -> bool {
        let HistoryOptions { reachable_only, branches, paths, .. } = &self.options;
        !reachable_only && branches.is_empty() && paths.is_empty()
    }

    /// The repositories of submodules, and of theirs. `path` is where the submodule stands that has them.
    fn modules(
        &self,
        layout: &Layout,
        (path, shown): (&[u8], &[u8]),
        receiver: &dyn Receiver,
        found: &mut Vec<ModuleHistory>,
    ) {
        for module in modules::modules(layout, shown, &mut *receiver.worker()) {
            if receiver.worker().interrupted() {
                return;
            }
            let path = if path.is_empty() { module.path } else { [path, b"/", &module.path].concat() };
            let relocated = Relocated { receiver, path: &path };
            // What git said through the environment is about the repository that names the submodule.
            match self.repository(&module.layout, &GitEnvironment::default(), &relocated) {
                Ok(chronicle) => {
                    let chronicle: Arc<dyn modules::Chronicle> = Arc::new(chronicle);
                    found.push(ModuleHistory { path: path.clone(), chronicle });
                }
                Err(error) => receiver.worker().problem(modules::unusable(&module.shown, error)),
            }
            if self.is_of_everything() {
                beside::hand_out(&module.layout, &module.shown, self.options.max_object_size, receiver);
            }
            self.modules(&module.layout, (&path, &module.shown), receiver, found);
        }
    }

    /// Hands out the objects of one repository, and gives its history.
    fn repository(
        &self,
        layout: &Layout,
        environment: &GitEnvironment,
        receiver: &dyn Receiver,
    ) -> Result<Chronicle, SourceError> {
        let format = RepositoryFormat::read(layout)?;
        let cache = self.cache(layout, format.hash, receiver);
        let open = || {
            let (table, problems) = Table::open(layout, environment, format.hash);
            let families: Vec<Families> = table.packs.iter().map(super::packs::Pack::families).collect();
            (table, problems, families)
        };
        let ((table, problems, families), remembered) = rayon::join(open, || {
            cache.as_ref().and_then(CacheFile::load).and_then(|bytes| Remembered::of_bytes(&bytes))
        });
        let mut worker = receiver.worker();
        problems.into_iter().for_each(|problem| worker.problem(problem));
        let tips = Tips::read(layout, format)?;
        tips.problems.iter().for_each(|problem| worker.problem(problem.clone()));
        drop(worker);
        let known = remembered.and_then(|remembered| {
            Known::of(remembered, &table, &families, format.hash, self.options.max_object_size)
        });
        let ground = Ground {
            table: &table,
            families: &families,
            hash: format.hash,
            limit: self.options.max_object_size,
        };
        let survey = Survey::of(&ground, known.unwrap_or_default(), receiver);
        let told = self.look_closer(&survey, &ground, &tips, receiver)?;
        if let Some(cache) = cache.filter(|_| !receiver.worker().interrupted()) {
            survey.remember(&ground, &told.quiet, &cache);
        }
        let Survey { graph, held, .. } = survey;
        let Told { reachable, resolved: Resolved { tips, indexed, .. }, .. } = told;
        let period = self.options.period;
        Ok(Chronicle { table, graph, held, tips, indexed, reachable, period })
    }

    /// Where to remember what was seen, if that was asked for and means anything.
    fn cache(&self, layout: &Layout, hash: HashKind, receiver: &dyn Receiver) -> Option<CacheFile> {
        let identity = receiver.identity().filter(|_| self.options.cache)?;
        let limit = self.options.max_object_size.to_le_bytes();
        let length = hash.len_in_bytes().to_le_bytes();
        CacheFile::new(&layout.common_dir, &[&identity, &limit, &length])
    }

    /// Puts in order what the survey saw, and hands out what could hold something.
    fn look_closer(
        &self,
        survey: &Survey,
        ground: &Ground<'_>,
        tips: &Tips,
        receiver: &dyn Receiver,
    ) -> Result<Told, SourceError> {
        let Ground { table, hash, limit, families } = *ground;
        let Survey { graph, held, .. } = survey;
        let resolved = tips.resolve(table, &survey.tags, &mut *receiver.worker());
        let ends = resolved.tips.iter().map(|tip| tip.number).chain(resolved.others.iter().copied());
        let reachable = graph.ancestors(ends.filter_map(|number| graph.place(number)));
        let wanted = self.wanted(graph, held, &resolved, &reachable, table.count())?;
        let missing = Missing { table, graph, held, tips, reachable: &reachable };
        // What was not seen because the scan was cut short is not missing.
        if !receiver.worker().interrupted() {
            missing.report(&survey.missing_from_records, &survey.missing_from_trees, &resolved, receiver);
        }
        let quiet = survey.still_quiet(ground);
        let names = survey.names(ground, &quiet, receiver);
        let holder = Holder {
            table,
            families,
            hash,
            graph,
            held,
            tips,
            blobs: &survey.blobs,
            sections: &survey.sections,
            names: &names,
            quiet: &quiet,
            wanted: wanted.as_ref(),
            patterns: &self.options.paths,
            limit,
        };
        let mut now_quiet = hand_out(&holder, receiver)?;
        now_quiet.absorb(quiet);
        Ok(Told { reachable, resolved, quiet: now_quiet })
    }

    /// What is wanted of all objects; `None` wants all.
    fn wanted(
        &self,
        graph: &Graph,
        held: &Held,
        resolved: &Resolved,
        reachable: &[bool],
        count: usize,
    ) -> Result<Option<NumberSet>, SourceError> {
        let branches = &self.options.branches;
        if branches.is_empty() && !self.options.reachable_only {
            return Ok(None);
        }
        let is_meant = |tip: &&Tip| branches.iter().any(|branch| tip.is_called(branch));
        let known = |branch: &&String| !resolved.tips.iter().any(|tip| tip.is_called(branch));
        if let Some(unknown) = branches.iter().find(known) {
            return Err(SourceError {
                message: format!("there is no branch, tag or other reference called {unknown}"),
                hint: Some("`git branch --all` and `git tag` list them".to_owned()),
            });
        }
        let chosen: Vec<&Tip> =
            resolved.tips.iter().filter(|tip| branches.is_empty() || is_meant(tip)).collect();
        let commits = match branches.is_empty() {
            true => reachable.to_vec(),
            false => graph.ancestors(chosen.iter().filter_map(|tip| graph.place(tip.number))),
        };
        let records = graph.commits().iter().zip(&commits).filter(|(_, wanted)| **wanted);
        let tops = records.flat_map(|(record, _)| [record.number, record.tree]);
        let ends = chosen.iter().flat_map(|tip| tip.tags.iter().copied().chain([tip.number]));
        let others = resolved.others.iter().copied().chain(resolved.indexed.iter());
        let others = others.filter(|_| branches.is_empty());
        Ok(Some(held.below(tops.chain(ends).chain(others).filter(|&number| number != NOWHERE), count)))
    }
}

/// What everything stands on.
struct Ground<'a> {
    table: &'a Table,
    families: &'a [Families],
    hash: HashKind,
    limit: u64,
}

/// What the closer look gave.
struct Told {
    reachable: Vec<bool>,
    resolved: Resolved,
    quiet: Quiet,
}

/// What a first look at all objects gave, or is known from an earlier scan.
struct Survey {
    known: Known,
    /// All contents; those that were known come first.
    blobs: Vec<Blob>,
    known_blobs: usize,
    held: Held,
    trees: SeenTrees,
    missing_from_trees: Vec<(u32, ObjectId)>,
    graph: Graph,
    /// Commits that were not known.
    fresh_commits: HashSet<u32>,
    /// All tags; those that were known come first.
    tags: Vec<(u32, ObjectId)>,
    known_tags: usize,
    sections: Vec<(u32, Section)>,
    missing_from_records: Vec<(u32, ObjectId)>,
}

/// Directories, by whether they were known.
#[derive(Default)]
struct SeenTrees {
    known: Vec<u32>,
    /// Those that were read to their end.
    fresh: Vec<u32>,
    /// Those that hold anything that matters.
    fresh_holding: Vec<u32>,
    /// Those with names that could hold something themselves.
    telling: Vec<(u32, Arc<[u8]>)>,
    /// Whether some could not be read: what stands above them is not known to hold what is in them.
    is_torn: bool,
}

impl Survey {
    fn of(ground: &Ground<'_>, mut known: Known, receiver: &dyn Receiver) -> Self {
        let Ground { table, families, hash, .. } = *ground;
        let mut worker = receiver.worker();
        for (pack, families) in table.packs.iter().zip(families) {
            families.problems.iter().for_each(|(rank, error)| worker.problem(pack.problem(*rank, error)));
        }
        let mut loose = LooseKinds::read(table, known.settled());
        // What could not even be told apart may be directories.
        let is_torn =
            !loose.problems.is_empty() || families.iter().any(|families| !families.problems.is_empty());
        loose.problems.iter().for_each(|problem| worker.problem(problem.clone()));
        let mut over = Over::new(ground, loose, known.settled());
        let mut blobs = known.blobs();
        let known_blobs = blobs.len();
        worker.expected(known_blobs as u64 + over.count(Kind::Blob));
        let mut covered = Coverage::default();
        blobs.iter().for_each(|blob| covered.absorb(&blob.coverage()));
        worker.covered(&covered);
        drop(worker);
        let seen = over.all(Kind::Blob, &|| Blobs::new(table, known.settled(), receiver.worker()));
        blobs.extend(seen.into_iter().flat_map(|blobs| blobs.seen));
        // Of contents that could not be read, directories said nothing.
        if blobs[known_blobs..].iter().any(|blob| blob.is_held && known.was_unread(blob.number)) {
            known.forget_structure(table);
            loose = LooseKinds::read(table, known.settled());
            over = Over::new(ground, loose, known.settled());
        }
        let held = blobs.iter().filter(|blob| blob.is_held).map(|blob| blob.number);
        let held = NumberSet::of(table.count(), held);
        let known_holdings = known.holdings();
        let trees =
            over.all(Kind::Tree, &|| Trees::new(table, hash, &held, known.settled(), receiver.worker()));
        let (holdings, mut trees, missing_from_trees) = all_trees(known_holdings, trees, receiver);
        trees.is_torn |= is_torn || !missing_from_trees.is_empty();
        let mut records = known.records(table);
        let (known_commits, known_tags) = (records.commits.len(), records.tags.len());
        for kind in [Kind::Commit, Kind::Tag] {
            let make = || Writings::new(table, hash, kind, known.settled(), receiver.worker());
            over.all(kind, &make).into_iter().for_each(|found| records.absorb(found.records));
        }
        records.held.sort_unstable();
        let coverage = Coverage {
            commits: records.commits.len() as u64,
            tags: records.tags.len() as u64,
            ..Coverage::default()
        };
        receiver.worker().covered(&coverage);
        let fresh_commits = records.commits[known_commits..].iter().map(|record| record.number).collect();
        let commits = records.commits;
        let (held, graph) = rayon::join(|| Held::new(holdings, table.count()), || Graph::new(commits, table));
        Self {
            known,
            blobs,
            known_blobs,
            held,
            trees,
            missing_from_trees,
            fresh_commits,
            graph,
            tags: records.tags,
            known_tags,
            sections: records.held,
            missing_from_records: records.missing,
        }
    }

    /// What was quiet, and has the paths today that it had then.
    fn still_quiet(&self, ground: &Ground<'_>) -> Quiet {
        let Ground { table, hash, .. } = *ground;
        let quiet = self.known.quiet();
        if quiet.is_empty() {
            return Quiet::default();
        }
        if self.trees.fresh_holding.is_empty() && self.fresh_commits.is_empty() {
            return self.quiet_of(quiet);
        }
        let is_fresh = |record: &&Record| self.fresh_commits.contains(&record.number);
        let known = self.graph.commits().iter().filter(|record| !is_fresh(record));
        let known_tops = NumberSet::of(table.count(), known.map(|record| record.tree));
        let fresh = self.graph.commits().iter().filter(is_fresh).map(|record| record.tree);
        let tops: Vec<u32> = fresh.filter(|&tree| tree != NOWHERE && !known_tops.contains(tree)).collect();
        let fresh = self.trees.fresh_holding.iter().copied();
        let touched = self.held.below(fresh.chain(tops.iter().copied()), table.count());
        let (touched, mut quiet): (Vec<u32>, Vec<u32>) =
            quiet.into_iter().partition(|&number| touched.contains(number));
        // A new version of a directory holds nearly everything under the path that it had in the old one.
        let fresh = NumberSet::of(table.count(), self.trees.fresh_holding.iter().copied());
        let before = self.held.paths(&touched, &known_tops, &|tree| !fresh.contains(tree), (table, hash));
        let mut all_tops = known_tops;
        for tree in tops {
            all_tops.insert(tree);
        }
        let today = self.held.paths(&touched, &all_tops, &|_| true, (table, hash));
        quiet.extend(touched.into_iter().filter(|number| before.get(number) == today.get(number)));
        self.quiet_of(quiet)
    }

    fn quiet_of(&self, numbers: Vec<u32>) -> Quiet {
        let numbers: HashSet<u32> = numbers.into_iter().collect();
        let archives = self.known.archives().filter(|(number, _)| numbers.contains(number)).collect();
        Quiet { numbers, archives, ..Quiet::default() }
    }

    /// Trees with names that could hold something themselves, and were not found quiet.
    fn names(&self, ground: &Ground<'_>, quiet: &Quiet, receiver: &dyn Receiver) -> Vec<(u32, Arc<[u8]>)> {
        let known = self.known.telling().into_iter().filter(|tree| !quiet.numbers.contains(tree));
        let mut names = telling_names(known, ground.table, ground.hash, &mut *receiver.worker());
        names.extend(self.trees.telling.iter().cloned());
        names.sort_unstable();
        names
    }

    /// Stores what is known now, if that is more than before.
    fn remember(&self, ground: &Ground<'_>, quiet: &Quiet, cache: &CacheFile) {
        let missing = self.missing_from_records.iter().chain(&self.missing_from_trees);
        let incomplete: HashSet<u32> = missing.map(|(number, _)| *number).collect();
        let tags = self.tags[self.known_tags..].iter().map(|(number, _)| number);
        let mut fresh = self.trees.fresh.iter().chain(&self.fresh_commits).chain(tags);
        let is_known = self.known.has_structure()
            && self.known_blobs == self.blobs.len()
            && fresh.all(|number| incomplete.contains(number))
            && quiet.numbers.len() == self.known.quiet().len()
            && quiet.sections.is_empty();
        if is_known {
            return;
        }
        let telling = self.known.telling().into_iter();
        let trees = match self.trees.is_torn {
            true => Vec::new(),
            false => [self.trees.known.as_slice(), &self.trees.fresh].concat(),
        };
        let notes = Notes {
            table: ground.table,
            blobs: &self.blobs,
            trees: &trees,
            telling: &telling.chain(self.trees.telling.iter().map(|(tree, _)| *tree)).collect(),
            held: &self.held,
            graph: &self.graph,
            tags: &self.tags,
            sections: &self.sections,
            incomplete: &incomplete,
            quiet,
        };
        // A repository that cannot be written to is scanned like any other, from the beginning each time.
        let _ = cache.store(&notes.to_bytes());
    }
}

/// What all directories hold (those that are known first), which ones they are, and what of it is not stored.
fn all_trees(
    known: Holdings,
    trees: Vec<Trees<'_>>,
    receiver: &dyn Receiver,
) -> (Vec<Holdings>, SeenTrees, Vec<(u32, ObjectId)>) {
    let mut count = known.count;
    let mut seen = SeenTrees { known: known.whole.clone(), ..SeenTrees::default() };
    let mut missing = Vec::new();
    let mut all = vec![known];
    for trees in trees {
        let mut holdings = trees.into_holdings();
        count += holdings.count;
        seen.is_torn |= holdings.is_torn;
        missing.append(&mut holdings.missing);
        seen.fresh.append(&mut holdings.whole);
        seen.fresh_holding.extend(holdings.trees.iter().map(|(tree, _)| *tree));
        seen.telling.append(&mut holdings.held_names);
        all.push(holdings);
    }
    receiver.worker().covered(&Coverage { trees: count, ..Coverage::default() });
    (all, seen, missing)
}

/// Loose objects by what they are.
struct LooseKinds {
    kinds: Vec<(Kind, u32)>,
    problems: Vec<Problem>,
}

impl LooseKinds {
    /// Of all but those that are settled.
    fn read(table: &Table, settled: &NumberSet) -> Self {
        let mut read = Self { kinds: Vec::with_capacity(table.loose.len()), problems: Vec::new() };
        for (place, (id, path)) in table.loose.iter().enumerate() {
            let number = table.loose_number(place);
            if settled.contains(number) {
                continue;
            }
            match table.loose_kind(place) {
                Ok(kind) => read.kinds.push((kind, number)),
                Err(error) => read.problems.push(object_problem(id, path, &error)),
            }
        }
        read
    }
}

/// All objects of a kind, wherever they are, but for those that are settled.
struct Over<'a> {
    table: &'a Table,
    families: &'a [Families],
    loose: LooseKinds,
    limit: u64,
    /// For each pack which entries lead to something that is not settled; `None` where all do.
    leading: Vec<Option<Vec<bool>>>,
}

impl<'a> Over<'a> {
    fn new(ground: &Ground<'a>, loose: LooseKinds, settled: &NumberSet) -> Self {
        let Ground { table, families, limit, .. } = *ground;
        let leading = table
            .packs
            .iter()
            .zip(families)
            .map(|(pack, families)| {
                let is_open = |rank: u32| !settled.contains(pack.number(rank));
                let all_open = (0..pack.count()).all(is_open);
                // After a scan that saw everything nothing is open.
                let none_open = || !(0..pack.count()).any(is_open);
                (!all_open).then(|| match none_open() {
                    true => vec![false; pack.count() as usize],
                    false => families.leading_to(is_open),
                })
            })
            .collect();
        Self { table, families, loose, limit, leading }
    }

    /// How many objects of a kind there are, settled ones counted where others are made from them.
    fn count(&self, kind: Kind) -> u64 {
        let packed = self.families.iter().zip(&self.leading).map(|(families, leading)| {
            let is_led = |rank: u32| leading.as_ref().is_none_or(|leading| leading[rank as usize]);
            let roots = families.roots.iter().filter(|&&(rank, found)| found == kind && is_led(rank));
            roots.map(|&(rank, _)| u64::from(families.weight(rank))).sum::<u64>()
        });
        let loose = self.loose.kinds.iter().filter(|(found, _)| *found == kind).count();
        packed.sum::<u64>() + loose as u64
    }

    fn all<V: Visit>(&self, kind: Kind, make: &(dyn Fn() -> V + Sync)) -> Vec<V> {
        let crew = Crew::new(self.table, self.limit, make);
        for ((pack, families), leading) in self.table.packs.iter().zip(self.families).zip(&self.leading) {
            let roots: Vec<u32> =
                families.roots.iter().filter(|(_, found)| *found == kind).map(|&(rank, _)| rank).collect();
            let of_kind = |base: &ObjectId| {
                let number = self.table.find(base);
                number
                    .and_then(|number| self.table.read(number, self.limit).ok())
                    .is_some_and(|(found, _)| found == kind)
            };
            let orphans: Vec<(u32, ObjectId)> =
                families.orphans.iter().filter(|(_, base)| of_kind(base)).copied().collect();
            crew.walk(&Plan { pack, families, roots: &roots, orphans: &orphans, wanted: leading.as_deref() });
            if kind == Kind::Blob {
                self.lost_orphans(&crew, pack, families);
            }
        }
        let loose: Vec<u32> =
            self.loose.kinds.iter().filter(|(found, _)| *found == kind).map(|&(_, number)| number).collect();
        crew.each(&loose, |hands: &mut Hands<V>, &number| match self.table.read(number, self.limit) {
            Ok((_, bytes)) => {
                drop(hands.visitor.object(&Seen { number, bytes: &bytes, base: None, is_base: false }))
            }
            Err(error) => {
                let id = self.table.id(number);
                hands.visitor.problem(object_problem(&id, &self.table.loose_path(number), &error));
            }
        });
        crew.into_visitors()
    }

    /// What is made from an object that is nowhere.
    fn lost_orphans<V: Visit>(&self, crew: &Crew<'_, V>, pack: &super::packs::Pack, families: &Families) {
        let lost: Vec<u32> = families
            .orphans
            .iter()
            .filter(|(_, base)| self.table.find(base).is_none())
            .map(|&(rank, _)| rank)
            .collect();
        crew.each(&lost, |hands, &rank| hands.visitor.problem(pack.problem(rank, &EntryError::BaseMissing)));
    }
}

/// What should be stored and is not.
struct Missing<'a> {
    table: &'a Table,
    graph: &'a Graph,
    held: &'a Held,
    tips: &'a Tips,
    reachable: &'a [bool],
}

impl Missing<'_> {
    /// Only what is missing from something reachable is missed: git throws unreachable objects away one by one.
    fn report(
        &self,
        from_commits: &[(u32, ObjectId)],
        from_trees: &[(u32, ObjectId)],
        resolved: &Resolved,
        receiver: &dyn Receiver,
    ) {
        let tips = &resolved.tips;
        let records = self.graph.commits().iter().zip(self.reachable).filter(|(_, reachable)| **reachable);
        let tops = records.map(|(record, _)| record.tree).chain(tips.iter().map(|tip| tip.number));
        let reached = match from_trees {
            [] => NumberSet::default(),
            _ => self.held.below(tops.filter(|&number| number != NOWHERE), self.table.count()),
        };
        let commit_is_reachable = |number: u32| match self.graph.place(number) {
            Some(place) => self.reachable[place as usize],
            None => tips.iter().any(|tip| tip.tags.contains(&number)),
        };
        let mut missing: Vec<ObjectId> = from_commits
            .iter()
            .filter(|(commit, _)| {
                commit_is_reachable(*commit) && !self.tips.is_shallow(&self.table.id(*commit))
            })
            .chain(from_trees.iter().filter(|(tree, _)| reached.contains(*tree)))
            .map(|&(_, id)| id)
            .collect();
        missing.sort_unstable();
        missing.dedup();
        let mut worker = receiver.worker();
        if self.tips.is_cut_off() {
            worker.problem(shallow());
        }
        self.tell(&missing, &mut *worker);
    }

    fn tell(&self, missing: &[ObjectId], worker: &mut dyn Worker) {
        let hint = if self.tips.is_partial {
            "this is a partial clone: `git fetch --refetch --no-filter` brings everything"
        } else {
            "`git fsck` says what refers to it; a fresh clone may have it"
        };
        for id in missing.iter().take(MISSING_BY_NAME) {
            worker.problem(
                lost_object("an object that history refers to is not stored".to_owned(), hint)
                    .with_object(id.to_string()),
            );
        }
        let rest = missing.len().saturating_sub(MISSING_BY_NAME);
        if rest > 0 {
            worker.problem(lost_object(
                format!("{rest} more objects that history refers to are not stored"),
                hint,
            ));
        }
    }
}

fn lost_object(message: String, hint: &str) -> Problem {
    Problem { kind: ProblemKind::BadObject, path: None, object: None, message, hint: Some(hint.to_owned()) }
}

fn shallow() -> Problem {
    Problem {
        kind: ProblemKind::BadObject,
        path: Some(FilePath::from("shallow")),
        object: None,
        message: "this is a shallow clone: what was committed before its boundary could not be looked at"
            .to_owned(),
        hint: Some(
            "`git fetch --unshallow` brings the whole history; in CI set the fetch depth to 0".to_owned(),
        ),
    }
}
