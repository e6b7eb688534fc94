//! The engine alone, as programs embed it: no files, no git, no terminal.

use std::path::Path;
use std::process::Command;

#[test]
fn the_engine_builds_alone() {
    // A directory of its own: whoever runs the tests may hold the lock of the other.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("engine");
    let output = Command::new(env!("CARGO"))
        .args(["check", "--quiet", "--locked", "--lib", "--no-default-features", "--target-dir"])
        .arg(&target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("RUSTFLAGS", "-D warnings")
        .output()
        .expect("cargo is started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
