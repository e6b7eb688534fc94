//! Every pack under `rules/`, read as text: complete, sourced, and with examples that hold what they claim.
//!
//! Must not know the detector: this is about the data alone. What fires where is in `tests/rules.rs`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use keyfence::detect::checks::{self, Check};
use keyfence::rules::format::{Pack, PartSpec, SEAM};
use regex::Regex;

fn files(directory: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).expect("the folder of packs can be read") {
        let path = entry.expect("the folder of packs can be listed").path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn packs() -> Vec<(PathBuf, String, Pack)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).expect("a pack is UTF-8");
        let pack = Pack::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (path, text, pack)
    };
    let packs: Vec<_> = files(&root, "yaml").into_iter().map(read).collect();
    assert!(packs.len() >= 20, "the packs were not found");
    packs
}

#[test]
fn a_pack_is_named_like_its_file_and_its_ids_are_its_own() {
    let mut ids = BTreeSet::new();
    for (path, _, pack) in packs() {
        assert_eq!(
            path.file_stem().and_then(|stem| stem.to_str()),
            Some(pack.provider.as_str()),
            "{}",
            path.display()
        );
        for part in pack.parts {
            assert!(ids.insert(part.id.clone()), "{} is used twice", part.id);
        }
    }
}

#[test]
fn every_part_has_three_examples_of_each_kind_and_known_checks() {
    for (_, _, pack) in packs() {
        for part in &pack.parts {
            assert!(part.matches.len() >= 3, "{}: fewer than three matches", part.id);
            assert!(part.silent.len() >= 3, "{}: fewer than three look-alikes", part.id);
            for check in part.check.iter().filter(|_| part.mnemonic.is_empty()) {
                assert!(Check::parse(check).is_some(), "{}: unknown check {check}", part.id);
            }
        }
    }
}

/// Where nothing can be revoked on a page: exchanges that closed, and one whose page nobody could name.
const WITHOUT_REVOKE_PAGE: &[&str] = &["bittrex", "coinbase-commerce", "ftx", "liquid"];

#[test]
fn every_secret_of_an_exchange_is_part_of_a_set() {
    for (path, _, pack) in packs() {
        if !path.parent().is_some_and(|folder| folder.ends_with("rules/exchanges")) {
            continue;
        }
        assert!(
            pack.revoke.is_some() || WITHOUT_REVOKE_PAGE.contains(&pack.provider.as_str()),
            "{}: no revoke page",
            pack.provider
        );
        for part in pack.parts.iter().filter(|part| part.severity != "low" && part.part != "wallet secret") {
            assert!(
                pack.sets.iter().any(|set| set.parts.contains(&part.part)),
                "{}: in no set, so it never completes a credential",
                part.id
            );
        }
    }
}

/// The value of a part as it stands in a text: the shape with nothing of its alphabet at either end.
fn values<'text>(part: &PartSpec, text: &'text str) -> Vec<&'text str> {
    let shape = part.shape.as_deref().unwrap_or("x{0}");
    let bounded = format!("(?:^|[^A-Za-z0-9])({shape})(?:[^A-Za-z0-9]|$)");
    let value = Regex::new(&bounded).expect("a shape is a regular expression");
    value.captures_iter(text).filter_map(|found| found.get(1)).map(|found| found.as_str()).collect()
}

#[test]
fn every_match_of_a_shape_holds_a_value_that_passes_its_checks() {
    for (_, _, pack) in packs() {
        for part in pack.parts.iter().filter(|part| part.shape.is_some()) {
            for (number, example) in part.matches.iter().enumerate() {
                let (_, text) = example.open();
                let passes = |value: &&str| {
                    part.check
                        .iter()
                        .filter_map(|name| Check::parse(name))
                        .all(|check| checks::run(check, value.as_bytes()))
                        && part.require.iter().all(|class| has(value, class))
                };
                assert!(
                    values(part, &text).iter().any(passes),
                    "{}: match {number} holds no such value",
                    part.id
                );
            }
        }
    }
}

fn has(value: &str, class: &str) -> bool {
    value.bytes().any(|byte| match class {
        "lower" => byte.is_ascii_lowercase(),
        "upper" => byte.is_ascii_uppercase(),
        _ => byte.is_ascii_digit(),
    })
}

#[test]
fn no_example_stands_unbroken_in_the_repository() {
    for (path, text, pack) in packs() {
        for part in pack.parts.iter().filter(|part| part.shape.is_some()) {
            let secret =
                |value: &&str| value.len() >= 20 && part.require.iter().all(|class| has(value, class));
            for value in values(part, &text).into_iter().filter(secret) {
                assert!(
                    value.contains(SEAM),
                    "{}: {} has an example without a seam",
                    path.display(),
                    part.id
                );
            }
        }
    }
}
