//! The ground: plain values that every other room speaks in.
//!
//! Must not know: I/O, regular expressions, git, arguments, threads, output.
//! Invariant: nothing here can print a secret by accident; [`Secret`] has no `Display` and its `Debug` is redacted.

mod chunk;
mod coverage;
mod day;
mod finding;
mod grade;
mod history;
mod notice;
mod path;
mod problem;
mod report;
mod secret;
mod span;

pub use chunk::{Chunk, ContentKind, CopiedPiece, Focus, Provenance};
pub use coverage::{Coverage, ScanMode, SkipReason};
pub use day::Day;
pub use finding::{Allowance, CredentialSet, CredentialState, Evidence, Finding, Fingerprint, Verdict};
pub use grade::{Confidence, Role, Severity};
pub use history::{Commit, Exposure, Occurrence, Reach};
pub use notice::{Notice, NoticeKind};
pub use path::FilePath;
pub use problem::{Problem, ProblemKind};
pub use report::{Guide, Outcome, Report};
pub use secret::Secret;
pub use span::{Place, Span};
