//! A first look at many findings: ranked by what they are worth, by rule and by directory, instead of a wall.
//!
//! Must not know: the terminal, files. Invariant: counts and names only, never a value; only what counts is counted.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::model::{Finding, Report};

use super::escape::{escape, escape_text};
use super::groups::open_groups;
use super::{names, wording};

/// Rows of each ranking.
const SHOWN: usize = 12;

/// Writes the overview of what is open in `report`.
///
/// # Errors
/// Only those of `out`.
pub fn write_overview(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let report = names::without_values(report);
    let groups = open_groups(&report);
    let credentials = wording::count(groups.len() as u64, "credential", "credentials");
    let findings = report.findings.iter().filter(|finding| finding.verdict.is_open()).count();
    writeln!(out, "{credentials} with {}", wording::count(findings as u64, "finding", "findings"))?;
    if findings == 0 {
        return Ok(());
    }
    let by_severity = tally(groups.iter().map(|group| group.set.severity));
    let rows = by_severity.into_iter().rev().map(|(severity, count)| (severity.as_str().to_owned(), count));
    write!(out, "\n{}\n{}", ranking("By severity", rows.collect()), rankings(&report))
}

/// What is open, by rule and by directory, each finding counted.
pub(super) fn rankings(report: &Report) -> String {
    let open: Vec<&Finding> = report.findings.iter().filter(|finding| finding.verdict.is_open()).collect();
    let rules = tally(open.iter().map(|finding| escape_text(&finding.rule)));
    let directories = tally(open.iter().map(|finding| directory(finding)));
    let by_rule = ranking("Findings by rule", frequent(rules));
    let by_directory = ranking("Findings by directory", frequent(directories));
    format!("{by_rule}\n{by_directory}")
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

fn ranking(title: &str, rows: Vec<(String, usize)>) -> String {
    let mut text = format!("{title}\n");
    for (name, count) in rows.iter().take(SHOWN) {
        text.push_str(&format!("  {count:>7}  {name}\n"));
    }
    let more = rows.len().saturating_sub(SHOWN);
    if more > 0 {
        let rest: usize = rows[SHOWN..].iter().map(|(_, count)| count).sum();
        text.push_str(&format!("  {rest:>7}  in {more} more\n"));
    }
    text
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
