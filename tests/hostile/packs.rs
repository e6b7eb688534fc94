//! Packs that git would not make: their index is right about names, their entries lie.
//!
//! Must not know: keyfence.

use std::process::Stdio;

use crate::support::Repository;

/// What `packs.py` can lie about.
pub const LIES: &[&str] = &[
    "a base before the pack",
    "its own base",
    "a base in the middle of an entry",
    "two that need each other",
    "a base that is missing",
    "a size that is too small",
    "a size that is too large",
    "a size beyond memory",
    "a stream that ends early",
    "a stream that is none",
    "a copy beyond its base",
    "a result beyond memory",
    "an instruction that is reserved",
    "an instruction that ends early",
    "a delta for another base",
    "an empty delta",
    "a kind that does not exist",
    "an offset beyond the pack",
    "an offset into the header",
    "a pack that is cut",
];

/// Puts a pack with this lie into the repository and stages the object that it lies about.
pub fn stage_lie(repository: &Repository<'_>, lie: &str) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hostile/packs.py");
    let mut python = repository.sandbox.command("python3", &repository.top);
    python.args([script, lie, ".git/objects/pack"]).stderr(Stdio::inherit());
    let output = python.output().expect("python3 can be started");
    assert!(output.status.success(), "packs.py cannot lie about {lie}");
    let id = String::from_utf8(output.stdout).expect("an id is ASCII");
    repository.git(&["update-index", "--add", "--cacheinfo", &format!("100644,{},lie.bin", id.trim_end())]);
}
