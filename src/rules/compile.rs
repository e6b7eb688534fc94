//! From packs to rules.
//!
//! Must not know: files, detection. The build script includes this module, so that built-in and user packs become
//! rules by the same code.
//! Invariant: packs that parse compile, unless two of them use the same id.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::model::{Role, Severity};

use super::format::{Pack, PartSpec};
use super::rule::{AddressKind, Classes, Kind, Need, PemKind, Provider, Rule, RuleSet, SetRule, Shape, Text};

/// Adds `packs` to `base`. A pack with the id of a provider in `base` adds its rules to that provider.
///
/// # Errors
/// Names the rule id that is used twice: a pack never replaces a rule silently.
pub fn compile(base: RuleSet, packs: &[Pack]) -> Result<RuleSet, String> {
    let mut providers = base.providers.into_owned();
    let mut rules = base.rules.into_owned();
    let mut ids: BTreeSet<String> = rules.iter().map(|rule| rule.id.to_string()).collect();
    for pack in packs {
        let index = match providers.iter().position(|provider| provider.id == pack.provider) {
            Some(index) => index,
            None => {
                providers.push(provider(pack));
                providers.len() - 1
            }
        };
        let index = u16::try_from(index).map_err(|_| "more than 65,535 providers".to_owned())?;
        for part in &pack.parts {
            if !ids.insert(part.id.clone()) {
                return Err(format!("rule id `{}` is already used by another pack", part.id));
            }
            let mut rule = rule(part, index)?;
            let own = u16::try_from(rules.len()).map_err(|_| "more than 65,535 rules".to_owned())?;
            let alike = rules.iter().find(|other| other.is_searched_like(&rule)).map(|other| other.like);
            rule.like = alike.unwrap_or(own);
            rules.push(rule);
        }
    }
    Ok(RuleSet { providers: Cow::Owned(providers), rules: Cow::Owned(rules) })
}

fn provider(pack: &Pack) -> Provider {
    Provider {
        id: owned(&pack.provider),
        title: owned(&pack.title),
        words: lower(&pack.words),
        weak_words: lower(&pack.weak_words),
        headers: pack
            .headers
            .iter()
            .map(|(header, part)| (Cow::Owned(header.to_lowercase()), owned(part)))
            .collect(),
        power: owned(&pack.power),
        revoke: pack.revoke.as_deref().map(owned),
        steps: pack.steps.iter().map(|step| owned(step)).collect(),
        sets: pack
            .sets
            .iter()
            .map(|set| SetRule {
                parts: set.parts.iter().map(|part| owned(part)).collect(),
                severity: Severity::parse(&set.severity).unwrap_or(Severity::High),
                proof: set.proof.as_deref().map(owned),
            })
            .collect(),
    }
}

fn rule(part: &PartSpec, provider: u16) -> Result<Rule, String> {
    let mut known: Vec<u64> =
        part.known.keys().filter_map(|hash| u64::from_str_radix(hash, 16).ok()).collect();
    known.sort_unstable();
    Ok(Rule {
        id: owned(&part.id),
        provider,
        part: owned(&part.part),
        role: Role::parse(&part.role).ok_or_else(|| format!("rule `{}`: `role` is unknown", part.id))?,
        severity: Severity::parse(&part.severity)
            .ok_or_else(|| format!("rule `{}`: `severity` is unknown", part.id))?,
        need: need(&part.need),
        kind: kind(part)?,
        require: classes(&part.require),
        checks: part.check.iter().map(|check| owned(check)).collect(),
        names: lower(&part.names),
        test: part.test,
        address: part.address.as_deref().and_then(AddressKind::parse),
        known: Cow::Owned(known),
        like: 0,
    })
}

fn kind(part: &PartSpec) -> Result<Kind, String> {
    let range = |range: &[u16]| (range.first().copied().unwrap_or(0), range.last().copied().unwrap_or(0));
    Ok(if !part.anchor.is_empty() {
        let anchors = part.anchor.iter().map(|anchor| owned(anchor)).collect();
        Kind::Anchored(anchors, part.patterns()?.into_iter().map(Shape::from).collect())
    } else if part.shape.is_some() {
        Kind::Shape(part.patterns()?.into_iter().map(Shape::from).collect())
    } else if !part.pem.is_empty() {
        Kind::Pem(part.pem.iter().filter_map(|kind| PemKind::parse(kind)).collect())
    } else if !part.mnemonic.is_empty() {
        Kind::Mnemonic(Cow::Owned(part.mnemonic.clone()))
    } else if let Some(count) = part.numbers {
        Kind::Numbers(count)
    } else if !part.connection.is_empty() {
        Kind::Connection(lower(&part.connection))
    } else if !part.chosen.is_empty() {
        let (shortest, longest) = range(&part.chosen);
        Kind::Chosen(shortest, longest)
    } else if !part.password.is_empty() {
        let (shortest, longest) = range(&part.password);
        Kind::Password(shortest, longest)
    } else {
        let (shortest, longest) = range(&part.random);
        Kind::Random(shortest, longest)
    })
}

fn need(word: &str) -> Need {
    match word {
        "nothing" => Need::Nothing,
        "name" => Need::Name,
        "both" => Need::Both,
        "partner" => Need::Partner,
        _ => Need::Context,
    }
}

fn classes(words: &[String]) -> Classes {
    Classes(words.iter().fold(0, |bits, word| {
        bits | match word.as_str() {
            "lower" => Classes::LOWER,
            "upper" => Classes::UPPER,
            _ => Classes::DIGIT,
        }
    }))
}

fn owned(text: &str) -> Text {
    Cow::Owned(text.to_owned())
}

fn lower(words: &[String]) -> Cow<'static, [Text]> {
    words.iter().map(|word| Cow::Owned(word.to_lowercase())).collect()
}
