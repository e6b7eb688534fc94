//! What was read around values, and is the same in every version that has all of it in one piece.
//!
//! While something is asked about a value, a [`Reads`] takes note of all that is looked at: lines, brackets, words. What
//! came of it holds wherever the same bytes stand side by side, so that a version need not be asked again about values
//! whose neighbourhood was copied to it.
//!
//! Must not know: what is asked, what the answer means.
//! Invariant: an answer depends on nothing but the bytes that were noted, on whether the text begins or ends with them,
//! and on the text's first line where that was asked for; whatever depends on more is not kept.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;

use crate::model::Span;

use super::copies::Copies;

/// Bytes beside what was noted that may have been looked at as well: a quote, a mark before a name.
const BESIDE: usize = 64;

/// What is looked at while something is asked.
#[derive(Debug, Default)]
pub(super) struct Reads {
    /// `None` while nobody wants to know.
    noted: Cell<Option<Span>>,
    leans: Cell<Leaning>,
}

/// Whether an answer needs the text's first line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Leaning {
    #[default]
    None,
    OnFirstLine,
    /// On something that is not noted.
    Elsewhere,
}

impl Reads {
    /// From now on, `span` and all that is looked at is noted.
    pub(super) fn begin(&self, span: Span) {
        self.noted.set(Some(span));
        self.leans.set(Leaning::None);
    }

    pub(super) fn note(&self, span: Span) {
        if let Some(noted) = self.noted.get() {
            self.noted.set(Some(Span::new(noted.start.min(span.start), noted.end.max(span.end))));
        }
    }

    pub(super) fn note_first_line(&self) {
        if self.leans.get() == Leaning::None {
            self.leans.set(Leaning::OnFirstLine);
        }
    }

    pub(super) fn note_elsewhere(&self) {
        self.leans.set(Leaning::Elsewhere);
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.noted.get().is_some()
    }

    /// What was noted in a text of so many bytes; `None` if the answer cannot be kept.
    pub(super) fn end(&self, length: usize) -> Option<(Span, bool)> {
        let noted = self.noted.take()?;
        let noted = Span::new(noted.start.saturating_sub(BESIDE), length.min(noted.end + BESIDE));
        (self.leans.get() != Leaning::Elsewhere).then_some((noted, self.leans.get() == Leaning::OnFirstLine))
    }
}

/// An answer about a value, and what it depends on.
#[derive(Debug)]
struct Kept<T> {
    /// As it was given about a value at `at`.
    answer: Arc<T>,
    at: usize,
    /// The bytes it depends on, in the text at hand.
    read: Span,
    first_line: bool,
}

impl<T> Clone for Kept<T> {
    fn clone(&self) -> Self {
        Self { answer: Arc::clone(&self.answer), ..*self }
    }
}

/// Answers by value.
#[derive(Debug)]
pub(super) struct Answers<T> {
    known: HashMap<(usize, usize), Kept<T>>,
}

impl<T> Default for Answers<T> {
    fn default() -> Self {
        Self { known: HashMap::new() }
    }
}

impl<T> Clone for Answers<T> {
    fn clone(&self) -> Self {
        Self { known: self.known.clone() }
    }
}

impl<T> Answers<T> {
    /// The answer about `value`, and where the value stood when it was given.
    pub(super) fn get(&self, value: Span) -> Option<(Arc<T>, usize)> {
        self.known.get(&(value.start, value.end)).map(|kept| (Arc::clone(&kept.answer), kept.at))
    }

    /// Keeps an answer that was just given about `value` in a text of so many bytes, unless it depends on too much.
    pub(super) fn keep(&mut self, value: Span, answer: &Arc<T>, reads: &Reads, length: usize) {
        if let Some((read, first_line)) = reads.end(length) {
            let kept = Kept { answer: Arc::clone(answer), at: value.start, read, first_line };
            self.known.insert((value.start, value.end), kept);
        }
    }

    /// The answers that hold in a version as well.
    pub(super) fn carried(&self, copied: &Copied<'_>) -> Self {
        let mut known = HashMap::with_capacity(self.known.len());
        for (&(start, end), kept) in
            self.known.iter().filter(|(_, kept)| copied.first_line || !kept.first_line)
        {
            for to in copied.places(kept.read) {
                let moved = |at: usize| at - kept.read.start + to;
                let read = Span::new(to, to + kept.read.len());
                known.insert((moved(start), moved(end)), Kept { read, ..kept.clone() });
            }
        }
        Self { known }
    }
}

/// What of a text was copied to a version.
pub(super) struct Copied<'a> {
    copies: &'a Copies,
    /// How many bytes the text has, and the version.
    lengths: (usize, usize),
    /// Whether both begin with the same line.
    first_line: bool,
}

impl<'a> Copied<'a> {
    /// `text` is the version, which was made by `copies` from one of so many bytes.
    pub(super) fn new(copies: &'a Copies, length: usize, text: &[u8]) -> Self {
        let first_line = memchr::memchr(b'\n', text).map_or(text.len(), |end| end + 1);
        let is_whole = first_line < text.len();
        let first_line = is_whole && copies.places(Span::new(0, first_line)).any(|to| to == 0);
        Self { copies, lengths: (length, text.len()), first_line }
    }

    /// Where all of `read` stands now; where the text began or ended with it, the version must, too.
    fn places(&self, read: Span) -> impl Iterator<Item = usize> {
        let (before, now) = self.lengths;
        let fits =
            move |to: &usize| (read.start > 0 || *to == 0) && (read.end < before || to + read.len() == now);
        self.copies.places(read).filter(fits)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Answers, BESIDE, Copied, Copies, Reads};
    use crate::model::{CopiedPiece, Span};

    /// Where an answer about the value at 1000 holds in a version that was made from a text of 3000 bytes.
    fn places(pieces: &[CopiedPiece], read: Span, first_line: bool) -> Vec<usize> {
        let reads = Reads::default();
        reads.begin(Span::new(1000, 1010));
        reads.note(read);
        if first_line {
            reads.note_first_line();
        }
        let mut answers = Answers::default();
        answers.keep(Span::new(1000, 1010), &Arc::new(()), &reads, 3000);
        let length = pieces.last().map_or(0, CopiedPiece::end);
        let mut text = vec![b'x'; length];
        text[9] = b'\n';
        let copies = Copies::new(pieces);
        let carried = answers.carried(&Copied::new(&copies, 3000, &text));
        let mut places: Vec<usize> = carried.known.keys().map(|&(start, _)| start).collect();
        places.sort_unstable();
        places
    }

    #[test]
    fn an_answer_holds_where_all_it_depends_on_was_copied() {
        let piece = |from: usize, to: usize, length: usize| CopiedPiece { from, to, length };
        let read = Span::new(900, 1100);
        let far = read.len() + 2 * BESIDE;
        let cases: [(&[CopiedPiece], Span, bool, &[usize]); 9] = [
            (&[piece(0, 0, 3000)], read, false, &[1000]),
            (&[piece(0, 0, 500), piece(500, 600, 2500)], read, false, &[1100]),
            (&[piece(900 - BESIDE, 0, far)], read, false, &[100 + BESIDE]),
            (&[piece(901 - BESIDE, 0, far)], read, false, &[]),
            (&[piece(0, 0, 1050), piece(1050, 1051, 1950)], read, false, &[]),
            (&[piece(0, 0, 3000), piece(0, 3000, 3000)], read, false, &[1000, 4000]),
            // Where the text began or ended with what was read, it must do so again.
            (&[piece(0, 0, 3000), piece(0, 3000, 3000)], Span::new(10, 1100), false, &[1000]),
            (&[piece(0, 0, 3000), piece(0, 3000, 3000)], Span::new(900, 2999), false, &[4000]),
            (&[piece(5, 0, 10), piece(500, 600, 2500)], read, true, &[]),
        ];
        for (number, (pieces, read, first_line, expected)) in cases.into_iter().enumerate() {
            assert_eq!(places(pieces, read, first_line), expected, "{number}");
        }
        assert_eq!(places(&[piece(0, 0, 500), piece(500, 600, 2500)], read, true), [1100]);
    }

    #[test]
    fn what_depends_on_more_is_not_kept() {
        let reads = Reads::default();
        let mut answers = Answers::default();
        reads.begin(Span::new(10, 20));
        reads.note_elsewhere();
        answers.keep(Span::new(10, 20), &Arc::new(()), &reads, 100);
        assert!(answers.get(Span::new(10, 20)).is_none() && !reads.is_wanted());
    }
}
