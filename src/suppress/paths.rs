//! Patterns of paths as in a .gitignore, and where a finding stands as the policy's files see it.
//!
//! Must not know: the file system; everything here is about names.
//! Invariant: a path outside the policy's root matches no pattern.

use std::borrow::Cow;
use std::path::Path;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::model::FilePath;

/// How the paths of findings lead to paths from the policy's root.
#[derive(Clone, Debug)]
pub enum Standpoint {
    /// They are paths from the root, as in git.
    Root,
    /// They are as somebody typed them.
    Typed {
        /// The root, absolute and without links.
        root: FilePath,
        /// Where it was typed, absolute and without links.
        here: FilePath,
    },
}

impl Standpoint {
    /// `path` from the root, without `.` and `..`; `None` outside of it.
    pub(super) fn locate(&self, path: &FilePath) -> Option<Vec<u8>> {
        let (root, here) = match self {
            Self::Root => return normal(path.as_bytes()),
            Self::Typed { root, here } => (root.as_bytes(), here.as_bytes()),
        };
        let is_absolute = Path::new(&*as_text(path.as_bytes())).is_absolute();
        let typed = path.as_bytes();
        let whole = if is_absolute { normal(typed) } else { normal(&[here, b"/", typed].concat()) }?;
        let root = normal(root)?;
        if root.is_empty() {
            return Some(whole);
        }
        let below = whole.strip_prefix(root.as_slice())?;
        Some(below.strip_prefix(b"/")?.to_vec())
    }
}

/// Without empty parts, `.` and `..`, and without a leading slash; `None` above the top.
fn normal(path: &[u8]) -> Option<Vec<u8>> {
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join(&b'/'))
}

/// The directories above `path`, the nearest first, each without a slash at its end; the root is empty.
pub(super) fn directories(path: &[u8]) -> Vec<&[u8]> {
    let slashes = path.iter().enumerate().rev().filter(|(_, byte)| **byte == b'/');
    slashes.map(|(at, _)| &path[..at]).chain([&b""[..]]).collect()
}

/// `path` as seen from `directory`, which is above it.
pub(super) fn below<'a>(path: &'a [u8], directory: &[u8]) -> &'a [u8] {
    if directory.is_empty() { path } else { path.get(directory.len() + 1..).unwrap_or_default() }
}

/// Patterns of one file or one entry.
#[derive(Debug)]
pub(super) struct Patterns(Gitignore);

impl Patterns {
    /// Reads `lines`.
    pub(super) fn new<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let mut builder = GitignoreBuilder::new("");
        for (index, line) in lines.into_iter().enumerate() {
            builder
                .add_line(None, line)
                .map_err(|_| format!("pattern {} is not one that a .gitignore could hold", index + 1))?;
        }
        builder.build().map(Self).map_err(|_| "the patterns are too many or too large".to_owned())
    }

    /// Whether `path`, from the patterns' directory, is meant; `None` where no pattern says anything about it.
    pub(super) fn decide(&self, path: &[u8], is_directory: bool) -> Option<bool> {
        if path.is_empty() {
            return None;
        }
        let text = as_text(path);
        let decision = self.0.matched_path_or_any_parents(Path::new(&*text), is_directory);
        if decision.is_none() { None } else { Some(decision.is_ignore()) }
    }
}

/// Bytes that are no text match as replacement characters: a pattern of this tool is text.
fn as_text(path: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(path)
}

#[cfg(test)]
mod tests {
    use super::{Patterns, Standpoint, below, directories};
    use crate::model::FilePath;

    #[test]
    fn paths_are_seen_from_the_root() {
        let typed = Standpoint::Typed { root: "/work/repo".into(), here: "/work/repo/sub".into() };
        for (path, expected) in [
            ("a.py", Some("sub/a.py")),
            ("./x/../a.py", Some("sub/a.py")),
            ("../b.py", Some("b.py")),
            ("/work/repo/c/d.py", Some("c/d.py")),
            ("../../other/e.py", None),
            ("/work/repository/f.py", None),
            ("/etc/passwd", None),
            ("../../../../../g", None),
        ] {
            let located = typed.locate(&FilePath::from(path));
            assert_eq!(located.as_deref(), expected.map(str::as_bytes), "{path}");
        }
        let root = Standpoint::Root.locate(&FilePath::from("a/b.py"));
        assert_eq!(root.as_deref(), Some(&b"a/b.py"[..]));
    }

    #[test]
    fn patterns_are_those_of_gitignore() {
        for (pattern, path, expected) in [
            ("*.env", "a/b.env", Some(true)),
            ("/b.env", "a/b.env", None),
            ("tests/", "tests/unit/x.py", Some(true)),
            ("tests/**", "a/tests/x.py", None),
            ("**/tests/**", "a/tests/x.py", Some(true)),
            ("!b.env", "b.env", Some(false)),
            ("b.env", "b.envy", None),
        ] {
            let patterns = Patterns::new([pattern]).expect(pattern);
            assert_eq!(patterns.decide(path.as_bytes(), false), expected, "{pattern} {path}");
        }
        let later_wins = Patterns::new(["*.env", "!b.env"]).expect("both are patterns");
        assert_eq!(later_wins.decide(b"a/b.env", false), Some(false));
        assert!(Patterns::new(["[z-a]"]).is_err());
    }

    #[test]
    fn directories_from_the_nearest_up() {
        assert_eq!(directories(b"a/b/c"), [&b"a/b"[..], b"a", b""]);
        assert_eq!(directories(b"c"), [&b""[..]]);
        assert_eq!(below(b"a/b/c", b"a"), b"b/c");
        assert_eq!(below(b"c", b""), b"c");
    }
}
