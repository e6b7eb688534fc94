//! git-secrets: `secrets.allowed` and `secrets.patterns` of git's configuration, and `.gitallowed`.
//!
//! Must not know: git's configuration files; it is handed `key = value` lines.
//! Invariant: a pattern that was tried on whole lines is taken over only where it can mean a value alone.

use super::{Fate, Taken, lines};

const REASON: &str = "allowed for git-secrets";

/// Reads `key = value` lines.
pub(super) fn settings(text: &str) -> Taken {
    let mut taken = Taken::default();
    for line in lines(text) {
        let Some((key, value)) = line.split_once(" = ") else { continue };
        match key {
            "allowed" => allow(&mut taken, value),
            "patterns" => taken.note(
                Fate::NeedsYou,
                "a pattern of your own: look whether `keyfence rules list` has it, or write a pack (`keyfence rules new`)",
            ),
            "providers" => taken.note(
                Fate::Dropped,
                "a provider of patterns: keyfence starts no program; its own rules know what AWS issues",
            ),
            _ => {}
        }
    }
    taken
}

/// Reads `.gitallowed`.
pub(super) fn allowed(text: &str) -> Taken {
    let mut taken = Taken::default();
    lines(text).for_each(|line| allow(&mut taken, line));
    taken
}

/// It is tried on `file:line:content`: what holds a place or a name would never match a value alone.
fn allow(taken: &mut Taken, pattern: &str) {
    if pattern.contains([':', ' ', '=', '/']) {
        let what = "a pattern on a place or a whole line; keyfence asks paths and values, each by itself";
        return taken.note(Fate::NeedsYou, what);
    }
    taken.value_expression(pattern, REASON);
}
