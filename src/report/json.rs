//! The report for programs: JSON, version 1 (`docs/report.schema.json`).
//!
//! Must not know: the terminal, time.
//! Invariants: the wire types here are the promise, the domain types may change; absent things are null; the same
//! report gives the same bytes; a value is there only where it was asked for.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use crate::model::{
    Commit, Coverage, CredentialSet, Evidence, Exposure, FilePath, Finding, Notice, Occurrence, Problem,
    ProblemKind, Report, ScanMode, SkipReason, Verdict,
};

use super::escape::{begins_hash_command, is_unsafe};
use super::{moment, names};

/// The version of the format: fields may be added without a new one, none may change its meaning.
pub(super) const VERSION: u32 = 1;

/// What goes into the JSON report.
#[derive(Clone, Copy, Debug, Default)]
pub struct JsonOptions {
    /// Whether values are written in full (`value`, invalid UTF-8 replaced).
    pub show_secrets: bool,
}

/// Writes the report as JSON, with a line end.
///
/// # Errors
/// Only those of `out`.
pub fn write_json(report: &Report, options: &JsonOptions, out: &mut dyn Write) -> io::Result<()> {
    let report = if options.show_secrets { Cow::Borrowed(report) } else { names::without_values(report) };
    let text = serde_json::to_string_pretty(&WireReport::of(&report, options))?;
    out.write_all(harmless(&text).as_bytes())?;
    out.write_all(b"\n")
}

/// Writes what could act on a terminal or a CI system as JSON escapes. Such characters stand only inside strings.
pub(super) fn harmless(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for (at, character) in json.char_indices() {
        if begins_hash_command(&json[at..]) || (character != '\n' && is_unsafe(character)) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                safe.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            safe.push(character);
        }
    }
    safe
}

#[derive(Serialize)]
struct WireReport<'a> {
    version: u32,
    outcome: &'static str,
    findings: Vec<WireFinding<'a>>,
    credentials: Vec<WireCredential<'a>>,
    problems: Vec<WireProblem<'a>>,
    notices: Vec<WireNotice<'a>>,
    coverage: WireCoverage,
}

impl<'a> WireReport<'a> {
    fn of(report: &'a Report, options: &JsonOptions) -> Self {
        let findings = report.findings.iter();
        Self {
            version: VERSION,
            outcome: report.outcome().as_str(),
            findings: findings.map(|finding| WireFinding::of(finding, report, options)).collect(),
            credentials: report.credentials.iter().map(|set| WireCredential::of(set, report)).collect(),
            problems: report.problems.iter().map(WireProblem::of).collect(),
            notices: report.notices.iter().map(WireNotice::of).collect(),
            coverage: WireCoverage::of(report),
        }
    }
}

#[derive(Serialize)]
pub(super) struct WireFinding<'a> {
    rule: &'a str,
    provider: &'a str,
    alternatives: &'a [String],
    part: &'a str,
    role: &'static str,
    severity: &'static str,
    confidence: &'static str,
    verdict: &'static str,
    allowed_kind: Option<&'static str>,
    allowed_by: Option<&'a str>,
    allowed_reason: Option<&'a str>,
    kind: &'static str,
    path: String,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
    blob: Option<&'a str>,
    commit: Option<&'a str>,
    credential: Option<&'a str>,
    masked: &'a str,
    value: Option<String>,
    evidence: WireEvidence<'a>,
    fingerprint: &'a str,
}

impl<'a> WireFinding<'a> {
    pub(super) fn of(finding: &'a Finding, report: &'a Report, options: &JsonOptions) -> Self {
        let (allowed_kind, allowed_by, allowed_reason) = match &finding.verdict {
            Verdict::Allowed { kind, by, reason } => {
                (Some(kind.as_str()), Some(by.as_str()), reason.as_deref())
            }
            Verdict::Open | Verdict::Known | Verdict::Test => (None, None, None),
        };
        let value = || String::from_utf8_lossy(finding.secret.expose()).into_owned();
        Self {
            rule: &finding.rule,
            provider: &finding.provider,
            alternatives: &finding.alternatives,
            part: &finding.part,
            role: finding.role.as_str(),
            severity: finding.severity.as_str(),
            confidence: finding.confidence.as_str(),
            verdict: finding.verdict.as_str(),
            allowed_kind,
            allowed_by,
            allowed_reason,
            kind: finding.provenance.kind.as_str(),
            path: finding.provenance.path.to_text(),
            line: finding.place.line,
            column: finding.place.column,
            end_line: finding.place.end_line,
            end_column: finding.place.end_column,
            blob: finding.provenance.blob.as_deref(),
            commit: finding.provenance.commit.as_deref(),
            credential: report.credentials.get(finding.credential).map(|set| set.id.as_str()),
            masked: &finding.masked,
            value: options.show_secrets.then(value),
            evidence: WireEvidence::of(&finding.evidence),
            fingerprint: &finding.fingerprint.0,
        }
    }
}

#[derive(Serialize)]
struct WireEvidence<'a> {
    name: Option<&'a str>,
    context: &'a [String],
    checks: &'a [String],
    randomness: Option<f32>,
}

impl<'a> WireEvidence<'a> {
    fn of(evidence: &'a Evidence) -> Self {
        Self {
            name: evidence.name.as_deref(),
            context: &evidence.context,
            checks: &evidence.checks,
            randomness: evidence.randomness.filter(|score| score.is_finite()),
        }
    }
}

#[derive(Serialize)]
pub(super) struct WireCredential<'a> {
    id: &'a str,
    provider: &'a str,
    title: Option<&'a str>,
    state: &'static str,
    severity: &'static str,
    power: Option<&'a str>,
    revoke: Option<&'a str>,
    steps: &'a [String],
    findings: &'a [usize],
    exposure: Option<WireExposure<'a>>,
    first_seen: Option<WireCommit<'a>>,
    last_seen: Option<WireCommit<'a>>,
    removed_by: Option<WireCommit<'a>>,
    occurrences: Vec<WireOccurrence<'a>>,
}

impl<'a> WireCredential<'a> {
    pub(super) fn of(set: &'a CredentialSet, report: &'a Report) -> Self {
        let guide = report.guides.get(&set.provider);
        let exposure = set.exposure.as_ref();
        let occurrences = exposure.map_or(&[][..], |exposure| &exposure.occurrences);
        Self {
            id: &set.id,
            provider: &set.provider,
            title: guide.map(|guide| guide.title.as_str()),
            state: set.state.as_str(),
            severity: set.severity.as_str(),
            power: guide.map(|guide| guide.power.as_str()),
            revoke: guide.and_then(|guide| guide.revoke.as_deref()),
            steps: guide.map_or(&[], |guide| guide.steps.as_slice()),
            findings: &set.findings,
            exposure: exposure.map(WireExposure::of),
            first_seen: exposure.and_then(|exposure| exposure.first_seen.as_ref()).map(WireCommit::of),
            last_seen: exposure.and_then(|exposure| exposure.last_seen.as_ref()).map(WireCommit::of),
            removed_by: exposure.and_then(|exposure| exposure.removed_by.as_ref()).map(WireCommit::of),
            occurrences: occurrences.iter().map(WireOccurrence::of).collect(),
        }
    }
}

#[derive(Serialize)]
struct WireExposure<'a> {
    reach: &'static str,
    commits: u64,
    references: &'a [String],
    tips: &'a [String],
    remotes: &'a [String],
}

impl<'a> WireExposure<'a> {
    fn of(exposure: &'a Exposure) -> Self {
        Self {
            reach: exposure.reach.as_str(),
            commits: exposure.commits,
            references: &exposure.references,
            tips: &exposure.tips,
            remotes: &exposure.remotes,
        }
    }
}

#[derive(Serialize)]
struct WireCommit<'a> {
    commit: &'a str,
    author: &'a str,
    date: String,
}

impl<'a> WireCommit<'a> {
    fn of(commit: &'a Commit) -> Self {
        Self { commit: &commit.id, author: &commit.author, date: moment::stamp(commit) }
    }
}

#[derive(Serialize)]
struct WireOccurrence<'a> {
    kind: &'static str,
    path: String,
    line: u32,
    blob: Option<&'a str>,
    commit: Option<&'a str>,
    versions: u64,
}

impl<'a> WireOccurrence<'a> {
    fn of(occurrence: &'a Occurrence) -> Self {
        Self {
            kind: occurrence.kind.as_str(),
            path: occurrence.path.to_text(),
            line: occurrence.line,
            blob: occurrence.blob.as_deref(),
            commit: occurrence.commit.as_deref(),
            versions: occurrence.versions,
        }
    }
}

#[derive(Serialize)]
pub(super) struct WireNotice<'a> {
    kind: &'static str,
    path: Option<String>,
    line: Option<u32>,
    message: &'a str,
}

impl<'a> WireNotice<'a> {
    pub(super) fn of(notice: &'a Notice) -> Self {
        Self {
            kind: notice.kind.as_str(),
            path: notice.path.as_ref().map(FilePath::to_text),
            line: notice.line,
            message: &notice.message,
        }
    }
}

#[derive(Serialize)]
pub(super) struct WireProblem<'a> {
    kind: &'static str,
    path: Option<String>,
    object: Option<&'a str>,
    message: &'a str,
    hint: Option<&'a str>,
}

impl<'a> WireProblem<'a> {
    pub(super) fn of(problem: &'a Problem) -> Self {
        Self {
            kind: kind_word(problem.kind),
            path: problem.path.as_ref().map(|path| path.to_text()),
            object: problem.object.as_deref(),
            message: &problem.message,
            hint: problem.hint.as_deref(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct WireCoverage {
    mode: &'static str,
    files: u64,
    bytes: u64,
    binary: u64,
    commits: u64,
    trees: u64,
    tags: u64,
    skipped: BTreeMap<&'static str, u64>,
    threshold: Option<&'static str>,
    below_threshold: u64,
}

impl WireCoverage {
    pub(super) fn of(report: &Report) -> Self {
        let Coverage { mode, files, bytes, binary, commits, trees, tags, skipped } = &report.coverage;
        Self {
            mode: mode_word(*mode),
            files: *files,
            bytes: *bytes,
            binary: *binary,
            commits: *commits,
            trees: *trees,
            tags: *tags,
            skipped: skipped.iter().map(|(&reason, &number)| (reason_word(reason), number)).collect(),
            threshold: report.threshold.map(|threshold| threshold.as_str()),
            below_threshold: report.below_threshold,
        }
    }
}

pub(super) fn mode_word(mode: ScanMode) -> &'static str {
    match mode {
        ScanMode::Tree => "tree",
        ScanMode::Stdin => "stdin",
        ScanMode::Staged => "staged",
        ScanMode::Message => "message",
        ScanMode::History => "history",
        ScanMode::Range => "range",
    }
}

fn reason_word(reason: SkipReason) -> &'static str {
    match reason {
        SkipReason::Ignored => "ignored",
        SkipReason::LeftOut => "left-out",
        SkipReason::TooLarge => "too-large",
        SkipReason::Symlink => "symlink",
        SkipReason::NotAFile => "not-a-file",
        SkipReason::Submodule => "submodule",
        SkipReason::GitDirectory => "git-directory",
    }
}

fn kind_word(kind: ProblemKind) -> &'static str {
    match kind {
        ProblemKind::NotFound => "not-found",
        ProblemKind::Unreadable => "unreadable",
        ProblemKind::TooLarge => "too-large",
        ProblemKind::NotAFile => "not-a-file",
        ProblemKind::BadObject => "bad-object",
        ProblemKind::Interrupted => "interrupted",
        ProblemKind::Internal => "internal",
    }
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn what_acts_is_written_as_json_escapes() {
        let json = "{\n \"a\": \"\u{9b}\u{7f}\u{202e}\u{e0041} ##[x] caf\u{e9}\"\n}";
        let safe = harmless(json);
        assert_eq!(safe, "{\n \"a\": \"\\u009b\\u007f\\u202e\\udb40\\udc41 \\u0023#[x] caf\u{e9}\"\n}");
        let before: serde_json::Value = serde_json::from_str(json).expect("valid before");
        let after: serde_json::Value = serde_json::from_str(&safe).expect("valid after");
        assert_eq!(before, after);
    }
}
