//! Being the hook: a scan of what is about to be committed, told on standard error.
//!
//! Must not know: how a finding is worded. Invariant: a scan that could not look at everything stops the commit, too.

use super::super::failure::{Ending, Failure};
use super::super::request::HookRun;
use super::super::scan;

/// Scans and tells; anything but [`Ending::Clean`] stops the commit.
pub(crate) fn run(run: &HookRun) -> Result<Ending, Failure> {
    scan::perform_hook(run).map_err(|failure| failure.with_way_past(&run.way_past()))
}
