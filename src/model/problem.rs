//! What could not be done, as data.
//!
//! Must not know: the errors of other libraries, output.
//! Invariant: its words hold nothing from the content of a file.

use super::FilePath;

/// What kind of problem it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProblemKind {
    /// A named path does not exist.
    NotFound,
    /// Something exists but could not be read, or vanished while it was scanned.
    Unreadable,
    /// Larger than can be handled safely in this mode.
    TooLarge,
    /// A named path is neither a file nor a directory.
    NotAFile,
    /// A git object is missing or damaged.
    BadObject,
    /// The scan was interrupted before its end.
    Interrupted,
    /// keyfence itself failed on this input; the rest was scanned.
    Internal,
}

/// Something that could not be looked at. A report with a problem is never clean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What kind.
    pub kind: ProblemKind,
    /// The path it concerns.
    pub path: Option<FilePath>,
    /// The git object (hex) it concerns.
    pub object: Option<String>,
    /// What happened, in one sentence without a full stop; holds nothing from a file's content.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem with a path.
    pub fn at(kind: ProblemKind, path: FilePath, message: impl Into<String>) -> Self {
        Self { kind, path: Some(path), object: None, message: message.into(), hint: None }
    }

    /// The same with advice.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with the git object it concerns.
    #[must_use]
    pub fn with_object(mut self, object: impl Into<String>) -> Self {
        self.object = Some(object.into());
        self
    }
}
