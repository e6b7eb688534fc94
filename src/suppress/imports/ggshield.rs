//! ggshield: `.gitguardian.yaml`, versions 1 and 2.
//!
//! Must not know: other tools. Invariant: no value leaves this module but as a [`Secret`].

use serde_yaml::Value;

use super::{Fate, Mark, Taken};
use crate::model::Secret;

/// Reads a configuration.
pub(super) fn configuration(text: &str) -> Result<Taken, String> {
    let document: Value =
        serde_yaml::from_str(text).map_err(|_| "it is no YAML that could be read".to_owned())?;
    let mut taken = Taken::default();
    let empty = Value::Null;
    let secret = document.get("secret").unwrap_or(&empty);
    for place in [&document, secret] {
        let list = |names: [&str; 2]| {
            let values = names.iter().filter_map(|name| place.get(name)?.as_sequence());
            values.flatten().cloned().collect::<Vec<Value>>()
        };
        for path in list(["ignored_paths", "paths-ignore"]).iter().filter_map(Value::as_str) {
            taken.ignore_pattern(path);
        }
        for matched in list(["ignored_matches", "matches-ignore"]) {
            known(&mut taken, &matched);
        }
        for detector in list(["ignored_detectors", "banlisted-detectors"]).iter().filter_map(Value::as_str) {
            taken.note(
                Fate::NeedsYou,
                format!("the ignored detector `{detector}`: keyfence names its rules otherwise (`keyfence rules list`)"),
            );
        }
    }
    taken.note(Fate::Dropped, "everything about the service: keyfence asks nobody");
    Ok(taken)
}

fn known(taken: &mut Taken, matched: &Value) {
    let value = matched.as_str().or_else(|| matched.get("match").and_then(Value::as_str));
    let Some(value) = value else { return };
    let name = matched.get("name").and_then(Value::as_str).filter(|name| !name.is_empty());
    let reason =
        name.map_or("ignored for ggshield".to_owned(), |name| format!("ignored for ggshield: {name}"));
    let is_hash = value.len() == 64 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mark = if is_hash {
        Mark::Sha256(value.to_ascii_lowercase())
    } else {
        Mark::Value(Secret::new(value.as_bytes()))
    };
    taken.known(mark, reason);
}
