//! What stands for a rule set and the program that applies it.
//!
//! Must not know: who remembers what under it.
//! Invariant: two programs or two rule sets that could judge the same bytes differently have different identities.

use std::fmt::{self, Write};

use sha2::{Digest, Sha256};

use super::rule::RuleSet;

/// The version, and what tells one state of the sources from another.
const PROGRAM: &str = concat!("keyfence ", env!("CARGO_PKG_VERSION"), " ", env!("KEYFENCE_SOURCE"), "\n");

impl RuleSet {
    /// The same for equal rules in the same build, and for nothing else.
    pub fn identity(&self) -> [u8; 32] {
        let mut hash = Hash(Sha256::new());
        let written = write!(hash, "{PROGRAM}{self:?}");
        debug_assert!(written.is_ok(), "a hash takes everything");
        hash.0.finalize().into()
    }
}

/// A hash that can be written to.
struct Hash(Sha256);

impl Write for Hash {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.update(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::RuleSet;

    #[test]
    fn whatever_changes_a_rule_changes_the_identity() {
        let builtin = RuleSet::builtin();
        assert_eq!(builtin.identity(), RuleSet::builtin().identity());
        for changed in [
            RuleSet { rules: builtin.rules[1..].to_vec().into(), ..builtin.clone() },
            RuleSet { providers: builtin.providers[1..].to_vec().into(), ..builtin.clone() },
            RuleSet {
                rules: builtin
                    .rules
                    .iter()
                    .cloned()
                    .map(|mut rule| {
                        rule.test = !rule.test;
                        rule
                    })
                    .collect::<Vec<_>>()
                    .into(),
                ..builtin.clone()
            },
        ] {
            assert_ne!(changed.identity(), builtin.identity());
        }
    }
}
