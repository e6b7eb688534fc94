//! Every pack through the real detector: examples fire, look-alikes stay silent, packs do not tread on each other.
//!
//! Must not know single providers: each test quantifies over all rules. The packs as data are in `tests/packs.rs`.

#[path = "rules/desk.rs"]
mod desk;
#[path = "rules/hosts.rs"]
mod hosts;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use desk::{Desk, Spot, believed, packs};
use keyfence::model::Confidence;
use keyfence::rules::RuleSet;
use keyfence::rules::format::{PartSpec, SEAM};

#[test]
fn every_example_fires_its_rule() {
    let mut desk = Desk::default();
    let mut silent = Vec::new();
    for part in packs().iter().flat_map(|(_, pack)| &pack.parts) {
        for (number, example) in part.matches.iter().enumerate() {
            let (path, text) = example.open();
            if !desk.findings(&path, &text).iter().any(|finding| finding.rule == part.id) {
                silent.push(format!("{} #{number}: {:?}", part.id, desk.rules(&path, &text)));
            }
        }
    }
    assert!(silent.is_empty(), "examples that do not fire:\n{}", silent.join("\n"));
}

#[test]
fn every_look_alike_stays_silent() {
    let mut desk = Desk::default();
    let mut loud = Vec::new();
    for part in packs().iter().flat_map(|(_, pack)| &pack.parts) {
        for (number, example) in part.silent.iter().enumerate() {
            let (path, text) = example.open();
            if desk.findings(&path, &text).iter().any(|finding| finding.rule == part.id && believed(finding))
            {
                loud.push(format!("{} #{number}", part.id));
            }
        }
    }
    assert!(loud.is_empty(), "look-alikes that fire:\n{}", loud.join("\n"));
}

/// The rows of a list of exceptions: two fields and a reason.
fn listed(file: &str) -> BTreeSet<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules").join(file);
    let text = std::fs::read_to_string(path).expect("the list can be read");
    let rows = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    rows.map(|line| {
        let fields: Vec<&str> = line.split('\t').collect();
        let [fires, whose, reason] = fields[..] else { panic!("not three fields: {line}") };
        assert!(reason.len() > 10, "no reason: {line}");
        (fires.to_owned(), whose.to_owned())
    })
    .collect()
}

#[test]
fn a_rule_fires_in_the_examples_of_another_only_where_that_is_listed() {
    let mut desk = Desk::default();
    let mut seen = BTreeSet::new();
    for (_, pack) in packs() {
        for part in &pack.parts {
            for example in &part.matches {
                let (path, text) = example.open();
                for finding in desk.findings(&path, &text) {
                    if finding.provider != pack.provider {
                        seen.insert((finding.rule, part.id.clone()));
                    }
                }
            }
        }
    }
    let listed = listed("overlaps.txt");
    let unlisted: Vec<_> = seen.difference(&listed).collect();
    let stale: Vec<_> = listed.difference(&seen).collect();
    assert!(unlisted.is_empty(), "rules that fire in examples of others: {unlisted:#?}");
    assert!(stale.is_empty(), "overlaps that are listed and do not happen: {stale:#?}");
}

#[test]
fn a_value_is_found_in_every_host_that_names_its_provider() {
    let mut desk = Desk::default();
    let mut lost: BTreeMap<(String, String), String> = BTreeMap::new();
    let mut embedded = 0;
    for (_, pack) in packs() {
        for spot in Spot::all(&mut desk, &pack) {
            for (host, path, text) in hosts::embed(&pack, &spot) {
                embedded += 1;
                let findings = desk.findings(path, &text);
                let is_found = |rule: &str, value: &str| {
                    findings.iter().any(|found| {
                        found.rule == rule
                            && found.provider == pack.provider
                            && found.secret.expose() == value.as_bytes()
                    })
                };
                for (rule, _) in spot.values().filter(|(rule, value)| !is_found(rule, value)) {
                    lost.insert((rule.to_owned(), host.to_owned()), format!("{:?}", desk.rules(path, &text)));
                }
            }
        }
    }
    assert!(embedded > 1000, "only {embedded} embeddings were made");
    let listed = listed("lost.txt");
    let unlisted: Vec<_> = lost.iter().filter(|(place, _)| !listed.contains(place)).collect();
    let stale: Vec<_> = listed.iter().filter(|place| !lost.contains_key(place)).collect();
    assert!(unlisted.is_empty(), "lost, and what is found instead: {unlisted:#?}");
    assert!(stale.is_empty(), "listed as lost and found: {stale:#?}");
}

/// Checks that say no to a value of which one character was changed.
const PROVING: &[&str] = &[
    "crc32-base62",
    "crc32-base62-whole",
    "crc32-hex",
    "crc32-hex-whole",
    "crc32-hex-little",
    "ed25519-pair",
    "ed25519-pair-base58",
    "der-private-key",
    "wif",
    "extended-key",
    "eos-key",
    "avalanche-key",
    "codex32",
    "nkey-seed",
    "base58check",
    "base58check-ripple",
    "bech32",
    "strkey",
    "azure-signed",
];

/// The value with another character of its own class at `at`, near enough that the shape still holds.
fn changed(value: &str, at: usize) -> String {
    let mut bytes = value.as_bytes().to_vec();
    bytes[at] = match bytes[at] {
        b'0'..=b'8' | b'a'..=b'y' | b'A'..=b'Y' => bytes[at] + 1,
        b'9' => b'0',
        b'z' => b'a',
        b'Z' => b'A',
        other => other,
    };
    String::from_utf8(bytes).expect("a letter was replaced by a letter")
}

#[test]
fn a_changed_character_is_rejected_by_a_proving_check() {
    let mut desk = Desk::default();
    for (_, pack) in packs() {
        for part in pack.parts.iter().filter(|part| is_proving(part)) {
            let values = desk.values_of(part);
            assert!(!values.is_empty(), "{}: no value to change", part.id);
            for (path, text, value) in values {
                for at in changeable(part, &value) {
                    let altered = changed(&value, at);
                    let text = text.replace(&value, &altered);
                    let fires = desk.findings(&path, &text).iter().any(|finding| finding.rule == part.id);
                    assert!(!fires, "{}: still believed with another character at {at}", part.id);
                }
            }
        }
    }
}

#[test]
fn a_set_is_certain_only_where_its_proof_holds() {
    let mut desk = Desk::default();
    let mut proved = 0;
    for (_, pack) in packs() {
        for set in pack.sets.iter().filter(|set| set.proof.is_some()) {
            let secret = pack.parts.iter().find(|part| part.part == set.parts[1]).expect("a set names parts");
            for (path, text, value) in desk.values_of(secret) {
                if desk.findings(&path, &text).len() < set.parts.len() {
                    continue;
                }
                let letter =
                    value.bytes().position(|byte| byte.is_ascii_alphanumeric()).expect("a value has letters");
                let altered = text.replace(&value, &changed(&value, letter));
                for (text, holds) in [(text, true), (altered, false)] {
                    let findings = desk.findings(&path, &text);
                    let certain = findings.iter().all(|found| found.confidence == Confidence::Certain);
                    assert!(!findings.is_empty(), "{}: not found", secret.id);
                    assert_eq!(certain, holds, "{}", secret.id);
                    proved += 1;
                }
            }
        }
    }
    assert!(proved >= 6, "only {proved} sets were proved");
}

fn is_proving(part: &PartSpec) -> bool {
    part.shape.is_some()
        && part.check.iter().any(|check| PROVING.contains(&check.split(':').next().unwrap_or_default()))
}

/// Where a change must be noticed: everywhere behind the prefix, or in the structure's lengths and tags for DER, whose
/// key bytes may be any.
fn changeable(part: &PartSpec, value: &str) -> Vec<usize> {
    if part.check.iter().any(|check| check == "der-private-key") {
        return vec![1, 2, 3];
    }
    let body = value.rfind('_').map_or(0, |dash| dash + 1);
    (body..value.len() - 4).step_by(7).filter(|&at| value.as_bytes()[at].is_ascii_alphanumeric()).collect()
}

#[test]
fn a_phrase_with_one_word_changed_is_rejected() {
    let mut desk = Desk::default();
    let (_, pack) =
        packs().into_iter().find(|(_, pack)| pack.provider == "bip39").expect("there is a pack for phrases");
    let mut rejected = 0;
    for example in &pack.parts[0].matches {
        let (path, text) = example.open();
        for finding in desk.findings(&path, &text) {
            let phrase = String::from_utf8_lossy(finding.secret.expose()).into_owned();
            let Some(first) =
                phrase.split(|byte: char| !byte.is_ascii_alphabetic()).find(|word| word.len() > 2)
            else {
                continue;
            };
            // Sixteen other first words: one of them may pass a four-bit checksum, most must not.
            let others = ["abandon", "zoo", "legal", "winner", "thank", "year", "wave", "sausage"];
            let passing = others
                .iter()
                .filter(|other| **other != first)
                .filter(|other| {
                    let changed = text.replacen(first, other, 1);
                    desk.findings(&path, &changed).iter().any(|found| found.rule == finding.rule)
                })
                .count();
            assert!(passing <= 2, "{passing} of {} changed phrases are believed", others.len());
            rejected += others.len() - passing;
        }
    }
    assert!(rejected > 20, "only {rejected} phrases were rejected");
}

#[test]
fn nothing_is_believed_in_clean_files() {
    let mut desk = Desk::default();
    let files = desk::fixtures("clean");
    assert!(files.len() > 50, "the clean files were not found");
    let mut loud = Vec::new();
    for (path, text) in files {
        for finding in desk.findings(&path, &text).iter().filter(|finding| believed(finding)) {
            loud.push(format!("{path}:{} {}", finding.place.line, finding.rule));
        }
    }
    assert!(loud.is_empty(), "believed in clean files:\n{}", loud.join("\n"));
}

#[test]
fn published_values_are_found_and_count_for_nothing() {
    let mut desk = Desk::default();
    let files = desk::fixtures("known");
    assert!(files.len() >= 5, "the files with published values were not found");
    let mut recognised = 0;
    for (path, text) in files {
        for finding in desk.findings(&path, &text) {
            recognised += 1;
            assert!(!finding.verdict.is_open(), "{path}:{} {} counts", finding.place.line, finding.rule);
        }
    }
    assert!(recognised > 200, "only {recognised} published values were recognised");
}

#[test]
fn tables_in_the_binary_equal_the_packs() {
    let texts: Vec<(String, String)> = packs()
        .iter()
        .map(|(path, _)| {
            let text = std::fs::read_to_string(path).expect("a pack is UTF-8");
            (path.display().to_string(), text)
        })
        .collect();
    let loaded = RuleSet::default().extended(&texts).expect("the packs load");
    assert!(loaded == RuleSet::builtin(), "the tables in the binary are not those of the packs");
}

#[test]
fn no_example_holds_a_seam_once_opened() {
    for (_, pack) in packs() {
        for example in pack.parts.iter().flat_map(|part| part.matches.iter().chain(&part.silent)) {
            assert!(!example.open().1.contains(SEAM), "{}", pack.provider);
        }
    }
}
