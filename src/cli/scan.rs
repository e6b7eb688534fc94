//! `scan`: the source that was asked for, through the waist, to a report.
//!
//! Must not know: how sources walk, how formats look.
//! Invariant: a hook and a scan of the same bytes see the same findings; they only tell them differently.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::arguments::{ColorArgument, Stage};
use super::failure::{Ending, Failure};
use super::history;
use super::interrupt::Interrupt;
use super::output::Target;
use super::policy::{self, Prepared, Root, Terms};
use super::progress::Bar;
use super::reports::{self, PLAIN_WIDTH, rendered};
use super::request::{Detection, HookRun, Looking, PolicyRequest, What};
use super::typed;
use crate::model::{FilePath, Report, ScanMode};
use crate::report::{HookStage, HumanStyle, Occasion, write_human};
use crate::scan::{ScanOptions, scan};
use crate::source::git::{
    CommitMessage, Committed, GitEnvironment, History, Layout, Range, RangeOptions, RangeSelection, Staged,
    StagedOptions,
};
use crate::source::{LeftOut, Source, Stdin, Tree, TreeOptions, prepare_threads};
use crate::suppress::{Comments, Policy};

/// Scans and reports.
pub(crate) fn perform(what: &What, looking: &Looking) -> Result<Ending, Failure> {
    let threads = looking.threads.map_or(0, std::num::NonZeroUsize::get);
    if threads > 0 {
        // What git has is shared out by a pool that is made only once.
        prepare_threads(threads);
    }
    let prepared = prepared(what, &looking.detection)?;
    let bar = Bar::start(looking.progress);
    let mut report = look(what, &prepared, threads, &bar)?;
    drop(bar);
    let ending = Ending::of_scan(&report);
    reports::write(&mut report, &looking.writing, ending)?;
    Ok(ending)
}

/// Scans for a hook and reports on standard error; says nothing when there is nothing to say.
pub(crate) fn perform_hook(run: &HookRun, what: &What) -> Result<Ending, Failure> {
    let detection = Detection {
        threshold: None,
        honour_comments: true,
        packs: Vec::new(),
        policy: PolicyRequest::default(),
    };
    let prepared = prepared(what, &detection)?;
    let report = look(what, &prepared, 0, &Bar::start(false))?;
    let ending = Ending::of_scan(&report);
    if ending == Ending::Clean {
        return Ok(ending);
    }
    let target = Target::Error;
    let style = HumanStyle {
        width: target.width().map_or(PLAIN_WIDTH, usize::from),
        color: target.is_colored(ColorArgument::Auto),
        show_secrets: false,
        show_known: false,
        brief: false,
        occasion: Occasion::Hook { stage: hook_stage(run.stage), way_past: run.way_past() },
    };
    target.write(&rendered(|out| write_human(&report, &style, out)), ending)?;
    Ok(ending)
}

fn hook_stage(stage: Stage) -> HookStage {
    match stage {
        Stage::PreMergeCommit => HookStage::PreMergeCommit,
        Stage::CommitMsg => HookStage::CommitMessage,
        Stage::PrePush => HookStage::PrePush,
        Stage::PreReceive | Stage::Update => HookStage::Receive,
        Stage::PreCommit => {
            let layout = Layout::discover(Path::new("."), &GitEnvironment::from_process());
            let first = layout.is_ok_and(|layout| layout.is_before_first_commit());
            if first { HookStage::FirstCommit } else { HookStage::PreCommit }
        }
    }
}

/// What the files of the project around `what` make of the scan.
pub(crate) fn prepared(what: &What, detection: &Detection) -> Result<Prepared, Failure> {
    let place = match what {
        What::Tree { paths, .. } => paths.first().map(PathBuf::as_path),
        What::History(request) => Some(request.repository.as_path()),
        _ => None,
    };
    let root = Root::of(place.unwrap_or(Path::new(".")))?;
    let root = match what {
        What::Staged { .. } | What::Range { .. } | What::History(_) => root.for_git(),
        What::Tree { .. } | What::Stdin { .. } | What::Message(_) => root,
    };
    if let What::Range { selection, trusted: false, .. } = what {
        return prepared_before(selection, &root, detection);
    }
    let everything = detection.policy.rules.is_everything() && is_everything(what, &root);
    let terms = Terms { comments: Comments::All, everything };
    match what {
        What::Staged { .. } => policy::of_next_commit(&root, detection, terms),
        _ => policy::of_work_tree(&root, detection, terms),
    }
}

/// What the files of the project said before a range: it must not bring its own absolution.
fn prepared_before(
    selection: &RangeSelection,
    root: &Root,
    detection: &Detection,
) -> Result<Prepared, Failure> {
    let environment = GitEnvironment::from_process();
    let range = Range::new(RangeOptions::new(".", environment.clone(), selection.clone()));
    let base = match range.base()? {
        Some(base) => Some(Committed::at(".", environment, &base)?),
        None => None,
    };
    let terms = Terms { comments: Comments::Old, everything: false };
    policy::of_commit(base, root, detection, terms)
}

/// Whether nothing below the root is left out by what was asked.
fn is_everything(what: &What, root: &Root) -> bool {
    match what {
        What::Tree { paths, max_size: None, .. } => paths.iter().any(|path| root.is_at(path)),
        _ => false,
    }
}

fn source(what: &What, prepared: &Prepared, threads: usize) -> Result<Box<dyn Source>, Failure> {
    let environment = GitEnvironment::from_process;
    let reach = || prepared.detector.reach();
    let limit = |typed: &Option<u64>| typed.or(prepared.max_size);
    Ok(match what {
        What::Tree { paths, honour_ignore_files, max_size } => Box::new(Tree::new(TreeOptions {
            paths: paths.clone(),
            ignore_rules: *honour_ignore_files,
            max_file_size: limit(max_size),
            left_out: left_out(&prepared.policy).filter(|_| *honour_ignore_files),
            threads,
            piece_overlap: reach(),
        })),
        What::Stdin { name } => {
            let name = FilePath::from(name.as_deref().unwrap_or("<stdin>"));
            Box::new(Stdin::new(name, reach()))
        }
        What::Staged { max_size } => {
            let mut options = StagedOptions::new(".", environment());
            options.max_blob_size = limit(max_size).or(options.max_blob_size);
            Box::new(Staged::new(options))
        }
        What::Range { selection, max_size, .. } => {
            let mut options = RangeOptions::new(".", environment(), selection.clone());
            options.max_blob_size = limit(max_size).or(options.max_blob_size);
            Box::new(Range::new(options))
        }
        What::Message(file) => Box::new(CommitMessage::new(file, ".", environment())),
        What::History(request) => Box::new(History::new(history::options(request, prepared.max_size)?)),
    })
}

/// What the ignore file at the root leaves out need not be read.
fn left_out(policy: &Arc<Policy>) -> Option<LeftOut> {
    let policy = Arc::clone(policy);
    policy.has_ignore_file().then(|| {
        LeftOut(Arc::new(move |path: &Path, is_directory| {
            policy.leaves_out(&FilePath::from_path(path), is_directory)
        }))
    })
}

fn mode(what: &What) -> ScanMode {
    match what {
        What::Tree { .. } => ScanMode::Tree,
        What::Stdin { .. } => ScanMode::Stdin,
        What::Staged { .. } => ScanMode::Staged,
        What::Range { .. } => ScanMode::Range,
        What::Message(_) => ScanMode::Message,
        What::History(_) => ScanMode::History,
    }
}

/// Scans a source that was made elsewhere, without progress.
pub(crate) fn look_at(source: &dyn Source, mode: ScanMode, prepared: &Prepared) -> Result<Report, Failure> {
    let options = ScanOptions {
        mode,
        threshold: prepared.threshold,
        suppressor: prepared.suppressor.clone(),
        interrupted: Arc::default(),
        progress: None,
    };
    Ok(scan(source, &prepared.detector, &options)?)
}

/// Whether there is nothing to tell before the end. Ctrl-C then ends the program at once, as git's own, which saves the
/// thread that would listen.
fn is_short(what: &What) -> bool {
    matches!(what, What::Staged { .. } | What::Message(_))
}

/// Scans. An interruption is told by the report alone: whoever interrupts when all is read changes nothing.
pub(crate) fn look(what: &What, prepared: &Prepared, threads: usize, bar: &Bar) -> Result<Report, Failure> {
    let source = source(what, prepared, threads)?;
    let interrupt = if is_short(what) { Interrupt::default() } else { Interrupt::listen() };
    let options = ScanOptions {
        mode: mode(what),
        threshold: prepared.threshold,
        suppressor: prepared.suppressor.clone(),
        interrupted: interrupt.flag(),
        progress: Some(bar.counts()),
    };
    let mut report = scan(source.as_ref(), &prepared.detector, &options)?;
    interrupt.scan_ended();
    report.problems.iter_mut().for_each(typed::hide_in);
    Ok(report)
}
