//! Reports as bytes, one file for each format.
//!
//! Must not know: where bytes come from, how they were detected, arguments, exit codes.
//! Invariants: a value leaves only where `show_secrets` asks for it; nothing from a file reaches the output without
//! [`escape`]; the same report gives the same bytes (only people are told how long it took).

mod escape;
#[cfg(feature = "cli")]
mod hook;
#[cfg(feature = "cli")]
mod human;
mod json;
mod names;
#[cfg(feature = "cli")]
mod remedy;
#[cfg(feature = "cli")]
mod summary;
#[cfg(feature = "cli")]
mod text;
#[cfg(feature = "cli")]
mod wording;

pub use escape::{escape, escape_text};
#[cfg(feature = "cli")]
pub use human::{HookStage, HumanStyle, Occasion, write_human};
pub use json::{JsonOptions, write_json};
