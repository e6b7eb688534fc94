//! What went wrong, in words with advice, and the exit code of every ending.
//!
//! The only place that knows exit codes. Must not know: how anything is done.
//! Invariant: whoever found something never ends with 0, and nobody who could not look does.

use std::io::{self, Write};

use super::{text, typed};
use crate::model::{Outcome, Report};
use crate::source::SourceError;

/// How a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Everything was done, nothing was found.
    Clean,
    /// Something open was found.
    Findings,
    /// Something open was found, and not everything could be done.
    FindingsUnfinished,
    /// Wrong usage or configuration; nothing was done.
    Misused,
    /// Not everything could be done, and nothing was found.
    Unfinished,
    /// Ctrl-C.
    Interrupted,
}

impl Ending {
    /// The exit code.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Findings | Self::FindingsUnfinished => 1,
            Self::Misused => 2,
            Self::Unfinished => 3,
            Self::Interrupted => 130,
        }
    }

    /// The exit code where somebody chose another one for findings. One that would say clean hides nothing that could
    /// not be done.
    pub(crate) fn code_with(self, for_findings: Option<u8>) -> u8 {
        match (self, for_findings) {
            (Self::FindingsUnfinished, Some(0)) => Self::Unfinished.code(),
            (Self::Findings | Self::FindingsUnfinished, Some(code)) => code,
            _ => self.code(),
        }
    }

    /// The ending of a scan that was reported.
    pub(crate) fn of_scan(report: &Report) -> Self {
        match report.outcome() {
            _ if report.was_interrupted() => Self::Interrupted,
            Outcome::Leaks if report.problems.is_empty() => Self::Findings,
            Outcome::Leaks => Self::FindingsUnfinished,
            Outcome::Clean => Self::Clean,
            Outcome::Incomplete => Self::Unfinished,
        }
    }
}

/// Why something was not done, ready to be told.
#[derive(Debug)]
pub(crate) struct Failure {
    ending: Ending,
    message: String,
    hint: Option<String>,
}

impl Failure {
    /// The arguments contradict each other.
    pub(crate) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { ending: Ending::Misused, message: message.into(), hint: Some(hint.into()) }
    }

    /// Something that was configured, such as a rule pack, cannot be used.
    pub(crate) fn configuration(message: impl Into<String>, hint: Option<String>) -> Self {
        Self { ending: Ending::Misused, message: message.into(), hint }
    }

    /// The work could not be done.
    pub(crate) fn unfinished(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { ending: Ending::Unfinished, message: message.into(), hint: Some(hint.into()) }
    }

    /// A file or directory could not be used; `doing` completes "cannot …".
    pub(crate) fn file(doing: impl std::fmt::Display, error: &io::Error) -> Self {
        Self { ending: Ending::Unfinished, message: format!("cannot {doing}: {error}"), hint: None }
    }

    /// The report could not be written; `ending` is what the scan itself had ended with.
    pub(crate) fn report(target: &str, error: &io::Error, ending: Ending) -> Self {
        let ending = match ending {
            Ending::Clean => Ending::Unfinished,
            Ending::Findings => Ending::FindingsUnfinished,
            other => other,
        };
        let found = match ending {
            Ending::Findings | Ending::FindingsUnfinished => {
                "something was found, and the report of it is lost"
            }
            _ => "the report is lost",
        };
        Self {
            ending,
            message: format!("cannot write the report to {target}: {error}"),
            hint: Some(format!("{found}; free some space or choose another place with --output FILE")),
        }
    }

    /// The same in a hook: the commit is stopped, and `command` would get past.
    #[must_use]
    pub(crate) fn with_way_past(mut self, act: &str, command: &str) -> Self {
        self.message = format!("this {act} is stopped because it could not be checked: {}", self.message);
        let emergency = format!("in an emergency, {act} without this check: {command}");
        self.hint = Some(match self.hint {
            Some(hint) => format!("{hint}; {emergency}"),
            None => emergency,
        });
        self
    }

    /// The exit code it leads to.
    #[cfg(test)]
    pub(crate) fn ending(&self) -> Ending {
        self.ending
    }

    /// What is told: what happened, and what to do.
    pub(crate) fn words(&self) -> String {
        let mut words = format!("error: {}\n", text::line(&self.message));
        if let Some(hint) = &self.hint {
            words.push_str(&format!("  hint: {}\n", text::line(hint)));
        }
        words
    }

    /// Tells it on standard error and gives the ending.
    pub(crate) fn tell(&self) -> Ending {
        tell(&self.words());
        self.ending
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        Self { ending: Ending::Unfinished, message: error.message, hint: error.hint }
    }
}

/// Writes to standard error, without values that were typed. If even that fails there is nobody left to tell.
pub(crate) fn tell(words: &str) {
    let words = typed::repeated(words);
    let mut stderr = io::stderr().lock();
    let _ = stderr.write_all(words.as_bytes()).and_then(|()| stderr.flush());
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::{Ending, Failure};
    use crate::model::{FilePath, Problem, ProblemKind, Report};

    #[test]
    fn exit_codes() {
        let clean = Report::default();
        let unread = Problem::at(ProblemKind::Unreadable, FilePath::from("a"), "it cannot be read");
        let incomplete = Report { problems: vec![unread.clone()], ..Report::default() };
        let stopped = Problem { kind: ProblemKind::Interrupted, ..unread };
        let interrupted = Report { problems: vec![stopped], ..Report::default() };
        for (ending, code) in [
            (Ending::of_scan(&clean), 0),
            (Ending::Findings, 1),
            (Failure::usage("a", "b").ending(), 2),
            (Ending::of_scan(&incomplete), 3),
            (Ending::of_scan(&interrupted), 130),
        ] {
            assert_eq!(ending.code(), code, "{ending:?}");
        }
    }

    #[test]
    fn another_code_for_findings_hides_nothing_else() {
        for (ending, chosen, code) in [
            (Ending::Findings, 0, 0),
            (Ending::Findings, 7, 7),
            (Ending::FindingsUnfinished, 7, 7),
            (Ending::FindingsUnfinished, 0, 3),
            (Ending::Clean, 7, 0),
            (Ending::Unfinished, 0, 3),
            (Ending::Misused, 0, 2),
            (Ending::Interrupted, 0, 130),
        ] {
            assert_eq!(ending.code_with(Some(chosen)), code, "{ending:?}");
        }
    }

    #[test]
    fn a_lost_report_is_never_clean() {
        let full = io::Error::from(io::ErrorKind::StorageFull);
        for (before, after) in [(Ending::Clean, 3), (Ending::Findings, 1), (Ending::Unfinished, 3)] {
            assert_eq!(Failure::report("standard output", &full, before).ending().code(), after);
        }
    }

    #[test]
    fn words_cannot_steer_a_terminal() {
        let words = Failure::usage("no file \u{1b}[2J\nerror: fake", "look\u{202e}").words();
        assert_eq!(words, "error: no file \\x1b[2J\\nerror: fake\n  hint: look\\u{202e}\n");
    }
}
