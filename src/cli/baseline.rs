//! `baseline`: write down what is known, so that only what is new counts.
//!
//! Must not know: how a baseline looks, how anything is found.
//! Invariants: the file is replaced as a whole; a scan that could not look at everything takes nothing out; whatever
//! is added is told.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::failure::{Ending, Failure};
use super::files::{self, Access};
use super::output::say;
use super::policy::{self, Prepared, Root};
use super::progress::Bar;
use super::project_arguments::{BaselineCommand, BaselineScan, BaselineWriting};
use super::request::{PolicyRequest, ScanRequest};
use super::{scan, text};
use crate::model::{FilePath, Finding, Outcome, Report, Severity};
use crate::suppress::{Baseline, BaselineEntry};

/// Does what was asked.
pub(crate) fn perform(command: BaselineCommand) -> Result<Ending, Failure> {
    let root = Root::of(Path::new("."))?;
    match command {
        BaselineCommand::Create(writing) => create(&root, writing),
        BaselineCommand::Update(writing) => update(&root, writing),
        BaselineCommand::Show(arguments) => show(&root, &PolicyRequest::from_arguments(arguments)),
        BaselineCommand::Prune(scan) => prune(&root, scan),
    }
}

fn create(root: &Root, writing: BaselineWriting) -> Result<Ending, Failure> {
    let looked = Looked::at(root, writing.scan)?;
    if looked.target.exists() {
        return Err(Failure::usage(
            format!("{} is already there", looked.name()),
            "`keyfence baseline update` adds what is new; remove the file to begin anew",
        ));
    }
    let mut baseline = Baseline::new(random_salt()?);
    for finding in looked.open() {
        baseline.add(&finding.rule, &finding.fingerprint, writing.until, writing.reason.as_deref());
    }
    looked.write(&baseline)?;
    say(&format!("written: {} with {}\n", looked.name(), secrets(baseline.entries().len())))?;
    say(&by_rule(baseline.entries().iter().map(|entry| entry.rule.as_str())))?;
    looked.warn_of_critical()?;
    looked.ending()
}

fn update(root: &Root, writing: BaselineWriting) -> Result<Ending, Failure> {
    let looked = Looked::at(root, writing.scan)?;
    let mut baseline = policy::existing_baseline(&looked.prepared.policy)?;
    let mut added = Vec::new();
    for finding in looked.open() {
        if baseline.add(&finding.rule, &finding.fingerprint, writing.until, writing.reason.as_deref()) {
            added.push(finding);
        }
    }
    if added.is_empty() {
        say(&format!("nothing new: {} stays as it is\n", looked.name()))?;
        return looked.ending();
    }
    looked.write(&baseline)?;
    say(&format!("added to {}: {}\n", looked.name(), secrets(added.len())))?;
    for finding in &added {
        say(&format!("  {}  {}\n", place(finding), finding.rule))?;
    }
    looked.warn_of_critical()?;
    looked.ending()
}

fn show(root: &Root, request: &PolicyRequest) -> Result<Ending, Failure> {
    let policy = policy::load(Box::new(root.files()), root, request)?;
    let baseline = policy::existing_baseline(&policy)?;
    let today = policy::today();
    say(&format!(
        "{}: {}\n",
        text::line(&policy.baseline_file().to_text()),
        secrets(baseline.entries().len())
    ))?;
    for entry in baseline.entries() {
        let until = entry.until.map_or_else(String::new, |until| {
            if until < today {
                format!(", ended {until}: it counts again")
            } else {
                format!(", until {until}")
            }
        });
        let reason = entry.reason.as_deref().map_or("no reason given".to_owned(), text::line);
        say(&format!("  {}  {}{until}: {reason}\n", &entry.hash[..8], text::line(&entry.rule)))?;
    }
    Ok(Ending::Clean)
}

fn prune(root: &Root, scan: BaselineScan) -> Result<Ending, Failure> {
    let looked = Looked::at(root, scan)?;
    let mut baseline = policy::existing_baseline(&looked.prepared.policy)?;
    if looked.report.outcome() == Outcome::Incomplete || !looked.report.problems.is_empty() {
        return Err(Failure::unfinished(
            "nothing was taken out: not everything could be looked at, so what was not found may still be there",
            "`keyfence scan` names what could not be looked at",
        ));
    }
    let mut found = vec![false; baseline.entries().len()];
    for finding in &looked.report.findings {
        if let Some(index) = baseline.find(&finding.rule, &finding.fingerprint) {
            found[index] = true;
        }
    }
    let gone: Vec<BaselineEntry> = baseline
        .entries()
        .iter()
        .zip(&found)
        .filter(|(_, found)| !**found)
        .map(|(entry, _)| entry.clone())
        .collect();
    if gone.is_empty() {
        say(&format!("nothing to take out: all of {} is still there\n", looked.name()))?;
        return Ok(Ending::Clean);
    }
    baseline.retain(|entry| !gone.contains(entry));
    looked.write(&baseline)?;
    say(&format!("taken out of {}: {}\n", looked.name(), secrets(gone.len())))?;
    say(&by_rule(gone.iter().map(|entry| entry.rule.as_str())))?;
    Ok(Ending::Clean)
}

/// What a scan of the project found, the baseline set aside.
pub(crate) struct Looked {
    pub(crate) prepared: Prepared,
    pub(crate) report: Report,
    pub(crate) target: PathBuf,
    interrupted: bool,
}

impl Looked {
    pub(crate) fn at(root: &Root, arguments: BaselineScan) -> Result<Self, Failure> {
        let request = ScanRequest::from_arguments(arguments.into_scan(root.as_typed()))?;
        let prepared = scan::prepared(&request.what, &request.detection)?;
        let threads = request.threads.map_or(0, std::num::NonZeroUsize::get);
        let bar = Bar::start(request.progress);
        let (report, interrupted) = scan::look(&request.what, &prepared, threads, &bar)?;
        drop(bar);
        if interrupted {
            return Err(Failure::unfinished("nothing was written: it was interrupted", "run it again"));
        }
        let file = prepared.policy.baseline_file();
        let target = root.directory.join(&*String::from_utf8_lossy(file.as_bytes()));
        Ok(Self { prepared, report, target, interrupted })
    }

    pub(crate) fn open(&self) -> impl Iterator<Item = &Finding> {
        self.report.findings.iter().filter(|finding| finding.verdict.is_open())
    }

    pub(crate) fn name(&self) -> String {
        text::line(&self.prepared.policy.baseline_file().to_text())
    }

    pub(crate) fn write(&self, baseline: &Baseline) -> Result<(), Failure> {
        files::replace(&self.target, baseline.to_text().as_bytes(), Access::Shared)
            .map_err(|error| Failure::file(format!("write {}", self.name()), &error))
    }

    pub(crate) fn warn_of_critical(&self) -> Result<(), Failure> {
        let open = |index: &usize| self.report.findings[*index].verdict.is_open();
        let critical = self.report.credentials.iter().filter(|credential| {
            credential.severity == Severity::Critical && credential.findings.iter().any(open)
        });
        match critical.count() {
            0 => Ok(()),
            count => say(&format!(
                "critical credentials among them: {count}. A baseline only keeps them quiet: revoke them first \
                 (`keyfence scan --no-baseline` tells how).\n"
            )),
        }
    }

    /// Clean only if everything could be looked at.
    pub(crate) fn ending(&self) -> Result<Ending, Failure> {
        if self.report.problems.is_empty() {
            return Ok(Ending::of_scan(Outcome::Clean, self.interrupted));
        }
        Err(Failure::unfinished(
            "it is written, but not everything could be looked at",
            "`keyfence scan` names what could not be looked at; then run `keyfence baseline update`",
        ))
    }
}

/// So many of each rule, the most frequent first.
pub(crate) fn by_rule<'a>(rules: impl Iterator<Item = &'a str>) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    rules.for_each(|rule| *counts.entry(rule).or_default() += 1);
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|&(rule, count)| (std::cmp::Reverse(count), rule));
    counts.iter().map(|(rule, count)| format!("{count:>6}  {}\n", text::line(rule))).collect()
}

fn secrets(count: usize) -> String {
    if count == 1 { "1 secret".to_owned() } else { format!("{count} secrets") }
}

fn place(finding: &Finding) -> String {
    let path: &FilePath = &finding.provenance.path;
    format!("{}:{}", text::line(&path.to_text()), finding.place.line)
}

/// Sixteen bytes that nobody can guess.
pub(crate) fn random_salt() -> Result<[u8; 16], Failure> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|error| {
        Failure::unfinished(
            format!("the system gives no random numbers for the salt: {error}"),
            "nothing was written",
        )
    })?;
    Ok(salt)
}
