//! Scores as Markdown.
//!
//! Must not know: how they came to be. Invariant: a figure stands with what it is a share of.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::score::{Score, Share};

const GROUPS: [(&str, &str); 5] = [
    ("exchange", "exchanges"),
    ("wallet", "wallets"),
    ("node", "nodes and data"),
    ("general", "general"),
    ("wrapped", "wrapped (all groups)"),
];

/// One column for each tool, scores of several seeds of one tool added up; then what the first tool misses.
pub fn markdown(scores: &[Score]) -> String {
    let mut tools: Vec<(&str, Vec<&Score>)> = Vec::new();
    for score in scores {
        match tools.iter_mut().find(|(tool, _)| *tool == score.tool) {
            Some((_, list)) => list.push(score),
            None => tools.push((&score.tool, vec![score])),
        }
    }
    let mut out = String::new();
    let head: Vec<&str> = tools.iter().map(|(tool, _)| *tool).collect();
    line(&mut out, "", &head.iter().map(|tool| (*tool).to_owned()).collect::<Vec<_>>());
    let _ = writeln!(out, "|---|{}", "---:|".repeat(head.len()));
    let mut row = |name: &str, share: &dyn Fn(&Score) -> Share| {
        let cells: Vec<String> = tools.iter().map(|(_, scores)| shown(sum(scores, share))).collect();
        line(&mut out, name, &cells);
    };
    for (group, title) in GROUPS {
        row(&format!("recall, {title}"), &|score| score.groups.get(group).copied().unwrap_or_default());
    }
    row("recall, all", &Score::recall);
    row("provider told, of those found", &|score| score.named);
    row("provider told, exchanges", &|score| score.named_groups.get("exchange").copied().unwrap_or_default());
    row("precision (lines)", &|score| score.precision);
    row("published values that block", &|score| score.known_blocking);
    row("passphrases found", &|score| score.roles.get("passphrase").copied().unwrap_or_default());
    out
}

/// What a tool misses and where, worst first: rules, then places.
pub fn misses(scores: &[Score], tool: &str) -> String {
    let own: Vec<&Score> = scores.iter().filter(|score| score.tool == tool).collect();
    let mut out = String::from("| rule | found |\n|---|---:|\n");
    for (rule, share) in lacking(&own, |score| &score.rules) {
        let _ = writeln!(out, "| `{rule}` | {} |", shown(share));
    }
    out.push_str("\n| place | found |\n|---|---:|\n");
    for (host, share) in lacking(&own, |score| &score.hosts) {
        let _ = writeln!(out, "| {host} | {} |", shown(share));
    }
    out
}

/// Every provider's recall, in one table.
pub fn providers(scores: &[Score], tool: &str) -> String {
    let own: Vec<&Score> = scores.iter().filter(|score| score.tool == tool).collect();
    let (full, rest): (Vec<_>, Vec<_>) =
        added(&own, |score| &score.providers).into_iter().partition(|(_, share)| share.found == share.of);
    let mut out = String::from("| provider | found |\n|---|---:|\n");
    for (provider, share) in rest {
        let _ = writeln!(out, "| {provider} | {} |", shown(share));
    }
    let names: Vec<String> =
        full.into_iter().map(|(provider, share)| format!("{provider} ({})", share.of)).collect();
    let _ = write!(out, "\nEverything planted was found of: {}.\n", names.join(", "));
    out
}

/// Findings that are none, by rule and by what was met.
pub fn wrong(scores: &[Score], tool: &str) -> String {
    let mut counted: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for place in scores.iter().filter(|score| score.tool == tool).flat_map(|score| &score.wrong) {
        *counted.entry((&place.rule, &place.host)).or_default() += 1;
    }
    let mut out = String::from("| rule | what was met | times |\n|---|---|---:|\n");
    for ((rule, host), times) in counted {
        let _ = writeln!(out, "| `{rule}` | {host} | {times} |");
    }
    out
}

fn line(out: &mut String, name: &str, cells: &[String]) {
    let _ = writeln!(out, "| {name} | {} |", cells.join(" | "));
}

fn sum(scores: &[&Score], share: &dyn Fn(&Score) -> Share) -> Share {
    scores.iter().fold(Share::default(), |all, score| all.plus(share(score)))
}

fn shown(share: Share) -> String {
    if share.of == 0 {
        return "–".to_owned();
    }
    format!("{:.3} ({}/{})", share.value(), share.found, share.of)
}

fn added(scores: &[&Score], of: impl Fn(&Score) -> &BTreeMap<String, Share>) -> BTreeMap<String, Share> {
    let mut all: BTreeMap<String, Share> = BTreeMap::new();
    for (name, share) in scores.iter().flat_map(|score| of(score)) {
        let entry = all.entry(name.clone()).or_default();
        *entry = entry.plus(*share);
    }
    all
}

fn lacking(scores: &[&Score], of: impl Fn(&Score) -> &BTreeMap<String, Share>) -> Vec<(String, Share)> {
    let mut all: Vec<(String, Share)> =
        added(scores, of).into_iter().filter(|(_, share)| share.found < share.of).collect();
    all.sort_by(|one, other| one.1.value().total_cmp(&other.1.value()).then(one.0.cmp(&other.0)));
    all
}
