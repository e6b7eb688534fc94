//! Reading user packs, and the text of packs in general.
//!
//! Must not know: which packs exist; the caller hands in texts.
//! Invariant: a broken pack is an error that names the pack, the rule and the field, and quotes no value.

use std::borrow::Cow;

use super::compile::compile;
use super::format::Pack;
use super::rule::{Rule, RuleSet};
use crate::model::Severity;

/// Why a pack could not be used.
#[derive(Debug, thiserror::Error)]
#[error("{origin}: {message}")]
pub struct PackError {
    /// The pack's file, as it was named.
    pub origin: String,
    /// What is wrong with it.
    pub message: String,
}

impl RuleSet {
    /// The rules to which `keep` says yes; it is asked with the place and the id of each.
    #[must_use]
    pub fn keeping(self, mut keep: impl FnMut(usize, &str) -> bool) -> Self {
        let rules = self.rules.into_owned().into_iter().enumerate();
        let mut kept: Vec<Rule> = Vec::new();
        for (_, mut rule) in rules.filter(|(index, rule)| keep(*index, &rule.id)) {
            // The first rule of those that are searched for alike may have gone.
            let alike = kept.iter().find(|other| other.is_searched_like(&rule)).map(|other| other.like);
            rule.like = alike.unwrap_or(u16::try_from(kept.len()).unwrap_or(u16::MAX));
            kept.push(rule);
        }
        Self { rules: Cow::Owned(kept), ..self }
    }

    /// The same rules, worth what `severity` says of their ids. What complete sets are worth stays.
    #[must_use]
    pub fn with_severities(self, severity: impl Fn(&str) -> Option<Severity>) -> Self {
        let mut rules = self.rules.into_owned();
        for rule in &mut rules {
            rule.severity = severity(&rule.id).unwrap_or(rule.severity);
        }
        Self { rules: Cow::Owned(rules), ..self }
    }

    /// These rules and those of `packs`, each an origin (for messages) and its YAML text.
    ///
    /// # Errors
    /// The first pack that does not parse or uses an id that is taken.
    pub fn extended(self, packs: &[(String, String)]) -> Result<Self, PackError> {
        packs.iter().try_fold(self, |rules, (origin, text)| {
            let fail = |message| PackError { origin: origin.clone(), message };
            let pack = Pack::parse(text).map_err(fail)?;
            compile(rules, &[pack]).map_err(fail)
        })
    }
}
