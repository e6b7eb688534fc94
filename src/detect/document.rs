//! A whole text with what judgement asks of it more than once: its lines and where providers' words stand.
//!
//! Must not know: rules' meaning, files on disk; the path is just a name.
//! Invariant: nothing is computed before it is asked for, so a text without candidates costs nothing here.

use std::cell::OnceCell;

use crate::model::{FilePath, Place, Span};

use super::words::{WordHit, WordIndex};

/// One text under judgement.
pub(crate) struct Document<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) path: &'a FilePath,
    index: &'a WordIndex,
    line_starts: OnceCell<Vec<usize>>,
    hits: OnceCell<Vec<WordHit>>,
    path_hits: OnceCell<Vec<WordHit>>,
    first_hits: OnceCell<Vec<WordHit>>,
    named: OnceCell<Vec<u16>>,
}

impl<'a> Document<'a> {
    pub(crate) fn new(text: &'a [u8], path: &'a FilePath, index: &'a WordIndex) -> Self {
        Self {
            text,
            path,
            index,
            line_starts: OnceCell::new(),
            hits: OnceCell::new(),
            path_hits: OnceCell::new(),
            first_hits: OnceCell::new(),
            named: OnceCell::new(),
        }
    }

    /// The same with words that were found before.
    pub(crate) fn with_hits(
        text: &'a [u8],
        path: &'a FilePath,
        index: &'a WordIndex,
        hits: Option<Vec<WordHit>>,
    ) -> Self {
        let known = hits.map_or_else(OnceCell::new, OnceCell::from);
        Self { hits: known, ..Self::new(text, path, index) }
    }

    /// The words, if they were asked for.
    pub(crate) fn into_hits(self) -> Option<Vec<WordHit>> {
        self.hits.into_inner()
    }

    fn line_starts(&self) -> &[usize] {
        self.line_starts.get_or_init(|| {
            std::iter::once(0).chain(memchr::memchr_iter(b'\n', self.text).map(|at| at + 1)).collect()
        })
    }

    /// The line that holds byte `at`, from 0.
    pub(crate) fn line_of(&self, at: usize) -> usize {
        self.line_starts().partition_point(|&start| start <= at) - 1
    }

    /// How many lines there are.
    pub(crate) fn line_count(&self) -> usize {
        self.line_starts().len()
    }

    /// The bytes of a line without its end.
    pub(crate) fn line(&self, number: usize) -> Span {
        let starts = self.line_starts();
        let start = starts[number];
        let mut end = starts.get(number + 1).map_or(self.text.len(), |&next| next - 1);
        if end > start && self.text[end - 1] == b'\r' {
            end -= 1;
        }
        Span::new(start, end.max(start))
    }

    /// The line around byte `at`.
    pub(crate) fn line_around(&self, at: usize) -> Span {
        self.line(self.line_of(at))
    }

    /// Providers' words in the text, sorted by place.
    pub(crate) fn hits(&self) -> &[WordHit] {
        self.hits.get_or_init(|| self.index.find(self.text))
    }

    /// Providers' words in `span`.
    pub(crate) fn hits_in(&self, span: Span) -> &[WordHit] {
        let hits = self.hits();
        let first = hits.partition_point(|hit| hit.span.start < span.start);
        let count = hits[first..].partition_point(|hit| hit.span.start < span.end);
        &hits[first..first + count]
    }

    /// The first word of each provider that counts wherever it stands.
    pub(crate) fn first_hits(&self) -> &[WordHit] {
        self.first_hits.get_or_init(|| {
            let mut first: Vec<WordHit> = self.hits().iter().filter(|hit| !hit.weak).copied().collect();
            first.sort_by_key(|hit| (hit.provider, hit.span.start));
            first.dedup_by_key(|hit| hit.provider);
            first
        })
    }

    /// Whether the provider is named anywhere: in the text, in any sense, or in the path.
    pub(crate) fn names(&self, provider: u16) -> bool {
        let named = self.named.get_or_init(|| {
            let mut providers: Vec<u16> =
                self.hits().iter().chain(self.path_hits()).map(|hit| hit.provider).collect();
            providers.sort_unstable();
            providers.dedup();
            providers
        });
        named.binary_search(&provider).is_ok()
    }

    /// Providers' words in the path.
    pub(crate) fn path_hits(&self) -> &[WordHit] {
        self.path_hits.get_or_init(|| self.index.find(self.path.as_bytes()))
    }

    /// `span` as people count.
    pub(crate) fn place(&self, span: Span) -> Place {
        let first = self.line_of(span.start);
        let last = self.line_of(span.end.saturating_sub(1).max(span.start));
        Place {
            line: one_based(first),
            column: one_based(characters(&self.text[self.line_starts()[first]..span.start])),
            end_line: one_based(last),
            end_column: one_based(characters(&self.text[self.line_starts()[last]..span.end])),
        }
    }
}

fn one_based(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX - 1) + 1
}

/// Characters as people count them; an invalid byte is one.
fn characters(text: &[u8]) -> usize {
    text.utf8_chunks().map(|chunk| chunk.valid().chars().count() + chunk.invalid().len()).sum()
}
