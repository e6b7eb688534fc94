//! Talisman: `.talismanrc`.
//!
//! Must not know: other tools. Invariant: a file that it knew by a checksum is not allowed for ever: what is found in
//! it now goes into the baseline, what comes later counts.

use serde_yaml::Value;

use super::{Fate, Mark, Taken};

/// Reads a configuration.
pub(super) fn configuration(text: &str) -> Result<Taken, String> {
    let document: Value =
        serde_yaml::from_str(text).map_err(|_| "it is no YAML that could be read".to_owned())?;
    let mut taken = Taken::default();
    let list = |key: &str| document.get(key).and_then(Value::as_sequence).into_iter().flatten();
    for file in list("fileignoreconfig") {
        let Some(name) = file.get("filename").and_then(Value::as_str) else { continue };
        if name.contains(['*', '?', '[']) {
            taken.ignore_pattern(name);
        } else {
            let reason = "in .talismanrc by its checksum".to_owned();
            taken.known(Mark::Place { path: name.to_owned(), line: None }, reason);
        }
    }
    for pattern in list("allowed_patterns").filter_map(Value::as_str) {
        taken.value_expression(pattern, "allowed for Talisman");
    }
    let own = list("custom_patterns").count();
    if own > 0 {
        taken
            .note(Fate::NeedsYou, format!("{own} patterns of your own: write a pack (`keyfence rules new`)"));
    }
    for key in ["scopeconfig", "threshold", "custom_severities", "experimental", "version"] {
        if document.get(key).is_some() {
            taken.note(Fate::Dropped, format!("`{key}`: it means nothing to keyfence"));
        }
    }
    Ok(taken)
}
