//! Rule packs: their format, the rules they become, and loading.
//!
//! Must not know: where scanned bytes come from, how findings look.
//! Invariant: the built-in rules are tables in the binary; using them parses nothing and compiles nothing.

mod builtin;
pub(crate) mod compile;
pub mod format;
mod identity;
mod load;
pub(crate) mod lookup;
pub mod pattern;
mod rule;
pub(crate) mod sieve;
pub mod word_list;

pub use builtin::word_tables;
pub use load::PackError;
pub use rule::{
    ARMOUR_REACH, AddressKind, Classes, Kind, List, NUMBERS_REACH, Need, PASSWORD_REACH, PHRASE_REACH,
    PemKind, Provider, Rule, RuleSet, SetRule, Shape, Text, URL_REACH,
};
