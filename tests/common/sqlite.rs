//! Databases as SQLite itself writes them.

use std::path::Path;
use std::process::Command;

/// Makes a database with the library that comes with Python.
pub fn database(path: &Path, statements: &str) {
    let script = "import sqlite3, sys\nc = sqlite3.connect(sys.argv[1])\nc.executescript(sys.argv[2])\nc.commit()\nc.close()";
    let status = Command::new("python3").args(["-c", script]).arg(path).arg(statements).status();
    assert!(status.expect("python3 can be started").success());
}
