//! A whole text with what judgement asks of it more than once: its lines and where providers' words stand.
//!
//! Must not know: rules' meaning, files on disk; the path is just a name.
//! Invariant: nothing is computed before it is asked for, so a text without candidates costs nothing here.

use std::cell::OnceCell;

use crate::model::{FilePath, Place, Span};

use super::lines::Lines;
use super::neighbourhood::Reads;
use super::veto::armoured_blocks;
use super::words::{WORD_REACH, WordHit, WordIndex};

/// One text under judgement.
pub(crate) struct Document<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) path: &'a FilePath,
    index: &'a WordIndex,
    lines: OnceCell<Lines>,
    hits: OnceCell<Vec<WordHit>>,
    path_hits: OnceCell<Vec<WordHit>>,
    first_hits: OnceCell<Vec<(WordHit, usize)>>,
    named: OnceCell<Providers>,
    armoured: OnceCell<Vec<Span>>,
    /// What is looked at while something is asked that could hold in other versions as well.
    reads: Reads,
}

/// Runs of letters and digits up to this length are noted when words near them are asked for.
const LONGEST_RUN: usize = 1024;

/// Which providers were met.
#[derive(Debug, Default)]
struct Providers(Vec<bool>);

impl Providers {
    /// Adds one, and tells whether it is new.
    fn insert(&mut self, provider: u16) -> bool {
        let index = usize::from(provider);
        if self.0.len() <= index {
            self.0.resize(index + 1, false);
        }
        !std::mem::replace(&mut self.0[index], true)
    }

    fn has(&self, provider: u16) -> bool {
        self.0.get(usize::from(provider)).is_some_and(|&met| met)
    }
}

impl<'a> Document<'a> {
    pub(crate) fn new(text: &'a [u8], path: &'a FilePath, index: &'a WordIndex) -> Self {
        Self {
            text,
            path,
            index,
            lines: OnceCell::new(),
            hits: OnceCell::new(),
            path_hits: OnceCell::new(),
            first_hits: OnceCell::new(),
            named: OnceCell::new(),
            armoured: OnceCell::new(),
            reads: Reads::default(),
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

    /// Takes note that no armour begins anywhere in the text.
    pub(crate) fn know_without_armour(&self) {
        self.armoured.get_or_init(Vec::new);
    }

    /// The armoured blocks.
    pub(crate) fn armoured_blocks(&self) -> &[Span] {
        self.armoured.get_or_init(|| armoured_blocks(self.text))
    }

    fn lines(&self) -> &Lines {
        self.lines.get_or_init(|| Lines::new(self.text))
    }

    /// The line that holds byte `at`, from 0.
    pub(crate) fn line_of(&self, at: usize) -> usize {
        self.lines().line_of(self.text, at)
    }

    /// How many lines there are.
    pub(crate) fn line_count(&self) -> usize {
        self.lines().count()
    }

    /// The bytes of the first line without its end.
    pub(crate) fn first_line(&self) -> Span {
        self.reads.note_first_line();
        self.line_unnoted(0)
    }

    /// The bytes of a line without its end.
    pub(crate) fn line(&self, number: usize) -> Span {
        let line = self.line_unnoted(number);
        // That it begins and ends here is said by the bytes beside it.
        self.note(Span::new(line.start.saturating_sub(2), line.end + 2));
        line
    }

    fn line_unnoted(&self, number: usize) -> Span {
        let start = self.lines().start(self.text, number);
        let mut end = self.lines().end(self.text, number);
        if end > start && self.text[end - 1] == b'\r' {
            end -= 1;
        }
        Span::new(start, end.max(start))
    }

    /// The line of byte `at` with so many lines before and after it, and their ends.
    pub(crate) fn lines_about(&self, at: usize, count: usize) -> Span {
        let own = self.line_of(at);
        let last = (own + count).min(self.line_count() - 1);
        let lines = self.lines();
        Span::new(lines.start(self.text, own.saturating_sub(count)), lines.end(self.text, last) + 1)
    }

    /// The line around byte `at`.
    pub(crate) fn line_around(&self, at: usize) -> Span {
        self.line(self.line_of(at))
    }

    /// What is looked at while something is asked.
    pub(super) fn reads(&self) -> &Reads {
        &self.reads
    }

    /// Takes note that an answer depends on these bytes, as far as there are such.
    pub(super) fn note(&self, span: Span) {
        self.reads.note(Span::new(span.start, span.end.min(self.text.len())));
    }

    /// Takes note that an answer depends on the words in `span`. Whether something is one is said by the run of letters
    /// and digits that it stands in.
    pub(super) fn note_words(&self, span: Span) {
        if !self.reads.is_wanted() {
            return;
        }
        let longest = self.index.longest() + WORD_REACH;
        let (start, end) =
            (span.start.saturating_sub(longest), self.text.len().min(span.end.saturating_add(longest)));
        let in_run = |byte: &&u8| byte.is_ascii_alphanumeric();
        let before = self.text[..start].iter().rev().take(LONGEST_RUN).take_while(in_run).count();
        let after = self.text[end..].iter().take(LONGEST_RUN).take_while(in_run).count();
        if before.max(after) == LONGEST_RUN {
            self.reads.note_elsewhere();
        }
        self.note(Span::new(start - before, end + after));
    }

    /// Providers' words in the text, sorted by place.
    pub(crate) fn hits(&self) -> &[WordHit] {
        self.hits.get_or_init(|| self.index.find(self.text))
    }

    /// Providers' words in `span`.
    pub(crate) fn hits_in(&self, span: Span) -> &[WordHit] {
        self.note_words(span);
        let hits = self.hits();
        let first = hits.partition_point(|hit| hit.span.start < span.start);
        let count = hits[first..].partition_point(|hit| hit.span.start < span.end);
        &hits[first..first + count]
    }

    /// The first word of each provider that counts wherever it stands, and its line.
    pub(crate) fn first_hits(&self) -> &[(WordHit, usize)] {
        self.first_hits.get_or_init(|| {
            let mut named = Providers::default();
            let strong = self.hits().iter().filter(|hit| !hit.weak);
            let mut first: Vec<WordHit> = strong.filter(|hit| named.insert(hit.provider)).copied().collect();
            first.sort_by_key(|hit| hit.provider);
            let with_line = |hit: WordHit| (hit, self.lines().line_of_one(self.text, hit.span.start));
            first.into_iter().map(with_line).collect()
        })
    }

    /// Whether the provider is named anywhere: in the text, in any sense, or in the path.
    pub(crate) fn names(&self, provider: u16) -> bool {
        let named = self.named.get_or_init(|| {
            let mut named = Providers::default();
            self.hits().iter().chain(self.path_hits()).for_each(|hit| {
                named.insert(hit.provider);
            });
            named
        });
        named.has(provider)
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
            column: one_based(characters(&self.text[self.lines().start(self.text, first)..span.start])),
            end_line: one_based(last),
            end_column: one_based(characters(&self.text[self.lines().start(self.text, last)..span.end])),
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
