//! A text with its passages in plain words where they stand, and the way back from its places.
//!
//! Must not know: how passages are read, what is looked for in them.
//! Invariant: a span of the unfolded text maps to a span of the text it was made from, in the same order.

use crate::model::Span;

use super::{Form, Passage};

/// A text made from another by putting plain words in the place of passages.
#[derive(Debug)]
pub(crate) struct Unfolded {
    pub(crate) text: Vec<u8>,
    pieces: Vec<Piece>,
}

/// Where a passage went.
#[derive(Debug)]
struct Piece {
    /// Where it stands in the text before.
    from: Span,
    /// Where its words stand now.
    words: Span,
    /// The same with the line ends that set it apart.
    whole: Span,
    form: Form,
    /// Where each byte of the words begins in the text before.
    origins: Vec<usize>,
}

impl Unfolded {
    /// `text` with `passages` (sorted, disjoint) in plain words.
    pub(crate) fn new(text: &[u8], passages: &[Passage]) -> Self {
        let mut unfolded = Self { text: Vec::with_capacity(text.len()), pieces: Vec::new() };
        let mut done = 0;
        for passage in passages {
            unfolded.text.extend_from_slice(&text[done..passage.from.start]);
            done = passage.from.end;
            unfolded.put(passage);
        }
        unfolded.text.extend_from_slice(&text[done..]);
        unfolded
    }

    fn put(&mut self, passage: &Passage) {
        // What has lines of its own is set apart, so that its first line is not taken for the rest of another.
        let apart = passage.form.stands_alone() && has_structure(&passage.bytes);
        let start = self.text.len();
        self.text.extend_from_slice(if apart { b"\n" } else { b"" });
        let words = Span::new(self.text.len(), self.text.len() + passage.bytes.len());
        self.text.extend_from_slice(&passage.bytes);
        self.text.extend_from_slice(if apart { b"\n" } else { b"" });
        self.pieces.push(Piece {
            from: passage.from,
            words,
            whole: Span::new(start, self.text.len()),
            form: passage.form,
            origins: passage.origins.clone(),
        });
    }

    /// Where the words of each passage stand, in order.
    pub(crate) fn words(&self) -> impl Iterator<Item = Span> {
        self.pieces.iter().map(|piece| piece.words)
    }

    /// The passages whose words `span` touches: their numbers and forms.
    pub(crate) fn touched(&self, span: Span) -> impl Iterator<Item = (usize, Form)> {
        let first = self.pieces.partition_point(|piece| piece.words.end <= span.start);
        let touched = self.pieces[first..].iter().take_while(move |piece| piece.words.start < span.end);
        touched.enumerate().map(move |(number, piece)| (first + number, piece.form))
    }

    /// Where `span` stands in the text before.
    pub(crate) fn original(&self, span: Span) -> Span {
        let begun = self.pieces.partition_point(|piece| piece.whole.start <= span.start);
        let start = self.place(begun, span.start, false);
        let begun = self.pieces.partition_point(|piece| piece.whole.start < span.end);
        Span::new(start, self.place(begun, span.end, true).max(start))
    }

    /// Where `at`, the start of a span or its end, stands in the text before, when `begun` pieces begin before it.
    fn place(&self, begun: usize, at: usize, is_end: bool) -> usize {
        let Some(piece) = begun.checked_sub(1).map(|last| &self.pieces[last]) else { return at };
        if at < piece.words.start {
            piece.from.start
        } else if at < piece.words.end && is_end && piece.form == Form::Gzip {
            // Its bytes have no places of their own: what is in it stands in all of it.
            piece.from.end
        } else if at < piece.words.end {
            piece.origins[at - piece.words.start]
        } else {
            piece.from.end + at.saturating_sub(piece.whole.end)
        }
    }
}

/// Whether the words have lines or brackets of their own.
fn has_structure(words: &[u8]) -> bool {
    words.contains(&b'\n') || [b"{".as_slice(), b"[", b"-----"].iter().any(|head| words.starts_with(head))
}

/// Texts unfolded one from the other, the first from the text that was given.
#[derive(Debug, Default)]
pub(crate) struct Layers {
    layers: Vec<Unfolded>,
}

impl Layers {
    /// `outer` and what was unfolded from it.
    pub(crate) fn over(outer: Unfolded, mut inner: Self) -> Self {
        inner.layers.insert(0, outer);
        inner
    }

    /// The innermost text, if anything was unfolded.
    pub(crate) fn text(&self) -> Option<&[u8]> {
        self.layers.last().map(|unfolded| unfolded.text.as_slice())
    }

    /// Where `span` of the innermost text stands in the text that was given.
    pub(crate) fn original(&self, span: Span) -> Span {
        self.layers.iter().rev().fold(span, |span, unfolded| unfolded.original(span))
    }

    /// The forms that `span` of the innermost text was read from, from the inside out.
    pub(crate) fn forms(&self, span: Span) -> Vec<Form> {
        let mut span = span;
        let mut forms = Vec::new();
        for unfolded in self.layers.iter().rev() {
            for (_, form) in unfolded.touched(span) {
                if forms.last() != Some(&form) {
                    forms.push(form);
                }
            }
            span = unfolded.original(span);
        }
        forms
    }
}
