//! The source of `scan --history`: every object of a repository and of its submodules, handed out with its path and told
//! in commits, and what git keeps beside them.
//!
//! First everything is glanced at, contents before directories before commits; then what could hold something is read
//! once more, now that its paths are known, and handed out.
//!
//! Must not know: rules, detection, output.
//! Invariant: whatever is stored is looked at or is a problem; whatever is reachable and not stored is a problem, too.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use gix::hash::Kind as HashKind;

use super::super::format::RepositoryFormat;
use super::super::{GitEnvironment, Layout};
use super::beside;
use super::cache::{CacheFile, Judged, Known, Remembered};
use super::chronicle::{Chronicle, Period};
use super::graph::{Graph, NOWHERE};
use super::hand_out::{Holder, hand_out};
use super::holdings::Held;
use super::missing::Missing;
use super::modules::{self, Joined, ModuleHistory, Relocated};
use super::set::NumberSet;
use super::survey::{Ground, Survey};
use super::table::Table;
use super::tips::{Resolved, Tip, Tips};
use crate::source::{Receiver, Source, SourceError, threads};

/// What is larger is not scanned unless asked for: 256 MiB.
pub const DEFAULT_MAX_OBJECT_SIZE: u64 = 256 * 1024 * 1024;

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
        let open = || Table::open(layout, environment, format.hash);
        let ((table, problems), remembered) = rayon::join(open, || {
            cache.as_ref().and_then(CacheFile::load).and_then(|bytes| Remembered::of_bytes(&bytes))
        });
        let mut worker = receiver.worker();
        problems.into_iter().for_each(|problem| worker.problem(problem));
        let tips = Tips::read(layout, format)?;
        tips.problems.iter().for_each(|problem| worker.problem(problem.clone()));
        drop(worker);
        let known = remembered
            .and_then(|remembered| Known::of(remembered, &table, format.hash, self.options.max_object_size));
        let ground = Ground { table: &table, hash: format.hash, limit: self.options.max_object_size };
        let survey = Survey::of(&ground, known.unwrap_or_default(), receiver);
        let told = self.look_closer(&survey, &ground, &tips, receiver)?;
        if let Some(cache) = cache.filter(|_| !receiver.worker().interrupted()) {
            survey.remember(&ground, &told.judged, &cache);
        }
        let Survey { graph, held, .. } = survey;
        let Told { reachable, resolved: Resolved { tips, indexed, .. }, .. } = told;
        let period = self.options.period;
        let limit = self.options.max_object_size;
        Ok(Chronicle { table, limit, graph, held, tips, indexed, reachable, period })
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
        let Ground { table, hash, limit } = *ground;
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
        let judged = survey.still_judged(ground);
        let names = survey.names(ground, &judged, receiver);
        let holder = Holder {
            table,
            hash,
            graph,
            held,
            tips,
            blobs: &survey.blobs,
            sections: &survey.sections,
            names: &names,
            judged: &judged,
            wanted: wanted.as_ref(),
            patterns: &self.options.paths,
            limit,
            is_remembered: self.options.cache && self.options.paths.is_empty(),
        };
        let mut now_judged = hand_out(&holder, receiver)?;
        now_judged.absorb(judged);
        Ok(Told { reachable, resolved, judged: now_judged })
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

/// What the closer look gave.
struct Told {
    reachable: Vec<bool>,
    resolved: Resolved,
    judged: Judged,
}
