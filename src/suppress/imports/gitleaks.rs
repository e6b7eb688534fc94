//! gitleaks and betterleaks: `.gitleaks.toml` and `.gitleaksignore`.
//!
//! Must not know: other tools. Invariant: an allowlist that asks for several things at once is not taken over as one
//! that asks for less.

use toml::{Table, Value};

use super::{Fate, Mark, Taken, lines};
use crate::config::AllowEntry;

/// Reads a configuration.
pub(super) fn config(text: &str) -> Result<Taken, String> {
    let table: Table = text.parse().map_err(|_| "it is no TOML that could be read".to_owned())?;
    let mut taken = Taken::default();
    for allowlist in allowlists(&table) {
        self::allowlist(&mut taken, allowlist, None);
    }
    for rule in tables(table.get("rules")) {
        self::rule(&mut taken, rule);
    }
    if let Some(Value::Table(extend)) = table.get("extend") {
        self::extend(&mut taken, extend);
    }
    Ok(taken)
}

/// The new name and the old one.
fn allowlists(table: &Table) -> impl Iterator<Item = &Table> {
    tables(table.get("allowlists")).chain(tables(table.get("allowlist")))
}

fn tables(value: Option<&Value>) -> impl Iterator<Item = &Table> {
    let list: Vec<&Table> = match value {
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_table).collect(),
        Some(Value::Table(table)) => vec![table],
        _ => Vec::new(),
    };
    list.into_iter()
}

fn words<'a>(table: &'a Table, key: &str) -> Vec<&'a str> {
    match table.get(key) {
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(word)) => vec![word],
        _ => Vec::new(),
    }
}

fn allowlist(taken: &mut Taken, list: &Table, rule: Option<&str>) {
    let reason = list.get("description").and_then(Value::as_str).unwrap_or("taken over from gitleaks");
    let of = rule.map_or_else(String::new, |rule| format!(" of the rule `{rule}`"));
    let asks_for_all =
        list.get("condition").and_then(Value::as_str).is_some_and(|word| word.eq_ignore_ascii_case("and"));
    if asks_for_all {
        let what =
            format!("an allowlist{of} whose conditions must all hold (`{reason}`); write it under `allow`");
        return taken.note(Fate::NeedsYou, what);
    }
    if rule.is_some() || !words(list, "targetRules").is_empty() {
        let what =
            format!("an allowlist{of} for single rules (`{reason}`): keyfence names its rules otherwise");
        return taken.note(Fate::NeedsYou, what);
    }
    for path in words(list, "paths") {
        taken.path_expression(path, reason);
    }
    for expression in words(list, "regexes") {
        match list.get("regexTarget").and_then(Value::as_str) {
            None | Some("secret") => taken.value_expression(expression, reason),
            Some(_) => {
                taken.note(
                    Fate::NeedsYou,
                    "a pattern on the match or the whole line; keyfence asks values only",
                );
            }
        }
    }
    let stopwords = words(list, "stopwords");
    if !stopwords.is_empty() {
        taken.note(Fate::TakenOver, format!("{} stopwords as value patterns", stopwords.len()));
        let values = stopwords.iter().map(|word| format!("(?i){}", regex::escape(word))).collect();
        let reason = Some(reason.to_owned());
        taken.allow.push(AllowEntry { values, reason, ..AllowEntry::default() });
    }
    let commits = words(list, "commits").len();
    if commits > 0 {
        taken.note(
            Fate::Dropped,
            format!("{commits} commits: a baseline knows secrets by value, whatever commit holds them"),
        );
    }
}

fn rule(taken: &mut Taken, rule: &Table) {
    let id = rule.get("id").and_then(Value::as_str).unwrap_or("without a name");
    if rule.contains_key("regex") {
        taken.note(
            Fate::NeedsYou,
            format!("the rule `{id}`: look for it with `keyfence rules list`, or write a pack (`keyfence rules new`)"),
        );
    }
    for list in allowlists(rule) {
        allowlist(taken, list, Some(id));
    }
}

fn extend(taken: &mut Taken, extend: &Table) {
    for id in words(extend, "disabledRules") {
        taken.note(
            Fate::NeedsYou,
            format!("the disabled rule `{id}`: if keyfence is loud about the same, name its rule in `rules.disable`"),
        );
    }
    if extend.get("useDefault").is_some() {
        taken.note(Fate::Dropped, "`useDefault`: the built-in rules are always used");
    }
    for key in ["path", "url"].iter().filter(|key| extend.contains_key(**key)) {
        taken.note(Fate::NeedsYou, format!("`extend.{key}`: take that file over by itself"));
    }
}

/// Reads `commit:file:rule:line` and `file:rule:line` lines.
pub(super) fn ignore_file(text: &str) -> Taken {
    let mut taken = Taken::default();
    let mut unreadable = 0;
    for line in lines(text) {
        match place(line) {
            Some(mark) => taken.known(mark, "taken over from gitleaks' ignore file".to_owned()),
            None => unreadable += 1,
        }
    }
    if unreadable > 0 {
        taken.note(Fate::NeedsYou, format!("{unreadable} lines that are no fingerprints"));
    }
    taken
}

fn place(line: &str) -> Option<Mark> {
    let (rest, line) = line.rsplit_once(':')?;
    let (rest, _rule) = rest.rsplit_once(':')?;
    let is_commit = |text: &str| text.len() >= 7 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let path = rest.split_once(':').filter(|(commit, _)| is_commit(commit)).map_or(rest, |(_, path)| path);
    Some(Mark::Place { path: path.trim_start_matches("./").to_owned(), line: Some(line.parse().ok()?) })
}
