//! `scan`: the source that was asked for, through the waist, to a report.
//!
//! Must not know: how sources walk, how formats look.
//! Invariant: a hook and a scan of the same bytes see the same findings; they only tell them differently.

use std::path::{Path, PathBuf};

use super::arguments::{ColorArgument, FormatArgument, Stage};
use super::failure::{Ending, Failure};
use super::interrupt::Interrupt;
use super::output::Target;
use super::progress::Bar;
use super::request::{Detection, HookRun, ScanRequest, What, Writing};
use super::text;
use crate::detect::Detector;
use crate::model::{Confidence, FilePath, Report, ScanMode};
use crate::report::{HookStage, HumanStyle, JsonOptions, Occasion, write_human, write_json};
use crate::rules::RuleSet;
use crate::rules::format::MAX_PACK_BYTES;
use crate::scan::{ScanOptions, scan};
use crate::source::git::{CommitMessage, GitEnvironment, Layout, Staged, StagedOptions};
use crate::source::{Source, Stdin, Tree, TreeOptions};
use crate::suppress::{Comments, SuppressOptions, Suppressor};

/// Columns of a report that nobody watches being written.
const PLAIN_WIDTH: usize = 100;

/// Scans and reports.
pub(crate) fn perform(request: &ScanRequest) -> Result<Ending, Failure> {
    let threads = request.threads.map_or(0, std::num::NonZeroUsize::get);
    use_threads(threads);
    let detector = detector(&request.detection.packs)?;
    let source = source(&request.what, threads, detector.reach());
    let bar = Bar::start(request.progress);
    let (report, interrupted) = look(source.as_ref(), &detector, &request.what, &request.detection, &bar)?;
    drop(bar);
    let ending = Ending::of_scan(report.outcome(), interrupted);
    if !request.writing.quiet || request.writing.file.is_some() || ending != Ending::Clean {
        write(&report, &request.writing, ending)?;
    }
    Ok(ending)
}

/// Scans for a hook and reports on standard error; says nothing when there is nothing to say.
pub(crate) fn perform_hook(run: &HookRun) -> Result<Ending, Failure> {
    let detection = Detection { threshold: Confidence::Likely, honour_comments: true, packs: Vec::new() };
    let detector = detector(&detection.packs)?;
    let source = source(&run.what, 0, detector.reach());
    let (report, interrupted) = look(source.as_ref(), &detector, &run.what, &detection, &Bar::start(false))?;
    let ending = Ending::of_scan(report.outcome(), interrupted);
    if ending == Ending::Clean {
        return Ok(ending);
    }
    let target = Target::Error;
    let style = HumanStyle {
        width: target.width().map_or(PLAIN_WIDTH, usize::from),
        color: target.is_colored(ColorArgument::Auto),
        show_secrets: false,
        show_known: false,
        occasion: Occasion::Hook { stage: hook_stage(run.stage), way_past: run.way_past() },
    };
    target.write(&rendered(|out| write_human(&report, &style, out)), ending)?;
    Ok(ending)
}

fn hook_stage(stage: Stage) -> HookStage {
    match stage {
        Stage::PreMergeCommit => HookStage::PreMergeCommit,
        Stage::CommitMsg => HookStage::CommitMessage,
        Stage::PreCommit => {
            let layout = Layout::discover(Path::new("."), &GitEnvironment::from_process());
            let first = layout.is_ok_and(|layout| layout.is_before_first_commit());
            if first { HookStage::FirstCommit } else { HookStage::PreCommit }
        }
    }
}

/// The built-in rules and those of the packs that were named.
fn detector(packs: &[PathBuf]) -> Result<Detector, Failure> {
    let mut texts = Vec::new();
    for path in packs {
        read_packs(path, &mut texts)?;
    }
    let rules = RuleSet::builtin().extended(&texts).map_err(|error| {
        let hint = "the format is described in rules/README.md".to_owned();
        Failure::configuration(format!("the rule pack cannot be used: {error}"), Some(hint))
    })?;
    Ok(Detector::new(rules))
}

/// The packs at `path`: one file, or every `.yaml` file of a directory.
fn read_packs(path: &Path, texts: &mut Vec<(String, String)>) -> Result<(), Failure> {
    let unreadable = |error: &std::io::Error| {
        let message = format!("the rule pack {} cannot be read: {error}", text::path(path));
        Failure::configuration(message, Some("--rules takes a pack file or a directory of packs".to_owned()))
    };
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(&error))?;
    if metadata.is_dir() {
        let entries = std::fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let mut files: Vec<PathBuf> =
            entries.map_err(|error| unreadable(&error))?.iter().map(std::fs::DirEntry::path).collect();
        files.retain(|file| {
            file.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
        });
        files.sort();
        return files.iter().try_for_each(|file| read_packs(file, texts));
    }
    if !metadata.is_file() {
        return Err(unreadable(&std::io::Error::other("it is no regular file")));
    }
    if metadata.len() > MAX_PACK_BYTES as u64 {
        return Err(unreadable(&std::io::Error::other(format!("it is larger than {MAX_PACK_BYTES} bytes"))));
    }
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(&error))?;
    texts.push((text::path(path), text));
    Ok(())
}

fn source(what: &What, threads: usize, reach: usize) -> Box<dyn Source> {
    let environment = GitEnvironment::from_process;
    match what {
        What::Tree { paths, honour_ignore_files, max_size } => Box::new(Tree::new(TreeOptions {
            paths: paths.clone(),
            ignore_rules: *honour_ignore_files,
            max_file_size: *max_size,
            threads,
            piece_overlap: reach,
        })),
        What::Stdin { name } => {
            let name = FilePath::from(name.as_deref().unwrap_or("<stdin>"));
            Box::new(Stdin::new(name, reach))
        }
        What::Staged { max_size } => {
            let mut options = StagedOptions::new(".", environment());
            options.max_blob_size = max_size.or(options.max_blob_size);
            Box::new(Staged::new(options))
        }
        What::Message(file) => Box::new(CommitMessage::new(file, ".", environment())),
    }
}

fn mode(what: &What) -> ScanMode {
    match what {
        What::Tree { .. } => ScanMode::Tree,
        What::Stdin { .. } => ScanMode::Stdin,
        What::Staged { .. } => ScanMode::Staged,
        What::Message(_) => ScanMode::Message,
    }
}

fn look(
    source: &dyn Source,
    detector: &Detector,
    what: &What,
    detection: &Detection,
    bar: &Bar,
) -> Result<(Report, bool), Failure> {
    let interrupt = Interrupt::listen();
    let options = ScanOptions {
        mode: mode(what),
        threshold: detection.threshold,
        suppressor: Suppressor::new(SuppressOptions {
            comments: if detection.honour_comments { Comments::All } else { Comments::Ignored },
            ..SuppressOptions::default()
        }),
        interrupted: interrupt.flag(),
        progress: Some(bar.counts()),
    };
    let report = scan(source, detector, &options)?;
    interrupt.scan_ended();
    Ok((report, interrupt.was_asked()))
}

/// Staged blobs are shared out by a pool that can be made only once.
fn use_threads(threads: usize) {
    if threads > 0 {
        // A second pool is refused; then the first one, with its number of threads, serves.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
    }
}

fn write(report: &Report, writing: &Writing, ending: Ending) -> Result<(), Failure> {
    let target = writing.file.as_deref().map_or(Target::Output, Target::File);
    let content = match writing.format {
        FormatArgument::Json => {
            let options = JsonOptions { show_secrets: writing.show_secrets };
            rendered(|out| write_json(report, &options, out))
        }
        FormatArgument::Human => {
            let style = HumanStyle {
                width: target.width().map_or(PLAIN_WIDTH, usize::from),
                color: target.is_colored(writing.color),
                show_secrets: writing.show_secrets,
                show_known: writing.show_known,
                occasion: Occasion::Scan,
            };
            rendered(|out| write_human(report, &style, out))
        }
    };
    target.write(&content, ending)
}

fn rendered(render: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>) -> Vec<u8> {
    let mut content = Vec::new();
    render(&mut content).expect("writing to memory cannot fail");
    content
}
