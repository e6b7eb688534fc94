//! The configuration file as it is written: YAML into the values of this room, checked field by field.
//!
//! Must not know: files, what the fields are used for.
//! Invariant: no message quotes a value, because a pattern can hold one.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{AllowEntry, Config, Level, MAX_ALLOW_ENTRIES, MAX_CONFIG_BYTES, suggestion};
use crate::model::{Confidence, Day, Severity};

/// `docs/config.schema.json` says the same for editors.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Document {
    version: Option<u32>,
    inherit: Option<bool>,
    confidence: Option<String>,
    default_rules: Option<bool>,
    packs: Words,
    rules: Rules,
    comments: Option<bool>,
    require_reason: Option<bool>,
    max_file_size: Option<Size>,
    baseline: Option<String>,
    allow: Vec<Entry>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Rules {
    enable: Words,
    disable: Words,
    severity: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Entry {
    rule: Words,
    path: Words,
    fingerprint: Words,
    value: Words,
    reason: Option<String>,
    until: Option<String>,
}

/// One word or a list of them.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Words {
    One(String),
    Many(Vec<String>),
}

impl Default for Words {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl From<Words> for Vec<String> {
    fn from(words: Words) -> Self {
        match words {
            Words::One(word) => vec![word],
            Words::Many(words) => words,
        }
    }
}

/// Bytes as a number or as people write them.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Size {
    Bytes(u64),
    Text(String),
}

/// The YAML reader's time grows with the square of the depth.
const MAX_DEPTH: usize = 1_000;

const CONFIDENCES: [Confidence; 3] = [Confidence::Possible, Confidence::Likely, Confidence::Certain];

/// Reads and checks a file of that level.
pub(super) fn parse(text: &str, level: Level) -> Result<Config, String> {
    if text.len() > MAX_CONFIG_BYTES {
        return Err(format!("it is larger than {MAX_CONFIG_BYTES} bytes"));
    }
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(Config::default());
    }
    if nests_deeper_than(text, MAX_DEPTH) {
        return Err(format!("it nests deeper than {MAX_DEPTH} brackets"));
    }
    let document: Document = serde_yaml::from_str(text).map_err(|error| complaint(&error))?;
    if level == Level::Nested {
        document.check_nested()?;
    }
    document.config()
}

/// Whether so many brackets stand open at once. Brackets in quotes count too: this only has to be far above what
/// honest files hold and far below what keeps the reader busy.
fn nests_deeper_than(text: &str, limit: usize) -> bool {
    let mut open = 0_usize;
    text.bytes().any(|byte| {
        match byte {
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        open > limit
    })
}

impl Document {
    /// What holds for a whole scan cannot be said for a directory.
    fn check_nested(&self) -> Result<(), String> {
        let packs = matches!(&self.packs, Words::One(_))
            || matches!(&self.packs, Words::Many(words) if !words.is_empty());
        let said = [
            ("confidence", self.confidence.is_some()),
            ("default_rules", self.default_rules.is_some()),
            ("packs", packs),
            ("rules.severity", !self.rules.severity.is_empty()),
            ("comments", self.comments.is_some()),
            ("require_reason", self.require_reason.is_some()),
            ("max_file_size", self.max_file_size.is_some()),
            ("baseline", self.baseline.is_some()),
        ];
        match said.into_iter().find(|(_, said)| *said) {
            Some((field, _)) => Err(format!(
                "`{field}` holds for everything and can only be said in the file at the root; here: allow, \
                 rules.disable, rules.enable, inherit"
            )),
            None => Ok(()),
        }
    }

    fn config(self) -> Result<Config, String> {
        if self.version.is_some_and(|version| version != 1) {
            return Err("`version` must be 1, the only one that this keyfence knows".to_owned());
        }
        if self.allow.len() > MAX_ALLOW_ENTRIES {
            return Err(format!(
                "`allow` has more than {MAX_ALLOW_ENTRIES} entries; a baseline holds as many as you like"
            ));
        }
        let entry = |(index, entry): (usize, Entry)| {
            entry.checked().map_err(|message| format!("`allow`, entry {}: {message}", index + 1))
        };
        Ok(Config {
            inherit: self.inherit,
            confidence: self.confidence.as_deref().map(confidence).transpose()?,
            default_rules: self.default_rules,
            packs: self.packs.into(),
            enable: self.rules.enable.into(),
            disable: self.rules.disable.into(),
            severity: self.rules.severity.into_iter().map(severity).collect::<Result<_, _>>()?,
            comments: self.comments,
            require_reason: self.require_reason,
            max_file_size: self.max_file_size.as_ref().map(size).transpose()?,
            baseline: self.baseline,
            allow: self.allow.into_iter().enumerate().map(entry).collect::<Result<_, _>>()?,
        })
    }
}

impl Entry {
    fn checked(self) -> Result<AllowEntry, String> {
        let until = self.until.map(|text| {
            Day::parse(&text).ok_or_else(|| "`until` must be a day, such as 2027-01-31".to_owned())
        });
        let entry = AllowEntry {
            rules: self.rule.into(),
            paths: self.path.into(),
            fingerprints: self.fingerprint.into(),
            values: self.value.into(),
            reason: self.reason.filter(|reason| !reason.trim().is_empty()),
            until: until.transpose()?,
        };
        let conditions = [&entry.rules, &entry.paths, &entry.fingerprints, &entry.values];
        if conditions.iter().all(|condition| condition.is_empty()) {
            return Err(
                "it names neither rule, path, fingerprint nor value, so it would allow everything".into()
            );
        }
        if conditions.iter().any(|condition| condition.iter().any(|word| word.trim().is_empty())) {
            return Err("it holds an empty word".into());
        }
        let is_fingerprint = |text: &String| text.len() == 32 && text.bytes().all(is_hex_digit);
        if !entry.fingerprints.iter().all(is_fingerprint) {
            return Err(
                "`fingerprint` must be 32 lower-case hex digits, as the JSON report shows them".into()
            );
        }
        Ok(entry)
    }
}

fn is_hex_digit(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)
}

fn confidence(word: &str) -> Result<Confidence, String> {
    let found = CONFIDENCES.into_iter().find(|confidence| confidence.as_str() == word);
    found.ok_or_else(|| "`confidence` must be possible, likely or certain".to_owned())
}

fn severity((rule, word): (String, String)) -> Result<(String, Severity), String> {
    match Severity::parse(&word) {
        Some(severity) => Ok((rule, severity)),
        None => Err("`rules.severity` must be low, medium, high or critical for each rule".to_owned()),
    }
}

fn size(size: &Size) -> Result<u64, String> {
    let bytes = match size {
        Size::Bytes(bytes) => Some(*bytes),
        Size::Text(text) => size_in_words(text),
    };
    bytes.filter(|&bytes| bytes > 0).ok_or_else(|| {
        "`max_file_size` must be a number with K, M or G after it if you like, such as 64M".to_owned()
    })
}

/// Each step is 1024.
fn size_in_words(text: &str) -> Option<u64> {
    let number = text.trim_end_matches(|character: char| !character.is_ascii_digit());
    let shift = match text[number.len()..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(1 << shift)
}

/// The YAML reader's complaint without anything that it quotes but names of fields.
fn complaint(error: &serde_yaml::Error) -> String {
    let text = error.to_string();
    let place = error.location().map(|place| format!(" (line {}, column {})", place.line(), place.column()));
    let place = place.unwrap_or_default();
    let mut quoted = text.split('`').skip(1).step_by(2);
    if !text.contains("unknown field") {
        let told = text.split(['"', '`']).next().unwrap_or_default().trim_end_matches([':', ' ']);
        return format!("{told}{place}");
    }
    let field = quoted.next().unwrap_or_default().to_owned();
    let known: Vec<&str> = quoted.collect();
    let meant = match suggestion(&field, known.iter().copied()) {
        Some(word) => format!("did you mean `{word}`?"),
        None => format!("known here: {}", known.join(", ")),
    };
    // A key that is no identifier could be anything, also a value in the wrong place.
    let is_name =
        field.len() <= 40 && field.bytes().all(|byte| byte.is_ascii_alphabetic() || b"_-".contains(&byte));
    let named = if is_name { format!("the key `{field}`") } else { "a key".to_owned() };
    format!("{named} is not known{place}; {meant}")
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::parse;
    use crate::config::{AllowEntry, Config, Level};
    use crate::model::{Confidence, Day, Severity};

    #[test]
    fn everything_that_can_be_said() {
        let text = "\
version: 1
confidence: certain
default_rules: true
packs: security/rules
rules:
  enable: [generic-secret]
  disable: generic-*
  severity: { telegram-bot-token: critical }
comments: true
require_reason: true
max_file_size: 64M
baseline: security/baseline
allow:
  - rule: [binance-*, okx-api-key]
    path: tests/**
    value: '^test'
    reason: invented
    until: 2027-01-31
  - fingerprint: 0123456789abcdef0123456789abcdef
";
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        let expected = Config {
            inherit: None,
            confidence: Some(Confidence::Certain),
            default_rules: Some(true),
            packs: words(&["security/rules"]),
            enable: words(&["generic-secret"]),
            disable: words(&["generic-*"]),
            severity: [("telegram-bot-token".to_owned(), Severity::Critical)].into(),
            comments: Some(true),
            require_reason: Some(true),
            max_file_size: Some(64 << 20),
            baseline: Some("security/baseline".to_owned()),
            allow: vec![
                AllowEntry {
                    rules: words(&["binance-*", "okx-api-key"]),
                    paths: words(&["tests/**"]),
                    values: words(&["^test"]),
                    reason: Some("invented".to_owned()),
                    until: Day::parse("2027-01-31"),
                    ..AllowEntry::default()
                },
                AllowEntry {
                    fingerprints: words(&["0123456789abcdef0123456789abcdef"]),
                    ..AllowEntry::default()
                },
            ],
        };
        assert_eq!(parse(text, Level::Top), Ok(expected));
        for empty in ["", "# nothing\n", "{}", "---\n{}\n"] {
            assert_eq!(parse(empty, Level::Top), Ok(Config::default()), "{empty:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, expected) in [
            ("alow: []", "the key `alow` is not known (line 1, column 1); did you mean `allow`?"),
            ("rules: { disabled: x }", "did you mean `disable`?"),
            ("allow:\n  - rules: x", "the key `rules` is not known (line 2, column 5); did you mean `rule`?"),
            ("zebra: 1", "known here: version, inherit"),
            ("confidence: sure", "`confidence` must be"),
            ("version: 2", "`version` must be 1"),
            ("allow: [{ reason: x }]", "`allow`, entry 1: it names neither"),
            ("allow: [{ rule: '' }]", "empty word"),
            ("allow: [{ rule: x, until: 2027-02-30 }]", "`until` must be a day"),
            ("allow: [{ fingerprint: ABC }]", "32 lower-case hex digits"),
            ("rules: { severity: { x: bad } }", "`rules.severity` must be"),
            ("max_file_size: 0", "`max_file_size` must be"),
            ("max_file_size: 10T", "`max_file_size` must be"),
            ("allow: 5", "invalid type"),
            ("a: [", "line"),
            ("- a", "invalid type"),
        ] {
            let message = parse(text, Level::Top).expect_err(text);
            assert!(message.contains(expected), "{text}: {message}");
        }
        let nested = parse("confidence: likely", Level::Nested).expect_err("it holds for everything");
        assert!(nested.contains("`confidence` holds for everything"), "{nested}");
        assert!(parse("inherit: false\nallow: [{ rule: x }]\nrules: { disable: x }", Level::Nested).is_ok());
    }

    #[test]
    fn messages_quote_no_value() {
        let value = ["hunter2", "hunter2"].concat();
        for text in [
            format!("allow: {value}"),
            format!("comments: {value}"),
            format!("{value}: 1"),
            format!("allow: [{{ fingerprint: {value} }}]"),
            format!("allow: [{{ rule: x, until: {value} }}]"),
            format!("max_file_size: {value}"),
            format!("\"{value}"),
        ] {
            let message = parse(&text, Level::Top).expect_err(&text);
            assert!(!message.contains(&value), "{message}");
        }
    }

    #[test]
    fn hostile_documents_end_soon() {
        let bomb = {
            let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
            for level in 1..12 {
                let before = format!("*a{}", level - 1);
                text.push_str(&format!("a{level}: &a{level} [{}]\n", vec![before; 10].join(", ")));
            }
            text + "allow: *a11\n"
        };
        let hostile = [
            bomb,
            "[".repeat(200_000),
            "{a: ".repeat(60_000),
            "- ".repeat(100_000),
            "? ".repeat(100_000),
            format!("allow: [{}]", "{rule: x},".repeat(20_000)),
            "&a ".repeat(80_000),
            "a: |\n".repeat(40_000),
            format!("a: \"{}", "\\\n".repeat(100_000)),
            "x".repeat(300_000),
        ];
        for text in hostile {
            let begun = Instant::now();
            assert!(parse(&text, Level::Top).is_err());
            assert!(begun.elapsed() < Duration::from_secs(5), "{}: {:?}", &text[..20], begun.elapsed());
        }
    }
}
