//! Findings against labels.
//!
//! A label is found when a finding that counts has its file and one of its lines. A finding that meets no secret is wrong,
//! unless it meets a known value, which is told apart. Recall counts labels, precision counts lines.
//!
//! Must not know: which tool it was. Invariant: every finding is right, neutral or wrong, and exactly one of them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::label::{Kind, Label};
use super::tools::Found;

/// So many of so many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// So many.
    pub found: usize,
    /// Of so many.
    pub of: usize,
}

impl Share {
    fn add(&mut self, found: bool) {
        self.found += usize::from(found);
        self.of += 1;
    }

    /// Together with another.
    pub fn plus(self, other: Self) -> Self {
        Self { found: self.found + other.found, of: self.of + other.of }
    }

    /// Between 0 and 1; 1 of nothing.
    pub fn value(self) -> f64 {
        if self.of == 0 { 1.0 } else { self.found as f64 / self.of as f64 }
    }
}

/// What is wrong or missed, for people to look at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The file.
    pub path: String,
    /// The line.
    pub line: usize,
    /// The rule that was planted or that spoke.
    pub rule: String,
    /// The template, or the decoy that was met.
    pub host: String,
}

/// The measures of a tool on a corpus.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Score {
    /// Whose findings these are.
    pub tool: String,
    /// Recall of secrets, private keys, phrases, tokens and connection strings, by group and `wrapped`.
    pub groups: BTreeMap<String, Share>,
    /// Recall by role, passphrases and identifiers too.
    pub roles: BTreeMap<String, Share>,
    /// Recall by provider.
    pub providers: BTreeMap<String, Share>,
    /// Recall by rule.
    pub rules: BTreeMap<String, Share>,
    /// How many lines with a finding of the tool's rule hold a secret.
    pub rule_precision: BTreeMap<String, Share>,
    /// Recall by template.
    pub hosts: BTreeMap<String, Share>,
    /// Recall by how a value is written.
    pub wrapped: BTreeMap<String, Share>,
    /// Of the secrets found, how many of whose provider were told.
    pub named: Share,
    /// The same for groups.
    pub named_groups: BTreeMap<String, Share>,
    /// Lines with findings that hold a secret, of all that have findings and hold no known value.
    pub precision: Share,
    /// Keys of test networks that were found.
    pub tests: Share,
    /// Published values that would stop a commit.
    pub known_blocking: Share,
    /// Findings that are none.
    pub wrong: Vec<Place>,
    /// Secrets that were not found.
    pub missed: Vec<Place>,
}

impl Score {
    /// Recall of everything that lets somebody act.
    pub fn recall(&self) -> Share {
        let groups = self.groups.iter().filter(|(name, _)| *name != "wrapped");
        groups.fold(Share::default(), |all, (_, share)| all.plus(*share))
    }
}

/// Providers whose name nobody can tell: a value of theirs says what it is, not whose.
const NAMELESS: &[&str] =
    &["generic", "private-key", "jwt", "jwk", "connection-string", "basic-auth", "keystore"];

/// Measures findings.
pub fn score(
    tool: &str,
    labels: &[Label],
    found: &[Found],
    aliases: &BTreeMap<String, Vec<String>>,
) -> Score {
    let mut by_path: BTreeMap<&str, Vec<&Found>> = BTreeMap::new();
    for one in found {
        by_path.entry(&one.path).or_default().push(one);
    }
    let mut score = Score { tool: tool.to_owned(), ..Score::default() };
    for label in labels {
        // A test key need not block to be found.
        let counts = |one: &&Found| meets(one, label) && (one.blocks || label.kind == Kind::Test);
        let hits: Vec<&Found> =
            by_path.get(label.path.as_str()).into_iter().flatten().copied().filter(counts).collect();
        match label.kind {
            Kind::Secret => add_secret(&mut score, label, &hits, aliases),
            Kind::Test => score.tests.add(!hits.is_empty()),
            Kind::Known => score.known_blocking.add(!hits.is_empty()),
            Kind::Decoy => {}
        }
    }
    add_precision(&mut score, labels, found);
    score.missed.sort();
    score.wrong.sort();
    score
}

fn meets(found: &Found, label: &Label) -> bool {
    found.path == label.path && found.line <= label.end_line && label.line <= found.end_line
}

fn add_secret(score: &mut Score, label: &Label, hits: &[&Found], aliases: &BTreeMap<String, Vec<String>>) {
    let is_found = !hits.is_empty();
    let of =
        |map: &mut BTreeMap<String, Share>, key: &str| map.entry(key.to_owned()).or_default().add(is_found);
    of(&mut score.roles, &label.role);
    // An identifier alone opens nothing, and a passphrase is worth what its set is.
    if matches!(label.role.as_str(), "identifier" | "passphrase") {
        return;
    }
    of(&mut score.groups, &label.group);
    of(&mut score.providers, &label.provider);
    of(&mut score.rules, &label.rule);
    of(&mut score.hosts, &label.host);
    of(&mut score.wrapped, &label.wrapped);
    if label.wrapped != "plain" {
        of(&mut score.groups, "wrapped");
    }
    if !is_found {
        score.missed.push(Place {
            path: label.path.clone(),
            line: label.line,
            rule: label.rule.clone(),
            host: label.host.clone(),
        });
    } else if !NAMELESS.contains(&label.provider.as_str()) {
        let right = hits.iter().any(|hit| names(hit, &label.provider, aliases));
        score.named.add(right);
        score.named_groups.entry(label.group.clone()).or_default().add(right);
    }
}

/// Whether the finding tells this provider: among its providers, or as a word of its rule's name.
fn names(found: &Found, provider: &str, aliases: &BTreeMap<String, Vec<String>>) -> bool {
    let rule = format!(" {} ", found.rule.to_lowercase().replace(['_', '-', '.', '/'], " "));
    let own = [provider.to_owned()];
    let spelled = own.iter().chain(aliases.get(provider).into_iter().flatten());
    found.providers.iter().any(|one| one == provider)
        || found.providers.is_empty()
            && spelled.clone().any(|word| rule.contains(&format!(" {} ", word.replace('-', " "))))
}

fn add_precision(score: &mut Score, labels: &[Label], found: &[Found]) {
    let mut lines: BTreeMap<(&str, usize), (bool, &Found)> = BTreeMap::new();
    let mut by_path: BTreeMap<&str, Vec<&Label>> = BTreeMap::new();
    labels.iter().for_each(|label| by_path.entry(&label.path).or_default().push(label));
    let mut wrong = BTreeSet::new();
    for one in found.iter().filter(|one| one.blocks) {
        let met: Vec<&&Label> =
            by_path.get(one.path.as_str()).into_iter().flatten().filter(|label| meets(one, label)).collect();
        let is_right = met.iter().any(|label| matches!(label.kind, Kind::Secret | Kind::Test));
        if !is_right && met.iter().any(|label| label.kind == Kind::Known) {
            continue;
        }
        score.rule_precision.entry(one.rule.clone()).or_default().add(is_right);
        let line = lines.entry((&one.path, one.line)).or_insert((is_right, one));
        line.0 |= is_right;
        if !is_right {
            let host = met.first().map_or_else(|| "no label".to_owned(), |label| label.rule.clone());
            wrong.insert(Place { path: one.path.clone(), line: one.line, rule: one.rule.clone(), host });
        }
    }
    lines.values().for_each(|(is_right, _)| score.precision.add(*is_right));
    score.wrong = wrong.into_iter().collect();
}
