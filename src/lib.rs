//! keyfence finds crypto-exchange keys, wallet keys and cloud tokens in bytes, files and git, before they leave.
//!
//! The `keyfence` program is one user of this library. The engine stands alone: with default features off there is no
//! git, no file system and no terminal in it, only bytes and rules.
//!
//! ```
//! use keyfence::detect::{Detector, Scratch};
//! use keyfence::model::{Chunk, Confidence, CredentialState, FilePath, Provenance};
//!
//! // Built once, shared by all threads; the scratch is what one thread reuses.
//! let detector = Detector::builtin();
//! let mut scratch = Scratch::default();
//!
//! // An invented pair, in pieces so that no scanner takes this page for a leak.
//! let key = ["iK2ZWeqhFWCEPyYn", "gFb51yBMWXaSCrUZ", "oL8g5ubbbPIa84yR", "nBUbHoWC8FJowoRo"].concat();
//! let secret = ["WD8s7bA16J7PglOU", "3shVv5UTG79BG16Q", "mtsL4F28GzL2cEpV", "ZzAQlxJ4SXRVxfCQ"].concat();
//! let text = format!("BINANCE_API_KEY={key}\nBINANCE_API_SECRET={secret}\n");
//!
//! let provenance = Provenance::file(FilePath::from("bot/.env"));
//! let detection = detector.detect(&Chunk::whole(text.as_bytes(), &provenance), &mut scratch);
//!
//! let found: Vec<_> =
//!     detection.findings.iter().map(|finding| (finding.rule.as_str(), finding.place.line)).collect();
//! assert_eq!(found, [("binance-api-key", 1), ("binance-api-secret", 2)]);
//! assert!(detection.findings.iter().all(|finding| finding.confidence >= Confidence::Likely));
//!
//! // Both belong to one credential, and whoever has it can act.
//! assert_eq!(detection.credentials.len(), 1);
//! assert_eq!(detection.credentials[0].state, CredentialState::Complete);
//!
//! // Nothing prints a value by accident.
//! assert!(!format!("{detection:?}").contains(&secret));
//! ```
//!
//! # The rooms
//!
//! | room | what lives there | what it must not know |
//! |---|---|---|
//! | [`model`] | values that every room speaks in: [`Chunk`], [`Finding`], [`Report`] | I/O, git, arguments, threads |
//! | [`config`] | the configuration file as plain values | arguments, files |
//! | [`rules`] | the pack format, and the packs as tables made when the crate is built | where bytes come from |
//! | [`detect`] | bytes to findings, a pure function of bytes and rules | files, git, clock, environment, printing |
//! | [`source`] | everything that can be scanned: trees, standard input, git | rules, output |
//! | [`suppress`] | what people allowed: a finding to a verdict | git, output |
//! | [`report`] | one file for each format | where bytes come from |
//! | [`scan`](mod@scan) | the waist: source × detector × suppressor → report | formats, arguments |
//! | `cli` | arguments to meaning, failures to words and exit codes (feature `cli`) | |
//!
//! Names run downward only, and wings on one floor never name each other: `cli` → `scan` → {`source`, `detect`,
//! `suppress`}, and `cli` → `report`; all stand on `model`. `tests/architecture.rs` holds this as a test.
//!
//! # The way of a byte
//!
//! 1. A [`Source`](source::Source) walks on its own threads and hands out [`Chunk`]s: borrowed bytes, where they come
//!    from, and which lines count. In a hook only findings that touch a new line count; the rest is context.
//! 2. [`Detector::detect`](detect::Detector::detect) finds candidates by what stands near them, then judges each with
//!    what its whole file and its path say. Texts without a candidate, nearly all, never pay for the second step.
//! 3. [`Suppressor::judge`](suppress::Suppressor::judge) gives each finding exactly one verdict.
//! 4. [`scan::scan`] sorts and makes the [`Report`]; its [`outcome`](model::Report::outcome) becomes the exit code.
//! 5. One formatter writes it.
//!
//! # The laws
//!
//! - What could not be looked at is a [`Problem`](model::Problem) in the report: never a panic, never silence. A
//!   scanner that could not look does not say clean.
//! - The prefilter never loses a finding, and detection is local within a stated
//!   [reach](detect::Detector::reach), so large files can be scanned in pieces.
//! - The same input gives the same report, for any number of threads.
//! - A value leaves a [`Secret`](model::Secret) only where it is asked for by name.
//! - No process is started, no network is used, and nothing a scanned repository names is run.
//!
//! # Features
//!
//! `cli` (default) is the program and brings `git`, which brings `files`. Without any: the engine, standard input,
//! suppression, the waist and the JSON report.
//!
//! [`Chunk`]: model::Chunk
//! [`Finding`]: model::Finding
//! [`Report`]: model::Report
//!
//! Must not know: anything but the rooms' names.

#[cfg(feature = "cli")]
pub mod cli;
pub mod config;
pub mod detect;
pub mod model;
pub mod report;
pub mod rules;
pub mod scan;
pub mod source;
pub mod suppress;
