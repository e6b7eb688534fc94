//! Reading user packs, and the text of packs in general.
//!
//! Must not know: which packs exist; the caller hands in texts.
//! Invariant: a broken pack is an error that names the pack, the rule and the field, and quotes no value.

use super::compile::compile;
use super::format::Pack;
use super::rule::RuleSet;

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
