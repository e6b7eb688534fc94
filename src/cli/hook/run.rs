//! Being the hook: a scan of what is about to be committed or pushed, told on standard error.
//!
//! Must not know: how a finding is worded. Invariant: a scan that could not look at everything stops git, too.

use super::super::failure::{Ending, Failure};
use super::super::request::{HookInput, HookRun, What};
use super::super::scan;
use super::push;

/// Scans and tells; anything but [`Ending::Clean`] stops git.
pub(crate) fn run(run: &HookRun) -> Result<Ending, Failure> {
    look(run).map_err(|failure| failure.with_way_past(run.act(), &run.way_past()))
}

fn look(run: &HookRun) -> Result<Ending, Failure> {
    if let HookInput::Known(what) = &run.input {
        return scan::perform_hook(run, what);
    }
    let Some((selection, trusted)) = push::selection(&run.input)? else { return Ok(Ending::Clean) };
    scan::perform_hook(run, &What::Range { selection, max_size: None, trusted })
}
