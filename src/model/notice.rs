//! What a person should know about their own decisions: allows that allow nothing, entries that ran out.
//!
//! Must not know: how decisions are written down.
//! Invariants: a notice changes no outcome; its words hold nothing from a scanned file but a reason that a person wrote.

use super::FilePath;

/// What kind of notice it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoticeKind {
    /// Built-in rules were switched off, so that less was looked for.
    RulesOff,
    /// What is scanned changes what is allowed; the change does not count yet.
    PolicyChanged,
    /// A comment that would allow a finding and does not count, because what is scanned adds it.
    CommentRefused,
    /// An allow without a reason, where a reason is asked for.
    ReasonMissing,
    /// An allow or a baseline entry whose last day is over.
    Expired,
    /// An allow that allowed nothing although everything was scanned.
    UnusedAllow,
    /// A baseline entry whose secret is gone although everything was scanned.
    StaleBaseline,
}

impl NoticeKind {
    /// The word used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RulesOff => "rules-off",
            Self::PolicyChanged => "policy-changed",
            Self::CommentRefused => "comment-refused",
            Self::ReasonMissing => "reason-missing",
            Self::Expired => "expired",
            Self::UnusedAllow => "unused-allow",
            Self::StaleBaseline => "stale-baseline",
        }
    }
}

/// Something to know that is neither a finding nor a problem.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Notice {
    /// What kind.
    pub kind: NoticeKind,
    /// The file that it is about: the scanned file, or the one in which the decision stands.
    pub path: Option<FilePath>,
    /// The line in it, from 1.
    pub line: Option<u32>,
    /// One sentence without a full stop.
    pub message: String,
}
