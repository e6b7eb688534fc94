//! A first look at many findings: ranked by what they are worth, by rule and by directory, instead of a wall.
//!
//! Must not know: the terminal, files. Invariant: counts and names only, never a value; only what counts is counted.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::model::{Finding, Report, Severity};

use super::escape::{escape, escape_text};

/// Rows of each ranking.
const SHOWN: usize = 12;

/// Writes the overview of what is open in `report`.
///
/// # Errors
/// Only those of `out`.
pub fn write_overview(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let open: Vec<&Finding> = report.findings.iter().filter(|finding| finding.verdict.is_open()).collect();
    let is_open =
        |index: &usize| report.findings.get(*index).is_some_and(|finding| finding.verdict.is_open());
    let credentials: Vec<Severity> = report
        .credentials
        .iter()
        .filter(|credential| credential.findings.iter().any(is_open))
        .map(|credential| credential.severity)
        .collect();
    writeln!(out, "{} credentials with {} findings", credentials.len(), open.len())?;
    if open.is_empty() {
        return Ok(());
    }
    let by_severity = tally(credentials.iter().map(|severity| (*severity, severity.as_str().to_owned())));
    ranking(
        out,
        "By severity",
        by_severity.into_iter().rev().map(|((_, name), count)| (name, count)).collect(),
    )?;
    let rules = tally(open.iter().map(|finding| escape_text(&finding.rule)));
    ranking(out, "By rule", frequent(rules))?;
    let directories = tally(open.iter().map(|finding| directory(finding)));
    ranking(out, "By directory", frequent(directories))
}

fn tally<Key: Ord>(keys: impl Iterator<Item = Key>) -> BTreeMap<Key, usize> {
    let mut counts = BTreeMap::new();
    keys.for_each(|key| *counts.entry(key).or_default() += 1);
    counts
}

/// The most frequent first, those of the same count by name.
fn frequent(counts: BTreeMap<String, usize>) -> Vec<(String, usize)> {
    let mut rows: Vec<_> = counts.into_iter().collect();
    rows.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    rows
}

fn ranking(out: &mut dyn Write, title: &str, rows: Vec<(String, usize)>) -> io::Result<()> {
    writeln!(out, "\n{title}")?;
    for (name, count) in rows.iter().take(SHOWN) {
        writeln!(out, "  {count:>7}  {name}")?;
    }
    match rows.len().saturating_sub(SHOWN) {
        0 => Ok(()),
        more => {
            let rest: usize = rows[SHOWN..].iter().map(|(_, count)| count).sum();
            writeln!(out, "  {rest:>7}  in {more} more")
        }
    }
}

/// The first two directories of the path: deep enough to tell parts of a monorepo apart.
fn directory(finding: &Finding) -> String {
    let path = finding.provenance.path.as_bytes();
    let path = path.strip_prefix(b"./").unwrap_or(path);
    let slashes: Vec<usize> =
        path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at).collect();
    match slashes.get(1).or(slashes.first()) {
        Some(&end) => format!("{}/", escape(&path[..end])),
        None => "(at the top)".to_owned(),
    }
}
