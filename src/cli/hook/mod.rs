//! The hook: putting it in, taking it out, telling about it, being it.
//!
//! Must not know: how git's directories are found (that is `source::git`), what a finding looks like.
//! Invariant: nothing here starts a process or changes a git configuration.

mod commands;
mod managers;
mod place;
mod push;
mod run;
mod script;
mod slot;

pub(crate) use commands::{Guard, guards, install, status, uninstall};
pub(crate) use run::run;
