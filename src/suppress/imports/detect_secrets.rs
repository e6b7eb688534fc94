//! detect-secrets: `.secrets.baseline`, which knows secrets by their SHA-1.
//!
//! Must not know: other tools. Invariant: what was judged a real secret is not allowed by being taken over: it goes
//! into the baseline with that judgement as its reason.

use serde_json::Value;

use super::{Fate, Mark, Taken};

/// Reads a baseline.
pub(super) fn baseline(text: &str) -> Result<Taken, String> {
    let document: Value =
        serde_json::from_str(text).map_err(|_| "it is no JSON that could be read".to_owned())?;
    let results = document.get("results").and_then(Value::as_object);
    let results = results.ok_or("it has no `results`, so it is no baseline of detect-secrets")?;
    let mut taken = Taken::default();
    for (file, secrets) in results {
        secrets.as_array().into_iter().flatten().for_each(|secret| known(&mut taken, file, secret));
    }
    for filter in document.get("filters_used").and_then(Value::as_array).into_iter().flatten() {
        self::filter(&mut taken, filter);
    }
    taken.note(Fate::Dropped, "plugins and their limits: keyfence has rules of its own");
    Ok(taken)
}

fn known(taken: &mut Taken, file: &str, secret: &Value) {
    let label = match secret.get("is_secret").and_then(Value::as_bool) {
        Some(true) => "audited there as a secret",
        Some(false) => "audited there as no secret",
        None => "never audited there",
    };
    let reason = format!("in the baseline of detect-secrets, {label}");
    // Of a private key it hashes only the line with which the armour begins, which says nothing.
    let is_key = secret.get("type").and_then(Value::as_str) == Some("Private Key");
    let line = secret.get("line_number").and_then(Value::as_u64).and_then(|line| u32::try_from(line).ok());
    let hash = secret.get("hashed_secret").and_then(Value::as_str).filter(|hash| hash.len() == 40);
    match hash {
        Some(hash) if !is_key => taken.known(Mark::Sha1(hash.to_ascii_lowercase()), reason),
        _ => taken.known(Mark::Place { path: file.replace('\\', "/"), line }, reason),
    }
}

fn filter(taken: &mut Taken, filter: &Value) {
    let name = filter.get("path").and_then(Value::as_str).unwrap_or_default();
    let patterns: Vec<&str> = match filter.get("pattern") {
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(word)) => vec![word],
        _ => Vec::new(),
    };
    let reason = "excluded for detect-secrets";
    for pattern in patterns {
        match name.rsplit('.').next() {
            Some("should_exclude_file") => taken.path_expression(pattern, reason),
            Some("should_exclude_secret") => taken.value_expression(pattern, reason),
            _ => taken.note(Fate::NeedsYou, "a pattern on whole lines; keyfence asks values only"),
        }
    }
}
