//! What a stopped commit says: why, and every way out; and what is said of what is staged and was not stopped yet.
//!
//! Must not know: how hooks are installed or run.
//! Invariant: the commands are true for the stage that asked, and for a file of that name.

use std::collections::BTreeSet;

use colored::Color;

use crate::model::Finding;

use super::escape::escape_text;
use super::groups::Group;
use super::human::{HookStage, Occasion, Page, place};
use super::remedy::{self, Allow, Language, Replacement};
use super::text::Ink;
use super::wording;

/// How many files or values are spelled out before "and so on".
const SPELLED_OUT: usize = 3;

/// The first line: some hook managers show little more.
pub(super) fn headline(page: &mut Page<'_>, stage: HookStage, groups: &[Group<'_>]) {
    let open: Vec<&Group<'_>> = groups.iter().filter(|group| group.is_open()).collect();
    let words = match open.first() {
        Some(first) => {
            let where_it_is = match stage {
                HookStage::CommitMessage => "in the commit message",
                HookStage::PrePush | HookStage::Receive => "pushed",
                HookStage::PreCommit | HookStage::FirstCommit | HookStage::PreMergeCommit => "staged",
            };
            let more = match open.len() - 1 {
                0 => String::new(),
                more => {
                    format!(" and {}", wording::count(more as u64, "more credential", "more credentials"))
                }
            };
            let title = wording::title(page.report, &first.parts);
            let at = first
                .parts
                .iter()
                .find(|finding| finding.verdict.is_open())
                .map_or(String::new(), |finding| place(finding));
            format!("keyfence stopped this {}: {title} {where_it_is} at {at}{more}.", act(stage))
        }
        None if page.report.problems.is_empty() => return,
        None => format!("keyfence stopped this {}: not everything in it could be looked at.", act(stage)),
    };
    page.heading(&words, Ink::strong(Color::Red));
}

/// What to do now: out of the commit, into the environment, or allowed.
pub(super) fn advice(page: &mut Page<'_>, stage: HookStage, groups: &[Group<'_>]) {
    let findings: Vec<&Finding> = groups
        .iter()
        .flat_map(|group| &group.parts)
        .copied()
        .filter(|finding| finding.verdict.is_open())
        .collect();
    if findings.is_empty() {
        return;
    }
    page.gap();
    page.heading("What to do now", Ink::BOLD);
    match stage {
        HookStage::CommitMessage => {
            page.prose("  1. ", "Commit again without it in the message. What you staged is still staged.");
        }
        HookStage::PreCommit | HookStage::FirstCommit | HookStage::PreMergeCommit => {
            unstage(page, stage, &findings);
            replace(page, &findings);
        }
        HookStage::PrePush | HookStage::Receive => rewrite(page, &findings),
    }
    exposure(page, stage, groups);
    page.gap();
    if let Some(group) = groups.iter().find(|group| group.is_open()) {
        allow(page, stage == HookStage::CommitMessage, group);
    }
    if let Occasion::Hook { way_past, .. } = &page.style.occasion {
        emergency(page, stage, way_past);
    }
}

/// What was stopped.
fn act(stage: HookStage) -> &'static str {
    match stage {
        HookStage::PrePush | HookStage::Receive => "push",
        HookStage::PreCommit
        | HookStage::FirstCommit
        | HookStage::PreMergeCommit
        | HookStage::CommitMessage => "commit",
    }
}

/// The commits have not arrived anywhere, so that they can still be made anew; another commit on top would not help.
fn rewrite(page: &mut Page<'_>, findings: &[&Finding]) {
    const SHORT: usize = 12;
    let mut commits: Vec<&str> = Vec::new();
    for commit in findings.iter().filter_map(|finding| finding.provenance.commit.as_deref()) {
        if !commits.contains(&commit) {
            commits.push(commit);
        }
    }
    page.prose(
        "  1. ",
        "The commits were not taken, so it is still time to make them anew without it. A further commit that removes \
         it does not help: it stays in the one that brought it.",
    );
    for commit in commits.iter().take(SPELLED_OUT) {
        let short = escape_text(&commit[..SHORT.min(commit.len())]);
        page.line(&format!("       git rebase --interactive {short}^   (write `edit` before {short})"));
    }
    let more = commits.len().saturating_sub(SPELLED_OUT);
    if more > 0 {
        page.line(&format!("       and {}", wording::count(more as u64, "more commit", "more commits")));
    }
    if !commits.is_empty() {
        page.prose(
            "     ",
            "If it is the last commit, `git commit --amend` is enough. If it is the very first one, write `--root` \
             instead of a commit.",
        );
    }
    replace(page, findings);
}

/// How to get past, for both endings that stop a commit.
pub(super) fn emergency(page: &mut Page<'_>, stage: HookStage, way_past: &str) {
    let words = match stage {
        HookStage::Receive => {
            "In an emergency, whoever runs this server can take the check out: keyfence hook uninstall --stage STAGE"
                .to_owned()
        }
        _ => format!("In an emergency, {} without this check: {}", act(stage), escape_text(way_past)),
    };
    page.prose("", &words);
}

/// The files that hold something, in order, each once.
fn files<'a>(findings: &[&'a Finding]) -> Vec<&'a [u8]> {
    let paths: BTreeSet<&[u8]> = findings.iter().map(|finding| finding.provenance.path.as_bytes()).collect();
    paths.into_iter().collect()
}

fn unstage(page: &mut Page<'_>, stage: HookStage, findings: &[&Finding]) {
    let files = files(findings);
    let command = match (&page.style.occasion, stage) {
        // Nobody says whether there is a commit yet, and this one needs none.
        (Occasion::Scan, _) => "git reset --quiet --",
        (Occasion::Hook { .. }, HookStage::FirstCommit) => "git rm --cached",
        (Occasion::Hook { .. }, _) => "git restore --staged",
    };
    page.prose(
        "  1. ",
        "It is only staged. Take it out, from the top of the work tree; the file stays as it is:",
    );
    for path in files.iter().take(SPELLED_OUT) {
        page.line(&format!("       {command} {}", remedy::pathspec(path)));
    }
    let more = files.len().saturating_sub(SPELLED_OUT);
    if more > 0 {
        page.line(&format!("       and {}", wording::count(more as u64, "more file", "more files")));
    }
}

fn replace(page: &mut Page<'_>, findings: &[&Finding]) {
    let files = files(findings);
    let kept_out: Vec<&[u8]> = files.iter().copied().filter(|path| belongs_outside(path)).collect();
    let code = rewrites(findings);
    if !code.is_empty() {
        page.prose("  2. ", "Keep the value in the environment or a vault, and write in its place:");
        spell_out(page, &code);
    }
    if !kept_out.is_empty() {
        let lead = if code.is_empty() { "  2. " } else { "     " };
        page.prose(lead, "Keep the file out of git, and commit a copy without the values if others need it:");
        for path in kept_out.iter().take(SPELLED_OUT) {
            page.line(&format!("       {}", remedy::ignore_command(path)));
        }
    }
    if code.is_empty() && kept_out.is_empty() {
        page.prose("  2. ", "Put a placeholder in its place, such as <your key>, and keep the value in the environment or a vault.");
    }
    let all_kept_out = kept_out.len() == files.len();
    let last = match &page.style.occasion {
        Occasion::Hook { stage: HookStage::PrePush | HookStage::Receive, .. } => "Push again.",
        _ if all_kept_out => "Commit again.",
        _ => "Stage the file again and commit.",
    };
    page.prose("  3. ", last);
}

/// The first replacements, and after the last of a language what it needs to work.
fn spell_out(page: &mut Page<'_>, code: &[Rewrite]) {
    let shown = &code[..code.len().min(SPELLED_OUT)];
    for (index, rewrite) in shown.iter().enumerate() {
        page.line(&format!("       {}   {}", rewrite.place, rewrite.code));
        let said_later = shown[index + 1..].iter().any(|later| later.note == rewrite.note);
        if let Some(note) = rewrite.note.filter(|_| !said_later) {
            page.prose("         ", &format!("({note})"));
        }
    }
    let more = code.len() - shown.len();
    if more > 0 {
        page.line(&format!(
            "       and so on for {}",
            wording::count(more as u64, "more value", "more values")
        ));
    }
}

fn belongs_outside(path: &[u8]) -> bool {
    remedy::replacement(language(path), "") == Replacement::IgnoreFile
}

fn language(path: &[u8]) -> Language {
    let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
    remedy::language_of(name)
}

/// What stands in the place of a value.
struct Rewrite {
    code: String,
    place: String,
    note: Option<&'static str>,
}

/// One line of code for each value, each once, and what it needs to work.
fn rewrites(findings: &[&Finding]) -> Vec<Rewrite> {
    let mut rewrites: Vec<Rewrite> = Vec::new();
    for finding in findings {
        let language = language(finding.provenance.path.as_bytes());
        let Replacement::Code(code) = remedy::replacement(language, &variable(finding)) else { continue };
        if rewrites.iter().any(|known| known.code == code) {
            continue;
        }
        let note = remedy::replacement_note(language);
        rewrites.push(Rewrite { code, place: place(finding), note });
    }
    rewrites
}

/// The environment variable for a value: the name it has already, if that is one.
fn variable(finding: &Finding) -> String {
    match &finding.evidence.name {
        Some(name) if remedy::is_variable_name(name) => name.clone(),
        _ => remedy::variable_name(&finding.provider, &finding.part),
    }
}

/// The value is in git's object store already, which matters only if that left the machine.
fn exposure(page: &mut Page<'_>, stage: HookStage, groups: &[Group<'_>]) {
    if matches!(stage, HookStage::PrePush | HookStage::Receive) {
        page.prose("  ", "Nothing was pushed. Revoke it if it ever left this machine in another way.");
        return;
    }
    let kept = match stage {
        HookStage::CommitMessage => "git keeps the message in .git/COMMIT_EDITMSG until the next commit",
        _ => "git add left a copy in .git, which git removes some weeks after it is unstaged",
    };
    page.prose(
        "  ",
        &format!("Nothing was committed. {kept}: revoke only if the value ever left this machine."),
    );
    let mut pages: Vec<(String, String)> = Vec::new();
    for group in groups.iter().filter(|group| group.is_open()) {
        let provider = group.set.provider.as_str();
        let Some(revoke) = wording::guide(page.report, provider).and_then(|guide| guide.revoke.as_deref())
        else {
            continue;
        };
        let entry = (wording::provider_name(page.report, provider), escape_text(revoke));
        if !pages.contains(&entry) {
            pages.push(entry);
        }
    }
    for (provider, revoke) in pages {
        page.prose("    ", &format!("{provider}: {revoke}"));
    }
}

/// How each value of the first credential is allowed; the others go the same way.
pub(super) fn allow(page: &mut Page<'_>, in_message: bool, group: &Group<'_>) {
    let mut told: Vec<&str> = Vec::new();
    let mut said = "";
    for finding in group.parts.iter().filter(|finding| finding.verdict.is_open()).take(SPELLED_OUT) {
        if told.contains(&finding.rule.as_str()) {
            continue;
        }
        told.push(&finding.rule);
        let several_lines = finding.place.end_line > finding.place.line;
        let language = language(finding.provenance.path.as_bytes());
        let allow = match in_message {
            true => Allow::Comment(format!("keyfence:allow[{}] reason", escape_text(&finding.rule))),
            false => remedy::allow(language, &escape_text(&finding.rule), several_lines),
        };
        let (words, example) = match allow {
            Allow::Comment(comment) => ("If it is no secret, say so at the end of its line:", comment),
            Allow::LineBefore(comment) => {
                ("If it is no secret, say so in a comment on the line before it:", comment)
            }
            Allow::Field(field) => {
                ("If it is no secret: JSON has no comments, so add a field on the same line:", field)
            }
            Allow::Impossible => {
                page.prose("", "If it is no secret: this format has no comments, so keep the file out of git or make a key for tests while they run.");
                continue;
            }
        };
        if words != said {
            page.prose("", words);
            said = words;
        }
        page.line(&format!("       {}   {example}", place(finding)));
    }
}
