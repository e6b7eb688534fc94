//! What other scanners' files allow, taken over into ours.
//!
//! One file for each tool: text in, [`Taken`] out. Secrets that those files know by hash, value or place are handed
//! on as [`Known`], to be recognised among findings and put into a baseline.
//!
//! Must not know: where the files stand, how ours are written.
//! Invariants: what is taken over never allows more than it did; whatever is not taken over is named, as dropped
//! (nothing is lost by it) or as something that needs a person; no note quotes a value.

mod detect_secrets;
mod ggshield;
mod git_secrets;
mod gitleaks;
mod kingfisher;
mod paths;
mod ripsecrets;
mod talisman;
mod trufflehog;

use sha1::{Digest as _, Sha1};
use sha2::Sha256;

use crate::config::AllowEntry;
use crate::model::{FilePath, Finding, Secret};

/// What became of one thing that a file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It holds for keyfence now.
    TakenOver,
    /// It means nothing to keyfence, and nothing is lost.
    Dropped,
    /// A person has to decide.
    NeedsYou,
}

/// One line of what is told about a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What became of it.
    pub fate: Fate,
    /// What it is, and why.
    pub what: String,
}

/// How a file knows a secret.
#[derive(Debug)]
enum Mark {
    Sha1(String),
    Sha256(String),
    Value(Secret),
    Kingfisher(Vec<u64>),
    Place { path: String, line: Option<u32> },
}

/// A secret that a file knows and does not count.
#[derive(Debug)]
pub struct Known {
    mark: Mark,
    /// Why it does not count.
    pub reason: String,
}

impl Known {
    /// Whether `finding`, which stands at `path` from the project's root, is that secret.
    pub fn means(&self, finding: &Finding, path: &FilePath) -> bool {
        let value = finding.secret.expose();
        match &self.mark {
            Mark::Sha1(hash) => data_encoding::HEXLOWER.encode(&Sha1::digest(value)) == *hash,
            Mark::Sha256(hash) => data_encoding::HEXLOWER.encode(&Sha256::digest(value)) == *hash,
            Mark::Value(secret) => secret.expose() == value,
            Mark::Kingfisher(marks) => kingfisher::knows(marks, finding),
            Mark::Place { path: known, line } => {
                let (first, last) = (finding.place.line, finding.place.end_line);
                path.as_bytes() == known.as_bytes() && line.is_none_or(|line| (first..=last).contains(&line))
            }
        }
    }
}

/// What one file gave.
#[derive(Debug, Default)]
pub struct Taken {
    /// Entries for our configuration.
    pub allow: Vec<AllowEntry>,
    /// Lines for our ignore file.
    pub left_out: Vec<String>,
    /// Secrets to recognise.
    pub known: Vec<Known>,
    /// Other files that it names, as paths from the project's root.
    pub files: Vec<(String, Format)>,
    /// What became of everything.
    pub notes: Vec<Note>,
}

impl Taken {
    fn note(&mut self, fate: Fate, what: impl Into<String>) {
        self.notes.push(Note { fate, what: what.into() });
    }

    /// A regular expression on paths, if it can be said as a pattern of ours.
    fn path_expression(&mut self, expression: &str, reason: &str) {
        match paths::as_patterns(expression) {
            Some(patterns) => {
                self.note(Fate::TakenOver, format!("path `{expression}` as {}", quoted(&patterns)));
                let reason = Some(reason.to_owned());
                self.allow.push(AllowEntry { paths: patterns, reason, ..AllowEntry::default() });
            }
            None => self.note(
                Fate::NeedsYou,
                format!(
                    "path `{expression}`: no pattern of a .gitignore says the same; write one under `allow`"
                ),
            ),
        }
    }

    /// A regular expression on values.
    fn value_expression(&mut self, expression: &str, reason: &str) {
        if regex::bytes::RegexBuilder::new(expression).size_limit(1 << 20).unicode(false).build().is_err() {
            self.note(
                Fate::NeedsYou,
                "a value pattern that keyfence cannot read; write it anew under `allow`",
            );
            return;
        }
        self.note(Fate::TakenOver, "a value pattern, under `allow`");
        let (values, reason) = (vec![expression.to_owned()], Some(reason.to_owned()));
        self.allow.push(AllowEntry { values, reason, ..AllowEntry::default() });
    }

    /// A pattern, if it can stand on one line of an ignore file: a second line would leave out more than it does.
    fn ignore_pattern(&mut self, pattern: &str) {
        if pattern.trim().is_empty() || pattern.starts_with('#') || pattern.contains(char::is_control) {
            let what = format!("pattern `{pattern}`: it cannot stand on one line of .keyfenceignore");
            return self.note(Fate::NeedsYou, what);
        }
        self.note(Fate::TakenOver, format!("pattern `{pattern}`, in .keyfenceignore"));
        self.left_out.push(pattern.to_owned());
    }

    fn known(&mut self, mark: Mark, reason: String) {
        self.known.push(Known { mark, reason });
    }
}

fn quoted(patterns: &[String]) -> String {
    patterns.iter().map(|pattern| format!("`{pattern}`")).collect::<Vec<_>>().join(" and ")
}

/// A kind of file that can be taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `.gitleaks.toml`, which betterleaks reads as well.
    GitleaksConfig,
    /// `.gitleaksignore`.
    GitleaksIgnore,
    /// `.secrets.baseline`.
    DetectSecrets,
    /// A list of regular expressions on paths that are excluded.
    TrufflehogPaths,
    /// `key = value` lines of the section `secrets` of git's configuration.
    GitSecrets,
    /// `.gitallowed`.
    GitAllowed,
    /// `.talismanrc`.
    Talisman,
    /// `.secretsignore`.
    Ripsecrets,
    /// `.gitguardian.yaml`.
    Ggshield,
    /// `kingfisher.yaml`.
    KingfisherConfig,
    /// A baseline of kingfisher, which can have any name.
    KingfisherBaseline,
}

/// Whether `text` is a baseline of kingfisher.
pub fn is_kingfisher_baseline(text: &str) -> bool {
    kingfisher::is_baseline(text)
}

/// Reads a file of that kind.
///
/// # Errors
/// Where it is none; without quoting it.
pub fn import(format: Format, text: &str) -> Result<Taken, String> {
    match format {
        Format::GitleaksConfig => gitleaks::config(text),
        Format::GitleaksIgnore => Ok(gitleaks::ignore_file(text)),
        Format::DetectSecrets => detect_secrets::baseline(text),
        Format::TrufflehogPaths => Ok(trufflehog::excluded_paths(text)),
        Format::GitSecrets => Ok(git_secrets::settings(text)),
        Format::GitAllowed => Ok(git_secrets::allowed(text)),
        Format::Talisman => talisman::configuration(text),
        Format::Ripsecrets => Ok(ripsecrets::ignore_file(text)),
        Format::Ggshield => ggshield::configuration(text),
        Format::KingfisherConfig => kingfisher::configuration(text),
        Format::KingfisherBaseline => kingfisher::baseline(text),
    }
}

/// Lines that say something: without comments, empty ones, and spaces around.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

#[cfg(test)]
mod tests;
