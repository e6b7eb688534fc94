//! What keyfence is built from: each package has its note in `docs/dependencies.md` and its reason in `Cargo.toml`, and
//! none asks for a newer Rust than keyfence promises.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

const MANIFEST: &str = include_str!("../Cargo.toml");
const NOTES: &str = include_str!("../docs/dependencies.md");
/// What the program is built from, and what the fuzz targets are.
const LOCKS: [&str; 2] = [include_str!("../Cargo.lock"), include_str!("../fuzz/Cargo.lock")];

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

/// The names under lists whose title ends like that; other names that they go by here are those of the packages.
fn named_under(title: &str) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    let mut is_list = false;
    for line in MANIFEST.lines() {
        if let Some(own) = line.strip_prefix('[') {
            let own = own.trim_end_matches(']');
            is_list = own == title || own.ends_with(&format!(".{title}"));
        } else if let Some((name, rest)) = line.split_once(" = ").filter(|_| is_list) {
            let other = rest.split_once("package = \"").and_then(|(_, rest)| rest.split('"').next());
            named.insert(other.unwrap_or(name).to_owned());
        }
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

/// What a lock says of each package: its version and what it asks for, versions of those left out.
fn locked(lock: &str) -> BTreeMap<(String, String), BTreeSet<String>> {
    let unquoted = |text: &str| text.trim().trim_matches(',').trim_matches('"').to_owned();
    let mut packages = BTreeMap::new();
    for entry in lock.split("[[package]]").skip(1) {
        let field = |name: &str| {
            let line = entry.lines().find(|line| line.starts_with(&format!("{name} = ")));
            line.map(|line| unquoted(&line[name.len() + 3..])).expect("a package has a name and a version")
        };
        let (_, list) = entry.split_once("dependencies = [").unwrap_or_default();
        let (list, _) = list.split_once(']').unwrap_or_default();
        let names = list.lines().map(unquoted).filter(|line| !line.is_empty());
        let names = names.map(|line| line.split(' ').next().unwrap_or_default().to_owned());
        packages.insert((field("name"), field("version")), names.collect());
    }
    packages
}

/// All names that a package brings, itself too.
fn brought(packages: &BTreeMap<(String, String), BTreeSet<String>>, name: &str) -> BTreeSet<String> {
    let mut open = vec![name.to_owned()];
    let mut names = BTreeSet::new();
    while let Some(name) = open.pop() {
        let asked = packages.iter().filter(|((known, _), _)| *known == name).flat_map(|(_, asked)| asked);
        open.extend(asked.filter(|asked| !names.contains(*asked)).cloned());
        names.insert(name);
    }
    names
}

/// What is fuzzed is what is shipped: the same packages, in the same versions.
#[test]
fn the_fuzz_targets_are_built_from_the_same() {
    let [own, fuzzed] = LOCKS.map(locked);
    let of_keyfence = |packages: &BTreeMap<(String, String), BTreeSet<String>>| {
        packages.iter().find(|((name, _), _)| name == "keyfence").expect("it is locked").1.clone()
    };
    let for_tests = &named_under("dev-dependencies") - &named_under("dependencies");
    assert_eq!(of_keyfence(&fuzzed), &of_keyfence(&own) - &for_tests, "fuzz/Cargo.lock is out of step");
    let all = brought(&fuzzed, "keyfence");
    let other = fuzzed.keys().filter(|package| all.contains(&package.0) && !own.contains_key(*package));
    let other: Vec<_> = other.collect();
    assert!(other.is_empty(), "fuzz/Cargo.lock has other versions: {other:?}");
}

/// The list of parts that goes with a release has each package of the program, with its sum.
#[cfg(target_os = "linux")]
#[test]
fn every_package_stands_in_the_list_of_parts() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/.ci/sbom");
    let output = Command::new("python3").arg(script).output().expect("python3 can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    let parts = told["components"].as_array().expect("it is a list");
    let whole = |part: &&Value| part["scope"] == "required" && part["hashes"][0]["content"].is_string();
    let whole: BTreeSet<_> =
        parts.iter().filter(whole).filter_map(|part| part["name"].as_str()).map(str::to_owned).collect();
    let lacking: Vec<_> = named_under("dependencies").difference(&whole).cloned().collect();
    assert!(lacking.is_empty(), "they are not in it: {lacking:?}");
}
