//! The labelled corpus: made from a seed, driven by the rules, and the measure of any scanner on it.
//!
//! `catalogue` says what can leak, `mint` invents values, `template` reads how people write files (`hosts/`,
//! `decoys/` beside this folder), `corpus` plants and labels, `tools` reads what a scanner found, `score` compares,
//! `table` tells.
//!
//! Must not know: how keyfence detects. Names and layouts come from the data files; of the rules only what a value is
//! (shape, checks, sets) is used, never what is looked for around it.
//! Invariant: the same seed, rules and data files give the same bytes.

pub mod catalogue;
pub mod corpus;
pub mod label;
pub mod mint;
pub mod noise;
pub mod random;
pub mod score;
pub mod table;
pub mod template;
pub mod tools;

/// What stops the making or the measuring.
pub type Error = Box<dyn std::error::Error>;
