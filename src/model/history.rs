//! What a repository's history tells of a credential: since when, how far it got, where it is now.
//!
//! Must not know: git's objects, how history is walked, clocks.
//! Invariant: times are seconds since 1970 as the commits state them; nothing here depends on when it is read.

use super::{ContentKind, FilePath};

/// A commit, as far as people need it to find and understand it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// The object id (hex).
    pub id: String,
    /// Who wrote it, `Name <address>`. From the repository: it can hold anything.
    pub author: String,
    /// When it was written, in seconds since 1970.
    pub time: i64,
    /// How far the author's clock was ahead of UTC, in minutes.
    pub offset: i16,
    /// Whether it has no parent, so that a history begins with it.
    pub is_root: bool,
}

/// How far a credential got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// No reference leads to it any more; git will throw it away some day.
    Unreachable,
    /// Local references lead to it, and no remote-tracking one: it can still be taken out.
    Local,
    /// A remote-tracking reference contains it: only revoking helps.
    Pushed,
}

impl Reach {
    /// The word used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Local => "local",
            Self::Pushed => "pushed",
        }
    }
}

/// One place in history where a credential stands: a path, or what else git keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// What kind of content it is.
    pub kind: ContentKind,
    /// The path, or the name of what else it is.
    pub path: FilePath,
    /// Where it stands in the first version there, from 1.
    pub line: u32,
    /// The first version's object id (hex).
    pub blob: Option<String>,
    /// The first commit (hex) that has it there.
    pub commit: Option<String>,
    /// In how many versions it stands there.
    pub versions: u64,
}

/// The history of one credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposure {
    /// How far it got.
    pub reach: Reach,
    /// The commit that brought it, over all references, topologically.
    pub first_seen: Option<Commit>,
    /// The last commit that has it.
    pub last_seen: Option<Commit>,
    /// The commit that took it away, if no branch or tag of this repository has it at its tip any more.
    pub removed_by: Option<Commit>,
    /// How many commits have it.
    pub commits: u64,
    /// Branches and tags whose history contains it, by name, sorted.
    pub references: Vec<String>,
    /// Those of them whose tip still has it.
    pub tips: Vec<String>,
    /// Remote-tracking references whose history contains it, sorted.
    pub remotes: Vec<String>,
    /// Where it stands, first path first.
    pub occurrences: Vec<Occurrence>,
}
