//! The manifest: one row for each value that was planted, known or only looks like one.
//!
//! Must not know: how it was made, how it is scored. Invariant: no value is in it, only its SHA-256.

use serde::{Deserialize, Serialize};

use super::Error;

/// What a labelled place is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Must be found.
    Secret,
    /// Of a test network: may be found, is measured, need not block.
    Test,
    /// Published: may be told, must not block.
    Known,
    /// Looks like a secret and is none.
    Decoy,
}

/// One row.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Label {
    /// The file, from the top of the tree, with `/`.
    pub path: String,
    /// The first line, from 1.
    pub line: usize,
    /// The last line.
    pub end_line: usize,
    /// What it is.
    pub kind: Kind,
    /// The provider's id; empty for decoys.
    pub provider: String,
    /// The rule's id; for decoys what they are.
    pub rule: String,
    /// What the provider calls it.
    pub part: String,
    /// What it is in its credential.
    pub role: String,
    /// `exchange`, `wallet`, `node`, `general`.
    pub group: String,
    /// How it is written: `plain`, `base64`, `hex`, `percent`, `unicode`, `joined`, `utf-16`.
    pub wrapped: String,
    /// The template.
    pub host: String,
    /// Rows with the same number are one credential.
    pub credential: usize,
    /// SHA-256 of the value in hex.
    pub sha256: String,
}

/// The rows of a manifest.
pub fn read(text: &str) -> Result<Vec<Label>, Error> {
    text.lines().filter(|line| !line.is_empty()).map(|line| Ok(serde_json::from_str(line)?)).collect()
}

/// The manifest of rows.
pub fn write(labels: &[Label]) -> Result<String, Error> {
    labels.iter().map(|label| Ok(serde_json::to_string(label)? + "\n")).collect()
}
