//! What a source hands out: borrowed bytes, where they come from, and which of them count.
//!
//! Must not know: who reads the bytes, and who looks at them.
//! Invariant: positions are those of the whole file, also when the chunk is a piece of it.

use super::FilePath;

/// What kind of content bytes are. Git keeps more than files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContentKind {
    /// The content of a file or the target of a link.
    #[default]
    File,
    /// The name of a file or directory.
    FileName,
    /// The name of a branch, a tag or another reference.
    ReferenceName,
    /// The message of a commit.
    CommitMessage,
    /// Who wrote or committed, or another header of a commit.
    CommitHeader,
    /// A tag's message, tagger or other headers.
    Tag,
    /// A line of a reflog.
    Reflog,
}

impl ContentKind {
    /// The word used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::FileName => "file-name",
            Self::ReferenceName => "reference-name",
            Self::CommitMessage => "commit-message",
            Self::CommitHeader => "commit-header",
            Self::Tag => "tag",
            Self::Reflog => "reflog",
        }
    }
}

/// Where bytes come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// What kind of content they are.
    pub kind: ContentKind,
    /// The path people know: relative to the scanned root or the work tree's top, or as it was typed.
    pub path: FilePath,
    /// The git object id (hex), when the bytes are a blob.
    pub blob: Option<String>,
    /// The commit (hex) that brought them, when known.
    pub commit: Option<String>,
}

impl Provenance {
    /// Bytes of a plain file or of standard input.
    pub fn file(path: FilePath) -> Self {
        Self { kind: ContentKind::File, path, blob: None, commit: None }
    }

    /// Bytes of a git blob.
    pub fn blob(path: FilePath, blob: String) -> Self {
        Self { kind: ContentKind::File, path, blob: Some(blob), commit: None }
    }
}

/// Which lines of a chunk count. What stands outside is context: read, but not reported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Focus {
    /// Everything counts.
    #[default]
    Whole,
    /// Only findings that touch one of these inclusive line ranges (from 1, sorted, disjoint) count.
    Lines(Vec<(u32, u32)>),
}

impl Focus {
    /// Whether anything from `first` to `last` (inclusive lines) counts.
    pub fn touches(&self, first: u32, last: u32) -> bool {
        match self {
            Self::Whole => true,
            Self::Lines(ranges) => ranges.iter().any(|&(start, end)| start <= last && first <= end),
        }
    }
}

/// Bytes to scan, borrowed from a buffer that the source reuses.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a> {
    /// The bytes: a whole file or blob, or one piece of a large one.
    pub bytes: &'a [u8],
    /// Where they come from.
    pub provenance: &'a Provenance,
    /// Which lines count. Line numbers are those of the whole file.
    pub focus: &'a Focus,
    /// Where `bytes` begins in the whole file, in bytes (0 unless it is a piece).
    pub offset: u64,
    /// How many line ends stand before `bytes` in the whole file (0 unless it is a piece).
    pub lines_before: u32,
}

impl<'a> Chunk<'a> {
    /// A whole file or blob in which everything counts.
    pub fn whole(bytes: &'a [u8], provenance: &'a Provenance) -> Self {
        Self { bytes, provenance, focus: &Focus::Whole, offset: 0, lines_before: 0 }
    }
}

/// A stretch of one version that another version was copied from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopiedPiece {
    /// Where it stands in the version that was there, in bytes.
    pub from: usize,
    /// Where it stands in the version that was made.
    pub to: usize,
    /// How long it is.
    pub length: usize,
}

impl CopiedPiece {
    /// Where it ends in the version that was made.
    pub fn end(&self) -> usize {
        self.to + self.length
    }
}

#[cfg(test)]
mod tests {
    use super::Focus;

    #[test]
    fn focus_counts_what_touches_it() {
        let focus = Focus::Lines(vec![(3, 4), (9, 9)]);
        for (first, last, expected) in
            [(1, 2, false), (1, 3, true), (4, 8, true), (5, 8, false), (9, 12, true), (10, 12, false)]
        {
            assert_eq!(focus.touches(first, last), expected, "lines {first} to {last}");
        }
        assert!(Focus::Whole.touches(1, 1));
        assert!(!Focus::Lines(Vec::new()).touches(1, 9));
    }
}
