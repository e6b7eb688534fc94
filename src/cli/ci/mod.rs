//! `ci`: the range that a build judges, worked out from what the build system says.
//!
//! Must not know: how a range is walked. Invariant: it says which system it recognised and what it judged; without a
//! base it does not say clean.

mod systems;

use super::failure::{Ending, Failure, tell};
use super::request::{CiRequest, What};
use super::{scan, text};
use crate::source::git::{RangeHead, RangeSelection};
use systems::{Job, Surroundings, Unclear, recognise};

/// More than any event file can need.
const EVENT_LIMIT: u64 = 64 * 1024 * 1024;

/// Judges what the build adds.
pub(crate) fn perform(request: &CiRequest) -> Result<Ending, Failure> {
    let job = job(request)?;
    let Some(selection) = job.selection else {
        tell(&format!("keyfence ci: {}: nothing was added, nothing is judged\n", text::line(&job.title)));
        return Ok(Ending::Clean);
    };
    if !request.looking.writing.quiet {
        tell(&format!("keyfence ci: {}: judging {}\n", text::line(&job.title), in_words(&selection)));
    }
    let what = What::Range { selection, max_size: request.max_size, trusted: false };
    scan::perform(&what, &request.looking)
}

/// What was typed wins over what the system says.
fn job(request: &CiRequest) -> Result<Job, Failure> {
    let head = |revision: &str| vec![RangeHead { revision: revision.to_owned(), name: None }];
    if let Some(base) = &request.base {
        let selection = RangeSelection {
            heads: head(request.head.as_deref().unwrap_or("HEAD")),
            bases: vec![base.clone()],
            tags: true,
            ..RangeSelection::default()
        };
        return Ok(Job { title: "as asked".to_owned(), selection: Some(selection) });
    }
    let surroundings = Surroundings { variable: &|name| std::env::var(name).ok(), file: &read_event };
    let mut job = recognise(&surroundings).map_err(|unclear| match unclear {
        Unclear::NoSystem => Failure::usage(
            "no build system was recognised here",
            "name the commits: keyfence ci --base COMMIT [--head COMMIT]",
        ),
        Unclear::NoRange { message, hint } => Failure::unfinished(message, hint),
    })?;
    if let (Some(revision), Some(selection)) = (&request.head, &mut job.selection) {
        selection.heads = head(revision);
    }
    Ok(job)
}

fn in_words(selection: &RangeSelection) -> String {
    let heads: Vec<&str> = selection.heads.iter().map(|head| head.revision.as_str()).collect();
    let base = match selection.bases.as_slice() {
        [] => "everything up to ".to_owned(),
        [only] => format!("{only}.."),
        [first, rest @ ..] => format!("{first} (else {})..", rest.join(", else ")),
    };
    text::line(&format!("{base}{}", heads.join(" ")))
}

fn read_event(path: &str) -> Result<Vec<u8>, String> {
    let metadata = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if !metadata.is_file() || metadata.len() > EVENT_LIMIT {
        return Err("it is no regular file, or larger than an event can be".to_owned());
    }
    std::fs::read(path).map_err(|error| error.to_string())
}
