//! What keyfence is built from: each package has its note in `docs/dependencies.md` and its reason in `Cargo.toml`, and
//! none asks for a newer Rust than keyfence promises.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

const MANIFEST: &str = include_str!("../Cargo.toml");
const NOTES: &str = include_str!("../docs/dependencies.md");

/// The names of all packages in `Cargo.toml`, for whatever they are needed, each with the line before it.
fn named() -> Vec<(&'static str, &'static str)> {
    let mut named = Vec::new();
    let mut is_list = false;
    let mut before = "";
    for line in MANIFEST.lines() {
        if let Some(title) = line.strip_prefix('[') {
            is_list = title.trim_end_matches(']').ends_with("dependencies");
        } else if let Some((name, _)) = line.split_once(" = ").filter(|_| is_list) {
            named.push((name, before));
        }
        before = line;
    }
    named
}

/// The first cells of all rows.
fn noted() -> BTreeSet<&'static str> {
    let rows = NOTES.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| row.split('`').next().expect("something is left of it")).collect()
}

#[test]
fn every_package_has_its_note_and_no_other_has() {
    let named: BTreeSet<&str> = named().into_iter().map(|(name, _)| name).collect();
    assert!(named.len() > 40, "the manifest was read: {named:?}");
    assert_eq!(named, noted());
}

#[test]
fn every_package_has_its_reason_above_it() {
    let without = named().into_iter().filter(|(_, before)| !before.starts_with("# ")).map(|(name, _)| name);
    assert_eq!(without.collect::<Vec<_>>(), [""; 0]);
}

/// What cargo knows of all packages, those of other systems included.
fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--offline", "--format-version", "1", "--all-features"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs this test");
    if !output.status.success() {
        // Packages of other systems may not have been fetched.
        return Vec::new();
    }
    let told: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    told["packages"].as_array().expect("it is a list").clone()
}

fn version(text: &str) -> Vec<u32> {
    let mut parts: Vec<u32> = text.split('.').map(|part| part.parse().expect("it is a number")).collect();
    parts.resize(3, 0);
    parts
}

#[test]
fn no_package_asks_for_a_newer_rust() {
    let mut packages = packages();
    if packages.is_empty() {
        let fetched = Command::new(env!("CARGO")).args(["fetch", "--locked", "-q"]).status();
        assert!(fetched.expect("cargo runs this test").success(), "packages of all systems can be fetched");
        packages = self::packages();
    }
    assert!(packages.len() > 100, "cargo tells the packages: {}", packages.len());
    let own = version(env!("CARGO_PKG_RUST_VERSION"));
    let asks = |package: &Value| package["rust_version"].as_str().map(version);
    let newer: Vec<_> =
        packages.iter().filter(|package| asks(package).is_some_and(|asked| asked > own)).collect();
    let names: Vec<_> = newer.iter().map(|package| (&package["name"], &package["rust_version"])).collect();
    assert!(names.is_empty(), "they ask for a newer Rust than {own:?}: {names:?}");
    // The promise is not older than need be: somebody does ask for nearly that.
    let most = packages.iter().filter(|package| package["name"] != "keyfence").filter_map(asks).max();
    assert!(most.is_some_and(|most| most[1] + 2 >= own[1]), "an older Rust would do than {own:?}");
}
