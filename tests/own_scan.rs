//! The project passes its own scan: nobody commits a value here that keyfence would stop elsewhere.
#![cfg(feature = "cli")]

#[path = "cli/support.rs"]
mod support;

use std::path::Path;

use serde_json::Value;
use support::{KEYFENCE, Sandbox, words};

#[test]
fn the_project_passes_its_own_scan() {
    let sandbox = Sandbox::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut scan = sandbox.command(KEYFENCE, root);
    let output = scan.args(["scan", "-f", "json"]).output().expect("keyfence can be started");
    assert_eq!(output.status.code(), Some(0), "run `keyfence scan` here:\n{}", words(&output));
    let report: Value = serde_json::from_slice(&output.stdout).expect("the report is JSON");
    assert_eq!(report["outcome"], "clean");
    assert_eq!(report["notices"], serde_json::json!([]), "an allow that is no longer needed");
}
