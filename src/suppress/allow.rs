//! One allow entry of a configuration, ready to be asked.
//!
//! Must not know: files. Invariant: an entry that is asked about a path from elsewhere says no where it names paths.

use std::sync::atomic::{AtomicBool, Ordering};

use regex::bytes::{Regex, RegexBuilder};

use super::paths::Patterns;
use crate::config::{AllowEntry, names_rule};
use crate::model::Finding;

/// What a compiled value pattern may take, in bytes.
const PATTERN_SIZE: usize = 1 << 20;

/// A compiled entry.
#[derive(Debug)]
pub(super) struct Allow {
    /// As it was written.
    pub(super) entry: AllowEntry,
    /// Its number in its file, from 1.
    pub(super) number: usize,
    paths: Option<Patterns>,
    values: Vec<Regex>,
    used: AtomicBool,
}

impl Allow {
    /// Compiles entry `number`.
    pub(super) fn new(entry: &AllowEntry, number: usize) -> Result<Self, String> {
        let complain = |message: String| format!("`allow`, entry {number}: {message}");
        let paths = (!entry.paths.is_empty()).then(|| Patterns::new(entry.paths.iter().map(String::as_str)));
        let values = entry.values.iter().map(|pattern| compiled(pattern));
        Ok(Self {
            entry: entry.clone(),
            number,
            paths: paths.transpose().map_err(|message| complain(format!("`path`: {message}")))?,
            values: values.collect::<Result<_, _>>().map_err(complain)?,
            used: AtomicBool::new(false),
        })
    }

    /// Whether it speaks about `finding`, which stands at `path` from the entry's directory.
    pub(super) fn means(&self, finding: &Finding, path: Option<&[u8]>) -> bool {
        self.could_mean(finding, path) && self.admits_value(finding)
    }

    /// Whether only the value of `finding` tells whether it speaks about it.
    pub(super) fn asks_for_value(&self, finding: &Finding, path: Option<&[u8]>) -> bool {
        !self.values.is_empty() && self.could_mean(finding, path)
    }

    fn could_mean(&self, finding: &Finding, path: Option<&[u8]>) -> bool {
        let entry = &self.entry;
        let rule = entry.rules.is_empty() || entry.rules.iter().any(|rule| names_rule(rule, &finding.rule));
        let fingerprint =
            entry.fingerprints.is_empty() || entry.fingerprints.contains(&finding.fingerprint.0);
        rule && fingerprint && self.admits_path(path)
    }

    fn admits_path(&self, path: Option<&[u8]>) -> bool {
        let Some(patterns) = &self.paths else { return true };
        path.and_then(|path| patterns.decide(path, false)) == Some(true)
    }

    fn admits_value(&self, finding: &Finding) -> bool {
        self.values.is_empty() || self.values.iter().any(|pattern| pattern.is_match(finding.secret.expose()))
    }

    pub(super) fn note_use(&self) {
        self.used.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_used(&self) -> bool {
        self.used.load(Ordering::Relaxed)
    }
}

fn compiled(pattern: &str) -> Result<Regex, String> {
    let regex = RegexBuilder::new(pattern).size_limit(PATTERN_SIZE).unicode(false).build();
    regex.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "`value` is a pattern that would take too much memory".to_owned(),
        _ => "`value` is no regular expression that could be read".to_owned(),
    })
}
