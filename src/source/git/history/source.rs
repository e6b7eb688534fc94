//! The source of `scan --history`: every object of a repository, handed out with its path and told in commits.
//!
//! First everything is glanced at, contents before directories before commits; then what could hold something is read
//! once more, now that its paths are known, and handed out.
//!
//! Must not know: rules, detection, output.
//! Invariant: whatever is stored is looked at or is a problem; whatever is reachable and not stored is a problem, too.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use gix::hash::{Kind as HashKind, ObjectId};
use gix::objs::Kind;

use super::super::format::RepositoryFormat;
use super::super::{GitEnvironment, Layout};
use super::blobs::Blobs;
use super::chronicle::{Chronicle, Period};
use super::graph::{Graph, NOWHERE, Records, Writings};
use super::hand_out::{Holder, hand_out};
use super::holdings::Held;
use super::packs::{EntryError, Families, object_problem};
use super::set::NumberSet;
use super::table::Table;
use super::tips::{Resolved, Tip, Tips};
use super::trees::{Holdings, Trees};
use super::walk::{Crew, Hands, Plan, Seen, Visit};
use crate::model::{Coverage, FilePath, Problem, ProblemKind};
use crate::source::{Receiver, Source, SourceError, Worker};

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
        }
    }
}

/// Hands out everything that is in a repository: contents, names, messages, headers, tags, reflogs.
pub struct History {
    options: HistoryOptions,
    chronicle: Mutex<Option<Arc<Chronicle>>>,
}

impl History {
    /// A source with these options; nothing is read yet.
    pub fn new(options: HistoryOptions) -> Self {
        Self { options, chronicle: Mutex::new(None) }
    }
}

impl Source for History {
    fn drive(&self, receiver: &dyn Receiver) -> Result<(), SourceError> {
        let environment = &self.options.environment;
        let layout = Layout::discover(&self.options.directory, environment)?;
        let format = RepositoryFormat::read(&layout)?;
        let (table, problems) = Table::open(&layout, environment, format.hash);
        let mut worker = receiver.worker();
        problems.into_iter().for_each(|problem| worker.problem(problem));
        let tips = Tips::read(&layout, format)?;
        tips.problems.iter().for_each(|problem| worker.problem(problem.clone()));
        drop(worker);
        let survey = Survey::of(&table, format.hash, self.options.max_object_size, receiver);
        let chronicle = self.look_closer(survey, table, (tips, format.hash), receiver)?;
        *self.chronicle.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(chronicle));
        Ok(())
    }

    fn chronicle(&self) -> Option<Arc<dyn crate::source::Chronicle>> {
        let chronicle = self.chronicle.lock().unwrap_or_else(PoisonError::into_inner).clone();
        chronicle.map(|chronicle| chronicle as Arc<dyn crate::source::Chronicle>)
    }
}

impl History {
    /// Puts in order what the survey saw, and hands out what could hold something.
    fn look_closer(
        &self,
        survey: Survey,
        table: Table,
        (tips, hash): (Tips, HashKind),
        receiver: &dyn Receiver,
    ) -> Result<Chronicle, SourceError> {
        let graph = Graph::new(survey.records.commits, &table);
        let held = Held::new(survey.holdings.names);
        let resolved = tips.resolve(&table, &survey.records.tags, &mut *receiver.worker());
        let ends = resolved.tips.iter().map(|tip| tip.number).chain(resolved.others.iter().copied());
        let reachable = graph.ancestors(ends.filter_map(|number| graph.place(number)));
        let wanted = self.wanted(&graph, &held, &resolved, &reachable, table.count())?;
        let missing =
            Missing { table: &table, graph: &graph, held: &held, tips: &tips, reachable: &reachable };
        // What was not seen because the scan was cut short is not missing.
        if !receiver.worker().interrupted() {
            missing.report(&survey.records.missing, &survey.holdings.missing, &resolved, receiver);
        }
        let holder = Holder {
            table: &table,
            families: &survey.families,
            hash,
            graph: &graph,
            held: &held,
            tips: &tips,
            blobs: &survey.held_blobs,
            sections: &survey.records.held,
            names: &survey.holdings.held_names,
            wanted: wanted.as_ref(),
            patterns: &self.options.paths,
            limit: self.options.max_object_size,
        };
        hand_out(&holder, receiver)?;
        let Resolved { tips, indexed, .. } = resolved;
        Ok(Chronicle { table, graph, held, tips, indexed, reachable, period: self.options.period })
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

/// What a first look at all objects gave.
struct Survey {
    families: Vec<Families>,
    held_blobs: Vec<u32>,
    holdings: AllHoldings,
    records: Records,
}

/// What all directories hold.
#[derive(Default)]
struct AllHoldings {
    names: Vec<Holdings>,
    held_names: Vec<(u32, Box<[u8]>)>,
    missing: Vec<(u32, ObjectId)>,
}

impl Survey {
    fn of(table: &Table, hash: HashKind, limit: u64, receiver: &dyn Receiver) -> Self {
        let families: Vec<Families> = table.packs.iter().map(super::packs::Pack::families).collect();
        let mut worker = receiver.worker();
        for (pack, families) in table.packs.iter().zip(&families) {
            families.problems.iter().for_each(|(rank, error)| worker.problem(pack.problem(*rank, error)));
        }
        drop(worker);
        let loose = LooseKinds::read(table, receiver);
        let over = Over { table, families: &families, loose: &loose, limit };
        receiver.worker().expected(over.count(Kind::Blob));
        let blobs = over.all(Kind::Blob, &|| Blobs::new(table, receiver.worker()));
        let mut held_blobs: Vec<u32> = blobs.into_iter().flat_map(|blobs| blobs.held).collect();
        held_blobs.sort_unstable();
        let held = NumberSet::of(table.count(), held_blobs.iter().copied());
        let trees = over.all(Kind::Tree, &|| Trees::new(table, hash, &held, receiver.worker()));
        let holdings = AllHoldings::of(trees, receiver);
        let mut records = Records::default();
        for kind in [Kind::Commit, Kind::Tag] {
            for found in over.all(kind, &|| Writings::new(table, hash, kind, receiver.worker())) {
                let found = found.records;
                records.commits.extend(found.commits);
                records.tags.extend(found.tags);
                records.held.extend(found.held);
                records.missing.extend(found.missing);
            }
        }
        records.held.sort_unstable();
        let coverage = Coverage {
            commits: records.commits.len() as u64,
            tags: records.tags.len() as u64,
            ..Coverage::default()
        };
        receiver.worker().covered(&coverage);
        Self { families, held_blobs, holdings, records }
    }
}

impl AllHoldings {
    fn of(trees: Vec<Trees<'_>>, receiver: &dyn Receiver) -> Self {
        let mut all = Self::default();
        let mut count = 0;
        for trees in trees {
            let mut holdings = trees.into_holdings();
            count += holdings.count;
            all.held_names.append(&mut holdings.held_names);
            all.missing.append(&mut holdings.missing);
            all.names.push(holdings);
        }
        all.held_names.sort_unstable();
        receiver.worker().covered(&Coverage { trees: count, ..Coverage::default() });
        all
    }
}

/// Loose objects by what they are.
struct LooseKinds {
    kinds: Vec<(Kind, u32)>,
}

impl LooseKinds {
    fn read(table: &Table, receiver: &dyn Receiver) -> Self {
        let mut kinds = Vec::with_capacity(table.loose.len());
        let mut worker = receiver.worker();
        for (place, (id, path)) in table.loose.iter().enumerate() {
            let number = table.loose_number(place);
            match table.loose_kind(place) {
                Ok(kind) => kinds.push((kind, number)),
                Err(error) => worker.problem(object_problem(id, path, &error)),
            }
        }
        Self { kinds }
    }
}

/// All objects of a kind, wherever they are.
struct Over<'a> {
    table: &'a Table,
    families: &'a [Families],
    loose: &'a LooseKinds,
    limit: u64,
}

impl Over<'_> {
    /// How many objects of a kind there are.
    fn count(&self, kind: Kind) -> u64 {
        let packed = self.families.iter().map(|families| {
            let roots = families.roots.iter().filter(|(_, found)| *found == kind);
            roots.map(|&(rank, _)| u64::from(families.weight(rank))).sum::<u64>()
        });
        let loose = self.loose.kinds.iter().filter(|(found, _)| *found == kind).count();
        packed.sum::<u64>() + loose as u64
    }

    fn all<V: Visit>(&self, kind: Kind, make: &(dyn Fn() -> V + Sync)) -> Vec<V> {
        let crew = Crew::new(self.table, self.limit, make);
        for (pack, families) in self.table.packs.iter().zip(self.families) {
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
            crew.walk(&Plan { pack, families, roots: &roots, orphans: &orphans, wanted: None });
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
        let reached = self.held.below(tops.filter(|&number| number != NOWHERE), self.table.count());
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
