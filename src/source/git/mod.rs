//! Git as a source: the repository's layout, what the index would commit, and commit messages.
//!
//! Must not know: rules, detection, output; nothing outside this folder knows `gix`.
//! Invariant: no process is started and nothing that a repository's configuration names is run; what cannot be
//! read is an error or a problem, never an empty index or an empty tree.

mod ancestry;
mod base;
mod canary;
mod changes;
mod commits;
mod committed;
#[cfg(test)]
#[path = "../../../tests/common/mod.rs"]
mod common;
mod entry;
mod environment;
mod format;
mod history;
mod index;
mod layout;
mod lines;
mod loose;
mod message;
mod novelty;
mod objects;
mod range;
mod reading;
mod references;
mod revisions;
mod settings;
mod split_index;
mod staged;
mod tracked;

pub use canary::plant_canary;
pub use committed::Committed;
pub use environment::GitEnvironment;
pub use history::{DEFAULT_MAX_OBJECT_SIZE, History, HistoryOptions, Period, follow_delta};
pub use layout::{Layout, LayoutError};
pub use message::CommitMessage;
pub use range::{Guess, Known, Range, RangeHead, RangeOptions, RangeSelection};
pub use settings::{Settings, SettingsError};
pub use staged::{DEFAULT_MAX_BLOB_SIZE, Staged, StagedOptions};
pub use tracked::tracked_paths;

/// The time that a date in one of git's forms means, in seconds since 1970; relative ones start from `now`.
pub fn parse_date(text: &str, now: i64) -> Option<i64> {
    let now = gix::date::Time::new(now, 0).to_zoned().ok();
    gix::date::parse(text, now).ok().map(|time| time.seconds)
}
