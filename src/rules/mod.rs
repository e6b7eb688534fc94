//! Rule packs: their format, the rules they become, and loading.
//!
//! Must not know: where scanned bytes come from, how findings look.
//! Invariant: the built-in rules are tables in the binary; using them parses nothing and compiles nothing.

mod builtin;
pub mod format;
mod load;
pub mod pattern;
mod rule;

pub use load::{PackError, load_packs};
pub use rule::{Classes, Kind, Need, PemKind, Provider, Rule, RuleSet, SetRule, Shape, Text};
