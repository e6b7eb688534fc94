//! What a credential is, how bad it is and why it is believed, in words.
//!
//! Must not know: lines, widths, colours.
//! Invariant: every text that leaves here is escaped and holds no value.

use crate::model::{Coverage, CredentialState, Evidence, Finding, Guide, Report, Role, SkipReason};

use super::escape::escape_text;

/// What a credential is: `Binance API key and API secret`.
pub(super) fn title(report: &Report, findings: &[&Finding]) -> String {
    let provider = findings.first().map_or("", |finding| finding.provider.as_str());
    let name = provider_name(report, provider);
    let mut parts: Vec<String> = Vec::new();
    for finding in findings {
        let part = going_on(&name, spoken(&finding.part));
        if !parts.contains(&part) && !name.to_lowercase().contains(&part.to_lowercase()) {
            parts.push(part);
        }
    }
    if parts.is_empty() { name } else { format!("{name} {}", listed(&parts, "and")) }
}

/// The part without a first word that the name ends with: `Telegram bot` and `bot token` are one bot.
fn going_on(name: &str, part: String) -> String {
    let last = name.rsplit(' ').next().unwrap_or_default();
    match part.split_once(' ') {
        Some((first, rest)) if first.eq_ignore_ascii_case(last) => rest.to_owned(),
        _ => part,
    }
}

/// The provider's name as people write it; its id where no guide knows it.
pub(super) fn provider_name(report: &Report, provider: &str) -> String {
    match guide(report, provider).map(|guide| guide.title.as_str()) {
        Some(title) if !title.is_empty() => escape_text(title),
        _ => escape_text(provider),
    }
}

/// What to know and do about a provider's credentials.
pub(super) fn guide<'a>(report: &'a Report, provider: &str) -> Option<&'a Guide> {
    report.guides.get(provider)
}

/// What somebody who has these parts can do.
pub(super) fn meaning(report: &Report, state: CredentialState, findings: &[&Finding]) -> String {
    let provider = findings.first().map_or("", |finding| finding.provider.as_str());
    let power = match guide(report, provider).map(|guide| guide.power.as_str()) {
        Some(power) if !power.is_empty() => escape_text(power),
        _ => "use it in your name".to_owned(),
    };
    let only_identifiers = findings.iter().all(|finding| finding.role == Role::Identifier);
    match state {
        CredentialState::Complete => format!("complete: whoever has it can {power}"),
        CredentialState::Half if only_identifiers => {
            "half: alone it opens nothing, but the secret that belongs to it may be near".to_owned()
        }
        CredentialState::Half => {
            format!("half: whoever also has the part that is missing here can {power}")
        }
    }
}

/// Why it is believed, in one sentence: names, context, checks of all parts.
pub(super) fn belief(findings: &[&Finding]) -> String {
    let mut reasons: Vec<String> = Vec::new();
    let names = distinct(findings, |evidence| evidence.name.as_slice());
    if !names.is_empty() {
        reasons.push(format!("named {}", listed(&names, "and")));
    }
    reasons.extend(distinct(findings, |evidence| &evidence.context));
    for check in distinct(findings, |evidence| &evidence.checks) {
        let words = passed(&check);
        if !reasons.contains(&words) {
            reasons.push(words);
        }
    }
    if reasons.is_empty() {
        reasons.push("has the shape".to_owned());
    }
    let surest = findings.iter().map(|finding| finding.confidence).max();
    let confidence = surest.map_or(String::new(), |confidence| format!("{}: ", confidence.as_str()));
    format!("{confidence}{}{}", reasons.join("; "), other_providers(findings))
}

/// What it means that a check passed.
fn passed(check: &str) -> String {
    let words = match check {
        "bip39" => "its words and their checksum fit",
        "crc32-base62" => "its checksum is right",
        "der-private-key" | "private-key" => "reads as a private key",
        "ed25519-pair" => "its two halves belong together",
        "jwt" => "reads as a JSON web token",
        "object-id-time" => "holds a time at which it can have been made",
        "secp256k1-range" => "is in the range of wallet keys",
        "uuid4" => "has the form of a random UUID",
        other => return format!("passes the check {other}"),
    };
    words.to_owned()
}

fn other_providers(findings: &[&Finding]) -> String {
    let mut others: Vec<String> = Vec::new();
    for name in findings.iter().flat_map(|finding| &finding.alternatives) {
        let name = escape_text(name);
        if !others.contains(&name) {
            others.push(name);
        }
    }
    if others.is_empty() { String::new() } else { format!("; could also be {}", listed(&others, "or")) }
}

fn distinct<'a>(findings: &[&'a Finding], field: impl Fn(&'a Evidence) -> &'a [String]) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in findings.iter().flat_map(|finding| field(&finding.evidence)) {
        let word = shortened(&escape_text(word));
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words
}

/// Names come from files: one of a thousand letters must not push the rest off the screen.
fn shortened(word: &str) -> String {
    const LONGEST: usize = 80;
    if word.chars().count() <= LONGEST {
        return word.to_owned();
    }
    word.chars().take(LONGEST - 1).chain(['…']).collect()
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn listed(words: &[String], last: &str) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [start @ .., end] => format!("{} {last} {end}", start.join(", ")),
    }
}

/// A part's id as people say it: `api-key` is `API key`.
pub(super) fn spoken(part: &str) -> String {
    let words: Vec<String> = part.split(['-', '_', ' ']).map(spoken_word).collect();
    escape_text(&words.join(" "))
}

fn spoken_word(word: &str) -> String {
    const ABBREVIATIONS: [&str; 17] = [
        "api", "aws", "cdp", "dsn", "ec", "evm", "hmac", "id", "jwt", "oauth", "pem", "pkcs8", "rsa", "ssh",
        "uri", "url", "wif",
    ];
    if ABBREVIATIONS.contains(&word) { word.to_uppercase() } else { word.to_owned() }
}

/// `1 file`, `2 files`, `1,204 files`.
pub(super) fn count(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// What was left out by choice, and how to take it in; nothing where nothing was.
pub(super) fn left_out(coverage: &Coverage) -> Option<String> {
    let reasons = coverage.skipped.iter().filter(|&(_, &number)| number > 0);
    let reasons: Vec<String> = reasons.map(|(&reason, &number)| left_out_for(reason, number)).collect();
    (!reasons.is_empty()).then(|| listed(&reasons, "and"))
}

fn left_out_for(reason: SkipReason, number: u64) -> String {
    let number = |one: &str, many: &str| count(number, one, many);
    match reason {
        SkipReason::Ignored => number("entry", "entries") + " by .gitignore (--no-ignore reads them)",
        SkipReason::LeftOut => number("entry", "entries") + " by .keyfenceignore (--no-config reads them)",
        SkipReason::TooLarge => number("file", "files") + " over the size limit (--max-file-size sets it)",
        SkipReason::Symlink => number("symbolic link", "symbolic links"),
        SkipReason::NotAFile => number("pipe, socket or device", "pipes, sockets or devices"),
        SkipReason::Submodule => number("submodule", "submodules") + " (scan it by itself)",
        SkipReason::GitDirectory => number("`.git` directory", "`.git` directories"),
    }
}

/// `1,204`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{count, going_on, listed, spoken};

    #[test]
    fn words_as_people_use_them() {
        for (part, expected) in
            [("api-key", "API key"), ("rsa private key", "RSA private key"), ("account_id", "account ID")]
        {
            assert_eq!(spoken(part), expected);
        }
        for (name, part, expected) in [
            ("Telegram bot", "bot token", "token"),
            ("Binance", "API key", "API key"),
            ("Robot", "bot token", "bot token"),
        ] {
            assert_eq!(going_on(name, part.to_owned()), expected, "{name}");
        }
        for (number, expected) in [(0, "0 files"), (1, "1 file"), (999, "999 files"), (1204, "1,204 files")] {
            assert_eq!(count(number, "file", "files"), expected);
        }
        let words: Vec<String> = ["a", "b", "c"].map(String::from).into();
        assert_eq!(listed(&words, "and"), "a, b and c");
        assert_eq!(listed(&words[..1], "and"), "a");
    }
}
