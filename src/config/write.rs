//! Allow entries as the text of a configuration.
//!
//! Must not know: files. Invariant: what is written is read back as the same entries.

use super::AllowEntry;

/// The `allow` list of a configuration; nothing where there is no entry.
pub fn allow_text(entries: &[AllowEntry]) -> String {
    if entries.is_empty() {
        return String::new();
    }
    let mut text = "allow:\n".to_owned();
    for entry in entries {
        let mut fields = Vec::new();
        for (name, words) in [
            ("rule", &entry.rules),
            ("path", &entry.paths),
            ("fingerprint", &entry.fingerprints),
            ("value", &entry.values),
        ] {
            match words.as_slice() {
                [] => {}
                [word] => fields.push(format!("{name}: {}", quoted(word))),
                words => {
                    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
                    fields.push(format!("{name}: [{}]", words.join(", ")));
                }
            }
        }
        fields.extend(entry.reason.as_ref().map(|reason| format!("reason: {}", quoted(reason))));
        fields.extend(entry.until.map(|until| format!("until: {until}")));
        text.push_str(&format!("  - {}\n", fields.join("\n    ")));
    }
    text
}

/// A YAML word in quotes in which everything stands for itself; what cannot stand in such a word is written out.
fn quoted(word: &str) -> String {
    if word.chars().any(char::is_control) {
        let escaped = word.chars().map(|character| match character {
            '"' | '\\' => format!("\\{character}"),
            _ if character.is_control() => format!("\\u{:04x}", u32::from(character)),
            _ => character.to_string(),
        });
        return format!("\"{}\"", escaped.collect::<String>());
    }
    format!("'{}'", word.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::allow_text;
    use crate::config::{AllowEntry, Config, Level};
    use crate::model::Day;

    #[test]
    fn what_is_written_is_read_back() {
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        let entries = vec![
            AllowEntry {
                rules: words(&["a", "b*"]),
                reason: Some("it's: so # fine".into()),
                ..Default::default()
            },
            AllowEntry {
                paths: words(&["*.lock", "!x", "- y", "a\tb"]),
                values: words(&[r"^\d{3}'\x22$", "[{&*", "\u{7}\\\""]),
                until: Day::parse("2027-01-31"),
                ..Default::default()
            },
            AllowEntry { fingerprints: words(&["0".repeat(32).as_str()]), ..Default::default() },
        ];
        let read = Config::parse(&allow_text(&entries), Level::Top).expect("it is a configuration");
        assert_eq!(read.allow, entries);
        assert_eq!(allow_text(&[]), "");
    }
}
