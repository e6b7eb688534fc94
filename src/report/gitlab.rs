//! The reports for GitLab: secret detection (schema 15), and code quality.
//!
//! Must not know: the terminal, the pipeline.
//! Invariants: the wire types here are the part of GitLab's formats that is used; a scan that could not look at
//! everything has failed there, whatever it found.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use crate::model::{Commit, Finding, Report, Severity};

use super::escape::{escape, escape_text};
use super::json::harmless;
use super::{exposure, moment, names, wording};

/// The version of the schema that the report keeps to.
const SCHEMA_VERSION: &str = "15.0.4";

/// What GitLab's schema takes of a name, and of a solution.
const LONGEST_NAME: usize = 255;
const LONGEST_SOLUTION: usize = 7_000;

/// GitLab asks for a commit; findings that belong to none are given this one, as git writes "no object".
const NO_COMMIT: &str = "0000000000000000000000000000000000000000";

/// Writes GitLab's secret detection report (`artifacts:reports:secret_detection`).
///
/// # Errors
/// Only those of `out`.
pub fn write_gitlab(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let report = names::without_values(report);
    let open = report.findings.iter().filter(|finding| finding.verdict.is_open());
    let mut numbers = Numbers::default();
    let document = SecretDetection {
        version: SCHEMA_VERSION,
        scan: Scan::of(&report),
        vulnerabilities: open
            .map(|finding| Vulnerability::of(&report, finding, numbers.next(finding)))
            .collect(),
    };
    write(&document, out)
}

/// Writes GitLab's code quality report (`artifacts:reports:codequality`), which merge requests show in every tier.
///
/// # Errors
/// Only those of `out`.
pub fn write_code_quality(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let report = names::without_values(report);
    let open = report.findings.iter().filter(|finding| finding.verdict.is_open());
    let mut numbers = Numbers::default();
    let issues: Vec<Issue> = open.map(|finding| Issue::of(&report, finding, numbers.next(finding))).collect();
    write(&issues, out)
}

fn write(document: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let text = serde_json::to_string_pretty(document)?;
    writeln!(out, "{}", harmless(&text))
}

/// Tells apart the same secret at several places: GitLab wants every id once, and the same id in the next run.
#[derive(Default)]
struct Numbers<'a> {
    seen: BTreeMap<(&'a str, &'a [u8]), u32>,
}

impl<'a> Numbers<'a> {
    fn next(&mut self, finding: &'a Finding) -> String {
        let (fingerprint, path) = (finding.fingerprint.0.as_str(), finding.provenance.path.as_bytes());
        let number = self.seen.entry((fingerprint, path)).or_default();
        *number += 1;
        format!("{fingerprint}:{number}:{}", escape(path))
    }
}

#[derive(Serialize)]
struct SecretDetection {
    version: &'static str,
    scan: Scan,
    vulnerabilities: Vec<Vulnerability>,
}

#[derive(Serialize)]
struct Scan {
    analyzer: Program,
    scanner: Program,
    #[serde(rename = "type")]
    kind: &'static str,
    start_time: String,
    end_time: String,
    status: &'static str,
    messages: Vec<ScanMessage>,
}

impl Scan {
    fn of(report: &Report) -> Self {
        let end = report.made_at.unwrap_or(0);
        let elapsed = i64::try_from(report.elapsed.as_secs()).unwrap_or(0);
        let messages = report.problems.iter().map(|problem| {
            let path =
                problem.path.as_ref().map_or(String::new(), |path| format!("{}: ", escape(path.as_bytes())));
            ScanMessage { level: "fatal", value: format!("{path}{}", escape_text(&problem.message)) }
        });
        Self {
            analyzer: Program::default(),
            scanner: Program::default(),
            kind: "secret_detection",
            start_time: moment::without_zone(end.saturating_sub(elapsed)),
            end_time: moment::without_zone(end),
            status: if report.problems.is_empty() { "success" } else { "failure" },
            messages: messages.collect(),
        }
    }
}

#[derive(Serialize)]
struct ScanMessage {
    level: &'static str,
    value: String,
}

#[derive(Serialize)]
struct Program {
    id: &'static str,
    name: &'static str,
    version: &'static str,
    vendor: Vendor,
}

impl Default for Program {
    fn default() -> Self {
        let version = env!("CARGO_PKG_VERSION");
        Self { id: "keyfence", name: "keyfence", version, vendor: Vendor { name: "keyfence" } }
    }
}

#[derive(Serialize)]
struct Vendor {
    name: &'static str,
}

#[derive(Serialize)]
struct Vulnerability {
    id: String,
    name: String,
    description: String,
    severity: &'static str,
    solution: String,
    identifiers: [Identifier; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<Link>,
    location: Location,
}

impl Vulnerability {
    fn of(report: &Report, finding: &Finding, id: String) -> Self {
        let guide = wording::guide(report, &finding.provider);
        let rule = escape_text(&finding.rule);
        let steps: Vec<String> =
            guide.map_or(Vec::new(), |guide| guide.steps.iter().map(|step| escape_text(step)).collect());
        let revoke = guide.and_then(|guide| guide.revoke.as_deref());
        Self {
            id,
            name: shortened(&wording::title(report, &[finding]), LONGEST_NAME),
            description: literal(&description(report, finding)),
            severity: severity_word(severity(report, finding)),
            solution: shortened(&steps.join(" "), LONGEST_SOLUTION),
            identifiers: [Identifier {
                kind: "keyfence_rule_id",
                name: format!("keyfence rule {rule}"),
                value: rule,
            }],
            links: revoke
                .filter(|page| page.starts_with("https://"))
                .map(|page| Link { name: "revoke it", url: escape_text(page) })
                .into_iter()
                .collect(),
            location: Location::of(report, finding),
        }
    }
}

fn description(report: &Report, finding: &Finding) -> String {
    let Some(set) = report.credentials.get(finding.credential) else { return String::new() };
    let mut words = vec![
        format!("{}.", wording::meaning(report, set.state, &[finding])),
        format!("{} ({}).", escape_text(&finding.masked), wording::belief(&[finding])),
    ];
    if let Some(exposure) = &set.exposure {
        words.push(format!("Since {}.", exposure::since(exposure, report.made_at)));
        words.push(format!("{}; {}.", exposure::presence(exposure), exposure::answer(exposure)));
    }
    words.join(" ")
}

#[derive(Serialize)]
struct Identifier {
    #[serde(rename = "type")]
    kind: &'static str,
    name: String,
    value: String,
}

#[derive(Serialize)]
struct Link {
    name: &'static str,
    url: String,
}

#[derive(Serialize)]
struct Location {
    file: String,
    start_line: u32,
    end_line: u32,
    commit: LocationCommit,
}

impl Location {
    fn of(report: &Report, finding: &Finding) -> Self {
        let exposure = report.credentials.get(finding.credential).and_then(|set| set.exposure.as_ref());
        let first = exposure.and_then(|exposure| exposure.first_seen.as_ref());
        Self {
            file: escape(finding.provenance.path.as_bytes()),
            start_line: finding.place.line,
            end_line: finding.place.end_line,
            commit: LocationCommit::of(finding.provenance.commit.as_deref(), first),
        }
    }
}

#[derive(Serialize)]
struct LocationCommit {
    sha: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<String>,
}

impl LocationCommit {
    fn of(commit: Option<&str>, first: Option<&Commit>) -> Self {
        // The author and the date are known of the commit that brought it only.
        let first = first.filter(|first| commit.is_none_or(|commit| commit == first.id));
        let sha = commit.or(first.map(|first| first.id.as_str())).unwrap_or(NO_COMMIT);
        Self { sha: escape_text(sha), author: first.map(exposure::author), date: first.map(moment::stamp) }
    }
}

#[derive(Serialize)]
struct Issue {
    description: String,
    check_name: String,
    fingerprint: String,
    severity: &'static str,
    location: IssueLocation,
}

impl Issue {
    fn of(report: &Report, finding: &Finding, id: String) -> Self {
        let title = wording::title(report, &[finding]);
        let meaning = description(report, finding);
        Self {
            description: literal(&format!("{title}: {meaning}")),
            check_name: escape_text(&finding.rule),
            fingerprint: id,
            severity: issue_severity(severity(report, finding)),
            location: IssueLocation {
                path: escape(finding.provenance.path.as_bytes()),
                lines: Lines { begin: finding.place.line, end: finding.place.end_line },
            },
        }
    }
}

#[derive(Serialize)]
struct IssueLocation {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
    end: u32,
}

/// A part is as bad as the credential that it belongs to.
fn severity(report: &Report, finding: &Finding) -> Severity {
    report.credentials.get(finding.credential).map_or(finding.severity, |set| set.severity)
}

fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "Critical",
        Severity::High => "High",
        Severity::Medium => "Medium",
        Severity::Low => "Low",
    }
}

fn issue_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "blocker",
        Severity::High => "critical",
        Severity::Medium => "major",
        Severity::Low => "minor",
    }
}

/// GitLab reads descriptions as Markdown: what could be markup, a link or a mention is taken literally.
fn literal(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if "\\`*_{}[]<>#+|~!&@$%^".contains(character) {
            safe.push('\\');
        }
        safe.push(character);
    }
    safe
}

fn shortened(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    text.chars().take(longest - 1).chain(['…']).collect()
}
