//! `rules lint`: what is wrong, missing or dangerous in packs.
//!
//! Must not know: detection, but for the names of checks and to see whether an example looks live.
//! Invariant: a message names the pack, the rule and the field, and quotes no example.

use std::collections::BTreeSet;

use super::super::failure::{Ending, Failure};
use super::super::output::say;
use super::super::text;
use super::{Named, stem};
use crate::detect::checks::Check;
use crate::detect::{Detector, Scratch};
use crate::model::{Chunk, FilePath, Provenance};
use crate::rules::RuleSet;
use crate::rules::format::{Example, Pack, PartSpec, SEAM};
use crate::rules::pattern;

/// More rules than any honest collection has.
const MAX_RULES: usize = 10_000;
/// Examples of each kind that a rule should have.
const FEWEST_EXAMPLES: usize = 3;
/// A provider's word of fewer letters stands in too many texts.
const SHORTEST_WORD: usize = 3;
/// Fixed characters at the front that tell a token without anything around it.
const TELLING_PREFIX: usize = 3;

/// Tells what it finds; anything found is exit code 1.
pub(super) fn lint(packs: &[Named]) -> Result<Ending, Failure> {
    let mut complaints = Vec::new();
    let mut ids = BTreeSet::new();
    let mut rules = 0;
    for named in packs {
        let found = match &named.pack {
            Err(message) => vec![message.clone()],
            Ok(pack) => {
                rules += pack.parts.len();
                pack_complaints(pack, &stem(&named.origin).unwrap_or_default(), &mut ids)
            }
        };
        complaints.extend(found.into_iter().map(|what| format!("{}: {what}\n", text::line(&named.origin))));
    }
    if rules > MAX_RULES {
        complaints.push(format!("{rules} rules are more than {MAX_RULES}\n"));
    }
    say(&complaints.concat())?;
    say(&format!("{} packs with {rules} rules looked at, {} complaints\n", packs.len(), complaints.len()))?;
    Ok(if complaints.is_empty() { Ending::Clean } else { Ending::Findings })
}

fn pack_complaints(pack: &Pack, file: &str, ids: &mut BTreeSet<String>) -> Vec<String> {
    let mut found = Vec::new();
    if file != pack.provider {
        found.push(format!("the file's name must be the provider's id, {}", pack.provider));
    }
    if pack.revoke.is_none() {
        found.push("`revoke` is missing: say where a leaked one is revoked".to_owned());
    }
    for word in pack.words.iter().filter(|word| word.len() < SHORTEST_WORD) {
        found.push(format!("`words`: `{word}` is short enough to stand anywhere; move it to `weak_words`"));
    }
    let builtin = RuleSet::builtin();
    for part in &pack.parts {
        let complain = |what: String| format!("rule {}: {what}", part.id);
        let is_shipped = builtin.providers.iter().any(|provider| provider.id == pack.provider);
        if !is_shipped && builtin.rules.iter().any(|rule| rule.id == part.id) {
            found.push(complain("a built-in rule has this id, and a pack never replaces a rule".to_owned()));
        }
        if !ids.insert(part.id.clone()) {
            found.push(complain("another pack has this id".to_owned()));
        }
        found.extend(part_complaints(pack, part).into_iter().map(complain));
    }
    found
}

fn part_complaints(pack: &Pack, part: &PartSpec) -> Vec<String> {
    let mut found = Vec::new();
    for check in part.check.iter().filter(|check| *check != "bip39" && Check::parse(check).is_none()) {
        found.push(format!("`check`: there is no check `{check}`"));
    }
    if part.need == "context"
        && pack.words.is_empty()
        && pack.weak_words.is_empty()
        && pack.headers.is_empty()
    {
        found.push(
            "it needs evidence of the provider, but the pack has no `words`, so it never fires".to_owned(),
        );
    }
    if part.need == "nothing" && part.check.is_empty() && !has_telling_prefix(part) {
        found.push(
            "`need: nothing` asks for a fixed beginning or a check: this shape alone stands everywhere"
                .to_owned(),
        );
    }
    for (kind, examples) in [("match", &part.matches), ("silent", &part.silent)] {
        if examples.len() < FEWEST_EXAMPLES {
            found.push(format!("`{kind}` has fewer than {FEWEST_EXAMPLES} examples"));
        }
    }
    for (number, example) in part.matches.iter().enumerate() {
        if looks_live(example) {
            found.push(format!(
                "`match` {} holds a value that looks live: break it with `{SEAM}`, often enough that no scanner takes \
                 a piece for a key",
                number + 1
            ));
        }
    }
    found
}

/// Whether every alternative of the shape begins with enough characters that are always the same.
fn has_telling_prefix(part: &PartSpec) -> bool {
    let Some(shape) = &part.shape else { return true };
    let Ok(patterns) = pattern::parse(shape) else { return true };
    let fixed = |pattern: pattern::Pattern| {
        let fixed = pattern.items.iter().filter(|item| item.set.is_power_of_two());
        fixed.map(|item| usize::from(item.min)).sum::<usize>() >= TELLING_PREFIX
    };
    !patterns.is_empty() && patterns.into_iter().all(fixed)
}

/// Whether the example, as it stands in the file, would be found.
fn looks_live(example: &Example) -> bool {
    let text = match example {
        Example::Text(text) | Example::File { text, .. } => text,
    };
    let provenance = Provenance::file(FilePath::default());
    let chunk = Chunk::whole(text.as_bytes(), &provenance);
    let found = Detector::builtin().detect(&chunk, &mut Scratch::default()).findings;
    found.iter().any(|finding| finding.verdict.is_open())
}
