//! What a scan says in the end.
//!
//! Must not know: formats, exit codes.
//! Invariant: a report with an open finding is never clean, and neither is one with a problem.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Confidence, Coverage, CredentialSet, Finding, Notice, Problem, ProblemKind};

/// What to know and do about a provider's credentials.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guide {
    /// The provider's name as people write it.
    pub title: String,
    /// What somebody who has the credential can do, as the end of "whoever has it can …".
    pub power: String,
    /// Where it is revoked.
    pub revoke: Option<String>,
    /// What to do, in order, one sentence each.
    pub steps: Vec<String>,
}

/// The end of a scan in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was looked at and nothing open was found.
    Clean,
    /// Something open was found.
    Leaks,
    /// Nothing open was found, but not everything could be looked at.
    Incomplete,
}

impl Outcome {
    /// The word used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Leaks => "leaks",
            Self::Incomplete => "incomplete",
        }
    }
}

/// Everything a formatter needs. Sorted, so that the same input gives the same bytes.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Findings at or above the asked confidence, sorted by path and place; all verdicts.
    pub findings: Vec<Finding>,
    /// Credentials, worst first; every finding belongs to exactly one.
    pub credentials: Vec<CredentialSet>,
    /// What could not be looked at.
    pub problems: Vec<Problem>,
    /// What people should know about what they allowed; changes no outcome.
    pub notices: Vec<Notice>,
    /// What was looked at.
    pub coverage: Coverage,
    /// What to do, by provider id, for every provider named above.
    pub guides: BTreeMap<String, Guide>,
    /// The lowest confidence that is listed.
    pub threshold: Option<Confidence>,
    /// How many open findings were below the threshold.
    pub below_threshold: u64,
    /// How long the scan took. Only for people: not part of machine formats.
    pub elapsed: Duration,
    /// When the report was made, in seconds since 1970, where a clock was asked. Only for people.
    pub made_at: Option<i64>,
}

impl Report {
    /// Clean, leaks or incomplete. Findings win over problems.
    pub fn outcome(&self) -> Outcome {
        if self.findings.iter().any(|finding| finding.verdict.is_open()) {
            Outcome::Leaks
        } else if self.problems.is_empty() {
            Outcome::Clean
        } else {
            Outcome::Incomplete
        }
    }

    /// Whether somebody stopped the scan before everything was looked at.
    pub fn was_interrupted(&self) -> bool {
        self.problems.iter().any(|problem| problem.kind == ProblemKind::Interrupted)
    }
}
