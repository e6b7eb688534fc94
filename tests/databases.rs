//! What a SQLite database holds is found row by row, and what its tables no longer hold is found as it stands.

#![cfg(all(unix, feature = "cli"))]

#[path = "common/sqlite.rs"]
mod sqlite;

use std::path::Path;
use std::process::Command;

use sqlite::database;

/// Invented values, in pieces so that no scanner takes this file for a leak.
fn values() -> [String; 3] {
    [
        ["iK2ZWeqhFWCEPyYn", "gFb51yBMWXaSCrUZ", "oL8g5ubbbPIa84yR", "nBUbHoWC8FJowoRo"].concat(),
        ["WD8s7bA16J7PglOU", "3shVv5UTG79BG16Q", "mtsL4F28GzL2cEpV", "ZzAQlxJ4SXRVxfCQ"].concat(),
        ["pV4nQz81LmX0", "RtYw6KdB3sHc"].concat(),
    ]
}

/// Path, line and rule of each finding.
fn found(directory: &Path) -> Vec<(String, u64, String)> {
    let output = Command::new(env!("CARGO_BIN_EXE_keyfence"))
        .args(["scan", ".", "--no-ignore", "--no-config", "--format", "json"])
        .current_dir(directory)
        .output()
        .expect("the program starts");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("the report is JSON");
    assert_eq!(report["problems"], serde_json::Value::Array(Vec::new()));
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let rows = report["findings"].as_array().expect("there is a list").iter();
    rows.map(|row| (text(&row["path"]), row["line"].as_u64().unwrap_or(0), text(&row["rule"]))).collect()
}

#[test]
fn rows_are_found_behind_the_names_of_their_columns() {
    let [key, secret, password] = values();
    let long = "x ".repeat(6_000);
    for (encoding, page) in [("UTF-8", 4096), ("UTF-16le", 512), ("UTF-16be", 1024), ("UTF-8", 65536)] {
        let directory = tempfile::tempdir().expect("a directory");
        database(
            &directory.path().join("app.db"),
            &format!(
                "PRAGMA encoding = '{encoding}'; PRAGMA page_size = {page};
                 CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT, api_key TEXT, api_secret TEXT, note TEXT);
                 CREATE INDEX by_key ON accounts (api_key);
                 CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
                 INSERT INTO accounts (name, note) VALUES ('none', '{long}');
                 INSERT INTO accounts (name, api_key, api_secret, note) VALUES ('binance', '{key}', '{secret}', '{long}');
                 INSERT INTO settings VALUES ('smtp_password', '{password}');"
            ),
        );
        let mut rules = found(directory.path());
        rules.sort();
        let place = |table: &str, line: u64, rule: &str| (format!("app.db!/{table}"), line, rule.to_owned());
        assert_eq!(
            rules,
            [
                place("accounts", 5, "binance-api-key"),
                place("accounts", 6, "binance-api-secret"),
                place("settings", 3, "generic-secret"),
            ],
            "{encoding}, pages of {page}"
        );
    }
}

#[test]
fn deleted_rows_are_found_as_they_stand() {
    let [key, secret, _] = values();
    let directory = tempfile::tempdir().expect("a directory");
    database(
        &directory.path().join("app.db"),
        &format!(
            "PRAGMA secure_delete = OFF;
             CREATE TABLE notes (text TEXT);
             INSERT INTO notes VALUES ('BINANCE_API_KEY={key} BINANCE_API_SECRET={secret} ');
             INSERT INTO notes VALUES ('kept');
             DELETE FROM notes WHERE text LIKE 'BIN%';"
        ),
    );
    let rules: Vec<String> =
        found(directory.path()).into_iter().map(|(path, _, rule)| path + " " + &rule).collect();
    assert_eq!(rules, ["app.db binance-api-key", "app.db binance-api-secret"]);
}
