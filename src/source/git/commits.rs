//! Commits and tags as text: what they name, and every piece of them that can hold something.
//!
//! Must not know: the store, references, what the pieces are searched for.
//! Invariant: any bytes can be read; what is out of order is kept as a piece, so that nothing is lost for a scan.

use std::ops::Range;

use gix::hash::{Kind as HashKind, ObjectId};

use crate::model;

/// One header line with its continuation lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The whole header with its line ends.
    pub span: Range<usize>,
    /// The part before the first blank.
    pub name: Range<usize>,
    /// What follows it, without the last line end; later lines begin with a blank.
    pub value: Range<usize>,
}

/// A commit or an annotated tag, borrowed from its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Writing<'a> {
    bytes: &'a [u8],
    /// In their order, known and unknown ones.
    pub headers: Vec<Header>,
    /// Everything after the empty line.
    pub message: Range<usize>,
}

/// Who did something, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Signature<'a> {
    /// `Name <address>`, whatever it holds.
    pub who: &'a [u8],
    /// In seconds since 1970; 0 where nothing can be read.
    pub time: i64,
    /// Minutes ahead of UTC.
    pub offset: i16,
}

impl<'a> Writing<'a> {
    /// Takes an object apart.
    pub(super) fn read(bytes: &'a [u8]) -> Self {
        let mut headers: Vec<Header> = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            let end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |length| at + length + 1);
            let text = at..if bytes[end - 1] == b'\n' { end - 1 } else { end };
            if text.is_empty() {
                return Self { bytes, headers, message: end..bytes.len() };
            }
            match headers.last_mut() {
                Some(last) if bytes[at] == b' ' => {
                    last.span.end = end;
                    last.value.end = text.end;
                }
                _ => headers.push(Header::of_line(bytes, at..end, text.end)),
            }
            at = end;
        }
        Self { bytes, headers, message: bytes.len()..bytes.len() }
    }

    /// The value of the first header of that name.
    pub(super) fn value(&self, name: &str) -> Option<&'a [u8]> {
        self.values(name).next()
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        let bytes = self.bytes;
        let named = self.headers.iter().filter(move |header| &bytes[header.name.clone()] == name.as_bytes());
        named.map(move |header| &bytes[header.value.clone()])
    }

    /// The tree of a commit.
    pub(super) fn tree(&self, hash: HashKind) -> Option<ObjectId> {
        id(self.value("tree")?, hash)
    }

    /// The parents of a commit; `None` when one is no id.
    pub(super) fn parents(&self, hash: HashKind) -> Option<Vec<ObjectId>> {
        self.values("parent").map(|value| id(value, hash)).collect()
    }

    /// What a tag points at.
    pub(super) fn target(&self, hash: HashKind) -> Option<ObjectId> {
        id(self.value("object")?, hash)
    }

    /// `author`, `committer` or `tagger`.
    pub(super) fn signature(&self, role: &str) -> Option<Signature<'a>> {
        Some(Signature::read(self.value(role)?))
    }

    /// The headers that say more than which objects are meant, as one piece: git writes those that name objects first.
    pub(super) fn told_headers(&self) -> Range<usize> {
        let names_objects = |header: &&Header| {
            let name = &self.bytes[header.name.clone()];
            let is_id = self.bytes[header.value.clone()].iter().all(u8::is_ascii_hexdigit);
            is_id && [b"tree".as_slice(), b"parent", b"object"].contains(&name)
        };
        let first = self.headers.iter().take_while(names_objects).count();
        let end = self.headers.last().map_or(0, |header| header.span.end);
        self.headers.get(first).map_or(end..end, |header| header.span.start..end)
    }

    /// The author of a commit for people, with the commit's `id`.
    pub(super) fn commit(&self, id: &ObjectId) -> model::Commit {
        let author = self.signature("author").unwrap_or(Signature { who: b"", time: 0, offset: 0 });
        model::Commit {
            id: id.to_string(),
            author: String::from_utf8_lossy(author.who).into_owned(),
            time: author.time,
            offset: author.offset,
            is_root: self.value("parent").is_none(),
        }
    }
}

impl Header {
    fn of_line(bytes: &[u8], line: Range<usize>, end: usize) -> Self {
        let text = &bytes[line.start..end];
        let name_length = memchr::memchr(b' ', text).unwrap_or(text.len());
        let name = line.start..line.start + name_length;
        Self { span: line, value: (name.end + 1).min(end)..end, name }
    }
}

impl<'a> Signature<'a> {
    /// Reads `Name <address> seconds +hhmm`; a name can hold anything, so the last `>` ends it.
    fn read(value: &'a [u8]) -> Self {
        let end = memchr::memrchr(b'>', value).map_or(value.len(), |at| at + 1);
        let (who, rest) = value.split_at(end);
        let mut words = rest.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let mut number = || std::str::from_utf8(words.next()?).ok()?.parse::<i64>().ok();
        let time = number().unwrap_or(0);
        let zone = number().unwrap_or(0).clamp(-9959, 9959);
        // Within four digits both fit.
        let offset = i16::try_from(zone / 100 * 60 + zone % 100).unwrap_or(0);
        Self { who, time, offset }
    }
}

fn id(hex: &[u8], hash: HashKind) -> Option<ObjectId> {
    (hex.len() == hash.len_in_hex()).then(|| ObjectId::from_hex(hex).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use gix::hash::Kind as HashKind;

    use super::{Signature, Writing};

    #[test]
    fn a_commit_is_taken_apart() {
        let tree = "1".repeat(40);
        let parents = ["2".repeat(40), "3".repeat(40)];
        let told = "author A > B <a@b> 1700000000 -0530\ncommitter C <c@d> 5 +0100\nmergetag object x\n type y\n \n z\nunknown\n";
        let text =
            format!("tree {tree}\nparent {}\nparent {}\n{told}\nSubject\n\nBody\n", parents[0], parents[1]);
        let writing = Writing::read(text.as_bytes());
        let hash = HashKind::Sha1;
        assert_eq!(writing.tree(hash).map(|id| id.to_string()), Some(tree));
        let read: Vec<_> =
            writing.parents(hash).expect("all are ids").iter().map(ToString::to_string).collect();
        assert_eq!(read, parents);
        assert_eq!(&text[writing.message.clone()], "Subject\n\nBody\n");
        assert_eq!(&text[writing.told_headers()], told);
        assert_eq!(writing.value("mergetag"), Some(b"object x\n type y\n \n z".as_slice()));
        assert_eq!(writing.value("unknown"), Some(b"".as_slice()));
        let author = writing.signature("author").expect("there is one");
        assert_eq!(author, Signature { who: b"A > B <a@b>", time: 1_700_000_000, offset: -330 });
    }

    #[test]
    fn nothing_is_lost_of_what_is_out_of_order() {
        for text in [
            "",
            "\n",
            " ",
            "\n\n",
            "tree",
            "tree x",
            "tree x\nauthor",
            " a\n b",
            "author \n",
            "tree 0000\nhidden in a tree line\n\nm",
            "author A <a> 99999999999999999999 +999999\n",
        ] {
            let writing = Writing::read(text.as_bytes());
            let headers: String =
                writing.headers.iter().map(|header| text[header.span.clone()].to_string()).collect();
            let between = text.len() - headers.len() - writing.message.len();
            assert!(between <= 1, "{text:?}: {writing:?}");
            assert!(text.ends_with(&text[writing.message.clone()]), "{text:?}");
            assert!(text.starts_with(&headers), "{text:?}");
            assert_eq!(writing.tree(HashKind::Sha1), None);
            let _ = writing.signature("author");
            let told = writing.told_headers();
            assert!(told.end <= text.len(), "{text:?}");
        }
    }
}
