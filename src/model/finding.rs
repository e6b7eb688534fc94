//! A finding, what makes it believable, and the credential it is a part of.
//!
//! Must not know: how it was found, how it is shown.
//! Invariant: the value stands in [`Secret`] and nowhere else; evidence holds names and words.

use std::fmt;
use std::sync::Arc;

use super::{Confidence, Exposure, Place, Provenance, Role, Secret, Severity, Span};

/// Where a person wrote down that a finding is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Allowance {
    /// A comment beside the value.
    Comment,
    /// An entry of a configuration file.
    Configuration,
    /// A pattern of an ignore file.
    IgnoreFile,
    /// An entry of the baseline.
    Baseline,
}

impl Allowance {
    /// The word used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Comment => "comment",
            Self::Configuration => "configuration",
            Self::IgnoreFile => "ignore-file",
            Self::Baseline => "baseline",
        }
    }
}

/// What was decided about a finding, and by whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Verdict {
    /// Nobody said anything: it counts.
    #[default]
    Open,
    /// A person allowed it; `by` names the comment or entry, `reason` is theirs.
    Allowed {
        /// What kind of place the decision stands in.
        kind: Allowance,
        /// The convention that was used, such as `keyfence:allow` or `gitleaks:allow`, or the file and its entry.
        by: String,
        /// What the person wrote after it.
        reason: Option<String>,
    },
    /// A value that is published in documentation.
    Known,
    /// A key of a test network or of a development wallet that everybody knows.
    Test,
}

impl Verdict {
    /// The word used in JSON.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Allowed { .. } => "allowed",
            Self::Known => "known",
            Self::Test => "test",
        }
    }

    /// Whether the finding counts.
    pub fn is_open(&self) -> bool {
        *self == Self::Open
    }
}

/// Why a finding is believed. Holds names and words from the file, never its value; a name may be the value of another
/// finding (`{"KEY": "SECRET"}`), which reports take out and `Debug` does not show.
#[derive(Clone, Default, PartialEq)]
pub struct Evidence {
    /// The name the value was given (left side, key, header, parameter).
    pub name: Option<String>,
    /// The word that told the provider, with where it stands in words ("in the name", "3 lines above", "in the file name").
    pub context: Vec<String>,
    /// Checks that passed, by name.
    pub checks: Vec<String>,
    /// How random the value looks (the trigram z-score, 0 = like random; below -2.6 = like language), where it was asked.
    pub randomness: Option<f32>,
}

impl fmt::Debug for Evidence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = self.name.as_ref().map(String::len);
        let mut shown = formatter.debug_struct("Evidence");
        shown.field("name_length", &length).field("context_length", &self.context.len());
        shown.field("checks", &self.checks).field("randomness", &self.randomness).finish()
    }
}

/// Tells whether two findings are the same secret under the same rule, wherever they stand: 32 lower-case hex digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Fingerprint(pub String);

/// One part of a credential, found at one place.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The rule's id.
    pub rule: String,
    /// The provider's id, such as `binance`.
    pub provider: String,
    /// Other providers that the evidence admits as well.
    pub alternatives: Vec<String>,
    /// What the provider calls the part, such as `api-key`.
    pub part: String,
    /// What the part is in its credential.
    pub role: Role,
    /// What somebody can do with it.
    pub severity: Severity,
    /// How sure it is.
    pub confidence: Confidence,
    /// What was decided about it.
    pub verdict: Verdict,
    /// Where the bytes come from.
    pub provenance: Arc<Provenance>,
    /// The value's bytes in the whole file.
    pub span: Span,
    /// The same as people count.
    pub place: Place,
    /// The value.
    pub secret: Secret,
    /// The value as it may be shown: its public prefix, if the format has one, and its length.
    pub masked: String,
    /// Why it is believed.
    pub evidence: Evidence,
    /// The same for the same secret everywhere.
    pub fingerprint: Fingerprint,
    /// Which credential of the same detection or report it belongs to (an index).
    pub credential: usize,
}

/// Whether a credential can be used as it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum CredentialState {
    /// A part that is needed was not found.
    Half,
    /// Whoever has these parts can act.
    Complete,
}

impl CredentialState {
    /// The word used in JSON and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Half => "half",
            Self::Complete => "complete",
        }
    }
}

/// Parts of one provider that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialSet {
    /// Stable for the same parts at the same place: 16 lower-case hex digits.
    pub id: String,
    /// The provider's id.
    pub provider: String,
    /// Whether it can be used as found.
    pub state: CredentialState,
    /// The worst that somebody who has it can do.
    pub severity: Severity,
    /// Indices of its findings.
    pub findings: Vec<usize>,
    /// What history tells of it; `None` where no history was scanned.
    pub exposure: Option<Exposure>,
}
