//! The report for code scanning: SARIF 2.1.0.
//!
//! Must not know: the terminal, time, who reads the file.
//! Invariants: the wire types here are the part of SARIF that is used, and the official schema holds for every report
//! (a test says so); nothing is larger than what GitHub code scanning takes: what would be is left out from the end,
//! worst first, and a notification says so.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use crate::model::{
    Allowance, Commit, Confidence, ContentKind, CredentialSet, Exposure, FilePath, Finding, Report, Severity,
    Verdict,
};

use super::escape::{escape, escape_text};
use super::json::harmless;
use super::wording;
use super::{exposure, names};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
const HOME: &str = "https://crates.io/crates/keyfence";

/// GitHub refuses a run with more results.
const MOST_RESULTS: usize = 25_000;
/// GitHub refuses a run with more rules.
const MOST_RULES: usize = 25_000;
/// GitHub shows as many steps of a code flow and refuses ten times as many.
const MOST_STEPS: usize = 1_000;
/// GitHub takes a file of 10 MB when it is packed: that many places in all, and the largest file is well below.
const MOST_PLACES: usize = 50_000;

/// Writes the report as SARIF. Published examples and test values do not count and are left out; what a person
/// allowed is there as suppressed.
///
/// # Errors
/// Only those of `out`.
pub fn write_sarif(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let report = names::without_values(report);
    let log = Log { schema: SCHEMA, version: "2.1.0", runs: [Run::of(&report)] };
    let text = serde_json::to_string_pretty(&log)?;
    writeln!(out, "{}", harmless(&text))
}

#[derive(Serialize)]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    column_kind: &'static str,
    invocations: [Invocation; 1],
    results: Vec<ResultObject>,
}

impl Run {
    fn of(report: &Report) -> Self {
        let (findings, left_out) = reported(report);
        let rules = Rules::of(report, &findings);
        let mut copies = BTreeMap::new();
        let mut places = MOST_PLACES;
        let results = findings.iter().map(|finding| {
            let copy = copies.entry((&finding.fingerprint, &finding.provenance.path)).or_insert(0_u32);
            *copy += 1;
            ResultObject::of(report, finding, rules.index(&finding.rule), *copy, &mut places)
        });
        Self {
            results: results.collect(),
            tool: Tool::of(rules),
            column_kind: "unicodeCodePoints",
            invocations: [Invocation::of(report, left_out)],
        }
    }
}

/// What is reported, worst first, and how many results there was no room for.
fn reported(report: &Report) -> (Vec<&Finding>, usize) {
    let counts = |verdict: &Verdict| matches!(verdict, Verdict::Open | Verdict::Allowed { .. });
    let mut findings: Vec<&Finding> =
        report.findings.iter().filter(|finding| counts(&finding.verdict)).collect();
    let severity = |finding: &Finding| set(report, finding).map_or(finding.severity, |set| set.severity);
    findings.sort_by_key(|finding| (!finding.verdict.is_open(), std::cmp::Reverse(severity(finding))));
    let mut rules: Vec<&str> = Vec::new();
    let mut kept = Vec::new();
    let all = findings.len();
    for finding in findings {
        let is_new = !rules.contains(&finding.rule.as_str());
        if kept.len() == MOST_RESULTS || (is_new && rules.len() == MOST_RULES) {
            continue;
        }
        if is_new {
            rules.push(&finding.rule);
        }
        kept.push(finding);
    }
    let left_out = all - kept.len();
    (kept, left_out)
}

fn set<'a>(report: &'a Report, finding: &Finding) -> Option<&'a CredentialSet> {
    report.credentials.get(finding.credential)
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

impl Tool {
    fn of(rules: Rules) -> Self {
        let version = env!("CARGO_PKG_VERSION");
        Self {
            driver: Driver {
                name: "keyfence",
                version,
                semantic_version: version,
                information_uri: HOME,
                rules: rules.list,
            },
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    version: &'static str,
    semantic_version: &'static str,
    information_uri: &'static str,
    rules: Vec<Rule>,
}

/// The rules that found something, by id.
struct Rules {
    list: Vec<Rule>,
}

impl Rules {
    fn of(report: &Report, findings: &[&Finding]) -> Self {
        // The worst finding of a rule comes first and speaks for it.
        let mut list: Vec<Rule> = Vec::new();
        for finding in findings {
            if !list.iter().any(|rule| rule.raw_id == finding.rule) {
                list.push(Rule::of(report, finding));
            }
        }
        list.sort_by(|one, other| one.raw_id.cmp(&other.raw_id));
        Self { list }
    }

    fn index(&self, id: &str) -> usize {
        self.list.partition_point(|rule| rule.raw_id.as_str() < id)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    #[serde(skip)]
    raw_id: String,
    id: String,
    name: String,
    short_description: Message,
    full_description: Message,
    #[serde(skip_serializing_if = "Option::is_none")]
    help_uri: Option<String>,
    help: Help,
    default_configuration: Configuration,
    properties: RuleProperties,
}

impl Rule {
    fn of(report: &Report, finding: &Finding) -> Self {
        let guide = wording::guide(report, &finding.provider);
        let title = wording::title(report, &[finding]);
        let power = guide.map_or("use it in your name", |guide| guide.power.as_str());
        let steps: Vec<String> =
            guide.map_or(Vec::new(), |guide| guide.steps.iter().map(|step| escape_text(step)).collect());
        let revoke = guide.and_then(|guide| guide.revoke.as_deref()).filter(|page| is_address(page));
        let severity = set(report, finding).map_or(finding.severity, |set| set.severity);
        Self {
            raw_id: finding.rule.clone(),
            id: escape_text(&finding.rule),
            name: escape_text(&finding.rule),
            short_description: Message { text: title.clone() },
            full_description: Message {
                text: format!(
                    "A {title} stands in the repository. Whoever has it can {}.",
                    escape_text(power)
                ),
            },
            help_uri: revoke.map(escape_text),
            help: Help::of(revoke, &steps),
            default_configuration: Configuration { level: level(severity) },
            properties: RuleProperties {
                tags: ["security", "secret", "external/cwe/cwe-798"],
                precision: precision(finding.confidence),
                security_severity: security_severity(severity),
            },
        }
    }
}

#[derive(Serialize)]
struct Help {
    text: String,
    markdown: String,
}

impl Help {
    fn of(revoke: Option<&str>, steps: &[String]) -> Self {
        let mut lines: Vec<String> =
            revoke.map(|page| format!("Revoke it: {}", escape_text(page))).into_iter().collect();
        if steps.is_empty() {
            lines.push(
                "Revoke it where it was issued, then put a new one where git does not see it.".to_owned(),
            );
        }
        let numbered = steps.iter().enumerate().map(|(index, step)| format!("{}. {step}", index + 1));
        lines.extend(numbered);
        Self { text: lines.join("\n"), markdown: lines.join("\n\n").replace(['<', '`'], "'") }
    }
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct RuleProperties {
    tags: [&'static str; 3],
    precision: &'static str,
    #[serde(rename = "security-severity")]
    security_severity: &'static str,
}

#[derive(Serialize)]
struct Message {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_execution_notifications: Vec<Notification>,
}

impl Invocation {
    fn of(report: &Report, left_out: usize) -> Self {
        const SHOWN: usize = 1_000;
        let mut notifications: Vec<Notification> = report
            .problems
            .iter()
            .take(SHOWN)
            .map(|problem| Notification {
                level: "error",
                message: Message { text: escape_text(&problem.message) },
                locations: problem.path.iter().map(Location::of_path).collect(),
            })
            .collect();
        if left_out > 0 {
            let text = format!("{left_out} less severe results are left out: no file may hold more");
            notifications.push(Notification {
                level: "warning",
                message: Message { text },
                locations: Vec::new(),
            });
        }
        Self { execution_successful: report.problems.is_empty(), tool_execution_notifications: notifications }
    }
}

#[derive(Serialize)]
struct Notification {
    level: &'static str,
    message: Message,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    locations: Vec<Location>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultObject {
    rule_id: String,
    rule_index: usize,
    level: &'static str,
    message: Message,
    locations: [Location; 1],
    partial_fingerprints: Fingerprints,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    code_flows: Vec<CodeFlow>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suppressions: Vec<Suppression>,
    properties: ResultProperties,
}

impl ResultObject {
    /// `copy`: the how manieth of the same secret in the same file this is, from 1. `places`: what is left of the room
    /// for places in code flows.
    fn of(report: &Report, finding: &Finding, rule_index: usize, copy: u32, places: &mut usize) -> Self {
        let set = set(report, finding);
        let severity = set.map_or(finding.severity, |set| set.severity);
        let exposure = set.and_then(|set| set.exposure.as_ref());
        Self {
            rule_id: escape_text(&finding.rule),
            rule_index,
            level: level(severity),
            message: Message { text: message(report, finding) },
            locations: [Location::of_finding(finding)],
            partial_fingerprints: Fingerprints {
                secret: finding.fingerprint.0.clone(),
                line: format!("{}:{copy}", finding.fingerprint.0),
            },
            code_flows: exposure.and_then(|exposure| CodeFlow::of(exposure, places)).into_iter().collect(),
            suppressions: Suppression::of(&finding.verdict).into_iter().collect(),
            properties: ResultProperties {
                credential: set.map(|set| set.id.clone()),
                confidence: finding.confidence.as_str(),
                security_severity: security_severity(severity),
                reach: exposure.map(|exposure| exposure.reach.as_str()),
                commit: finding.provenance.commit.clone(),
            },
        }
    }
}

fn message(report: &Report, finding: &Finding) -> String {
    let title = wording::title(report, &[finding]);
    let Some(set) = set(report, finding) else { return title };
    let meaning = wording::meaning(report, set.state, &[finding]);
    let history = set.exposure.as_ref().map_or(String::new(), |exposure| {
        let since = exposure::since(exposure, None);
        format!(" Since {since}; {}. {}.", exposure::presence(exposure), exposure::answer(exposure))
    });
    let shown = escape_text(&finding.masked);
    // Brackets would begin a link in a SARIF message.
    format!("{title} ({shown}), {meaning}.{history}").replace(['[', ']'], "|")
}

/// GitHub tells results apart by `primaryLocationLineHash`; the secret tells better than the line around it.
#[derive(Serialize)]
struct Fingerprints {
    #[serde(rename = "keyfenceFingerprint/v1")]
    secret: String,
    #[serde(rename = "primaryLocationLineHash")]
    line: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultProperties {
    #[serde(skip_serializing_if = "Option::is_none")]
    credential: Option<String>,
    confidence: &'static str,
    #[serde(rename = "security-severity")]
    security_severity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reach: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    logical_locations: Vec<LogicalLocation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message>,
}

impl Location {
    fn of_finding(finding: &Finding) -> Self {
        let place = finding.place;
        let region = Region {
            start_line: place.line,
            start_column: Some(place.column),
            end_line: Some(place.end_line),
            end_column: Some(place.end_column),
        };
        let provenance = &finding.provenance;
        Self {
            physical_location: PhysicalLocation::of(&provenance.path, Some(region)),
            logical_locations: LogicalLocation::of(provenance.kind, &provenance.path),
            message: None,
        }
    }

    fn of_path(path: &FilePath) -> Self {
        Self {
            physical_location: PhysicalLocation::of(path, None),
            logical_locations: Vec::new(),
            message: None,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

impl PhysicalLocation {
    fn of(path: &FilePath, region: Option<Region>) -> Self {
        Self { artifact_location: ArtifactLocation::of(path), region }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactLocation {
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_base_id: Option<&'static str>,
}

impl ArtifactLocation {
    fn of(path: &FilePath) -> Self {
        let bytes = path.as_bytes();
        let is_absolute = bytes.starts_with(b"/");
        let relative = bytes.strip_prefix(b"./").unwrap_or(bytes);
        let encoded = percent_encoded(relative);
        match is_absolute {
            true => Self { uri: format!("file://{encoded}"), uri_base_id: None },
            false => Self { uri: encoded, uri_base_id: Some("%SRCROOT%") },
        }
    }
}

/// A path as a URI: bytes that a URI does not take as they are become `%NN`.
fn percent_encoded(path: &[u8]) -> String {
    let mut uri = String::with_capacity(path.len());
    for &byte in path {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    if uri.is_empty() { "%20".to_owned() } else { uri }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_column: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_column: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogicalLocation {
    fully_qualified_name: String,
    kind: &'static str,
}

impl LogicalLocation {
    /// What is no file has a name of its own kind.
    fn of(kind: ContentKind, path: &FilePath) -> Vec<Self> {
        match kind {
            ContentKind::File => Vec::new(),
            kind => vec![Self { fully_qualified_name: escape(path.as_bytes()), kind: kind.as_str() }],
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CodeFlow {
    message: Message,
    thread_flows: [ThreadFlow; 1],
}

impl CodeFlow {
    /// From the commit that brought it, over the places where it stood, to the last one or the one that removed it.
    fn of(exposure: &Exposure, places: &mut usize) -> Option<Self> {
        let mut steps = Vec::new();
        let first_place = exposure.occurrences.first()?;
        let mut step = |path: &FilePath, line: u32, text: String| {
            let region =
                Region { start_line: line.max(1), start_column: None, end_line: None, end_column: None };
            let location = Location {
                physical_location: PhysicalLocation::of(path, Some(region)),
                logical_locations: Vec::new(),
                message: Some(Message { text }),
            };
            steps.push(ThreadFlowLocation { location });
        };
        if let Some(commit) = &exposure.first_seen {
            step(&first_place.path, first_place.line, moment_of("brought by", commit));
        }
        // Room for the ends of the flow.
        for place in exposure.occurrences.iter().take((MOST_STEPS - 3).min(*places)) {
            *places -= 1;
            let commit = place.commit.as_deref().unwrap_or("an unknown commit");
            step(&place.path, place.line, format!("stands here since {}", escape_text(commit)));
        }
        if let Some(commit) = &exposure.last_seen {
            step(&first_place.path, first_place.line, moment_of("last seen in", commit));
        }
        if let Some(commit) = &exposure.removed_by {
            step(&first_place.path, first_place.line, moment_of("removed by", commit));
        }
        let text = exposure::answer(exposure);
        Some(Self { message: Message { text }, thread_flows: [ThreadFlow { locations: steps }] })
    }
}

fn moment_of(what: &str, commit: &Commit) -> String {
    format!(
        "{what} {} on {} by {}",
        exposure::short(commit),
        super::moment::day(commit),
        exposure::author(commit)
    )
}

#[derive(Serialize)]
struct ThreadFlow {
    locations: Vec<ThreadFlowLocation>,
}

#[derive(Serialize)]
struct ThreadFlowLocation {
    location: Location,
}

#[derive(Serialize)]
struct Suppression {
    kind: &'static str,
    status: &'static str,
    justification: String,
}

impl Suppression {
    fn of(verdict: &Verdict) -> Option<Self> {
        let Verdict::Allowed { kind, by, reason } = verdict else { return None };
        let in_source = matches!(kind, Allowance::Comment);
        let reason = reason.as_deref().map_or(String::new(), |reason| format!(": {}", escape_text(reason)));
        Some(Self {
            kind: if in_source { "inSource" } else { "external" },
            status: "accepted",
            justification: format!("{}{reason}", escape_text(by)),
        })
    }
}

fn is_address(page: &str) -> bool {
    page.starts_with("https://") && page.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"')
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "note",
    }
}

/// GitHub's scale: over 9.0 is critical, from 7.0 high, from 4.0 medium.
fn security_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.0",
        Severity::Low => "2.0",
    }
}

fn precision(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Certain => "very-high",
        Confidence::Likely => "high",
        Confidence::Possible => "medium",
    }
}

#[cfg(test)]
mod tests {
    use super::ArtifactLocation;
    use crate::model::FilePath;

    #[test]
    fn paths_are_addresses() {
        for (path, expected) in [
            ("src/bot.py", "src/bot.py"),
            ("./a b#c?d.env", "a%20b%23c%3Fd.env"),
            ("C:x", "C%3Ax"),
            ("/abs/x", "file:///abs/x"),
            ("caf\u{e9}", "caf%C3%A9"),
        ] {
            assert_eq!(ArtifactLocation::of(&FilePath::from(path)).uri, expected);
        }
    }
}
