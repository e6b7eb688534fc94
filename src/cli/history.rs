//! `scan --history`: which part of which repository's history is meant.
//!
//! Must not know: how history is walked.
//! Invariant: a date that cannot be understood is an error, never the beginning of time.

use std::time::SystemTime;

use super::failure::Failure;
use super::request::HistoryRequest;
use super::text;
use crate::source::git::{GitEnvironment, HistoryOptions, Period, parse_date};

/// What was meant; `limit` is the largest object of the configuration.
pub(crate) fn options(request: &HistoryRequest, limit: Option<u64>) -> Result<HistoryOptions, Failure> {
    let mut options = HistoryOptions::new(&request.repository, GitEnvironment::from_process());
    options.max_object_size = request.max_size.or(limit).unwrap_or(options.max_object_size);
    options.reachable_only = request.reachable_only;
    options.cache = request.cache;
    options.branches.clone_from(&request.branches);
    options.paths.clone_from(&request.paths);
    options.period = Period {
        since: date("--since", request.since.as_deref())?,
        until: date("--until", request.until.as_deref())?,
    };
    Ok(options)
}

fn date(option: &str, words: Option<&str>) -> Result<Option<i64>, Failure> {
    let Some(words) = words else { return Ok(None) };
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    parse_date(words, i64::try_from(now.as_secs()).unwrap_or(i64::MAX)).map(Some).ok_or_else(|| {
        let message = format!("{option} cannot be understood: {}", text::line(words));
        Failure::usage(message, "write 2024-01-31, 2024-01-31T12:00:00Z, or \"2 weeks ago\"")
    })
}
