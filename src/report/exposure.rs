//! What history tells of a credential, in words: since when, how far it got, where it is now, what follows from it.
//!
//! Must not know: lines, widths, colours.
//! Invariant: every text that leaves here is escaped; what was pushed is never called safe.

use crate::model::{Commit, ContentKind, Exposure, Reach};

use super::escape::{escape, escape_text};
use super::moment;
use super::wording::{count, listed};

/// What follows from that nobody else has it.
const UNSHARED: &str = "then it need not be rotated, unless it was shared in another way";

/// What to do about what is here, as far as anybody knows.
pub(super) const IF_SHARED: &str = "revoke it if it was ever shared";

/// How many names are spelled out before "and so on".
const SPELLED_OUT: usize = 3;

/// Digits of a commit's id: enough to be the only one in large repositories.
const SHORT_ID: usize = 12;

/// `2026-03-02, by Ada <ada@example.org> in 1a2b3c4d5e6f; in 4 commits; exposed for 31 days`.
pub(super) fn since(exposure: &Exposure, made_at: Option<i64>) -> String {
    let mut words = vec![match &exposure.first_seen {
        Some(commit) => format!("{}, by {} in {}", moment::day(commit), author(commit), short(commit)),
        None => "no commit has it".to_owned(),
    }];
    if exposure.commits > 0 {
        words.push(format!("in {}", count(exposure.commits, "commit", "commits")));
    }
    if let Some(days) = days(exposure, made_at) {
        words.push(format!("exposed for {}", count(days, "day", "days")));
    }
    words.join("; ")
}

/// How long whoever could read the repository could read it: until it was removed, or until now.
pub(super) fn days(exposure: &Exposure, made_at: Option<i64>) -> Option<u64> {
    let first = exposure.first_seen.as_ref()?.time;
    let last = exposure.removed_by.as_ref().map(|commit| commit.time).or(made_at)?;
    Some(moment::days_between(first, last))
}

/// Where it is now: in which tips, or removed by whom.
pub(super) fn presence(exposure: &Exposure) -> String {
    let kept = match exposure.references.len() {
        0 => String::new(),
        _ => format!("; the history of {} keeps it", names(&exposure.references)),
    };
    match (&exposure.removed_by, exposure.tips.as_slice()) {
        (_, tips @ [_, ..]) => format!("still in {}", names(tips)),
        (Some(commit), []) => {
            format!("removed on {} by {} in {}{kept}", moment::day(commit), author(commit), short(commit))
        }
        (None, []) => format!("in no branch's latest version{kept}"),
    }
}

/// What to do, which depends on how far it got.
pub(super) fn answer(exposure: &Exposure) -> String {
    match exposure.reach {
        Reach::Pushed => {
            let place = match exposure.remotes.as_slice() {
                [] => String::new(),
                remotes => format!(" ({})", names(remotes)),
            };
            format!("rotate now: it was pushed{place}, and rewriting history takes back no copy")
        }
        Reach::Local if only_in_latest(exposure) => {
            format!("only local so far: take it out with `git commit --amend` before you push; {UNSHARED}")
        }
        Reach::Local => format!(
            "only local so far: take it out of {} before you push; {UNSHARED}",
            match &exposure.first_seen {
                Some(commit) if commit.is_root => "those commits (`git rebase -i --root`)".to_owned(),
                Some(commit) => format!("those commits (`git rebase -i {}^`)", short(commit)),
                None => "what holds it".to_owned(),
            }
        ),
        Reach::Unreachable => {
            "unreachable: no branch leads to it any more; rotate if it was ever pushed, and let `git gc` drop it"
                .to_owned()
        }
    }
}

/// What stands before the page where it is revoked: whoever keeps it here has nothing to revoke.
pub(super) fn revoke(exposure: Option<&Exposure>) -> &'static str {
    match exposure.map(|exposure| exposure.reach) {
        None | Some(Reach::Pushed) => "revoke it",
        Some(Reach::Local) => IF_SHARED,
        Some(Reach::Unreachable) => "revoke it if it was ever pushed",
    }
}

/// Whether nobody else can have it as far as the repository tells, so that what to do about others is not for now.
pub(super) fn is_local(exposure: Option<&Exposure>) -> bool {
    exposure.is_some_and(|exposure| exposure.reach == Reach::Local)
}

/// The same in one or two words, for lists.
pub(super) fn verdict(reach: Reach) -> &'static str {
    match reach {
        Reach::Pushed => "rotate now",
        Reach::Local => "take it out before you push",
        Reach::Unreachable => "rotate if it was ever pushed",
    }
}

/// Where it stands in history: `bot.py:3 (4 versions), the message of a commit`.
pub(super) fn places(exposure: &Exposure) -> Vec<String> {
    exposure
        .occurrences
        .iter()
        .map(|place| {
            let path = escape(place.path.as_bytes());
            let versions = match place.versions {
                0 | 1 => String::new(),
                versions => format!(" ({})", count(versions, "version", "versions")),
            };
            match place.kind {
                ContentKind::File => format!("{path}:{}{versions}", place.line),
                kind => format!("{} {path}{versions}", kind_words(kind)),
            }
        })
        .collect()
}

/// What content it stands in, as people say it.
pub(super) fn kind_words(kind: ContentKind) -> &'static str {
    match kind {
        ContentKind::File => "file",
        ContentKind::FileName => "file name",
        ContentKind::ReferenceName => "reference name",
        ContentKind::CommitMessage => "commit message",
        ContentKind::CommitHeader => "commit header",
        ContentKind::Tag => "tag",
        ContentKind::Reflog => "reflog",
    }
}

/// Who wrote a commit. Anybody can write anything there, at any length.
pub(super) fn author(commit: &Commit) -> String {
    const LONGEST: usize = 80;
    let author = escape_text(commit.author.trim());
    if author.is_empty() {
        return "nobody named".to_owned();
    }
    if author.chars().count() <= LONGEST {
        return author;
    }
    author.chars().take(LONGEST - 1).chain(['…']).collect()
}

/// A commit's id as people read it.
pub(super) fn short(commit: &Commit) -> String {
    escape_text(commit.id.get(..SHORT_ID).unwrap_or(&commit.id))
}

fn only_in_latest(exposure: &Exposure) -> bool {
    exposure.commits == 1 && !exposure.tips.is_empty()
}

/// `main`, `main and dev`, `main, dev, next and 4 more`; without what all names of branches begin with.
fn names(names: &[String]) -> String {
    let mut words: Vec<String> =
        names.iter().take(SPELLED_OUT).map(|name| escape_text(plain(name))).collect();
    let more = names.len().saturating_sub(SPELLED_OUT);
    if more > 0 {
        words.push(format!("{more} more"));
    }
    listed(&words, "and")
}

fn plain(name: &str) -> &str {
    ["refs/heads/", "refs/remotes/"].iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name)
}
