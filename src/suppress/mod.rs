//! What people allowed: a finding in, exactly one verdict out.
//!
//! Comments stand beside the value (`comments`); configuration, ignore files and the baseline are the project's
//! (`policy`), and come from a work tree or from a commit, whoever is asked.
//!
//! Must not know: git, output, how findings are made.
//! Invariant: what a person did not allow in words that name the convention keeps the verdict it came with.

#[cfg(feature = "files")]
mod allow;
mod baseline;
mod comments;
#[cfg(feature = "cli")]
pub mod imports;
#[cfg(feature = "files")]
mod paths;
#[cfg(feature = "files")]
mod policy;
mod suppressor;

pub use baseline::{Baseline, BaselineEntry, MAX_BASELINE_BYTES};
#[cfg(feature = "files")]
pub use paths::Standpoint;
#[cfg(feature = "files")]
pub use policy::{NoFiles, Policy, PolicyError, PolicyFiles, PolicyOptions, RuleChoice};
pub use suppressor::{Beside, Comments, Ruling, SuppressOptions, Suppressor};
