//! `rules new`: a pack to begin with.
//!
//! Must not know: files; the pack is printed, and whoever asked decides where it goes.
//! Invariant: what is printed passes `rules lint` and `rules test` as it is.

use super::super::failure::{Ending, Failure};
use super::super::output::say;
use super::super::text;

const TEMPLATE: &str = include_str!("template.yaml");

/// Prints the template for that provider.
pub(super) fn print(provider: &str) -> Result<Ending, Failure> {
    let is_id = !provider.is_empty()
        && provider.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !is_id {
        return Err(Failure::usage(
            format!("`{}` cannot be a provider's id", text::line(provider)),
            "write lower-case letters, digits and dashes; the file is then named like it, with .yaml",
        ));
    }
    let underscored = provider.replace('-', "_");
    // Names in code are written with underscores, and a word counts as it is written.
    let both = if underscored == provider { provider } else { &format!("{provider}, {underscored}") };
    let pack = TEMPLATE.replace("acme", provider).replace("ACME", &underscored.to_uppercase());
    let pack = pack.replacen(&format!("words: [{provider},"), &format!("words: [{both},"), 1);
    say(&pack)?;
    Ok(Ending::Clean)
}
