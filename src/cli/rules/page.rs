//! A rule in words.
//!
//! Must not know: findings. Invariant: everything comes from the rule and its provider.

use crate::model::Role;
use crate::rules::{Kind, Need, Provider, Rule};

/// What `rules show` tells.
pub(super) fn everything(rule: &Rule, provider: &Provider) -> String {
    let mut page = meaning(rule, provider);
    page.push_str("\nHow it is known\n");
    let mut row = |name: &str, words: String| {
        if !words.is_empty() {
            page.push_str(&format!("  {name:<12} {words}\n"));
        }
    };
    row("value", kind(&rule.kind));
    row("needs", need(rule.need).to_owned());
    row("checks", rule.checks.join(", "));
    row("names", rule.names.join(", "));
    row(
        "provider",
        provider.words.iter().chain(provider.weak_words.iter()).cloned().collect::<Vec<_>>().join(", "),
    );
    let headers = provider.headers.iter().filter(|(_, part)| *part == rule.part);
    row("headers", headers.map(|(header, _)| header.to_string()).collect::<Vec<_>>().join(", "));
    if !rule.known.is_empty() {
        row(
            "published",
            format!("{} values of documentation and test networks do not count", rule.known.len()),
        );
    }
    page.push_str(&format!("\nAllow one with a comment: keyfence:allow[{}] reason\n", rule.id));
    page
}

/// What it is, what somebody can do with it, where it is revoked, what to check.
pub(super) fn meaning(rule: &Rule, provider: &Provider) -> String {
    let network = if rule.test { ", of a test network" } else { "" };
    let mut page = format!(
        "{}\n  {}: {}, {}{network}; severity {} when it is found alone\n",
        rule.id,
        provider.title,
        rule.part,
        role(rule.role),
        rule.severity.as_str()
    );
    for set in provider.sets.iter().filter(|set| set.parts.contains(&rule.part)) {
        page.push_str(&format!("  complete with {}: {}\n", set.parts.join(" and "), set.severity.as_str()));
    }
    page.push_str(&format!("\nWhat somebody can do with it\n  Whoever has it can {}.\n", provider.power));
    page.push_str("\nWhat to do and to check\n");
    if let Some(revoke) = &provider.revoke {
        page.push_str(&format!("  Revoke it: {revoke}\n"));
    }
    for (index, step) in provider.steps.iter().enumerate() {
        page.push_str(&format!("  {}. {step}\n", index + 1));
    }
    page
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Identifier => "which names the key and is worth nothing alone",
        Role::Secret => "which signs requests together with its identifier",
        Role::Passphrase => "which a person chose",
        Role::PrivateKey => "a private key",
        Role::Mnemonic => "the words from which a wallet's keys follow",
        Role::Token => "which is enough alone",
        Role::ConnectionString => "an address with its password",
    }
}

fn need(need: Need) -> &'static str {
    match need {
        Need::Nothing => "nothing around it: it identifies or proves itself",
        Need::Name => "a telling name",
        Need::Context => "a telling name or position, and evidence of the provider",
        Need::Both => "one of its own names, and evidence of the provider",
        Need::Partner => "another part of the same credential near by",
    }
}

fn kind(kind: &Kind) -> String {
    match kind {
        Kind::Shape(shapes) => {
            let lengths = shapes.iter().map(|shape| {
                let shortest: usize = shape.items.iter().map(|item| usize::from(item.min)).sum();
                (shortest, shape.longest())
            });
            let lengths = lengths.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)));
            let (shortest, longest) = lengths.unwrap_or_default();
            if shortest == longest {
                format!("a run of {shortest} characters")
            } else {
                format!("a run of {shortest} to {longest} characters")
            }
        }
        Kind::Pem(_) => "a private key in armour or DER".to_owned(),
        Kind::Mnemonic(counts) => {
            let counts: Vec<String> = counts.iter().map(ToString::to_string).collect();
            format!("a phrase of {} words", counts.join(", "))
        }
        Kind::Connection(schemes) => format!("a URL with a password: {}", schemes.join(", ")),
        Kind::Anchored(anchors, _) => format!("characters around {}", anchors.join(" or ")),
        Kind::Numbers(count) => format!("an array of {count} numbers"),
        Kind::Password(shortest, longest) => {
            format!("{shortest} to {longest} characters that a person chose and named")
        }
        Kind::Chosen(shortest, longest) => format!("{shortest} to {longest} characters that a person chose"),
        Kind::Random(shortest, longest) => format!("{shortest} to {longest} characters that look random"),
    }
}
