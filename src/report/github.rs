//! The report for GitHub Actions: workflow commands that become annotations.
//!
//! Must not know: where the step's summary stands.
//! Invariants: every command in the output is one that is made here; what comes from a file cannot begin, end or
//! extend one. Worst first, because GitHub shows ten annotations of each level for a step.

use std::io::{self, Write};

use crate::model::{ContentKind, Finding, Outcome, Problem, Report, Severity};

use super::escape::{escape, escape_text};
use super::groups::{Group, open_groups};
use super::wording::{self, count};
use super::{exposure, names};

/// How many of one level GitHub shows; the last one says how many more there are.
const SHOWN: usize = 10;

/// Writes one annotation for each credential, one for each problem, and a last line for people.
///
/// # Errors
/// Only those of `out`.
pub fn write_github(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let report = names::without_values(report);
    let groups = open_groups(&report);
    for level in ["error", "warning"] {
        let of_level: Vec<&Group<'_>> = groups.iter().filter(|group| self::level(group) == level).collect();
        let shown = if of_level.len() > SHOWN { SHOWN - 1 } else { SHOWN };
        for group in of_level.iter().take(shown) {
            out.write_all(credential(&report, level, group).as_bytes())?;
        }
        let more = of_level.len().saturating_sub(shown);
        if more > 0 {
            let words =
                format!("{}: see the report", count(more as u64, "more credential", "more credentials"));
            writeln!(out, "::{level} title=keyfence::{}", message(&words))?;
        }
    }
    for problem in report.problems.iter().take(SHOWN) {
        out.write_all(could_not_look(problem).as_bytes())?;
    }
    writeln!(out, "{}", last_line(&report, groups.len()))
}

fn level(group: &Group<'_>) -> &'static str {
    match group.set.severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium | Severity::Low => "warning",
    }
}

fn credential(report: &Report, level: &str, group: &Group<'_>) -> String {
    let Some(first) = group.parts.iter().find(|finding| finding.verdict.is_open()) else {
        return String::new();
    };
    let title = wording::title(report, &group.parts);
    let mut words = vec![wording::meaning(report, group.set.state, &group.parts)];
    let others = group.parts.len() + group.elsewhere.len() - 1;
    if others > 0 {
        words.push(format!("and at {}", count(others as u64, "other place", "other places")));
    }
    if let Some(exposure) = &group.set.exposure {
        words.push(format!("since {}", exposure::since(exposure, report.made_at)));
        words.push(exposure::answer(exposure));
    }
    if let Some(revoke) =
        wording::guide(report, &group.set.provider).and_then(|guide| guide.revoke.as_deref())
    {
        words.push(format!("{}: {}", exposure::revoke(group.set.exposure.as_ref()), escape_text(revoke)));
    }
    let text = message(&words.join("\n"));
    format!("::{level} {}title={}::{text}\n", place(first), property(&title))
}

/// The properties that put an annotation beside the line. Only files have lines there.
fn place(finding: &Finding) -> String {
    if finding.provenance.kind != ContentKind::File {
        return String::new();
    }
    let path = escape(finding.provenance.path.as_bytes());
    let place = finding.place;
    let mut words = format!("file={},line={},endLine={},", property(&path), place.line, place.end_line);
    // GitHub takes columns only within one line.
    if place.line == place.end_line {
        words.push_str(&format!("col={},endColumn={},", place.column, place.end_column));
    }
    words
}

fn could_not_look(problem: &Problem) -> String {
    let file = problem
        .path
        .as_ref()
        .map_or(String::new(), |path| format!("file={},", property(&escape(path.as_bytes()))));
    let words = format!("could not be looked at: {}", escape_text(&problem.message));
    format!("::warning {file}title=keyfence::{}\n", message(&words))
}

fn last_line(report: &Report, credentials: usize) -> String {
    let read = count(report.coverage.files, "file or object", "files and objects");
    match report.outcome() {
        Outcome::Leaks => {
            let found = count(credentials as u64, "credential", "credentials");
            format!("keyfence found {found} in {read}.")
        }
        Outcome::Clean => format!("keyfence found no secrets in {read}."),
        Outcome::Incomplete => {
            let missed = count(report.problems.len() as u64, "thing", "things");
            format!("keyfence is INCOMPLETE: {missed} could not be looked at. This is not a clean result.")
        }
    }
}

/// Text after the second `::`, as the runner decodes it.
fn message(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Text of a property, as the runner decodes it.
fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::{message, property};

    #[test]
    fn text_stays_in_its_place() {
        assert_eq!(message("a%0A::error::b\nc"), "a%250A::error::b%0Ac");
        assert_eq!(property("a,b=c::d"), "a%2Cb=c%3A%3Ad");
    }
}
