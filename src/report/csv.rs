//! The report for spreadsheets: CSV (RFC 4180), one finding a line.
//!
//! Must not know: the terminal, time.
//! Invariants: columns are only added at the end; no cell begins with what a spreadsheet takes for a formula.

use std::io::{self, Write};

use crate::model::{Finding, Report};

use super::escape::{escape, escape_text};
use super::{moment, names};

const COLUMNS: [&str; 24] = [
    "verdict",
    "severity",
    "confidence",
    "provider",
    "part",
    "rule",
    "kind",
    "path",
    "line",
    "column",
    "masked",
    "credential",
    "state",
    "commit",
    "blob",
    "reach",
    "first_seen",
    "first_author",
    "first_commit",
    "removed_on",
    "removed_by",
    "commits",
    "revoke",
    "fingerprint",
];

/// Writes the report as CSV: a line of names, then every finding with every verdict.
///
/// # Errors
/// Only those of `out`.
pub fn write_csv(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let report = names::without_values(report);
    row(out, COLUMNS.map(String::from))?;
    report.findings.iter().try_for_each(|finding| row(out, cells(&report, finding)))
}

fn cells(report: &Report, finding: &Finding) -> [String; COLUMNS.len()] {
    let set = report.credentials.get(finding.credential);
    let exposure = set.and_then(|set| set.exposure.as_ref());
    let first = exposure.and_then(|exposure| exposure.first_seen.as_ref());
    let removed = exposure.and_then(|exposure| exposure.removed_by.as_ref());
    let revoke = report.guides.get(&finding.provider).and_then(|guide| guide.revoke.as_deref());
    let text = |text: Option<&str>| text.map(escape_text).unwrap_or_default();
    [
        finding.verdict.as_str().to_owned(),
        finding.severity.as_str().to_owned(),
        finding.confidence.as_str().to_owned(),
        escape_text(&finding.provider),
        escape_text(&finding.part),
        escape_text(&finding.rule),
        finding.provenance.kind.as_str().to_owned(),
        escape(finding.provenance.path.as_bytes()),
        finding.place.line.to_string(),
        finding.place.column.to_string(),
        escape_text(&finding.masked),
        text(set.map(|set| set.id.as_str())),
        text(set.map(|set| set.state.as_str())),
        text(finding.provenance.commit.as_deref()),
        text(finding.provenance.blob.as_deref()),
        text(exposure.map(|exposure| exposure.reach.as_str())),
        first.map(moment::stamp).unwrap_or_default(),
        text(first.map(|commit| commit.author.as_str())),
        text(first.map(|commit| commit.id.as_str())),
        removed.map(moment::stamp).unwrap_or_default(),
        text(removed.map(|commit| commit.id.as_str())),
        exposure.map(|exposure| exposure.commits.to_string()).unwrap_or_default(),
        text(revoke),
        finding.fingerprint.0.clone(),
    ]
}

fn row(out: &mut dyn Write, cells: [String; COLUMNS.len()]) -> io::Result<()> {
    let cells = cells.map(|cell| quoted(&cell));
    write!(out, "{}\r\n", cells.join(","))
}

/// The cell in quotes, with an apostrophe before what would begin a formula: spreadsheets then take it for text.
fn quoted(cell: &str) -> String {
    let guard = if begins_formula(cell) { "'" } else { "" };
    format!("\"{guard}{}\"", cell.replace('"', "\"\""))
}

/// Spreadsheets pass over blanks, and read the wide forms that East Asian keyboards type as the narrow ones.
fn begins_formula(cell: &str) -> bool {
    let first = cell.trim_start().chars().next();
    first.is_some_and(|first| "=+-@|%＝＋－＠".contains(first))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn no_cell_is_a_formula() {
        for (cell, expected) in [
            ("plain", "\"plain\""),
            ("a \"b\", c", "\"a \"\"b\"\", c\""),
            ("=1+1", "\"'=1+1\""),
            (" @SUM(A1)", "\"' @SUM(A1)\""),
            ("-2+3", "\"'-2+3\""),
            ("+x", "\"'+x\""),
            ("\u{ff1d}1", "\"'\u{ff1d}1\""),
            ("'=x", "\"'=x\""),
        ] {
            assert_eq!(quoted(cell), expected);
        }
    }
}
