//! Reports as bytes, one file for each format.
//!
//! Must not know: where bytes come from, how they were detected, arguments, exit codes.
//! Invariants: a value leaves only where `show_secrets` asks for it; nothing from a file reaches the output without
//! [`escape`]; the same report gives the same bytes (only people are told how long it took).

mod csv;
mod escape;
mod exposure;
mod github;
mod gitlab;
mod groups;
#[cfg(feature = "cli")]
mod hook;
mod html;
#[cfg(feature = "cli")]
mod human;
mod json;
mod jsonl;
mod junit;
mod markdown;
mod moment;
mod names;
mod overview;
#[cfg(feature = "cli")]
mod remedy;
mod sarif;
#[cfg(feature = "cli")]
mod summary;
#[cfg(feature = "cli")]
mod text;
mod wording;

pub use csv::write_csv;
pub use escape::{escape, escape_text};
pub use github::write_github;
pub use gitlab::{write_code_quality, write_gitlab};
pub use html::write_html;
#[cfg(feature = "cli")]
pub use human::{HookStage, HumanStyle, Occasion, write_human};
pub use json::{JsonOptions, write_json};
pub use jsonl::write_jsonl;
pub use junit::write_junit;
pub use markdown::write_markdown;
pub use names::without_values;
pub use overview::write_overview;
pub use sarif::write_sarif;
#[cfg(feature = "cli")]
pub(crate) use summary::problem_words;
