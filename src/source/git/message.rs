//! The source of the commit-msg hook: the message as git will keep it.
//!
//! Must not know: rules, objects.
//! Invariant: what git will throw away is blanked out, not cut out, so that line numbers stay those of the file; in
//! doubt a line is kept.

use std::path::{Path, PathBuf};

use super::layout::read_regular;
use super::{GitEnvironment, Layout, Settings};
use crate::model::{Chunk, Coverage, FilePath, Provenance};
use crate::source::{Receiver, Source, SourceError};

/// No message is larger; a diff below the scissors can make the file large.
const MESSAGE_LIMIT: u64 = 64 * 1024 * 1024;
const SCISSORS: &[u8] = b" ------------------------ >8 ------------------------";
/// The characters among which git chooses when the comment character is `auto`.
const COMMENT_CHARACTERS: &[u8] = b"#;@!$%^&|:";

/// Hands out a commit message without its comments and without what stands below the scissors.
#[derive(Clone, Debug)]
pub struct CommitMessage {
    file: PathBuf,
    directory: PathBuf,
    environment: GitEnvironment,
}

impl CommitMessage {
    /// The message in `file` (what git gives to the hook, relative to `directory`).
    pub fn new(file: impl Into<PathBuf>, directory: impl Into<PathBuf>, environment: GitEnvironment) -> Self {
        Self { file: file.into(), directory: directory.into(), environment }
    }

    fn cleanup(&self) -> Result<Cleanup, SourceError> {
        // Without a repository there are still the settings of the user.
        let layout = Layout::discover(&self.directory, &self.environment).ok();
        let settings = Settings::read(layout.as_ref(), &self.environment)?;
        let edited = !self.environment.without_editor;
        let mode = settings.commit_cleanup();
        let (drop_comments, cut) = match mode.as_deref() {
            Some(b"strip") => (true, edited),
            Some(b"scissors") => (false, true),
            Some(b"whitespace" | b"verbatim") => (false, edited),
            _ => (edited, edited),
        };
        Ok(Cleanup { comment: settings.comment_string(), drop_comments, cut })
    }
}

impl Source for CommitMessage {
    fn drive(&self, receiver: &dyn Receiver) -> Result<(), SourceError> {
        let cleanup = self.cleanup()?;
        let path = self.directory.join(&self.file);
        let mut bytes = read_regular(&path, MESSAGE_LIMIT).map_err(|error| unreadable(&self.file, &error))?;
        cleanup.apply(&mut bytes);
        let provenance = Provenance::file(FilePath::from_path(&self.file));
        let mut worker = receiver.worker();
        worker.chunk(&Chunk::whole(&bytes, &provenance));
        worker.covered(&Coverage { files: 1, bytes: bytes.len() as u64, ..Coverage::default() });
        Ok(())
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> SourceError {
    SourceError {
        message: format!("cannot read the commit message {}: {error}", path.display()),
        hint: Some("give the file that git hands to the commit-msg hook".to_string()),
    }
}

/// What git will do with the message.
struct Cleanup {
    /// What begins a comment line; `None` is `#`, and `auto` has to be found out.
    comment: Option<Vec<u8>>,
    drop_comments: bool,
    /// Whether what stands below the scissors goes.
    cut: bool,
}

impl Cleanup {
    /// Blanks out what git will drop; line ends stay.
    fn apply(&self, message: &mut Vec<u8>) {
        let comment = match self.comment.as_deref() {
            None | Some(b"") => Some(b"#".to_vec()),
            Some(b"auto") => chosen_comment_character(message),
            Some(comment) => Some(comment.to_vec()),
        };
        let Some(comment) = comment else { return };
        let mut kept = Vec::with_capacity(message.len());
        let mut below_scissors = false;
        for line in message.split_inclusive(|&byte| byte == b'\n') {
            below_scissors |= self.cut && is_scissors(line, &comment);
            if below_scissors || (self.drop_comments && line.starts_with(&comment)) {
                kept.extend(line.iter().filter(|byte| matches!(byte, b'\n' | b'\r')));
            } else {
                kept.extend_from_slice(line);
            }
        }
        *message = kept;
    }
}

fn is_scissors(line: &[u8], comment: &[u8]) -> bool {
    line.strip_prefix(comment).is_some_and(|rest| rest.trim_ascii_end() == SCISSORS)
}

/// With `auto` git chooses a character that begins no line of the message, and writes its own lines with it: the
/// scissors if there are any, else the last lines of the file. If there are none, nothing is a comment.
fn chosen_comment_character(message: &[u8]) -> Option<Vec<u8>> {
    let lines = || message.split(|&byte| byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let scissors = lines().find(|line| line.get(1..).is_some_and(|rest| rest.trim_ascii_end() == SCISSORS));
    let character = *scissors.or_else(|| lines().next_back())?.first()?;
    COMMENT_CHARACTERS.contains(&character).then(|| vec![character])
}

#[cfg(test)]
mod tests {
    use super::{Cleanup, SCISSORS};

    #[test]
    fn what_git_drops_is_blanked_out() {
        let scissors = String::from_utf8_lossy(SCISSORS);
        let cases: [(Option<&str>, bool, bool, String, String); 8] = [
            (None, true, true, "a\n# b\nc\n".into(), "a\n\nc\n".into()),
            (None, false, true, "a\n# b\nc\n".into(), "a\n# b\nc\n".into()),
            (Some(";"), true, true, "# a\n; b\r\nc".into(), "# a\n\r\nc".into()),
            (Some("//"), true, true, "/ a\n// b\n".into(), "/ a\n\n".into()),
            (None, true, true, format!("a\n#{scissors}\nb\n# c\nd"), "a\n\n\n\n".into()),
            (None, true, false, format!("a\n#{scissors}\nb\n"), "a\n\nb\n".into()),
            (Some("auto"), true, true, "# a\n\n; b\n; c\n".into(), "# a\n\n\n\n".into()),
            (Some("auto"), true, true, "# a\nb\n".into(), "# a\nb\n".into()),
        ];
        for (comment, drop_comments, cut, message, expected) in cases {
            let comment = comment.map(|text| text.as_bytes().to_vec());
            let mut bytes = message.clone().into_bytes();
            Cleanup { comment, drop_comments, cut }.apply(&mut bytes);
            assert_eq!(String::from_utf8_lossy(&bytes), expected, "{message:?}");
        }
    }
}
