//! `explain`: a rule, or a finding of this project, in words that help somebody who has to act.
//!
//! Must not know: how reports look. Invariant: the value is not shown.

use std::path::Path;

use super::super::baseline::{Looked, since_commit};
use super::super::failure::{Ending, Failure};
use super::super::output::say;
use super::super::policy::Root;
use super::super::project_arguments::{BaselineScan, ExplainArguments};
use super::super::text;
use super::{find, loaded, page, provider};
use crate::model::{Finding, Report, Verdict};
use crate::report::without_values;

/// As few digits of a fingerprint as are taken for one.
const SHORTEST: usize = 8;

/// Tells about the rule or the finding.
pub(crate) fn explain(arguments: ExplainArguments) -> Result<Ending, Failure> {
    if !looks_like_fingerprint(&arguments.what) {
        let rules = loaded(arguments.loading)?;
        let (rule, provider) = find(&rules, &arguments.what)?;
        say(&page::meaning(rule, provider))?;
        return Ok(Ending::Clean);
    }
    let loading = arguments.loading;
    let history = arguments.history;
    let scan =
        BaselineScan { history, rules: loading.rules, policy: loading.policy, ..BaselineScan::default() };
    let looked = Looked::at(&Root::of(Path::new("."))?, scan)?;
    let is_meant = |finding: &&Finding| finding.fingerprint.0.starts_with(&arguments.what);
    let reports: Vec<_> = looked.reports().map(without_values).collect();
    let findings: Vec<(&Report, &Finding)> = reports
        .iter()
        .flat_map(|report| report.findings.iter().filter(is_meant).map(|finding| (&**report, finding)))
        .collect();
    let Some((_, first)) = findings.first() else {
        let (message, hint) = if history {
            (
                "no finding in this repository has that fingerprint",
                "`keyfence scan --history -f json` shows those that there are",
            )
        } else {
            (
                "no finding in the files of this project has that fingerprint",
                "`keyfence scan -f json` shows those that there are; `--history` looks in the history, too",
            )
        };
        return Err(Failure::unfinished(message, hint));
    };
    let rules = looked.prepared.detector.rules();
    let (rule, _) = find(rules, &first.rule)?;
    say(&page::meaning(rule, provider(rules, rule)))?;
    say("\nWhere it stands\n")?;
    for (report, finding) in findings {
        say(&place(report, finding))?;
    }
    Ok(Ending::Clean)
}

fn looks_like_fingerprint(text: &str) -> bool {
    (SHORTEST..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn place(report: &Report, finding: &Finding) -> String {
    let path = text::line(&finding.provenance.path.to_text());
    let since =
        since_commit(report, finding).map_or(String::new(), |commit| format!(", since commit {commit}"));
    let verdict = match &finding.verdict {
        Verdict::Open => "it counts".to_owned(),
        Verdict::Allowed { by, reason, .. } => {
            let reason = reason.as_ref().map(|reason| format!(", because {}", text::line(reason)));
            format!("allowed by {}{}", text::line(by), reason.unwrap_or_default())
        }
        Verdict::Known => "published in documentation, it does not count".to_owned(),
        Verdict::Test => "of a test network, it does not count".to_owned(),
    };
    let mut why = Vec::new();
    why.extend(finding.evidence.name.as_ref().map(|name| format!("named {}", text::line(name))));
    why.extend(finding.evidence.context.iter().map(|words| text::line(words)));
    why.extend(finding.evidence.checks.iter().map(|check| format!("passes the check {check}")));
    format!(
        "  {path}:{}:{}{since}  {}: {verdict}\n    why: {}\n",
        finding.place.line,
        finding.place.column,
        finding.confidence.as_str(),
        if why.is_empty() { "its shape".to_owned() } else { why.join("; ") }
    )
}
