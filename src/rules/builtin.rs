//! The packs under `rules/`, as tables that the build script wrote.
//!
//! Must not know: YAML.
//! Invariant: equal to what loading the same packs at run time gives (a test compares them).

use std::borrow::Cow;

use super::rule::RuleSet;

mod tables {
    use std::borrow::Cow::{self, Borrowed};

    use crate::model::{Role, Severity};
    use crate::rules::pattern::{Alphabet, Item};
    use crate::rules::rule::{Classes, Kind, Need, PemKind, Provider, Rule, SetRule, Shape};

    include!(concat!(env!("OUT_DIR"), "/builtin_rules.rs"));
}

impl RuleSet {
    /// The rules that ship with keyfence. Costs nothing: the tables are in the binary.
    pub fn builtin() -> Self {
        Self { providers: Cow::Borrowed(tables::PROVIDERS), rules: Cow::Borrowed(tables::RULES) }
    }
}
