//! The packs under `rules/`, as tables that the build script wrote.
//!
//! Must not know: YAML.
//! Invariant: equal to what loading the same packs at run time gives (a test compares them).

use std::borrow::Cow;

use super::lookup::{NameTable, WordTable};
use super::rule::RuleSet;
use super::sieve::{self, Sieve};
use super::word_list::WordTables;

mod tables {
    use std::borrow::Cow::{self, Borrowed};

    use crate::model::{Role, Severity};
    use crate::rules::lookup::{NameEntry, NameTable, WordEntry, WordTable};
    use crate::rules::pattern::{Alphabet, Item};
    use crate::rules::rule::{AddressKind, Classes, Kind, Need, PemKind, Provider, Rule, SetRule, Shape};

    use crate::rules::sieve::{Entry, Rows, Sieve};
    use crate::rules::word_list::WordTables;

    include!(concat!(env!("OUT_DIR"), "/builtin_rules.rs"));
}

/// The words of seed phrases in other lists than the English one of BIP-39. Costs nothing: they are in the binary.
pub fn word_tables() -> &'static WordTables {
    &tables::LISTS
}

impl RuleSet {
    /// The rules that ship with keyfence. Costs nothing: the tables are in the binary.
    pub fn builtin() -> Self {
        Self { providers: Cow::Borrowed(tables::PROVIDERS), rules: Cow::Borrowed(tables::RULES) }
    }

    fn is_builtin(&self) -> bool {
        std::ptr::eq(&*self.rules, tables::RULES) && std::ptr::eq(&*self.providers, tables::PROVIDERS)
    }

    /// Which shapes a run could be, by what is known of it. Costs nothing for the built-in rules, as the tables below.
    pub(crate) fn sieves(&self) -> Cow<'static, [Sieve; 3]> {
        if self.is_builtin() { Cow::Borrowed(&tables::SIEVES) } else { Cow::Owned(sieve::sieves(self)) }
    }

    /// The names of the parts.
    pub(crate) fn name_table(&self) -> Cow<'static, NameTable> {
        if self.is_builtin() { Cow::Borrowed(&tables::NAMES) } else { Cow::Owned(NameTable::of(self)) }
    }

    /// The words of the providers.
    pub(crate) fn word_table(&self) -> Cow<'static, WordTable> {
        if self.is_builtin() { Cow::Borrowed(&tables::WORDS) } else { Cow::Owned(WordTable::of(self)) }
    }
}

#[cfg(test)]
mod tests {
    use super::{NameTable, RuleSet, WordTable, sieve};

    #[test]
    fn the_tables_in_the_binary_are_those_of_the_rules() {
        let rules = RuleSet::builtin();
        assert!(rules.is_builtin());
        assert_eq!(*rules.sieves(), sieve::sieves(&rules));
        assert_eq!(*rules.name_table(), NameTable::of(&rules));
        assert_eq!(*rules.word_table(), WordTable::of(&rules));
    }

    #[test]
    fn other_rules_have_tables_of_their_own() {
        let fewer = RuleSet::builtin().keeping(|index, _| index % 2 == 0);
        assert!(!fewer.is_builtin());
        assert!(fewer.name_table().names.len() < RuleSet::builtin().name_table().names.len());
    }
}
