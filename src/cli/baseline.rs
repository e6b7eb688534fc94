//! `baseline`: write down what is known, so that only what is new counts.
//!
//! Must not know: how a baseline looks, how anything is found.
//! Invariants: the file is replaced as a whole; a scan that could not look at everything takes nothing out; whatever
//! is added is told.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::arguments::ScanArguments;
use super::failure::{Ending, Failure};
use super::files::{self, Access};
use super::output::say;
use super::policy::{self, Prepared, Root};
use super::progress::Bar;
use super::project_arguments::{BaselineCommand, BaselineScan, BaselineWriting};
use super::request::{PolicyRequest, ScanRequest};
use super::{scan, text};
use crate::model::{FilePath, Finding, Report, Severity};
use crate::report::without_values;
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
    let history = writing.scan.history;
    let looked = Looked::at(root, writing.scan)?;
    if looked.target.exists() {
        return Err(Failure::usage(
            format!("{} is already there", looked.name()),
            "`keyfence baseline update` adds what is new; remove the file to begin anew",
        ));
    }
    let mut baseline = Baseline::new(random_salt()?);
    if history {
        baseline.cover_history();
    }
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
    let history = writing.scan.history;
    let looked = Looked::at(root, writing.scan)?;
    let mut baseline = policy::existing_baseline(&looked.prepared.policy)?;
    let before = baseline.clone();
    if history {
        baseline.cover_history();
    }
    let mut added = Vec::new();
    for report in looked.reports() {
        let told = without_values(report);
        for (finding, told_finding) in report.findings.iter().zip(&told.findings) {
            let (rule, fingerprint) = (&finding.rule, &finding.fingerprint);
            if finding.verdict.is_open()
                && baseline.add(rule, fingerprint, writing.until, writing.reason.as_deref())
            {
                added.push(format!("  {}  {rule}\n", place(&told, told_finding)));
            }
        }
    }
    if baseline == before {
        say(&format!("nothing new: {} stays as it is\n", looked.name()))?;
        return looked.ending();
    }
    looked.write(&baseline)?;
    say(&format!("added to {}: {}\n", looked.name(), secrets(added.len())))?;
    say(&added.concat())?;
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

/// What covers the history is looked for there, too: that it left the files changes nothing about what git holds.
fn prune(root: &Root, mut scan: BaselineScan) -> Result<Ending, Failure> {
    let request = PolicyRequest::from_arguments(scan.policy.clone());
    let policy = policy::load(root.policy_files(&request), root, &request)?;
    let mut baseline = policy::existing_baseline(&policy)?;
    scan.history |= baseline.covers_history();
    let looked = Looked::at(root, scan)?;
    if looked.reports().any(|report| !report.problems.is_empty()) {
        return Err(Failure::unfinished(
            "nothing was taken out: not everything could be looked at, so what was not found may still be there",
            "`keyfence scan` names what could not be looked at",
        ));
    }
    let mut found = vec![false; baseline.entries().len()];
    for finding in looked.reports().flat_map(|report| &report.findings) {
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
    /// The files as they are on disk.
    pub(crate) report: Report,
    /// Everything that ever was in the repository, if that was asked for.
    history: Option<Report>,
    pub(crate) target: PathBuf,
}

impl Looked {
    pub(crate) fn at(root: &Root, arguments: BaselineScan) -> Result<Self, Failure> {
        let history = arguments.of_history(root.as_typed());
        let (prepared, report) = looked(arguments.into_scan(root.as_typed()))?;
        let history = history.map(looked).transpose()?.map(|(_, report)| report);
        let file = prepared.policy.baseline_file();
        let target = root.directory.join(&*String::from_utf8_lossy(file.as_bytes()));
        Ok(Self { prepared, report, history, target })
    }

    /// The files first, then the history.
    pub(crate) fn reports(&self) -> impl Iterator<Item = &Report> {
        [&self.report].into_iter().chain(&self.history)
    }

    pub(crate) fn open(&self) -> impl Iterator<Item = &Finding> {
        let findings = self.reports().flat_map(|report| &report.findings);
        findings.filter(|finding| finding.verdict.is_open())
    }

    pub(crate) fn name(&self) -> String {
        text::line(&self.prepared.policy.baseline_file().to_text())
    }

    pub(crate) fn write(&self, baseline: &Baseline) -> Result<(), Failure> {
        files::replace(&self.target, baseline.to_text().as_bytes(), Access::Shared)
            .map_err(|error| Failure::file(format!("write {}", self.name()), &error))
    }

    pub(crate) fn warn_of_critical(&self) -> Result<(), Failure> {
        let critical: BTreeSet<Vec<&str>> = self.reports().flat_map(critical).collect();
        match critical.len() {
            0 => Ok(()),
            count => say(&format!(
                "critical credentials among them: {count}. A baseline only keeps them quiet: revoke them first \
                 (`keyfence scan --no-baseline` tells how).\n"
            )),
        }
    }

    /// Clean only if everything could be looked at.
    pub(crate) fn ending(&self) -> Result<Ending, Failure> {
        if self.reports().all(|report| report.problems.is_empty()) {
            return Ok(Ending::Clean);
        }
        Err(Failure::unfinished(
            "it is written, but not everything could be looked at",
            "`keyfence scan` names what could not be looked at; then run `keyfence baseline update`",
        ))
    }
}

fn looked(arguments: ScanArguments) -> Result<(Prepared, Report), Failure> {
    let request = ScanRequest::from_arguments(arguments)?;
    let prepared = scan::prepared(&request.what, &request.looking.detection)?;
    let threads = request.looking.threads.map_or(0, std::num::NonZeroUsize::get);
    let bar = Bar::start(request.looking.progress);
    let report = scan::look(&request.what, &prepared, threads, &bar)?;
    drop(bar);
    if report.was_interrupted() {
        return Err(Failure::unfinished("nothing was written: it was interrupted", "run it again"));
    }
    Ok((prepared, report))
}

/// The critical credentials that count, each as its values, so that one that stands twice is one.
fn critical(report: &Report) -> impl Iterator<Item = Vec<&str>> {
    let open = |index: &&usize| report.findings[**index].verdict.is_open();
    let critical = report.credentials.iter().filter(|credential| credential.severity == Severity::Critical);
    let values = critical.map(move |credential| {
        let open = credential.findings.iter().filter(open);
        let mut values: Vec<&str> =
            open.map(|&index| report.findings[index].fingerprint.0.as_str()).collect();
        values.sort_unstable();
        values
    });
    values.filter(|values| !values.is_empty())
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

/// `path:line`, with the commit that brought it where history tells.
fn place(report: &Report, finding: &Finding) -> String {
    let path: &FilePath = &finding.provenance.path;
    let place = format!("{}:{}", text::line(&path.to_text()), finding.place.line);
    since_commit(report, finding).map_or(place.clone(), |commit| format!("{place} since commit {commit}"))
}

/// The commit that brought the credential, where history tells.
pub(crate) fn since_commit<'a>(report: &'a Report, finding: &Finding) -> Option<&'a str> {
    let exposure = report.credentials.get(finding.credential)?.exposure.as_ref()?;
    let id = exposure.first_seen.as_ref()?.id.as_str();
    Some(id.get(..12).unwrap_or(id))
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
