//! The report for people: ranked, grouped by credential, a few lines for each.
//!
//! Must not know: the terminal, the environment, arguments; all of that comes in [`HumanStyle`].
//! Invariants: values are masked unless asked for; every line begins with words or an indent of ours; an incomplete
//! scan never looks clean.

use std::borrow::Cow;
use std::io::{self, Write};

use colored::Color;

use crate::model::{Exposure, Finding, Report, ScanMode, Severity, Verdict};

use super::escape::{escape, escape_text};
use super::groups::{Group, groups};
use super::text::{Ink, Painter, columns, paragraph, wrap};
use super::{exposure, hook, names, overview, summary, wording};

/// How the report looks.
#[derive(Clone, Debug)]
pub struct HumanStyle {
    /// Columns to fill; words, paths and links longer than that are not broken.
    pub width: usize,
    /// Whether to paint.
    pub color: bool,
    /// Whether values are printed in full.
    pub show_secrets: bool,
    /// Whether published examples and test values are listed.
    pub show_known: bool,
    /// Whether only the worst credentials are told where there are many; an overview of all of them is there anyway.
    pub brief: bool,
    /// What the report is for.
    pub occasion: Occasion,
}

/// What the report is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// Somebody asked for a scan.
    Scan,
    /// git asked before a commit.
    Hook {
        /// Which hook.
        stage: HookStage,
        /// The command that commits without this check.
        way_past: String,
    },
}

/// Which hook asked; decides how the secret is taken out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookStage {
    /// `pre-commit` where `HEAD` exists.
    PreCommit,
    /// `pre-commit` before the first commit: there is nothing to restore from.
    FirstCommit,
    /// `pre-merge-commit`.
    PreMergeCommit,
    /// `commit-msg`.
    CommitMessage,
    /// `pre-push`.
    PrePush,
    /// `pre-receive` or `update`, where pushes arrive.
    Receive,
}

/// More credentials than that are many: an overview ranks them.
const MANY: usize = 20;

/// So many of them are told in brief.
const WORST: usize = 10;

/// What files alone do not tell.
const UNCOMMITTED: &str = "In a git repository, `keyfence scan --history` tells whether it was ever committed and pushed. What \
                           never left this machine need not be revoked: keep it out of git.";

/// Writes the report for people.
///
/// # Errors
/// Only those of `out`.
pub fn write_human(report: &Report, style: &HumanStyle, out: &mut dyn Write) -> io::Result<()> {
    let report = if style.show_secrets { Cow::Borrowed(report) } else { names::without_values(report) };
    let groups = groups(&report, |finding| is_shown(finding, style));
    let mut page = Page::new(&report, style);
    if let Occasion::Hook { stage, .. } = style.occasion {
        hook::headline(&mut page, stage, &groups);
    }
    let open = groups.iter().filter(|group| group.is_open()).count();
    let is_many = open > MANY && style.occasion == Occasion::Scan;
    let told = if is_many && style.brief { &groups[..WORST] } else { &groups[..] };
    let mut explained = Vec::new();
    for group in told {
        let kind = (group.set.provider.as_str(), group.set.state, group.is_open());
        credential(&mut page, group, explained.contains(&kind));
        explained.push(kind);
    }
    match (&style.occasion, report.coverage.mode) {
        (Occasion::Hook { stage, .. }, _) => hook::advice(&mut page, *stage, &groups),
        (Occasion::Scan, ScanMode::Staged) => hook::advice(&mut page, HookStage::PreCommit, &groups),
        (Occasion::Scan, _) => guides(&mut page, told),
    }
    if is_many {
        overview(&mut page, told.len(), open);
    }
    summary::problems(&mut page);
    summary::notices(&mut page);
    summary::summary(&mut page, &groups);
    out.write_all(page.text.as_bytes())
}

fn is_shown(finding: &Finding, style: &HumanStyle) -> bool {
    match finding.verdict {
        Verdict::Open => true,
        Verdict::Allowed { .. } => false,
        Verdict::Known | Verdict::Test => style.show_known,
    }
}

/// Where they are, when there are many of them, and how to go on.
fn overview(page: &mut Page<'_>, told: usize, open: usize) {
    page.gap();
    page.text.push_str(&overview::rankings(page.report));
    page.gap();
    if told < open {
        page.prose("", &format!("Told above are the {told} worst of {open}; `--all` tells every one."));
    }
    let command = match page.report.coverage.mode {
        ScanMode::Tree => "`keyfence init` (`keyfence baseline create` if there is a configuration already)",
        ScanMode::History => "`keyfence baseline create --history`",
        ScanMode::Stdin | ScanMode::Staged | ScanMode::Message | ScanMode::Range => return,
    };
    page.prose("", &format!("To write them down, so that only what is new counts: {command}."));
}

/// What is written so far, and how to go on.
pub(super) struct Page<'a> {
    pub(super) report: &'a Report,
    pub(super) style: &'a HumanStyle,
    pub(super) painter: Painter,
    pub(super) text: String,
}

impl<'a> Page<'a> {
    fn new(report: &'a Report, style: &'a HumanStyle) -> Self {
        Self { report, style, painter: Painter { color: style.color }, text: String::new() }
    }

    pub(super) fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    pub(super) fn gap(&mut self) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
    }

    /// Prose: wrapped, later lines under the first.
    pub(super) fn prose(&mut self, lead: &str, words: &str) {
        for line in paragraph(lead, words, self.style.width) {
            self.line(&line);
        }
    }

    /// Prose that begins at the margin, painted as a whole; no other line of it begins with a word that may be a
    /// file's.
    pub(super) fn heading(&mut self, words: &str, ink: Ink) {
        let width = self.style.width.saturating_sub(2).max(20);
        for (index, line) in wrap(words, width, 0).iter().enumerate() {
            let indent = if index == 0 { "" } else { "  " };
            let painted = self.painter.paint(line, ink);
            self.line(&format!("{indent}{painted}"));
        }
    }
}

/// `explained`: what somebody can do with such a credential stands above already.
fn credential(page: &mut Page<'_>, group: &Group<'_>, explained: bool) {
    page.gap();
    title(page, group, explained);
    let place_width = group.parts.iter().map(|finding| columns(&place(finding))).max().unwrap_or(0);
    for finding in &group.parts {
        part(page, finding, place_width);
    }
    elsewhere(page, group);
    page.prose("  why   ", &wording::belief(&group.parts));
    if let Some(exposure) = &group.set.exposure {
        history(page, exposure, group.is_open());
    }
    if let Some(revoke) =
        wording::guide(page.report, &group.set.provider).and_then(|guide| guide.revoke.as_deref())
        && page.style.occasion == Occasion::Scan
        && page.report.coverage.mode != ScanMode::Staged
        && group.is_open()
    {
        let exposure = group.set.exposure.as_ref();
        let lead = if exposure::is_local(exposure) { "  else  " } else { "  now   " };
        let words = words_to_revoke(exposure, page.report.coverage.mode);
        page.prose(lead, &format!("{words}: {}", escape_text(revoke)));
    }
}

/// What stands before the page where it is revoked, for who sits before the files: whether those were ever committed is not
/// in them.
fn words_to_revoke(exposure: Option<&Exposure>, mode: ScanMode) -> &'static str {
    match (exposure, mode) {
        (None, ScanMode::Tree | ScanMode::Message) => exposure::IF_SHARED,
        _ => exposure::revoke(exposure),
    }
}

/// Since when, where it is now, and what follows from how far it got.
fn history(page: &mut Page<'_>, exposure: &Exposure, is_open: bool) {
    page.prose("  since ", &exposure::since(exposure, page.report.made_at));
    page.prose("  today ", &exposure::presence(exposure));
    if is_open {
        page.prose("  so    ", &exposure::answer(exposure));
    }
}

/// `critical  Binance API key and API secret, complete: whoever has it can trade`.
fn title(page: &mut Page<'_>, group: &Group<'_>, explained: bool) {
    let severity = group.set.severity.as_str();
    let name = wording::title(page.report, &group.parts);
    let meaning = if group.is_open() && explained {
        group.set.state.as_str().to_owned()
    } else if group.is_open() {
        wording::meaning(page.report, group.set.state, &group.parts)
    } else {
        "does not count".to_owned()
    };
    let words = format!("{name}, {meaning}");
    let lines = wrap(&words, page.style.width.saturating_sub(2).max(20), columns(severity));
    for (index, line) in lines.iter().enumerate() {
        let painted = if index == 0 {
            format!(
                "{}  {}",
                page.painter.paint(severity, severity_ink(group.set.severity)),
                page.painter.paint(line, Ink::BOLD)
            )
        } else {
            format!("  {}", page.painter.paint(line, Ink::BOLD))
        };
        page.line(&painted);
    }
}

fn severity_ink(severity: Severity) -> Ink {
    match severity {
        Severity::Critical => Ink::strong(Color::Red),
        Severity::High => Ink::of(Color::Red),
        Severity::Medium => Ink::of(Color::Yellow),
        Severity::Low => Ink::of(Color::Blue),
    }
}

/// `  config/bot.py:12:15  64 characters  (binance-api-key)`; in two lines where one is too narrow.
fn part(page: &mut Page<'_>, finding: &Finding, place_width: usize) {
    let place = place(finding);
    let value = value(finding, page.style);
    let rule = format!("({}){}", escape_text(&finding.rule), verdict_note(&finding.verdict));
    let painted_place = page.painter.paint(&place, Ink::of(Color::Cyan));
    let details = format!("{value}  {}", page.painter.paint(&rule, Ink::of(Color::BrightBlack)));
    let details_width = columns(&value) + 2 + columns(&rule);
    if 2 + place_width + 2 + details_width <= page.style.width {
        let padding = " ".repeat(place_width - columns(&place));
        page.line(&format!("  {painted_place}{padding}  {details}"));
    } else if 2 + columns(&place) + 2 + details_width <= page.style.width {
        page.line(&format!("  {painted_place}  {details}"));
    } else {
        page.line(&format!("  {painted_place}"));
        page.line(&format!("        {details}"));
    }
}

fn verdict_note(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Open => String::new(),
        Verdict::Allowed { by, .. } => format!(" allowed by {}", escape_text(by)),
        Verdict::Known => " published as an example".to_owned(),
        Verdict::Test => " of a test network".to_owned(),
    }
}

/// `path:line:column`, as editors and terminals understand it.
pub(super) fn place(finding: &Finding) -> String {
    let path = escape(finding.provenance.path.as_bytes());
    format!("{path}:{}:{}", finding.place.line, finding.place.column)
}

fn value(finding: &Finding, style: &HumanStyle) -> String {
    if style.show_secrets { escape(finding.secret.expose()) } else { escape_text(&finding.masked) }
}

/// The first other places of the same credential, in one paragraph.
fn elsewhere(page: &mut Page<'_>, group: &Group<'_>) {
    const SHOWN: usize = 3;
    let mut places: Vec<String> = group.elsewhere.iter().take(SHOWN).map(|finding| place(finding)).collect();
    let more = group.elsewhere.len().saturating_sub(SHOWN);
    if more > 0 {
        places.push(wording::count(more as u64, "more place", "more places"));
    }
    if !places.is_empty() {
        page.prose("  also  ", &wording::listed(&places, "and"));
    }
}

/// What to do, once for each provider, in the order of the credentials.
fn guides(page: &mut Page<'_>, groups: &[Group<'_>]) {
    let mut done: Vec<&str> = Vec::new();
    for group in groups.iter().filter(|group| group.is_open()) {
        let provider = group.set.provider.as_str();
        if done.contains(&provider) {
            continue;
        }
        done.push(provider);
        page.gap();
        let name = wording::provider_name(page.report, provider);
        let mut same = groups.iter().filter(|group| group.is_open() && group.set.provider == provider);
        let may_be_unshared = page.report.coverage.mode == ScanMode::Tree
            || same.all(|group| exposure::is_local(group.set.exposure.as_ref()));
        let heading = match may_be_unshared {
            true => format!("What to do if it was ever shared: {name}"),
            false => format!("What to do now: {name}"),
        };
        page.heading(&heading, Ink::BOLD);
        steps(page, provider);
    }
    if let Some(group) = groups.iter().find(|group| group.is_open()) {
        if page.report.coverage.mode == ScanMode::Tree {
            page.gap();
            page.prose("", UNCOMMITTED);
        }
        page.gap();
        hook::allow(page, page.report.coverage.mode == ScanMode::Message, group);
    }
}

fn steps(page: &mut Page<'_>, provider: &str) {
    let steps: Vec<String> = match wording::guide(page.report, provider) {
        Some(guide) if !guide.steps.is_empty() => guide.steps.iter().map(|step| escape_text(step)).collect(),
        _ => vec!["Revoke it where it was issued, then put a new one where git does not see it.".to_owned()],
    };
    for (index, step) in steps.iter().enumerate() {
        page.prose(&format!("  {}. ", index + 1), step);
    }
}
