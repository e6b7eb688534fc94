//! Where a seed phrase could stand: stretches of text with enough words of fitting length side by side.
//!
//! Nearly all text has, every few words, one that no list holds because it is too short or too long, or that is joined
//! to a digit or `_`. Such words are told for 64 bytes at once, and only what lies between them is read.
//!
//! Must not know: word lists, separators, checksums.
//! Invariant: a run of [`FEWEST_WORDS`] words, each of [`SHORTEST_WORD`] bytes or more, none with more than
//! [`LONGEST_WORD`] letters of ASCII in a row, and none joined to a digit or `_`, lies wholly in one stretch.

use crate::model::Span;
use crate::rules::word_list::LONGEST_FOLDED;

use super::strides::{STRIDE, bits_of, digit, for_each_stride, letter};

/// The shortest phrase of all lists, in words.
pub(crate) const FEWEST_WORDS: usize = 12;
/// The shortest word of all lists, in bytes.
const SHORTEST_WORD: usize = 3;
/// The longest word of all lists, in letters of ASCII that stand in a row.
const LONGEST_WORD: usize = LONGEST_FOLDED;

/// Calls `visit` with every stretch, in order.
pub(crate) fn for_each_stretch(text: &[u8], mut visit: impl FnMut(Span)) {
    let mut search = Search::default();
    for_each_stride(text, |base, stride| {
        let classes = Classes::of(stride, &mut search.after_backslash);
        if base > 0 {
            search.step(base - STRIDE, classes, &mut visit);
        }
        search.stride = classes;
    });
    search.step(text.len() / STRIDE * STRIDE, Classes::default(), &mut visit);
    search.end(text.len(), &mut visit);
}

/// One bit for each byte of a stride.
#[derive(Clone, Copy, Default)]
struct Classes {
    /// Letters of ASCII, but for those of the escapes `\n`, `\r`, `\t`.
    letters: u64,
    /// Bytes beyond ASCII: letters, or gaps, or parts of both.
    beyond: u64,
    /// What joins words to names: digits and `_`.
    joints: u64,
}

impl Classes {
    #[inline(always)]
    fn of(stride: &[u8; STRIDE], after_backslash: &mut u64) -> Self {
        let backslashes = bits_of(stride, |byte| u8::from(byte == b'\\'));
        let escaped = backslashes << 1 | *after_backslash;
        *after_backslash = backslashes >> (STRIDE - 1);
        let mut letters = bits_of(stride, letter);
        if escaped != 0 {
            letters &= !(escaped & bits_of(stride, |byte| u8::from(matches!(byte, b'n' | b'r' | b't'))));
        }
        Self {
            letters,
            beyond: bits_of(stride, |byte| byte >> 7),
            joints: bits_of(stride, |byte| digit(byte) | u8::from(byte == b'_')),
        }
    }
}

#[derive(Default)]
struct Search {
    /// The stride that is judged when the one after it is known.
    stride: Classes,
    /// Whether the byte before the stride is a letter or beyond ASCII, and whether it is a joint: one bit each.
    after_letter: u64,
    after_joint: u64,
    after_backslash: u64,
    /// Where the stretch begins, and how many words of it begin before the stride.
    start: usize,
    words: usize,
}

impl Search {
    /// Judges the stride at `base`, followed by `next`.
    #[inline(always)]
    fn step(&mut self, base: usize, next: Classes, visit: &mut impl FnMut(Span)) {
        let Classes { letters, beyond, joints } = self.stride;
        let text = letters | beyond;
        let with_next = |bits: u64, next: u64| u128::from(next) << STRIDE | u128::from(bits);
        let all_letters = with_next(letters, next.letters);
        let all_text = with_next(text, next.letters | next.beyond);
        let all_joints = with_next(joints, next.joints);
        let starts = letters & !(text << 1 | self.after_letter);
        const { assert!(SHORTEST_WORD == 3, "words of one or two letters are told by their ends") };
        let second_ends = !(all_text >> 1) | (all_letters >> 1 & !(all_text >> 2));
        let joined = joints << 1 | self.after_joint | (all_joints >> 1) as u64;
        let misfits = (starts & second_ends as u64) | (letters & joined) | too_long(all_letters) as u64;
        self.after_letter = text >> (STRIDE - 1);
        self.after_joint = joints >> (STRIDE - 1);
        self.count(base, starts | beyond, misfits, visit);
    }

    /// Counts the words that begin at `starts`, anew after each misfit.
    #[inline(always)]
    fn count(&mut self, base: usize, mut starts: u64, mut misfits: u64, visit: &mut impl FnMut(Span)) {
        if misfits != 0 && self.words + (starts.count_ones() as usize) < FEWEST_WORDS {
            // No stretch can end here: only what follows the last misfit counts.
            let last = misfits.ilog2();
            self.start = base + last as usize + 1;
            self.words = (starts & (u64::MAX << last << 1)).count_ones() as usize;
            return;
        }
        while misfits != 0 {
            let misfit = misfits.trailing_zeros() as usize;
            let before = starts & ((1 << misfit) - 1);
            self.words += before.count_ones() as usize;
            self.end(base + misfit, visit);
            starts &= !(before | 1 << misfit);
            misfits &= misfits - 1;
        }
        self.words += starts.count_ones() as usize;
    }

    /// Ends the stretch at a misfit.
    #[inline(always)]
    fn end(&mut self, at: usize, visit: &mut impl FnMut(Span)) {
        if self.words >= FEWEST_WORDS {
            visit(Span::new(self.start, at));
        }
        self.start = at + 1;
        self.words = 0;
    }
}

/// Where more letters than a word has begin.
#[inline(always)]
fn too_long(letters: u128) -> u128 {
    const { assert!(LONGEST_WORD == 12, "the bits are folded for rows of thirteen letters") };
    let twos = letters & letters >> 1;
    let fours = twos & twos >> 2;
    let eights = fours & fours >> 4;
    eights & eights >> 5
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::detect::checks::phrases::lengths;
    use crate::rules::word_list::Tongue;

    fn stretches(text: &[u8]) -> Vec<Span> {
        let mut found = Vec::new();
        for_each_stretch(text, |stretch| found.push(stretch));
        found
    }

    #[test]
    fn no_phrase_has_fewer_words() {
        for tongue in Tongue::LISTED.into_iter().chain([Tongue::English]) {
            assert!(lengths(tongue).iter().all(|&length| length >= FEWEST_WORDS), "{tongue:?}");
        }
    }

    #[test]
    fn prose_and_code_have_none() {
        let text = "It is what a program says of itself when it is asked to do so, and what is more it does not say it in \
            a way that would be of use to us: fn main() { let x1 = y_of(a, b); for i in 0..n { f(i) } return internationalisation; }";
        assert_eq!(stretches(text.as_bytes()), []);
    }

    /// Words as lists have them, what stands between them, and what ends a run.
    fn piece() -> impl Strategy<Value = &'static str> {
        let words =
            &["abc", "able", "zoo", "éa", "\u{3042}", "\u{7684}", "technicality", "a\u{301}baco", "ABACO"];
        let gaps =
            &[" ", "\\n", "\\t", "\", \"", "、", " · ", "\n  10. ", "\r\n", "\u{3000}", "                "];
        let ends = &["to", "a", "x1", "1x", "_", "internationalisation", "\\", "n"];
        prop_oneof![
            12 => proptest::sample::select(words.as_slice()).prop_map(|word| word),
            12 => proptest::sample::select(gaps.as_slice()),
            1 => proptest::sample::select(ends.as_slice()),
        ]
    }

    proptest! {
        /// What the invariant says, with words in a row put between anything.
        #[test]
        fn a_run_of_words_lies_in_one_stretch(
            before in proptest::collection::vec(piece(), 0..40),
            words in proptest::collection::vec(proptest::sample::select(&["abc", "able", "technicality", "\u{7684}", "ábaco"]), 12..30),
            gaps in proptest::collection::vec(proptest::sample::select(&[" ", "\\n", "、", "\", \"", "\n 1. "]), 31),
            after in proptest::collection::vec(piece(), 0..40),
        ) {
            let mut text = before.concat().into_bytes();
            text.extend_from_slice(b" ");
            let start = text.len();
            let mut end = start;
            for (word, gap) in words.iter().zip(&gaps) {
                text.extend_from_slice(word.as_bytes());
                end = text.len();
                text.extend_from_slice(gap.as_bytes());
            }
            text.extend_from_slice(b" ");
            text.extend_from_slice(after.concat().as_bytes());
            let found = stretches(&text);
            prop_assert!(found.iter().any(|stretch| stretch.start <= start && end <= stretch.end), "{:?}", found);
        }
    }
}
