//! What can leak: every rule of a rule set, alone or as the set of parts that people write side by side.
//!
//! Must not know: values, files. Invariant: every rule is in at least one credential.

use std::collections::BTreeMap;
use std::path::Path;

use keyfence::model::Role;
use keyfence::rules::RuleSet;

use super::Error;

/// Where a part stands in a template.
pub type Slot = &'static str;

/// Parts that are written together.
#[derive(Clone, Debug)]
pub struct Credential {
    /// Index of the provider.
    pub provider: usize,
    /// The set of the provider, where there are several parts.
    pub set: Option<usize>,
    /// Where each rule's value goes: one `value`, or `key`, `secret`, `passphrase`, `uid`.
    pub parts: Vec<(Slot, usize)>,
}

/// Every credential of the rules.
pub fn credentials(rules: &RuleSet) -> Vec<Credential> {
    let mut all = Vec::new();
    let mut placed = vec![false; rules.rules.len()];
    for (index, provider) in rules.providers.iter().enumerate() {
        let of_part = |part: &str| -> Vec<usize> {
            let own = rules.rules.iter().enumerate().filter(|(_, rule)| usize::from(rule.provider) == index);
            own.filter(|(_, rule)| rule.part == part).map(|(place, _)| place).collect()
        };
        for (number, set) in provider.sets.iter().enumerate().filter(|(_, set)| set.parts.len() > 1) {
            let choices: Vec<Vec<usize>> = set.parts.iter().map(|part| of_part(part)).collect();
            let most = choices.iter().map(Vec::len).max().unwrap_or(0);
            for turn in 0..most {
                let chosen: Option<Vec<usize>> =
                    choices.iter().map(|rules| rules.get(turn % rules.len().max(1)).copied()).collect();
                let Some(chosen) = chosen else { continue };
                let parts = slots(rules, &chosen);
                parts.iter().for_each(|&(_, rule)| placed[rule] = true);
                all.push(Credential { provider: index, set: Some(number), parts });
            }
        }
    }
    for (place, rule) in rules.rules.iter().enumerate().filter(|(place, _)| !placed[*place]) {
        all.push(Credential {
            provider: usize::from(rule.provider),
            set: None,
            parts: vec![("value", place)],
        });
    }
    all
}

/// Where each part goes, by what it is; a third part that is no passphrase stands alone.
fn slots(rules: &RuleSet, chosen: &[usize]) -> Vec<(Slot, usize)> {
    let mut free: Vec<Slot> = vec!["key", "secret", "passphrase", "uid"];
    let mut parts = Vec::new();
    for &rule in chosen {
        let wanted: &[Slot] = match rules.rules[rule].role {
            Role::Identifier => &["key", "uid"],
            Role::Passphrase => &["passphrase"],
            Role::Secret | Role::PrivateKey => &["secret", "key"],
            _ => &["key", "secret"],
        };
        if let Some(&slot) = wanted.iter().find(|slot| free.contains(slot)) {
            free.retain(|other| *other != slot);
            parts.push((slot, rule));
        }
    }
    parts
}

/// The group of each provider: the folder in which its pack stands.
pub fn groups(rules: &Path) -> Result<BTreeMap<String, String>, Error> {
    let mut groups = BTreeMap::new();
    for folder in std::fs::read_dir(rules)? {
        let folder = folder?.path();
        let group = match folder.file_name().and_then(|name| name.to_str()) {
            Some("exchanges") => "exchange",
            Some("wallets") => "wallet",
            Some("chain-data") => "node",
            _ => "general",
        };
        if !folder.is_dir() {
            continue;
        }
        for pack in std::fs::read_dir(folder)? {
            let pack = pack?.path();
            if let Some(stem) = pack.file_stem().and_then(|stem| stem.to_str()) {
                groups.insert(stem.to_owned(), group.to_owned());
            }
        }
    }
    Ok(groups)
}
