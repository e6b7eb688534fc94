//! The one who decides: comments first, then what the project's files say.
//!
//! Must not know: how comments look, what files hold.
//! Invariants: exactly one verdict for each finding; what detection decided stays; what could have allowed a finding
//! and does not count is noted.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::comments::{self, Comment};
#[cfg(feature = "files")]
use super::policy::Policy;
use crate::model::{Allowance, Chunk, FilePath, Finding, Focus, Notice, NoticeKind, Problem, Verdict};

/// Which comments in the scanned text count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Comments {
    /// All of them.
    #[default]
    All,
    /// Those that were there before: what stands in the lines that count (the chunk's focus) is refused and noted.
    Old,
    /// None.
    Ignored,
}

/// What is honoured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SuppressOptions {
    /// Which comments count.
    pub comments: Comments,
    /// Whether an allow needs a reason to count.
    pub require_reason: bool,
    /// Whether everything is scanned, so that what allows nothing is noted.
    pub everything: bool,
}

/// The text that detection saw, and which lines of it count.
#[derive(Clone, Copy, Debug)]
pub struct Beside<'a> {
    /// The bytes.
    pub bytes: &'a [u8],
    /// Where they begin in the whole file, as the spans of findings count.
    pub offset: u64,
    /// Which lines count.
    pub focus: &'a Focus,
}

/// A verdict, and what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// The verdict.
    pub verdict: Verdict,
    /// Whether the text beside the value had a say, or would have one if something else was asked for: without the text
    /// nobody can decide again.
    pub hears_text: bool,
}

/// Decides about findings.
#[derive(Clone, Default)]
pub struct Suppressor {
    options: SuppressOptions,
    #[cfg(feature = "files")]
    policy: Option<Arc<Policy>>,
    noted: Arc<Mutex<Noted>>,
}

#[derive(Default)]
struct Noted {
    notices: BTreeSet<Notice>,
    /// Our comments by file and line, and whether they allowed something.
    comments: BTreeMap<(FilePath, u32), bool>,
}

impl Suppressor {
    /// A suppressor that honours what `options` say.
    pub fn new(options: SuppressOptions) -> Self {
        Self { options, ..Self::default() }
    }

    /// The same, which also asks `policy`.
    #[cfg(feature = "files")]
    #[must_use]
    pub fn with_policy(mut self, policy: Arc<Policy>) -> Self {
        self.policy = Some(policy);
        self
    }

    /// The one verdict about `finding`. What is not open keeps its verdict.
    pub fn judge(&self, finding: &Finding, beside: &Beside<'_>) -> Verdict {
        self.decide(finding, beside).verdict
    }

    /// The same, with whether the text beside the value had a say.
    pub fn decide(&self, finding: &Finding, beside: &Beside<'_>) -> Ruling {
        if !finding.verdict.is_open() {
            return Ruling { verdict: finding.verdict.clone(), hears_text: self.options.everything };
        }
        let comments = comments::beside(finding, beside.bytes, beside.offset);
        let hears_text = self.options.everything || !comments.is_empty();
        let verdict = self.by_comment(finding, comments, beside.focus).or_else(|| self.by_policy(finding));
        Ruling { verdict: verdict.unwrap_or(Verdict::Open), hears_text }
    }

    /// The verdict about a finding of which everything but the value is known, where no text has a say. `None` where it
    /// takes more than that.
    pub fn judge_without_value(&self, finding: &Finding) -> Option<Verdict> {
        if !finding.verdict.is_open() {
            return Some(finding.verdict.clone()).filter(|_| !self.options.everything);
        }
        let is_told = !self.options.everything && !self.asks_for_value(finding);
        is_told.then(|| self.by_policy(finding).unwrap_or(Verdict::Open))
    }

    fn by_comment(&self, finding: &Finding, comments: Vec<Comment>, focus: &Focus) -> Option<Verdict> {
        if self.options.comments == Comments::Ignored {
            return None;
        }
        let counting = comments.into_iter().find(|comment| {
            self.note_use(finding, comment.line);
            self.counts(comment, finding, focus)
        })?;
        Some(Verdict::Allowed {
            kind: Allowance::Comment,
            by: counting.form.to_owned(),
            reason: counting.reason,
        })
    }

    fn counts(&self, comment: &Comment, finding: &Finding, focus: &Focus) -> bool {
        let Comment { form, line, .. } = comment;
        let rule = &finding.rule;
        if self.options.comments == Comments::Old && focus.touches(*line, *line) {
            let message = format!(
                "`{form}` would allow {rule} and does not count, because it comes with what is checked"
            );
            self.note(NoticeKind::CommentRefused, finding, *line, message);
            return false;
        }
        if self.options.require_reason && comment.reason.is_none() {
            let message =
                format!("`{form}` would allow {rule} and does not count, because it gives no reason");
            self.note(NoticeKind::ReasonMissing, finding, *line, message);
            return false;
        }
        true
    }

    #[cfg(feature = "files")]
    fn asks_for_value(&self, finding: &Finding) -> bool {
        self.policy.as_ref().is_some_and(|policy| policy.asks_for_value(finding))
    }

    #[cfg(not(feature = "files"))]
    fn asks_for_value(&self, _finding: &Finding) -> bool {
        false
    }

    #[cfg(feature = "files")]
    fn by_policy(&self, finding: &Finding) -> Option<Verdict> {
        self.policy.as_ref()?.judge(finding)
    }

    #[cfg(not(feature = "files"))]
    fn by_policy(&self, _finding: &Finding) -> Option<Verdict> {
        None
    }

    /// Remembers the comments of our own form in `chunk`, so that those that allow nothing can be told.
    pub fn observe(&self, chunk: &Chunk<'_>) {
        if !self.options.everything || self.options.comments == Comments::Ignored {
            return;
        }
        let lines = comments::lines_of_own_forms(chunk.bytes);
        if lines.is_empty() {
            return;
        }
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        for line in lines {
            let place = (chunk.provenance.path.clone(), chunk.lines_before.saturating_add(line));
            noted.comments.entry(place).or_default();
        }
    }

    fn note_use(&self, finding: &Finding, line: u32) {
        if self.options.everything {
            let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
            noted.comments.insert((finding.provenance.path.clone(), line), true);
        }
    }

    fn note(&self, kind: NoticeKind, finding: &Finding, line: u32, message: String) {
        let path = Some(finding.provenance.path.clone());
        let notice = Notice { kind, path, line: Some(line), message };
        self.noted.lock().unwrap_or_else(PoisonError::into_inner).notices.insert(notice);
    }

    /// What people should know after a scan, sorted.
    pub fn notices(&self) -> Vec<Notice> {
        let noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let mut notices = noted.notices.clone();
        let unused = noted.comments.iter().filter(|(_, used)| !**used);
        notices.extend(unused.map(|((path, line), _)| Notice {
            kind: NoticeKind::UnusedAllow,
            path: Some(path.clone()),
            line: Some(*line),
            message: "this comment allows nothing".to_owned(),
        }));
        #[cfg(feature = "files")]
        if let Some(policy) = &self.policy {
            notices.extend(policy.notices(self.options.everything));
        }
        notices.into_iter().collect()
    }

    /// What could not be read of the project's files after the scan had begun.
    pub fn problems(&self) -> Vec<Problem> {
        #[cfg(feature = "files")]
        if let Some(policy) = &self.policy {
            return policy.problems();
        }
        Vec::new()
    }
}

impl fmt::Debug for Suppressor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Suppressor").field("options", &self.options).finish_non_exhaustive()
    }
}
