//! kingfisher: the file that `--config` reads (`kingfisher.yaml`), and baselines of both versions.
//!
//! A baseline knows a finding by the XXH3-64 of its value, of where it was met (`file`, `git` or `ext`) and of its
//! bytes from first to last. That can be computed for what keyfence finds, so an entry means a value at a place, as
//! it did there. What paths and words mean was tried with kingfisher 2.14.
//!
//! Must not know: other tools. Invariant: an entry of a baseline means no value but its own.

use serde_yaml::Value;
use twox_hash::XxHash3_64;

use super::{Fate, Format, Mark, Taken};
use crate::config::AllowEntry;
use crate::model::Finding;

/// Where a value can have been met.
const ORIGINS: [&[u8]; 3] = [b"file", b"git", b"ext"];

/// The fingerprints that this module can compute.
const ALGORITHM: &str = "kingfisher-v1";

const REASON: &str = "taken over from kingfisher";

/// Sections that say nothing about what counts, and why nothing is lost with them.
const ELSEWHERE: [(&str, &str); 5] = [
    ("scan", "its levels and switches are its own"),
    ("validation", "keyfence asks no service"),
    ("output", "formats are chosen with `-f` and `-o`"),
    ("alerts", "keyfence sends nothing"),
    ("global", "keyfence uses no network"),
];

/// Whether `text` is a baseline, whatever its name is.
pub(super) fn is_baseline(text: &str) -> bool {
    let mark = format!("fingerprint_algorithm: {}", ALGORITHM.trim_end_matches("v1"));
    text.lines().any(|line| line.starts_with("ExactFindings:") || line.starts_with(&mark))
}

/// Reads a baseline.
pub(super) fn baseline(text: &str) -> Result<Taken, String> {
    let document = yaml(text)?;
    let mut taken = Taken::default();
    let algorithm = document.get("fingerprint_algorithm").map_or(Some(ALGORITHM), Value::as_str);
    if algorithm != Some(ALGORITHM) {
        taken.note(Fate::NeedsYou, "its fingerprints are newer than those that keyfence can recognise");
        return Ok(taken);
    }
    let of_repositories = list(&document, "repositories").flat_map(|repository| list(repository, "findings"));
    let exact = document.get("ExactFindings").into_iter().flat_map(|exact| list(exact, "matches"));
    let mut unreadable = 0;
    for entry in of_repositories.chain(exact) {
        match entry.get("fingerprint").map(fingerprints) {
            Some(marks) if !marks.is_empty() => {
                taken.known(Mark::Kingfisher(marks), "in the baseline of kingfisher".to_owned());
            }
            _ => unreadable += 1,
        }
    }
    if unreadable > 0 {
        taken.note(Fate::NeedsYou, format!("{unreadable} entries without a fingerprint that can be read"));
    }
    Ok(taken)
}

/// What was written can be decimal, or hexadecimal in 16 digits or after `0x`; both are meant where both can be.
fn fingerprints(value: &Value) -> Vec<u64> {
    let text = value.as_str().map(str::to_owned).or_else(|| value.as_u64().map(|number| number.to_string()));
    let text = text.unwrap_or_default();
    let hexadecimal = text.strip_prefix("0x").or_else(|| (text.len() == 16).then_some(text.as_str()));
    let hexadecimal = hexadecimal.and_then(|digits| u64::from_str_radix(digits, 16).ok());
    text.parse().ok().into_iter().chain(hexadecimal).collect()
}

/// Whether one of `marks` is the fingerprint of `finding`.
pub(super) fn knows(marks: &[u64], finding: &Finding) -> bool {
    ORIGINS.iter().any(|origin| {
        let place = [finding.span.start, finding.span.end].map(|at| (at as u64).to_le_bytes());
        let whole = [finding.secret.expose(), origin, &place[0], &place[1]].concat();
        marks.contains(&XxHash3_64::oneshot(&zeroize::Zeroizing::new(whole)))
    })
}

/// Reads a configuration.
pub(super) fn configuration(text: &str) -> Result<Taken, String> {
    let document = yaml(text)?;
    let mut taken = Taken::default();
    let nothing = Value::Null;
    let filters = document.get("filters").unwrap_or(&nothing);
    words(filters, "exclude").for_each(|pattern| excluded(&mut taken, pattern));
    words(filters, "skip_path_prefixes").for_each(|prefix| skipped_prefix(&mut taken, prefix));
    for extension in words(filters, "skip_file_extensions") {
        taken.ignore_pattern(&format!("*.{}", literal(extension.trim_start_matches('.'))));
    }
    skipped_words(&mut taken, filters);
    words(filters, "skip_regex").for_each(|expression| taken.value_expression(expression, REASON));
    comments(&mut taken, filters);
    rules(&mut taken, document.get("rules").unwrap_or(&nothing));
    if let Some(file) = document.get("baseline").and_then(|baseline| baseline.get("file")?.as_str()) {
        taken.note(Fate::TakenOver, format!("the baseline `{file}`, if it is here"));
        taken.files.push((file.to_owned(), Format::KingfisherBaseline));
    }
    for (section, why) in ELSEWHERE.into_iter().filter(|(section, _)| document.get(section).is_some()) {
        taken.note(Fate::Dropped, format!("`{section}`: {why}"));
    }
    Ok(taken)
}

/// Patterns of names mean the same as in a .gitignore; those with a directory in them meet paths as they were typed.
fn excluded(taken: &mut Taken, pattern: &str) {
    let name = pattern.strip_prefix("**/").unwrap_or(pattern);
    let name = name.strip_suffix("/**").filter(|_| name.len() < pattern.len()).unwrap_or(name);
    if !name.is_empty() && !name.trim_end_matches('/').contains('/') {
        return taken.ignore_pattern(pattern);
    }
    taken.note(
        Fate::NeedsYou,
        format!("pattern `{pattern}`: it meets paths as they are typed; write it in .keyfenceignore, from the root"),
    );
}

fn skipped_prefix(taken: &mut Taken, prefix: &str) {
    if prefix.starts_with(['.', '/']) {
        let what = format!("paths that begin with `{prefix}`: write them in .keyfenceignore, from the root");
        return taken.note(Fate::NeedsYou, what);
    }
    let rest = if prefix.ends_with('/') { "" } else { "*" };
    taken.ignore_pattern(&format!("/{}{rest}", literal(prefix)));
}

/// The text as a pattern that means nothing but itself.
fn literal(text: &str) -> String {
    let escaped = text.chars().flat_map(|character| {
        let mark = "\\*?[]!#".contains(character).then_some('\\');
        mark.into_iter().chain([character])
    });
    escaped.collect()
}

fn skipped_words(taken: &mut Taken, filters: &Value) {
    let values: Vec<String> =
        words(filters, "skip_words").map(|word| format!("(?i){}", regex::escape(word))).collect();
    if values.is_empty() {
        return;
    }
    taken.note(Fate::TakenOver, format!("{} words as value patterns", values.len()));
    taken.allow.push(AllowEntry { values, reason: Some(REASON.to_owned()), ..AllowEntry::default() });
}

fn comments(taken: &mut Taken, filters: &Value) {
    for comment in words(filters, "extra_ignore_comments") {
        let what = format!("the comment `{comment}` allows nothing here; write `keyfence:allow` beside it");
        taken.note(Fate::NeedsYou, what);
    }
    if filters.get("no_inline_ignore").and_then(Value::as_bool) == Some(true) {
        taken.note(Fate::NeedsYou, "comments did not count: write `comments: false` if none shall");
    }
    for (key, why) in [
        ("max_file_size_mb", "keyfence reads files of any size; `max_file_size` limits it"),
        ("skip_aws_accounts", "keyfence asks no service"),
    ] {
        if filters.get(key).is_some() {
            taken.note(Fate::Dropped, format!("`{key}`: {why}"));
        }
    }
}

fn rules(taken: &mut Taken, rules: &Value) {
    for id in words(rules, "disabled") {
        taken.note(
            Fate::NeedsYou,
            format!("the disabled rule `{id}`: if keyfence is loud about the same, name its rule in `rules.disable`"),
        );
    }
    let enabled = words(rules, "enabled").filter(|id| *id != "all").count();
    if enabled > 0 {
        let what = format!("{enabled} rules alone were used: see `default_rules` and `rules.enable`");
        taken.note(Fate::NeedsYou, what);
    }
    for path in words(rules, "paths") {
        let what = format!("rules of your own in `{path}`: write a pack (`keyfence rules new`)");
        taken.note(Fate::NeedsYou, what);
    }
}

fn yaml(text: &str) -> Result<Value, String> {
    let document: Value =
        serde_yaml::from_str(text).map_err(|_| "it is no YAML that could be read".to_owned())?;
    let is_file = document.is_mapping() || document.is_null();
    is_file.then_some(document).ok_or_else(|| "it is no file of kingfisher".to_owned())
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_sequence).into_iter().flatten()
}

fn words<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a str> {
    list(value, key).filter_map(Value::as_str).filter(|word| !word.is_empty())
}
