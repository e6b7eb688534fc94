//! Git as a source: the repository's layout, what the index would commit, and commit messages.
//!
//! Must not know: rules, detection, output; nothing outside this folder knows `gix`.
//! Invariant: no process is started and nothing that a repository's configuration names is run; what cannot be
//! read is an error or a problem, never an empty index or an empty tree.

mod environment;
mod layout;
mod settings;

pub use environment::GitEnvironment;
pub use layout::{Layout, LayoutError};
pub use settings::{Settings, SettingsError};
