//! The report for pull requests, issues and step summaries: GitHub-flavoured Markdown.
//!
//! Must not know: the terminal, where the page goes.
//! Invariants: what comes from a file or a commit stands in code spans only, where nothing is markup, a link or a
//! mention; the page is at most [`MOST_BYTES`] long; an incomplete scan never looks clean.

use std::io::{self, Write};

use crate::model::{Finding, Outcome, Report};

use super::escape::{escape, escape_text};
use super::groups::{Group, open_groups};
use super::wording::{self, count};
use super::{exposure, names};

/// GitHub takes step summaries of up to 1 MiB, and comments of 64 KiB.
const MOST_BYTES: usize = 1_000_000;

/// Places of one credential that are spelled out.
const SPELLED_OUT: usize = 20;

/// Writes the report as Markdown.
///
/// # Errors
/// Only those of `out`.
pub fn write_markdown(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let report = names::without_values(report);
    let groups = open_groups(&report);
    let mut page = Page::default();
    page.add(&headline(&report, &groups));
    let end = ending(&report);
    let room = MOST_BYTES.saturating_sub(page.text.len() + end.len() + 200);
    let mut shown = 0;
    for group in &groups {
        let block = credential(&report, group);
        if page.text.len() + block.len() > room {
            break;
        }
        page.add(&block);
        shown += 1;
    }
    if shown < groups.len() {
        let left = count((groups.len() - shown) as u64, "more credential is", "more credentials are");
        page.add(&format!("{left} left out here; another format has room for all.\n"));
    }
    page.add(&guides(&report, &groups[..shown]));
    page.add(&end);
    out.write_all(page.text.as_bytes())
}

#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    /// A block, with an empty line before it.
    fn add(&mut self, block: &str) {
        if !self.text.is_empty() && !block.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(block);
    }
}

fn headline(report: &Report, groups: &[Group<'_>]) -> String {
    let words = match report.outcome() {
        Outcome::Leaks => format!("found {}", count(groups.len() as u64, "credential", "credentials")),
        Outcome::Clean => "no secrets found".to_owned(),
        Outcome::Incomplete => "INCOMPLETE, this is not a clean result".to_owned(),
    };
    format!("## keyfence: {words}\n")
}

fn credential(report: &Report, group: &Group<'_>) -> String {
    let title = plain(&wording::title(report, &group.parts));
    let meaning = plain(&wording::meaning(report, group.set.state, &group.parts));
    let mut block = format!("### {}: {title}\n\n{meaning}\n\n", group.set.severity.as_str());
    for finding in group.parts.iter().chain(&group.elsewhere).take(SPELLED_OUT) {
        block.push_str(&format!("- {} {}\n", place(finding), code(&escape_text(&finding.rule))));
    }
    let more = (group.parts.len() + group.elsewhere.len()).saturating_sub(SPELLED_OUT);
    if more > 0 {
        block.push_str(&format!("- and {}\n", count(more as u64, "more place", "more places")));
    }
    if let Some(exposure) = &group.set.exposure {
        block.push_str(&format!("- since {}\n", code(&exposure::since(exposure, report.made_at))));
        block.push_str(&format!("- today {}\n", code(&exposure::presence(exposure))));
        block.push_str(&format!("- **{}**\n", exposure::verdict(exposure.reach)));
    }
    block
}

fn place(finding: &Finding) -> String {
    let path = escape(finding.provenance.path.as_bytes());
    code(&format!("{path}:{}:{}", finding.place.line, finding.place.column))
}

/// What to do, once for each provider.
fn guides(report: &Report, groups: &[Group<'_>]) -> String {
    let mut done: Vec<&str> = Vec::new();
    let mut block = String::new();
    for group in groups {
        let provider = group.set.provider.as_str();
        let Some(guide) = wording::guide(report, provider).filter(|_| !done.contains(&provider)) else {
            continue;
        };
        done.push(provider);
        let name = plain(&wording::provider_name(report, provider));
        let mut same = groups.iter().filter(|group| group.set.provider == provider);
        let is_local = same.all(|group| exposure::is_local(group.set.exposure.as_ref()));
        let when = if is_local { "if it was ever shared" } else { "now" };
        block.push_str(&format!("### What to do {when}: {name}\n\n"));
        if let Some(revoke) = &guide.revoke {
            block.push_str(&format!("Revoke it: {}\n\n", code(&escape_text(revoke))));
        }
        for (index, step) in guide.steps.iter().enumerate() {
            block.push_str(&format!("{}. {}\n", index + 1, plain(&escape_text(step))));
        }
        block.push('\n');
    }
    block
}

/// What could not be looked at, and what was.
fn ending(report: &Report) -> String {
    const SHOWN: usize = 50;
    let mut block = String::new();
    if !report.problems.is_empty() {
        block.push_str(&format!("### Could not be looked at ({})\n\n", report.problems.len()));
        for problem in report.problems.iter().take(SHOWN) {
            let path =
                problem.path.as_ref().map_or(String::new(), |path| format!("{}: ", escape(path.as_bytes())));
            block.push_str(&format!("- {}\n", code(&format!("{path}{}", escape_text(&problem.message)))));
        }
        let more = report.problems.len().saturating_sub(SHOWN);
        if more > 0 {
            block.push_str(&format!("- and {more} more\n"));
        }
        block.push('\n');
    }
    let coverage = &report.coverage;
    let read = count(coverage.files, "file or object", "files and objects");
    let bytes = count(coverage.bytes, "byte", "bytes");
    let left_out =
        wording::left_out(coverage).map_or(String::new(), |words| format!("; left out: {}", plain(&words)));
    block.push_str(&format!("Looked at {read}, {bytes}{left_out}.\n"));
    block
}

/// A code span: nothing in it is markup. Its fence is longer than any run of backticks inside.
fn code(text: &str) -> String {
    let longest = text.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let text = if text.trim().is_empty() { "(nothing)" } else { text };
    let gap = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{gap}{text}{gap}{fence}")
}

/// Our own words, and those of packs: what could be markup is taken literally.
fn plain(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if "\\`*_{}[]<>#+|~!&@".contains(character) {
            safe.push('\\');
        }
        safe.push(character);
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::{code, plain};

    #[test]
    fn nothing_is_markup() {
        for (text, expected) in [
            ("a/b.py:3", "`a/b.py:3`"),
            ("a`b``c", "```a`b``c```"),
            ("`x", "`` `x ``"),
            (" ", "`(nothing)`"),
            ("<img src=x> @user [x](y)", "`<img src=x> @user [x](y)`"),
        ] {
            assert_eq!(code(text), expected);
        }
        assert_eq!(plain("[x](y) <b> @me"), "\\[x\\](y) \\<b\\> \\@me");
    }
}
