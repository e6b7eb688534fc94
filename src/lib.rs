//! keyfence finds crypto-exchange keys, wallet keys and cloud tokens in bytes, files and git.

#[cfg(feature = "cli")]
pub mod cli;
pub mod detect;
pub mod model;
pub mod report;
pub mod rules;
pub mod scan;
pub mod source;
pub mod suppress;
