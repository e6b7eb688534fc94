//! The end of the report for people: problems, counts, what was looked at.
//!
//! Must not know: single findings beyond their verdict and severity.
//! Invariant: what was left out is said with the option that takes it in; "no secrets" is said without reserve only
//! when everything could be looked at.

use std::collections::BTreeMap;
use std::time::Duration;

use colored::Color;

use crate::model::{
    Confidence, Coverage, Notice, NoticeKind, Outcome, Problem, Reach, Report, ScanMode, Severity, Verdict,
};

use super::escape::{escape, escape_text};
use super::exposure;
use super::groups::Group;
use super::hook;
use super::human::{Occasion, Page};
use super::text::Ink;
use super::wording::{count, grouped, left_out, listed};

/// What could not be looked at, each with what to do about it.
pub(super) fn problems(page: &mut Page<'_>) {
    let report = page.report;
    if report.problems.is_empty() {
        return;
    }
    page.gap();
    let heading = format!("Could not be looked at ({})", report.problems.len());
    page.heading(&heading, Ink::strong(Color::Yellow));
    for problem in &report.problems {
        page.prose("  ", &problem_words(problem));
        if let Some(hint) = &problem.hint {
            page.prose("        ", &escape_text(hint));
        }
    }
}

/// A problem in one line: where, and what.
pub(crate) fn problem_words(problem: &Problem) -> String {
    let message = escape_text(&problem.message);
    let object = problem.object.as_ref().map(|object| format!("object {}", escape_text(object)));
    let path = problem.path.as_ref().map(|path| escape(path.as_bytes()));
    match (path, object) {
        (Some(path), Some(object)) => format!("{path} ({object}): {message}"),
        (Some(one), None) | (None, Some(one)) => format!("{one}: {message}"),
        (None, None) => message,
    }
}

/// What the person should know about what was allowed; the first few of each kind, and how many more.
pub(super) fn notices(page: &mut Page<'_>) {
    const SHOWN: usize = 5;
    let mut kinds: BTreeMap<NoticeKind, Vec<&Notice>> = BTreeMap::new();
    for notice in &page.report.notices {
        kinds.entry(notice.kind).or_default().push(notice);
    }
    if kinds.is_empty() {
        return;
    }
    page.gap();
    page.heading("To know", Ink::BOLD);
    for notices in kinds.values() {
        for notice in notices.iter().take(SHOWN) {
            page.prose("  ", &notice_words(notice));
        }
        let more = notices.len().saturating_sub(SHOWN);
        if more > 0 {
            page.prose("  ", &format!("… and {more} more of this kind"));
        }
    }
}

fn notice_words(notice: &Notice) -> String {
    let message = escape_text(&notice.message);
    match (&notice.path, notice.line) {
        (Some(path), Some(line)) => format!("{}:{line}: {message}", escape(path.as_bytes())),
        (Some(path), None) => format!("{}: {message}", escape(path.as_bytes())),
        (None, _) => message,
    }
}

/// The last lines.
pub(super) fn summary(page: &mut Page<'_>, groups: &[Group<'_>]) {
    let report = page.report;
    page.gap();
    match report.outcome() {
        Outcome::Clean => clean(page),
        Outcome::Leaks => leaks(page, groups),
        Outcome::Incomplete => incomplete(page),
    }
    let hidden = hidden(report, page.style.show_known);
    if !hidden.is_empty() {
        page.prose("", &format!("Not counted: {}.", hidden.join("; ")));
    }
}

/// One line that says what was looked at.
fn clean(page: &mut Page<'_>) {
    let coverage = &page.report.coverage;
    let words = if coverage.files == 0 {
        nothing(page.report)
    } else {
        let read = read(coverage);
        let time = seconds(page.report.elapsed);
        format!("No secrets found in {read} in {time}{}", left_out_clause(coverage))
    };
    page.prose("", &words);
}

fn nothing(report: &Report) -> String {
    let left_out = left_out_clause(&report.coverage);
    match report.coverage.mode {
        ScanMode::Staged => format!("Nothing to look at: no content is staged{left_out}"),
        _ => {
            format!("Nothing to look at: there was no file to read{left_out}")
        }
    }
}

fn incomplete(page: &mut Page<'_>) {
    let report = page.report;
    let missed = count(report.problems.len() as u64, "thing", "things");
    page.heading(
        &format!("INCOMPLETE: {missed} could not be looked at. This is not a clean result."),
        Ink::strong(Color::Yellow),
    );
    page.prose("", &format!("Nothing was found in what could be read. {}", coverage_line(report)));
    if let Occasion::Hook { stage, way_past } = &page.style.occasion {
        hook::emergency(page, *stage, way_past);
    }
}

/// Counts credentials as they are shown: one that stands in several places is one.
fn leaks(page: &mut Page<'_>, groups: &[Group<'_>]) {
    let report = page.report;
    let open: Vec<Severity> =
        groups.iter().filter(|group| group.is_open()).map(|group| group.set.severity).collect();
    let findings = report.findings.iter().filter(|finding| finding.verdict.is_open()).count();
    page.heading(
        &format!(
            "Found {} ({}): {}.",
            count(open.len() as u64, "credential", "credentials"),
            count(findings as u64, "finding", "findings"),
            by_severity(&open)
        ),
        Ink::BOLD,
    );
    if let Some(words) = by_reach(groups) {
        page.prose("", &words);
    }
    page.prose("", &coverage_line(report));
    if !report.problems.is_empty() {
        let missed = count(report.problems.len() as u64, "thing", "things");
        page.prose("", &format!("INCOMPLETE as well: {missed} could not be looked at (see above)."));
    }
}

/// How far the credentials that count got, where history tells; the furthest first.
fn by_reach(groups: &[Group<'_>]) -> Option<String> {
    let mut counts: BTreeMap<std::cmp::Reverse<Reach>, u64> = BTreeMap::new();
    for group in groups.iter().filter(|group| group.is_open()) {
        if let Some(exposure) = &group.set.exposure {
            *counts.entry(std::cmp::Reverse(exposure.reach)).or_default() += 1;
        }
    }
    let words: Vec<String> = counts
        .iter()
        .map(|(reach, number)| format!("{number} {} ({})", reach.0.as_str(), exposure::verdict(reach.0)))
        .collect();
    (!words.is_empty()).then(|| format!("Of them {}.", listed(&words, "and")))
}

fn by_severity(severities: &[Severity]) -> String {
    let mut counts: BTreeMap<std::cmp::Reverse<Severity>, u64> = BTreeMap::new();
    for &severity in severities {
        *counts.entry(std::cmp::Reverse(severity)).or_default() += 1;
    }
    let words: Vec<String> =
        counts.iter().map(|(severity, number)| format!("{number} {}", severity.0.as_str())).collect();
    words.join(", ")
}

/// What was found and does not count.
fn hidden(report: &Report, show_known: bool) -> Vec<String> {
    let mut words = Vec::new();
    let mut allowed: BTreeMap<&str, u64> = BTreeMap::new();
    let mut known = 0;
    let mut test = 0;
    for finding in &report.findings {
        match &finding.verdict {
            Verdict::Open => {}
            Verdict::Allowed { by, .. } => *allowed.entry(by).or_default() += 1,
            Verdict::Known => known += 1,
            Verdict::Test => test += 1,
        }
    }
    if !allowed.is_empty() {
        let by: Vec<String> =
            allowed.iter().map(|(by, number)| format!("{number} by {}", escape_text(by))).collect();
        words.push(format!(
            "{} allowed ({})",
            count(allowed.values().sum(), "finding", "findings"),
            by.join(", ")
        ));
    }
    let kinds = [
        (known, "value published as an example", "values published as examples"),
        (test, "value of a test network", "values of test networks"),
    ];
    for (number, one, many) in kinds.into_iter().filter(|kind| kind.0 > 0) {
        let option = match (show_known, number) {
            (true, _) => "",
            (false, 1) => " (--show-known lists it)",
            (false, _) => " (--show-known lists them)",
        };
        words.push(format!("{}{option}", count(number, one, many)));
    }
    words.extend(below_threshold(report));
    words
}

fn below_threshold(report: &Report) -> Option<String> {
    if report.below_threshold == 0 {
        return None;
    }
    let option = match report.threshold {
        Some(Confidence::Certain) => " (--confidence likely or possible lists them)",
        Some(Confidence::Likely) => " (--confidence possible lists them)",
        Some(Confidence::Possible) | None => "",
    };
    Some(format!(
        "{}{option}",
        count(report.below_threshold, "less certain finding", "less certain findings")
    ))
}

/// `Looked at 1,204 files (12.3 MB) in 0.02 s; left out: …`.
fn coverage_line(report: &Report) -> String {
    let coverage = &report.coverage;
    format!("Looked at {} in {}{}", read(coverage), seconds(report.elapsed), left_out_clause(coverage))
}

fn read(coverage: &Coverage) -> String {
    let (one, many) = match coverage.mode {
        ScanMode::Tree => ("file", "files"),
        ScanMode::Staged => ("staged file", "staged files"),
        ScanMode::Stdin => ("input", "inputs"),
        ScanMode::Message => ("commit message", "commit messages"),
        ScanMode::History | ScanMode::Range => ("object", "objects"),
    };
    // Directories, commits and tags are objects as well.
    let all = coverage.files + coverage.commits + coverage.trees + coverage.tags;
    let binary = match (coverage.binary, all) {
        (0, _) => String::new(),
        (1, 1) => ", binary".to_owned(),
        (all, files) if all == files => ", all binary".to_owned(),
        (some, _) => format!(", {} of them binary", grouped(some)),
    };
    format!("{} ({}{binary})", count(all, one, many), size(coverage.bytes))
}

/// Ends the sentence: a full stop, or what was left out and how to take it in.
fn left_out_clause(coverage: &Coverage) -> String {
    left_out(coverage).map_or(".".to_owned(), |words| format!("; left out: {words}."))
}

/// Bytes as people say them, in powers of a thousand.
fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    for (unit, name) in UNITS {
        if bytes >= unit {
            return format!("{:.1} {name}", bytes as f64 / unit as f64);
        }
    }
    count(bytes, "byte", "bytes")
}

fn seconds(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64();
    if seconds < 10.0 { format!("{seconds:.2} s") } else { format!("{seconds:.0} s") }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{seconds, size};

    #[test]
    fn sizes_and_times_as_people_say_them() {
        for (bytes, expected) in
            [(0, "0 bytes"), (999, "999 bytes"), (12_340_000, "12.3 MB"), (2_000, "2.0 kB")]
        {
            assert_eq!(size(bytes), expected);
        }
        assert_eq!(seconds(Duration::from_millis(20)), "0.02 s");
        assert_eq!(seconds(Duration::from_secs(75)), "75 s");
    }
}
