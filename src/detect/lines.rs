//! Where the lines of a text begin, found where they are asked for.
//!
//! A large text is counted once, block by block; in which places of a block lines end is found when somebody asks about
//! that block. Of a text in which few places are judged, most blocks are never asked about.
//!
//! Must not know: what a line says.
//! Invariant: the answers are the same for any size of blocks.

use std::cell::{Cell, OnceCell};

use crate::model::Span;

/// How many bytes are one block.
const BLOCK: usize = 1 << 13;

/// The lines of one text.
pub(super) struct Lines {
    size: usize,
    /// How many lines end before each block, and in all of the text.
    ended: Vec<usize>,
    /// For each block where lines end in it.
    ends: Vec<OnceCell<Vec<usize>>>,
    /// The block of the line that was asked for last: who asks for one asks for its neighbours.
    last: Cell<usize>,
}

impl Lines {
    pub(super) fn new(text: &[u8]) -> Self {
        Self::of_blocks(text, BLOCK)
    }

    fn of_blocks(text: &[u8], size: usize) -> Self {
        let count = text.len().div_ceil(size).max(1);
        let mut lines =
            Self { size, ended: vec![0], ends: vec![OnceCell::new(); count], last: Cell::default() };
        for block in 0..count {
            let in_block = match count {
                // What is counted is then known, too.
                1 => lines.ends_in(text, block).len(),
                _ => memchr::memchr_iter(b'\n', lines.block(text, block).of(text)).count(),
            };
            lines.ended.push(lines.ended[block] + in_block);
        }
        lines
    }

    fn block(&self, text: &[u8], block: usize) -> Span {
        Span::new(block * self.size, text.len().min((block + 1) * self.size))
    }

    fn ends_in(&self, text: &[u8], block: usize) -> &[usize] {
        self.ends[block].get_or_init(|| {
            let block = self.block(text, block);
            memchr::memchr_iter(b'\n', block.of(text)).map(|at| block.start + at).collect()
        })
    }

    /// How many lines there are.
    pub(super) fn count(&self) -> usize {
        self.ended[self.ends.len()] + 1
    }

    /// The line that holds byte `at`, from 0.
    pub(super) fn line_of(&self, text: &[u8], at: usize) -> usize {
        let block = (at / self.size).min(self.ends.len() - 1);
        self.ended[block] + self.ends_in(text, block).partition_point(|&end| end < at)
    }

    /// The same for a place about whose neighbours nobody asks.
    pub(super) fn line_of_one(&self, text: &[u8], at: usize) -> usize {
        let block = (at / self.size).min(self.ends.len() - 1);
        match self.ends[block].get() {
            Some(ends) => self.ended[block] + ends.partition_point(|&end| end < at),
            None => self.ended[block] + memchr::memchr_iter(b'\n', &text[block * self.size..at]).count(),
        }
    }

    /// Where a line begins.
    pub(super) fn start(&self, text: &[u8], number: usize) -> usize {
        number.checked_sub(1).map_or(0, |before| self.end(text, before) + 1)
    }

    /// Where a line ends: at its line end, or with the text.
    pub(super) fn end(&self, text: &[u8], number: usize) -> usize {
        if number + 1 >= self.count() {
            return text.len();
        }
        let ends_in = |block: usize| (self.ended[block]..self.ended[block + 1]).contains(&number);
        let mut block = self.last.get();
        if !ends_in(block) {
            block = self.ended.partition_point(|&ended| ended <= number) - 1;
            self.last.set(block);
        }
        self.ends_in(text, block)[number - self.ended[block]]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Lines;

    proptest! {
        #[test]
        fn blocks_make_no_difference(text in "[a\n]{0,60}", size in 1_usize..20) {
            let text = text.as_bytes();
            let lines = Lines::of_blocks(text, size);
            let starts: Vec<usize> =
                std::iter::once(0).chain(memchr::memchr_iter(b'\n', text).map(|at| at + 1)).collect();
            prop_assert_eq!(lines.count(), starts.len());
            for at in 0..=text.len() {
                let expected = starts.partition_point(|&start| start <= at) - 1;
                prop_assert_eq!(Lines::of_blocks(text, size).line_of_one(text, at), expected, "{}", at);
                prop_assert_eq!(lines.line_of(text, at), expected, "{}", at);
                prop_assert_eq!(lines.line_of_one(text, at), expected, "{}", at);
            }
            for number in (0..starts.len()).rev().chain(0..starts.len()) {
                let end = starts.get(number + 1).map_or(text.len(), |next| next - 1);
                prop_assert_eq!((lines.start(text, number), lines.end(text, number)), (starts[number], end));
            }
        }
    }
}
