//! The configuration file as plain values.
//!
//! Must not know: arguments, files, git, how anything is detected or matched.
//! Invariants: a configuration that is read has every field in its domain; what it does not say stays unsaid, so that
//! whoever merges can tell "not said" from "said to be the default".

mod format;
mod lines;
mod write;

use std::collections::BTreeMap;

use crate::model::{Confidence, Day, Severity};

/// The name of a configuration file.
pub const CONFIG_NAME: &str = ".keyfence.yaml";
/// The name of a file with patterns of paths whose findings do not count.
pub const IGNORE_NAME: &str = ".keyfenceignore";
/// The name of the baseline where no configuration gives another.
pub const BASELINE_NAME: &str = ".keyfence-baseline";

/// A larger configuration file is refused: no honest one comes near it.
pub const MAX_CONFIG_BYTES: usize = 256 * 1024;
/// More allow entries are refused: that is what a baseline is for.
pub const MAX_ALLOW_ENTRIES: usize = 2_000;

/// Where a configuration file stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// At the root: everything may be said.
    Top,
    /// In a directory below: only what can hold for a part of the files.
    Nested,
}

/// What one file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// Whether what directories above allow holds here too; `None` is yes.
    pub inherit: Option<bool>,
    /// Findings that are less sure are only counted.
    pub confidence: Option<Confidence>,
    /// Whether the built-in rules are used; `None` is yes.
    pub default_rules: Option<bool>,
    /// Pack files and directories of packs, from this file's directory.
    pub packs: Vec<String>,
    /// Rules that are used although they are switched off otherwise; `*` stands for any characters.
    pub enable: Vec<String>,
    /// Rules that are not used.
    pub disable: Vec<String>,
    /// What rules are worth instead of what their packs say.
    pub severity: BTreeMap<String, Severity>,
    /// Whether comments in scanned files allow anything; `None` is yes.
    pub comments: Option<bool>,
    /// Whether an allow without a reason counts; `None` is yes.
    pub require_reason: Option<bool>,
    /// Larger files are left out, in bytes.
    pub max_file_size: Option<u64>,
    /// The baseline file, from the root.
    pub baseline: Option<String>,
    /// What is allowed.
    pub allow: Vec<AllowEntry>,
}

/// One thing that is allowed: every condition that is given must hold, and of each list one is enough.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowEntry {
    /// Rule ids; `*` stands for any characters.
    pub rules: Vec<String>,
    /// Patterns as in a .gitignore, from the file's directory.
    pub paths: Vec<String>,
    /// Fingerprints as the reports show them.
    pub fingerprints: Vec<String>,
    /// Regular expressions that the value must match.
    pub values: Vec<String>,
    /// Why it is allowed.
    pub reason: Option<String>,
    /// The last day on which it counts.
    pub until: Option<Day>,
}

impl Config {
    /// Reads what a file of that level says.
    ///
    /// # Errors
    /// One sentence that names the field at fault, with a suggestion where a name is misspelt. It quotes no value.
    pub fn parse(text: &str, level: Level) -> Result<Self, String> {
        format::parse(text, level)
    }
}

pub use lines::Lines;
pub use write::allow_text;

/// Whether `pattern`, in which `*` stands for any characters, means the rule `id`.
pub fn names_rule(pattern: &str, id: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = id.strip_prefix(first) else { return false };
    let mut pieces: Vec<&str> = pieces.collect();
    let Some(last) = pieces.pop() else { return rest.is_empty() };
    for piece in pieces {
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(last)
}

/// The word of `known` that somebody who wrote `word` may have meant.
pub fn suggestion<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let scored = known.into_iter().map(|candidate| (strsim::jaro_winkler(word, candidate), candidate));
    scored
        .filter(|(score, _)| *score > 0.8)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::names_rule;

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, id, expected) in [
            ("generic-secret", "generic-secret", true),
            ("generic", "generic-secret", false),
            ("generic-*", "generic-secret", true),
            ("*-secret", "generic-secret", true),
            ("*", "generic-secret", true),
            ("b*-api-*", "binance-api-key", true),
            ("b*-api-*t", "binance-api-key", false),
            ("a*a", "a", false),
            ("", "a", false),
        ] {
            assert_eq!(names_rule(pattern, id), expected, "{pattern} {id}");
        }
    }
}
